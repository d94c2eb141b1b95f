"""The screen-time table for a terminal: who, how long, how sure."""

from pathlib import Path

import pandas

from screentime.errors import InputError
from screentime.table_files import read_table
from screentime.tables import SCREEN_TIME
from screentime.text_table import table_lines
from screentime.wording import clock, seconds_text, share_text

HEADER = ("character", "on screen", "seconds", "95 % interval", "share", "basis")


def summary(reports: Path) -> str:
    """The table of a report folder, film by film, and the page to open.

    Raises:
        InputError: there is no report yet.
    """
    path = reports / "screen_time.csv"
    if not path.is_file():
        raise InputError(f"{path}: no report was found; run `dvc repro`")
    table = read_table(path, SCREEN_TIME)
    films = [video_id for video_id in dict.fromkeys(table["video_id"]) if video_id != "*"]
    shown = [*films, "*"] if len(films) > 1 else films
    parts = [_film(video_id, table[table["video_id"] == video_id]) for video_id in shown]
    return "\n\n".join([*parts, f"the report: {(reports / 'index.html').resolve().as_uri()}"])


def _film(video_id: str, rows: pandas.DataFrame) -> str:
    cells = [HEADER, *(_cells(row) for row in rows.itertuples())]
    lines = table_lines(cells, left=(0, len(HEADER) - 1))
    return "\n".join(["all films" if video_id == "*" else video_id, *lines])


def _cells(row: object) -> tuple[str, ...]:
    interval = "not audited" if pandas.isna(row.low) else f"{seconds_text(row.low)} to {seconds_text(row.high)}"
    return (row.character, clock(row.seconds), seconds_text(row.seconds), interval, share_text(row.share), row.basis)
