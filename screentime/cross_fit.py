"""What comes out of training once for each fold, whichever the method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# for sentences: DVC removes what a stage is to write before it runs the stage
BROUGHT_BACK = "`dvc checkout train` brings back the model there was, `dvc repro` with its parameters its figures too"


@dataclass(frozen=True)
class CrossFit:
    """What came out of fitting every fold.

    Attributes:
        logits: (n_frames, n_characters) float64: of every frame, by the head of the fold whose test it is.
        best_epochs: (n_folds,) int64: the epoch with the lowest validation loss, from 1.
        history: of every epoch `loss` and `validation_loss`, means over the folds.
    """

    logits: np.ndarray
    best_epochs: np.ndarray
    history: list[dict[str, float]]

    @property
    def usual_epochs(self) -> int:
        """The folds' epochs in the middle: for so many the network that is kept is trained."""
        return max(1, round(float(np.median(self.best_epochs))))


def mean_history(histories: Sequence[Sequence[dict[str, float]]]) -> list[dict[str, float]]:
    """Of every epoch the mean over the trainings that reached it.

    >>> mean_history([[{"loss": 1.0}, {"loss": 0.5}], [{"loss": 2.0}]])
    [{'loss': 1.5}, {'loss': 0.5}]
    """
    rows = []
    for epoch in range(max(len(history) for history in histories)):
        reached = [history[epoch] for history in histories if epoch < len(history)]
        rows.append({name: float(np.mean([figures[name] for figures in reached])) for name in reached[0]})
    return rows
