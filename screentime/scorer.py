"""Scores from frames by the exported model: LiteRT alone, no TensorFlow."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

from screentime import calibration
from screentime.errors import InputError
from screentime.files import read_json, sha256_of
from screentime.frames import Sampling
from screentime.inputs import Form, network_input
from screentime.light_network import LightNetwork
from screentime.light_sequence import LightSequence
from screentime.places import strongest_places
from screentime.windows import Around, windows_around

FACTS, WEIGHTS, LIGHT_MODEL, HEAD = "model.json", "model.weights.h5", "scorer.tflite", "head.npy"
LIGHT_MODEL_8_BIT = "scorer_8_bit.tflite"  # where it is, it scores
LIGHT_SEQUENCE = "sequence.tflite"
FROM_FEATURES = {HEAD, LIGHT_SEQUENCE}  # a model with one of these scores frames of which only features are at hand
WINDOWS_AT_ONCE = 256
RETRAIN = "run `dvc repro train`, or fetch the models with `dvc pull train`"


class _Calibrated:
    """What every trained model has.

    Attributes:
        facts: model.json.
        form: what the network is shown.
        cast: the characters, in the order of the scores.
    """

    def __init__(self, folder: Path) -> None:
        """Read what the files of the stage train are.

        Raises:
            InputError: a file is missing, or is not the one that model.json names.
        """
        self.facts = model_facts(folder)
        self.form = Form(**self.facts["form"])
        self.cast: tuple[str, ...] = tuple(self.facts["cast"])
        self._scale = np.array(self.facts["calibration"]["scale"])
        self._offset = np.array(self.facts["calibration"]["offset"])

    def calibrated(self, logits: np.ndarray) -> np.ndarray:
        """(..., n_characters) scores in [0, 1] of (..., n_characters) logits."""
        return calibration.apply(logits, self._scale, self._offset)

    def _of_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """The scores of (n, n_outputs) logits of a head; exclusive: each class against the rest, as losses.OneAgainstRest."""
        if self.facts["params"]["exclusive"]:
            others = [np.delete(outputs, column, axis=1) for column in range(outputs.shape[1] - 1)]
            outputs = outputs[:, :-1] - np.stack([logsumexp(other, axis=1) for other in others], axis=1)
        return self.calibrated(outputs)


class Scorer(_Calibrated):
    """A trained model that scores frames one at a time."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Load the model of the stage train.

        Args:
            folder: with model.json and scorer.tflite, or scorer_8_bit.tflite.
            threads: CPU threads of the network.

        Raises:
            InputError: a file is missing, or is not the one that model.json names.
        """
        super().__init__(folder)
        light = LIGHT_MODEL_8_BIT if LIGHT_MODEL_8_BIT in self.facts["files"] else LIGHT_MODEL
        self._network = LightNetwork(folder / light, threads)

    def row(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """What is kept of one frame for the scores of a film; may be asked by several threads at once.

        Args:
            image: (height, width, 3) uint8 RGB of any size.

        Returns:
            logits: (n_characters,) float64.
            places: (n_characters, 2) float64, its `strongest_places`; None where they give no evidence.
        """
        logits, evidence = self.logits_and_evidence(image)
        return logits, None if evidence is None else strongest_places(evidence)

    def film(self, rows: Iterable[tuple[np.ndarray, np.ndarray | None]]) -> tuple[np.ndarray, np.ndarray | None]:
        """The scores of a film.

        Args:
            rows: the `row` of each sampled frame, in order of time.

        Returns:
            scores: (n_frames, n_characters) float64 in [0, 1].
            places: (n_frames, n_characters, 2) float64, None where they give no evidence.
        """
        logits, places = list(zip(*rows, strict=True)) or ((), ())
        scores = self.calibrated(np.array(logits).reshape(-1, len(self.cast)))
        return scores, np.stack(places) if places and places[0] is not None else None

    def logits(self, image: np.ndarray) -> np.ndarray:
        """What the network says of one frame, (height, width, 3) uint8 RGB of any size: (n_characters,) float64."""
        return self.logits_and_evidence(image)[0]

    def logits_and_evidence(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The same, and where it saw whom: (places down, places across, n_characters) float64 logits, None of a network
        whose places give no evidence of their own."""
        logits, places = self._network.row_and_places(network_input(image, self.form))
        return logits.astype(np.float64), None if places is None else places.astype(np.float64)

    def scores(self, image: np.ndarray) -> np.ndarray:
        """The calibrated scores of one frame, (height, width, 3) uint8 RGB of any size: (n_characters,) in [0, 1]."""
        return self.calibrated(self.logits(image))


