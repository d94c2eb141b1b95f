"""A copy of a film, sound and all, with names, probabilities, running seconds and a ribbon of the whole film drawn in."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from screentime.files import write_bytes
from screentime.film_file import opened, usual_gap_s, video_stream
from screentime.in_order import in_order
from screentime.ledger import Ledger
from screentime.moving_pictures import gif
from screentime.outside.film_writer import FilmWriter
from screentime.outside.films import Film
from screentime.outside.frame_scores import Model, frame_scores
from screentime.outside.journal import Journal
from screentime.outside.overlay import Overlay
from screentime.outside.sound_copy import SoundCopy
from screentime.video import NativeFrame, NativeFrames

GIF_SIDE, GIF_FPS, GIF_LONGEST_S = 480, 10, 60


class Drawn(Protocol):
    """The frames of a film with something drawn in: iterate once.

    Attributes:
        frames: the film.
    """

    frames: NativeFrames

    def __iter__(self) -> Iterator[tuple[NativeFrame, np.ndarray]]:
        """Each frame with its image, (height, width, 3) uint8 RGB, upright."""


class Annotated:
    """The frames of a film with everything drawn in: iterate once.

    Args:
        film: the film.
        model: what scores it.
        ledger: its sampled scores.
        threshold: from here on a character is taken to be visible.
        every_frame: score every frame, which the model must be able to; else the scores of the sample on screen are shown.
        journal: keeps the scores of single frames.
        font: a font to be asked first.
        from_s, until_s: no frame that ends before from_s, or begins at until_s or later, is wanted.
        max_side: pictures are not larger than that, pixels; None: as large as the film.

    Attributes:
        overlay: what draws; known from the first frame on.
        frames: the film.

    Raises (while iterating):
        InputError: the film cannot be read, or the font.
    """

    def __init__(
        self,
        film: Film,
        *,
        model: Model,
        ledger: Ledger,
        threshold: float,
        every_frame: bool,
        journal: Path,
        font: Path | None = None,
        from_s: float = 0.0,
        until_s: float = math.inf,
        max_side: int | None = None,
    ) -> None:
        self.frames = NativeFrames(film.path)
        self.overlay: Overlay | None = None
        self._film, self._model, self._ledger, self._threshold = film, model, ledger, threshold
        self._every_frame, self._journal, self._font = every_frame, journal, font
        self._from_s, self._until_s = from_s, until_s
        self._max_side = max_side or sys.maxsize

    def __iter__(self) -> Iterator[tuple[NativeFrame, np.ndarray]]:
        """Each frame with its image, (height, width, 3) uint8 RGB, upright."""
        wanted = between(self.frames, self._from_s, self._until_s)
        with Journal(self._journal, self._model.key(self._film.path)) as known:
            scored = (
                frame_scores(self._model, wanted, known) if self._every_frame else ((frame, None) for frame in wanted)
            )
            shown = ((frame, scores, frame.image(self._max_side)) for frame, scores in scored)
            yield from in_order(lambda one: self._drawn(*one), self._with_overlay(shown), self._model.at_once)

    def _with_overlay(self, shown: Iterator[tuple]) -> Iterator[tuple]:
        for frame, scores, image in shown:
            if self.overlay is None:
                ledger, size = self._ledger, (image.shape[1], image.shape[0])
                self.overlay = Overlay(
                    size, self._model.cast, ledger.times_s, ledger.durations_s, ledger.model_scores, self._threshold, self._font
                )  # fmt: skip
            yield frame, scores, image

    def _drawn(
        self, frame: NativeFrame, scores: np.ndarray | None, image: np.ndarray
    ) -> tuple[NativeFrame, np.ndarray]:
        return frame, self.overlay.draw(image, float(frame.start_s), scores)


def annotate(path: Path, film: Film, annotated: Drawn, tell: Callable[[float], None]) -> list[str]:
    """Write the annotated film, MP4 with H.264, at the times of its frames, with all its sound.

    Returns:
        Sentences on tracks of sound that are not as they were.

    Raises:
        InputError: the film cannot be read.
        OSError: the disk is full; nothing is left then.
    """
    with opened(film.path) as container:
        gap_s = usual_gap_s(video_stream(container, film.path))
    writer = sound = None
    try:
        for frame, image in annotated:
            if writer is None:
                writer = FilmWriter(path, (image.shape[1], image.shape[0]), gap_s)
                sound = SoundCopy(film.path, annotated.frames.zero_s, writer)
            writer.show_image(image, frame.start_s, frame.end_s)
            sound.write_until(frame.end_s)
            claimed_s = annotated.frames.claimed_s
            tell(float(frame.end_s / claimed_s) if claimed_s else 0.0)
        sound.write_until(None)  # sound may last longer than the pictures
        writer.finish()
        return sound.changed
    finally:
        if writer is not None:
            writer.discard()


def annotated_gif(path: Path, annotated: Drawn, start_s: float, end_s: float) -> int:
    """Write a stretch of the annotated film as a GIF of ten frames a second; how many frames it has."""
    images, index = [], 0
    for frame, image in annotated:
        while start_s + index / GIF_FPS < min(end_s, float(frame.end_s)) - 1e-6:
            if start_s + index / GIF_FPS >= float(frame.start_s) - 1e-6:
                images.append(image)
            index += 1
    if images:
        write_bytes(path, gif(images, [1 / GIF_FPS] * len(images), [], width=images[0].shape[1]))
    return len(images)


def between(frames: Iterable[NativeFrame], from_s: float, until_s: float) -> Iterator[NativeFrame]:
    """The frames that end after from_s and begin before until_s, seconds."""
    for frame in frames:
        if float(frame.start_s) >= until_s:
            return
        if float(frame.end_s) > from_s:
            yield frame
