"""Not a stage: the file that MLflow runs to load a trained model. Pictures in, a table of scores out, no TensorFlow."""

from pathlib import Path

import mlflow
import numpy as np
import pandas

from screentime.scorer import open_scorer


class ScreenTimeModel(mlflow.pyfunc.PythonModel):
    """Scores pictures with the exported network that the run carries."""

    def load_context(self, context) -> None:
        self.scorer = open_scorer(Path(context.artifacts["models"]), threads=1)

    def predict(self, context, model_input: np.ndarray, params: dict | None = None) -> pandas.DataFrame:
        """(n, height, width, 3) uint8 RGB -> one row per picture, one column per character, scores in [0, 1].

        A head over windows takes the pictures for the sampled frames of one film, in order.
        """
        rows, _ = self.scorer.film(map(self.scorer.row, np.asarray(model_input, np.uint8)))
        return pandas.DataFrame(rows, columns=list(self.scorer.cast))


mlflow.models.set_model(ScreenTimeModel())
