"""WebVTT (W3C), for browsers and players: a cue for each appearance, its text the name, in the character's colour."""

from html import escape

from screentime.editors.listing import Listing
from screentime.outside.overlay import COLOURS


def webvtt_text(listing: Listing) -> str:
    """The cues of a film, in order of time; those that overlap a player puts under each other."""
    numbers = {name: number for number, name in enumerate(listing.cast)}
    title = listing.video_id.replace("-->", "->")
    blocks = ["WEBVTT", f"NOTE\nWho is on screen in {title}, as a model sees it."]
    if listing.cast:
        rules = [
            f"::cue(.character{number}) {{ color: #{bytes(COLOURS[number % len(COLOURS)]).hex()} }}"
            for number in numbers.values()
        ]
        blocks.append("\n".join(["STYLE", *rules]))
    for number, one in enumerate(listing.in_order_of_time(), start=1):
        begin = listing.clock.milliseconds(one.start_s)
        end = max(begin + 1, listing.clock.milliseconds(one.end_s))
        name = escape(one.name, quote=False)
        voice = f"<v.character{numbers[one.name]} {name}>{name}</v>"
        blocks.append(f"{number}\n{_clock(begin)} --> {_clock(end)}\n{voice}")
    return "\n\n".join(blocks) + "\n"


def _clock(milliseconds: int) -> str:
    """hh:mm:ss.ttt.

    >>> _clock(3_723_004)
    '01:02:03.004'
    """
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
