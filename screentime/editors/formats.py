"""The formats that appearances leave in: their names, the endings of their files, what opens them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from screentime.editors.ass import ass_text
from screentime.editors.edl import edl_texts
from screentime.editors.fcpxml import fcpxml_text
from screentime.editors.listing import Listing
from screentime.editors.lossless_cut import lossless_cut_text
from screentime.editors.otio import otio_text
from screentime.editors.webvtt import webvtt_text
from screentime.exchange import elan
from screentime.exchange.found import Stretch
from screentime.files import write_text


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        ending: of its files, behind the film's name.
        texts: what the files hold, one unless a format cannot hold all in one; asked for a listing and the folder of the files.
        next_step: what to do with a file of it.
    """

    ending: str
    texts: Callable[[Listing, Path], list[str]]
    next_step: str


def _one(text: Callable[[Listing], str]) -> Callable[[Listing, Path], list[str]]:
    return lambda listing, _: [text(listing)]


def _elan(listing: Listing, folder: Path) -> list[str]:
    at = listing.clock.file_s
    stretches = [Stretch(one.name, float(at(one.start_s)), float(at(one.end_s)), "1") for one in listing.appearances]
    return [elan.document(folder, stretches, listing.cast, listing.path, 0.0, datetime.now(UTC))]


FORMATS = {
    "webvtt": Format(".vtt", _one(webvtt_text), "a browser's <track>, or mpv and VLC: put it beside the film, under its name"),
    "ass": Format(".ass", _one(ass_text), "mpv, VLC: put it beside the film, under its name; or Aegisub"),
    "elan": Format(".eaf", _elan, "ELAN opens it with the film; corrected, `labels import` takes it"),
    "otio": Format(".otio", _one(otio_text), "DaVinci Resolve, or any program that reads OpenTimelineIO: File, Import, Timeline"),
    "losslesscut": Format(".losslesscut.csv", _one(lossless_cut_text), "LosslessCut: open the film, then Import project, Times in seconds (CSV)"),
    "fcpxml": Format(".fcpxml", _one(fcpxml_text), "Final Cut Pro: File, Import, XML; DaVinci Resolve: File, Import, Timeline"),
    "edl": Format(".edl", lambda listing, _: edl_texts(listing), "any editing program: a list of cuts, one after the other"),
}  # fmt: skip


def write_listing(out: Path, listing: Listing, formats: list[str]) -> list[Path]:
    """Write a film in some formats, each file whole or not at all; the files.

    Raises:
        InputError: a format cannot hold the film; those before it are written.
    """
    paths = []
    for name in formats:
        one = FORMATS[name]
        texts = one.texts(listing, out)
        for place, text in enumerate(texts, start=1):
            part = f"-{place}-of-{len(texts)}" if len(texts) > 1 else ""
            paths.append(out / f"{listing.video_id}{part}{one.ending}")
            write_text(paths[-1], text)
    return paths
