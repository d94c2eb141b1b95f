"""Clips coming into a project: found in folders, their classes and groups read from folders and names, written down.

UCF101 (Soomro, Zamir, Shah 2012) names its files v_<Class>_g<group>_c<number>.avi in a folder for each class, and comes
with lists of who trains and who is tested.
"""

import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas

from screentime.clips import Clip, read_clips
from screentime.errors import InputError
from screentime.files import new_file
from screentime.film_names import FILM_SUFFIXES
from screentime.table_files import read_table, write_table
from screentime.tables import CLIPS

UCF101_NAME = re.compile(r"v_(?P<class_name>.+)_(?P<group>g\d+)_c\d+")


@dataclass(frozen=True)
class Found:
    """A video that was found to be a clip.

    Attributes:
        path: the file.
        clip: what will stand in data/clips.csv.
    """

    path: Path
    clip: Clip


def class_and_group(path: Path, top: Path | None) -> tuple[str, str]:
    """What a path says of a clip: its class, and its group ("" where it says none).

    The class is the folder that the file lies in, below `top`; a file in `top` itself must be named as in UCF101.

    Raises:
        InputError: neither tells the class.

    >>> class_and_group(Path("ucf/Shot/v_CricketShot_g22_c01.avi"), Path("ucf"))
    ('Shot', 'g22')
    >>> class_and_group(Path("v_CricketShot_g22_c01.avi"), None)
    ('CricketShot', 'g22')
    """
    named = UCF101_NAME.fullmatch(path.stem)
    inside = path.relative_to(top).parent if top is not None else Path()
    if inside.parts:
        class_name = inside.parts[-1]
    elif named:
        class_name = named["class_name"]
    else:
        raise InputError(
            f"{path}: nothing says what this clip shows, a folder named by the class or a name like "
            "v_CricketShot_g22_c01.avi was expected; move it into such a folder, or name the class with --class"
        )
    return unicodedata.normalize("NFC", class_name), named["group"] if named else ""


def find_clips(words: Sequence[str], class_name: str | None) -> list[Found]:
    """The clips that words on a command line mean: videos, and folders that are searched with their subfolders.

    A folder that holds videos itself, under names that say nothing of a class, is the folder of one class.

    Args:
        words: files and folders.
        class_name: the class of all of them; None: folders and names say it.

    Raises:
        InputError: a word that is neither, a folder without videos, a clip whose class nothing says.
    """
    found: dict[str, Found] = {}
    for word in words:
        start = Path(os.path.abspath(word))
        if start.is_file():
            paths, top = [start], None
        else:
            paths = sorted(path for path in start.rglob("*") if path.suffix.lower() in FILM_SUFFIXES and path.is_file())
            top = start.parent if any(p.parent == start and not UCF101_NAME.fullmatch(p.stem) for p in paths) else start
        if not paths:
            raise InputError(f"{word}: no clip was found, a video or a folder with videos was expected; correct it")
        for path in paths:
            if class_name is not None:
                named = UCF101_NAME.fullmatch(path.stem)
                said, group = class_name, named["group"] if named else ""
            else:
                said, group = class_and_group(path, top)
            name = unicodedata.normalize("NFC", f"{said.replace('/', '_')}/{path.name}")
            other = found.setdefault(name.casefold(), Found(path, Clip(name, said, group, "")))
            if other.path != path:
                raise InputError(
                    f"{path}: '{other.path}' has the same class and name, '{name}', one file for each name was expected; "
                    "rename one"
                )
    return list(found.values())


