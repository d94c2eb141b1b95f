"""The light head: one linear classifier per character on a frozen backbone's features, fitted while a person labels.

It says which frames are worth a look next and what is probably in them; the figures of the report are the network's.

Each character is fitted by least squares to +1 present and -1 absent with a penalty on the weights (ridge regression, or
the least-squares support vector machine of Suykens and Vandewalle, 1999). Logistic regression on the same features has
the same average precision on three films (within .003); but this is solved at once instead of searched for, and gives
exactly what a fit without some frames would have said of them, from one inverse (Allen's PRESS statistic, 1974, for
blocks). A line per character turns these out-of-fold logits into probabilities (screentime.calibration).

Frames a few seconds apart often show the same characters, whatever a backbone makes of the pictures: so nearness in time
counts as likeness too (a kernel beside that of the features, as in Gaussian process regression). On a film of 1,338
frames, where five of six are labelled, the squared error on the others falls from .024 to .014; where 60 are, by nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from screentime import calibration

PENALTY = 0.3  # on squared weights, of features whose two halves have length 1 each
FREE = 100.0  # the bias is a feature of this squared length: as good as without a penalty
BLOCK_S = 10.0  # seconds; frames of one block of time are left out together
GUARD_S = 3.0  # seconds around them whose frames are left out as well
NEARNESS = 0.5  # of two frames of one moment; two halves of features with length 1 each have a likeness of 2
NEAR_S = 4.0  # seconds in which nearness falls by e
N_PARTS = 5  # a frame's out-of-fold score is calibrated on the other parts
CALIBRATED_FROM = 3  # present and absent frames: a line through fewer is chance
UNCALIBRATED_SCALE = 2.0  # until then a frame at the target, +1, has a score of .88


@dataclass(frozen=True)
class LightHead:
    """What was learned: `logits = features @ weights + bias + nearness @ shares`, then a line per character to scores.

    Attributes:
        weights: (n_features, n_characters) float32; a column of NaN for a character that has not both answers yet.
        bias: (n_characters,) float64.
        shares: of each video with labelled frames, their times (n,) float64 in seconds, and (n, n_characters) float64
            what each adds to the logit of a frame of that very moment.
        scale, offset: (n_characters,) float64, the calibration, of scores far from labelled frames.
        near: the same, of scores among labelled frames.
        calibrated: (n_characters,) bool: whether these lines were fitted; else too few frames are labelled for one.
        held_out: (n_frames, n_characters) float64 in [0, 1]: of each labelled frame the score by a head, and a
            calibration, that saw neither it nor its neighbourhood; NaN where too little is left to learn from. None
            where `fit` was not told videos and times.
        one_out: the same by a head that did not see that very frame, but all others: what the frame's score would be had
            nobody labelled it. An estimate takes this one for a frame that trained, so that it is like the scores of
            the frames that did not.
    """

    weights: np.ndarray
    bias: np.ndarray
    shares: Mapping[str, tuple[np.ndarray, np.ndarray]]
    scale: np.ndarray
    offset: np.ndarray
    near: tuple[np.ndarray, np.ndarray]
    calibrated: np.ndarray
    held_out: np.ndarray | None = field(default=None, repr=False)
    one_out: np.ndarray | None = field(default=None, repr=False)

    def scores(
        self, features: np.ndarray, video_id: str = "", times_s: np.ndarray | None = None, *, near: bool = False
    ) -> np.ndarray:
        """The score of every frame and character.

        Args:
            features: (n_frames, n_features) float.
            video_id, times_s: the frames' video, and (n_frames,) float64 their seconds; needed where `fit` was told them.
            near: the frames lie among labelled ones, and their scores are to measure with, as `one_out`; else they are to
                be relied on wherever frames lie.

        Returns:
            (n_frames, n_characters) float32 in [0, 1]; a column of NaN where a character has not both answers yet.
        """
        logits = features.astype(np.float32) @ self.weights + self.bias
        if video_id in self.shares and times_s is not None:
            there_s, shares = self.shares[video_id]
            logits = logits + _nearness(times_s, there_s) @ shares
        return calibration.apply(logits, *(self.near if near else (self.scale, self.offset))).astype(np.float32)


def fit(
    features: np.ndarray,
    targets: np.ndarray,
    *,
    video_ids: Sequence[str] | None = None,
    times_s: np.ndarray | None = None,
) -> LightHead:
    """Fit the head on labelled frames.

    Args:
        features: (n_frames, n_features) float, as the stage embed writes them: means, then maxima.
        targets: (n_frames, n_characters) float64, 1 present, 0 absent, NaN unknown.
        video_ids, times_s: (n_frames,) the video and the seconds of each frame. Given, the scores are calibrated on
            out-of-fold logits and the head has `held_out`; else its scores are right in order only.

    >>> frames = np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]])
    >>> head = fit(frames, np.array([[1.0, np.nan], [1.0, 1.0], [0.0, 1.0], [0.0, np.nan]]))
    >>> head.scores(np.array([[0.0, 1.1], [1.1, 0.0]])).round().tolist()
    [[1.0, nan], [0.0, nan]]
    """
    n_features, n_characters = features.shape[1], targets.shape[1]
    weights = np.full((n_features, n_characters), np.nan, np.float32)
    bias, logits = np.full(n_characters, np.nan), np.full(targets.shape, np.nan)
    near_logits = logits.copy()
    scale, offset = np.full(n_characters, UNCALIBRATED_SCALE), np.zeros(n_characters)
    near = scale.copy(), offset.copy()
    blocks = None if video_ids is None or times_s is None else _blocks(video_ids, times_s)
    centre, unit, frames = _standardised(features)
    likeness = frames @ frames.T + FREE
    shares = {}
    if blocks is not None:
        video_ids, times_s = np.asarray(video_ids), np.asarray(times_s, np.float64)
        for video_id in sorted(set(video_ids.tolist())):
            here = np.flatnonzero(video_ids == video_id)
            likeness[np.ix_(here, here)] += _nearness(times_s[here], times_s[here])
            shares[video_id] = times_s[here], np.zeros((len(here), n_characters))
    inverse = _inverse(likeness)
    for columns, unknown in _alike(targets):
        signs = np.where(unknown[:, None], 0.0, 2 * targets[:, columns] - 1)
        found = _Solution(inverse, signs, unknown)
        scaled = frames.T @ found.shares.astype(np.float32) / unit[:, None]
        weights[:, columns] = scaled
        bias[columns] = FREE * found.shares.sum(axis=0) - centre @ scaled
        if blocks is None:
            continue
        for video_id, (_, of_video) in shares.items():
            of_video[:, columns] = found.shares[video_ids == video_id]
        near_logits[:, columns] = found.without_each()
        for rows, around in blocks:
            logits[np.ix_(rows, columns)] = found.without(around)[np.searchsorted(around, rows)]
    if blocks is None:
        return LightHead(weights, bias, shares, scale, offset, near, np.zeros(n_characters, bool))
    known = np.where(np.isnan(logits), np.nan, targets)
    enough = np.minimum((known == 1).sum(axis=0), (known == 0).sum(axis=0)) >= CALIBRATED_FROM
    held_out = expit(UNCALIBRATED_SCALE * logits)
    if enough.any():
        scale[enough], offset[enough] = calibration.fit(logits[:, enough], known[:, enough])
        near[0][enough], near[1][enough] = calibration.fit(near_logits[:, enough], known[:, enough])
        parts = [rows for rows in _parts(blocks, len(targets)) if len(rows)]
        held_out[:, enough] = calibration.cross_fitted_scores(logits[:, enough], known[:, enough], parts)
    one_out = calibration.apply(near_logits, *near)
    return LightHead(weights, bias, shares, scale, offset, near, enough, held_out, one_out)


def out_of_fold(features: np.ndarray, targets: np.ndarray, video_ids: Sequence[str], times_s: np.ndarray) -> np.ndarray:
    """`fit(...).held_out`: the score of every labelled frame by a head that did not see its neighbourhood.

    Left out with a frame are its block of BLOCK_S seconds and GUARD_S around, as in screentime.splits; but each block by
    itself, as that costs no fit.
    """
    return fit(features, targets, video_ids=video_ids, times_s=times_s).held_out


def _standardised(features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centre and unit of each feature, and the frames so standardised; means and maxima as wholes get length 1.

    Dividing each feature by its own spread is no better, and blows up those that hardly vary.
    """
    features = features.astype(np.float32)
    unit = np.ones(features.shape[1], np.float32)
    if not len(features):
        return np.zeros_like(unit), unit, features
    centre = features.mean(axis=0)
    frames = features - centre
    half = features.shape[1] // 2
    for part in (slice(0, half), slice(half, None)):
        unit[part] = max(float(np.sqrt((frames[:, part] ** 2).sum(axis=1).mean())), 1e-6)
    return centre, unit, frames / unit


