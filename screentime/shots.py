"""Where one shot ends and the next begins, from what a backbone sees in neighbouring sampled frames."""

import numpy as np

LEAST = 0.12  # of cosine distance: neighbours that are nearer show the same shot
SPREADS = 4.0  # a cut stands out from the film's usual change by so many median deviations


def shot_starts(features: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The first frame of every shot.

    Args:
        features: (n_frames, n_features) float, means then maxima; the means tell one picture from the next.
        times_s: (n_frames,) float64, seconds, increasing.

    Returns:
        (n_shots,) int64, increasing, the first 0.

    >>> shot_starts(np.array([[1.0, 0.0, 0, 0], [1.0, 0.1, 0, 0], [0.0, 1.0, 0, 0]]), np.arange(3.0))
    array([0, 2])
    """
    if len(times_s) < 2:
        return np.zeros(min(1, len(times_s)), np.int64)
    means = np.asarray(features[:, : features.shape[1] // 2], np.float32)
    means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    change = 1 - (means[1:] * means[:-1]).sum(axis=1)
    still = change[change <= np.quantile(change, 0.75)]  # most neighbours lie in one shot
    usual = float(np.median(still))
    spread = float(np.median(np.abs(still - usual)))
    return np.concatenate([[0], 1 + np.flatnonzero(change > max(LEAST, usual + SPREADS * spread))]).astype(np.int64)
