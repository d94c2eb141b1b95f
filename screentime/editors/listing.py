"""What is told of one film, to any editor or player: who is on screen, from when to when."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pandas

from screentime.editors.clock import FilmClock

# whatever XML 1.0 has no way to write, line breaks and other control characters
_UNWRITABLE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Appearance:
    """A stretch in which a character is taken to be visible; exact seconds from the first frame, score in [0, 1]."""

    name: str
    start_s: Fraction
    end_s: Fraction
    score: float


@dataclass(frozen=True)
class Listing:
    """The appearances in one film.

    Attributes:
        video_id: what the film is called, in one line.
        path: its file.
        clock: the file's clock.
        length_s: from the first frame to the end of the last, exact seconds.
        cast: the characters that are told of, in order, each name in one line.
        appearances: in the order of the cast, then of time.
    """

    video_id: str
    path: Path
    clock: FilmClock
    length_s: Fraction
    cast: tuple[str, ...]
    appearances: tuple[Appearance, ...]

    def in_order_of_time(self) -> list[Appearance]:
        """The appearances as they begin; those that begin together in the order of the cast."""
        return sorted(self.appearances, key=lambda one: one.start_s)

    def frames_of(self, one: Appearance, rate: Fraction) -> tuple[int, int]:
        """The first frame of an appearance and the first one after it, numbered from the clock's zero; at least one frame."""
        first = self.clock.frame(one.start_s, rate)
        return first, max(first + 1, self.clock.frame(one.end_s, rate))

    def end_frame(self, rate: Fraction) -> int:
        """How many frames there are from the clock's zero to the end of the film."""
        whole = round((self.clock.first_s + self.length_s) * rate)
        return max([whole, 1, *(self.frames_of(one, rate)[1] for one in self.appearances)])


def appearances_of(table: pandas.DataFrame, cast: Iterable[str]) -> tuple[Appearance, ...]:
    """The rows of appearances.csv that are about these characters, in the order of the cast, then of time."""
    found = []
    for name in cast:
        rows = table[table["character"] == name].sort_values("start_s")
        found += [
            Appearance(in_one_line(name), exact_s(row.start_s), exact_s(row.end_s), row.score)
            for row in rows.itertuples()
        ]
    return tuple(found)


def exact_s(time_s: float) -> Fraction:
    """A time of a table, which has whole microseconds."""
    return Fraction(round(time_s * 1_000_000), 1_000_000)


def in_one_line(name: str) -> str:
    """A name as every format can hold it: line breaks and control characters are blanks.

    >>> in_one_line('Tom\\n"the cat"')
    'Tom "the cat"'
    """
    return " ".join(_UNWRITABLE.sub(" ", name).split()) or "_"
