"""The network that scores: a frozen backbone, its feature map pooled to one row, and a linear head with one logit each.

The backbone sees every labelled frame once; the head is then fitted on rows of features, many folds side by side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from screentime.quiet import no_native_chatter

with no_native_chatter():  # it tells, twice, that there is no GPU
    import keras
    import tensorflow
    from keras import layers, ops
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2 as with_constants

from screentime.backbones import backbone
from screentime.inputs import Form
from screentime.params import Train
from screentime.splits import Fold

ARCHITECTURE, WEIGHTS, LIGHT_MODEL = "architecture.json", "model.weights.h5", "scorer.tflite"
BATCH = 16

OnEpoch = Callable[[int, dict[str, float]], None]


def make_deterministic(seed: int, threads: int) -> None:
    """Same inputs, same bytes: fix every source of chance and the number of threads, before the first computation.

    Raises:
        RuntimeError: this process has computed with another number of threads already.
    """
    settings = tensorflow.config.threading
    with no_native_chatter():  # the first of these looks for a GPU and tells that there is none
        fixed = settings.get_intra_op_parallelism_threads(), settings.get_inter_op_parallelism_threads()
        if fixed != (threads, threads):
            settings.set_intra_op_parallelism_threads(threads)
            settings.set_inter_op_parallelism_threads(threads)
        tensorflow.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(seed)
        tensorflow.config.list_logical_devices()


def feature_model(form: Form, pooling: str = "mean") -> keras.Model:
    """The frozen backbone with its feature map pooled.

    Args:
        form: what it is shown.
        pooling: "mean" over the places of the map, or "mean_max": mean and maximum side by side. The maximum keeps what
            covers a single place; the mean of a small character drowns in the background.

    Returns:
        A model from (batch, height, width, 3) float32 normalized pixels to (batch, n_features) float32; mean_max has
        twice the backbone's features.
    """
    picture = keras.Input((form.height, form.width, 3), name="picture")
    places = backbone(form.backbone).build(form.height, form.width)(picture)
    row = layers.GlobalAveragePooling2D(name="mean")(places)
    if pooling == "mean_max":
        row = layers.Concatenate(name="features")([row, layers.GlobalMaxPooling2D(name="maximum")(places)])
    return keras.Model(picture, row, name="features_of_a_picture")


def features_of(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The features of many frames, batch by batch, so that a memory-mapped array stays on disk.

    Args:
        model: from `feature_model`.
        inputs: (n_frames, height, width, 3) float16, normalized.

    Returns:
        (n_frames, n_features) float32.
    """
    starts = range(0, len(inputs), BATCH)
    if len(inputs) == 0:
        return np.empty((0, model.output_shape[1]), np.float32)
    rows = [model.predict_on_batch(inputs[start : start + BATCH].astype(np.float32)) for start in starts]
    return np.concatenate(rows)


@keras.saving.register_keras_serializable(package="screentime")
class OneAgainstRest(layers.Layer):
    """From the logits of classes that exclude each other to one logit for each but the last ("none of the cast").

    The log-odds of a class, z_c - log(sum over the others of exp(z)), so that expit of it is the softmax. What comes
    behind (calibration, scores) is then the same for exclusive and for independent characters.
    """

    def call(self, logits: keras.KerasTensor) -> keras.KerasTensor:
        """(..., n_characters + 1) float32 to (..., n_characters) float32."""
        n_classes = logits.shape[-1]
        without_own = ops.convert_to_tensor(-1e9 * np.eye(n_classes - 1, n_classes, dtype=np.float32))
        others = ops.logsumexp(ops.expand_dims(logits, -2) + without_own, axis=-1)
        return logits[..., : n_classes - 1] - others

    def compute_output_shape(self, shape: tuple) -> tuple:
        return (*shape[:-1], shape[-1] - 1)


