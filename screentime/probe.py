"""A linear head on rows of frozen features: quick, and what a trained network has to beat.

The backbone sees every labelled frame once; the head is then fitted on the rows, many folds side by side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow
from keras import layers, ops

from screentime.cross_fit import BROUGHT_BACK, CrossFit
from screentime.errors import InputError
from screentime.losses import OneAgainstRest, first_bias, losses, present_weights
from screentime.sections import Train
from screentime.splits import Fold

OnEpoch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Head:
    """A linear head: logits = features @ kernel + bias, with one more output, "none", where classes exclude each other.

    Attributes:
        kernel: (n_features, n_outputs) float32.
        bias: (n_outputs,) float32.
        history: of every epoch the `final_loss`.
    """

    kernel: np.ndarray
    bias: np.ndarray
    history: list[dict[str, float]]


def cross_fit(
    features: np.ndarray, targets: np.ndarray, folds: Sequence[Fold], settings: Train, on_epoch: OnEpoch
) -> CrossFit:
    """Fit one head for each fold, side by side, and score every frame by the head that has not seen its neighbourhood.

    Each fold keeps the logits of its own best epoch on its validation rows; all stop together, when none has become
    better for `settings.probe.patience` epochs.

    Args:
        features: (n_frames, n_features) float32.
        targets: (n_frames, n_characters) float32, 1, 0 or NaN.
        folds: who trains, who stops, who is scored.
        settings: the section `train` of the parameters.
        on_epoch: told the epoch, from 1, and its losses.

    Raises:
        InputError: a feature or a loss is no finite number.
    """
    seen = np.stack([_only(targets, fold.train) for fold in folds], axis=1)
    judged = np.stack([_only(targets, fold.validation) for fold in folds], axis=1)
    heads = _HeadsInTraining(features, seen, targets, settings)
    best_losses = np.full(len(folds), np.inf)
    best_epochs = np.zeros(len(folds), np.int64)
    logits = np.zeros(targets.shape)
    history = []
    for epoch in range(1, settings.probe.epochs + 1):
        heads.step()
        validation_losses = heads.losses(judged)
        better = validation_losses < best_losses
        best_losses[better], best_epochs[better] = validation_losses[better], epoch
        for number in np.flatnonzero(better):
            logits[folds[number].test] = heads.logits(folds[number].test)[:, number]
        history.append({"loss": heads.losses(seen).mean(), "validation_loss": validation_losses.mean()})
        on_epoch(epoch, history[-1])
        if epoch - best_epochs.max() >= settings.probe.patience:
            break
    return CrossFit(logits, best_epochs, history)


def fit_head(features: np.ndarray, targets: np.ndarray, epochs: int, settings: Train, on_epoch: OnEpoch) -> Head:
    """Fit the head that is kept, on every labelled frame, for a number of epochs that the folds have found good.

    No frame is left to say when to stop; the median of the folds' best epochs stands in.

    Raises:
        InputError: a feature or a loss is no finite number.
    """
    seen = targets[:, None, :]
    heads = _HeadsInTraining(features, seen, targets, settings)
    history = []
    for epoch in range(1, epochs + 1):
        heads.step()
        history.append({"final_loss": heads.losses(seen).mean()})
        on_epoch(epoch, history[-1])
    return Head(*heads.on_raw_features(), history)


class _HeadsInTraining:
    """Several heads as one layer, fitted by Adam; an epoch is one step over all frames.

    Every head has weights of its own and sees only its own known cells, and Adam moves each weight by its own gradient:
    the heads are fitted side by side, not together.
    """

    def __init__(self, features: np.ndarray, targets: np.ndarray, every_target: np.ndarray, settings: Train) -> None:
        if n_bad := int((~np.isfinite(features).all(axis=1)).sum()):
            raise InputError(
                f"data/arrays: the features of {n_bad} of {len(features)} frames are no finite numbers, such ones were expected; "
                f"choose another preprocess.backbone; {BROUGHT_BACK}"
            )
        self._mean = features.mean(axis=0, dtype=np.float64)
        # a feature that hardly ever differs from its mean is not blown up
        self._deviation = features.std(axis=0, dtype=np.float64) + 1e-3
        self._features = ops.convert_to_tensor(((features - self._mean) / self._deviation).astype(np.float32))
        self._targets = targets.astype(np.float32)
        n_heads, n_characters = targets.shape[1:]
        weights = ops.convert_to_tensor(present_weights(targets, settings.positive_weight_max))
        self._layer = layers.EinsumDense(
            "nf,fho->nho",
            (n_heads, n_characters + settings.exclusive),
            bias_axes="ho",
            kernel_initializer="zeros",
            kernel_regularizer=keras.regularizers.L2(settings.probe.l2),
        )
        rows = keras.Input((features.shape[1],))
        self._model = keras.Model(rows, self._layer(rows))
        first = first_bias(every_target, settings.positive_weight_max, exclusive=settings.exclusive)
        self._layer.bias.assign(np.tile(first, (n_heads, 1)))

        # independent characters: the penalty on one's weights stands against its own loss, however many there are
        share = 1 if settings.exclusive else n_characters

        def loss(wanted: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
            return share * ops.sum(losses(wanted, logits, weights, settings.exclusive))

        self._model.compile(keras.optimizers.Adam(settings.probe.learning_rate), loss=loss)
        self._losses_of = tensorflow.function(
            lambda wanted: losses(wanted, self._layer(self._features), weights, settings.exclusive)
        )
        self._logits_of = OneAgainstRest() if settings.exclusive else layers.Identity()
        self._learning_rate = settings.probe.learning_rate

    def step(self) -> None:
        """One epoch."""
        self._model.train_on_batch(self._features, self._targets)

    def losses(self, targets: np.ndarray) -> np.ndarray:
        """(n_heads,) float64: of each head on its own cells of `targets`, (n_frames, n_heads, n_characters)."""
        found = self._losses_of(targets.astype(np.float32)).numpy().astype(np.float64)
        if not np.isfinite(found).all():
            raise InputError(
                "params.yaml: train.probe: the loss was no number any more, one was expected; lower learning_rate, now "
                f"{self._learning_rate:g}; {BROUGHT_BACK}"
            )
        return found

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """(n_rows, n_heads, n_characters) float64."""
        outputs = self._logits_of(self._layer(ops.take(self._features, rows, axis=0)))
        return ops.convert_to_numpy(outputs).astype(np.float64)

    def on_raw_features(self) -> tuple[np.ndarray, np.ndarray]:
        """Kernel and bias of the first head, for features as the backbone gives them."""
        kernel = self._layer.kernel.numpy()[:, 0].astype(np.float64) / self._deviation[:, None]
        bias = self._layer.bias.numpy()[0] - self._mean @ kernel
        return kernel.astype(np.float32), bias.astype(np.float32)


def _only(targets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The targets of some rows; all others unknown."""
    kept = np.full_like(targets, np.nan)
    kept[rows] = targets[rows]
    return kept


def scorer_model(features: keras.Model, head: Head, *, exclusive: bool) -> keras.Model:
    """From normalized pixels (batch, height, width, 3) float32 to logits (batch, n_characters) float32."""
    dense = layers.Dense(len(head.bias), kernel_initializer="zeros", name="head")
    logits = dense(features.output)
    dense.set_weights([head.kernel, head.bias])
    if exclusive:
        logits = OneAgainstRest(name="one_against_rest")(logits)
    return keras.Model(features.input, logits, name="scorer")
