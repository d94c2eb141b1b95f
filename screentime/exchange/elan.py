"""ELAN (.eaf, format 3.0 of the Max Planck Institute for Psycholinguistics): a tier for each character.

ELAN counts whole milliseconds of the film's file. Its annotations are stretches; their text says what is so: "visible",
"not visible" or "cannot tell", and any other text is an annotation made by a person who marked an appearance.
"""

import math
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import SubElement

from screentime.errors import InputError
from screentime.exchange.found import Found, Stretch
from screentime.exchange.xml_tree import xml_root
from screentime.files import write_text
from screentime.wording import count_text

TEXTS = {"1": "visible", "0": "not visible", "?": "cannot tell"}
_SAYING = {"visible": "1", "not visible": "0", "cannot tell": "?", "0": "0", "?": "?", "absent": "0"}
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_KINDS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".mpg": "video/mpeg",
}


def write(
    path: Path, stretches: Iterable[Stretch], cast: Sequence[str], film: Path, first_s: float, at: datetime
) -> None:
    """Write a document with a tier for each character, whole or not at all; `path` is the .eaf file, the rest as for `document`."""
    write_text(path, document(path.parent, stretches, cast, film, first_s, at))


def document(
    folder: Path, stretches: Iterable[Stretch], cast: Sequence[str], film: Path, first_s: float, at: datetime
) -> str:
    """The text of a document with a tier for each character.

    Args:
        folder: where the document will lie.
        stretches: times from the film's first frame.
        cast: the characters, one tier each, in order.
        film: the film's file, which ELAN is told to open: at its address, else where it lies as seen from the folder.
        first_s: the file's own time of the first frame, seconds.
        at: now, with its zone.
    """
    ElementTree.register_namespace("xsi", _SCHEMA)
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "screentime", "DATE": at.isoformat(timespec="seconds"), "FORMAT": "3.0", "VERSION": "3.0",
            f"{{{_SCHEMA}}}noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )  # fmt: skip
    header = SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    kind = _KINDS.get(film.suffix.lower(), "unknown")
    media = {"MEDIA_URL": film.resolve().as_uri(), "MIME_TYPE": kind, "RELATIVE_MEDIA_URL": _relative(film, folder)}
    SubElement(header, "MEDIA_DESCRIPTOR", {name: value for name, value in media.items() if value})
    order = SubElement(root, "TIME_ORDER")
    slots: list[tuple[int, str]] = []
    found = sorted(stretches, key=lambda one: one.start_s)
    for name in cast:
        tier = SubElement(root, "TIER", LINGUISTIC_TYPE_REF="visible", TIER_ID=name)
        for one in found:
            if one.name != name:
                continue
            begin, end = _milliseconds(one.start_s + first_s), _milliseconds(one.end_s + first_s)
            count = len(slots) // 2
            refs = {"TIME_SLOT_REF1": f"ts{2 * count + 1}", "TIME_SLOT_REF2": f"ts{2 * count + 2}"}
            slots += zip((begin, max(end, begin + 1)), refs.values(), strict=True)
            words = {"ANNOTATION_ID": f"a{count + 1}"} | refs
            holder = SubElement(SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", words)
            SubElement(holder, "ANNOTATION_VALUE").text = TEXTS[one.present]
    for time, slot in sorted(slots):
        SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(time))
    SubElement(root, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID="visible", TIME_ALIGNABLE="true", GRAPHIC_REFERENCES="false")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def read(path: Path) -> Found:
    """Read a document: each tier is a name, each annotation a stretch; tiers that hang on others are passed over.

    Raises:
        InputError: no such document, times that are missing, or media that is shifted against the annotations.
    """
    root = xml_root(path, "ANNOTATION_DOCUMENT")
    for media in root.iter("MEDIA_DESCRIPTOR"):
        if media.get("TIME_ORIGIN", "0") not in ("0", ""):
            raise InputError(
                f"{path}: TIME_ORIGIN {media.get('TIME_ORIGIN')} ms was found, media that begins with the annotations was expected; "
                "synchronise it at 0 in ELAN, or take the attribute out and shift the times with --shift SECONDS"
            )
    header = root.find("HEADER")
    if header is not None and header.get("TIME_UNITS", "milliseconds") != "milliseconds":
        raise InputError(
            f"{path}: times in {header.get('TIME_UNITS')} were found, milliseconds were expected; save it in ELAN anew"
        )
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    names, stretches, untimed, hanging = set(), [], 0, []
    for tier in root.iter("TIER"):
        name = tier.get("TIER_ID", "")
        if tier.get("PARENT_REF"):
            hanging.append(name)
            continue
        names.add(name)
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            begin, end = (slots.get(one.get(ref)) for ref in ("TIME_SLOT_REF1", "TIME_SLOT_REF2"))
            if begin is None or end is None or not float(begin) < float(end):
                untimed += 1
                continue
            text = (one.findtext("ANNOTATION_VALUE") or "").strip().lower()
            stretches.append(Stretch(name, float(begin) / 1000, float(end) / 1000, _SAYING.get(text, "1")))
    notes = []
    if untimed:
        notes.append(f"passed over: {count_text(untimed, 'annotation', 'annotations')} without times of their own")
    if hanging:
        notes.append(f"passed over: tiers that hang on others ({', '.join(hanging)})")
    return Found(frozenset(names), stretches=tuple(stretches), of_file=True, notes=tuple(notes))


def _relative(film: Path, folder: Path) -> str:
    """Where a film lies as seen from a folder, as ELAN writes it; "" where there is no such way (another drive)."""
    try:
        way = Path(os.path.relpath(film.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return ""
    return way if way.startswith("../") else f"./{way}"


def _milliseconds(time_s: float) -> int:
    """Rounded down: so the first frame of a stretch is in it, and the first one after it is not."""
    return math.floor(time_s * 1000 + 1e-3)
