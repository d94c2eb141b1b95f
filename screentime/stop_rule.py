"""What the next minutes would buy: how wide the interval is expected to be after another round of the audit.

The errors that the rounds so far met say how frames differ; where there is no round yet, the scores themselves say how
often they expect to be wrong (w^2 f (1 - f), summed). The rest is the formula of screentime.estimates, with another
round in it.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from screentime.estimates import UNSEEN_ERRORS, Round, error_spreads, expected_spreads

USUAL_ROUND = 40  # frames


def after_another_round(
    weights: np.ndarray,
    scores: np.ndarray,
    answers: np.ndarray,
    looked: np.ndarray,
    rounds: Sequence[Round],
    n: int,
) -> float:
    """The half-width of the 95 % interval that another round is expected to give, seconds.

    Args:
        weights: (n_frames,) float64, seconds.
        scores: (n_frames,) float64 in [0, 1], as estimates are made from.
        answers: (n_frames,) float64, 1 or 0 where a person looked and could tell, else NaN.
        looked: (n_frames,) bool, a person looked: the round is drawn from the rest.
        rounds: the complete rounds so far.
        n: frames in the next round; 0: the half-width of now, by the same formula.

    Returns:
        Seconds; 0 where the round would leave nothing to chance.

    >>> after_another_round(np.ones(100), np.full(100, 0.5), np.full(100, np.nan), np.zeros(100, bool), [], 100)
    0.0
    """
    rest = int((~looked & (weights > 0)).sum())
    n = min(n, rest)
    sizes = [(int((~one.known).sum()), int(one.drawn.sum())) for one in rounds]
    if n == rest:
        return 0.0
    if n > 0:
        sizes.append((rest, n))
    if not sizes:
        return float(weights.sum())
    if rounds:
        spreads, expected = error_spreads(weights, scores, answers, rounds), expected_spreads(weights, rounds)
    else:
        spreads, expected = np.array([_expected(weights, scores, looked)]), np.ones(1)
    # the round to come has scores as good as the last one's, at least
    spreads, expected = (np.append(of, of[-1])[: len(sizes)] for of in (spreads, expected))
    populations, drawn = np.array(sizes, float).T
    inverse = drawn / (populations * np.maximum(populations - drawn, 1e-9)) / expected
    shares = inverse / inverse.sum()
    variance = float((shares**2 * populations**2 * (1 - drawn / populations) * spreads / drawn).sum())
    freedom = float(np.maximum(drawn - 1, 0).sum())
    return float(stdtrit(freedom, 0.975)) * variance**0.5 if freedom > 0 else float(weights.sum())


def _expected(weights: np.ndarray, scores: np.ndarray, looked: np.ndarray) -> float:
    """The variance of a frame's error that the scores expect of themselves, as if a round of usual size had met it."""
    rest = ~looked & (weights > 0)
    if not rest.any():
        return 0.0
    squares = float((weights[rest] ** 2 * scores[rest] * (1 - scores[rest])).mean())
    return (USUAL_ROUND * squares + UNSEEN_ERRORS * float(weights[rest].mean()) ** 2) / (USUAL_ROUND + UNSEEN_ERRORS)


def sentence(name: str, seconds: float, low: float | None, high: float | None, n: int, after: float) -> str:
    """One plain sentence on a character.

    >>> sentence("bunny", 312.2, 298.4, 326.1, 40, 9.3)
    'bunny: 312 s, 298 to 326 s; 40 more audit frames would make that about ±9 s'
    >>> sentence("bunny", 312.2, None, None, 80, 11.6)
    'bunny: 312 s, and nothing says yet how sure; 80 audit frames are expected to give about ±12 s'
    >>> sentence("bunny", 312.2, 312.2, 312.2, 0, 0.0)
    'bunny: 312 s, 312 to 312 s; no frame is left to draw'
    """
    if low is None or high is None:
        return (
            f"{name}: {seconds:.0f} s, and nothing says yet how sure; {n} audit frames are expected to give about "
            f"±{after:.0f} s"
        )
    more = f"{n} more audit frames would make that about ±{after:.0f} s" if n else "no frame is left to draw"
    return f"{name}: {seconds:.0f} s, {low:.0f} to {high:.0f} s; {more}"
