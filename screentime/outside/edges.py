"""Where an appearance begins and ends, to the frame: by the scores of the frames between two samples.

Between the last sample without a character and the first one with it, it comes once: of all frames at which that may have
been, the likeliest is taken. Likewise where it goes.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from screentime.outside.frame_scores import Model, frame_scores
from screentime.outside.journal import Journal
from screentime.timeline import microseconds
from screentime.video import NativeFrame, NativeFrames

LEAST = 1e-6  # no score is taken to be surer than that


@dataclass(frozen=True)
class Stretch:
    """An appearance in the film's own frames. Exact seconds from the first decoded frame.

    Attributes:
        start_s, end_s: where its first frame comes on screen, and its last one leaves it.
        within_s: how far apart the moments are between which each end was sought; 0 where it is the film's own.
    """

    start_s: Fraction
    end_s: Fraction
    within_s: Fraction


def split(scores: np.ndarray, comes: bool) -> int:
    """Of frames in a row, in which a character comes (or goes) once or not at all, the first after that.

    Args:
        scores: (n_frames,) float64 in [0, 1].
        comes: whether it comes; else it goes.

    Returns:
        In [0, n_frames]: from this frame on it is there (or is not); n_frames: it never is (or always).

    >>> split(np.array([0.1, 0.3, 0.2, 0.9, 0.6]), comes=True), split(np.array([0.9, 0.2]), comes=False)
    (3, 1)
    """
    there = np.clip(scores, LEAST, 1 - LEAST)
    before, after = (np.log(1 - there), np.log(there)) if comes else (np.log(there), np.log(1 - there))
    likelihood = np.concatenate([[0.0], np.cumsum(before)]) + np.concatenate([np.cumsum(after[::-1])[::-1], [0.0]])
    return int(likelihood.argmax())


def refined(
    film: Path,
    appearances: Sequence[tuple[int, float, float]],
    times_s: np.ndarray,
    *,
    model: Model,
    journal: Journal,
    tell: Callable[[float], None],
) -> list[Stretch]:
    """Each appearance from frame to frame.

    Args:
        film: the film.
        appearances: of each the place of its character in the scores, its begin and its end by the samples, seconds.
        times_s: (n_samples,) float64, seconds, of the samples.
        model: one that judges frames alone.
        journal: keeps the scores.
        tell: is told the share of the film that is done.
    """
    samples = [microseconds(Fraction(str(time_s))) for time_s in times_s]
    windows = sorted({window for _, *ends in appearances for end_s in ends if (window := _window(samples, end_s))})
    found: dict[tuple[int, int], list[tuple[Fraction, np.ndarray]]] = {window: [] for window in windows}
    frames = NativeFrames(film)

    def looked_at() -> Iterator[NativeFrame]:
        nonlocal last
        left = list(windows)
        for frame in frames:
            last = frame.end_s
            tell(float(frame.start_s / frames.claimed_s) if frames.claimed_s else 0.0)
            time_us = microseconds(frame.start_s)
            while left and left[0][1] < time_us:
                left.pop(0)
            if left and left[0][0] < time_us:
                yield frame

    last, place = Fraction(0), 0
    for frame, scores in frame_scores(model, looked_at(), journal):
        while windows[place][1] < microseconds(frame.start_s):
            place += 1
        found[windows[place]].append((frame.start_s, scores))

    def edge(end_s: float, character: int, comes: bool) -> tuple[Fraction, Fraction]:
        """Where it comes or goes, and within which time that was sought."""
        window = _window(samples, end_s)
        if window is None:  # the beginning or the end of the film
            return (Fraction(0) if comes else last), Fraction(0)
        here = found[window]
        if not here:  # one frame is on screen all the while
            return Fraction(str(end_s)), Fraction(0)
        at = split(np.array([scores[character] for _, scores in here[:-1]]), comes)
        return here[at][0], Fraction(window[1] - window[0], 1_000_000)

    stretches = []
    for character, start_s, end_s in appearances:
        (begin_s, one), (over_s, other) = edge(start_s, character, True), edge(end_s, character, False)
        stretches.append(Stretch(begin_s, over_s, max(one, other)))
    return stretches


def coarse(appearances: Sequence[tuple[int, float, float]], times_s: np.ndarray) -> list[Stretch]:
    """Each appearance as its samples have it, where no frame between them can be scored."""
    samples = [microseconds(Fraction(str(time_s))) for time_s in times_s]
    stretches = []
    for _, start_s, end_s in appearances:
        sought = [window for one in (start_s, end_s) if (window := _window(samples, one))]
        within = max((Fraction(high - low, 1_000_000) for low, high in sought), default=Fraction(0))
        stretches.append(Stretch(Fraction(str(start_s)), Fraction(str(end_s)), within))
    return stretches


def _window(samples: Sequence[int], end_s: float) -> tuple[int, int] | None:
    """The samples, in microseconds, between which an appearance that begins or ends at a sample does so; None at an end."""
    time_us = microseconds(Fraction(str(end_s)))
    place = bisect_left(samples, time_us)
    return (samples[place - 1], samples[place]) if 0 < place < len(samples) else None
