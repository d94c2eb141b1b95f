"""What a file of another tool says, in its own names: of pictures, or of stretches of time."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """What somebody said of one picture.

    Attributes:
        image: the picture's name or address, as the file has it.
        said: name to "1", "0" or "?".
        complete: whether the file itself says that all others are not visible: the names it offers and that are not in `said`.
        time_s: the moment of the film, seconds from its first frame, where the file says it; else None.
        video_id: the film, where the file says it; else "".
        by, at: who said so and when, as the file has it; "" where it does not say.
    """

    image: str
    said: Mapping[str, str]
    complete: bool = False
    time_s: float | None = None
    video_id: str = ""
    by: str = ""
    at: str = ""


@dataclass(frozen=True)
class Stretch:
    """A name that is visible ("1"), not visible ("0") or cannot be told ("?") over `[start_s, end_s)`, seconds."""

    name: str
    start_s: float
    end_s: float
    present: str = "1"


@dataclass(frozen=True)
class Found:
    """All that a file says.

    Attributes:
        names: every name that the file offers, whether somebody chose it or not.
        looks, stretches: what it says; a file has the one or the other.
        whole_cast: whether a complete look speaks of every character, not only of the names that the file offers.
        of_file: whether the times are those of the film's file, not counted from its first frame.
        notes: sentences on what was passed over.
    """

    names: frozenset[str]
    looks: tuple[Look, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    whole_cast: bool = False
    of_file: bool = False
    notes: tuple[str, ...] = ()
