"""What is drawn into the frames of a film: who is there with what probability, for how long so far, and a ribbon of the film."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from screentime.outside.lettering import Lettering, cover
from screentime.wording import clock

# told apart with any eyes: Okabe and Ito, Color Universal Design, 2008
COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (150, 180, 255),
    (200, 200, 200),
)
BACK = (12, 12, 12)
SHADE = np.round(np.arange(256) * 0.28 + 12 * 0.72).astype(np.uint8)  # behind all text: readable on white and on black
TROUGH = (112, 112, 118)  # of a bar: lighter than the shade on any picture
TEXT, QUIET = (255, 255, 255), (196, 196, 200)
LINES = 26  # text lines in the height of a picture
LEAST = 14  # pixels: a line is never lower
PANEL_SHARE = 0.62  # of the height may be names


class Overlay:
    """Draws into pictures of one size, time after time.

    Args:
        size: width and height of the pictures.
        cast: the characters, in the order of the scores.
        times_s, durations_s: (n_samples,) float64, seconds.
        scores: (n_samples, n_characters) float64 in [0, 1], of the samples.
        threshold: from here on a character is taken to be visible.
        font: a font to be asked first.

    Attributes:
        shown: the characters that there is room for, in order; where not for all, those with the most seconds.
        lacking: names whose letters no font here has.
    """

    def __init__(
        self,
        size: tuple[int, int],
        cast: Sequence[str],
        times_s: np.ndarray,
        durations_s: np.ndarray,
        scores: np.ndarray,
        threshold: float,
        font: Path | None = None,
    ) -> None:
        width, height = size
        self._line = line = max(LEAST, round(min(height, width * 9 / 16) / LINES))
        room = max(1, int(height * PANEL_SHARE / (line * 1.3)) - 1)
        seconds = durations_s @ scores
        kept = sorted(np.argsort(-seconds, kind="stable")[:room].tolist())
        self.shown = [cast[place] for place in kept]
        self._places, self._threshold = kept, threshold
        self._durations, self._times = durations_s, times_s
        self._sums = np.concatenate([np.zeros((1, len(cast))), np.cumsum(durations_s[:, None] * scores, axis=0)])
        self._scores = scores
        self._letters = Lettering(line, font)
        names = [self._letters.mask(name) for name in self.shown]
        self.lacking = set(self._letters.lacking)
        widest = min(max((name.shape[1] for name in names), default=0), round(width * 0.3))
        gap = line // 2
        self._columns = {"name": gap + line, "bar": 2 * gap + line + widest}
        self._columns["score"] = self._columns["bar"] + 4 * line + gap
        self._columns["clock"] = self._columns["score"] + round(2.4 * line)
        self._panel = min(width, self._columns["clock"] + round(2.6 * line)), round((len(kept) + 1) * 1.3 * line) + gap
        self._names = [name[:, :widest] for name in names]
        self._length_s = float(times_s[-1] + durations_s[-1]) if len(times_s) else 0.0
        self._ribbon = self._drawn_ribbon(width)[-height:]
        self._lit = (self._ribbon != BACK).any(axis=2)

    def draw(self, image: np.ndarray, time_s: float, scores: np.ndarray | None = None) -> np.ndarray:
        """A picture with everything drawn in.

        Args:
            image: (height, width, 3) uint8 RGB; it is not changed.
            time_s: when it is on screen, seconds from the first frame.
            scores: (n_characters,) float64, of this very frame; None: those of the sample on screen, whose time is then told.

        Returns:
            (height, width, 3) uint8 RGB.
        """
        image = image.copy()
        sample = max(0, int(np.searchsorted(self._times, time_s + 1e-6)) - 1)
        since_s = min(max(time_s - self._times[sample], 0.0), self._durations[sample])
        so_far = self._sums[sample] + since_s * self._scores[sample]
        now = self._scores[sample] if scores is None else scores
        line = self._line
        shade(image, 0, 0, *self._panel)
        told = clock(time_s) if scores is not None else f"{clock(time_s)}, scores of {clock(self._times[sample])}"
        self._write(image, line // 2, line // 4, told, QUIET)
        for row, place in enumerate(self._places):
            y = round((row + 1) * 1.3 * line) + line // 4
            colour, score = COLOURS[place % len(COLOURS)], float(now[place])
            there = score >= self._threshold
            fill(image, line // 2, y + line // 4, line // 2, line // 2, colour if there else BACK)
            _frame(image, line // 2, y + line // 4, line // 2, line // 2, colour)
            cover(image, self._columns["name"], y, self._names[row], TEXT if there else QUIET)
            fill(image, self._columns["bar"], y + line // 3, 4 * line, line // 3, TROUGH)
            fill(image, self._columns["bar"], y + line // 3, round(4 * line * score), line // 3, colour)
            self._write(image, self._columns["score"], y, f"{score:.2f}", TEXT if there else QUIET)
            self._write(image, self._columns["clock"], y, clock(so_far[place]), TEXT if there else QUIET)
        height = self._ribbon.shape[0]
        band = image[-height:]
        band[:] = SHADE[band]
        band[self._lit] = self._ribbon[self._lit]
        x = round((image.shape[1] - 1) * min(time_s / self._length_s, 1.0)) if self._length_s else 0
        fill(image, x - max(1, line // 12), image.shape[0] - height, max(2, line // 6), height, TEXT)
        return image

    def _drawn_ribbon(self, width: int) -> np.ndarray:
        """The whole film, (height, width, 3) uint8: a row for each character, in colour as far as its score reaches."""
        row = max(4, self._line // 2)
        ribbon = np.full((len(self._places) * (row + 2) + 2, width, 3), BACK, np.uint8)
        if not self._length_s:
            return ribbon
        moments = (np.arange(width) + 0.5) / width * self._length_s
        at = np.clip(np.searchsorted(self._times, moments) - 1, 0, None)
        for number, place in enumerate(self._places):
            heights = np.round(self._scores[at, place] * row).astype(int)
            y = 2 + number * (row + 2)
            lit = np.arange(row)[:, None] >= row - heights[None]
            ribbon[y : y + row][lit] = COLOURS[place % len(COLOURS)]
        return ribbon

    def _write(self, image: np.ndarray, x: int, y: int, text: str, colour: Sequence[int]) -> None:
        cover(image, x, y, self._letters.mask(text), colour)


def shade(image: np.ndarray, x: int, y: int, width: int, height: int) -> None:
    """Darken a part of a picture, so that text on it can be read."""
    part = image[y : y + height, x : x + width]
    part[:] = SHADE[part]


def fill(image: np.ndarray, x: int, y: int, width: int, height: int, colour: Sequence[int]) -> None:
    image[max(0, y) : y + height, max(0, x) : max(0, x + width)] = colour


def _frame(image: np.ndarray, x: int, y: int, width: int, height: int, colour: Sequence[int]) -> None:
    """An empty box with a border of one pixel."""
    for part in ((x, y, width, 1), (x, y + height - 1, width, 1), (x, y, 1, height), (x + width - 1, y, 1, height)):
        fill(image, *part, colour)
