"""What the folder of each character is called, on any file system."""

import re
from collections.abc import Sequence

from screentime.outside.films import numbered

# devices of Windows, whatever follows after a point, and what lies beside the folders
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
TABLES = {"frames.csv", "clips.csv", "timeline.csv", "appearances.csv"}
MOST_BYTES = 200  # of 255 that a name may have: a number may follow


def folders_of(cast: Sequence[str]) -> dict[str, str]:
    """A folder for each character, no two alike without regard to case; a name that can be a folder's stays as it is.

    Args:
        cast: the whole cast of the model, so that a character's folder is the same whoever else is asked for.

    >>> folders_of(["tom/Jerry", "Tom_Jerry", "aux", "Who?"])
    {'tom/Jerry': 'tom_Jerry_2', 'Tom_Jerry': 'Tom_Jerry', 'aux': 'aux_', 'Who?': 'Who_'}
    """
    allowed = {name: _allowed(name) for name in cast}
    order = sorted(cast, key=lambda name: allowed[name] != name)  # who can, keeps the name
    given = dict(zip(order, numbered([allowed[name] for name in order]), strict=True))
    return {name: given[name] for name in cast}


def _allowed(name: str) -> str:
    """The nearest name that every file system takes."""
    text = (
        re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", name).encode()[:MOST_BYTES].decode(errors="ignore").strip(". ") or "_"
    )
    taken = text.casefold()
    return f"{text}_" if taken in TABLES or taken.partition(".")[0].rstrip() in DEVICES else text
