"""Windows of frames: rows of features in the order of time, with a mask that says which are frames and which are padding.

Windows are padded on the right and hold at least one frame: the form that the recurrent kernels of a GPU take. A mask
that is padded on the left, or has a hole, makes those kernels refuse or fall back to the slow way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Many windows of one length.

    Attributes:
        features: (n_windows, n_frames, n_features) float, rows in the order of time; padding is 0.
        mask: (n_windows, n_frames) bool, True where there is a frame: True from the left, at least once.
    """

    features: np.ndarray
    mask: np.ndarray

    def __post_init__(self) -> None:
        lengths = self.mask.sum(axis=1)
        if self.mask.dtype != bool or self.mask.shape != self.features.shape[:2]:
            raise ValueError(
                f"a mask {self.features.shape[:2]} bool is needed, not {self.mask.shape} {self.mask.dtype}"
            )
        if (lengths == 0).any() or not np.array_equal(self.mask, np.arange(self.mask.shape[1]) < lengths[:, None]):
            raise ValueError("windows are padded on the right and hold at least one frame")

    def __len__(self) -> int:
        return len(self.mask)

    def take(self, rows: np.ndarray) -> "Windows":
        """Some of the windows, in the order asked for; rows: (n,) int64 or (n_windows,) bool."""
        return Windows(self.features[rows], self.mask[rows])

    def frames_alone(self) -> "Windows":
        """Every frame as a window of its own, window by window."""
        return Windows(self.features[self.mask][:, None], np.ones((int(self.mask.sum()), 1), bool))

    def and_alone(self, features: np.ndarray) -> "Windows":
        """The same, and behind them (n, n_features) frames as windows that hold nothing else."""
        more = padded(features[:, None], self.mask.shape[1])
        return Windows(np.concatenate([self.features, more.features]), np.concatenate([self.mask, more.mask]))

    def one_of_each(self, places: np.ndarray) -> "Windows":
        """Of every window one frame, (n_windows,) int64, as a window of its own."""
        return Windows(self.features[np.arange(len(self)), places][:, None], np.ones((len(self), 1), bool))


def padded(sequences: Sequence[np.ndarray], n_frames: int) -> Windows:
    """One window for each sequence: its first frames, zeros behind them where it is shorter.

    Args:
        sequences: each (length, n_features) float, length >= 1.
        n_frames: length of a window, >= 1; more than a sequence has is masked.

    >>> windows = padded([np.array([[1.0], [2.0]]), np.array([[3.0], [4.0], [5.0], [6.0]])], n_frames=3)
    >>> windows.features[..., 0].tolist(), windows.mask.tolist()
    ([[1.0, 2.0, 0.0], [3.0, 4.0, 5.0]], [[True, True, False], [True, True, True]])
    """
    features = np.zeros((len(sequences), n_frames, sequences[0].shape[1]), sequences[0].dtype)
    lengths = np.array([min(len(sequence), n_frames) for sequence in sequences])
    for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        features[row, :length] = sequence[:length]
    return Windows(features, np.arange(n_frames) < lengths[:, None])


@dataclass(frozen=True)
class Around:
    """How far a window around a frame reaches: so many sampled frames before it, and so many behind it, each >= 0."""

    before: int
    after: int

    @property
    def n_frames(self) -> int:
        return self.before + 1 + self.after


def windows_around(features: np.ndarray, centres: np.ndarray, around: Around) -> Windows:
    """The windows around some rows of a film.

    At the ends of the film, and where the film is shorter than the window, a window holds what there is and is masked
    behind. The row itself stands at `places_in_windows`.

    Args:
        features: (n_rows, n_features) float, of all sampled frames of the film in the order of time; may be memory-mapped.
        centres: (n,) int64: the rows.
        around: how far the windows reach.

    >>> windows = windows_around(np.array([[1.0], [2.0], [3.0], [4.0]]), np.arange(4), Around(before=1, after=1))
    >>> windows.features[..., 0].tolist()
    [[1.0, 2.0, 0.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [3.0, 4.0, 0.0]]
    >>> windows.mask.tolist()[0]
    [True, True, False]
    """
    first = np.maximum(centres - around.before, 0)[:, None]
    end = np.minimum(centres + around.after + 1, len(features))[:, None]
    rows = first + np.arange(around.n_frames)
    mask = rows < end
    return Windows(np.where(mask[..., None], features[np.where(mask, rows, 0)], 0), mask)


def places_in_windows(centres: np.ndarray, around: Around) -> np.ndarray:
    """Which frame of its window each row is: (n,) int64, from 0; at the beginning of a film less is before it."""
    return np.minimum(centres, around.before)
