"""The heads of the stage clip_train, ready to judge clips: LiteRT alone, no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from screentime.errors import InputError
from screentime.files import read_json, sha256_of
from screentime.light_sequence import LightSequence
from screentime.windows import padded

FACTS = "model.json"
RETRAIN = "run `dvc --cd clips repro`"


class ClipScorer:
    """One head for each seed.

    Attributes:
        facts: model.json.
        classes: in the order of the probabilities.
        seeds: of the heads.
        best_seed: of the head that lost least on the clips that say when to stop.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        """Load the heads.

        Args:
            folder: clips/models.
            threads: processor threads they may use.

        Raises:
            InputError: a file is missing, or is not the one that model.json names.
        """
        path = folder / FACTS
        if not path.is_file():
            raise InputError(f"{path}: no such file was found, trained heads were expected; {RETRAIN}")
        self.facts = read_json(path)
        for name, expected in self.facts["files"].items():
            if not (folder / name).is_file() or sha256_of(folder / name) != expected:
                raise InputError(f"{folder / name}: not the file that {FACTS} names was found; {RETRAIN}")
        self.classes = tuple(self.facts["classes"])
        self.best_seed = self.facts["best_seed"]
        self.seeds = tuple(self.facts["params"]["clip_train"]["seeds"])
        self._heads = {seed: LightSequence(folder / f"head-{seed}.tflite", threads) for seed in self.seeds}

    def probabilities(self, features: Sequence[np.ndarray], seed: int) -> np.ndarray:
        """What one head says of clips.

        Args:
            features: of each clip, (n_frames, n_features) float, n_frames >= 1.
            seed: which head.

        Returns:
            (n_clips, n_classes) float64 in [0, 1]; the sum over classes is 1.
        """
        if not features:
            return np.empty((0, len(self.classes)))
        return self._heads[seed].probabilities(padded(features, self.facts["n_frames"]))
