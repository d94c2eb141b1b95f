"""The label file of one film while it is being changed: its rows, and what they say of every sampled frame.

Rows stay as they are in the file; a change removes some and adds others, so that it can be taken back exactly. On a
frame that an audit drew only the blind answers count (source audit), on all others every row counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from screentime.frames import FramePack
from screentime.label_rows import Row, bounds_s, frames_of
from screentime.labels import STRENGTH
from screentime.timeline import inside

UNKNOWN = ""
AS_NUMBER = {UNKNOWN: np.nan, "?": np.nan, "0": 0.0, "1": 1.0}


class Cell(NamedTuple):
    """One frame, as its index, and one character, as its place in the cast."""

    frame: int
    character: int


class Answer(NamedTuple):
    """What stands for a cell: present is "1", "0", "?" or "" where nobody has said."""

    present: str = UNKNOWN
    source: str = ""
    at: str = ""


class Change(NamedTuple):
    """Rows taken out and put in; reversed, it takes itself back."""

    removed: tuple[Row, ...]
    added: tuple[Row, ...]

    def reversed(self) -> "Change":
        return Change(self.added, self.removed)


def letters(values: Iterable[str]) -> str:
    """Answers as one letter each; "." where there is none."""
    return "".join(str(value) or "." for value in values)


class Sheet:
    """Rows and what they say, kept in step.

    Attributes:
        present: (n_frames, n_characters) of "1", "0", "?" and "": the answer that stands.
        source: (n_frames, n_characters) of the sources, "" where there is no answer.
    """

    def __init__(self, frames: FramePack, cast: Sequence[str], drawn: np.ndarray, rows: Iterable[Row]) -> None:
        """Read rows.

        Args:
            frames: the sampled frames.
            cast: the characters.
            drawn: (n_frames,) bool, the frames that an audit drew.
            rows: the file's rows, free of contradictions.
        """
        self._frames, self._cast, self._drawn = frames, list(cast), drawn
        self._places = {name: place for place, name in enumerate(cast)}
        self._rows: list[Row] = []
        self._moments: dict[Cell, list[Row]] = defaultdict(list)
        self._stretches: dict[int, list[Row]] = defaultdict(list)
        shape = (len(frames), len(cast))
        self.present = np.full(shape, UNKNOWN, "<U1")
        self.source = np.full(shape, "", "<U10")
        self.at = np.full(shape, "", "<U20")
        self.apply(Change((), tuple(rows)))

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, in no order that matters."""
        return tuple(self._rows)

    def answer(self, cell: Cell) -> Answer:
        """What stands for a cell."""
        return Answer(str(self.present[cell]), str(self.source[cell]), str(self.at[cell]))

    def numbers(self) -> np.ndarray:
        """(n_frames, n_characters) float64: 1, 0, NaN where nobody said or could tell."""
        numbers = np.full(self.present.shape, np.nan)
        numbers[self.present == "1"] = 1.0
        numbers[self.present == "0"] = 0.0
        return numbers

    def redrawn(self, drawn: np.ndarray) -> None:
        """Another round was drawn: look anew at which rows count where."""
        self._drawn = drawn
        self._settle({Cell(frame, place) for frame in range(len(self._frames)) for place in range(len(self._cast))})

    def change(self, cells: Mapping[Cell, str], *, source: str, annotator: str, at: str) -> Change:
        """What has to change for some cells to have these answers; nothing is changed yet.

        Answers painted over a stretch (source propagated) are written as stretches, all others one by one. What other
        rows say of these cells is taken out, what they say of other cells stays to the letter. A frame that had been
        looked at before keeps the moment when it was first said: which frames a later audit was drawn from is read from
        it (estimates.looked_before).
        """
        cells = {cell: present for cell, present in cells.items() if self._differs(cell, present, source)}
        if source == "propagated":
            return self._stretched(cells, annotator, at)
        removed, added = [], []
        for cell, present in cells.items():
            there = self._counting(cell, self._moments[cell])
            removed += there
            first = min((row.at for row in there if row.at and row.source == source), default=at)
            name, time_s = self._cast[cell.character], float(self._frames.times_s[cell.frame])
            added.append(Row(time_s, None, name, present, source, annotator, first))
        return Change(tuple(removed), tuple(added))

    def holds(self, rows: Iterable[Row]) -> bool:
        """Whether all these rows are there."""
        wanted = Counter(rows)
        return not wanted or not wanted - Counter(self._rows)

    def apply(self, change: Change) -> dict[Cell, tuple[str, str]]:
        """Take rows out and put rows in.

        Returns:
            For every cell whose answer, or how it was made, is another now: what it was and what it is.

        Raises:
            ValueError: a row that is to go is not there; nothing was changed.
        """
        if not self.holds(change.removed):
            raise ValueError("a row that is to go is not there")
        touched = [cell for row in change.removed for cell in self._unlisted(row)]
        touched += [cell for row in change.added for cell in self._listed(row)]
        if change.removed:
            gone = Counter(change.removed)
            kept = []
            for row in self._rows:
                if gone[row]:
                    gone[row] -= 1
                else:
                    kept.append(row)
            self._rows = kept
        self._rows += change.added
        before = {cell: self.answer(cell) for cell in touched}
        self._settle(before)
        after = {cell: self.answer(cell) for cell in before}
        return {
            cell: (before[cell].present, after[cell].present) for cell in before if before[cell][:2] != after[cell][:2]
        }

    def _differs(self, cell: Cell, present: str, source: str) -> bool:
        """Whether an answer says more than what stands: another value, or the same by a look where it was a guess."""
        there = self.answer(cell)
        return there.present != present or STRENGTH.index(there.source) > STRENGTH.index(source)

    def _stretched(self, cells: Mapping[Cell, str], annotator: str, at: str) -> Change:
        """The change that paints cells: one row for each run of neighbouring frames with one answer."""
        removed: dict[Row, None] = {}
        added: list[Row] = []
        for place, name in enumerate(self._cast):
            frames = sorted(cell.frame for cell in cells if cell.character == place)
            pieces: list[Row] = []
            for first, last in runs(frames, [cells[Cell(frame, place)] for frame in frames]):
                start_s, end_s = bounds_s(first, last, self._frames)
                pieces.append(Row(start_s, end_s, name, cells[Cell(first, place)], "propagated", annotator, at))
                for frame in range(first, last + 1):
                    removed |= dict.fromkeys(self._counting(Cell(frame, place), self._moments[Cell(frame, place)]))
            for row in self._stretches[place]:
                left = [row]
                for piece in pieces:
                    left = [rest for part in left for rest in self._without(part, piece)]
                if left != [row]:
                    removed[row] = None
                    added += left
            added += pieces
        return Change(tuple(removed), tuple(added))

    def _without(self, row: Row, piece: Row) -> list[Row]:
        """What is left of a stretch when a piece is cut out of it; parts that no sampled frame lies in go."""
        if piece.end_s <= row.start_s or row.end_s <= piece.start_s:
            return [row]
        parts = [row._replace(end_s=piece.start_s), row._replace(start_s=piece.end_s)]
        return [
            part for part in parts
            if part.start_s < part.end_s and inside(self._frames.times_s, [(part.start_s, part.end_s)]).any()
        ]  # fmt: skip

    def _counting(self, cell: Cell, rows: list[Row]) -> list[Row]:
        """Those of a cell's rows that count for it."""
        return [row for row in rows if row.source == "audit"] if self._drawn[cell.frame] else list(rows)

    def _listed(self, row: Row) -> list[Cell]:
        """Count a row; the cells it speaks of."""
        place = self._places[row.character]
        touched = [Cell(frame, place) for frame in frames_of(row, self._frames)]
        if row.end_s is None:
            for cell in touched:
                self._moments[cell].append(row)
        else:
            self._stretches[place].append(row)
        return touched

    def _unlisted(self, row: Row) -> list[Cell]:
        """Count a row no longer; the cells it spoke of."""
        place = self._places[row.character]
        touched = [Cell(frame, place) for frame in frames_of(row, self._frames)]
        if row.end_s is None:
            for cell in touched:
                self._moments[cell].remove(row)
        else:
            self._stretches[place].remove(row)
        return touched

    def _settle(self, cells: Iterable[Cell]) -> None:
        """Look anew at what stands for some cells."""
        by_place: dict[int, list[Cell]] = defaultdict(list)
        for cell in cells:
            by_place[cell.character].append(cell)
        for place, of_character in by_place.items():
            lying = [(row, set(frames_of(row, self._frames))) for row in self._stretches[place]]
            for cell in of_character:
                rows = self._counting(cell, self._moments[cell]) or self._counting(
                    cell, [row for row, frames in lying if cell.frame in frames]
                )
                best = min(rows, key=lambda row: STRENGTH.index(row.source), default=None)
                stands = Answer() if best is None else Answer(best.present, best.source, best.at)
                self.present[cell], self.source[cell], self.at[cell] = stands


def runs(frames: Sequence[int], values: Sequence[str]) -> list[tuple[int, int]]:
    """Neighbouring frames with one value, as pairs of first and last.

    >>> runs([3, 4, 5, 7], ["1", "1", "0", "0"])
    [(3, 4), (5, 5), (7, 7)]
    """
    found: list[list[int]] = []
    for place, frame in enumerate(frames):
        if found and frame == frames[place - 1] + 1 and values[place] == values[place - 1]:
            found[-1][1] = frame
        else:
            found.append([frame, frame])
    return [(first, last) for first, last in found]