def losses(
    targets: keras.KerasTensor, logits: keras.KerasTensor, weights: keras.KerasTensor, exclusive: bool
) -> keras.KerasTensor:
    """Weighted cross-entropy of each head; an unknown cell carries none.

    Where classes exclude each other the loss of a frame is -log of the probability of all classes that its answers leave
    open: one class where a character is present, "none" where all are absent, more than one where some are unknown.

    Args:
        targets: (n_frames, n_heads, n_characters) float32, 1, 0 or NaN (unknown).
        logits: (n_frames, n_heads, n_characters), exclusive: n_characters + 1.
        weights: (n_heads, n_characters) float32, what a present frame counts; an absent one counts 1.
        exclusive: one class per frame.

    Returns:
        (n_heads,) float32: the sum over characters of the mean over their known frames, divided by the number of
        characters; exclusive: the mean over frames with an answer.
    """
    known = ops.logical_not(ops.isnan(targets))
    present = ops.equal(targets, 1.0)
    if not exclusive:
        cell_weights = ops.where(present, weights, 1.0) * ops.cast(known, "float32")
        cells = ops.softplus(logits) - ops.where(present, logits, 0.0)
        return ops.mean(_mean_of_counted(cells, cell_weights), axis=-1)
    decided = ops.any(present, axis=-1, keepdims=True)
    absent = ops.equal(targets, 0.0)
    possible = ops.where(decided, present, ops.logical_not(absent))
    possible = ops.concatenate([possible, ops.logical_not(decided)], axis=-1)
    frames = ops.logsumexp(logits, axis=-1) - ops.logsumexp(ops.where(possible, logits, -1e9), axis=-1)
    answered = ops.cast(ops.any(known, axis=-1), "float32")
    frame_weights = answered * ops.max(ops.where(present, weights, 1.0), axis=-1)
    return _mean_of_counted(frames, frame_weights)


