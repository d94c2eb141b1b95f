"""The frames of a film with something drawn in, whatever it is."""

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from screentime.in_order import in_order
from screentime.outside.films import Film
from screentime.video import NativeFrame, NativeFrames

Told = TypeVar("Told")
Overlay = TypeVar("Overlay")


@dataclass(frozen=True)
class Look:
    """Which frames of a film are drawn into, how large they are, and in what letters.

    Attributes:
        from_s, until_s: no frame that ends before from_s, or begins at until_s or later, is wanted, seconds.
        max_side: pictures are not larger than that, pixels; None: as large as the film's.
        font: a font to be asked first.
    """

    from_s: float = 0.0
    until_s: float = math.inf
    max_side: int | None = None
    font: Path | None = None


class Drawing(ABC, Generic[Told, Overlay]):
    """The frames of a film with something drawn in: iterate once.

    Args:
        film: the film.
        look: which frames, and how.
        at_once: pictures that are worth drawing into at once.

    Attributes:
        frames: the film.
        look: as given.
        overlay: what draws; known from the first frame on.

    Raises (while iterating):
        InputError: the film cannot be read, or the font.
    """

    def __init__(self, film: Film, look: Look, at_once: int) -> None:
        self.frames, self.look = NativeFrames(film.path), look
        self.overlay: Overlay | None = None
        self._at_once = at_once

    def __iter__(self) -> Iterator[tuple[NativeFrame, np.ndarray]]:
        """Each frame with its image, (height, width, 3) uint8 RGB, upright, all of one size."""
        yield from in_order(lambda one: (one[0], self._drawn(*one)), self._pictures(), self._at_once)

    @abstractmethod
    def _told(self, frames: Iterator[NativeFrame]) -> Iterator[tuple[NativeFrame, Told]]:
        """Frames with what is to be told of each, in order."""

    @abstractmethod
    def _overlay(self, size: tuple[int, int]) -> Overlay:
        """What draws into pictures of that width and height."""

    @abstractmethod
    def _drawn(self, frame: NativeFrame, told: Told, image: np.ndarray) -> np.ndarray:
        """The image of a frame, drawn into."""

    def _pictures(self) -> Iterator[tuple[NativeFrame, Told, np.ndarray]]:
        for frame, told in self._told(_between(self.frames, self.look)):
            image = frame.image(self.look.max_side or sys.maxsize)
            if self.overlay is None:
                self.overlay = self._overlay((image.shape[1], image.shape[0]))
            yield frame, told, image


def _between(frames: Iterable[NativeFrame], look: Look) -> Iterator[NativeFrame]:
    """The frames that are wanted."""
    for frame in frames:
        if float(frame.start_s) >= look.until_s:
            return
        if float(frame.end_s) > look.from_s:
            yield frame
