"""Is one model better than another? Both measured on the same audited frames, and only what is beyond chance counts.

The frames are resampled (Efron's bootstrap, film by film), each time the same ones for both models: what a hard frame
costs both falls out of the difference. An audit is drawn evenly in time, which is a little better than the random draw
that the bootstrap imitates: the intervals are rather too wide than too narrow.
"""

from dataclasses import dataclass

import numpy as np
import pandas

from screentime.metrics import average_precision, macro

RESAMPLES = 1000
CELL = ["video_id", "time_s", "character"]


@dataclass(frozen=True)
class Difference:
    """One figure of two models.

    Attributes:
        figure: its name.
        champion, candidate: its values.
        low, high: the 95 % interval of candidate minus champion.
        unit: 1 where larger is better, -1 where smaller is.
        decimals: how many are worth showing.
    """

    figure: str
    champion: float
    candidate: float
    low: float
    high: float
    unit: int
    decimals: int

    @property
    def better(self) -> bool:
        """The candidate is better beyond chance."""
        return min(self.unit * self.low, self.unit * self.high) > 0

    @property
    def worse(self) -> bool:
        """The candidate is worse beyond chance."""
        return max(self.unit * self.low, self.unit * self.high) < 0


def same_frames(champion: pandas.DataFrame, candidate: pandas.DataFrame) -> pandas.DataFrame | None:
    """The answers that both models were measured on, with both scores.

    Args:
        champion, candidate: rows of data/measured with a column `video_id`.

    Returns:
        The smaller table with the columns `champion` and `candidate`, the scores; None where the larger one does not
        hold all of its answers: then neither is a random sample for the other. A further audit round, a further film or
        a further character leaves all answers of the smaller one in the larger.
    """
    small, large = sorted((champion, candidate), key=len)
    both = small.merge(large[[*CELL, "present", "score"]], on=[*CELL, "present"], suffixes=("", "_of_large"))
    if len(both) < len(small) or not len(small):
        return None
    names = ("champion", "candidate") if small is champion else ("candidate", "champion")
    return both.rename(columns=dict(zip(("score", "score_of_large"), names, strict=True)))


def differences(cells: pandas.DataFrame, seed: int = 0) -> tuple[Difference, Difference]:
    """Macro average precision and the mean absolute error in seconds of two models, with intervals.

    Args:
        cells: rows of data/measured with the columns `video_id`, `champion` and `candidate`, the two scores.
        seed: of the resampling.
    """
    shape = cells.pivot(index=CELL[:2], columns="character")
    truth = shape["present"].map({"1": 1.0, "0": 0.0}.get).to_numpy(float)
    weights = shape["n_frames"].fillna(0.0).to_numpy()
    seconds = np.where(np.isnan(truth), 0.0, shape["seconds"].fillna(0.0).to_numpy())
    scores = [shape[name].fillna(0.0).to_numpy() for name in ("champion", "candidate")]
    errors = [seconds * (score - np.nan_to_num(truth)) for score in scores]

    def figures(times: np.ndarray) -> np.ndarray:
        """(2 figures, 2 models): with each frame so many times."""
        here = times > 0
        counted = (weights * times[:, None])[here]
        precisions = [
            macro(average_precision(truth[here, k], score[here, k], counted[:, k]) for k in range(truth.shape[1]))
            for score in scores
        ]
        return np.array([precisions, [np.abs(times @ error).mean() for error in errors]])

    random = np.random.default_rng(seed)
    films = pandas.factorize(shape.index.get_level_values("video_id"))[0]
    drawn = np.array([figures(_resampled(films, random)) for _ in range(RESAMPLES)])
    low, high = np.nanquantile(drawn[:, :, 1] - drawn[:, :, 0], (0.025, 0.975), axis=0)
    found = figures(np.ones(len(truth)))
    return (
        Difference("average precision", *map(float, (*found[0], low[0], high[0])), unit=1, decimals=3),
        Difference("error in seconds", *map(float, (*found[1], low[1], high[1])), unit=-1, decimals=1),
    )


def _resampled(films: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """How often each frame is drawn, with replacement, as many of each film as it has: (n_frames,) float64."""
    times = np.zeros(len(films))
    for film in range(films.max() + 1):
        here = np.flatnonzero(films == film)
        times[here] = np.bincount(random.integers(0, len(here), len(here)), minlength=len(here))
    return times
