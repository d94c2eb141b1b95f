"""Time code as SMPTE ST 12-1 counts it: hours, minutes, seconds and frames, with and without dropped numbers.

At 30000/1001 frames a second a count of 30 to the second falls behind the clock by 3.6 seconds an hour. Drop-frame time code
leaves out the first two numbers of every minute but each tenth (four at 60000/1001): numbers are dropped, no frame is.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

_TEXT = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d)")


@dataclass(frozen=True)
class Counting:
    """How frames are numbered.

    Attributes:
        frames: to the second, as counted: 30 for 30000/1001.
        drop: whether numbers are dropped, so that the count keeps to the clock.
    """

    frames: int
    drop: bool

    @property
    def dropped(self) -> int:
        """Numbers left out in a minute that drops: one fifteenth of a second's."""
        return self.frames // 15 if self.drop else 0

    @property
    def day(self) -> int:
        """Frames in 24 hours of time code."""
        return 24 * 6 * (600 * self.frames - 9 * self.dropped)


def counting_of(rate: Fraction) -> Counting:
    """How a rate is counted unless the film says otherwise: drop-frame at 30000/1001, 60000/1001 and their multiples.

    >>> counting_of(Fraction(30000, 1001)), counting_of(Fraction(24000, 1001))
    (Counting(frames=30, drop=True), Counting(frames=24, drop=False))
    """
    return Counting(max(1, round(rate)), may_drop(rate))


def may_drop(rate: Fraction) -> bool:
    """Whether drop-frame time code is defined for a rate."""
    return rate.denominator == 1001 and round(rate) % 30 == 0


def time_code(frame: int, counting: Counting) -> str:
    """The time code of a frame; after 24 hours it begins anew.

    Args:
        frame: number of the frame, from 0.
        counting: how frames are numbered.

    Returns:
        hh:mm:ss:ff, or hh:mm:ss;ff where numbers are dropped.

    >>> time_code(1799, Counting(30, True)), time_code(1800, Counting(30, True)), time_code(1800, Counting(30, False))
    ('00:00:59;29', '00:01:00;02', '00:01:00:00')
    """
    frame %= counting.day
    if counting.drop:
        minute, ten_minutes = 60 * counting.frames - counting.dropped, 600 * counting.frames - 9 * counting.dropped
        tens, rest = divmod(frame, ten_minutes)
        minutes_that_drop = (
            max(0, rest - counting.dropped) // minute
        )  # the first of the ten is longer: it drops nothing
        frame += counting.dropped * (9 * tens + minutes_that_drop)
    seconds, frames = divmod(frame, counting.frames)
    mark = ";" if counting.drop else ":"
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{frames:02}"


def frame_at(text: str, rate: Fraction) -> tuple[int, Counting] | None:
    """The frame that a time code names, and how it counts; None where the text is no time code of this rate.

    >>> frame_at("00:01:00;02", Fraction(30000, 1001))
    (1800, Counting(frames=30, drop=True))
    >>> frame_at("01:00:00:00", Fraction(25))
    (90000, Counting(frames=25, drop=False))
    """
    found = _TEXT.fullmatch(text.strip())
    if not found:
        return None
    counting = Counting(max(1, round(rate)), found[4] != ":" and may_drop(rate))
    hours, minutes, seconds, frames = (int(found[place]) for place in (1, 2, 3, 5))
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= counting.frames:
        return None
    if counting.drop and minutes % 10 and not seconds and frames < counting.dropped:
        return None  # a number that is left out
    all_minutes = 60 * hours + minutes
    numbered = (60 * all_minutes + seconds) * counting.frames + frames
    return numbered - counting.dropped * (all_minutes - all_minutes // 10), counting
