"""Figures in words: times, seconds, shares and counts as a person reads them."""

import math

from screentime.files import number

EN_DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"


def clock(seconds: float) -> str:
    """A time or a length as m:ss, from one hour on as h:mm:ss; rounded to the nearest whole second, halves up.

    >>> clock(234.4), clock(59.5), clock(3723)
    ('3:54', '1:00', '1:02:03')
    """
    whole = math.floor(seconds + 0.5)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def short_clock(seconds: float, step_s: float) -> str:
    """A tick's time: m:ss, with the decimals that steps below one second need.

    >>> short_clock(90, step_s=30), short_clock(0.4, step_s=0.2)
    ('1:30', '0.4')
    """
    return clock(seconds) if step_s >= 1 else f"{seconds:.1f}"


def stretch_text(start_s: float, end_s: float) -> str:
    """A stretch of time from clock to clock.

    >>> stretch_text(59, 125).replace(EN_DASH, "-")
    '0:59-2:05'
    """
    return f"{clock(start_s)}{EN_DASH}{clock(end_s)}"


def signed_text(value: float) -> str:
    """A whole number with its sign, none on zero; halves away from zero.

    >>> signed_text(3.6), signed_text(-2.5).replace(MINUS, "-"), signed_text(-0.4)
    ('+4', '-3', '0')
    """
    whole = math.floor(abs(value) + 0.5)
    return f"{MINUS if value < 0 else '+'}{whole:,}" if whole else "0"


def seconds_text(seconds: float) -> str:
    """Seconds as a person reads them: whole from ten on (halves up, as in `clock`), one decimal below.

    >>> seconds_text(234.4), seconds_text(2.5), seconds_text(1234)
    ('234', '2.5', '1,234')
    """
    return f"{math.floor(seconds + 0.5):,}" if seconds >= 9.95 else number(seconds, 1)


def share_text(share: float) -> str:
    """A share as percent: one decimal below ten, none above.

    >>> share_text(0.391), share_text(0.0214), share_text(0)
    ('39 %', '2.1 %', '0 %')
    """
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 9.95 or percent == 0 else f"{percent:.1f} %"


def count_text(n: int, one: str, many: str) -> str:
    """A count with its noun.

    >>> count_text(1, "frame", "frames"), count_text(1200, "frame", "frames")
    ('1 frame', '1,200 frames')
    """
    return f"{n:,} {one if n == 1 else many}"
