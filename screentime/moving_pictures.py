"""Frames as an animated GIF with a line below: what every browser and message shows. Same frames, same bytes."""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

LINE = 22  # pixels of height of a line of text
LETTER = 13  # pixels of height of a letter
SHORTEST_S, LONGEST_S = 0.02, 1.0  # of one picture: browsers slow down what is shorter


def gif(images: Sequence[np.ndarray], shown_s: Sequence[float], lines: Sequence[str], width: int) -> bytes:
    """An animated GIF that begins again for ever.

    Args:
        images: (height, width, 3) uint8 RGB each, all of one size, at least one.
        shown_s: how long each is shown, seconds; kept between 0.02 and 1, whole hundredths.
        lines: of text below, in any script the font has (Latin, Greek, Cyrillic, Chinese, Japanese, Korean).
        width: pixels.
    """
    height = max(1, round(images[0].shape[0] * width / images[0].shape[1]))
    text = _text(lines, width)
    pictures = []
    for image in images:
        shrinks = width <= image.shape[1]
        scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        pictures.append(Image.fromarray(np.vstack([scaled, text])).quantize(256, Image.Quantize.MEDIANCUT, dither=0))
    hundredths = [round(100 * min(max(one, SHORTEST_S), LONGEST_S)) for one in shown_s]
    written = io.BytesIO()
    pictures[0].save(
        written, "GIF", save_all=True, append_images=pictures[1:], duration=[10 * one for one in hundredths], loop=0,
        optimize=False,
    )  # fmt: skip
    return written.getvalue()


def _text(lines: Sequence[str], width: int) -> np.ndarray:
    """(n_lines * LINE, width, 3) uint8: black on white; a line that is too long ends in an ellipsis."""
    font = cv2.FontFace("sans")
    band = np.full((len(lines) * LINE, width, 3), 255, np.uint8)
    for number, line in enumerate(lines):
        shown = line
        while _width(shown, font) > width - 8 and len(line) > 1:
            line = line[:-1]
            shown = f"{line}\N{HORIZONTAL ELLIPSIS}"
        cv2.putText(band, shown, (4, number * LINE + 16), (0, 0, 0), font, LETTER, 400)
    return band


def _width(text: str, font: cv2.FontFace) -> int:
    (_, _, width, _) = cv2.getTextSize((4096, LINE), text, (0, 16), font, LETTER, 400)
    return width


def shown_seconds(times_s: np.ndarray, last_s: float) -> list[float]:
    """How long each frame is shown: until the next one, the last for `last_s`.

    >>> shown_seconds(np.array([0.0, 0.04, 0.12]), last_s=0.04)
    [0.04, 0.08, 0.04]
    """
    return [*np.diff(times_s).round(6).tolist(), last_s]
