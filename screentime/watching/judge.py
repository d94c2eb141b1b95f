"""Who is on the newest frame: models of frames, of frames with those before them, and of clips, asked in one way."""

from collections import deque
from pathlib import Path
from typing import Protocol

import numpy as np

from screentime.clip_frames import square
from screentime.clip_scorer import ClipScorer
from screentime.errors import InputError
from screentime.files import read_json
from screentime.frames import decode_jpeg, encode_jpeg
from screentime.inputs import Form, network_input
from screentime.light_network import LightNetwork
from screentime.outside.frame_scores import Model, opened_model
from screentime.scorer import FACTS, SequenceScorer
from screentime.watching.source import LiveFrame


class Judge(Protocol):
    """A model, asked frame by frame.

    Attributes:
        names: the characters, or the classes, in the order of the scores.
        fps: frames a second that it wants, no others; None: as many as one likes.
    """

    names: tuple[str, ...]
    fps: float | None

    def scores(self, frame: LiveFrame) -> np.ndarray:
        """(n_names,) float64 in [0, 1]."""

    def forget(self) -> None:
        """The line broke: what comes next does not follow on what came before."""


class FrameJudge:
    """A model that judges each frame alone, shown as the pipeline shows it."""

    fps = None

    def __init__(self, model: Model) -> None:
        self.names = model.cast
        self._model = model

    def scores(self, frame: LiveFrame) -> np.ndarray:
        return self._model.scores(self._model.packed(frame))

    def forget(self) -> None:
        """Nothing: it remembers none."""


class SequenceJudge:
    """A model that reads the frames around a frame: those before it, as the last frame of a film is judged."""

    def __init__(self, model: Model) -> None:
        self.names, self.fps = model.cast, float(model.sampling.fps)
        self._model, self._scorer = model, model.scorer
        self._rows: deque[np.ndarray] = deque(maxlen=self._scorer.n_before + 1)

    def scores(self, frame: LiveFrame) -> np.ndarray:
        self._rows.append(self._scorer.row(decode_jpeg(self._model.packed(frame))))
        return self._scorer.last_scores(np.array(self._rows))

    def forget(self) -> None:
        self._rows.clear()


class ClipJudge:
    """Heads of clips: the last so many frames are one clip."""

    fps = None

    def __init__(self, models: Path, threads: int) -> None:
        """Load the heads, and the backbone that lies beside them.

        Raises:
            InputError: one of them is missing or another than expected.
        """
        self._scorer = ClipScorer(models, threads)
        self.names = self._scorer.classes
        self._sampled, embedded = (self._scorer.facts["params"][stage] for stage in ("clip_sample", "clip_embed"))
        self._form = Form(embedded["backbone"], width=self._sampled["size"], height=self._sampled["size"])
        network = models.parent / "features" / "network" / f"{self._form.stem}.tflite"
        if not network.is_file():
            raise InputError(
                f"{network}: no such file was found, the backbone was expected; run `dvc --cd clips repro`"
            )
        self._backbone = LightNetwork(network, embedded["threads"])
        self._rows: deque[np.ndarray] = deque(maxlen=self._sampled["frames"])

    def scores(self, frame: LiveFrame) -> np.ndarray:
        image = square(frame.image(_NATIVE), self._sampled["size"])
        shown = decode_jpeg(encode_jpeg(image, self._sampled["jpeg_quality"]))
        self._rows.append(self._backbone.row(network_input(shown, self._form)).astype(np.float16))
        return self._scorer.probabilities([np.stack(self._rows)], self._scorer.best_seed)[0]

    def forget(self) -> None:
        self._rows.clear()


_NATIVE = 1 << 30  # pixels: larger than any frame


def opened_judge(folder: Path, threads: int) -> Judge:
    """The model of a folder, whichever kind it is: models/trained, or clips/models.

    Raises:
        InputError: it is not whole, or of another version.
    """
    if _is_of_clips(folder):
        return ClipJudge(folder, threads)
    model = opened_model(folder, threads)
    return SequenceJudge(model) if isinstance(model.scorer, SequenceScorer) else FrameJudge(model)


def _is_of_clips(folder: Path) -> bool:
    try:
        return "classes" in read_json(folder / FACTS)
    except (OSError, ValueError):
        return False
