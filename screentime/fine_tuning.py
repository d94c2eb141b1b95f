"""Training the network on pictures: changed anew in every epoch, each fold from the same start.

One network is built and compiled once; every training, a fold's or the final one, sets its weights back and goes on from
there. Everything drawn by chance comes from the seed and the place in the training, so the same inputs and the same number
of threads give the same bytes.
"""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from screentime.quiet import no_native_chatter

with no_native_chatter():
    import keras
    from keras import ops

from screentime import augmentation, warm_start
from screentime.backbones import backbone
from screentime.batches import Batches
from screentime.cross_fit import BROUGHT_BACK, CrossFit, mean_history
from screentime.depth import cut, frozen_until, open_layers
from screentime.errors import InputError
from screentime.inputs import Form
from screentime.losses import KnownAccuracy, OneAgainstRest, batch_loss, first_bias, present_weights
from screentime.network import EVIDENCE, build
from screentime.schedule import epochs_of, optimizer, rate_at
from screentime.sections import Train
from screentime.splits import Fold

BATCH = 16  # frames that are scored, and go through the trunk, at once
CHUNK = 64  # frames of an epoch that are changed and shown to all trainings before the next
STATES_BYTES = 1e9  # of trainings that go side by side: weights and what the optimizer remembers

OnStep = Callable[[], None]


class WantedAccuracy(keras.callbacks.Callback):
    """Stops at the end of the epoch whose validation accuracy is at least the wanted one."""

    def __init__(self, wanted: float) -> None:
        super().__init__()
        self.wanted = wanted

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs["validation_accuracy"] >= self.wanted:
            self.model.stop_training = True


@dataclass(eq=False)
class Learner:
    """One training among those that go side by side.

    Attributes:
        rows: (n,) int64: the frames that train.
        held_out: (m,) int64: the frames that say when to stop; with none, all epochs are run.
        callbacks: of Keras, told of every epoch.
        history: of every epoch `loss` and `accuracy`, with frames held out also `validation_loss` and `validation_accuracy`.
        stopped: no further epoch is run.
        state: what it has learned, while another is trained; None before its first step.
    """

    rows: np.ndarray
    held_out: np.ndarray
    callbacks: Sequence = ()
    history: list[dict[str, float]] = field(default_factory=list)
    stopped: bool = False
    state: list[np.ndarray] | None = None


