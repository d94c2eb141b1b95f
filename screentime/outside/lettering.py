"""Text in pictures, whatever script it is of.

OpenCV's own font has Latin, Greek, Cyrillic, Chinese, Japanese and Korean letters. What it has not, and what is written from
the right or whose letters join, is left to a font of this machine and to Pillow, which sets such scripts.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from math import ceil
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from screentime.errors import InputError

# where systems keep fonts
PLACES = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts", "/Library/Fonts",
    "~/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
SUFFIXES = {".ttf", ".otf", ".ttc"}
PREFERRED = ("notosans-regular", "notosans", "dejavusans.", "dejavusans", "arialuni", "arial")  # fonts of many scripts
NO_LETTER = "\U0010fffe"  # a code that is no letter: what a font draws for it, it draws for every letter it has not
SET = {"R", "AL", "NSM"}  # bidirectional classes: from the right to the left, joining, marks upon letters


class Lettering:
    """Writes texts of one height.

    Args:
        height: of a line, pixels.
        file: a font for what OpenCV's has not, before those of the machine.

    Attributes:
        lacking: texts that no font here can write as they should be.

    Raises:
        InputError: the file is no font.
    """

    def __init__(self, height: int, file: Path | None = None) -> None:
        self.height, self.lacking = height, set()
        self._built_in = cv2.FontFace("sans")
        self._letter = max(6, round(height * 0.62))
        self._own = None
        if file is not None:
            self._own = _font(file, self._letter)
            if self._own is None:
                raise InputError(f"{file}: no font was found, a .ttf, .otf or .ttc file was expected; name another")
        self.mask = cache(self._mask)  # the same few texts come again in every frame

    def fitted(self, text: str, width: int) -> np.ndarray:
        """The mask of a text that is at most so many pixels wide: what is too long ends in an ellipsis."""
        mask = self.mask(text)
        while mask.shape[1] > width and len(text) > 1:
            text = text[:-1]
            mask = self.mask(f"{text.rstrip()}\N{HORIZONTAL ELLIPSIS}")
        return mask[:, : max(0, width)]

    def _mask(self, text: str) -> np.ndarray:
        """How much of each pixel a text covers, (height, width) float32 in [0, 1]."""
        text = " ".join(text.split())
        needs_setting = any(unicodedata.bidirectional(letter) in SET for letter in text)
        if not needs_setting and self._has_built_in(text):
            return self._of_built_in(text)
        if features.check("raqm") or not needs_setting:
            fonts = [self._own] if self._own else (_font(path, self._letter) for path in _installed())
            for font in fonts:
                if font is not None and _has(font, text):
                    return self._of_font(text, font)
        self.lacking.add(text)
        return self._of_built_in(text)

    def _of_built_in(self, text: str) -> np.ndarray:
        place = 0, round(self.height * 0.76)
        _, _, width, _ = cv2.getTextSize((1 << 15, self.height), text, place, self._built_in, self._letter, 400)
        line = np.zeros((self.height, width + 2), np.uint8)
        cv2.putText(line, text, place, 255, self._built_in, self._letter, 400)
        return line.astype(np.float32) / 255

    def _of_font(self, text: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
        line = Image.new("L", (max(1, ceil(font.getlength(text))), self.height))
        ImageDraw.Draw(line).text((0, round(self.height * 0.76)), text, 255, font, anchor="ls")
        return np.asarray(line, np.float32) / 255

    def _has_built_in(self, text: str) -> bool:
        nothing = self._of_built_in(NO_LETTER)
        return all(
            not np.array_equal(self._of_built_in(letter), nothing) for letter in set(text) if not letter.isspace()
        )


def _font(path: Path, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(str(path), size)
    except OSError:
        return None


def _has(font: ImageFont.FreeTypeFont, text: str) -> bool:
    """Whether a font has all letters of a text."""
    nothing = bytes(font.getmask(NO_LETTER))
    return all(bytes(font.getmask(letter)) != nothing for letter in set(text) if not letter.isspace())


@cache
def _installed() -> tuple[Path, ...]:
    """The fonts of this machine, those first that have many scripts."""

    def found() -> Iterator[Path]:
        for place in map(Path, PLACES):
            yield from (path for path in place.expanduser().rglob("*") if path.suffix.lower() in SUFFIXES)
        beside = find_spec("matplotlib")  # its fonts come with the whole environment
        for place in (beside.submodule_search_locations or []) if beside else []:
            yield from Path(place).glob("mpl-data/fonts/ttf/DejaVuSans.ttf")

    def rank(path: Path) -> tuple[int, str]:
        name = path.name.lower()
        return next((place for place, one in enumerate(PREFERRED) if name.startswith(one)), len(PREFERRED)), str(path)

    return tuple(sorted(set(found()), key=rank))


def cover(image: np.ndarray, x: int, y: int, mask: np.ndarray, colour: Sequence[int]) -> None:
    """Colour a picture as far as a mask covers it; what would lie outside is left out."""
    part = image[y : y + mask.shape[0], x : x + mask.shape[1]]
    share = mask[: part.shape[0], : part.shape[1], None]
    part[:] = part * (1 - share) + np.array(colour, np.float32) * share
