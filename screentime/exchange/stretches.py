"""A CSV of stretches: character,start_s,end_s[,present], times from the first frame of the film."""

from collections.abc import Iterable
from pathlib import Path

import pandas

from screentime.errors import InputError
from screentime.exchange.found import Found, Stretch
from screentime.files import number
from screentime.table_files import Column, Table, read_table, write_table
from screentime.tables import ANSWERS

STRETCHES = Table(
    "stretches.csv",
    "stretches in which a character is visible, not visible, or cannot be told; written by `python -m screentime labels "
    "export --to stretches`, read by `labels import`",
    (
        Column("character", "word", "a member of the cast"),
        Column("start_s", "number", "begin of the stretch, seconds from the first frame, included"),
        Column("end_s", "number", "end of the stretch, seconds, excluded"),
        Column("present", "word", "1 visible, 0 not visible, ? cannot tell", False, True, ANSWERS),
        Column("score", "number", "as in appearances.csv of the report; not read", False, True),
    ),
    ("character", "start_s"),
)


def write(path: Path, stretches: Iterable[Stretch]) -> None:
    """Write stretches, whole or not at all."""
    table = pandas.DataFrame(
        [(one.name, one.start_s, one.end_s, one.present) for one in stretches],
        columns=["character", "start_s", "end_s", "present"],
    )
    columns = tuple(column for column in STRETCHES.columns if column.name != "score")
    write_table(path, table, Table(STRETCHES.path, STRETCHES.meaning, columns, STRETCHES.key))


def read(path: Path) -> Found:
    """Read stretches; without `present` they are visible.

    Raises:
        InputError: not a table of this form, or a stretch that ends before it begins; the sentence names the line.
    """
    found = []
    for row in read_table(path, STRETCHES).itertuples():
        if not 0 <= row.start_s < row.end_s:
            raise InputError(
                f"{path}: line {row.line}: {number(row.start_s)} to {number(row.end_s)} s was found, a begin from 0 on and an end "
                "after it were expected; correct it"
            )
        found.append(Stretch(row.character, row.start_s, row.end_s, row.present or "1"))
    return Found(frozenset(one.name for one in found), stretches=tuple(found))
