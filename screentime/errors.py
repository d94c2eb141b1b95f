"""The one exception a user may see: a sentence that says where, what was found, what was expected, and the repair."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Something that a person can repair; its text is `PLACE: WHAT was found, WHAT was expected; the REPAIR.`

    >>> raise InputError("params.yaml: sample: fps is 0, a number above 0 was expected; correct it")
    Traceback (most recent call last):
    screentime.errors.InputError: params.yaml: sample: fps is 0, a number above 0 was expected; correct it
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The repair for an unknown name: the nearest known one, else all of them.

    >>> did_you_mean("fsp", ["fps", "jpeg_quality"])
    "did you mean 'fps'?"
    >>> did_you_mean("zebra", ["fps", "jpeg_quality"])
    'known are fps, jpeg_quality'
    """
    known = sorted(known)
    near = nearest(name, known)
    return f"did you mean '{near}'?" if near else f"known are {', '.join(known)}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one is likely to mean, None where none is near."""
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.6)), None)
