"""Networks over a window of frames: what a backbone saw in each frame goes in, one logit for each class comes out.

They know nothing of clips or films: a window may be a clip, or the frames around one frame of a film, and its outputs may
be classes of which one is right, or characters that are there or not. Recurrent layers are left in the form that the kernels
of a GPU (cuDNN) take: default activations, a bias, no recurrent dropout, not unrolled; the windows see to the right padding
(screentime.windows).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy.special import softmax

from screentime.errors import InputError
from screentime.quiet import no_native_chatter

with no_native_chatter():  # it tells, twice, that there is no GPU
    import keras
    import tensorflow
    from keras import layers, ops
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2 as with_constants

from screentime.losses import KnownAccuracy, batch_loss
from screentime.sections import SequenceHead
from screentime.windows import Windows

# a head for each seed, and a last batch that is shorter, are traced anew; that this costs time is not news
tensorflow.get_logger().setLevel("ERROR")

OnEpoch = Callable[[int, dict[str, float]], None]
BATCH = 64


@dataclass(frozen=True)
class HeadShape:
    """The layers of a head.

    Attributes:
        kind: "gru" or "lstm": recurrent layers, the last one's state at the last frame goes on. "transformer": encoder
            blocks with self-attention, then the mean over frames. "mean": the mean of the features over frames.
            "rolling": every frame is judged alone, and the probabilities of the window's frames are averaged.
        units: width of each recurrent layer, or of each encoder block (all equal, a multiple of attention_heads); not
            used by "mean" and "rolling".
        dense: width of each dense layer (relu) before the output.
        dropout: share of the values that is dropped before the dense layers and in encoder blocks, in [0, 1).
        attention_heads: of an encoder block, >= 1.
        positions: how an encoder is told the order of the frames: fixed sines, or a learned row for each place.
    """

    kind: Literal["gru", "lstm", "transformer", "mean", "rolling"]
    units: tuple[int, ...]
    dense: tuple[int, ...] = ()
    dropout: float = 0.0
    attention_heads: int = 1
    positions: Literal["sine", "learned"] = "sine"

    @classmethod
    def of(cls, settings: SequenceHead) -> "HeadShape":
        """The layers that a section of the parameters describes."""
        units, dense = tuple(settings.units), tuple(settings.dense)
        return cls(settings.head, units, dense, settings.dropout, settings.attention_heads, settings.positions)


@dataclass(frozen=True)
class Fitting:
    """How a head is fitted.

    Attributes:
        optimizer: "adam", "rmsprop" or "sgd".
        learning_rate: of its steps, > 0.
        batch_size: windows a step, >= 1.
        epochs: at most so many, >= 1.
        patience: epochs without a better loss before it stops, >= 1.
        seed: of the order of the windows.
    """

    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    patience: int
    seed: int

    @classmethod
    def of(cls, settings: SequenceHead, seed: int) -> "Fitting":
        """How a section of the parameters has a head fitted."""
        return cls(
            settings.optimizer, settings.learning_rate, settings.batch_size, settings.epochs, settings.patience, seed
        )


@dataclass(frozen=True)
class Objective:
    """What a fit makes small, and what it tells beside it.

    Attributes:
        loss: of the answers to a batch and its (n, n_outputs) float32 logits, a scalar.
        accuracy: a new metric of Keras of the same two, named "accuracy".
    """

    loss: Callable
    accuracy: Callable[[], keras.metrics.Metric]


def one_class() -> Objective:
    """One class of each window is right; the answers are (n,) int64."""
    return Objective(
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        partial(keras.metrics.SparseCategoricalAccuracy, name="accuracy"),
    )


def of_characters(present_weights: np.ndarray, *, exclusive: bool) -> Objective:
    """Who is there; the answers are (n, n_characters) float32, 1, 0 or NaN.

    Args:
        present_weights: (n_characters,) float32, what a window whose frame shows the character counts.
        exclusive: one class per frame; there is one more output, "none".
    """
    weights = ops.convert_to_tensor(present_weights)
    return Objective(
        lambda wanted, logits: batch_loss(wanted, logits, weights, exclusive), partial(KnownAccuracy, exclusive)
    )


@dataclass(frozen=True)
class Fitted:
    """What came out of a fit; the model itself has the weights of its best epoch.

    Attributes:
        best_epoch: the epoch with the lowest loss on the validation windows (without any, on those that train), from 1.
        history: of every epoch `loss` and `accuracy`, and `validation_loss` and `validation_accuracy` where windows
            were held out.
    """

    best_epoch: int
    history: list[dict[str, float]]


def sequence_head(
    n_frames: int,
    n_features: int,
    n_outputs: int,
    shape: HeadShape,
    *,
    independent: bool = False,
    spread: tuple[np.ndarray, np.ndarray] | None = None,
) -> keras.Model:
    """A head with fresh weights.

    Args:
        n_frames: length of the windows, >= 1.
        n_features: of a frame.
        n_outputs: classes, or characters.
        shape: its layers.
        independent: the outputs do not exclude each other.
        spread: mean and standard deviation of each feature, (n_features,) float; the head then reads features as deviations
            from the mean. None: it reads them as they are.

    Returns:
        A model from [features (batch, n_frames, n_features) float32, mask (batch, n_frames) bool] to logits
        (batch, n_outputs) float32. The logits of "rolling" are logarithms of averaged probabilities (independent: their
        log-odds), and its windows may have any length.
    """
    length = None if shape.kind == "rolling" else n_frames
    features = keras.Input((length, n_features), name="features")
    mask = keras.Input((length,), dtype="bool", name="mask")
    x = features
    if spread is not None:
        mean, deviation = spread
        x = layers.Normalization(mean=mean.tolist(), variance=(deviation**2).tolist(), name="deviations")(x)
    match shape.kind:
        case "gru" | "lstm":
            layer = {"gru": layers.GRU, "lstm": layers.LSTM}[shape.kind]
            for number, units in enumerate(shape.units, start=1):
                goes_on = number < len(shape.units)
                x = layer(units, return_sequences=goes_on, name=f"{shape.kind}_{number}")(x, mask=mask)
        case "transformer":
            x = layers.Dense(shape.units[0], name="projection")(layers.LayerNormalization(name="normalized")(x))
            x = Positions(shape.positions, name="positions")(x)
            for number, units in enumerate(shape.units, start=1):
                x = _encoder_block(x, mask, units, shape, f"block_{number}")
            x = MaskedMean(name="mean")(layers.LayerNormalization(name="encoded")(x), mask)
        case "mean":
            x = MaskedMean(name="mean")(x, mask)
    if shape.dropout:
        x = layers.Dropout(shape.dropout, name="dropout")(x)
    for number, units in enumerate(shape.dense, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense_{number}")(x)
    x = layers.Dense(n_outputs, name="logits")(x)
    if shape.kind == "rolling":
        of_each_frame = layers.Activation("sigmoid" if independent else "softmax", name="of_each_frame")(x)
        averaged = MaskedMean(name="rolling")(of_each_frame, mask)
        x = LogOdds(name="log_odds")(averaged) if independent else Logarithm(name="logarithm")(averaged)
    return keras.Model([features, mask], x, name="head")


def _encoder_block(
    x: keras.KerasTensor, mask: keras.KerasTensor, units: int, shape: HeadShape, name: str
) -> keras.KerasTensor:
    """Self-attention (Vaswani et al. 2017, 3.2), then two dense layers, each on normalized rows and added to what came in.

    Normalized before and not behind, as Xiong et al. 2020 found to train without warm-up.
    """
    rows = layers.LayerNormalization(name=f"{name}_rows")(x)
    attended = layers.MultiHeadAttention(
        shape.attention_heads, units // shape.attention_heads, dropout=shape.dropout, name=f"{name}_attention"
    )(rows, rows, attention_mask=layers.Reshape((1, -1), name=f"{name}_mask")(mask))
    x = layers.Add(name=f"{name}_attended")([x, attended])
    y = layers.Dense(2 * units, activation="gelu", name=f"{name}_wide")(
        layers.LayerNormalization(name=f"{name}_again")(x)
    )
    y = layers.Dropout(shape.dropout, name=f"{name}_dropout")(layers.Dense(units, name=f"{name}_narrow")(y))
    return layers.Add(name=f"{name}_output")([x, y])


@keras.saving.register_keras_serializable(package="screentime")
class MaskedMean(layers.Layer):
    """The mean over the frames of a window: (batch, n_frames, n) float32 and its mask to (batch, n) float32."""

    def call(self, rows: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
        counted = ops.expand_dims(ops.cast(mask, rows.dtype), -1)
        return ops.sum(rows * counted, axis=1) / ops.sum(counted, axis=1)

    def compute_output_shape(self, rows_shape: tuple, *_: tuple) -> tuple:
        return (rows_shape[0], rows_shape[2])


@keras.saving.register_keras_serializable(package="screentime")
class Logarithm(layers.Layer):
    """Probabilities to their logarithms, whose softmax they are; none below 1e-7."""

    def call(self, probabilities: keras.KerasTensor) -> keras.KerasTensor:
        return ops.log(ops.maximum(probabilities, 1e-7))


@keras.saving.register_keras_serializable(package="screentime")
class LogOdds(layers.Layer):
    """Probabilities to the logits whose sigmoid they are; none nearer to 0 or 1 than 1e-6."""

    def call(self, probabilities: keras.KerasTensor) -> keras.KerasTensor:
        inside = ops.clip(probabilities, 1e-6, 1 - 1e-6)
        return ops.log(inside) - ops.log(1 - inside)


@keras.saving.register_keras_serializable(package="screentime")
class Positions(layers.Layer):
    """Adds to each row of (batch, n_frames, n) where in the window it stands, so that order counts.

    "sine" is the fixed table of Vaswani et al. 2017, 3.5; "learned" one row of weights for each place.
    """

    def __init__(self, kind: str, **more) -> None:
        super().__init__(**more)
        self.kind = kind

    def build(self, shape: tuple) -> None:
        n_frames, width = shape[1:]
        if self.kind == "learned":
            apart = keras.initializers.RandomNormal(stddev=0.5)  # near zero the order would first have to be found
            self.rows = self.add_weight((n_frames, width), initializer=apart, name="rows")
        else:
            rate = 10_000.0 ** (-(np.arange(width) // 2 * 2) / width)
            angle = np.arange(n_frames)[:, None] * rate
            self.rows = np.where(np.arange(width) % 2 == 0, np.sin(angle), np.cos(angle)).astype(np.float32)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return x + ops.convert_to_tensor(self.rows)

    def get_config(self) -> dict:
        return super().get_config() | {"kind": self.kind}


def fit(
    model: keras.Model,
    training: Windows,
    answers: np.ndarray,
    validation: tuple[Windows, np.ndarray] | None,
    fitting: Fitting,
    on_epoch: OnEpoch,
    objective: Objective | None = None,
) -> Fitted:
    """Fit a head in place; it ends with the weights of its best epoch.

    A "rolling" head learns from single frames. Same inputs, same seed, same number of threads: same weights
    (screentime.frozen.make_deterministic).

    Args:
        model: from `sequence_head`.
        training: the windows to learn from.
        answers: (n_windows, ..): what is right of each, as the objective wants it.
        validation: windows held out, and their answers; None: the loss of the training says when to stop.
        fitting: optimizer, rate, batches, epochs, patience, seed.
        on_epoch: told the epoch, from 1, and its figures.
        objective: what is made small; None: cross-entropy of one class for each window.

    Raises:
        InputError: the loss is no longer a finite number.
    """
    if model.input_shape[0][1] is None:
        answers, training = np.repeat(answers, training.mask.sum(axis=1), axis=0), training.frames_alone()
    objective = objective or one_class()
    learner = learner_of(model, fitting, objective)
    random = np.random.default_rng(fitting.seed)
    best_loss, best_epoch, best_weights, history = np.inf, 0, model.get_weights(), []
    for epoch in range(1, fitting.epochs + 1):
        figures = _one_epoch(learner, training, answers, random.permutation(len(training)), fitting.batch_size)
        watched = figures["loss"]
        if validation is not None:
            watched, accuracy = _judged(logits_of(model, validation[0]), validation[1], objective)
            figures |= {"validation_loss": watched, "validation_accuracy": accuracy}
        if not np.isfinite([figures["loss"], watched]).all():
            raise InputError(
                f"epoch {epoch}: the loss is no longer a finite number, one that falls was expected; lower learning_rate"
            )
        history.append(figures)
        if watched < best_loss:
            best_loss, best_epoch, best_weights = watched, epoch, model.get_weights()
        on_epoch(epoch, figures)
        if epoch - best_epoch >= fitting.patience:
            break
    model.set_weights(best_weights)
    return Fitted(best_epoch, history)


OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def learner_of(model: keras.Model, fitting: Fitting, objective: Objective) -> keras.Model:
    """The head with its loss and optimizer; it shares the weights, and what is saved of the head knows no optimizer."""
    learner = keras.Model(model.inputs, model.outputs)
    learner.compile(
        OPTIMIZERS[fitting.optimizer](fitting.learning_rate),
        loss=objective.loss,
        metrics=[objective.accuracy()],
    )
    return learner


def _one_epoch(
    model: keras.Model, training: Windows, answers: np.ndarray, order: np.ndarray, batch_size: int
) -> dict[str, float]:
    """One step for each batch of the windows in that order; loss and accuracy, means over the windows."""
    model.reset_metrics()
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        with no_native_chatter():  # what oneDNN cannot do for masks on this processor
            figures = model.train_on_batch(_inputs(training.take(rows)), answers[rows], return_dict=True)
    return {name: float(figures[name]) for name in ("loss", "accuracy")}  # Keras averages since the reset


def logits_of(model: keras.Model, windows: Windows) -> np.ndarray:
    """(n_windows, n_outputs) float32."""
    starts = range(0, len(windows), BATCH)
    batches = [_inputs(windows.take(np.arange(start, min(start + BATCH, len(windows))))) for start in starts]
    with no_native_chatter():
        return np.concatenate([model.predict_on_batch(batch) for batch in batches])


def probabilities_of(model: keras.Model, windows: Windows) -> np.ndarray:
    """(n_windows, n_outputs) float64: the softmax of the logits."""
    return softmax(logits_of(model, windows).astype(np.float64), axis=1)


def _judged(logits: np.ndarray, answers: np.ndarray, objective: Objective) -> tuple[float, float]:
    """Loss and accuracy of windows that do not train."""
    accuracy = objective.accuracy()
    accuracy.update_state(answers, logits)
    return float(objective.loss(answers, logits)), float(accuracy.result())


def _inputs(windows: Windows) -> list[np.ndarray]:
    return [windows.features.astype(np.float32), windows.mask]


def light_head(model: keras.Model, n_frames: int) -> bytes:
    """A head for LiteRT, 32-bit floats, one window at a time: a TensorFlow Lite file with the inputs `features` and `mask`.

    The batch is fixed to 1: with a batch of any size the loops of GRU and LSTM do not convert.
    """
    n_features = model.input_shape[0][2]
    signature = [
        tensorflow.TensorSpec((1, n_frames, n_features), tensorflow.float32, name="features"),
        tensorflow.TensorSpec((1, n_frames), tensorflow.bool, name="mask"),
    ]
    function = tensorflow.function(lambda features, mask: model([features, mask], training=False))
    with no_native_chatter():
        return tensorflow.lite.TFLiteConverter.from_concrete_functions(
            [with_constants(function.get_concrete_function(*signature))], tensorflow.Module()
        ).convert()
