"""FCPXML 1.8, for Final Cut Pro and DaVinci Resolve: keyword ranges on the film in the browser, markers on it in a timeline.

Every time is a whole number of frames, written as an exact fraction of a second: 1001/30000s.
"""

from fractions import Fraction
from xml.etree import ElementTree
from xml.etree.ElementTree import SubElement

from screentime.editors.listing import Listing
from screentime.files import number


def fcpxml_text(listing: Listing) -> str:
    """The library of a film: an event with the film, its keywords, and a project."""
    clock = listing.clock
    rate = clock.grid
    zero, counting = clock.code_at_zero(rate)
    start, duration = _time(zero, rate), _time(listing.end_frame(rate), rate)
    code = "DF" if counting.drop else "NDF"
    root = ElementTree.Element("fcpxml", version="1.8")
    resources = SubElement(root, "resources")
    SubElement(
        resources, "format", id="r1", frameDuration=_time(1, rate), width=str(clock.width), height=str(clock.height)
    )
    heard = {}
    if clock.sound:
        heard = {"hasAudio": "1", "audioSources": "1", "audioChannels": str(clock.sound[1]), "audioRate": str(clock.sound[0])}  # fmt: skip
    SubElement(
        resources, "asset", id="r2", name=listing.video_id, src=listing.path.resolve().as_uri(), start=start,
        duration=duration, hasVideo="1", format="r1", **heard,
    )  # fmt: skip
    event = SubElement(SubElement(root, "library"), "event", name=listing.video_id)
    film = {"name": listing.video_id, "ref": "r2", "start": start, "duration": duration, "format": "r1", "tcFormat": code}  # fmt: skip
    in_browser = SubElement(event, "asset-clip", film)
    for name in listing.cast:
        SubElement(event, "keyword-collection", name=_keyword(name))
    project = SubElement(event, "project", name=f"{listing.video_id}: who is on screen")
    sequence = SubElement(project, "sequence", format="r1", duration=duration, tcStart="0s", tcFormat=code)
    in_timeline = SubElement(SubElement(sequence, "spine"), "asset-clip", film | {"offset": "0s"})
    for one in listing.in_order_of_time():
        first, end = listing.frames_of(one, rate)
        at, note = _time(zero + first, rate), f"score {number(one.score, 2)}"
        SubElement(
            in_browser, "keyword", start=at, duration=_time(end - first, rate), value=_keyword(one.name), note=note
        )
        SubElement(in_timeline, "marker", start=at, duration=_time(1, rate), value=one.name, note=note)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{body}\n'


def _keyword(name: str) -> str:
    """A name as one keyword: a comma would part it in two."""
    return name.replace(",", "\N{SINGLE LOW-9 QUOTATION MARK}")


def _time(frames: int, rate: Fraction) -> str:
    """A number of frames as seconds.

    >>> _time(1, Fraction(30000, 1001)), _time(50, Fraction(25))
    ('1001/30000s', '2s')
    """
    return f"{Fraction(frames) / rate}s"
