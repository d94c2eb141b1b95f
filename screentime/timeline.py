"""Time, pure: which moments are sampled, how long each sample stands for, and which sample a moment belongs to.

A file's times are exact fractions of a second; tables keep whole microseconds (6 decimals). One rule joins the two:
every comparison that decides something is made between whole microseconds, so a table says the same as the fractions
it came from. All intervals are half open, `[start_s, end_s)`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from math import floor
from typing import Generic, NamedTuple, TypeVar

import numpy as np

MICROSECOND = Fraction(1, 1_000_000)
# People's moments match within 1e-6 s. Times in tables are whole microseconds, but as float64 they are off by a little
# in the tenth decimal: half a microsecond more separates "one apart" from "two apart" for certain.
_TOLERANCE_S = 1.5e-6

Picture = TypeVar("Picture")


def microseconds(time_s: Fraction) -> int:
    """A time in whole microseconds; halves go up, so that times at least 1 microsecond apart stay apart.

    >>> microseconds(Fraction(1, 3)), microseconds(Fraction(25, 10_000_000))
    (333333, 3)
    """
    return floor(time_s / MICROSECOND + Fraction(1, 2))


def rounded_s(time_s: Fraction) -> float:
    """A time as it is written in tables: seconds, float64, at most 6 decimals.

    >>> rounded_s(Fraction(1, 3))
    0.333333
    """
    return microseconds(time_s) / 1e6


def sample_times(length_s: Fraction, fps: Fraction) -> tuple[Fraction, ...]:
    """The moments that are sampled: every k/fps before the end.

    Args:
        length_s: length of the video, seconds; > 0.
        fps: samples per second; > 0.

    Returns:
        Exact seconds, increasing, the first 0; each is before `length_s` by at least one whole microsecond, so that
        the last sample too stands for some time.

    >>> sample_times(Fraction(5, 2), Fraction(1))
    (Fraction(0, 1), Fraction(1, 1), Fraction(2, 1))
    """
    candidates = (Fraction(index) / fps for index in range(floor(length_s * fps) + 1))
    return tuple(time_s for time_s in candidates if microseconds(time_s) < microseconds(length_s))


def frame_durations(time_s: np.ndarray, end_s: float) -> np.ndarray:
    """How long each sampled frame stands for: until the next one, the last until the end.

    Args:
        time_s: (n_frames,) float64, seconds, strictly increasing; n_frames >= 1.
        end_s: end of the video, seconds; > time_s[-1].

    Returns:
        (n_frames,) float64, seconds, all > 0, whole microseconds: written with 6 decimals their sum is exactly
        end_s - time_s[0] written with 6 decimals.

    Raises:
        ValueError: there is no time, the times do not increase, or end_s is not after the last (in microseconds).

    >>> frame_durations(np.array([0.0, 1.0, 2.0]), end_s=2.5)
    array([1. , 1. , 0.5])
    """
    if len(time_s) == 0:
        raise ValueError("no sampled frame; at least one was expected")
    durations_us = np.diff(_whole_microseconds(np.append(time_s, end_s)))
    if np.any(durations_us <= 0):
        raise ValueError("the times do not increase, or the end is not after the last of them")
    return durations_us / 1e6


class Appearance(NamedTuple):
    """A stretch in which something is visible: `[start_s, end_s)` in seconds, and its mean score in [0, 1]."""

    start_s: float
    end_s: float
    score: float


def appearances(present: np.ndarray, time_s: np.ndarray, duration_s: np.ndarray, score: np.ndarray) -> list[Appearance]:
    """The stretches in which neighbouring samples are all present.

    Args:
        present: (n_frames,) bool.
        time_s: (n_frames,) float64, seconds, increasing.
        duration_s: (n_frames,) float64, seconds, > 0; a sample stands for [time_s, time_s + duration_s).
        score: (n_frames,) float64 in [0, 1].

    Returns:
        Stretches in order of time, none touching the next; score is the mean, each sample weighted by its duration.
        Their durations sum to the durations of the present samples. A gap between two samples ends a stretch.

    >>> appearances(np.array([True, True, False]), np.arange(3.0), np.ones(3), np.array([0.75, 0.25, 0.0]))
    [Appearance(start_s=0.0, end_s=2.0, score=0.5)]
    """
    start_us = _whole_microseconds(time_s)
    end_us = start_us + _whole_microseconds(duration_s)
    present = np.asarray(present, dtype=bool)
    continues = np.zeros(len(present), dtype=bool)  # this sample goes on where the one before it stopped
    continues[1:] = present[1:] & present[:-1] & (start_us[1:] == end_us[:-1])
    first = np.flatnonzero(present & ~continues)
    last = np.flatnonzero(present & ~np.append(continues[1:], False))
    found = []
    for i, j in zip(first, last, strict=True):
        mean = np.average(score[i : j + 1], weights=duration_s[i : j + 1])
        found.append(Appearance(float(start_us[i] / 1e6), float(end_us[j] / 1e6), float(mean)))
    return found


def inside(time_s: np.ndarray, ranges: Iterable[tuple[float, float]]) -> np.ndarray:
    """Which times lie in any of the half-open ranges; both ends match within 1e-6 s.

    Args:
        time_s: (n,) float64, seconds.
        ranges: pairs [start_s, end_s), seconds; they may overlap.

    Returns:
        (n,) bool.

    >>> inside(np.array([0.0, 1.0, 2.0, 3.0]), [(1.0, 3.0)])
    array([False,  True,  True, False])
    """
    time_s = np.asarray(time_s, dtype=np.float64)
    found = np.zeros(len(time_s), dtype=bool)
    for start_s, end_s in ranges:
        found |= (time_s > start_s - _TOLERANCE_S) & (time_s < end_s - _TOLERANCE_S)
    return found


def match_moment(
    moment_s: float, sample_times_s: np.ndarray, frame_times_s: np.ndarray, frame_ends_s: np.ndarray
) -> int | None:
    """The sample that a person's moment belongs to.

    It is the sample whose time is within 1e-6 s of the moment, else a sample that shows the very same decoded frame:
    the frame on screen at the moment. Of several that show it, the nearest in time; of two as near, the earlier.

    Args:
        moment_s: the moment, seconds.
        sample_times_s: (n_frames,) float64, seconds, increasing: k/fps.
        frame_times_s: (n_frames,) float64, seconds: when the decoded frame that the sample shows comes on screen.
        frame_ends_s: (n_frames,) float64, seconds: when that decoded frame leaves the screen.

    Returns:
        The index of the sample, or None: no sample shows the frame of that moment.

    >>> times, starts, ends = np.array([0.0, 1.0]), np.array([0.0, 0.96]), np.array([0.04, 1.04])
    >>> [match_moment(moment_s, times, starts, ends) for moment_s in (0.0, 0.03, 0.5, 0.96, 1.04)]
    [0, 0, None, 1, None]
    """
    nearest = _nearest(moment_s, sample_times_s)
    if nearest is not None and abs(sample_times_s[nearest] - moment_s) < _TOLERANCE_S:
        return nearest
    last = int(np.searchsorted(frame_times_s, moment_s + _TOLERANCE_S)) - 1
    if last < 0 or moment_s + _TOLERANCE_S >= frame_ends_s[last]:
        return None
    first = int(np.searchsorted(frame_times_s, frame_times_s[last]))  # several samples may show one long frame
    return first + _nearest(moment_s, sample_times_s[first : last + 1])


@dataclass(frozen=True)
class Shown(Generic[Picture]):
    """A decoded frame and when it is on screen, `[start_s, end_s)` in exact seconds of the file's own clock.

    Attributes:
        picture: the frame, untouched.
        repaired: its timestamp was missing or out of order, so start_s was worked out from its neighbours.
    """

    picture: Picture
    start_s: Fraction
    end_s: Fraction
    repaired: bool


def on_screen(
    frames: Iterable[tuple[Picture, Fraction | None, Fraction]], usual_gap_s: Fraction
) -> Iterator[Shown[Picture]]:
    """When each decoded frame is on screen: from its timestamp until the next frame's.

    The last frame ends after its own duration, else after the gap before it. A timestamp counts where it comes at least
    a microsecond after the frame before, and is not beyond one that follows in order (a single wild value). Else the
    frame comes the previous frame's duration (else the gap before it) after the previous frame, or halfway to the
    following timestamp where that is nearer. Looks one frame ahead and so holds three.

    Args:
        frames: (picture, timestamp or None, duration, 0 where unknown) in the order they are shown; exact seconds.
        usual_gap_s: the gap where nothing else tells it, seconds; > 0.

    Yields:
        One Shown per frame: the first starts at its timestamp, else at 0; each starts where the one before ends; all
        last at least a microsecond. Timestamps that increase so already are kept as they are.

    >>> stamps = [Fraction(0), None, Fraction(99), Fraction(3)]
    >>> [str(frame.start_s) for frame in on_screen([("", stamp, Fraction(0)) for stamp in stamps], Fraction(1))]
    ['0', '1', '2', '3']
    """
    held: tuple[Picture, Fraction, bool] | None = None  # placed; its end is the start of the next
    gap_s = usual_gap_s
    for (picture, stamp_s, duration_s), (_, following_s, _) in pairwise(chain(frames, [(None, None, None)])):
        if held is None:
            start_s, repaired = stamp_s or Fraction(0), stamp_s is None
        else:
            earliest_s = held[1] + MICROSECOND
            comes_next = following_s is not None and following_s >= earliest_s
            repaired = stamp_s is None or stamp_s < earliest_s or (comes_next and following_s < stamp_s)
            start_s = _between(held[1], gap_s, following_s if comes_next else None) if repaired else stamp_s
            yield Shown(held[0], held[1], start_s, held[2])
        gap_s = _gap_after(duration_s, start_s - held[1] if held else usual_gap_s)
        held = picture, start_s, repaired
    if held is not None:
        yield Shown(held[0], held[1], held[1] + gap_s, held[2])


def _gap_after(duration_s: Fraction, gap_before_s: Fraction) -> Fraction:
    """How long a frame lasts where no next timestamp tells it, exact seconds."""
    return max(duration_s if duration_s > 0 else gap_before_s, MICROSECOND)


def _between(previous_s: Fraction, gap_s: Fraction, following_s: Fraction | None) -> Fraction:
    """Where a frame without a usable timestamp comes on screen, exact seconds."""
    start_s = previous_s + gap_s
    if following_s is not None and start_s >= following_s:
        start_s = (previous_s + following_s) / 2
    return max(start_s, previous_s + MICROSECOND)


def _nearest(moment_s: float, times_s: Sequence[float] | np.ndarray) -> int | None:
    """Index of the time nearest to a moment, the earlier of two as near; None where there is none. Times increase."""
    if len(times_s) == 0:
        return None
    after = int(np.searchsorted(times_s, moment_s))
    if after == len(times_s) or (after > 0 and moment_s - times_s[after - 1] <= times_s[after] - moment_s):
        return after - 1
    return after


def _whole_microseconds(time_s: np.ndarray) -> np.ndarray:
    """Seconds as (n,) int64 microseconds."""
    return np.rint(np.asarray(time_s, dtype=np.float64) * 1e6).astype(np.int64)
