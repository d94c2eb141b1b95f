"""Sets of stills coming into a project and leaving it: pictures of no film, that show a character or do not."""

import json
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas
from tqdm import tqdm

from screentime.errors import InputError, did_you_mean
from screentime.exchange.likeness import PICTURES, picture_files, read_picture
from screentime.files import sha256_of
from screentime.near_copies import groups_of_near_copies, looks_of
from screentime.param_checks import SET_NAME
from screentime.project.declarations import STILLS, Declarations
from screentime.project.tools import dvc, git_holds
from screentime.stills import TABLE, read_stills
from screentime.table_files import read_table, write_table
from screentime.tables import STILLS as CONTRACT
from screentime.wording import count_text

FOLDERS = {"positive": "1", "negative": "0"}


@dataclass(frozen=True)
class Arrival:
    """A set of stills that is in the project now.

    Attributes:
        name: of the set.
        n_present, n_absent: pictures of this arrival that show the character, and that do not.
        n_stills, n_groups: pictures of the whole set, and groups of near copies among them.
        left_out: sentences on what was left out.
    """

    name: str
    n_present: int
    n_absent: int
    n_stills: int
    n_groups: int
    left_out: tuple[str, ...]


def add_stills(folder: Path, source: Path, character: str, name: str | None = None) -> Arrival:
    """Copy the pictures of `positive/` and `negative/` into a set, pin it, and name it; the source is left as it is.

    Args:
        folder: the project's top folder.
        source: the folder that holds one or both of them.
        character: whom positive/ shows; nothing is said of others.
        name: of the set; None: that of the source. A set that is there already takes another character's pictures.

    Raises:
        InputError: what was found, what was expected, the repair; nothing is changed then.
    """
    declarations = Declarations(folder)
    name = unicodedata.normalize("NFC", name or source.resolve().name)
    character = unicodedata.normalize("NFC", character)
    _check_names(declarations, name, character)
    said, left_out = _pictures(source)
    place = folder / STILLS / name
    known = name in declarations.sets
    if place.exists() and not known:
        raise InputError(
            f"{STILLS}{name}: it is there, but stills in params.yaml does not name it, a new name was expected; give one with --name, "
            "or move that folder away"
        )
    stills = read_stills(place, declarations.cast) if known else []
    if any(character in still.answers for still in stills):
        raise InputError(
            f"--name {name}: there is a set '{name}' that shows {character} already, a new name was expected; give another one, or "
            f"take the old set away with `python -m screentime stills remove {name}`"
        )
    rows = [(still.path.name, *answer) for still in stills for answer in still.answers.items()]
    digests = {sha256_of(still.path): still.path.name for still in stills}
    table, pointer = place / TABLE, folder / f"{STILLS}{name}.dvc"
    before = [path.read_bytes() if path.is_file() else None for path in (table, pointer)]
    placed: list[Path] = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for digest, (path, present) in tqdm(said.items(), desc="copying", unit="picture", disable=None, leave=False):
            if digest not in digests:
                digests[digest] = _file_name(path, digest)
                placed.append(place / digests[digest])
                shutil.copyfile(path, placed[-1])
            rows.append((digests[digest], character, present))
        write_table(table, pandas.DataFrame(rows, columns=[column.name for column in CONTRACT.columns]), CONTRACT)
        bar = tqdm(read_stills(place, declarations.cast), desc="comparing", unit="picture", disable=None, leave=False)
        groups = groups_of_near_copies(looks_of(still.image() for still in bar))
        dvc(folder, "add", f"{STILLS}{name}")
        if not known:
            declarations.add_stills(name)
        declarations.write()
    except BaseException:  # Ctrl-C too: whatever ends it, no half of a set stays; then it is raised on
        for path in placed:
            path.unlink(missing_ok=True)
        for path, data in zip((table, pointer), before, strict=True):
            path.unlink(missing_ok=True)
            if data is not None:
                path.write_bytes(data)
        if not known:
            shutil.rmtree(place, ignore_errors=True)
        raise
    n_present = sum(present == "1" for _, present in said.values())
    return Arrival(name, n_present, len(said) - n_present, len(groups), int(groups.max()), left_out)


def remove_stills(folder: Path, name: str) -> None:
    """Take a set out of the project; DVC's cache keeps its pictures, and an earlier commit names them.

    Raises:
        InputError: there is no such set, or it is not pinned and committed as it is.
    """
    declarations = Declarations(folder)
    name = unicodedata.normalize("NFC", name)
    if name not in declarations.sets:
        known = did_you_mean(name, declarations.sets) if declarations.sets else "none is named"
        raise InputError(f"{name}: stills in params.yaml names no such set, one was expected; {known}")
    _check_kept(folder, name)
    declarations.remove_stills(name)
    declarations.write()
    shutil.rmtree(folder / STILLS / name, ignore_errors=True)
    (folder / f"{STILLS}{name}.dvc").unlink(missing_ok=True)


