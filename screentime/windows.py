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


def rows_around(n_rows: int, n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """For every row of a film the rows of the window around it: n_frames // 2 before it, the rest from it on.

    At the ends of the film, and where the film is shorter than the window, it holds what there is and is masked behind.
    The row itself stands at place min(row, n_frames // 2).

    Args:
        n_rows: how many sampled frames the film has, >= 1.
        n_frames: length of a window, >= 1.

    Returns:
        rows: (n_rows, n_frames) int64 into the film's rows; 0 where masked.
        mask: (n_rows, n_frames) bool, as in `Windows`.

    >>> rows, mask = rows_around(n_rows=4, n_frames=3)
    >>> rows.tolist()
    [[0, 1, 0], [0, 1, 2], [1, 2, 3], [2, 3, 0]]
    >>> mask.tolist()[0]
    [True, True, False]
    """
    centre = np.arange(n_rows)[:, None]
    first = np.maximum(centre - n_frames // 2, 0)
    end = np.minimum(centre - n_frames // 2 + n_frames, n_rows)
    rows = first + np.arange(n_frames)
    mask = rows < end
    return np.where(mask, rows, 0), mask


def windows_around(features: np.ndarray, n_frames: int) -> Windows:
    """The window around every row of a film, (n_rows, n_features); see `rows_around`."""
    rows, mask = rows_around(len(features), n_frames)
    return Windows(np.where(mask[..., None], features[rows], 0), mask)


def rolling_mean(scores: np.ndarray, n_frames: int) -> np.ndarray:
    """Each frame's scores averaged over the window around it; nothing is trained.

    Args:
        scores: (n_rows, n_columns) float, of the frames of one film in the order of time.
        n_frames: length of a window, >= 1; 1 leaves the scores as they are.

    Returns:
        (n_rows, n_columns) float64.

    >>> rolling_mean(np.array([[0.0], [1.0], [1.0], [0.0]]), n_frames=3)[:, 0].round(2).tolist()
    [0.5, 0.67, 0.67, 0.5]
    """
    windows = windows_around(scores.astype(np.float64), n_frames)
    return windows.features.sum(axis=1) / windows.mask.sum(axis=1)[:, None]
