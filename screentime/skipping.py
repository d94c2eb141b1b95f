"""Ranges that are not part of a film (credits, recaps, adverts), added to its skip file and taken out again."""

from pathlib import Path

import pandas

from screentime.errors import InputError
from screentime.labels import read_skips
from screentime.table_files import write_table
from screentime.tables import SKIP
from screentime.wording import stretch_text


def skip(path: Path, start_s: float, end_s: float, reason: str, length_s: float) -> float:
    """Add a range to a skip file.

    Args:
        path: data/labels/<video_id>.skip.csv; need not be there.
        start_s, end_s: the range, `[start_s, end_s)`, seconds.
        reason: why it is left out.
        length_s: the film's length, seconds.

    Returns:
        How many seconds of the film are left out now.

    Raises:
        InputError: the range is empty, there is no reason, or it is there already.
    """
    if end_s <= start_s:
        raise InputError(f"END: {end_s:g} s was found, a time after START {start_s:g} s was expected; correct it")
    if not reason.strip():
        raise InputError("--reason: nothing was found, why it is left out was expected; the report shows it")
    rows = read_skips(path, length_s)
    same = rows[(rows["start_s"] == start_s) & (rows["end_s"] == end_s)]
    if len(same):
        raise InputError(
            f"{path}: line {same['line'].iloc[0]}: {stretch_text(start_s, end_s)} is left out already "
            f"({same['reason'].iloc[0]}), a new range was expected; nothing to do"
        )
    new = pandas.DataFrame([{"start_s": start_s, "end_s": end_s, "reason": reason.strip()}])
    rows = pandas.concat([rows[["start_s", "end_s", "reason"]], new]) if len(rows) else new
    write_table(path, rows, SKIP)
    return _covered_s(rows)


def unskip(path: Path, start_s: float, length_s: float) -> list[tuple[float, float, str]]:
    """Take the ranges that hold a moment out of a skip file; the ranges, and the file goes with the last one.

    Raises:
        InputError: no range holds it.
    """
    rows = read_skips(path, length_s)
    hit = (rows["start_s"] <= start_s) & (start_s < rows["end_s"])
    if not hit.any():
        ranges = ", ".join(stretch_text(row.start_s, row.end_s) for row in rows.itertuples()) or "none"
        raise InputError(
            f"{path}: no range holds {start_s:g} s, a moment in a skipped range was expected; the ranges are {ranges}"
        )
    if hit.all():
        path.unlink()
    else:
        write_table(path, rows[~hit], SKIP)
    return [(row.start_s, row.end_s, row.reason) for row in rows[hit].itertuples()]


def _covered_s(rows: pandas.DataFrame) -> float:
    """Seconds that ranges cover together; they may overlap."""
    total = reached = 0.0
    for row in rows.sort_values("start_s").itertuples():
        total += max(row.end_s - max(row.start_s, reached), 0.0)
        reached = max(reached, row.end_s)
    return total
