"""The cast of a project changed, in params.yaml and in what people wrote."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from screentime.errors import InputError, did_you_mean
from screentime.files import write_text
from screentime.frames import FramePack, open_frames
from screentime.label_rows import Cell, bounds_s, rows_of, runs, standing, table_of, without
from screentime.labels import read_labels
from screentime.param_checks import check_cast
from screentime.project.declarations import Declarations
from screentime.project.stills import change_answers, sets_showing
from screentime.project.tools import git_holds
from screentime.table_files import write_table
from screentime.tables import LABELS


def add_characters(folder: Path, names: list[str]) -> list[str]:
    """Name characters at the end of the cast; the cast as it is then.

    Raises:
        InputError: a name that may not be one, or is in the cast already.
    """
    declarations = Declarations(folder)
    names = [unicodedata.normalize("NFC", name) for name in names]
    _check_cast(declarations, [*declarations.cast, *names])
    for name in names:
        declarations.add_character(name)
    declarations.write()
    return declarations.cast


def rename_character(folder: Path, old: str, new: str) -> dict[str, int]:
    """Call a character otherwise, in the cast, in every label file and set of stills; nothing else in them changes.

    Args:
        folder: the project's top folder.
        old: a name in the cast.
        new: the name it gets.

    Returns:
        How many rows were changed, by file. Interrupted and run again, it goes on.

    Raises:
        InputError: the old name is not in the cast, or the new one may not be a name.
    """
    declarations = Declarations(folder)
    new = unicodedata.normalize("NFC", new)
    old = _member(old, declarations)
    _check_cast(declarations, [new if name == old else name for name in declarations.cast])
    sets = sets_showing(folder, declarations, old, kept=False, also=[new])
    changed = {}
    for path in _label_files(folder):
        text, count = _renamed(path, old, new)
        if count:
            write_text(path, text)
            changed[path.relative_to(folder).as_posix()] = count
    changed |= change_answers(folder, sets, old, lambda said: [(new, said)])
    declarations.rename_character(old, new)
    declarations.change_groups(old, [new])
    declarations.write()
    return changed


@dataclass(frozen=True)
class Reopened:
    """What a split left open: frames where somebody saw one of the two, or could not tell.

    Attributes:
        path: the label file, below the project's folder.
        stretches: neighbouring frames as `[start_s, end_s)`, seconds.
        n_frames: how many frames these are.
        n_blind: how many of them an audit drew; its rounds are not complete until they are answered again.
    """

    path: str
    stretches: tuple[tuple[float, float], ...]
    n_frames: int
    n_blind: int


def split_character(folder: Path, old: str, new: Sequence[str]) -> tuple[dict[str, int], list[Reopened]]:
    """Two characters in place of one, in the cast and in every label file.

    Where the one was not visible, neither of the two is, and the rows say so of both, as whoever made them. Where it was
    visible one of the two is, or both: nobody has said which, so both become unknown there; likewise where it could not
    be told. Stills likewise. A painted stretch that says "not visible" does not come to speak for such a frame.

    Args:
        folder: the project's top folder.
        old: a name in the cast.
        new: the two names that take its place.

    Returns:
        How many rows speak of the two now, by file; and the frames to go through. Interrupted and run again, it
        goes on.

    Raises:
        InputError: a name that may not be one; a label file that Git does not hold as it is; a film that is not sampled.
    """
    declarations = Declarations(folder)
    old, new = _member(old, declarations), [unicodedata.normalize("NFC", name) for name in new]
    place = declarations.cast.index(old)
    rest = [name for name in declarations.cast if name != old]
    _check_cast(declarations, [*rest[:place], *new, *rest[place:]])
    if old in new:
        raise InputError(
            f"params.yaml: cast: '{old}' was found among the new names, two others were expected; rename it later"
        )
    files = _speaking_of(folder, old)
    sets = sets_showing(folder, declarations, old, kept=True, also=new)
    known = [*declarations.cast, *new]
    work = [(path, read_labels(path, known, None), _frames_of(folder, path, declarations)) for path in files]
    changed, reopened = {}, []
    for path, table, frames in work:
        rows = rows_of(table)
        said = [row for row in rows if row.character == old]
        open_cells = {cell for cell, row in standing(said, frames).items() if row.present != "0"}
        absent = without([row for row in said if row.present == "0"], open_cells, frames)
        apart = [row._replace(character=name) for row in absent for name in new]
        write_table(path, table_of({*(row for row in rows if row.character != old), *apart}), LABELS)
        name = path.relative_to(folder).as_posix()
        changed[name] = len(apart)
        reopened.append(_reopened(name, open_cells, frames))
    changed |= change_answers(folder, sets, old, lambda said: [(name, "0") for name in new if said == "0"])
    declarations.rename_character(old, new[0])
    declarations.insert_character(place + 1, new[1])
    declarations.change_groups(old, new)
    declarations.write()
    return changed, [one for one in reopened if one.n_frames]


def remove_character(folder: Path, name: str) -> dict[str, int]:
    """Take a character out of the cast, out of every label file and set of stills, where Git holds what was said of it.

    Returns:
        How many rows went, by file. Interrupted and run again, it goes on.

    Raises:
        InputError: it is not in the cast, or the only one there; or Git does not hold a label file as it is.
    """
    declarations = Declarations(folder)
    name = _member(name, declarations)
    _check_cast(declarations, [one for one in declarations.cast if one != name])
    sets = sets_showing(folder, declarations, name, kept=True)
    changed = {}
    for path in _speaking_of(folder, name):
        rows = rows_of(read_labels(path, declarations.cast, None))
        kept = [row for row in rows if row.character != name]
        write_table(path, table_of(set(kept)), LABELS)
        changed[path.relative_to(folder).as_posix()] = len(rows) - len(kept)
    changed |= change_answers(folder, sets, name, lambda said: [])
    declarations.remove_character(name)
    declarations.change_groups(name, [])
    declarations.write()
    return changed


def _check_cast(declarations: Declarations, cast: Sequence[str]) -> None:
    """Refuse a cast that may not be one, and a name that a group has."""
    check_cast(Path("params.yaml"), cast)
    for name in cast:
        for group, members in declarations.groups.items():
            if group.casefold() == name.casefold():
                raise InputError(
                    f"params.yaml: cast: '{name}' is the name of a group ({', '.join(members)}); call the character otherwise, or the group"
                )


def _member(name: str, declarations: Declarations) -> str:
    """A name in the cast, as it stands there."""
    name = unicodedata.normalize("NFC", name)
    if name not in declarations.cast:
        raise InputError(f"params.yaml: cast: no character '{name}' was found; {did_you_mean(name, declarations.cast)}")
    return name


def _label_files(folder: Path) -> Iterator[Path]:
    """The files of labels, second persons' too."""
    for path in sorted((folder / "data" / "labels").glob("*.csv")):
        if not path.name.endswith((".audit.csv", ".skip.csv")):
            yield path


