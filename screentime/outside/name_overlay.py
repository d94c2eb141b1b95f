"""What is drawn into the frames of a film that no model knows: the names a network has for them, with their probabilities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from screentime.outside.lettering import Lettering, cover
from screentime.outside.overlay import COLOURS, LEAST, LINES, PANEL_SHARE, QUIET, TEXT, TROUGH, fill, shade
from screentime.wording import clock

BAR, BAR_LINES = COLOURS[1], 3  # colour, and width in heights of a line
USUAL_LETTERS = 32  # of ImageNet's thousand names two are longer; the panel is wide enough for all others


class NameOverlay:
    """Draws into pictures of one size.

    The panel keeps its size, whatever the names: one that followed them would twitch. Where a picture is too narrow for the
    longest name the bars are left out, and names that still have no room end in an ellipsis.

    Args:
        size: width and height of the pictures.
        names: all names there are, in the order of the classes.
        top: how many of them a frame has.
        font: a font to be asked first.

    Attributes:
        n_shown: how many names there is room for.
    """

    def __init__(self, size: tuple[int, int], names: Sequence[str], top: int, font: Path | None = None) -> None:
        width, height = size
        self._names = names
        self._line = line = max(LEAST, round(min(height, width * 9 / 16) / LINES))
        self.n_shown = min(top, max(1, int(height * PANEL_SHARE / (line * 1.3)) - 1))
        self._letters = Lettering(line, font)
        gap = line // 2
        longest = sorted((name for name in names if len(name) <= USUAL_LETTERS), key=len)[-40:]
        widest = max(self._letters.mask(name).shape[1] for name in longest)
        score, bar = round(1.8 * line), BAR_LINES * line + gap
        self._bar = gap if 2 * gap + score + bar + widest <= width else None
        self._score = gap + (bar if self._bar else 0)
        self._name = self._score + score
        self._widest = min(widest, width - self._name - gap)
        self._panel = min(width, self._name + self._widest + gap), round((self.n_shown + 1) * 1.3 * line) + gap

    def draw(
        self, image: np.ndarray, time_s: float, classes: np.ndarray, probabilities: np.ndarray, named_s: float | None
    ) -> np.ndarray:
        """A picture with its names drawn in.

        Args:
            image: (height, width, 3) uint8 RGB; it is not changed.
            time_s: when it is on screen, seconds from the first frame.
            classes: (top,) int64, the most probable classes, in order.
            probabilities: (top,) float64 in [0, 1], theirs.
            named_s: the moment of the frame that is called so, seconds, which is told; None: this very frame.

        Returns:
            (height, width, 3) uint8 RGB.
        """
        image, line = image.copy(), self._line
        shade(image, 0, 0, *self._panel)
        told = clock(time_s) if named_s is None else f"{clock(time_s)}, names of {clock(named_s)}"
        cover(image, line // 2, line // 4, self._letters.fitted(told, self._panel[0] - line), QUIET)
        for row, (number, share) in enumerate(zip(classes[: self.n_shown], probabilities, strict=False)):
            y = round((row + 1) * 1.3 * line) + line // 4
            colour = QUIET if row else TEXT
            if self._bar:
                fill(image, self._bar, y + line // 3, BAR_LINES * line, line // 3, TROUGH)
                fill(image, self._bar, y + line // 3, round(BAR_LINES * line * float(share)), line // 3, BAR)
            cover(image, self._score, y, self._letters.mask(f"{share:.2f}"), colour)
            cover(image, self._name, y, self._letters.fitted(self._names[number], self._widest), colour)
        return image
