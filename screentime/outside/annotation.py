"""A copy of a film, sound and all, with names, probabilities, running seconds and a ribbon of the whole film drawn in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from screentime.files import write_bytes
from screentime.film_file import opened, usual_gap_s, video_stream
from screentime.ledger import Ledger
from screentime.moving_pictures import gif
from screentime.outside.drawing import Drawing, Look
from screentime.outside.film_writer import FilmWriter
from screentime.outside.films import Film
from screentime.outside.frame_scores import Model, frame_scores
from screentime.outside.journal import Journal
from screentime.outside.overlay import Overlay
from screentime.outside.sound_copy import SoundCopy
from screentime.video import NativeFrame

GIF_SIDE, GIF_FPS, GIF_LONGEST_S = 480, 10, 60


class Annotated(Drawing[np.ndarray | None, Overlay]):
    """The frames of a film with who is on screen drawn in: iterate once.

    Args:
        film: the film.
        model: what scores it.
        ledger: its sampled scores.
        threshold: from here on a character is taken to be visible.
        every_frame: score every frame, which the model must be able to; else the scores of the sample on screen are shown.
        journal: keeps the scores of single frames.
        look: which frames, and how.
    """

    def __init__(
        self, film: Film, *, model: Model, ledger: Ledger, threshold: float, every_frame: bool, journal: Path, look: Look
    ) -> None:  # fmt: skip
        super().__init__(film, look, model.at_once)
        self._film, self._model, self._ledger, self._threshold = film, model, ledger, threshold
        self._every_frame, self._journal = every_frame, journal

    def _told(self, frames: Iterator[NativeFrame]) -> Iterator[tuple[NativeFrame, np.ndarray | None]]:
        if not self._every_frame:
            yield from ((frame, None) for frame in frames)
            return
        with Journal(self._journal, self._model.key(self._film.path)) as known:
            yield from frame_scores(self._model, frames, known)

    def _overlay(self, size: tuple[int, int]) -> Overlay:
        ledger = self._ledger
        return Overlay(
            size, self._model.cast, ledger.times_s, ledger.durations_s, ledger.model_scores, self._threshold, self.look.font
        )  # fmt: skip

    def _drawn(self, frame: NativeFrame, told: np.ndarray | None, image: np.ndarray) -> np.ndarray:
        return self.overlay.draw(image, float(frame.start_s), told)


def annotate(path: Path, film: Film, annotated: Drawing, tell: Callable[[float], None]) -> list[str]:
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


def annotated_gif(path: Path, annotated: Drawing) -> int:
    """Write a stretch of the annotated film as a GIF of ten frames a second; how many frames it has."""
    start_s, end_s = annotated.look.from_s, annotated.look.until_s
    images, index = [], 0
    for frame, image in annotated:
        while start_s + index / GIF_FPS < min(end_s, float(frame.end_s)) - 1e-6:
            if start_s + index / GIF_FPS >= float(frame.start_s) - 1e-6:
                images.append(image)
            index += 1
    if images:
        write_bytes(path, gif(images, [1 / GIF_FPS] * len(images), [], width=images[0].shape[1]))
    return len(images)