def read_split_lists(lists: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """Who trains and who is tested by the official lists of UCF101 (trainlist01.txt, testlist01.txt).

    Args:
        lists: of each split, its files: a clip a line, `Class/v_Class_g01_c01.avi`, and perhaps the number of its class.

    Returns:
        File names to splits.

    Raises:
        InputError: a list is not there or names no clip, or a clip is named for two splits.
    """
    named: dict[str, str] = {}
    for split, paths in lists.items():
        for path in paths:
            try:
                lines = path.read_text(encoding="utf-8-sig").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
                raise InputError(
                    f"{path}: {reason}, a list with a clip a line was expected; correct the name"
                ) from None
            clips = [re.sub(r"\s+\d+$", "", line.strip()) for line in lines if line.strip()]
            if not any(PurePosixPath(clip).suffix.lower() in FILM_SUFFIXES for clip in clips):
                raise InputError(
                    f"{path}: no clip was named, lines like Class/v_Class_g01_c01.avi were expected; is it the list?"
                )
            for clip in clips:
                name = unicodedata.normalize("NFC", PurePosixPath(clip.replace("\\", "/")).name)
                if named.setdefault(name, split) != split:
                    raise InputError(
                        f"{path}: '{name}' is in the lists of {named[name]} and of {split}, one of them was expected; name the "
                        "lists of one split"
                    )
    return named


def add_clips(
    folder: Path, found: Sequence[Found], splits: Mapping[str, str] | None, told: Callable[[str], None]
) -> list[Clip]:
    """Put clips under data/clips/ and write them into data/clips.csv; rows that stand there stay as they are.

    Args:
        folder: the project's top folder.
        found: the clips.
        splits: file names to splits; clips in no list are then left out. None: nobody says who trains.
        told: receives lines for the person.

    Returns:
        All clips of data/clips.csv.

    Raises:
        InputError: none is in the lists, another file has a clip's name, or the table breaks its contract (a group on two
            sides, say); the table is then as it was.
    """
    if splits is not None:
        listed = [Found(one.path, _with_split(one.clip, splits.get(Path(one.clip.name).name, ""))) for one in found]
        kept = [one for one in listed if one.clip.split]
        if not kept:
            raise InputError(
                f"none of the {len(found)} clips is in the lists, clips that they name were expected; do they belong together?"
            )
        if len(kept) < len(found):
            told(f"{len(found) - len(kept)} clips are in no list and were left out")
        found = kept
    table = folder / "data" / "clips.csv"
    begun = table.is_file() and len(read_table(table, CLIPS))  # a fresh clone has the header alone
    rows = {clip.name: clip for clip in (read_clips(table) if begun else [])}
    groups = {name: clip.group if clip.group != name else "" for name, clip in rows.items()}
    for one in found:
        if rows.setdefault(one.clip.name, one.clip) is one.clip:
            groups[one.clip.name] = one.clip.group
    written = [(name, clip.class_name, groups[name], clip.split) for name, clip in rows.items()]
    frame = pandas.DataFrame(written, columns=[column.name for column in CLIPS.columns])
    how = {"linked": 0, "copied": 0, "there already": 0}
    table.parent.mkdir(parents=True, exist_ok=True)
    with new_file(table) as partial:
        write_table(partial, frame, CLIPS)
        try:
            clips = read_clips(partial)
        except InputError as error:
            raise InputError(str(error).replace(str(partial), str(table))) from None
        for one in found:
            how[_placed(one.path, folder / "data" / "clips" / one.clip.name)] += 1
    told(", ".join(f"{count} {word}" for word, count in how.items() if count) + f" under {folder / 'data' / 'clips'}")
    return clips


def _with_split(clip: Clip, split: str) -> Clip:
    return Clip(clip.name, clip.class_name, clip.group, split)


def _placed(source: Path, path: Path) -> str:
    """Link or copy a clip to its place; says which."""
    if path.exists():
        if not path.samefile(source) and path.read_bytes() != source.read_bytes():
            raise InputError(
                f"{source}: {path} is there already and is another clip, a new name was expected; rename one"
            )
        return "there already"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(os.path.realpath(source), path)
        return "linked"
    except OSError:  # another disk, or one without links
        with new_file(path) as partial:
            shutil.copyfile(source, partial)
        return "copied"
