"""The figures of a film, from its ledger: a row of screen_time.csv, the timeline, the list of appearances."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas

from screentime import two_states
from screentime.estimates import ScreenTime, screen_time, total
from screentime.ledger import Ledger
from screentime.sections import Estimate
from screentime.tables import ALL_VIDEOS, APPEARANCES, SCREEN_TIME
from screentime.timeline import appearances


@dataclass(frozen=True)
class Figures:
    """One row of screen_time.csv before it is rounded: a character in one film, or in all of them."""

    video_id: str
    character: str
    time: ScreenTime
    length_s: float
    counted_s: float
    n_labelled: int
    n_audit: int


def figures_of(ledger: Ledger, cast: Sequence[str], params: Estimate) -> list[Figures]:
    """Every character in one film, in the order of the cast."""
    return [_figures_of(ledger, number, name, params) for number, name in enumerate(cast)]


def _figures_of(ledger: Ledger, number: int, name: str, params: Estimate) -> Figures:
    """One character in one film."""
    looked = ledger.looked[:, number]
    return Figures(
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


def totals_of(rows: Sequence[Figures], cast: Sequence[str]) -> list[Figures]:
    """Every character in all films, in the order of the cast; none where there is no film."""
    return [_total_of(name, [row for row in rows if row.character == name]) for name in cast if rows]


def _total_of(name: str, parts: Sequence[Figures]) -> Figures:
    """One character in all films."""
    return Figures(
        video_id=ALL_VIDEOS,
        character=name,
        time=total([row.time for row in parts]),
        length_s=sum(row.length_s for row in parts),
        counted_s=sum(row.counted_s for row in parts),
        n_labelled=sum(row.n_labelled for row in parts),
        n_audit=sum(row.n_audit for row in parts),
    )


def screen_time_table(rows: Sequence[Figures]) -> pandas.DataFrame:
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


def timeline_table(ledger: Ledger, cast: Sequence[str]) -> pandas.DataFrame:
    """The scores of every sampled frame."""
    times = {"time_s": ledger.times_s, "duration_s": ledger.durations_s}
    return pandas.DataFrame(times | {name: ledger.model_scores[:, number] for number, name in enumerate(cast)})


def appearances_table(ledger: Ledger, cast: Sequence[str], params: Estimate) -> pandas.DataFrame:
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
