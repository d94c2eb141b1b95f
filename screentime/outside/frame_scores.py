"""A trained model as films outside a project meet it, and the scores of their single frames."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from screentime.files import sha256_of
from screentime.folders import n_cores
from screentime.frames import Sampling, decode_jpeg, encode_jpeg
from screentime.in_order import in_order
from screentime.outside.journal import Journal
from screentime.scorer import FACTS, Scorer, SequenceScorer, model_facts, open_scorer, sampling_of
from screentime.timeline import microseconds
from screentime.video import NativeFrame


class Pictured(Protocol):
    """What has a picture, as NativeFrame has."""

    @property
    def image(self) -> Callable[[int], np.ndarray]:
        """Gives it as (height, width, 3) uint8 RGB, upright, the long side at most as long as asked for."""


@dataclass(frozen=True)
class Model:
    """A trained model; `opened_model` loads it.

    Attributes:
        folder: where it lies.
        cast: the characters, in the order of the scores.
        sampling: how its own frames were sampled: others are shown to it in the same way.
        scorer: what scores.
        at_once: frames that are worth scoring at once.
    """

    folder: Path
    cast: tuple[str, ...]
    sampling: Sampling
    scorer: Scorer | SequenceScorer
    at_once: int

    @property
    def judges_frames_alone(self) -> bool:
        """Whether it needs nothing but a frame to score it; else it asks the sampled frames around it too."""
        return isinstance(self.scorer, Scorer)

    def packed(self, frame: Pictured) -> bytes:
        """A frame as the pipeline packs it."""
        return encode_jpeg(frame.image(self.sampling.max_side), self.sampling.jpeg_quality)

    def scores(self, jpeg: bytes) -> np.ndarray:
        """The scores of a packed frame, (n_characters,) float64 in [0, 1]; of a model that judges frames alone."""
        return self.scorer.scores(decode_jpeg(jpeg))

    def key(self, film: Path) -> str:
        """What decides the scores of a film's frames: its bytes, the model, how a frame is shown to it."""
        return f"{sha256_of(film)} {sha256_of(self.folder / FACTS)} {self.sampling}"


def opened_model(folder: Path, threads: int) -> Model:
    """Load a model for `threads` threads of the network.

    Raises:
        InputError: it is not whole, or does not say how its frames were sampled.
    """
    facts = model_facts(folder)
    sampling = sampling_of(folder, facts)
    return Model(folder, tuple(facts["cast"]), sampling, open_scorer(folder, threads), max(1, n_cores() // threads))


def frame_scores(
    model: Model, frames: Iterable[NativeFrame], known: Journal
) -> Iterator[tuple[NativeFrame, np.ndarray]]:
    """Frames with their scores, (n_characters,) float64, in order: known ones from the journal, others by the network."""

    def shown() -> Iterator[tuple[NativeFrame, bytes | None]]:
        for frame in frames:
            yield frame, None if known.get(microseconds(frame.start_s)) is not None else model.packed(frame)

    def judged(one: tuple[NativeFrame, bytes | None]) -> tuple[NativeFrame, np.ndarray | None]:
        frame, jpeg = one
        return frame, None if jpeg is None else model.scores(jpeg)

    for frame, new in in_order(judged, shown(), model.at_once):
        time_us = microseconds(frame.start_s)
        yield frame, known.get(time_us) if new is None else known.add(time_us, new)
