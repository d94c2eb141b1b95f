"""How good scores and answers are, in frames: pure functions of truth and score.

Names follow scikit-learn, and the tests compare with it; importing it costs a second of CPU, these sums cost nothing.
Truth is 1 (visible), 0 (not visible) or NaN (nobody knows): a cell that nobody knows is left out everywhere. A figure
that the cells cannot tell (the precision of no positives, say) is NaN, and macro averages leave it out.
"""

from collections.abc import Iterable

import numpy as np
from scipy.special import ndtri


def accuracy(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The share of frames whose prediction is the truth.

    Args:
        truth: (n_frames,) float64, 1, 0 or NaN (left out).
        predicted: (n_frames,) bool.
        weights: (n_frames,) float64, >= 0, what each frame counts; None counts every frame once.

    Returns:
        In [0, 1]; NaN where no truth is known.

    >>> accuracy(np.array([1, 0, 0, np.nan]), np.array([True, False, True, True]))
    0.6666666666666666
    """
    truth, predicted, weights = _known(truth, predicted, weights)
    return _ratio(weights[truth == predicted].sum(), weights.sum())


def commoner_accuracy(truth: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The accuracy of always guessing the commoner value: what an accuracy has to beat, in [0.5, 1].

    >>> commoner_accuracy(np.array([1, 0, 0, 0, np.nan]))
    0.75
    """
    truth, _, weights = _known(truth, truth, weights)
    present = _ratio(weights[truth == 1].sum(), weights.sum())
    return max(present, 1 - present)


def f1(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The harmonic mean of precision and recall, 2 hits / (2 hits + false alarms + misses), in [0, 1].

    NaN where the character is neither present nor predicted in any frame.

    >>> f1(np.array([1, 1, 0, 0]), np.array([True, False, True, False]))
    0.5
    """
    truth, predicted, weights = _known(truth, predicted, weights)
    hits = weights[(truth == 1) & (predicted == 1)].sum()
    errors = weights[truth != predicted].sum()
    return _ratio(2 * hits, 2 * hits + errors)


def precision_recall(
    truth: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision and recall at every threshold that the scores offer, the highest first; equal scores fall together.

    Args:
        truth: (n_frames,) float64, 1, 0 or NaN (left out).
        scores: (n_frames,) float64.
        weights: (n_frames,) float64, >= 0; None counts every frame once.

    Returns:
        thresholds, precision, recall: (n_thresholds,) float64 each; thresholds fall, recall rises to 1. All empty where
        the character is present in no frame.

    >>> precision_recall(np.array([1, 0, 1]), np.array([0.9, 0.5, 0.5]))[1].round(3)
    array([1.   , 0.667])
    """
    truth, scores, weights = _known(truth, scores, weights)
    counted = weights > 0
    truth, scores, weights = truth[counted], scores[counted], weights[counted]
    if not (truth == 1).any():
        return np.empty(0), np.empty(0), np.empty(0)
    order = np.argsort(-scores, kind="stable")
    truth, scores, weights = truth[order], scores[order], weights[order]
    last_of_equals = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(weights * truth)[last_of_equals]
    taken = np.cumsum(weights)[last_of_equals]
    return scores[last_of_equals], hits / taken, hits / hits[-1]


def average_precision(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The mean precision over the ranks of the positives: sum of (R_n - R_(n-1)) P_n, not interpolated.

    Returns:
        In (0, 1], 1 where every present frame scores above every absent one; NaN where the character is never present.

    >>> round(average_precision(np.array([1, 0, 1]), np.array([0.9, 0.8, 0.7])), 6)
    0.833333
    """
    _, precision, recall = precision_recall(truth, scores, weights)
    if len(recall) == 0:
        return float("nan")
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def calibration(
    truth: np.ndarray, scores: np.ndarray, bins: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often the character is present where the score is about so much: the reliability curve.

    Args:
        truth: (n_frames,) float64, 1, 0 or NaN (left out).
        scores: (n_frames,) float64 in [0, 1].
        bins: number of bins of equal width; a score of 1 falls into the last.
        weights: (n_frames,) float64, >= 0; None counts every frame once.

    Returns:
        mean score, share of frames present, number of frames: (n,) each, one entry per bin that holds a frame.

    >>> calibration(np.array([0, 1, 1]), np.array([0.2, 0.4, 0.9]), bins=2)[1]
    array([0.5, 1. ])
    """
    truth, scores, weights = _known(truth, scores, weights)
    bin_of = np.minimum((scores * bins).astype(int), bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    total = np.bincount(bin_of, weights, minlength=bins)
    held = total > 0
    mean_score = np.bincount(bin_of, weights * scores, minlength=bins)[held] / total[held]
    share = np.bincount(bin_of, weights * truth, minlength=bins)[held] / total[held]
    return mean_score, share, count[held]


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share counted over n independent frames (Wilson 1927), within [0, 1].

    >>> tuple(round(end, 3) for end in wilson(0.9, 80))
    (0.815, 0.948)
    """
    if n == 0:
        return 0.0, 1.0
    z = float(ndtri(0.975))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def macro(values: Iterable[float]) -> float:
    """The mean over characters of those figures that are known; NaN where none is.

    >>> macro([0.5, 1.0, float("nan")])
    0.75
    """
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _known(
    truth: np.ndarray, other: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, the other array and the weights of the frames whose truth is known, as float64."""
    truth = np.asarray(truth, dtype=np.float64)
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    known = ~np.isnan(truth)
    return truth[known], np.asarray(other, dtype=np.float64)[known], weights[known]


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
