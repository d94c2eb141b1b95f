"""Training the network on pictures: changed anew in every epoch, each fold from the same start.

One network is built and compiled once; every fold and the final training set its weights back and go on from there.
Everything drawn by chance comes from the seed and the place in the training (fold, epoch, batch), so the same inputs and
the same number of threads give the same bytes.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from screentime.quiet import no_native_chatter

with no_native_chatter():
    import keras
    from keras import ops

from screentime import augmentation, warm_start
from screentime.backbones import backbone
from screentime.depth import open_layers
from screentime.errors import InputError
from screentime.inputs import Form
from screentime.losses import OneAgainstRest, batch_loss, first_bias, present_weights
from screentime.network import EVIDENCE, build
from screentime.params import FineTune, Train
from screentime.probe import CrossFit
from screentime.splits import Fold

BATCH = 16  # frames that are scored at once
OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}

OnStep = Callable[[], None]


@keras.saving.register_keras_serializable(package="screentime")
class KnownAccuracy(keras.metrics.Mean):
    """The share of known answers that a logit above 0 gets right; exclusive: of frames whose class is the largest logit."""

    def __init__(self, exclusive: bool = False, name: str = "accuracy", **arguments: object) -> None:
        super().__init__(name=name, **arguments)
        self.exclusive = exclusive

    def update_state(self, targets, logits, sample_weight=None):
        """Targets (n, n_characters) 1, 0 or NaN; logits (n, n_outputs)."""
        if not self.exclusive:
            known = ops.logical_not(ops.isnan(targets))
            right = ops.equal(ops.cast(logits > 0, "float32"), targets)
            return super().update_state(ops.cast(right, "float32"), ops.cast(known, "float32"))
        present, absent = ops.equal(targets, 1.0), ops.all(ops.equal(targets, 0.0), axis=-1)
        n_characters = targets.shape[-1]
        wanted = ops.where(ops.any(present, axis=-1), ops.argmax(present, axis=-1), n_characters)
        decided = ops.logical_or(ops.any(present, axis=-1), absent)
        right = ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), ops.cast(wanted, "int32"))
        return super().update_state(ops.cast(right, "float32"), ops.cast(decided, "float32"))

    def get_config(self) -> dict:
        return {**super().get_config(), "exclusive": self.exclusive}


class WantedAccuracy(keras.callbacks.Callback):
    """Stops at the end of the epoch whose validation accuracy is at least the wanted one."""

    def __init__(self, wanted: float) -> None:
        super().__init__()
        self.wanted = wanted

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs["validation_accuracy"] >= self.wanted:
            self.model.stop_training = True


class Tuning:
    """The network in training.

    Attributes:
        model: from normalized pixels to logits; its weights are those of the last `fit`.
        opened: the names of the pretrained layers that are trained.
        continued: the characters that go on from where a model of other films was.
        inputs, targets, settings: as given.
    """

    def __init__(
        self, form: Form, inputs: np.ndarray, targets: np.ndarray, settings: Train, cast: Sequence[str] = ()
    ) -> None:
        """Build and compile.

        Args:
            form: what the network is shown.
            inputs: (n_frames, height, width, 3) float16, normalized; may be memory-mapped.
            targets: (n_frames, n_characters) float32, 1, 0 or NaN.
            settings: the section `train` of the parameters.
            cast: the characters, in order; only a model of other films asks for their names.

        Raises:
            InputError: the network cannot be built or opened as the parameters say.
        """
        self.inputs, self.targets, self.settings = inputs, targets, settings
        self._facts = backbone(form.backbone)
        tune = settings.fine_tune
        goes_on = warm_start.is_model(tune.weights)
        new = tune.model_copy(update={"weights": warm_start.FROM_CHANCE}) if goes_on else tune
        self.model = build(form, targets.shape[1], new, exclusive=settings.exclusive)
        self.opened = open_layers(self.model.backbone, tune.open)
        last = (
            self.model.get_layer(EVIDENCE)
            if EVIDENCE in {one.name for one in self.model.layers}
            else self.model.layers[-1]
        )
        last.bias.assign(first_bias(targets, settings.positive_weight_max, exclusive=settings.exclusive))
        self.continued = warm_start.begin(self.model, Path(tune.weights), form, cast) if goes_on else []
        weights = ops.convert_to_tensor(present_weights(targets, settings.positive_weight_max))
        self.model.compile(
            optimizer(tune),
            loss=lambda wanted, logits: batch_loss(wanted, logits, weights, settings.exclusive),
            metrics=[KnownAccuracy(settings.exclusive)],
        )
        self._start = self.model.get_weights()
        self._logits_of = OneAgainstRest() if settings.exclusive else keras.layers.Identity()

    def fit(
        self, rows: np.ndarray, held_out: np.ndarray, epochs: int, draw: int, on_step: OnStep, callbacks: Sequence = ()
    ) -> list[dict[str, float]]:
        """Train from the start.

        Args:
            rows: (n,) int64: the frames that train.
            held_out: (m,) int64: the frames that say when to stop; with none, all epochs are run.
            epochs: at most so many; the learning rate warms up and decays over them.
            draw: tells this training's chance from others', the number of the fold say.
            on_step: called after every batch.
            callbacks: of Keras, told of every epoch.

        Returns:
            Of every epoch `loss` and `accuracy`, with frames held out also `validation_loss` and `validation_accuracy`. Where frames were
            held out the network has the weights of the epoch with the lowest `validation_loss`.

        Raises:
            InputError: the loss is no longer a number.
        """
        tune, seed = self.settings.fine_tune, self.settings.seed
        self._reset()
        size = min(tune.batch_size, len(rows))
        n_batches = -(-len(rows) // size)
        stopping = [
            keras.callbacks.EarlyStopping(
                "validation_loss", mode="min", patience=tune.patience, restore_best_weights=True
            ),
            *([WantedAccuracy(tune.wanted_accuracy)] if tune.wanted_accuracy else []),
        ]
        told = keras.callbacks.CallbackList([*(stopping if len(held_out) else []), *callbacks], model=self.model)
        told.on_train_begin()
        history = []
        for epoch in range(epochs):
            # the last batch is filled up with the first frames of the epoch: equal sizes are compiled once
            order = np.resize(np.random.default_rng([seed, draw, epoch]).permutation(rows), n_batches * size)
            self.model.reset_metrics()
            for step, batch in enumerate(order.reshape(n_batches, size)):
                self.model.optimizer.learning_rate.assign(rate_at((epoch * n_batches + step) / n_batches, epochs, tune))
                random = np.random.default_rng([seed, draw, epoch, step + 1])
                pictures = augmentation.augmented(
                    self.inputs[batch].astype(np.float32), tune.augment, self._facts, random
                )
                figures = self.model.train_on_batch(pictures, self.targets[batch], return_dict=True)
                if not np.isfinite(figures["loss"]):
                    raise InputError(
                        f"params.yaml: train.fine_tune: the loss was no number any more in epoch {epoch + 1}, one was expected; "
                        f"lower learning_rate, now {tune.learning_rate:g}; `dvc checkout` brings back the model there was"
                    )
                on_step()
            figures = {name: float(value) for name, value in figures.items()}
            if len(held_out):
                figures |= self._judged(held_out)
            history.append(figures)
            told.on_epoch_end(epoch, figures)
            if self.model.stop_training:
                break
        told.on_train_end()
        return history

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """(n_rows, n_characters) float64, of frames as they are."""
        return ops.convert_to_numpy(self._logits_of(self._outputs(rows))).astype(np.float64)

    def _outputs(self, rows: np.ndarray) -> np.ndarray:
        filled = np.resize(rows, -(-len(rows) // BATCH) * BATCH)  # one size of batch, compiled once
        batches = [
            self.model.predict_on_batch(self.inputs[batch].astype(np.float32)) for batch in filled.reshape(-1, BATCH)
        ]
        return np.concatenate(batches)[: len(rows)]

    def _judged(self, rows: np.ndarray) -> dict[str, float]:
        outputs, targets = self._outputs(rows), self.targets[rows]
        metric = KnownAccuracy(self.settings.exclusive)
        metric.update_state(targets, outputs)
        loss = float(self.model.loss(targets, outputs))
        return {"validation_loss": loss, "validation_accuracy": float(metric.result())}

    def _reset(self) -> None:
        """The weights it began with, and an optimizer that has seen nothing."""
        self.model.stop_training = False
        self.model.set_weights(self._start)
        for variable in self.model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))


def optimizer(tune: FineTune) -> keras.optimizers.Optimizer:
    """The optimizer that the parameters name; gradients longer than 1 are cut to 1."""
    decay = {"weight_decay": tune.weight_decay} if tune.weight_decay else {}
    return OPTIMIZERS[tune.optimizer](tune.learning_rate, clipnorm=1.0, **decay)


def epochs_of(n_rows: int, tune: FineTune) -> int:
    """At most how many epochs: as many as the parameters say, and with few frames so many that the steps suffice.

    >>> tune = FineTune.model_construct(epochs=8, least_steps=96, batch_size=8)
    >>> epochs_of(90, tune), epochs_of(24, tune)
    (8, 32)
    """
    return max(tune.epochs, -(-tune.least_steps // -(-n_rows // tune.batch_size)))


def rate_at(epoch: float, epochs: int, tune: FineTune) -> float:
    """The learning rate after so many epochs (a fraction): a straight warm-up, then half a cosine down to 0 or constant.

    Source of the cosine: Loshchilov and Hutter, SGDR, ICLR 2017, formula 5 without restarts.
    """
    if epoch < tune.warm_up:
        return tune.learning_rate * (epoch + 0.01) / tune.warm_up
    if tune.decay == "constant":
        return tune.learning_rate
    done = min(1.0, (epoch - tune.warm_up) / max(epochs - tune.warm_up, 1e-9))
    return tune.learning_rate * 0.5 * (1 + np.cos(np.pi * done))


def cross_fit(tuning: Tuning, folds: Sequence[Fold], on_step: OnStep, tensorboard: bool = False) -> CrossFit:
    """Train for every fold, and score every frame by the network that has not seen its neighbourhood."""
    epochs = epochs_of(len(tuning.targets), tuning.settings.fine_tune)
    logits = np.zeros(tuning.targets.shape)
    best_epochs, histories = [], []
    for number, fold in enumerate(folds, start=1):
        history = tuning.fit(
            fold.train, fold.validation, epochs, number, on_step, boards(tensorboard, f"fold_{number}")
        )
        logits[fold.test] = tuning.logits(fold.test)
        judged = [figures["validation_loss"] for figures in history if "validation_loss" in figures]
        best_epochs.append(int(np.argmin(judged)) + 1 if judged else len(history))
        histories.append(history)
    return CrossFit(logits, np.array(best_epochs), mean_history(histories))


def boards(asked: bool, name: str) -> list[keras.callbacks.Callback]:
    """What writes TensorBoard files into tensorboard/<name>/, where that is asked for. They hold the clock: no output."""
    folder = Path("tensorboard") / name
    if asked:
        shutil.rmtree(folder, ignore_errors=True)
    return [keras.callbacks.TensorBoard(str(folder), write_graph=False)] if asked else []


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
