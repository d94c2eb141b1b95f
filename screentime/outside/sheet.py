"""A contact sheet: one picture of each appearance of a character, in order, with its time."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
from PIL import Image, ImageDraw, ImageFont

from screentime.files import new_file
from screentime.frames import Sampling
from screentime.ledger import Ledger
from screentime.video import VideoSampler
from screentime.wording import EN_DASH, count_text, seconds_text, stretch_text

COLUMNS, MOST = 6, 120  # pictures in a row, and on a sheet: of more appearances the longest are shown
SIDE, GAP, MARGIN, LINE = 320, 16, 40, 44  # pixels
PAPER, INK, QUIET = (252, 251, 247), (28, 28, 26), (104, 102, 94)
QUALITY = 88


def contact_sheet(
    path: Path, *, film: Path, title: str, appearances: pandas.DataFrame, ledger: Ledger, character: int, sampling: Sampling
) -> int:  # fmt: skip
    """Write a sheet as a JPEG.

    Args:
        path: the file.
        film: the film.
        title: above the pictures; left out where the letters are none of the font's, which are Latin.
        appearances: those of the character (start_s, end_s), in order.
        ledger: the scores of the film.
        character: the place of the character in them.
        sampling: how the film was sampled.

    Returns:
        How many appearances it shows.
    """
    shown = (
        appearances.assign(length_s=appearances["end_s"] - appearances["start_s"])
        .nlargest(MOST, "length_s")
        .sort_index()
    )
    places = [_best(ledger, character, row.start_s, row.end_s) for row in shown.itertuples()]
    images = _images(film, sampling, places)
    height = max((image.height for image in images), default=0)
    n_rows = -(-len(images) // COLUMNS)
    top = MARGIN + 2 * LINE
    size = 2 * MARGIN + COLUMNS * SIDE + (COLUMNS - 1) * GAP, top + n_rows * (height + LINE) + MARGIN
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    if title.isprintable() and title.encode("latin-1", "ignore").decode("latin-1") == title:
        draw.text((MARGIN, MARGIN - 8), title, INK, ImageFont.load_default(34))
    left_out = len(appearances) - len(shown)
    told = f"{count_text(len(appearances), 'appearance', 'appearances')}" + (
        f", the {len(shown)} longest shown" if left_out else ""
    )
    draw.text((MARGIN, MARGIN + 36), told, QUIET, ImageFont.load_default(20))
    small = ImageFont.load_default(20)
    for number, (row, image) in enumerate(zip(shown.itertuples(), images, strict=True)):
        x = MARGIN + number % COLUMNS * (SIDE + GAP)
        y = top + number // COLUMNS * (height + LINE)
        sheet.paste(image, (x + (SIDE - image.width) // 2, y + height - image.height))
        draw.text((x, y + height + 8), stretch_text(row.start_s, row.end_s).replace(EN_DASH, "-"), INK, small)
        lasts = f"{seconds_text(row.end_s - row.start_s)} s"
        draw.text((x + SIDE - draw.textlength(lasts, small), y + height + 8), lasts, QUIET, small)
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as partial:
        sheet.save(partial, "JPEG", quality=QUALITY)
    return len(shown)


def _best(ledger: Ledger, character: int, start_s: float, end_s: float) -> int:
    """The sample of an appearance in which the character is surest."""
    inside = np.flatnonzero((ledger.times_s >= start_s - 1e-6) & (ledger.times_s < end_s - 1e-6))
    return int(inside[ledger.model_scores[inside, character].argmax()])


def _images(film: Path, sampling: Sampling, places: list[int]) -> list[Image.Image]:
    """The pictures of some samples of a film, by their numbers, in order."""
    found = {}
    wanted = set(places)
    for number, frame in enumerate(VideoSampler(film, Fraction(str(sampling.fps)), SIDE, every_frame=False)):
        if number in wanted:
            found[number] = Image.fromarray(frame.image)
        if number >= max(places, default=-1):
            break
    return [found[place] for place in places]
