"""Stage label: what people said, checked and projected onto the sampled frames, apart for training and measuring."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.audit import read_record, waiting
from screentime.estimates import film_weights
from screentime.files import new_folder, write_json
from screentime.frames import FramePack, open_frames
from screentime.labels import answers_of, label_file, read_skips, second_opinions
from screentime.params import Params
from screentime.table_files import Table, write_table
from screentime.tables import AUDIT, SKIPPED, TARGETS

ANSWER_NAMES = {"1": "present", "0": "absent", "?": "cannot_tell"}


@dataclass(frozen=True)
class FilmLabels:
    """One film's rows for the three outputs, and the counts that go into the metrics."""

    targets: pandas.DataFrame
    audit: pandas.DataFrame
    skipped: pandas.DataFrame
    counts: dict


def label(
    *, labels: Path, frames: Path, targets: Path, audit: Path, skipped: Path, metrics: Path, params: Params
) -> None:
    """Project data/labels onto the sampled frames.

    targets holds what training may see, audit what only measuring may see: the frames that an audit drew, and every
    label of a film with `split: test`. Nothing about a drawn frame but that it was drawn is ever in targets, so a new
    audit answer leaves them as they were. skipped holds the ranges that are not part of a film, metrics the counts.
    """
    others = second_opinions(labels, [video.video_id for video in params.videos])
    with new_folder(targets) as targets_new, new_folder(audit) as audit_new, new_folder(skipped) as skipped_new:
        counts = {}
        for video in params.shown_videos:
            film = film_labels(labels, open_frames(frames, video.video_id), params.cast, test=video.split == "test")
            _write(targets_new / f"{video.video_id}.csv", film.targets, TARGETS)
            _write(audit_new / f"{video.video_id}.csv", film.audit, AUDIT)
            write_table(skipped_new / f"{video.video_id}.csv", film.skipped, SKIPPED)
            counts[video.video_id] = film.counts
            print(_line(video.video_id, film.counts))
    for path in others:
        print(f"{path}: a second person's file, read only where files are merged and compared")
    write_json(metrics, {"videos": counts})


def film_labels(labels: Path, frames: FramePack, cast: Sequence[str], *, test: bool) -> FilmLabels:
    """Everything that the label files of one film say.

    Args:
        labels: the folder data/labels.
        frames: the film's sampled frames.
        cast: the characters.
        test: whether the film's labels measure and never train.

    Raises:
        InputError: a label file, a skip file or an audit record that is not as docs/formats.md says.
    """
    said = answers_of(label_file(labels, f"{frames.video_id}.csv"), cast, frames)
    record = read_record(label_file(labels, f"{frames.video_id}.audit.csv"), frames)
    skips = read_skips(label_file(labels, f"{frames.video_id}.skip.csv"), frames.facts["length_s"])
    weights = film_weights(frames.times_s, frames.durations_s, list(zip(skips["start_s"], skips["end_s"], strict=True)))

    blind_on_drawn = said.blind["frame"].isin(record["frame"])
    strays = said.blind[~blind_on_drawn].assign(source="manual")  # audit answers on frames that were never drawn
    free = pandas.concat([strays, said.others]).drop_duplicates(["frame", "character"])
    on_drawn = free["frame"].isin(record["frame"])
    drawn_rows = _drawn_rows(record, said.blind[blind_on_drawn], cast)
    open_rows = free if test else free[~on_drawn]
    compared = said.blind.merge(said.others, on=["frame", "character"])
    left = waiting(record, said, cast, weights)
    complete = set(record["frame"]) - set(waiting(record, said, cast, np.ones(len(frames))))
    counts = {
        "labels": _label_counts(open_rows, cast),
        "audit": {
            "characters": _answer_counts(drawn_rows, cast),
            "rounds": {
                str(number): {
                    "drawn": len(rows),
                    "answered": int(rows["frame"].isin(complete).sum()),
                    "left": int(rows["frame"].isin(left).sum()),
                }
                for number, rows in record.groupby("round")
            },
        },
        "label_noise": {
            "compared": len(compared),
            "differing": int((compared["present_x"] != compared["present_y"]).sum()),
        },
        "unused": said.unused,
        "left_out_on_drawn_frames": 0 if test else int(on_drawn.sum()),
        "skipped_s": float(frames.durations_s.sum() - weights.sum()),
    }
    reserved = record[["frame"]].assign(character="", present="", source="drawn", at="")
    return FilmLabels(
        targets=_timed(pandas.concat([open_rows, reserved]) if not test else open_rows.head(0), frames),
        audit=_timed(pandas.concat([drawn_rows, open_rows]) if test else drawn_rows, frames),
        skipped=skips,
        counts=counts,
    )


def _drawn_rows(record: pandas.DataFrame, blind: pandas.DataFrame, cast: Sequence[str]) -> pandas.DataFrame:
    """One row per drawn frame and character: the blind answer, or none yet."""
    draw = record[["frame", "round", "probability", "stratum", "design", "n_population"]]
    grid = draw.merge(pandas.DataFrame({"character": list(cast)}), how="cross")
    rows = grid.merge(blind[["frame", "character", "present", "at"]], on=["frame", "character"], how="left")
    return rows.assign(present=rows["present"].fillna(""), at=rows["at"].fillna(""), source="audit")


def _timed(rows: pandas.DataFrame, frames: FramePack) -> pandas.DataFrame:
    """The rows with the samples' own times, and empty cells for what is not known of a frame that was not drawn."""
    rows = rows.assign(time_s=frames.times_s[rows["frame"].to_numpy(np.int64)])
    for name in ("stratum", "design"):
        rows[name] = rows[name].fillna("") if name in rows else ""
    for name in ("round", "probability", "n_population"):
        rows[name] = pandas.to_numeric(rows[name]) if name in rows else np.nan
    return rows


def _write(path: Path, rows: pandas.DataFrame, table: Table) -> None:
    if len(rows):
        write_table(path, rows, table)


def _answer_counts(rows: pandas.DataFrame, cast: Sequence[str]) -> dict:
    """How many frames hold each answer, per character."""
    found = Counter(zip(rows["character"], rows["present"], strict=True))
    return {character: {name: found[character, answer] for answer, name in ANSWER_NAMES.items()} for character in cast}


def _label_counts(rows: pandas.DataFrame, cast: Sequence[str]) -> dict:
    """How many frames hold each answer, and from which sources, per character."""
    sources = Counter(zip(rows["character"], rows["source"], strict=True))
    return {
        character: answers
        | {"sources": {source: n for (name, source), n in sorted(sources.items()) if name == character}}
        for character, answers in _answer_counts(rows, cast).items()
    }


def _line(video_id: str, counts: dict) -> str:
    """One plain line on a film."""
    told = sum(one[name] for one in counts["labels"].values() for name in ANSWER_NAMES.values())
    parts = [f"{told} answers" if told else "no labels"]
    for number, one in counts["audit"]["rounds"].items():
        done = f"{one['left']} left to label, it counts when complete" if one["left"] else "complete"
        parts.append(f"audit round {number} of {one['drawn']} frames ({done})")
    if counts["unused"]:
        parts.append(f"{counts['unused']} rows unused: no sampled frame shows that moment")
    if counts["left_out_on_drawn_frames"]:
        parts.append(f"{counts['left_out_on_drawn_frames']} answers left out: made on drawn frames, but not as audit")
    if counts["label_noise"]["differing"]:
        parts.append("blind and other answers differ in {differing} of {compared}".format(**counts["label_noise"]))
    return f"{video_id}: {'; '.join(parts)}"


if __name__ == "__main__":
    command.run(label)
