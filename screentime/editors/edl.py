"""CMX3600 edit decision lists: an event for each appearance, character by character, one after the other on one track.

The source times are the film's own time code, counted from 00:00:00:00 where it has none. Such a list holds 999 events and
24 hours: what is more goes into further lists.
"""

import re
import unicodedata

from screentime.editors.listing import Appearance, Listing, in_one_line
from screentime.editors.timecode import Counting, time_code
from screentime.errors import InputError
from screentime.files import number

MOST_EVENTS = 999
REEL_LETTERS = 8
RECORD_HOUR = 1  # programmes begin at one o'clock


def edl_texts(listing: Listing) -> list[str]:
    """The lists of a film, one unless there is too much for it.

    Raises:
        InputError: the film's clock passes 24 hours, which no time code can say.
    """
    rate = listing.clock.grid
    zero, counting = listing.clock.code_at_zero(rate)
    if listing.end_frame(rate) > counting.day:
        raise InputError(
            f"{listing.path}: its last frame is at {number(float(listing.clock.first_s + listing.length_s), 0)} s of the film's clock, less than "
            "24 hours were expected, which is how far time code counts; count from where the film begins (--clock start), or leave "
            "out edl"
        )
    begin = RECORD_HOUR * counting.day // 24
    lists: list[list[tuple[Appearance, int, int]]] = [[]]
    at = begin
    for one in listing.appearances:
        first, end = listing.frames_of(one, rate)
        if len(lists[-1]) == MOST_EVENTS or at + end - first > counting.day:
            lists.append([])
            at = begin
        lists[-1].append((one, zero + first, zero + end))
        at += end - first
    parts = [f" {place} of {len(lists)}" if len(lists) > 1 else "" for place in range(1, len(lists) + 1)]
    return [_text(listing, events, counting, part) for events, part in zip(lists, parts, strict=True)]


def _text(listing: Listing, events: list[tuple[Appearance, int, int]], counting: Counting, part: str) -> str:
    """One list."""
    out = [f"TITLE: {listing.video_id[:60]}{part}", f"FCM: {'DROP FRAME' if counting.drop else 'NON-DROP FRAME'}"]
    reel, record = reel_name(listing.video_id), RECORD_HOUR * counting.day // 24
    for place, (one, first, end) in enumerate(events, start=1):
        times = (first, end, record, record + end - first)
        codes = " ".join(time_code(frame, counting) for frame in times)
        out += [
            f"{place:03}  {reel:<{REEL_LETTERS}} V     C        {codes}",
            f"* FROM CLIP NAME: {in_one_line(listing.path.name)}",
            f"* COMMENT: {one.name}",
        ]
        record += end - first
    return "\n".join(out) + "\n"


def reel_name(video_id: str) -> str:
    """A film's name as a reel's: at most 8 capital letters and digits; AX, which says that there is no reel, where none is left.

    >>> reel_name("Big Buck Bunny"), reel_name("Zoé 2"), reel_name("トム")
    ('BIGBUCKB', 'ZOE2', 'AX')
    """
    letters = unicodedata.normalize("NFKD", video_id).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Z0-9]", "", letters.upper())[:REEL_LETTERS] or "AX"