def _nearness(times_s: np.ndarray, others_s: np.ndarray) -> np.ndarray:
    """How near moments of one video are, (n, n_others) float32 in [0, NEARNESS]."""
    apart_s = np.abs(np.asarray(times_s, np.float64)[:, None] - others_s[None])
    return (NEARNESS * np.exp(-apart_s / NEAR_S)).astype(np.float32)


def _alike(targets: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Characters that are unknown in the same frames: their columns, and these frames as (n_frames,) bool.

    Characters that have not both answers yet are left out.
    """
    unknown = np.isnan(targets)
    groups: dict[bytes, list[int]] = {}
    for column in np.flatnonzero((targets == 1).any(axis=0) & (targets == 0).any(axis=0)):
        groups.setdefault(unknown[:, column].tobytes(), []).append(int(column))
    for columns in groups.values():
        yield np.array(columns), unknown[:, columns[0]]


def _inverse(products: np.ndarray) -> np.ndarray:
    """The inverse of the penalized products of frames, (n_frames, n_frames) float64."""
    penalized = products.astype(np.float64)
    penalized[np.diag_indices_from(penalized)] += PENALTY
    factor = cho_factor(penalized, lower=True, overwrite_a=True, check_finite=False)
    return cho_solve(factor, np.eye(len(penalized)), overwrite_b=True, check_finite=False)


class _Solution:
    """The fit of characters that are unknown in the same frames, from the inverse for all frames.

    Leaving frames out of a fit, the unknown ones or a block, takes the inverse of their own few rows and columns only.
    """

    def __init__(self, inverse: np.ndarray, signs: np.ndarray, unknown: np.ndarray) -> None:
        self._inverse, self._signs = inverse, signs
        gone = np.flatnonzero(unknown)
        self._to_gone = inverse[:, gone]
        self._from_gone = np.linalg.solve(inverse[np.ix_(gone, gone)], inverse[gone])
        shares = inverse @ signs
        self.shares = shares - self._to_gone @ np.linalg.solve(inverse[np.ix_(gone, gone)], shares[gone])
        self.shares[gone] = 0.0  # (n_frames, n_characters) float64: weights = frames.T @ shares

    def without(self, out: np.ndarray) -> np.ndarray:
        """Logits (len(out), n_characters) of frames by a fit without them; NaN where that fit lacks one of the answers.

        A frame whose answer is unknown has no logit either.
        """
        logits = np.full((len(out), self._signs.shape[1]), np.nan)
        known = self._signs[out, 0] != 0
        out = out[known]
        signs = self._signs[out]
        rest = self._inverse[np.ix_(out, out)] - self._to_gone[out] @ self._from_gone[:, out]
        if len(out):
            both = np.ones(signs.shape[1], bool)
            for sign in (-1, 1):
                both &= (signs == sign).sum(axis=0) < (self._signs == sign).sum(axis=0)
            logits[known] = np.where(both, signs - np.linalg.solve(rest, self.shares[out]), np.nan)
        return logits

    def without_each(self) -> np.ndarray:
        """Logits (n_frames, n_characters) of every frame by a fit without it alone; NaN as above."""
        own = np.diag(self._inverse) - (self._to_gone * self._from_gone.T).sum(axis=1)
        left = self._signs - self.shares / np.where(self._signs[:, 0] == 0, 1.0, own)[:, None]
        n_same = np.where(self._signs > 0, (self._signs > 0).sum(axis=0), (self._signs < 0).sum(axis=0))
        return np.where((self._signs != 0) & (n_same > 1), left, np.nan)


def _blocks(video_ids: Sequence[str], times_s: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each block of time the rows in it, and the rows to leave out for them: these and the guard around."""
    video_ids, times_s = np.asarray(video_ids), np.asarray(times_s, np.float64)
    result = []
    for video_id in sorted(set(video_ids.tolist())):
        here = np.flatnonzero(video_ids == video_id)
        numbers = np.floor(times_s[here] / BLOCK_S + 1e-9).astype(int)
        for number in np.unique(numbers):
            rows = here[numbers == number]
            first_s, last_s = times_s[rows].min(), times_s[rows].max()
            near = (times_s[here] > first_s - GUARD_S) & (times_s[here] < last_s + GUARD_S)
            result.append((rows, here[near]))
    return result


def _parts(blocks: list, n_rows: int) -> list[np.ndarray]:
    """The rows of each of N_PARTS parts; a block is never in two."""
    part_of = np.zeros(n_rows, int)
    for number, (rows, _) in enumerate(blocks):
        part_of[rows] = number % N_PARTS
    return [np.flatnonzero(part_of == part) for part in range(N_PARTS)]
