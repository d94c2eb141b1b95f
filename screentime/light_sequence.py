"""A head over windows of frames in the light form that LiteRT runs: no TensorFlow."""

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from scipy.special import softmax

from screentime.quiet import no_native_chatter
from screentime.windows import Windows


class LightSequence:
    """A head that takes one window at a time."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load a head.

        Args:
            path: a TensorFlow Lite file as `screentime.sequence.light_head` makes it.
            threads: processor threads it may use.
        """
        with no_native_chatter():
            self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        inputs = {len(one["shape"]): one["index"] for one in self._interpreter.get_input_details()}
        self._features, self._mask = inputs[3], inputs[2]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def logits(self, windows: Windows) -> np.ndarray:
        """(n_windows, n_classes) float64."""
        rows = []
        for features, mask in zip(windows.features, windows.mask, strict=True):
            self._interpreter.set_tensor(self._features, features[None].astype(np.float32))
            self._interpreter.set_tensor(self._mask, mask[None])
            self._interpreter.invoke()
            rows.append(self._interpreter.get_tensor(self._output)[0].astype(np.float64))
        return np.stack(rows)

    def probabilities(self, windows: Windows) -> np.ndarray:
        """(n_windows, n_classes) float64, in [0, 1], the sum over classes 1."""
        return softmax(self.logits(windows), axis=1)
