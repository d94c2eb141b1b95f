"""The rows of a label file, taken apart and put together: which frames a row speaks of, which row stands, what is left.

A cell is one frame and one character in one of the two layers: blind (source audit) or not.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas

from screentime.frames import FramePack
from screentime.labels import NO_TIME, STRENGTH
from screentime.tables import LABELS
from screentime.timeline import inside, match_moment


class Row(NamedTuple):
    """One row of a label file; end_s None speaks of the frame on screen at start_s."""

    start_s: float
    end_s: float | None
    character: str
    present: str
    source: str
    annotator: str = ""
    at: str = ""

    @property
    def blind(self) -> bool:
        """Whether it belongs to the layer of the audit."""
        return self.source == "audit"

    @property
    def rank(self) -> tuple[bool, int, str]:
        """The lowest stands: a moment before a stretch, then by source, then by time of saying."""
        return self.end_s is not None, STRENGTH.index(self.source), self.at or NO_TIME


class Cell(NamedTuple):
    """One frame, as its index, and one character, in one layer."""

    blind: bool
    frame: int
    character: str


def rows_of(table: pandas.DataFrame) -> list[Row]:
    """The rows of a label file as `labels.read_labels` returns it."""
    return [
        Row(
            row.start_s,
            None if np.isnan(row.end_s) else row.end_s,
            row.character,
            row.present,
            row.source,
            row.annotator,
            row.at,
        )
        for row in table.itertuples()
    ]


def table_of(rows: Iterable[Row]) -> pandas.DataFrame:
    """Rows as `tables.write_table` takes them, in an order that depends on nothing but them."""
    ordered = sorted(rows, key=lambda row: (row.start_s, np.inf if row.end_s is None else row.end_s, *row[2:]))
    table = pandas.DataFrame(ordered, columns=[column.name for column in LABELS.columns])
    return table.assign(end_s=table["end_s"].astype("float64"))


def frames_of(row: Row, frames: FramePack) -> list[int]:
    """The sampled frames that a row speaks of, as indices, increasing."""
    if row.end_s is None:
        frame = match_moment(row.start_s, frames.times_s, frames.frame_times_s, frames.frame_ends_s)
        return [] if frame is None else [frame]
    return np.flatnonzero(inside(frames.times_s, [(row.start_s, row.end_s)])).tolist()


def standing(rows: Iterable[Row], frames: FramePack) -> dict[Cell, Row]:
    """For each cell that rows speak of the row whose answer stands; the rows do not contradict each other."""
    stands: dict[Cell, Row] = {}
    for row in sorted(rows, key=lambda row: row.rank):
        for frame in frames_of(row, frames):
            stands.setdefault(Cell(row.blind, frame, row.character), row)
    return stands


def limited(row: Row, kept: Collection[int], frames: FramePack) -> list[Row]:
    """A row as far as it speaks of some frames; a stretch may fall into pieces, and its own ends stay to the letter.

    Args:
        row: the row.
        kept: indices of frames.
        frames: the sampled frames.
    """
    spoken = frames_of(row, frames)
    left = sorted(set(spoken) & set(kept))
    if row.end_s is None or left == spoken:
        return [row] if left else []
    pieces = []
    for first, last in runs(left):
        start_s, end_s = bounds_s(first, last, frames)
        start_s = row.start_s if first == spoken[0] else start_s
        end_s = row.end_s if last == spoken[-1] else end_s
        pieces.append(row._replace(start_s=start_s, end_s=end_s))
    return pieces


def without(rows: Iterable[Row], cells: Collection[Cell], frames: FramePack) -> list[Row]:
    """What rows say of all other cells; rows that speak of no sampled frame stay."""
    touched = {(cell.blind, cell.character) for cell in cells}
    left = []
    for row in rows:
        if (row.blind, row.character) not in touched:
            left.append(row)
            continue
        spoken = frames_of(row, frames)
        kept = [frame for frame in spoken if Cell(row.blind, frame, row.character) not in cells]
        left += limited(row, kept, frames) if spoken else [row]
    return left


def bounds_s(first: int, last: int, frames: FramePack) -> tuple[float, float]:
    """The stretch of time that neighbouring frames stand for, `[start_s, end_s)` in seconds."""
    times_s = frames.times_s
    end_s = times_s[last + 1] if last + 1 < len(times_s) else times_s[last] + frames.durations_s[last]
    return float(times_s[first]), round(float(end_s), 6)


def runs(frames: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring frames as pairs of first and last.

    >>> runs([3, 4, 5, 7])
    [(3, 5), (7, 7)]
    """
    found: list[tuple[int, int]] = []
    for frame in frames:
        if found and frame == found[-1][1] + 1:
            found[-1] = found[-1][0], frame
        else:
            found.append((frame, frame))
    return found
