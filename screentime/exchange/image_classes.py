"""A CSV `Image_ID,Class` with its images: one class for each picture, as older projects and competitions have it."""

import csv
import io
from pathlib import Path

from screentime.errors import InputError
from screentime.exchange.found import Found, Look
from screentime.exchange.likeness import picture_files

HEADER = ("image_id", "class")
NOBODY = ("neither", "none", "nobody", "no one", "0", "")


def is_header(line: str) -> bool:
    """Whether this is the first line of such a file."""
    return tuple(cell.strip().lower() for cell in line.strip().lstrip("\ufeff").split(",")) == HEADER


def read(path: Path) -> Found:
    """Read the classes: a picture of class jerry says that jerry is there, and nothing of others; neither says nobody is.

    Raises:
        InputError: not this file; the sentence names the line.
    """
    text = path.read_text(encoding="utf-8-sig")
    if not is_header(text.split("\n", 1)[0]):
        raise InputError(f"{path}: line 1: the header Image_ID,Class was expected; correct it")
    reader = csv.reader(io.StringIO(text, newline=""))
    next(reader)
    looks = []
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) != 2 or not cells[0].strip():
            raise InputError(
                f"{path}: line {reader.line_num}: {','.join(cells)} was found, a picture and its class were expected; correct it"
            )
        image, name = (cell.strip() for cell in cells)
        nobody = name.lower() in NOBODY
        looks.append(Look(image, {} if nobody else {name: "1"}, complete=nobody))
    return Found(frozenset(name for look in looks for name in look.said), looks=tuple(looks), whole_cast=True)


def read_folders(path: Path, character: str | None) -> Found:
    """Read stills in the folders positive/ and negative/: with and without a character, nothing said of others.

    Raises:
        InputError: a folder is missing, or nobody said who the character is.
    """
    if not character:
        raise InputError(
            f"{path}: positive/ and negative/ show one character or not, its name was expected; say it with --character"
        )
    looks = []
    for folder, present in (("positive", "1"), ("negative", "0")):
        if not (path / folder).is_dir():
            raise InputError(
                f"{path / folder}: no such folder was found, positive/ and negative/ were expected; correct the path"
            )
        looks += [
            Look(file.relative_to(path).as_posix(), {character: present}) for file in picture_files(path / folder)
        ]
    return Found(frozenset([character]), looks=tuple(looks), whole_cast=True)