class HeadScorer(_Calibrated):
    """The trained head alone, for frames of which only the features are at hand: private films."""

    def __init__(self, folder: Path) -> None:
        """Load the head of the stage train. Errors as for `Scorer`."""
        super().__init__(folder)
        self._head = np.load(folder / HEAD, allow_pickle=False).astype(np.float64)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """(n_frames, n_features) of the backbone, mean first -> (n_frames, n_characters) calibrated scores in [0, 1]."""
        kernel, bias = self._head[:-1], self._head[-1]
        return self._of_outputs(features[:, : len(kernel)].astype(np.float64) @ kernel + bias)


class SequenceScorer(_Calibrated):
    """A head that reads the frames around each frame, behind the frozen network that sees them.

    Attributes:
        n_before: how many frames before a frame it reads.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        """Load network and head of the stage train. Arguments and errors as for `Scorer`."""
        super().__init__(folder)
        self._around = Around(**self.facts["window"])
        self.n_before = self._around.before
        self._network = LightNetwork(folder / LIGHT_MODEL, threads)
        self._head = LightSequence(folder / LIGHT_SEQUENCE, threads)

    def film(self, rows: Iterable[np.ndarray]) -> tuple[np.ndarray, None]:
        """As `Scorer.film`; the features of all frames are in memory, 5 kB each."""
        return self.scores(np.array(list(rows), np.float16)), None

    def row(self, image: np.ndarray) -> np.ndarray:
        """As `Scorer.row`: what the frozen network sees in a frame, (n_features,) float16, as the stage embed keeps it."""
        return self._network.row(network_input(image, self.form)).astype(np.float16)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """(n_frames, n_features) of all sampled frames of a film, in order -> (n_frames, n_characters) scores in [0, 1]."""
        return self._of_rows(features, np.arange(len(features)))

    def last_scores(self, features: np.ndarray) -> np.ndarray:
        """The scores of the last of such frames alone, (n_characters,); those before the n_before-th before it do not count."""
        return self._of_rows(features, np.array([len(features) - 1]))[0]

    def _of_rows(self, features: np.ndarray, rows: np.ndarray) -> np.ndarray:
        parts = [rows[start : start + WINDOWS_AT_ONCE] for start in range(0, len(rows), WINDOWS_AT_ONCE)]
        outputs = [self._head.logits(windows_around(features, part, self._around)) for part in parts]
        return self._of_outputs(np.concatenate(outputs)) if outputs else np.empty((0, len(self.cast)))


def open_scorer(folder: Path, threads: int) -> Scorer | SequenceScorer:
    """The trained model, whichever it is, for the pictures of films. Arguments and errors as for `Scorer`."""
    return (SequenceScorer if LIGHT_SEQUENCE in model_facts(folder)["files"] else Scorer)(folder, threads)


def open_features_scorer(folder: Path, threads: int) -> HeadScorer | SequenceScorer:
    """The trained model for films of which only the features are at hand: `FROM_FEATURES` says which can."""
    return SequenceScorer(folder, threads) if LIGHT_SEQUENCE in model_facts(folder)["files"] else HeadScorer(folder)


def model_facts(folder: Path) -> dict:
    """model.json, after a check that the files beside it are the ones it names.

    Raises:
        InputError: one is missing or is another one, or model.json is not what a training writes.
    """
    path = folder / FACTS
    if not path.is_file():
        raise InputError(f"{path}: no such file was found, a trained model was expected; {RETRAIN}")
    try:
        facts = read_json(path)
        files = facts["files"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: this is not the JSON that a training writes; {RETRAIN}") from None
    for name, expected in files.items():
        file = folder / name
        if not file.is_file():
            raise InputError(f"{file}: no such file was found, {FACTS} names it; {RETRAIN}")
        found = sha256_of(file)
        if found != expected:
            raise InputError(f"{file}: its sha256 is {found}, {FACTS} names {expected}; {RETRAIN}")
    return facts


def sampling_of(folder: Path, facts: dict) -> Sampling:
    """How the frames of a model were taken out of their films; facts are its `model_facts`.

    Raises:
        InputError: it does not say, as it was trained by an earlier version.
    """
    if "sampling" not in facts:
        raise InputError(f"{folder / FACTS}: it lacks sampling, a model of this version was expected; {RETRAIN}")
    return Sampling(**facts["sampling"])
