"""Scores from frames by the exported model: LiteRT alone, no TensorFlow."""

from pathlib import Path

import numpy as np
from scipy.special import logsumexp

from screentime import calibration
from screentime.errors import InputError
from screentime.files import read_json, sha256_of
from screentime.inputs import Form, network_input
from screentime.light_network import LightNetwork

FACTS, WEIGHTS, LIGHT_MODEL, HEAD = "model.json", "model.weights.h5", "scorer.tflite", "head.npy"
RETRAIN = "run `dvc repro train`, or fetch the models with `dvc pull train`"


class Scorer:
    """The trained model, ready to score frames one at a time.

    Attributes:
        form: what the network is shown.
        cast: the characters, in the order of the scores.
    """

    form: Form
    cast: tuple[str, ...]

    def __init__(self, folder: Path, threads: int) -> None:
        """Load the model of the stage train.

        Args:
            folder: with model.json and scorer.tflite.
            threads: CPU threads of the network.

        Raises:
            InputError: a file is missing, or is not the one that model.json names.
        """
        facts = model_facts(folder)
        self.form = Form(**facts["form"])
        self.cast = tuple(facts["cast"])
        self._scale = np.array(facts["calibration"]["scale"])
        self._offset = np.array(facts["calibration"]["offset"])
        self._network = LightNetwork(folder / LIGHT_MODEL, threads)

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

    def calibrated(self, logits: np.ndarray) -> np.ndarray:
        """(n_characters,) scores in [0, 1] of (n_characters,) logits."""
        return calibration.apply(logits, self._scale, self._offset)


def strongest_places(evidence: np.ndarray) -> np.ndarray:
    """The middle of the place with the largest logit, for each character.

    Args:
        evidence: (places down, places across, n_characters) float64.

    Returns:
        (n_characters, 2) float64: x and y as shares of width and height, in (0, 1).

    >>> evidence = np.zeros((2, 4, 1))
    >>> evidence[1, 3] = 1
    >>> strongest_places(evidence).tolist()
    [[0.875, 0.75]]
    """
    down, across = evidence.shape[:2]
    best = evidence.reshape(down * across, -1).argmax(axis=0)
    return np.column_stack([(best % across + 0.5) / across, (best // across + 0.5) / down])


class HeadScorer:
    """The trained head alone, for frames of which only the features are at hand: private films.

    Attributes:
        form: what the network was shown when the features were made.
        cast: the characters, in the order of the scores.
    """

    form: Form
    cast: tuple[str, ...]

    def __init__(self, folder: Path) -> None:
        """Load the head of the stage train. Errors as for `Scorer`."""
        facts = model_facts(folder)
        self.form = Form(**facts["form"])
        self.cast = tuple(facts["cast"])
        self._scale = np.array(facts["calibration"]["scale"])
        self._offset = np.array(facts["calibration"]["offset"])
        self._exclusive = facts["params"]["exclusive"]
        self._head = np.load(folder / HEAD, allow_pickle=False).astype(np.float64)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """(n_frames, n_features) of the backbone, mean first -> (n_frames, n_characters) calibrated scores in [0, 1]."""
        kernel, bias = self._head[:-1], self._head[-1]
        logits = features[:, : len(kernel)].astype(np.float64) @ kernel + bias
        if self._exclusive:  # each class against the rest, as model.OneAgainstRest
            others = [np.delete(logits, column, axis=1) for column in range(logits.shape[1] - 1)]
            logits = logits[:, :-1] - np.stack([logsumexp(other, axis=1) for other in others], axis=1)
        return calibration.apply(logits, self._scale, self._offset)


def model_facts(folder: Path) -> dict:
    """model.json, after a check that the files beside it are the ones it names.

    Raises:
        InputError: one is missing or is another one.
    """
    path = folder / FACTS
    if not path.is_file():
        raise InputError(f"{path}: no such file was found, a trained model was expected; {RETRAIN}")
    facts = read_json(path)
    for name, expected in facts["files"].items():
        file = folder / name
        if not file.is_file():
            raise InputError(f"{file}: no such file was found, {FACTS} names it; {RETRAIN}")
        found = sha256_of(file)
        if found != expected:
            raise InputError(f"{file}: its sha256 is {found}, {FACTS} names {expected}; {RETRAIN}")
    return facts
