"""Training on pictures: it learns, stops when told, starts each fold anew, and says when the loss is lost."""

import keras
import numpy as np
import pytest
from trained import CAST, FORM, drawn_frame, params_with, truth

from screentime import fine_tuning, losses, schedule
from screentime.errors import InputError
from screentime.inputs import network_input
from screentime.sections import Augment, Train
from screentime.splits import folds

QUICK = {
    "method": "fine_tune", "open": "none", "epochs": 6, "batch_size": 8, "learning_rate": 0.01, "validation": 0.25, "warm_up": 0.5,
}  # fmt: skip
TIMES_S = 5.0 * np.arange(24)


def settings(**changes: object) -> Train:
    return params_with(**QUICK | changes).train


def frames(n_frames: int = 24) -> tuple[np.ndarray, np.ndarray]:
    targets = truth(n_frames)
    images = [drawn_frame(bool(disc), bool(cross), seed) for seed, (disc, cross) in enumerate(targets)]
    return np.stack([network_input(image, FORM) for image in images]).astype(np.float16), targets


@pytest.fixture(scope="module")
def tuning() -> fine_tuning.Tuning:
    """A head alone on the frozen backbone: what is tested is the loop around it."""
    return fine_tuning.Tuning(FORM, *frames(), settings())


def with_settings(tuning: fine_tuning.Tuning, **changes: object) -> fine_tuning.Tuning:
    tuning.settings = settings(**changes)
    return tuning


ALL, NOBODY = np.arange(24), np.arange(0)


def fit(tuning: fine_tuning.Tuning, rows=ALL, held_out=NOBODY, epochs=4, draw=0) -> list[dict]:
    return tuning.fit(np.asarray(rows), np.asarray(held_out), epochs, draw, lambda *_: None)


def test_every_training_starts_anew_and_depends_on_its_draw_alone(tuning):
    with_settings(tuning)
    first = fit(tuning, draw=1)
    weights = tuning.model.get_weights()
    other = fit(tuning, draw=2)
    again = fit(tuning, draw=1)

    assert first == again != other
    assert all(np.array_equal(one, two) for one, two in zip(weights, tuning.model.get_weights(), strict=True))
    assert first[-1]["loss"] < first[0]["loss"]


def test_the_labels_of_a_fold_do_not_change_what_is_said_of_it(tuning):
    with_settings(tuning)
    parts = folds(["film"] * 24, TIMES_S, 4, 10.0, 0.0)
    targets = tuning.targets
    before = fine_tuning.cross_fit(tuning, parts, lambda *_: None)[0].logits
    try:
        tuning.targets = targets.copy()
        tuning.targets[parts[0].test] = 1 - targets[parts[0].test]
        after = fine_tuning.cross_fit(tuning, parts, lambda *_: None)[0].logits
    finally:
        tuning.targets = targets

    assert np.array_equal(before[parts[0].test], after[parts[0].test])
    assert not np.array_equal(before[parts[1].test], after[parts[1].test])


def test_trainings_side_by_side_do_not_know_of_each_other(tuning):
    with_settings(tuning)
    alone = fine_tuning.Learner(ALL, NOBODY)
    tuning.fit_beside([alone], 3, 0, lambda *_: None)
    wanted, weights = alone.history, tuning.model.get_weights()
    among = [fine_tuning.Learner(rows, NOBODY) for rows in (ALL[:10], ALL, ALL[5:])]
    tuning.fit_beside(among, 3, 0, lambda *_: None)

    assert among[1].history == wanted != among[0].history
    tuning.turn_to(among[1])
    assert all(np.array_equal(one, two) for one, two in zip(weights, tuning.model.get_weights(), strict=True))
    tuning.turn_to(among[0])
    assert not np.array_equal(weights[-1], tuning.model.get_weights()[-1])


def test_each_of_them_stops_by_itself(tuning):
    with_settings(tuning, wanted_accuracy=0.8, patience=30)
    stops, runs = fine_tuning.Learner(ALL[:16], ALL[16:]), fine_tuning.Learner(ALL, NOBODY)
    tuning.fit_beside([stops, runs], 12, 0, lambda *_: None)

    assert stops.stopped and len(stops.history) < len(runs.history) == 12
    assert stops.history[-1]["validation_accuracy"] >= 0.8


def test_only_what_has_something_in_common_goes_side_by_side(tuning, monkeypatch):
    assert tuning.side_by_side() > 8
    whole = fine_tuning.Tuning(FORM, *frames(8), settings(open="all"))
    assert whole.side_by_side() == 1
    monkeypatch.setattr(fine_tuning, "STATES_BYTES", 1)
    assert tuning.side_by_side() == 1
    parts = folds(["film"] * 24, TIMES_S, 4, 10.0, 0.0)
    crossed, _ = fine_tuning.cross_fit(with_settings(tuning), parts, lambda *_: None)
    assert np.isfinite(crossed.logits).all() and len(crossed.best_epochs) == 4


def test_it_stops_when_the_held_out_frames_have_not_become_better_for_so_long_and_keeps_the_best(tuning):
    with_settings(tuning, learning_rate=0.02, decay="constant", patience=2)
    targets = tuning.targets
    try:
        tuning.targets = targets.copy()
        tuning.targets[18:] = 1 - targets[18:]  # most of what is held out contradicts: sooner or later it becomes worse
        history = fit(tuning, rows=ALL[:16], held_out=ALL[16:], epochs=40)
        kept = tuning.loss(tuning.targets[16:], tuning._outputs(ALL[16:]))
    finally:
        tuning.targets = targets

    losses = [figures["validation_loss"] for figures in history]
    best = int(np.argmin(losses))
    assert len(history) == best + 3 < 40
    assert kept == pytest.approx(losses[best], abs=1e-5)