def _speaking_of(folder: Path, name: str) -> list[Path]:
    """The label files that name a character, each as Git holds it: what is taken out of them can be brought back."""
    files = [path for path in _label_files(folder) if _renamed(path, name, name)[1]]
    for path in files:
        if not git_holds(folder, path):
            raise InputError(
                f"{path.relative_to(folder)}: changed since the last commit, work that can be brought back was expected; "
                "commit it first"
            )
    return files


def _frames_of(folder: Path, path: Path, declarations: Declarations) -> FramePack:
    """The sampled frames of the film that a label file is about."""
    stem = unicodedata.normalize("NFC", path.stem)
    ids = [unicodedata.normalize("NFC", Path(file).stem) for file in declarations.files]
    video_id = max((one for one in ids if stem == one or stem.startswith(f"{one}.")), key=len, default=stem)
    return open_frames(folder / "data" / "frames", video_id)


def _reopened(name: str, cells: set[Cell], frames: FramePack) -> Reopened:
    open_frames_of = sorted({cell.frame for cell in cells})
    return Reopened(
        path=name,
        stretches=tuple(bounds_s(first, last, frames) for first, last in runs(open_frames_of)),
        n_frames=len(open_frames_of),
        n_blind=len({cell.frame for cell in cells if cell.blind}),
    )


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
