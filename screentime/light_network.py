"""A network in the light form that LiteRT runs: small in memory, ready in a moment, no TensorFlow."""

import threading
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from screentime.quiet import no_native_chatter

_LOADING = threading.Lock()  # one after the other: native chatter is silenced for the whole process


class LightNetwork:
    """A network that takes one picture at a time, so that what it says of one depends on no other."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load a network; each thread that asks it gets one of its own, which says the same.

        Args:
            path: a TensorFlow Lite file with one input, (1, height, width, 3) float32, and one row as output, (1, n)
                float32; beside it there may be a map, (1, places down, places across, m) float32.
            threads: processor threads it may use.
        """
        self._path, self._threads, self._of_thread = path, threads, threading.local()
        interpreter = self._interpreter()
        self._input = interpreter.get_input_details()[0]["index"]
        outputs = {len(output["shape"]): output["index"] for output in interpreter.get_output_details()}
        self._row, self._places = outputs[2], outputs.get(4)

    def row(self, picture: np.ndarray) -> np.ndarray:
        """What it says of a normalized picture, (height, width, 3) float32: (n,) float32."""
        return self.row_and_places(picture)[0]

    def row_and_places(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The same, and of every place of the picture: (places down, places across, m) float32, None without a map."""
        interpreter = self._interpreter()
        interpreter.set_tensor(self._input, picture[None])
        interpreter.invoke()
        places = None if self._places is None else interpreter.get_tensor(self._places)[0]
        return interpreter.get_tensor(self._row)[0], places

    def _interpreter(self) -> Interpreter:
        """That of this thread."""
        if not hasattr(self._of_thread, "interpreter"):
            with _LOADING, no_native_chatter():
                self._of_thread.interpreter = Interpreter(model_path=str(self._path), num_threads=self._threads)
                self._of_thread.interpreter.allocate_tensors()
        return self._of_thread.interpreter


def network_shapes(path: Path) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """The shapes of a network's inputs and outputs, each in order.

    Raises:
        ValueError: the file is no network.
    """
    with no_native_chatter():
        interpreter = Interpreter(model_path=str(path))
        interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    return tuple(sorted(tuple(map(int, one["shape"])) for one in details) for details in (inputs, outputs))
