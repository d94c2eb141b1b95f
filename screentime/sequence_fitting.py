"""Heads over windows of film frames: one for each fold and one that is kept, who is there in one frame of each window."""

from collections.abc import Sequence

import keras
import numpy as np

from screentime import sequence
from screentime.cross_fit import BROUGHT_BACK, CrossFit, mean_history
from screentime.errors import InputError
from screentime.losses import OneAgainstRest, first_bias, present_weights
from screentime.sections import Train
from screentime.splits import Fold
from screentime.windows import Windows


class SequenceFitting:
    """What heads over windows learn from."""

    def __init__(self, windows: Windows, places: np.ndarray, targets: np.ndarray, settings: Train) -> None:
        """Begin.

        Args:
            windows: the frames around each labelled frame.
            places: (n_windows,) int64: which frame of its window the labelled one is.
            targets: (n_windows, n_characters) float32, 1, 0 or NaN.
            settings: the section `train` of the parameters.
        """
        self._windows, self._targets, self._settings = windows, targets, settings
        self._shape = sequence.HeadShape.of(settings.sequence)
        # what is averaged over a window judges frames alone, and the answer is of one of them
        self._training = windows.one_of_each(places) if settings.sequence.head == "rolling" else windows
        weights = present_weights(targets, settings.positive_weight_max)
        self._objective = sequence.of_characters(weights, exclusive=settings.exclusive)
        self._first_bias = first_bias(targets, settings.positive_weight_max, exclusive=settings.exclusive)
        frames = windows.features[windows.mask].astype(np.float64)
        # a feature that hardly ever differs from its mean is not blown up
        self._spread = frames.mean(axis=0), frames.std(axis=0) + 1e-3
        self._logits_of = OneAgainstRest() if settings.exclusive else keras.layers.Identity()

    def cross_fit(self, folds: Sequence[Fold], on_epoch: sequence.OnEpoch) -> CrossFit:
        """Fit one head for each fold; every frame is scored by the head that has not seen its neighbourhood.

        Args:
            folds: who trains, who stops, who is scored.
            on_epoch: told the epoch of a fold, from 1, and its figures.

        Raises:
            InputError: the loss is no longer a finite number.
        """
        logits = np.zeros(self._targets.shape)
        fits = []
        for number, fold in enumerate(folds, start=1):
            head, fitted = self._fit(fold.train, fold.validation, number, self._settings.sequence.epochs, on_epoch)
            outputs = sequence.logits_of(head, self._windows.take(fold.test))
            logits[fold.test] = keras.ops.convert_to_numpy(self._logits_of(outputs)).astype(np.float64)
            fits.append(fitted)
        best = np.array([one.best_epoch for one in fits])
        return CrossFit(logits, best, mean_history([one.history for one in fits]))

    def fit_kept(self, epochs: int) -> tuple[keras.Model, list[dict[str, float]]]:
        """Fit the head that is kept, on every labelled frame, for as many epochs as the folds needed in the middle.

        Returns:
            The head, and of every epoch `final_loss` and `final_accuracy`.
        """
        head, fitted = self._fit(np.arange(len(self._targets)), np.arange(0), 0, epochs, lambda *_: None)
        return head, [{f"final_{name}": value for name, value in row.items()} for row in fitted.history]

    def _fit(
        self, rows: np.ndarray, held_out: np.ndarray, draw: int, epochs: int, on_epoch: sequence.OnEpoch
    ) -> tuple[keras.Model, sequence.Fitted]:
        """A new head, fitted on some rows; its chance comes from the seed and the number of the draw."""
        settings = self._settings.sequence.model_copy(update={"epochs": epochs})
        keras.utils.set_random_seed((self._settings.seed + draw) % 2**32)
        _, n_frames, n_features = self._windows.features.shape
        head = sequence.sequence_head(
            n_frames,
            n_features,
            len(self._first_bias),
            self._shape,
            independent=not self._settings.exclusive,
            spread=self._spread,
        )
        head.get_layer("logits").bias.assign(self._first_bias)
        try:
            fitted = sequence.fit(
                head,
                self._training.take(rows),
                self._targets[rows],
                (self._windows.take(held_out), self._targets[held_out]) if len(held_out) else None,
                sequence.Fitting.of(settings, self._settings.seed + draw),
                on_epoch,
                self._objective,
            )
        except InputError as error:
            raise InputError(
                f"params.yaml: train.sequence: {error}, now {settings.learning_rate:g}; {BROUGHT_BACK}"
            ) from None
        return head, fitted
