"""OpenTimelineIO (.otio, its JSON): the film on the lowest track, above it a track for each character with its appearances.

Written without the library, whose schemas these are: Timeline.1, Stack.1, Track.1, Clip.2, Gap.1, ExternalReference.1,
TimeRange.1, RationalTime.1. Times are whole frames at the film's own rate.
"""

import json
from fractions import Fraction

from screentime.editors.listing import Appearance, Listing


def otio_text(listing: Listing) -> str:
    """The timeline of a film. Its zero is the zero of the film's clock; clips count from the film's own time code."""
    rate = listing.clock.rate
    zero, _ = listing.clock.code_at_zero(rate)
    end = listing.end_frame(rate)
    media = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "name": listing.path.name,
        "target_url": listing.path.resolve().as_uri(),
        "available_range": _range(zero, end, rate),
        "metadata": {},
    }
    film = _track("film", [_clip(listing.video_id, media, _range(zero, end, rate), {})])
    tracks = [film, *(_character(name, listing, media, zero) for name in listing.cast)]
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": listing.video_id,
        "global_start_time": _time(zero, rate),
        "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": tracks} | _plain(),
        "metadata": {"screentime": {"rate": str(rate), "constant_rate": listing.clock.constant}},
    }
    return json.dumps(timeline, ensure_ascii=False, indent=1) + "\n"


def _character(name: str, listing: Listing, media: dict, zero: int) -> dict:
    """The track of a character: its appearances at their places, gaps between."""
    rate = listing.clock.rate
    items, at = [], 0
    for one in (one for one in listing.appearances if one.name == name):
        first, end = listing.frames_of(one, rate)
        first = max(first, at)  # two appearances within one frame
        if first >= end:
            continue
        if first > at:
            items.append({"OTIO_SCHEMA": "Gap.1", "name": "", "source_range": _range(0, first - at, rate)} | _plain())
        items.append(_clip(name, media, _range(zero + first, end - first, rate), _told(one)))
        at = end
    return _track(name, items)


def _told(one: Appearance) -> dict:
    """What a clip has to say beside its name."""
    return {"screentime": {"character": one.name, "score": round(one.score, 6)}}


def _track(name: str, items: list[dict]) -> dict:
    return {"OTIO_SCHEMA": "Track.1", "name": name, "kind": "Video", "children": items, "source_range": None} | _plain()


def _clip(name: str, media: dict, source_range: dict, metadata: dict) -> dict:
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": name,
        "source_range": source_range,
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
    } | _plain(metadata)


def _plain(metadata: dict | None = None) -> dict:
    """What every item has."""
    return {"metadata": metadata or {}, "effects": [], "markers": [], "enabled": True}


def _range(start: int, duration: int, rate: Fraction) -> dict:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _time(start, rate),
        "duration": _time(duration, rate),
    }


def _time(frames: int, rate: Fraction) -> dict:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frames)}
