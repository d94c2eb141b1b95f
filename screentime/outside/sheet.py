"""A contact sheet: one picture of each appearance of a character, in order, with its time."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
from PIL import Image, ImageDraw, ImageFont

from screentime.files import new_file
from screentime.frames import Sampling
from screentime.ledger import Ledger
from screentime.outside.extraction import folder_name
from screentime.outside.films import Film
from screentime.video import VideoSampler
from screentime.wording import EN_DASH, count_text, seconds_text, stretch_text

COLUMNS, MOST = 6, 120  # pictures in a row, and on a sheet: of more appearances the longest are shown
SIDE, GAP, MARGIN, LINE = 320, 16, 40, 44  # pixels
PAPER, INK, QUIET = (252, 251, 247), (28, 28, 26), (104, 102, 94)
QUALITY = 88


def contact_sheets(
    folder: Path, *, film: Film, ledger: Ledger, appearances: pandas.DataFrame, characters: dict[str, int], sampling: Sampling
) -> dict[Path, int]:  # fmt: skip
    """Write a sheet for each character, <character>/<video_id>_sheet.jpg; the film is read once for all of them.

    Args:
        folder: of the film.
        film: the film; its name is the title, where the letters are the font's, which are Latin.
        ledger: what was scored.
        appearances: the table APPEARANCES of the film.
        characters: whose, and where each is in the scores.
        sampling: how the film was sampled.

    Returns:
        The sheets, and how many appearances each shows.
    """
    shown = {name: _longest(appearances[appearances["character"] == name]) for name in characters}
    best = {name: [_best(ledger, characters[name], row) for row in rows.itertuples()] for name, rows in shown.items()}
    images = _images(film.path, sampling, {place for places in best.values() for place in places})
    sheets = {}
    for name, rows in shown.items():
        path = folder / folder_name(name) / f"{film.video_id}_sheet.jpg"
        n_in_all = int((appearances["character"] == name).sum())
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as partial:
            _sheet(film.video_id, rows, n_in_all, [images[place] for place in best[name]]).save(
                partial, "JPEG", quality=QUALITY
            )
        sheets[path] = len(rows)
    return sheets


def _longest(appearances: pandas.DataFrame) -> pandas.DataFrame:
    """As many appearances as a sheet has room for, the longest, in order."""
    lasts = appearances["end_s"] - appearances["start_s"]
    return appearances.assign(lasts_s=lasts).nlargest(MOST, "lasts_s").sort_values("start_s")


def _sheet(title: str, shown: pandas.DataFrame, n_in_all: int, images: list[Image.Image]) -> Image.Image:
    """The sheet of one character."""
    height = max((image.height for image in images), default=0)
    n_rows = -(-len(images) // COLUMNS)
    top = MARGIN + 2 * LINE
    size = 2 * MARGIN + COLUMNS * SIDE + (COLUMNS - 1) * GAP, top + n_rows * (height + LINE) + MARGIN
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    if title.isprintable() and title.encode("latin-1", "ignore").decode("latin-1") == title:
        draw.text((MARGIN, MARGIN - 8), title, INK, ImageFont.load_default(34))
    told = count_text(n_in_all, "appearance", "appearances")
    told += f", the {len(shown)} longest shown" if len(shown) < n_in_all else ""
    draw.text((MARGIN, MARGIN + 36), told, QUIET, ImageFont.load_default(20))
    small = ImageFont.load_default(20)
    for number, (row, image) in enumerate(zip(shown.itertuples(), images, strict=True)):
        x = MARGIN + number % COLUMNS * (SIDE + GAP)
        y = top + number // COLUMNS * (height + LINE)
        sheet.paste(image, (x + (SIDE - image.width) // 2, y + height - image.height))
        draw.text((x, y + height + 8), stretch_text(row.start_s, row.end_s).replace(EN_DASH, "-"), INK, small)
        lasts = f"{seconds_text(row.lasts_s)} s"
        draw.text((x + SIDE - draw.textlength(lasts, small), y + height + 8), lasts, QUIET, small)
    return sheet


def _best(ledger: Ledger, character: int, appearance: tuple) -> int:
    """The sample of an appearance in which the character is surest."""
    after = ledger.times_s >= appearance.start_s - 1e-6
    inside = np.flatnonzero(after & (ledger.times_s < appearance.end_s - 1e-6))
    return int(inside[ledger.model_scores[inside, character].argmax()])


def _images(film: Path, sampling: Sampling, places: set[int]) -> dict[int, Image.Image]:
    """The pictures of some samples of a film, by their numbers."""
    found = {}
    for number, frame in enumerate(VideoSampler(film, Fraction(str(sampling.fps)), SIDE, every_frame=False)):
        if number in places:
            found[number] = Image.fromarray(frame.image)
        if len(found) == len(places):
            break
    return found
