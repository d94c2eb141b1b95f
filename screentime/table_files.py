"""One reader and one writer for every CSV, and what its contract is: columns, their types and units, its key.

Cells are text on disk. In memory a number is float64 (unknown is NaN), a count is int64, a word is str (unknown is "").
"""

import csv
import io
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from screentime.errors import InputError, did_you_mean
from screentime.files import new_file, number


@dataclass(frozen=True)
class Column:
    """One column: its name, its kind (`number`, `count` or `word`), its meaning with unit and range.

    `choices` closes the set of words; `required` says that a cell may not be empty; `optional` that the column itself
    may be missing from a file written by hand; `decimals` is the fixed precision of a number; `own_words` that people choose
    the words, so that none may be what a spreadsheet would run as a formula.
    """

    name: str
    kind: str
    meaning: str
    required: bool = True
    optional: bool = False
    choices: tuple[str, ...] = ()
    decimals: int = 6
    own_words: bool = False


@dataclass(frozen=True)
class Table:
    """One kind of CSV file: where it lies, its columns, the columns that identify and order its rows.

    `per_character` describes the columns that follow the fixed ones, one for each member of the cast (or whatever `each`
    says they are for).
    """

    path: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    per_character: Column | None = None
    each: str = "character"

    def all_columns(self, cast: Sequence[str] = ()) -> list[Column]:
        """The fixed columns, then one for each character."""
        if self.per_character is None:
            return list(self.columns)
        described = self.per_character
        return [*self.columns, *(Column(name, described.kind, described.meaning, described.required) for name in cast)]


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run a text as a formula instead of showing it.

    >>> is_formula("=HYPERLINK(1)"), is_formula("tom - the cat"), is_formula("")
    (True, False, False)
    """
    return text.startswith(("=", "+", "-", "@"))


def read_table(path: Path, table: Table, cast: Sequence[str] = ()) -> pandas.DataFrame:
    """Read a CSV by its contract.

    Args:
        path: the file; UTF-8 (a byte-order mark and CRLF are accepted).
        table: its contract.
        cast: the characters, for a table with one column for each.

    Returns:
        A frame with the contract's columns in the contract's order and a column `line` (int64, the line in the file),
        rows as in the file. Columns that may be missing and are, are filled with unknown.

    Raises:
        InputError: no such file, not UTF-8, a bad header, a bad cell (a formula among them); the sentence names file and line.
    """
    columns = table.all_columns(cast)
    header, rows = _raw_rows(path)
    _check_header(path, header, columns)
    position = {name: header.index(name) for name in header}
    data: dict[str, list] = {column.name: [] for column in columns}
    lines = []
    for line, cells in rows:
        if len(cells) != len(header):
            raise InputError(f"{path}: line {line}: {len(cells)} cells were found, {len(header)} expected; correct it")
        for column in columns:
            cell = cells[position[column.name]].strip() if column.name in position else ""
            data[column.name].append(_parsed(cell, column, f"{path}: line {line}"))
        lines.append(line)
    frame = pandas.DataFrame({c.name: pandas.Series(data[c.name], dtype=_DTYPES[c.kind]) for c in columns})
    frame["line"] = pandas.Series(lines, dtype="int64")
    return frame


def read_rows(path: Path, table: Table) -> pandas.DataFrame:
    """As `read_table`, of a table whose file is absent where it has no row."""
    return read_table(path, table) if path.is_file() else no_rows(table)


def no_rows(table: Table) -> pandas.DataFrame:
    """What `read_table` gives of a table without rows, and without columns for characters."""
    columns = [*table.columns, Column("line", "count", "")]
    return pandas.DataFrame({column.name: pandas.Series(dtype=_DTYPES[column.kind]) for column in columns})


def write_table(path: Path, frame: pandas.DataFrame, table: Table, cast: Sequence[str] = ()) -> None:
    """Write a CSV by its contract: its columns in order, sorted by its key, fixed number formats, whole or not at all.

    A table without a key keeps the order of its rows.
    """
    text = table_text(frame, table, cast)
    with new_file(path) as partial:
        partial.write_bytes(text.encode("utf-8"))


def table_text(frame: pandas.DataFrame, table: Table, cast: Sequence[str] = ()) -> str:
    """What `write_table` writes.

    Raises:
        InputError: a word that a spreadsheet would run as a formula.
    """
    columns = table.all_columns(cast)
    if table.key:
        frame = frame.sort_values(list(table.key), kind="stable")
    texts = [[_text(value, column, table.path) for value in frame[column.name]] for column in columns]
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows(zip(*texts, strict=True))
    return written.getvalue()


_DTYPES = {"number": "float64", "count": "int64", "word": "object"}


def _raw_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header and the non-empty rows with their line numbers (of the last line a row occupies)."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file was found, a table was expected; run the stage that writes it"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: byte {error.start} is not UTF-8 text; save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}; a comma-separated table was expected") from None
    if not rows:
        raise InputError(f"{path}: the file is empty, a header line was expected; add it or remove the file")
    return [cell.strip() for cell in rows[0][1]], rows[1:]


def _check_header(path: Path, header: list[str], columns: list[Column]) -> None:
    known = [column.name for column in columns]
    for name in header:
        if name not in known:
            raise InputError(f"{path}: line 1: unknown column '{name}'; {did_you_mean(name, known)}")
        if header.count(name) > 1:
            raise InputError(f"{path}: line 1: column '{name}' stands there twice, once was expected; remove one")
    missing = [column.name for column in columns if column.name not in header and not column.optional]
    if missing:
        raise InputError(f"{path}: line 1: the header lacks {', '.join(missing)}; expected is {','.join(known)}")


def _parsed(cell: str, column: Column, place: str) -> float | int | str:
    if not cell:
        if column.required:
            raise InputError(f"{place}: {column.name} is empty; expected is {column.meaning}")
        return math.nan if column.kind == "number" else ""
    if column.kind == "word":
        word = unicodedata.normalize("NFC", cell)
        if column.choices and word not in column.choices:
            raise InputError(f"{place}: {column.name} is '{word}', expected is one of {', '.join(column.choices)}")
        return _shown_as_text(word, column, place) if column.own_words else word
    try:
        value = float(cell) if column.kind == "number" else int(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        wanted = "a number with a point" if column.kind == "number" else "a whole number"
        raise InputError(f"{place}: {column.name} is '{cell}', {wanted} was expected; correct it")
    return value


def _text(value: object, column: Column, place: str) -> str:
    if column.kind == "number":
        return number(value, column.decimals)
    return _shown_as_text(value, column, place) if column.own_words else str(value)


def _shown_as_text(word: str, column: Column, place: str) -> str:
    if is_formula(word):
        raise InputError(
            f"{place}: {column.name} is '{word}', which a spreadsheet would run as a formula; write it without a leading = + - @"
        )
    return word
