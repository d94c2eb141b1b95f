"""CVAT for images 1.1: an XML of images, each with tags and shapes that carry a label. Form: docs.cvat.ai, XML format."""

from pathlib import Path

from screentime.errors import InputError
from screentime.exchange.found import Found, Look
from screentime.exchange.xml_tree import xml_root
from screentime.wording import count_text

_MARKS = ("tag", "box", "polygon", "polyline", "points", "cuboid", "mask", "ellipse", "skeleton")


def read(path: Path) -> Found:
    """Read the images: a label on one, by a tag or a shape, says that it is visible there.

    What is not marked stays unknown: CVAT does not say whether somebody looked. Marks that a model made (source `auto`) are
    passed over.

    Raises:
        InputError: not this file; that of a video task has tracks by frame number, which is no time.
    """
    root = xml_root(path, "annotations")
    if root.find("track") is not None:
        raise InputError(
            f"{path}: tracks by frame number were found, images by name were expected; a frame number is no time: export as `CVAT "
            "for images 1.1`, with the images"
        )
    names = {name.text.strip() for name in root.iterfind("meta//label/name") if name.text}
    looks, automatic = [], 0
    for image in root.iterfind("image"):
        marks = [mark for mark in image if mark.tag in _MARKS and mark.get("label")]
        seen = [mark.get("label") for mark in marks if mark.get("source") not in ("auto", "semi-auto")]
        automatic += len(marks) - len(seen)
        names.update(seen)
        looks.append(Look(image.get("name", ""), dict.fromkeys(seen, "1")))
    notes = (f"passed over: {count_text(automatic, 'mark', 'marks')} that a model made",) if automatic else ()
    return Found(frozenset(names), looks=tuple(looks), notes=notes)