def sets_showing(
    folder: Path, declarations: Declarations, character: str, *, kept: bool, also: Sequence[str] = ()
) -> list[str]:
    """The sets that speak of a character.

    Args:
        folder: the project's top folder.
        declarations: what it declares.
        character: a member of the cast.
        also: names that its sets may hold already, where a change was interrupted.
        kept: refuse a set that is not pinned and committed as it is, because something of it will go.

    Raises:
        InputError: a set that is named is not here, or is not kept.
    """
    names = [*declarations.cast, *also]
    sets = [
        name
        for name in declarations.sets
        if any(character in still.answers for still in read_stills(folder / STILLS / name, names))
    ]
    for name in sets if kept else ():
        _check_kept(folder, name)
    return sets


def change_answers(
    folder: Path, sets: Iterable[str], character: str, answers_for: Callable[[str], list[tuple[str, str]]]
) -> dict[str, int]:
    """Replace what sets say of a character, and pin them anew; how many rows that were, by table.

    Args:
        answers_for: from what was said, "1", "0" or "?", to the pairs of character and answer that take its place.
    """
    changed = {}
    for name in sets:
        path = folder / STILLS / name / TABLE
        rows = [(row.still, row.character, row.present) for row in read_table(path, CONTRACT).itertuples()]
        new = [row for row in rows if row[1] != character]
        new += [(still, *answer) for still, one, said in rows if one == character for answer in answers_for(said)]
        write_table(path, pandas.DataFrame(new, columns=[column.name for column in CONTRACT.columns]), CONTRACT)
        dvc(folder, "add", f"{STILLS}{name}")
        changed[path.relative_to(folder).as_posix()] = sum(row[1] == character for row in rows)
    return changed


def _check_names(declarations: Declarations, name: str, character: str) -> None:
    if character not in declarations.cast:
        repair = did_you_mean(character, declarations.cast) if declarations.cast else "the cast is empty"
        raise InputError(
            f"--character {character}: it is not in the cast; {repair}, or add it with `python -m screentime cast add`"
        )
    if not SET_NAME.fullmatch(name):
        raise InputError(
            f"--name {name}: letters, digits, blanks and . _ - were expected, a letter or digit first; give the set another name"
        )
    films = {Path(file).stem.casefold(): file for file in declarations.files}
    if name.casefold() in films:
        raise InputError(
            f"--name {name}: that is the film {films[name.casefold()]}, a name of its own was expected; give the set another one, or, if "
            f"these are frames of that film, run `python -m screentime labels import {Path(films[name.casefold()]).stem} DIR --from "
            "folders`"
        )
    twin = next((one for one in declarations.sets if one.casefold() == name.casefold() and one != name), None)
    if twin:
        raise InputError(f"--name {name}: there is a set '{twin}', another name was expected; give one")


def _pictures(source: Path) -> tuple[dict[str, tuple[Path, str]], tuple[str, ...]]:
    """The pictures of a source by the hash of their bytes, each with its answer; and sentences on what was left out."""
    if not any((source / name).is_dir() for name in FOLDERS):
        raise InputError(
            f"{source}: neither positive/ nor negative/ was found in it, one of them at least was expected; put the pictures that show "
            "the character into positive/, others into negative/"
        )
    said: dict[str, tuple[Path, str]] = {}
    broken, others, twice = [], 0, 0
    for name, present in FOLDERS.items():
        if not (source / name).is_dir():
            continue
        paths = picture_files(source / name)
        others += sum(path.is_file() and path not in set(paths) for path in (source / name).rglob("*"))
        if not paths:
            raise InputError(
                f"{source / name}: no picture was found, files ending in {', '.join(PICTURES)} were expected; put some there, or remove "
                "the folder"
            )
        for path in tqdm(paths, desc=f"reading {name}", unit="picture", disable=None, leave=False):
            if read_picture(path) is None:
                broken.append(path.relative_to(source).as_posix())
                continue
            first, answer = said.setdefault(sha256_of(path), (path, present))
            if answer != present:
                raise InputError(
                    f"{path}: the same picture as {first}, one folder for each picture was expected; remove one of them"
                )
            twice += first != path
    if not said:
        raise InputError(
            f"{source}: none of its {len(broken)} pictures can be read, whole pictures were expected; bring them anew"
        )
    notes = [f"{path}: left out, it cannot be read whole" for path in broken]
    notes += [f"left out: {count_text(twice, 'copy', 'copies')}, byte for byte, of other pictures"] if twice else []
    notes += (
        [f"left out: {count_text(others, 'file that is', 'files that are')} no picture by the ending"] if others else []
    )
    return said, tuple(notes)


def _file_name(path: Path, digest: str) -> str:
    """A name that pictures of two folders do not share: what it was called, and the begin of its hash."""
    stem = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", path.stem))[:60].strip("_.-")
    return f"{stem or 'still'}-{digest[:12]}{path.suffix.lower()}"


def _check_kept(folder: Path, name: str) -> None:
    """What goes can be brought back: the set is as its .dvc file says, and the last commit holds that file."""
    pointer = folder / f"{STILLS}{name}.dvc"
    if not pointer.is_file() or not git_holds(folder, pointer) or _is_changed(folder, pointer):
        raise InputError(
            f"{STILLS}{name}.dvc: not committed as it is, work that can be brought back was expected; run `git add {STILLS}{name}.dvc && "
            'git commit -m "Stills"` first'
        )


def _is_changed(folder: Path, pointer: Path) -> bool:
    """Whether a set is other than its .dvc file says."""
    return json.loads(dvc(folder, "status", "--json", pointer.relative_to(folder).as_posix()) or "{}") != {}
