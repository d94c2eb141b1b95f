"""Scores from frames by the exported model: LiteRT alone, no TensorFlow."""

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from scipy.special import logsumexp

from screentime import calibration
from screentime.errors import InputError
from screentime.files import read_json, sha256_of
from screentime.inputs import Form, network_input
from screentime.quiet import no_native_chatter

FACTS, LIGHT_MODEL, HEAD = "model.json", "scorer.tflite", "head.npy"
RETRAIN = "run `dvc repro train`, or fetch the models with `dvc pull models`"


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
        with no_native_chatter():
            self._interpreter = Interpreter(model_path=str(folder / LIGHT_MODEL), num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def logits(self, image: np.ndarray) -> np.ndarray:
        """What the network says of one frame, (height, width, 3) uint8 RGB of any size: (n_characters,) float64."""
        self._interpreter.set_tensor(self._input, network_input(image, self.form)[None])
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)[0].astype(np.float64)

    def scores(self, image: np.ndarray) -> np.ndarray:
        """The calibrated scores of one frame, (height, width, 3) uint8 RGB of any size: (n_characters,) in [0, 1]."""
        return calibration.apply(self.logits(image), self._scale, self._offset)


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
