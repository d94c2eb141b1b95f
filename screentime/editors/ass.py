"""Advanced SubStation Alpha (v4.00+), for players and Aegisub: a style, a colour and a line of its own for each character."""

from screentime.editors.listing import Listing
from screentime.outside.overlay import COLOURS

_STYLE = (
    "Name", "Fontname", "Fontsize", "PrimaryColour", "SecondaryColour", "OutlineColour", "BackColour", "Bold", "Italic", "Underline",
    "StrikeOut", "ScaleX", "ScaleY", "Spacing", "Angle", "BorderStyle", "Outline", "Shadow", "Alignment", "MarginL", "MarginR",
    "MarginV", "Encoding",
)  # fmt: skip
_EVENT = ("Layer", "Start", "End", "Style", "Name", "MarginL", "MarginR", "MarginV", "Effect", "Text")
LINES = 18  # lines of text in the height of a picture
TOP_LEFT = 7
WORD_JOINER = "\N{WORD JOINER}"
BRACES = str.maketrans("{}", "\N{FULLWIDTH LEFT CURLY BRACKET}\N{FULLWIDTH RIGHT CURLY BRACKET}")


def ass_text(listing: Listing) -> str:
    """The script of a film: names stand in the upper left corner, each always at the same height, as long as there is room."""
    width, height = listing.clock.width, listing.clock.height
    line = max(4, round(height / LINES))
    rows = max(1, height // line - 1)
    styles = {name: _field(name) for name in listing.cast}
    out = [
        "[Script Info]",
        f"Title: Who is on screen in {listing.video_id}",
        "ScriptType: v4.00+",
        f"PlayResX: {width}",
        f"PlayResY: {height}",
        "ScaledBorderAndShadow: yes",
        "WrapStyle: 2",
        "",
        "[V4+ Styles]",
        f"Format: {', '.join(_STYLE)}",
    ]
    for number, style in enumerate(styles.values()):
        red, green, blue = COLOURS[number % len(COLOURS)]
        colour = f"&H00{blue:02X}{green:02X}{red:02X}"
        top = line // 2 + number % rows * line
        out.append(
            f"Style: {style},Arial,{line},{colour},{colour},&H00000000,&H80000000,-1,0,0,0,100,100,0,0,1,"
            f"{max(1, line // 10)},0,{TOP_LEFT},{line // 2},{line // 2},{top},1"
        )
    out += ["", "[Events]", f"Format: {', '.join(_EVENT)}"]
    for one in listing.in_order_of_time():
        begin = listing.clock.milliseconds(one.start_s) // 10
        end = max(begin + 1, listing.clock.milliseconds(one.end_s) // 10)
        style = styles[one.name]
        out.append(f"Dialogue: 0,{_clock(begin)},{_clock(end)},{style},{style},0,0,0,,{_spoken(one.name)}")
    return "\n".join(out) + "\n"


def _field(name: str) -> str:
    """A name as a field between commas: a comma ends it, and a leading star is dropped by renderers."""
    return name.replace(",", "\N{SINGLE LOW-9 QUOTATION MARK}").lstrip("*") or "_"


def _spoken(name: str) -> str:
    """A name as text: braces would begin an instruction, and not every renderer knows a way to write them, so wide ones stand for them.

    A backslash would begin one too, unless a character without width stands behind it.
    """
    return name.replace("\\", "\\" + WORD_JOINER).translate(BRACES)


def _clock(hundredths: int) -> str:
    """h:mm:ss.cc.

    >>> _clock(372_300)
    '1:02:03.00'
    """
    seconds, rest = divmod(hundredths, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:02}"
