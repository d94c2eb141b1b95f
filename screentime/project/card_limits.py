"""What the data card warns of: everything in a project's own files that weakens what it says."""

from collections.abc import Iterator, Sequence

import pandas

from screentime.labels import label_file, read_skips
from screentime.project.card_facts import CardFacts
from screentime.wording import count_text, seconds_text

THIN = 10  # frames: a character labelled visible, or not visible, in fewer has seen little of what it can look like


def limits(project: CardFacts) -> list[str]:
    """What the data set cannot bear, a sentence each."""
    found = [*_limits_of_films(project), *_limits_of_labels(project), *_limits_of_figures(project)]
    return [f"- {limit}" for limit in found] or ["None that the project's own files show."]


def _limits_of_films(project: CardFacts) -> Iterator[str]:
    unstated = [video.file for video in project.params.videos if not project.licence(video)]
    if unstated:
        yield f"Licence not stated: {_listed(unstated)}. Whoever passes these films on must know it."
    left_out = [f"{video.file} ({video.skip})" for video in project.params.videos if video.skip]
    if left_out:
        yield f"Left out: {_listed(left_out)}."
    for video in project.shown:
        facts = project.sampled.get(video.video_id)
        if not facts:
            yield f"{video.video_id}: not sampled yet, so nothing is known of it."
            continue
        lost = [
            words
            for count, words in (
                (facts["bad_packets"], count_text(facts["bad_packets"], "bad packet", "bad packets")),
                (facts["held_frames"], f"{count_text(facts['held_frames'], 'frame', 'frames')} held over a hole"),
                (facts["missing_s"], f"{seconds_text(facts['missing_s'])} s missing at its end"),
                (facts["repaired_timestamps"], f"{facts['repaired_timestamps']:,} timestamps repaired"),
            )
            if count
        ]
        if lost:
            yield f"{video.video_id}: reading the film met {', '.join(lost)}."


def _limits_of_labels(project: CardFacts) -> Iterator[str]:
    rows = pandas.concat([rows[["annotator"]] for rows in project.rows.values()]) if project.rows else []
    if len(rows) and rows["annotator"].nunique() == 1:
        yield "One annotator: nobody has measured how far two people would agree."
    thin = {
        name: min(counts)
        for name in project.cast
        if min(counts := [_trained(project, name, "present"), _trained(project, name, "absent")]) < THIN
    }
    if thin and project.labelled:
        told = _listed([f"{name} ({count})" for name, count in thin.items()])
        yield f"Thin: visible, or not visible, in fewer than {THIN} labelled frames that train: {told}."
    for video_id, counts in project.labelled.items():
        noise, unused = counts["label_noise"], counts["unused"]
        if noise["differing"]:
            yield f"{video_id}: blind and other answers differ in {noise['differing']} of {noise['compared']}."
        if unused:
            yield f"{video_id}: {count_text(unused, 'label row speaks', 'label rows speak')} of no sampled frame."
    for video in project.shown:
        skips = read_skips(label_file(project.labels, f"{video.video_id}.skip.csv"), None)
        if len(skips):
            reasons = _listed(list(dict.fromkeys(skips["reason"])))
            seconds = seconds_text(float((skips["end_s"] - skips["start_s"]).sum()))
            yield f"{video.video_id}: {seconds} s are not counted as film ({reasons})."


def _trained(project: CardFacts, name: str, answer: str) -> int:
    """In how many frames of films that train a character is labelled so."""
    training = [video.video_id for video in project.shown if video.split != "test"]
    return sum(
        project.labelled[one]["labels"].get(name, {}).get(answer, 0) for one in training if one in project.labelled
    )


def _limits_of_figures(project: CardFacts) -> Iterator[str]:
    videos = project.estimated.get("videos", {})
    unmeasured = [one for one, estimates in videos.items() if any(e["basis"] == "count" for e in estimates.values())]
    if unmeasured:
        yield f"No audit has measured the seconds, for some character at least, of: {_listed(unmeasured)}."
    if project.evaluated and "test" not in project.evaluated:
        yield "No film was kept apart as a test: nothing here speaks for films to come."
    for title, way in (("On the audit", "audit"), ("On films left out", "test")):
        measured = project.evaluated.get(way, {}).get("characters", {})
        unproved = [
            name
            for name in project.cast
            if name in measured
            and (measured[name].get("accuracy_low") or 0) <= (measured[name].get("commoner_accuracy") or 0)
        ]
        if unproved:
            yield (
                f"{title}, the accuracy is not shown to be above that of always guessing the commoner value (its interval "
                f"reaches down to it): {_listed(unproved)}."
            )


def _listed(names: Sequence[str]) -> str:
    """All names, up to ten; then how many more.

    >>> _listed(["a", "b"])
    'a, b'
    """
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
