"""A contact sheet: one picture of each appearance of a character, in order, with its time."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas

from screentime.files import write_bytes
from screentime.frames import Sampling, encode_jpeg
from screentime.ledger import Ledger
from screentime.outside.character_folders import folders_of
from screentime.outside.films import Film
from screentime.outside.lettering import Lettering, cover
from screentime.video import VideoSampler
from screentime.wording import count_text, seconds_text, stretch_text

COLUMNS, MOST = 6, 120  # pictures in a row, and on a sheet: of more appearances the longest are shown
SIDE, GAP, MARGIN, LINE = 320, 16, 40, 44  # pixels
PAPER, INK, QUIET = (252, 251, 247), (28, 28, 26), (104, 102, 94)
QUALITY = 88


def contact_sheets(
    folder: Path, *, film: Film, ledger: Ledger, appearances: pandas.DataFrame, characters: dict[str, int],
    cast: Sequence[str], sampling: Sampling,
) -> dict[Path, int]:  # fmt: skip
    """Write a sheet for each character, <character>/<video_id>_sheet.jpg; the film is read once for all of them.

    Args:
        folder: of the film.
        film: the film; its name is the title.
        ledger: what was scored.
        appearances: the table APPEARANCES of the film.
        characters: whose, and where each is in the scores.
        cast: the whole cast of the model.
        sampling: how the film was sampled.

    Returns:
        The sheets, and how many appearances each shows.
    """
    shown = {name: _longest(appearances[appearances["character"] == name]) for name in characters}
    best = {name: [_best(ledger, characters[name], row) for row in rows.itertuples()] for name, rows in shown.items()}
    images = _images(film.path, sampling, {place for places in best.values() for place in places})
    sheets, folders = {}, folders_of(cast)
    for name, rows in shown.items():
        path = folder / folders[name] / f"{film.video_id}_sheet.jpg"
        n_in_all = int((appearances["character"] == name).sum())
        sheet = _sheet(film.video_id, rows, n_in_all, [images[place] for place in best[name]])
        write_bytes(path, encode_jpeg(sheet, QUALITY))
        sheets[path] = len(rows)
    return sheets


def _longest(appearances: pandas.DataFrame) -> pandas.DataFrame:
    """As many appearances as a sheet has room for, the longest, in order."""
    lasts = appearances["end_s"] - appearances["start_s"]
    return appearances.assign(lasts_s=lasts).nlargest(MOST, "lasts_s").sort_values("start_s")


def _sheet(title: str, shown: pandas.DataFrame, n_in_all: int, images: list[np.ndarray]) -> np.ndarray:
    """The sheet of one character."""
    height = max((image.shape[0] for image in images), default=0)
    n_rows = -(-len(images) // COLUMNS)
    top = MARGIN + 2 * LINE
    size = 2 * MARGIN + COLUMNS * SIDE + (COLUMNS - 1) * GAP, top + n_rows * (height + LINE) + MARGIN
    sheet = np.full((*size[::-1], 3), PAPER, np.uint8)
    title_line, line = Lettering(46), Lettering(30)
    cover(sheet, MARGIN, MARGIN - 12, title_line.mask(title), INK)
    told = count_text(n_in_all, "appearance", "appearances")
    told += f", the {len(shown)} longest shown" if len(shown) < n_in_all else ""
    cover(sheet, MARGIN, MARGIN + 34, line.mask(told), QUIET)
    for number, (row, image) in enumerate(zip(shown.itertuples(), images, strict=True)):
        x = MARGIN + number % COLUMNS * (SIDE + GAP)
        y = top + number // COLUMNS * (height + LINE)
        left, above = x + (SIDE - image.shape[1]) // 2, y + height - image.shape[0]
        sheet[above : above + image.shape[0], left : left + image.shape[1]] = image
        cover(sheet, x, y + height + 4, line.mask(stretch_text(row.start_s, row.end_s)), INK)
        lasts = line.mask(f"{seconds_text(row.lasts_s)} s")
        cover(sheet, x + SIDE - lasts.shape[1], y + height + 4, lasts, QUIET)
    return sheet


def _best(ledger: Ledger, character: int, appearance: tuple) -> int:
    """The sample of an appearance in which the character is surest."""
    after = ledger.times_s >= appearance.start_s - 1e-6
    inside = np.flatnonzero(after & (ledger.times_s < appearance.end_s - 1e-6))
    return int(inside[ledger.model_scores[inside, character].argmax()])


def _images(film: Path, sampling: Sampling, places: set[int]) -> dict[int, np.ndarray]:
    """The pictures of some samples of a film, by their numbers."""
    found = {}
    for number, frame in enumerate(VideoSampler(film, Fraction(str(sampling.fps)), SIDE, every_frame=False)):
        if number in places:
            found[number] = frame.image
        if len(found) == len(places):
            break
    return found