def _mean_of_counted(values: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
    """The weighted mean over the first axis; 0 where nothing counts."""
    total = ops.sum(weights, axis=0)
    return ops.sum(weights * values, axis=0) / ops.where(total > 0, total, 1.0)


def present_weights(targets: np.ndarray, most: float) -> np.ndarray:
    """What a present frame counts, so that rare characters are not drowned: absent over present, in [1, most].

    Args:
        targets: (n_frames, ..., n_characters) float32, 1, 0 or NaN.
        most: the cap, >= 1: a character seen once must not rule the head.

    Returns:
        (..., n_characters) float32.

    >>> present_weights(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [np.nan, 1.0]]), most=5.0).tolist()
    [2.0, 1.0]
    """
    n_present, n_absent = (targets == 1).sum(axis=0), (targets == 0).sum(axis=0)
    return np.clip(n_absent / np.maximum(n_present, 1), 1.0, most).astype(np.float32)


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
    better for `settings.patience` epochs.

    Args:
        features: (n_frames, n_features) float32.
        targets: (n_frames, n_characters) float32, 1, 0 or NaN.
        folds: who trains, who stops, who is scored.
        settings: the section `train` of the parameters.
        on_epoch: told the epoch, from 1, and its losses.
    """
    seen = np.stack([_only(targets, fold.train) for fold in folds], axis=1)
    judged = np.stack([_only(targets, fold.validation) for fold in folds], axis=1)
    heads = _HeadsInTraining(features, seen, targets, settings)
    best_losses = np.full(len(folds), np.inf)
    best_epochs = np.zeros(len(folds), np.int64)
    logits = np.zeros(targets.shape)
    history = []
    for epoch in range(1, settings.epochs + 1):
        heads.step()
        validation_losses = heads.losses(judged)
        better = validation_losses < best_losses
        best_losses[better], best_epochs[better] = validation_losses[better], epoch
        for number in np.flatnonzero(better):
            logits[folds[number].test] = heads.logits(folds[number].test)[:, number]
        history.append({"loss": heads.losses(seen).mean(), "validation_loss": validation_losses.mean()})
        on_epoch(epoch, history[-1])
        if epoch - best_epochs.max() >= settings.patience:
            break
    return CrossFit(logits, best_epochs, history)


def fit_head(features: np.ndarray, targets: np.ndarray, epochs: int, settings: Train, on_epoch: OnEpoch) -> Head:
    """Fit the head that is kept, on every labelled frame, for a number of epochs that the folds have found good.

    No frame is left to say when to stop; the median of the folds' best epochs stands in.
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
            kernel_regularizer=keras.regularizers.L2(settings.l2),
        )
        rows = keras.Input((features.shape[1],))
        self._model = keras.Model(rows, self._layer(rows))
        self._layer.bias.assign(_first_bias(every_target, settings, n_heads))

        # independent characters: the penalty on one's weights stands against its own loss, however many there are
        share = 1 if settings.exclusive else n_characters

        def loss(wanted: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
            return share * ops.sum(losses(wanted, logits, weights, settings.exclusive))

        self._model.compile(keras.optimizers.Adam(settings.learning_rate), loss=loss)
        self._losses_of = tensorflow.function(
            lambda wanted: losses(wanted, self._layer(self._features), weights, settings.exclusive)
        )
        self._logits_of = OneAgainstRest() if settings.exclusive else layers.Identity()

    def step(self) -> None:
        """One epoch."""
        self._model.train_on_batch(self._features, self._targets)

    def losses(self, targets: np.ndarray) -> np.ndarray:
        """(n_heads,) float64: of each head on its own cells of `targets`, (n_frames, n_heads, n_characters)."""
        return self._losses_of(targets.astype(np.float32)).numpy().astype(np.float64)

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """(n_rows, n_heads, n_characters) float64."""
        outputs = self._logits_of(self._layer(ops.take(self._features, rows, axis=0)))
        return ops.convert_to_numpy(outputs).astype(np.float64)

    def on_raw_features(self) -> tuple[np.ndarray, np.ndarray]:
        """Kernel and bias of the first head, for features as the backbone gives them."""
        kernel = self._layer.kernel.numpy()[:, 0].astype(np.float64) / self._deviation[:, None]
        bias = self._layer.bias.numpy()[0] - self._mean @ kernel
        return kernel.astype(np.float32), bias.astype(np.float32)


def _first_bias(targets: np.ndarray, settings: Train, n_heads: int) -> np.ndarray:
    """(n_heads, n_outputs) float32: the log-odds of each character as the loss counts them; the kernels start at zero.

    Small steps then learn what tells frames apart, and not first how common each character is. All folds start from the
    same odds: had each its own, a fold that is held out with many present frames would be scored lower for that alone.

    Args:
        targets: (n_frames, n_characters) float32, 1, 0 or NaN: of all labelled frames.
    """
    n_present, n_absent = (targets == 1).sum(axis=0), (targets == 0).sum(axis=0)
    counted = n_present * present_weights(targets, settings.positive_weight_max)
    log_odds = np.log((counted + 1) / (n_absent + 1)).astype(np.float32)
    odds = np.append(log_odds, 0).astype(np.float32) if settings.exclusive else log_odds
    return np.tile(odds, (n_heads, 1))


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


def save(model: keras.Model, folder: Path) -> None:
    """Write the model twice, for Keras and for LiteRT, in files whose bytes are a function of the weights.

    (A `.keras` archive holds the time it was written.)
    """
    (folder / ARCHITECTURE).write_bytes(model.to_json(indent=1).encode("utf-8") + b"\n")
    model.save_weights(folder / WEIGHTS)
    (folder / LIGHT_MODEL).write_bytes(light_model(model))


def load(folder: Path) -> keras.Model:
    """The Keras model that `save` wrote."""
    model = keras.models.model_from_json((folder / ARCHITECTURE).read_text(encoding="utf-8"))
    model.load_weights(folder / WEIGHTS)
    return model


def light_model(model: keras.Model) -> bytes:
    """The model for LiteRT, 32-bit floats, one picture at a time: a TensorFlow Lite file.

    The weights are made constants first: left as variables, some arrive in LiteRT unset, and the logits are NaN. The
    converter saves what is named beside the function: an empty module, for the model itself costs seconds and no byte.
    """
    signature = tensorflow.TensorSpec((1, *model.input_shape[1:]), tensorflow.float32, name="picture")
    function = tensorflow.function(lambda picture: model(picture, training=False)).get_concrete_function(signature)
    with no_native_chatter():
        return tensorflow.lite.TFLiteConverter.from_concrete_functions(
            [with_constants(function)], tensorflow.Module()
        ).convert()
