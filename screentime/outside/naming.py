"""The frames of a film with the names that a network without any training of ours has for them drawn in."""

import math
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from screentime.backbones import Backbone
from screentime.files import sha256_of
from screentime.folders import n_cores
from screentime.imagenet import Classifier, Seen, looked_at_side
from screentime.in_order import in_order
from screentime.outside.annotation import between
from screentime.outside.films import Film
from screentime.outside.journal import Journal
from screentime.outside.name_overlay import NameOverlay
from screentime.timeline import microseconds
from screentime.video import NativeFrame, NativeFrames


@dataclass(frozen=True)
class Namer:
    """What gives frames names.

    Attributes:
        facts: the network.
        weights: "imagenet" or a file with the classifier.
        names: of all classes, in order.
        top: how many of them each frame gets, the most probable first.
    """

    facts: Backbone
    weights: str
    names: Sequence[str]
    top: int

    def key(self, film: Path) -> str:
        """What decides the names of a film's frames."""
        weights = self.weights if self.weights == "imagenet" else sha256_of(Path(self.weights))
        return f"{sha256_of(film)} {self.facts.name} {weights} {self.top}"


class Named:
    """The frames of a film with their names drawn in: iterate once.

    Args:
        film: the film.
        namer: what names it.
        seen: what its frames at every second are called, by `imagenet.seen_in`; None: every frame is named.
        journal: keeps the names of single frames.
        font: a font to be asked first.
        from_s, until_s: no frame that ends before from_s, or begins at until_s or later, is wanted.
        max_side: pictures are not larger than that, pixels; None: as large as the film.

    Attributes:
        overlay: what draws; known from the first frame on.
        frames: the film.
        seen: what the frames are called.

    Raises (while iterating):
        InputError: the film cannot be read, the font, or the weights.
    """

    def __init__(
        self,
        film: Film,
        *,
        namer: Namer,
        seen: list[Seen] | None,
        journal: Path,
        font: Path | None = None,
        from_s: float = 0.0,
        until_s: float = math.inf,
        max_side: int | None = None,
    ) -> None:
        self.frames = NativeFrames(film.path)
        self.overlay: NameOverlay | None = None
        self.seen: list[Seen] = [] if seen is None else seen
        self._film, self._namer, self._journal, self._font = film, namer, journal, font
        self._every_frame, self._from_s, self._until_s = seen is None, from_s, until_s
        self._max_side = max_side or sys.maxsize

    def __iter__(self) -> Iterator[tuple[NativeFrame, np.ndarray]]:
        """Each frame with its image, (height, width, 3) uint8 RGB, upright."""
        named = self._each_named() if self._every_frame else self._by_second()
        yield from in_order(lambda one: self._drawn(*one), self._with_overlay(named), n_cores())

    def _wanted(self) -> Iterator[NativeFrame]:
        return between(self.frames, self._from_s, self._until_s)

    def _by_second(self) -> Iterator[tuple[NativeFrame, Seen]]:
        moments_us = [microseconds(one.time_s) for one in self.seen]
        for frame in self._wanted():
            place = bisect_right(moments_us, microseconds(frame.start_s)) - 1
            yield frame, self.seen[max(0, place)]

    def _each_named(self) -> Iterator[tuple[NativeFrame, Seen]]:
        """Known names from the journal, others by the network."""
        classifier = Classifier(self._namer.facts, self._namer.weights)
        side = looked_at_side(classifier.side)
        with Journal(self._journal, self._namer.key(self._film.path)) as known:
            for is_known, frames in groupby(self._wanted(), lambda frame: known.get(_time_us(frame)) is not None):
                if is_known:
                    for frame in frames:
                        yield frame, self._seen(frame, known.get(_time_us(frame)))
                    continue
                shown = ((frame, frame.image(side)) for frame in frames)
                for frame, classes, probabilities in classifier.classified(shown, self._namer.top):
                    row = np.column_stack([classes, probabilities]).reshape(-1)
                    yield frame, self._seen(frame, known.add(_time_us(frame), row))

    def _seen(self, frame: NativeFrame, row: np.ndarray) -> Seen:
        """What a frame is called, of a row of the journal: class, probability, class, probability."""
        one = Seen(self._film.path, float(frame.start_s), row[::2].astype(np.int64), row[1::2])
        self.seen.append(one)
        return one

    def _with_overlay(
        self, named: Iterator[tuple[NativeFrame, Seen]]
    ) -> Iterator[tuple[NativeFrame, Seen, np.ndarray]]:
        for frame, seen in named:
            image = frame.image(self._max_side)
            if self.overlay is None:
                size = image.shape[1], image.shape[0]
                self.overlay = NameOverlay(size, self._namer.names, self._namer.top, self._font)
            yield frame, seen, image

    def _drawn(self, frame: NativeFrame, seen: Seen, image: np.ndarray) -> tuple[NativeFrame, np.ndarray]:
        named_s = None if self._every_frame else seen.time_s
        return frame, self.overlay.draw(image, float(frame.start_s), seen.classes, seen.probabilities, named_s)


def _time_us(frame: NativeFrame) -> int:
    return microseconds(frame.start_s)
