"""Stage estimate: seconds per character with an interval, the timeline of scores, and the list of appearances."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas

from screentime import command, two_states
from screentime.estimates import ScreenTime, screen_time, total
from screentime.files import new_folder, write_json
from screentime.ledger import Ledger, open_ledgers
from screentime.params import Estimate, Params
from screentime.tables import APPEARANCES, SCREEN_TIME, TIMELINE, write_table
from screentime.timeline import appearances

ALL_VIDEOS = "*"
THIN = 5  # present (or absent) audited frames below which the interval is wide for that reason alone: said, not hidden


@dataclass(frozen=True)
class Row:
    """One row of screen_time.csv before it is rounded: a character in one film, or in all of them."""

    video_id: str
    character: str
    time: ScreenTime
    length_s: float
    counted_s: float
    n_labelled: int
    n_audit: int


def estimate(
    *,
    frames: Path,
    scores: Path,
    targets: Path,
    audit: Path,
    skipped: Path,
    models: Path,
    estimates: Path,
    metrics: Path,
    params: Params,
) -> None:
    """Write screen_time.csv, and per film timeline.csv and appearances.csv, into the folder estimates.

    The seconds are the difference estimator's (screentime.estimates): answers of people where they looked before the
    audit was drawn, scores elsewhere, and the audit's correction. metrics holds seconds, interval and its width.
    """
    rows: list[Row] = []
    with new_folder(estimates) as folder:
        for ledger in open_ledgers(
            [video.video_id for video in params.shown_videos], params.cast, frames=frames, scores=scores,
            targets=targets, audit=audit, skipped=skipped, models=models,
        ):  # fmt: skip
            of_film = [_row(ledger, number, name, params.estimate) for number, name in enumerate(params.cast)]
            rows += of_film
            write_table(
                folder / ledger.video_id / "timeline.csv", _timeline(ledger, params.cast), TIMELINE, params.cast
            )
            found = _appearances(ledger, params.cast, params.estimate)
            write_table(folder / ledger.video_id / "appearances.csv", found, APPEARANCES)
            for line in _lines(ledger, of_film):
                print(line)
        rows += [_total(name, [row for row in rows if row.character == name]) for name in params.cast if rows]
        write_table(folder / "screen_time.csv", _table(rows), SCREEN_TIME)
    write_json(metrics, _metrics(rows))


def _row(ledger: Ledger, number: int, name: str, params: Estimate) -> Row:
    """One character in one film."""
    looked = ledger.looked[:, number]
    return Row(
        video_id=ledger.video_id,
        character=name,
        time=screen_time(
            ledger.weights_s, ledger.scores[:, number], ledger.answers[:, number], looked, ledger.rounds[number]
        ),
        length_s=ledger.length_s,
        counted_s=float(ledger.weights_s[ledger.model_scores[:, number] >= params.threshold].sum()),
        n_labelled=int((looked & ~ledger.drawn).sum()),
        n_audit=int((looked & ledger.audited(number)).sum()),
    )


def _total(name: str, parts: Sequence[Row]) -> Row:
    """One character in all films."""
    return Row(
        video_id=ALL_VIDEOS,
        character=name,
        time=total([row.time for row in parts]),
        length_s=sum(row.length_s for row in parts),
        counted_s=sum(row.counted_s for row in parts),
        n_labelled=sum(row.n_labelled for row in parts),
        n_audit=sum(row.n_audit for row in parts),
    )


def _table(rows: Sequence[Row]) -> pandas.DataFrame:
    """The rows as screen_time.csv has them."""
    return pandas.DataFrame(
        [
            (
                row.video_id,
                row.character,
                row.time.seconds,
                row.time.low,
                row.time.high,
                row.time.seconds / row.length_s if row.length_s > 0 else 0.0,
                row.counted_s,
                row.time.basis,
                row.n_labelled,
                row.n_audit,
            )
            for row in rows
        ],
        columns=[column.name for column in SCREEN_TIME.columns],
    )


def _metrics(rows: Sequence[Row]) -> dict:
    """Seconds, interval and its width, per film and character and in total."""
    videos: dict[str, dict] = {}
    for row in rows:
        time = row.time
        width = None if time.low is None else time.high - time.low
        figures = {"seconds": time.seconds, "low": time.low, "high": time.high, "width": width, "basis": time.basis}
        videos.setdefault(row.video_id, {})[row.character] = figures
    return {"total": videos.pop(ALL_VIDEOS, {}), "videos": videos}


def _timeline(ledger: Ledger, cast: Sequence[str]) -> pandas.DataFrame:
    """The scores of every sampled frame."""
    times = {"time_s": ledger.times_s, "duration_s": ledger.durations_s}
    return pandas.DataFrame(times | {name: ledger.model_scores[:, number] for number, name in enumerate(cast)})


def _appearances(ledger: Ledger, cast: Sequence[str], params: Estimate) -> pandas.DataFrame:
    """The stretches in which each character is taken to be visible; what a person said stands."""
    rows = []
    for number, name in enumerate(cast):
        scores = ledger.model_scores[:, number]
        present = _present(ledger, number, params)
        for start_s, end_s, score in appearances(present, ledger.times_s, ledger.durations_s, scores):
            if end_s - start_s >= params.shortest_s - 1e-6:
                rows.append((name, start_s, end_s, score))
    return pandas.DataFrame(rows, columns=[column.name for column in APPEARANCES.columns])


def _present(ledger: Ledger, number: int, params: Estimate) -> np.ndarray:
    """The frames in which a character is taken to be visible, (n_frames,) bool; none in a skipped range."""
    in_film = ledger.weights_s > 0
    answers, scores = ledger.answers[:, number], ledger.model_scores[:, number]
    if params.appearances == "threshold":
        present = np.where(np.isnan(answers), scores >= params.threshold, answers == 1) & in_film
        return bridged(present, ledger.durations_s, in_film & (answers != 0), params.bridge_s)
    present = np.zeros(len(in_film), bool)
    present[in_film] = two_states.present(
        scores[in_film], answers[in_film], ledger.times_s[in_film], ledger.weights_s[in_film], params.appearance_s
    )
    return present


def bridged(present: np.ndarray, durations_s: np.ndarray, may: np.ndarray, bridge_s: float) -> np.ndarray:
    """Presence with short gaps closed.

    Args:
        present: (n_frames,) bool, in order of time.
        durations_s: (n_frames,) float64, seconds each frame stands for.
        may: (n_frames,) bool, the frames that may be taken as present; a gap that holds another stays.
        bridge_s: the longest gap that is closed, seconds.

    Returns:
        (n_frames,) bool.

    >>> bridged(np.array([True, False, True, False, False, True]), np.ones(6), np.ones(6, bool), bridge_s=1).tolist()
    [True, True, True, False, False, True]
    """
    closed = present.copy()
    places = np.flatnonzero(present)
    for before, after in pairwise(places):
        gap = slice(before + 1, after)
        if durations_s[gap].sum() <= bridge_s + 1e-6 and may[gap].all():
            closed[gap] = True
    return closed


def _lines(ledger: Ledger, rows: Sequence[Row]) -> list[str]:
    """What to know about a film's seconds, and the next step."""
    lines = list(ledger.notes)
    thin = []
    for number, row in enumerate(rows):
        if row.time.basis == "audit":
            told = ledger.answers[ledger.audited(number), number]
            present, absent = int((told == 1).sum()), int((told == 0).sum())
            if min(present, absent) < THIN:
                thin.append(f"{row.character} (present in {present}, absent in {absent})")
    if thin:
        lines.append(
            f"{ledger.video_id}: the audit met few frames of one kind, the interval is wide or one-sided for: "
            f"{', '.join(thin)}"
        )
    unmeasured = [row.character for row in rows if row.time.basis == "count"]
    if unmeasured:
        lines.append(
            f"{ledger.video_id}: not audited, so nothing says how wrong the seconds are, for {', '.join(unmeasured)}; "
            f"next: `python -m screentime audit draw {ledger.video_id} --n 80`"
        )
    return lines or [f"{ledger.video_id}: seconds of {len(rows)} characters over {ledger.length_s:.1f} s of film"]


if __name__ == "__main__":
    command.run(estimate)
