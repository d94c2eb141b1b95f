"""Moments as people type them: seconds, m:ss or h:mm:ss."""

import re

from screentime.errors import InputError

_CLOCK = re.compile(r"(?:(?P<hours>\d+):(?=\d+:))?(?:(?P<minutes>\d+):)?(?P<seconds>\d+(?:\.\d+)?)")


def moment_s(text: str, length_s: float) -> float:
    """A moment in seconds.

    Args:
        text: seconds, m:ss or h:mm:ss, with decimals or without; or `end`.
        length_s: the film's length, seconds, which `end` means.

    Raises:
        InputError: it is none of these, or after the end.

    >>> moment_s("83.5", 100), moment_s("1:23.5", 100), moment_s("1:00:00", 4000), moment_s("end", 100)
    (83.5, 83.5, 3600.0, 100)
    """
    if text == "end":
        return length_s
    found = _CLOCK.fullmatch(text)
    if (
        not found
        or (found["minutes"] and float(found["seconds"]) >= 60)
        or (found["hours"] and int(found["minutes"]) > 59)
    ):
        raise InputError(
            f"{text}: not a time, seconds like 83.5, a clock like 1:23.5 or `end` was expected; correct it"
        )
    time_s = 3600 * int(found["hours"] or 0) + 60 * int(found["minutes"] or 0) + float(found["seconds"])
    if time_s > length_s + 1e-6:
        raise InputError(
            f"{text}: after the end of the film at {length_s:g} s, a time in the film was expected; correct it"
        )
    return round(time_s, 6)
