"""What the labeller says of answers, one sentence each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from screentime.labeller.film import Film
from screentime.labeller.sheet import Cell

WORDS = {"1": "there", "0": "not there", "?": "cannot be told"}


def answers_said(
    wanted: Mapping[str, Mapping[Cell, str]], films: Mapping[str, Film], cast: Sequence[str], left_out: int
) -> str:
    """One sentence on answers.

    Args:
        wanted: per film the answers of its cells.
        films: by video_id.
        cast: the characters.
        left_out: how many frames were left out, as an audit drew them.
    """
    cells = [(video, cell, answer) for video, of in wanted.items() for cell, answer in of.items()]
    if not cells:
        return "nothing written" + left_out_text(left_out)
    frames = {(video, cell.frame) for video, cell, _ in cells}
    by_character: dict[int, set[str]] = defaultdict(set)
    for _, cell, answer in cells:
        by_character[cell.character].add(answer)
    if len(by_character) == len(cast) > 1 and all(found == {"0"} for found in by_character.values()):
        what = "nobody"
    else:
        what = ", ".join(
            f"{cast[place]} {'/'.join(WORDS[answer] for answer in sorted(found))}"
            for place, found in sorted(by_character.items())
        )
    video, cell, _ = cells[0]
    where = films[video].clock(cell.frame) if len(frames) == 1 else f"{len(frames)} frames"
    return f"{where}: {what}{left_out_text(left_out)}"


def left_out_text(count: int) -> str:
    """What follows a sentence where frames of an audit were left out.

    >>> left_out_text(0), left_out_text(2)
    ('', ' (2 left out: they wait for the audit)')
    """
    return f" ({count} left out: {'they wait' if count > 1 else 'it waits'} for the audit)" if count else ""
