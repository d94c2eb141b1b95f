"""The label file of one film and the journal behind it, kept in step.

The journal knows what the file held when it was last read or written. A file that is as it was left gets the answers
that came after; a file that somebody changed meanwhile is the truth: answers that it has not seen yet are laid over it
where it says what it said before, and asked about where it says something else.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from screentime.errors import InputError
from screentime.files import new_file, sync_folder
from screentime.frames import FramePack
from screentime.label_rows import Row, rows_of, table_of
from screentime.labeller.journal import Journal
from screentime.labeller.sheet import UNKNOWN, Cell, Change, Sheet
from screentime.labels import answers, read_labels
from screentime.table_files import table_text
from screentime.tables import LABELS

NO_FILE = ""
MARKS = ("read", "writing", "wrote")  # what the journal knows of the file: as found, about to be, as written


@dataclass(frozen=True)
class Question:
    """A cell that the file and the person at the labeller answer differently.

    Attributes:
        number: of the question.
        frame, character: the cell.
        file: what the file says, "" where it says nothing.
        said: what was said here.
        source, annotator, at: how, by whom and when it was said here.
    """

    number: int
    frame: int
    character: int
    file: str
    said: str
    source: str
    annotator: str
    at: str


class Book:
    """One film's label file.

    Attributes:
        sheet: what it says, with the answers that are in the journal only.
        questions: those that nobody has answered yet, by number.
    """

    def __init__(self, path: Path, frames: FramePack, cast: Sequence[str], drawn: np.ndarray, journal: Journal) -> None:
        """Read the file and what the journal holds beyond it.

        Raises:
            InputError: the file is not as docs/formats.md says.
        """
        self.path, self.video_id = path, frames.video_id
        self._frames, self._cast, self._drawn, self._journal = frames, list(cast), drawn, journal
        self._frame_at = {round(float(time_s) * 1e6): frame for frame, time_s in enumerate(frames.times_s)}
        self._unreadable: str | None = None
        self._unwritten: str | None = None
        self.questions: dict[int, Question] = {}
        self._digest, self._stamp = NO_FILE, None
        self._read()
        self._ask_again()

    @property
    def trouble(self) -> str | None:
        """Why the file cannot be read or written now, one sentence; None where all is well."""
        return self._unreadable or self._unwritten

    def look(self) -> bool:
        """Read the file again if somebody changed it; whether something is new. Where it cannot be, `trouble` says why."""
        stamp, trouble = stamp_of(self.path), self._unreadable
        if stamp == self._stamp:
            return False
        try:
            if trouble is None and _digest(_content(self.path)) == self._digest:
                self._stamp = stamp
                return False
            self._read()
            self._unreadable = None
        except InputError as error:
            self._unreadable, self._stamp = str(error), stamp
        except OSError as error:  # its stamp is not noted: it is tried again until there is room, and not written over
            self._unreadable = (
                f"{self.path}: {_why(error)}, room for what was changed in it outside was expected; make room or give access, "
                "it is read again then"
            )
            return self._unreadable != trouble
        return True

    def redrawn(self, drawn: np.ndarray) -> None:
        """Another round was drawn."""
        self._drawn = drawn
        self.sheet.redrawn(drawn)

    def part(self, change: Change, effect: Mapping[Cell, tuple[str, str]]) -> dict:
        """What the journal keeps of a change to this film and of what it did."""
        return {
            "video": self.video_id,
            "removed": [list(row) for row in change.removed],
            "added": [list(row) for row in change.added],
            "cells": [[self._time_s(cell), self._cast[cell.character], *effect[cell]] for cell in sorted(effect)],
        }

    def write(self) -> None:
        """Write the file where its bytes differ. Where it cannot be, `trouble` says why; the journal has it all."""
        self.look()
        if self._unreadable is not None or (not self.sheet.rows and self._digest == NO_FILE):
            return
        data = table_text(table_of(self.sheet.rows), LABELS).encode("utf-8")
        digest, upto = _digest(data), len(self._journal.entries)
        if digest == self._digest:
            return
        try:
            self._journal.append(self._mark("writing", digest, upto))
            with new_file(self.path) as partial:
                partial.write_bytes(data)
            sync_folder(self.path.parent)
            self._journal.append(self._mark("wrote", digest, upto))
        except OSError as error:
            self._unwritten = (
                f"{self.path}: {_why(error)}, room to write was expected; what is shown as saved "
                "is safe in the journal: make room or give access, it is written then"
            )
            return
        self._unwritten, self._digest, self._stamp = None, digest, stamp_of(self.path)

    def _time_s(self, cell: Cell) -> float:
        return float(self._frames.times_s[cell.frame])

    def _cell(self, time_s: float, character: str) -> Cell | None:
        """The cell that an entry of the journal speaks of, if there still is one."""
        frame = self._frame_at.get(round(time_s * 1e6))
        return Cell(frame, self._cast.index(character)) if frame is not None and character in self._cast else None

    def _file_rows(self) -> list[Row]:
        """The file's rows, free of contradictions; none without a file."""
        if not self.path.is_file():
            return []
        table = read_labels(self.path, self._cast, self._frames.facts["length_s"])
        answers(self.path, table, self._frames)
        return rows_of(table)

    def _read(self) -> None:
        """Read the file, and lay over it what the journal holds beyond it."""
        stamp, digest = stamp_of(self.path), _digest(_content(self.path))
        sheet = Sheet(self._frames, self._cast, self._drawn, self._file_rows())
        entries = self._journal.entries
        marks = [entry for entry in entries if entry["kind"] in MARKS and entry["video"] == self.video_id]
        certain = next((mark for mark in reversed(marks) if mark["kind"] != "writing"), None)
        since = len(entries) if certain is None else certain["upto"]
        if marks and marks[-1]["sha256"] == digest:  # also where the last writing was cut off after its rename
            since, as_left = marks[-1]["upto"], True
        else:
            as_left = certain is not None and certain["sha256"] == digest
        if not (as_left and self._replayed(sheet, since)):
            self._merge(sheet, digest, since)
        self.sheet, self._digest, self._stamp = sheet, digest, stamp

    def _replayed(self, sheet: Sheet, since: int) -> bool:
        """Apply what came after the file as it is; False, and nothing done, where the cast is another now."""
        changes = [change_of(part) for _, part in self._parts(since)]
        if any(row.character not in self._cast for change in changes for row in (*change.removed, *change.added)):
            return False
        for change in changes:
            sheet.apply(change)
        return True

    def _parts(self, since: int) -> list[tuple[dict, dict]]:
        """The journal's entries after a number that changed this film, each with its part for it."""
        return [
            (entry, part)
            for entry in self._journal.entries[since:]
            for part in entry.get("parts", ())
            if part["video"] == self.video_id
        ]

    def _merge(self, sheet: Sheet, digest: str, since: int) -> None:
        """Lay answers that the file has not seen over a file that was changed meanwhile; ask where the two differ."""
        before: dict[Cell, str] = {}
        after: dict[Cell, Row] = {}
        for _, part in self._parts(since):
            rows = {(row.start_s, row.character): row for row in change_of(part).added}
            for time_s, character, was, is_now in part["cells"]:
                cell = self._cell(time_s, character)
                if cell is not None:
                    before.setdefault(cell, was)
                    painted = Row(time_s, None, character, is_now, "propagated", "", "")
                    after[cell] = rows.get((time_s, character), painted)._replace(present=is_now)
        upto = len(self._journal.entries)
        entries = [self._mark("read", digest, upto)]
        asked = []
        for cell, row in after.items():
            there = sheet.answer(cell).present
            if row.present in (there, UNKNOWN):
                continue
            if there == before[cell]:
                change = sheet.change({cell: row.present}, source=row.source, annotator=row.annotator, at=row.at)
                entries.append({"kind": "replayed", "parts": [self.part(change, sheet.apply(change))]})
            else:
                asked.append(
                    {
                        "kind": "question", "of": self.video_id, "time_s": row.start_s, "character": row.character,
                        "file": there, "said": row.present, "source": row.source, "annotator": row.annotator,
                        "at": row.at,
                    }
                )  # fmt: skip
        self._journal.append(*entries, *asked)
        self._put(asked)

    def _ask_again(self) -> None:
        """The questions of earlier sessions that nobody answered."""
        entries = self._journal.entries
        answered = {entry["question"] for entry in entries if entry["kind"] == "settled"}
        self._put(entry for entry in entries if entry["kind"] == "question" and entry["n"] not in answered)

    def _put(self, entries: Iterable[dict]) -> None:
        for entry in entries:
            cell = self._cell(entry["time_s"], entry["character"])
            if entry["of"] == self.video_id and cell is not None:
                said = {name: entry[name] for name in ("file", "said", "source", "annotator", "at")}
                self.questions[entry["n"]] = Question(entry["n"], *cell, **said)

    def _mark(self, kind: str, digest: str, upto: int) -> dict:
        return {"kind": kind, "video": self.video_id, "sha256": digest, "upto": upto}


def change_of(part: dict) -> Change:
    """A change as it was, from what the journal keeps of it."""
    return Change(tuple(Row(*row) for row in part["removed"]), tuple(Row(*row) for row in part["added"]))


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(data: bytes | None) -> str:
    return NO_FILE if data is None else hashlib.sha256(data).hexdigest()


def stamp_of(path: Path) -> tuple | None:
    """What changes when a file is written: its time, size and number on the disk."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
