"""VGG Image Annotator (VIA 1 and 2): its CSV, a row for each region of each image, attributes as JSON in cells."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from screentime.errors import InputError
from screentime.exchange.found import Found, Look

COLUMNS = (
    "filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes", "region_attributes",
)  # fmt: skip
_YES, _NO = ("1", "yes", "true", "visible"), ("0", "no", "false", "not visible")


def is_header(line: str) -> bool:
    """Whether this is the first line of such a file; VIA 1 begins it with #."""
    return [cell.strip() for cell in line.strip().lstrip("\ufeff#").split(",")] == list(COLUMNS)


def read(path: Path) -> Found:
    """Read the images: what an attribute of an image, or of a region in it, names is visible there.

    An attribute may be called by a character and hold 1 or 0, yes or no, ?; or hold a character's name; or be a choice of
    several. What is not marked stays unknown.

    Raises:
        InputError: not this file; the sentence names the line.
    """
    text = path.read_text(encoding="utf-8-sig")
    if not is_header(text.split("\n", 1)[0]):
        raise InputError(f"{path}: line 1: the header {','.join(COLUMNS)} was expected; export as CSV in VIA")
    reader = csv.reader(io.StringIO(text, newline=""))
    next(reader)
    said: dict[str, dict[str, str]] = {}
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(COLUMNS):
            raise InputError(
                f"{path}: line {reader.line_num}: {len(cells)} cells were found, {len(COLUMNS)} expected; export it anew"
            )
        row = dict(zip(COLUMNS, cells, strict=True))
        of_image = said.setdefault(row["filename"], {})
        for column in ("file_attributes", "region_attributes"):
            for name, present in _marks(row[column], f"{path}: line {reader.line_num}: {column}"):
                of_image[name] = max(of_image.get(name, ""), present, key=("", "0", "?", "1").index)
    names = frozenset(name for of_image in said.values() for name in of_image)
    return Found(names, looks=tuple(Look(image, of_image) for image, of_image in said.items()))


def _marks(cell: str, place: str) -> Iterator[tuple[str, str]]:
    """The names that attributes say something of, and what."""
    try:
        attributes = json.loads(cell or "{}")
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: {error}, attributes as JSON were expected; export it anew") from None
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if isinstance(value, dict):  # a checkbox: the options that are ticked
            yield from ((str(option), "1") for option, ticked in value.items() if ticked)
        elif (text := str(value).strip()).lower() in _YES:
            yield name, "1"
        elif text.lower() in _NO:
            yield name, "0"
        elif text == "?":
            yield name, "?"
        elif text:
            yield text, "1"
