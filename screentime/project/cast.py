"""The cast of a project changed, in params.yaml and in what people wrote."""

import csv
import io
import unicodedata
from pathlib import Path

from screentime.errors import InputError, did_you_mean
from screentime.files import write_text
from screentime.params import check_cast
from screentime.project.declarations import Declarations


def add_characters(folder: Path, names: list[str]) -> list[str]:
    """Name characters at the end of the cast; the cast as it is then.

    Raises:
        InputError: a name that may not be one, or is in the cast already.
    """
    declarations = Declarations(folder)
    names = [unicodedata.normalize("NFC", name) for name in names]
    check_cast(Path("params.yaml"), [*declarations.cast, *names])
    for name in names:
        declarations.add_character(name)
    declarations.write()
    return declarations.cast


def rename_character(folder: Path, old: str, new: str) -> dict[str, int]:
    """Call a character otherwise, in the cast and in every label file; nothing else in them changes.

    Args:
        folder: the project's top folder.
        old: a name in the cast.
        new: the name it gets.

    Returns:
        How many rows were changed, by label file. Interrupted and run again, it goes on.

    Raises:
        InputError: the old name is not in the cast, or the new one may not be a name.
    """
    declarations = Declarations(folder)
    old, new = (unicodedata.normalize("NFC", name) for name in (old, new))
    if old not in declarations.cast:
        raise InputError(f"params.yaml: cast: no character '{old}' was found; {did_you_mean(old, declarations.cast)}")
    check_cast(Path("params.yaml"), [new if name == old else name for name in declarations.cast])
    changed = {}
    for path in sorted((folder / "data" / "labels").glob("*.csv")):
        if path.name.endswith((".audit.csv", ".skip.csv")):
            continue
        text, count = _renamed(path, old, new)
        if count:
            write_text(path, text)
            changed[path.relative_to(folder).as_posix()] = count
    declarations.rename_character(old, new)
    declarations.write()
    return changed


def _renamed(path: Path, old: str, new: str) -> tuple[str, int]:
    """A label file's text with a character renamed, and in how many rows."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    if not rows or "character" not in rows[0]:
        raise InputError(f"{path}: no column 'character' was found, a label file was expected; correct its first line")
    column = rows[0].index("character")
    count = 0
    for row in rows[1:]:
        if len(row) > column and unicodedata.normalize("NFC", row[column]) == old:
            row[column] = new
            count += 1
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue(), count
