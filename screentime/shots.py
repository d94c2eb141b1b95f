"""Where one shot ends and the next begins, from what a backbone sees in neighbouring sampled frames.

No video is decoded: at one frame a second a cut lies between two frames that hardly look alike. Pans and characters that
cross the picture differ too, only less.
"""

import numpy as np

CUT = 0.6  # of the cosine distance, 0 to 2, of neighbours seen from the film's mean frame: those of two shots are at about 1
LEAST = 0.15  # of the cosine distance as they are: in a film of one picture, what is left without the mean is noise
LONGEST_S = 20.0  # seconds; longer ones are parted where they change most: much may happen in them


def shot_starts(features: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The first frame of every shot.

    Args:
        features: (n_frames, n_features) float, as the stage embed writes them: means, then maxima.
        times_s: (n_frames,) float64, seconds, increasing.

    Returns:
        (n_shots,) int64, increasing, the first 0; none where there is no frame.

    >>> frames = np.array([[1, 0, 1, 0], [1, 0.1, 1, 0], [0, 1, 0, 1], [0.1, 1, 0, 1]])
    >>> shot_starts(frames, np.arange(4.0))
    array([0, 2])
    """
    if len(features) < 2:
        return np.arange(len(features))
    features = features.astype(np.float32)
    change = _distances(features - features.mean(axis=0))
    cuts = np.flatnonzero((change > CUT) & (_distances(features) > LEAST)) + 1
    starts = np.concatenate([[0], cuts])
    ends = np.append(cuts, len(features))
    return np.sort(np.concatenate([_parted(*pair, change, times_s) for pair in zip(starts, ends, strict=True)]))


def shot_of(starts: np.ndarray, n_frames: int) -> np.ndarray:
    """The number of each frame's shot, (n_frames,) int64.

    >>> shot_of(np.array([0, 2]), 4)
    array([0, 0, 1, 1])
    """
    return np.searchsorted(starts, np.arange(n_frames), side="right") - 1


def in_context(features: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The features of every frame with half of its shot's mean added, for the light head.

    What is said of one frame then says something of its shot. On two films with one labelled frame a shot, the squared
    error of the light head's scores fell from .057 and .047 to .047 and .041.

    Args:
        features: (n_frames, n_features) float.
        starts: (n_shots,) int64, the first frame of every shot.

    Returns:
        (n_frames, n_features) float32.

    >>> in_context(np.array([[1.0], [3.0], [5.0]]), np.array([0, 2])).ravel().tolist()
    [2.0, 4.0, 7.5]
    """
    features = features.astype(np.float32)
    if not len(features):
        return features
    lengths = np.diff(np.append(starts, len(features)))
    means = np.add.reduceat(features, starts, axis=0) / lengths[:, None].astype(np.float32)
    return features + np.repeat(means / 2, lengths, axis=0)


def _distances(features: np.ndarray) -> np.ndarray:
    """(n_frames - 1,) float32: the cosine distance of each frame to the one after it, of means and maxima averaged."""
    half = features.shape[1] // 2
    total = np.zeros(len(features) - 1, np.float32)
    for part in (features[:, :half], features[:, half:]):
        length = np.maximum(np.linalg.norm(part, axis=1), 1e-6)
        total += 1 - (part[1:] * part[:-1]).sum(axis=1) / (length[1:] * length[:-1])
    return total / 2


def _parted(start: int, end: int, change: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The first frames of the parts of one shot, none longer than LONGEST_S; parted in its middle half."""
    n = end - start
    if n < 4 or times_s[end - 1] - times_s[start] <= LONGEST_S:
        return np.array([start])
    low, high = start + n // 4, end - n // 4
    middle = low + int(np.argmax(change[low - 1 : high - 1]))
    return np.concatenate([_parted(start, middle, change, times_s), _parted(middle, end, change, times_s)])
