"""The frames of a film with the names that a network without any training of ours has for them drawn in."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from screentime.backbones import Backbone
from screentime.files import sha256_of
from screentime.folders import n_cores
from screentime.imagenet import Classifier, Seen, looked_at_side, seen_in
from screentime.outside.drawing import Drawing, Look
from screentime.outside.films import Film
from screentime.outside.journal import Journal
from screentime.outside.name_overlay import NameOverlay
from screentime.timeline import microseconds
from screentime.video import NativeFrame


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


class Named(Drawing[Seen, NameOverlay]):
    """The frames of a film with their names drawn in: iterate once.

    Args:
        film: the film.
        namer: what names it.
        seen: what its frames at every second are called, by `named_seconds`; None: every frame is named.
        journal: keeps the names of single frames.
        look: which frames, and how.

    Attributes:
        seen: what the frames are called.

    Raises (while iterating):
        InputError: the film cannot be read, the font, or the weights.
    """

    def __init__(self, film: Film, *, namer: Namer, seen: list[Seen] | None, journal: Path, look: Look) -> None:
        super().__init__(film, look, n_cores())
        self.seen: list[Seen] = [] if seen is None else seen
        self._film, self._namer, self._journal, self._every_frame = film, namer, journal, seen is None

    def _told(self, frames: Iterator[NativeFrame]) -> Iterator[tuple[NativeFrame, Seen]]:
        return self._each_named(frames) if self._every_frame else self._by_second(frames)

    def _by_second(self, frames: Iterator[NativeFrame]) -> Iterator[tuple[NativeFrame, Seen]]:
        moments_us = [microseconds(one.time_s) for one in self.seen]
        for frame in frames:
            place = bisect_right(moments_us, microseconds(frame.start_s)) - 1
            yield frame, self.seen[max(0, place)]

    def _each_named(self, frames: Iterator[NativeFrame]) -> Iterator[tuple[NativeFrame, Seen]]:
        """Known names from the journal, others by the network."""
        classifier = Classifier(self._namer.facts, self._namer.weights)
        side = looked_at_side(classifier.side)
        with Journal(self._journal, self._namer.key(self._film.path)) as known:
            for is_known, some in groupby(frames, lambda frame: known.get(_time_us(frame)) is not None):
                if is_known:
                    for frame in some:
                        yield frame, self._seen(frame, known.get(_time_us(frame)))
                    continue
                shown = ((frame, frame.image(side)) for frame in some)
                for frame, classes, probabilities in classifier.classified(shown, self._namer.top):
                    row = known.add(_time_us(frame), _row(classes, probabilities))
                    yield frame, self._seen(frame, row)

    def _seen(self, frame: NativeFrame, row: np.ndarray) -> Seen:
        self.seen.append(_of_row(self._film.path, float(frame.start_s), row))
        return self.seen[-1]

    def _overlay(self, size: tuple[int, int]) -> NameOverlay:
        return NameOverlay(size, self._namer.names, self._namer.top, self.look.font)

    def _drawn(self, frame: NativeFrame, told: Seen, image: np.ndarray) -> np.ndarray:
        named_s = None if self._every_frame else told.time_s
        return self.overlay.draw(image, float(frame.start_s), told.classes, told.probabilities, named_s)


def named_seconds(film: Film, namer: Namer, journal: Path, look: Look) -> Iterator[Seen]:
    """What the frame on screen at every second is called, kept as it is found: a run that was ended goes on where it was.

    Args:
        film: the film.
        namer: what names it.
        journal: keeps the names.
        look: between which times, seconds.

    Raises:
        InputError: the film cannot be read, or the weights.
    """
    second = math.floor(look.from_s)
    with Journal(journal, namer.key(film.path)) as known:
        while second < look.until_s and (row := known.get(microseconds(second))) is not None:
            yield _of_row(film.path, float(second), row)
            second += 1
        rest = seen_in([film.path], namer.facts, namer.weights, namer.top, from_s=second, until_s=look.until_s)
        for one in rest:
            row = known.add(microseconds(one.time_s), _row(one.classes, one.probabilities))
            yield _of_row(film.path, one.time_s, row)


def _row(classes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """What a journal keeps of names: class, probability, class, probability."""
    return np.column_stack([classes, probabilities]).reshape(-1)


def _of_row(path: Path, time_s: float, row: np.ndarray) -> Seen:
    return Seen(path, time_s, row[::2].astype(np.int64), row[1::2])


def _time_us(frame: NativeFrame) -> int:
    return microseconds(frame.start_s)