class Tuning:
    """The network in training.

    What lies before the first open layer, the trunk, says the same of a picture whoever is trained: so trainings go side by
    side, and every frame, changed by chance, goes through the trunk once an epoch for all of them.

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
        seam = frozen_until(self.model)
        self._trunk, self._rest = (None, self.model) if seam == self.model.operations[0].name else cut(self.model, seam)
        weights = ops.convert_to_tensor(present_weights(targets, settings.positive_weight_max))
        self._rest.compile(
            optimizer(tune),
            loss=lambda wanted, logits: batch_loss(wanted, logits, weights, settings.exclusive),
            metrics=[KnownAccuracy(settings.exclusive)],
        )
        self._rest.optimizer.build(self._rest.trainable_variables)
        self._moving = [*self._rest.trainable_variables, *self._rest.optimizer.variables]
        learned = len(self._rest.trainable_variables)
        self._start = [one.numpy() if k < learned else np.zeros_like(one) for k, one in enumerate(self._moving)]
        self._current: Learner | None = None
        self._logits_of = OneAgainstRest() if settings.exclusive else keras.layers.Identity()

    def fit(
        self, rows: np.ndarray, held_out: np.ndarray, epochs: int, draw: int, on_step: OnStep, callbacks: Sequence = ()
    ) -> list[dict[str, float]]:
        """Train once, from the start.

        Args:
            rows, held_out, callbacks: as `Learner` has them.
            epochs, draw, on_step: as `fit_beside` wants them.

        Returns:
            The history, as `Learner` has it. Where frames were held out the network has the weights of the epoch with the lowest
            `validation_loss`.

        Raises:
            InputError: the loss is no longer a number.
        """
        one = Learner(rows, held_out, callbacks)
        self.fit_beside([one], epochs, draw, on_step)
        return one.history

    def fit_beside(self, learners: Sequence[Learner], epochs: int, draw: int, on_step: OnStep) -> None:
        """Train each from the start; what each has learned is there after `turn_to`.

        Args:
            learners: new ones.
            epochs: at most so many; the learning rate warms up and decays over them.
            draw: tells the chance of these trainings from that of others.
            on_step: called after every batch.

        Raises:
            InputError: a loss is no longer a number.
        """
        self._current = None
        told = {id(one): self._told(one) for one in learners}
        for one in learners:
            self.turn_to(one)
            told[id(one)].on_train_begin()
        every_row = np.unique(np.concatenate([one.rows for one in learners]))
        for epoch in range(epochs):
            order = np.random.default_rng([self.settings.seed, draw, epoch]).permutation(every_row)
            batches = {id(one): Batches(one.rows, self.settings.fine_tune.batch_size) for one in learners}
            for chunk, start in enumerate(range(0, len(order), CHUNK)):
                rows = order[start : start + CHUNK]
                maps = self._shown(rows, np.random.default_rng([self.settings.seed, draw, epoch, chunk + 1]))
                for one in learners:
                    if not one.stopped:
                        self._step(one, batches[id(one)].add(rows, maps), epoch, epochs, on_step)
            for one in learners:
                if not one.stopped:
                    own = batches[id(one)]
                    self._step(one, own.rest(), epoch, epochs, on_step)
                    self._end_epoch(one, own.figures, told[id(one)])
            if all(one.stopped for one in learners):
                break
        for one in learners:
            self.turn_to(one)
            told[id(one)].on_train_end()

    def turn_to(self, one: Learner) -> None:
        """Let the network have what a training has learned so far."""
        if one is self._current:
            return
        if self._current is not None:
            self._current.state = [variable.numpy() for variable in self._moving]
        for variable, value in zip(self._moving, one.state or self._start, strict=True):
            variable.assign(value)
        self._current, one.state = one, None

    def let_go(self, one: Learner) -> None:
        """Keep no longer what a training has learned."""
        self._current, one.state = None if one is self._current else self._current, None

    @property
    def optimizer(self) -> keras.optimizers.Optimizer:
        """What makes the steps."""
        return self._rest.optimizer

    def side_by_side(self) -> int:
        """How many trainings may go side by side: without a trunk nothing is shared, and each keeps its own state."""
        return max(1, int(STATES_BYTES // sum(one.nbytes for one in self._start))) if self._trunk is not None else 1

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """(n_rows, n_characters) float64, of frames as they are."""
        return ops.convert_to_numpy(self._logits_of(self._outputs(rows))).astype(np.float64)

    def loss(self, targets: np.ndarray, outputs: np.ndarray) -> float:
        """What training makes small, of (n, n_characters) 1, 0 or NaN and (n, n_outputs) logits, both float32."""
        return float(self._rest.loss(targets, outputs))

    def _told(self, one: Learner) -> keras.callbacks.CallbackList:
        """What is told of a training's epochs: those who stop it, where frames say when, and its own callbacks."""
        tune = self.settings.fine_tune
        stopping = [
            keras.callbacks.EarlyStopping(
                "validation_loss", mode="min", patience=tune.patience, restore_best_weights=True
            ),
            *([WantedAccuracy(tune.wanted_accuracy)] if tune.wanted_accuracy else []),
        ]
        return keras.callbacks.CallbackList(
            [*(stopping if len(one.held_out) else []), *one.callbacks], model=self._rest
        )

    def _shown(self, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Frames, changed by chance, as the open part is shown them: what the trunk says, or the pictures."""
        tune = self.settings.fine_tune
        pictures = augmentation.augmented(self.inputs[rows].astype(np.float32), tune.augment, self._facts, random)
        return pictures if self._trunk is None else _in_one_size(self._trunk, pictures)

    def _step(
        self,
        one: Learner,
        batches: Iterable[tuple[np.ndarray, np.ndarray, list]],
        epoch: int,
        epochs: int,
        on_step: OnStep,
    ) -> None:
        """Train on some batches of an epoch."""
        tune = self.settings.fine_tune
        for share, maps, rows, figures in batches:
            self.turn_to(one)
            self._rest.optimizer.learning_rate.assign(rate_at(epoch + share, epochs, tune))
            self._rest.reset_metrics()
            found = self._rest.train_on_batch(maps, self.targets[rows], return_dict=True)
            if not np.isfinite(found["loss"]):
                raise InputError(
                    f"params.yaml: train.fine_tune: the loss was no number any more in epoch {epoch + 1}, one was expected; "
                    f"lower learning_rate, now {tune.learning_rate:g}; {BROUGHT_BACK}"
                )
            figures.append({name: float(value) for name, value in found.items()})
            on_step()

    def _end_epoch(self, one: Learner, batches: Sequence[dict[str, float]], told: keras.callbacks.CallbackList) -> None:
        """Judge an epoch and let the callbacks decide whether it was the last."""
        self.turn_to(one)
        figures = {name: float(np.mean([batch[name] for batch in batches])) for name in batches[0]}
        if len(one.held_out):
            figures |= self._judged(one.held_out)
        one.history.append(figures)
        self._rest.stop_training = False
        told.on_epoch_end(len(one.history) - 1, figures)
        one.stopped = self._rest.stop_training

    def _outputs(self, rows: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [
                _in_one_size(self.model, self.inputs[rows[start : start + BATCH]].astype(np.float32))
                for start in range(0, len(rows), BATCH)
            ]
        )

    def _judged(self, rows: np.ndarray) -> dict[str, float]:
        outputs, targets = self._outputs(rows), self.targets[rows]
        metric = KnownAccuracy(self.settings.exclusive)
        metric.update_state(targets, outputs)
        return {
            "validation_loss": self.loss(targets, outputs),
            "validation_accuracy": float(metric.result()),
        }


def _in_one_size(network: keras.Model, pictures: np.ndarray) -> np.ndarray:
    """What a network says of pictures, in batches of one size, compiled once."""
    filled = pictures[np.resize(np.arange(len(pictures)), -(-len(pictures) // BATCH) * BATCH)]
    said = [network.predict_on_batch(filled[start : start + BATCH]) for start in range(0, len(filled), BATCH)]
    return np.concatenate(said)[: len(pictures)]


def cross_fit(
    tuning: Tuning, folds: Sequence[Fold], on_step: OnStep, tensorboard: bool = False
) -> tuple[CrossFit, Learner]:
    """Train for every fold and on all frames; every frame is scored by the network that has not seen its neighbourhood.

    Where no frames say when to stop, the training on all frames goes beside those of the folds and shares the trunk with
    them; else it comes behind them and takes as many epochs as they needed in the middle.

    Returns:
        What the folds said, and the training on all frames, which the network has after `turn_to`.
    """
    n_rows = len(tuning.targets)
    epochs = epochs_of(n_rows, tuning.settings.fine_tune)
    learners = [
        Learner(fold.train, fold.validation, boards(tensorboard, f"fold_{number}"))
        for number, fold in enumerate(folds, start=1)
    ]
    kept = Learner(np.arange(n_rows), np.arange(0), boards(tensorboard, "final"))
    together = [*learners, *([] if any(len(fold.validation) for fold in folds) else [kept])]
    logits = np.zeros(tuning.targets.shape)
    beside = tuning.side_by_side()
    for first in range(0, len(together), beside):
        group = together[first : first + beside]
        tuning.fit_beside(group, epochs, first + 1, on_step)
        for one, fold in zip(group, folds[first:], strict=False):
            tuning.turn_to(one)
            logits[fold.test] = tuning.logits(fold.test)
            tuning.let_go(one)
    histories = [one.history for one in learners]
    judged = [[figures.get("validation_loss", -epoch) for epoch, figures in enumerate(of)] for of in histories]
    best_epochs = [int(np.argmin(losses)) + 1 for losses in judged]
    crossed = CrossFit(logits, np.array(best_epochs), mean_history(histories))
    if not kept.history:
        tuning.fit_beside([kept], crossed.usual_epochs, 0, on_step)
    return crossed, kept


def boards(asked: bool, name: str) -> list[keras.callbacks.Callback]:
    """What writes TensorBoard files into tensorboard/<name>/, where that is asked for. They hold the clock: no output."""
    folder = Path("tensorboard") / name
    if asked:
        shutil.rmtree(folder, ignore_errors=True)
    return [keras.callbacks.TensorBoard(str(folder), write_graph=False)] if asked else []
