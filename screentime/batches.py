"""The batches of a training, from frames that come in an order which several trainings share."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """Frames that make one step.

    Attributes:
        share: how much of the epoch lies before it, [0, 1).
        maps: (n, height, width, channels) float32, what is shown.
        rows: (n,) int64, which frames they are.
        figures: the list to which loss and accuracy go.
    """

    share: float
    maps: np.ndarray
    rows: np.ndarray
    figures: list[dict[str, float]]


class Batches:
    """The batches of one training in one epoch.

    Attributes:
        figures: of every batch that was trained on.
    """

    def __init__(self, rows: np.ndarray, size: int) -> None:
        """Nothing has come yet.

        Args:
            rows: (n,) int64, the frames that train; others that come are passed over.
            size: frames in a batch.
        """
        self._own, self._size = rows, min(size, len(rows))
        self._n_batches, self._n_given = -(-len(rows) // self._size), 0
        self._rows, self._maps = np.zeros(0, np.int64), None
        self._first: tuple[np.ndarray, np.ndarray] | None = None
        self.figures: list[dict[str, float]] = []

    def add(self, rows: np.ndarray, maps: np.ndarray) -> Iterator[Batch]:
        """Take frames; give every batch that is full."""
        mine = np.isin(rows, self._own)
        self._rows = np.concatenate([self._rows, rows[mine]])
        self._maps = maps[mine] if self._maps is None else np.concatenate([self._maps, maps[mine]])
        while len(self._rows) >= self._size:
            yield self._next()

    def rest(self) -> Iterator[Batch]:
        """The last batch, filled up with the epoch's first frames: equal sizes are compiled once."""
        if len(self._rows):
            lacking = self._size - len(self._rows)
            self._rows = np.concatenate([self._rows, self._first[0][:lacking]])
            self._maps = np.concatenate([self._maps, self._first[1][:lacking]])
            yield self._next()

    def _next(self) -> Batch:
        rows, maps = self._rows[: self._size], self._maps[: self._size]
        self._rows, self._maps = self._rows[self._size :], self._maps[self._size :]
        self._first = self._first or (rows, maps)
        share = self._n_given / self._n_batches
        self._n_given += 1
        return Batch(share, maps, rows, self.figures)
