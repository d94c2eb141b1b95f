"""One film's labels as commands handle them: the film and its file, and answers from elsewhere brought into it.

What differs is asked at a terminal, else written to a file for deciding; `labels merge` and `labels import` share this.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from screentime.audit import read_record
from screentime.checks import sampled_frames, video_named
from screentime.commandline.parser import Parser, add_command, add_place
from screentime.files import number
from screentime.frames import FramePack
from screentime.label_rows import Row, table_of
from screentime.labels import LOOKED, label_file
from screentime.merging import (
    CANNOT_TELL,
    MINE,
    THEIRS,
    Comparison,
    Difference,
    after_the_draw,
    compared,
    merged,
    read_decisions,
    read_rows,
    said_by,
    write_decisions,
)
from screentime.params import Params, load
from screentime.table_files import write_table
from screentime.tables import LABELS
from screentime.wording import clock, count_text, stretch_text

TAKEN = {"mine": MINE, "theirs": THEIRS, "neither": CANNOT_TELL}
KEYS = {"m": MINE, "t": THEIRS, "?": CANNOT_TELL, "s": "", "q": None}
PEOPLE = {"1": "visible", "0": "not visible", "?": "cannot tell"}


@dataclass(frozen=True)
class Film:
    """One film of the project and its label file."""

    params: Params
    video_id: str
    frames: FramePack
    labels: Path
    path: Path

    @property
    def rows(self) -> list[Row]:
        return read_rows(self.path, self.params.cast, self.frames)

    @property
    def drawn(self) -> list[int]:
        """The frames that an audit drew."""
        return read_record(label_file(self.labels, f"{self.video_id}.audit.csv"), self.frames)["frame"].tolist()


def add_film_command(
    family: argparse._SubParsersAction, name: str, short: str, long: str, work: Callable, example: str
) -> Parser:
    """Add a command about the labels of one film."""
    one = add_command(family, name, short, long, work, example)
    one.add_argument("video", metavar="VIDEO", help="the film: its video_id or its file name")
    add_place(one, "labels", "data/labels", "label files")
    add_place(one, "frames", "data/frames", "sampled frames")
    add_place(one, "params", "params.yaml", "parameters")
    return one


def film_of(arguments: argparse.Namespace) -> Film:
    """The film that the command is about.

    Raises:
        InputError: there is no such film, or it is not sampled.
    """
    params = load(arguments.params)
    video = video_named(arguments.video, params)
    frames = sampled_frames(arguments.frames, video, params)
    path = label_file(arguments.labels, f"{video.video_id}.csv")
    return Film(params, video.video_id, frames, arguments.labels, path)


def now() -> str:
    """This moment, as label files write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bring_in(film: Film, theirs: Sequence[Row], name: str, take: str | None) -> bool:
    """Bring answers from elsewhere into a film's label file: what is new is taken over, what differs is asked about.

    Args:
        film: the film.
        theirs: the answers, free of contradictions.
        name: whose they are, for the questions.
        take: one of TAKEN, which decides what is open; None: a person does.

    Returns:
        Whether nothing is left open.
    """
    mine = film.rows
    comparison = compared(mine, theirs, film.frames)
    questions = comparison.differences
    asked = Path(f"{film.video_id}.{name}.differences.csv")
    decided, idle = read_decisions(asked, questions)
    dated = _write(film, mine, comparison, {})
    taken = len(comparison.new) + len(comparison.outside)
    print(
        f"{film.path}: {count_text(taken, 'answer', 'answers')} of {name} taken over, {comparison.alike:,} were alike, "
        f"{sum(len(one.cells) for one in questions):,} differ"
    )
    drawn = set(film.drawn)
    on_drawn = sum(not cell.blind and cell.frame in drawn for cell in comparison.new)
    if on_drawn:
        print(
            f"{on_drawn:,} of the new ones are about frames that an audit drew: there only blind answers (source audit) count"
        )
    if idle:
        print(f"{asked}: {count_text(idle, 'decision is', 'decisions are')} about what no longer differs, not used")
    if take:
        decided = dict.fromkeys(questions, TAKEN[take]) | decided
    elif sys.stdin.isatty():
        _ask(questions, decided, asked, name)
    left = [one for one in questions if one not in decided]
    if not left:
        dated = _write(film, mine, comparison, decided)
        asked.unlink(missing_ok=True)
    else:
        write_decisions(asked, questions, decided)
    _tell_dated(film, mine, dated)
    if left:
        print(
            f"{asked}: {count_text(len(left), 'question is', 'questions are')} open; next: write mine, theirs or ? into its "
            "column `decision` and run the same command again, or decide all with --take mine, theirs or neither; until all "
            "are decided, yours stand"
        )
        return False
    if comparison.clashing:
        rows = count_text(
            len(comparison.clashing),
            "row that no sampled frame shows differs",
            "rows that no sampled frame shows differ",
        )
        print(
            f"{name}: {rows} from yours, the first at {number(comparison.clashing[0].start_s)} s; settle them by hand"
        )
        return False
    return True


def _write(film: Film, mine: Sequence[Row], comparison: Comparison, decided: Mapping[Difference, str]) -> int:
    """Write the label file as it is with these decisions; how many rows were dated anew."""
    at = now()
    kept, added = merged(mine, comparison, decided, film.frames, at)
    added, dated = after_the_draw(added, mine, film.drawn, film.frames, at)
    if added or kept != list(mine):
        write_table(film.path, table_of({*kept, *added}), LABELS)
    return dated


def _tell_dated(film: Film, mine: Sequence[Row], dated: int) -> None:
    """What came after an audit was drawn, and whether the audit still counts."""
    if not dated:
        return
    print(
        f"{count_text(dated, 'row is', 'rows are')} dated now: the audit was drawn before they came, and `at` tells which "
        "frames had been looked at by then"
    )
    if any(row.source in LOOKED and not row.at for row in mine):
        print(
            f"{film.path}: answers made by looking have no `at`, so that it can no longer be told which frames had been looked "
            "at when the audit was drawn: it may not count any more (`dvc repro` says so); draw a new round then"
        )


def _ask(questions: Sequence[Difference], decided: dict[Difference, str], asked: Path, name: str) -> None:
    """Put the open questions to the person at the terminal; each answer is kept in the file at once."""
    open_ones = [one for one in questions if one not in decided]
    if open_ones:
        print(f"m mine   t {name}'s   ? cannot be told   s decide later   q stop")
    for place, one in enumerate(open_ones, start=1):
        print(
            f"\n{place} of {len(open_ones)}: {one.mine.character} at {_when(one)}{', audit' if one.mine.blind else ''}"
        )
        for whose, row in (("mine", one.mine), (f"{name}'s", one.theirs)):
            print(f"  {whose}: {PEOPLE[row.present]} ({said_by(row)})")
        decision = _key()
        if decision is None:
            return
        if decision:
            decided[one] = decision
            write_decisions(asked, questions, decided)


def _key() -> str | None:
    """One of KEYS, as a person types it; the end of the input stops."""
    while True:
        try:
            typed = input("m/t/?/s/q: ").strip().lower()
        except EOFError:
            return None
        if typed in KEYS:
            return KEYS[typed]


def _when(one: Difference) -> str:
    if one.end_s is None:
        return f"{clock(one.start_s)} ({number(one.start_s)} s)"
    return f"{stretch_text(one.start_s, one.end_s)} ({count_text(len(one.cells), 'frame', 'frames')})"
