"""WebVTT (W3C), for browsers and players: a cue for each appearance, spoken by the character, its text the name."""

import re
from html import escape

from screentime.editors.listing import Listing

_REWRITTEN = re.compile(r"[&<>{}\\]")


def webvtt_text(listing: Listing) -> str:
    """The cues of a film, in order of time; those that overlap a player puts under each other.

    No colours: a STYLE block ends the reading in players built on FFmpeg 5 and older. A page can give them by
    `::cue(v[voice="tom"])`.
    """
    title = listing.video_id.replace("-->", "->")
    blocks = ["WEBVTT", f"NOTE\nWho is on screen in {title}."]
    for number, one in enumerate(listing.in_order_of_time(), start=1):
        begin = listing.clock.milliseconds(one.start_s)
        end = max(begin + 1, listing.clock.milliseconds(one.end_s))
        blocks.append(f"{number}\n{_clock(begin)} --> {_clock(end)}\n{_spoken(one.name)}")
    return "\n\n".join(blocks) + "\n"


def _spoken(name: str) -> str:
    """A name as the text of a cue, and as the voice that speaks it.

    A voice is a word for style sheets. Players on FFmpeg take it for text from the first character on that they would write
    otherwise, so it goes without those.

    >>> _spoken("Tom & Jerry")
    '<v Tom Jerry>Tom &amp; Jerry</v>'
    """
    voice, text = " ".join(_REWRITTEN.sub(" ", name).split()), escape(name, quote=False)
    return f"<v {voice}>{text}</v>" if voice else text


def _clock(milliseconds: int) -> str:
    """hh:mm:ss.ttt.

    >>> _clock(3_723_004)
    '01:02:03.004'
    """
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
