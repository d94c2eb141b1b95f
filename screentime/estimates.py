"""Seconds per character with an interval that covers: the plain difference estimator. Pure functions of arrays.

Let w be the seconds a frame stands for, f its score, y the truth. Frames that a person had looked at before the audit
was drawn enter with their truth. For the rest, all scores are summed and an audit, drawn from them at random, measures
how wrong that sum is:

    seconds = sum of w y over known + sum of w f over the rest + (population / drawn) * sum of w (y - f) over drawn

This is unbiased whatever the model is: a better model only makes the interval narrower (Saerndal, Swensson, Wretman,
Model Assisted Survey Sampling, ch. 6; prediction-powered inference, Angelopoulos et al., Science 2023). f is one number
per frame, the same in both sums, and never comes from a model that saw that frame. A round may have scores of its own, made
from what was known when it was drawn: then nothing that is labelled later can touch its estimate.

The variance of a systematic draw is estimated by successive differences (Wolter, Introduction to Variance Estimation,
ch. 8), so that errors shared by neighbouring frames count as they should. As it stands it would be zero in an audit
that meets no error, and far too small where errors are few: so it is computed as if UNSEEN_ERRORS more audited frames
had been found wholly wrong, as Agresti and Coull (1998) do for a share. With 2 the interval covers at least 93 %
however few errors an audit may expect, also where they are all on one side; tests/test_estimates.py shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from screentime.tables import BASES

UNSEEN_ERRORS = 2


@dataclass(frozen=True)
class Round:
    """One complete round of an audit, for one character.

    Attributes:
        known: (n_frames,) bool, frames looked at (or drawn) before this round; it was drawn from the rest.
        drawn: (n_frames,) bool, the frames it drew, none of them known.
        scores: (n_frames,) float64 in [0, 1], its own f, made from nothing but what was known when it was drawn; None: it
            uses those of all rounds.
    """

    known: np.ndarray
    drawn: np.ndarray
    scores: np.ndarray | None = None

    def f(self, scores: np.ndarray) -> np.ndarray:
        """The scores that this round measures: its own, else those given."""
        return scores if self.scores is None else self.scores


@dataclass(frozen=True)
class ScreenTime:
    """The screen time of one character, in seconds.

    Attributes:
        seconds: the best estimate, within what is possible.
        low, high: the 95 % interval, None where nothing measured the error.
        basis: what the interval rests on: labels, audit, model or count (nothing).
        middle: the estimate before it was held within what is possible: this is what adds up without bias.
        lowest, highest: `middle` if every `?` were absent, present.
        below, above: half-widths of the intervals around `lowest` and `highest`.
        floor, ceiling: the least and the most that the answers of people leave possible.
    """

    seconds: float
    low: float | None
    high: float | None
    basis: str
    middle: float
    lowest: float
    highest: float
    below: float
    above: float
    floor: float
    ceiling: float


def film_weights(times_s: np.ndarray, durations_s: np.ndarray, skipped: Sequence[tuple[float, float]]) -> np.ndarray:
    """The seconds of film that each frame stands for: its duration without what lies in skipped ranges.

    Args:
        times_s: (n_frames,) float64, seconds, increasing.
        durations_s: (n_frames,) float64, seconds, > 0.
        skipped: ranges [start_s, end_s) that are not part of the film; they may overlap.

    Returns:
        (n_frames,) float64, seconds, >= 0; their sum is the length of the film without the ranges.

    >>> film_weights(np.array([0.0, 1.0, 2.0]), np.ones(3), [(0.5, 2.0)])
    array([0.5, 0. , 1. ])
    """
    starts, ends = np.asarray(times_s, float), np.asarray(times_s, float) + durations_s
    weights = np.asarray(durations_s, float).copy()
    reached = -np.inf
    for start_s, end_s in sorted(skipped):
        start_s = max(start_s, reached)
        if end_s > start_s:
            weights -= np.clip(np.minimum(ends, end_s) - np.maximum(starts, start_s), 0, None)
            reached = end_s
    weights[weights < 1e-6] = 0.0
    return weights


def looked_before(looked: np.ndarray, at: Sequence[str], n_before: int) -> np.ndarray | None:
    """Which of the frames that were looked at had been looked at before a draw that found `n_before` of them.

    Args:
        looked: (n_frames,) bool, a person has looked at that very frame by now.
        at: (n_frames,) str, when that was first said (UTC, ISO 8601), "" where it is not known.
        n_before: how many had been looked at when the round was drawn.

    Returns:
        (n_frames,) bool: all of them, or the earliest `n_before`; None where it cannot be told.

    >>> looked_before(np.array([True, True, False]), ["2026-11-22T10:00:00Z", "2026-11-21T10:00:00Z", ""], 1)
    array([False,  True, False])
    """
    if n_before == 0:
        return np.zeros(len(looked), bool)
    if looked.sum() == n_before:
        return looked.copy()
    places = np.flatnonzero(looked)
    said = [at[place] for place in places]
    if n_before < 0 or len(places) < n_before or "" in said:
        return None
    order = sorted(range(len(places)), key=said.__getitem__)
    if said[order[n_before - 1]] == said[order[n_before]]:
        return None
    before = np.zeros(len(looked), bool)
    before[places[order[:n_before]]] = True
    return before


def correction(
    weights: np.ndarray, scores: np.ndarray, truth: np.ndarray, rounds: Sequence[Round]
) -> tuple[float, float]:
    """What an audit adds to the sum of scores: the seconds that the scores miss, and how sure that is.

    Args:
        weights: (n_frames,) float64, seconds, >= 0.
        scores: (n_frames,) float64 in [0, 1], the f of the module's text, for rounds that have none of their own.
        truth: (n_frames,) float64 in [0, 1]; read at drawn frames only; NaN where nobody could tell: taken to be as scored.
        rounds: one or more complete rounds.

    Returns:
        The estimate of the sum of w (y - f) over the frames that were not known, in seconds, and the half-width of
        its 95 % interval. Rounds are weighted by their size alone, never by what they found; as each is unbiased given
        the ones before it, their variances add.
    """
    seconds = variance = 0.0
    spreads = error_spreads(weights, scores, truth, rounds)
    for share, spread, one in zip(round_shares(weights, rounds), spreads, rounds, strict=True):
        population, drawn = int((~one.known).sum()), int(one.drawn.sum())
        errors = weights[one.drawn] * (truth[one.drawn] - one.f(scores)[one.drawn])
        seconds += share * population / drawn * np.nansum(errors)
        variance += share**2 * population**2 * (1 - drawn / population) * spread / drawn
    freedom = sum(max(int(one.drawn.sum()) - 1, 0) for one in rounds)
    half = float(stdtrit(freedom, 0.975)) * float(np.sqrt(variance)) if variance > 0 and freedom > 0 else 0.0
    if variance > 0 and freedom == 0:
        half = float(weights.sum())  # a single drawn frame says nothing about how frames differ
    return float(seconds), half


def error_spreads(weights: np.ndarray, scores: np.ndarray, truth: np.ndarray, rounds: Sequence[Round]) -> np.ndarray:
    """How much the error w (y - f) of a frame varies, for each round: by successive differences in time.

    Rounds that measure the same scores do so together, so that a second round makes the first one's interval surer too. A
    round with scores of its own is by itself; of the UNSEEN_ERRORS each has its part.

    Args: as `correction`; a drawn frame whose truth is NaN is left out.

    Returns:
        (n_rounds,) float64, variances, seconds squared.
    """
    squares, freedom, unseen = (np.zeros(len(rounds)) for _ in range(3))
    counted = np.zeros(len(weights), bool)
    for place, one in enumerate(rounds):
        told = one.drawn & ~np.isnan(truth)
        errors = weights[told] * (truth[told] - one.f(scores)[told])
        squares[place] = (np.diff(errors) ** 2).sum() / 2
        freedom[place] = max(len(errors) - 1, 0)
        unseen[place] = one.drawn.sum()
        counted |= ~one.known & (weights > 0)
    unseen *= UNSEEN_ERRORS / max(unseen.sum(), 1)
    wholly_wrong = float(weights[counted].mean()) ** 2 if counted.any() else 0.0
    shared = np.array([one.scores is None for one in rounds], bool)
    for sums in (squares, freedom, unseen):
        sums[shared] = sums[shared].sum()
    return (squares + unseen * wholly_wrong) / (freedom + unseen)


def difference_estimate(
    weights: np.ndarray, scores: np.ndarray, truth: np.ndarray, rounds: Sequence[Round]
) -> tuple[float, float]:
    """The difference estimator of the module's text: seconds, and the half-width of the 95 % interval.

    Args: as `correction`; truth is read at known and drawn frames, NaN in either taken to be as scored.

    >>> known, drawn = np.array([True, False, False]), np.array([False, True, True])
    >>> difference_estimate(np.ones(3), np.array([0.9, 0.2, 0.8]), np.array([0.0, 1.0, 1.0]), [Round(known, drawn)])
    (2.0, 0.0)
    """
    told = ~np.isnan(truth)
    summed = [float((weights * np.where(one.known & told, truth, one.f(scores))).sum()) for one in rounds]
    added, half = correction(weights, scores, truth, rounds)
    return float(np.dot(round_shares(weights, rounds), summed)) + added, half


def screen_time(
    weights: np.ndarray, scores: np.ndarray, answers: np.ndarray, looked: np.ndarray, rounds: Sequence[Round]
) -> ScreenTime:
    """The screen time of one character in one film.

    Args:
        weights: (n_frames,) float64, seconds, >= 0.
        scores: (n_frames,) float64 in [0, 1]: of frames that trained, the score made out of fold.
        answers: (n_frames,) float64, 1 or 0 where a person looked and could tell, else NaN.
        looked: (n_frames,) bool, a person looked (`?` included).
        rounds: the complete audit rounds, empty where there is none.

    Returns:
        By labels where every frame was looked at, else by audit where there is a round, else the plain sum of answers
        and scores with nothing to say how wrong it is. A `?` in an audit or among the known frames, or a known frame
        without an answer for this character, widens the interval to both extremes.

    >>> answers = np.array([1.0, 0.0, np.nan])
    >>> screen_time(np.ones(3), np.array([0.8, 0.1, 0.25]), answers, ~np.isnan(answers), []).seconds
    1.25
    """
    told = ~np.isnan(answers)
    floor = float(weights[answers == 1].sum())
    ceiling = float(weights.sum() - weights[answers == 0].sum())
    middle = float((weights * np.where(told, answers, scores)).sum())
    if looked[weights > 0].all():
        return _within(middle, (floor, 0.0), (ceiling, 0.0), "labels", floor, ceiling)
    if not rounds:
        return _within(middle, (middle, 0.0), (middle, 0.0), "count", floor, ceiling)
    middle, half = difference_estimate(weights, scores, answers, rounds)
    lower = difference_estimate(weights, scores, np.where(told, answers, 0.0), rounds)
    upper = difference_estimate(weights, scores, np.where(told, answers, 1.0), rounds)
    lower = (lower[0], max(lower[1], half + lower[0] - middle))  # never above the interval around the middle
    upper = (upper[0], max(upper[1], half + middle - upper[0]))
    return _within(middle, lower, upper, "audit", floor, ceiling)


def total(parts: Sequence[ScreenTime]) -> ScreenTime:
    """The screen time over several films: estimates and what `?` leaves open add, chance adds by squares.

    It is the sum of the unbiased estimates, held within what is possible only at the end: where a film's own figure had
    to be raised to 0, the total is less than the sum of the figures shown, and nearer the truth.
    """
    basis = max((part.basis for part in parts), key=BASES.index)
    below = float(np.sqrt(sum(part.below**2 for part in parts)))
    above = float(np.sqrt(sum(part.above**2 for part in parts)))
    return _within(
        sum(part.middle for part in parts),
        (sum(part.lowest for part in parts), below),
        (sum(part.highest for part in parts), above),
        basis,
        sum(part.floor for part in parts),
        sum(part.ceiling for part in parts),
    )


def _within(
    middle: float, lower: tuple[float, float], upper: tuple[float, float], basis: str, floor: float, ceiling: float
) -> ScreenTime:
    """The estimate and its interval held within what is possible."""

    def held(value: float) -> float:
        return min(max(value, floor), ceiling)

    counted = basis == "count"
    return ScreenTime(
        seconds=held(middle),
        low=None if counted else held(lower[0] - lower[1]),
        high=None if counted else held(upper[0] + upper[1]),
        basis=basis,
        middle=middle,
        lowest=lower[0],
        highest=upper[0],
        below=lower[1],
        above=upper[1],
        floor=floor,
        ceiling=ceiling,
    )


def round_shares(weights: np.ndarray, rounds: Sequence[Round]) -> np.ndarray:
    """What each round counts, (n_rounds,) float64, sum 1: the inverse of the variance that may be expected of it.

    That of its size; where every round has scores of its own also of how often they expect to be wrong, as the mean of
    f (1 - f) over what it was drawn from, with UNSEEN_ERRORS. Answers of an audit have no part in it.
    """
    populations = np.array([(~one.known).sum() for one in rounds], float)
    drawn = np.array([one.drawn.sum() for one in rounds], float)
    whole = drawn == populations
    if whole.any():  # everything that was left has been looked at: nothing is left to chance
        return np.eye(len(rounds))[np.flatnonzero(whole)[-1]]
    inverse = drawn / (populations * (populations - drawn)) / expected_spreads(weights, rounds)
    return inverse / inverse.sum()


def expected_spreads(weights: np.ndarray, rounds: Sequence[Round]) -> np.ndarray:
    """How much the error of a frame is expected to vary in each round, (n_rounds,) float64; alike where some share scores."""
    if any(one.scores is None for one in rounds):
        return np.ones(len(rounds))
    unseen = UNSEEN_ERRORS / sum(one.drawn.sum() for one in rounds)
    return np.array([(one.scores * (1 - one.scores))[~one.known & (weights > 0)].mean() + unseen for one in rounds])