def test_it_stops_at_the_end_of_the_epoch_that_reaches_the_wanted_accuracy(tuning):
    with_settings(tuning, wanted_accuracy=0.8, patience=30)

    history = fit(tuning, rows=ALL[:16], held_out=ALL[16:], epochs=30)

    reached = [figures["validation_accuracy"] >= 0.8 for figures in history]
    assert reached == [False] * (len(history) - 1) + [True]
    assert len(history) < 30


def test_without_held_out_frames_every_epoch_is_run(tuning):
    with_settings(tuning, wanted_accuracy=0.5, patience=1)

    assert len(fit(tuning, epochs=5)) == 5
    assert set(fit(tuning, epochs=1)[0]) == {"loss", "accuracy"}


def test_a_loss_that_is_no_number_ends_the_training_with_what_to_lower(tuning):
    with_settings(tuning, learning_rate=1e38)
    with pytest.raises(InputError) as failure:
        fit(tuning)

    assert str(failure.value) == (
        "params.yaml: train.fine_tune: the loss was no number any more in epoch 1, one was expected; lower learning_rate, now 1e+38; "
        "`dvc checkout train` brings back the model there was, `dvc repro` with its parameters its figures too"
    )


def test_fewer_frames_than_a_batch_train_all_the_same(tuning):
    with_settings(tuning)

    assert len(fit(tuning, rows=ALL[:3], epochs=2)) == 2


def test_what_trains_are_frames_changed_anew_in_every_epoch(tuning, monkeypatch):
    shown = []
    step = tuning._rest.train_on_batch

    def told(maps: np.ndarray, *answers, **options) -> dict:
        shown.append(np.sort(maps.sum(axis=(1, 2, 3))))  # frames come in another order in every epoch
        return step(maps, *answers, **options)

    monkeypatch.setattr(tuning._rest, "train_on_batch", told)
    nothing = dict.fromkeys(Augment.model_fields, 0.0)
    for changes in (nothing, nothing | {"shift": 0.2}):
        with_settings(tuning, augment=Augment.model_construct(**changes))
        fit(tuning, rows=ALL[:8], epochs=2)
    first, second, changed_first, changed_second = shown

    assert first == pytest.approx(second, rel=1e-4)
    for one, other in [(first, changed_first), (first, changed_second), (changed_first, changed_second)]:
        assert np.abs(one - other).max() > 1


def test_every_step_has_the_learning_rate_of_its_place_in_the_training(tuning):
    with_settings(tuning, warm_up=1.0, decay="cosine", learning_rate=0.01)
    rates = []

    tuning.fit(ALL, NOBODY, 4, 0, lambda: rates.append(float(tuning.optimizer.learning_rate)))

    tune = tuning.settings.fine_tune
    assert rates == pytest.approx([schedule.rate_at(step / 3, 4, tune) for step in range(12)], rel=1e-5)
    assert rates[0] < rates[2] < rates[3] == pytest.approx(0.01) and rates[-1] < 0.001


def test_the_learning_rate_rises_then_falls_as_half_a_cosine():
    tune = settings(warm_up=2.0, learning_rate=0.4, decay="cosine").fine_tune

    rates = [schedule.rate_at(epoch, 10, tune) for epoch in (0, 1, 2, 6, 10)]

    assert rates == pytest.approx([0.002, 0.202, 0.4, 0.2, 0.0], abs=1e-9)
    assert schedule.rate_at(6, 10, tune.model_copy(update={"decay": "constant"})) == 0.4


def test_accuracy_is_over_known_answers_and_over_frames_whose_class_is_decided():
    unknown = np.nan
    logits = np.array([[2.0, -1.0], [-1.0, 3.0], [1.0, 1.0]], np.float32)
    metric = losses.KnownAccuracy()
    metric.update_state(np.array([[1, 0], [1, unknown], [unknown, 1]], np.float32), logits)
    assert float(metric.result()) == pytest.approx(3 / 4)

    classes = np.column_stack([logits, [0.0, 4.0, 0.0]]).astype(np.float32)
    metric = losses.KnownAccuracy(exclusive=True)
    metric.update_state(np.array([[1, 0], [0, 0], [0, unknown]], np.float32), classes)
    assert float(metric.result()) == 1.0
    metric.update_state(np.array([[0, 1]], np.float32), classes[:1])
    assert float(metric.result()) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", keras.optimizers.Adam), ("adamw", keras.optimizers.AdamW), ("sgd", keras.optimizers.SGD),
     ("rmsprop", keras.optimizers.RMSprop)],
)  # fmt: skip
def test_the_optimizer_is_the_one_that_is_named(name, kind):
    made = schedule.optimizer(settings(optimizer=name, learning_rate=0.02, weight_decay=0.001).fine_tune)

    assert type(made) is kind
    assert (float(made.learning_rate), made.weight_decay) == (pytest.approx(0.02), 0.001)


def test_the_open_blocks_learn_what_the_frozen_ones_cannot(tmp_path, monkeypatch):
    """Eight frames are learned by heart, and what is learned is where the characters are."""
    monkeypatch.chdir(tmp_path)
    inputs, targets = frames(8)
    tuning = fine_tuning.Tuning(
        FORM, inputs, targets, settings(open="blocks:3", learning_rate=0.002, tensorboard=True, batch_size=4)
    )

    history = tuning.fit(np.arange(8), NOBODY, 15, 0, lambda *_: None, fine_tuning.boards(True, "final"))

    assert ((tuning.logits(np.arange(8)) > 0) == targets).mean() >= 0.95
    assert history[-1]["loss"] < 0.2
    assert list((tmp_path / "tensorboard" / "final" / "train").glob("events.out.tfevents.*"))
    assert len(CAST) == targets.shape[1]
