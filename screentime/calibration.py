"""From logits to probabilities: one line for each character, fitted on scores of frames the model had not seen.

Source: Platt, Probabilistic outputs for support vector machines, 1999: a sigmoid of scale * logit + offset, fitted by
maximum likelihood to smoothed targets, (N+ + 1) / (N+ + 2) for present and 1 / (N- + 2) for absent frames, so that a few
frames that part cleanly do not lead to certainty.
"""

import numpy as np
from scipy.special import expit

# the order of the frames stays that of the logits, also where chance turned it round in a handful of frames
LEAST_SCALE = 0.01


def platt(logits: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Scale and offset of one character.

    Args:
        logits: (n_frames,) float64.
        targets: (n_frames,) float64, 1 present, 0 absent, NaN unknown (left out).

    Returns:
        scale >= 0.01, offset: `expit(scale * logit + offset)` is the probability. (1, 0) where nothing is known.

    >>> scale, offset = platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 1, 1]))
    >>> [round(score, 2) for score in expit(scale * np.array([-2, 2]) + offset).tolist()]
    [0.21, 0.79]
    """
    from scipy.optimize import minimize  # late: who only applies a calibration need not wait for it

    known = ~np.isnan(targets)
    logits, present = np.asarray(logits, np.float64)[known], targets[known] == 1
    if not known.any():
        return 1.0, 0.0
    n_present, n_absent = present.sum(), (~present).sum()
    smoothed = np.where(present, (n_present + 1) / (n_present + 2), 1 / (n_absent + 2))

    def loss(line: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean cross-entropy and its gradient; log(1 + exp(z)) without overflow."""
        z = line[0] * logits + line[1]
        error = expit(z) - smoothed
        return float((np.logaddexp(0, z) - smoothed * z).mean()), np.array([(error * logits).mean(), error.mean()])

    start = np.array([1.0, np.log((n_present + 1) / (n_absent + 1))])
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(LEAST_SCALE, None), (None, None)],
        options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-9},
    )  # fmt: skip
    return float(found.x[0]), float(found.x[1])


def fit(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of every character.

    Args:
        logits: (n_frames, n_characters) float64.
        targets: (n_frames, n_characters) float64, 1, 0 or NaN.

    Returns:
        scale, offset: (n_characters,) float64 each.
    """
    lines = np.array([platt(*column) for column in zip(logits.T, targets.T, strict=True)]).reshape(-1, 2)
    return lines[:, 0], lines[:, 1]


def apply(logits: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Calibrated scores.

    Args:
        logits: (..., n_characters) float64.
        scale, offset: (n_characters,) float64.

    Returns:
        (..., n_characters) float64 in [0, 1].

    >>> apply(np.array([[0.0]]), np.array([2.0]), np.array([0.0]))
    array([[0.5]])
    """
    return expit(scale * np.asarray(logits, np.float64) + offset)


def cross_fitted_scores(logits: np.ndarray, targets: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """Scores of out-of-fold logits, each part calibrated on the others: no frame has a say in its own score.

    Args:
        logits: (n_frames, n_characters) float64, out of fold.
        targets: (n_frames, n_characters) float64, 1, 0 or NaN.
        parts: rows of each part; together all rows, each once.

    Returns:
        (n_frames, n_characters) float64 in [0, 1].
    """
    scores = np.full(logits.shape, np.nan)
    for rows in parts:
        others = np.setdiff1d(np.arange(len(logits)), rows)
        scores[rows] = apply(logits[rows], *fit(logits[others], targets[others]))
    return scores
