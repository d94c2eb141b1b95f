"""The probe: folds that do not see what they are scored on, a fit that a reference confirms, pooled features."""

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from screentime import frozen, losses, network, probe
from screentime.errors import InputError
from screentime.inputs import Form
from screentime.params import load
from screentime.sections import Train
from screentime.splits import Fold, folds

PROJECT = load(Path(__file__).parents[1] / "params.yaml").train
SETTINGS = PROJECT.model_copy(
    update={
        "positive_weight_max": 5.0,
        "folds": 4,
        "guard_s": 0.0,
        "probe": PROJECT.probe.model_copy(
            update={"pooling": "mean", "learning_rate": 0.01, "l2": 0.01, "epochs": 60, "patience": 60}
        ),
    }
)
UNKNOWN = np.nan


def changed(settings: Train, probe_settings: dict) -> Train:
    """The same with another section `probe`."""
    return settings.model_copy(update={"probe": settings.probe.model_copy(update=probe_settings)})


def silent(*_) -> None:
    """Nobody wants to hear of the epochs."""


def points(n_frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features in six dimensions and two characters that depend on them with some noise; some cells unknown."""
    random = np.random.default_rng(seed)
    features = random.normal(3, 2, (n_frames, 6)).astype(np.float32)
    signal = (features - 3) @ random.normal(0, 1, (6, 2)) - (0, 1.5)
    targets = (signal + random.normal(0, 1.5, (n_frames, 2)) > 0).astype(np.float32)
    targets[random.random((n_frames, 2)) < 0.1] = UNKNOWN
    return features, targets


def test_a_long_fit_ends_at_the_logistic_regression_of_the_reference():
    """The loss is convex: whoever minimizes it ends at the same weights. A weighted mean plus l2 times the squared
    weights is scikit-learn's sum of weighted losses with C = 1 / (2 l2 total weight)."""
    features, targets = points(120)
    settings = changed(SETTINGS, {"learning_rate": 0.02})

    head = probe.fit_head(features, targets, 1200, settings, silent)

    deviation = features.std(axis=0, dtype=np.float64) + 1e-3
    weights = losses.present_weights(targets, settings.positive_weight_max)
    for character in range(2):
        known = ~np.isnan(targets[:, character])
        counts = np.where(targets[known, character] == 1, weights[character], 1.0)
        reference = LogisticRegression(C=1 / (2 * settings.probe.l2 * counts.sum()), tol=1e-8, max_iter=1000)
        reference.fit((features[known] - features.mean(axis=0)) / deviation, targets[known, character], counts)
        assert head.kernel[:, character] * deviation == pytest.approx(reference.coef_[0], abs=2e-3)
        logits = features @ head.kernel[:, character] + head.bias[character]
        wanted = reference.decision_function((features - features.mean(axis=0)) / deviation)
        assert np.abs(logits - wanted).max() < 1e-2


def test_heads_side_by_side_are_fitted_as_if_alone():
    """Up to rounding: Adam's first step follows the sign of a gradient that may be nearly nothing."""
    features, targets = points(80)
    every = folds(["film"] * 80, np.arange(80.0), n_folds=4, block_s=10, guard_s=0)

    together = probe.cross_fit(features, targets, every, SETTINGS, silent)

    for fold in every:
        alone = probe.cross_fit(features, targets, [fold], SETTINGS, silent)
        assert np.abs(together.logits[fold.test] - alone.logits[fold.test]).max() < 1e-3


def test_the_labels_of_a_fold_do_not_say_which_of_its_frames_score_high():
    """They enter its scores in one way only: all folds start from how common each character is over all labels."""
    features, targets = points(80)
    every = folds(["film"] * 80, np.arange(80.0), n_folds=4, block_s=10, guard_s=0)
    changed = targets.copy()
    changed[every[0].test] = changed[every[0].test][::-1]

    before = probe.cross_fit(features, targets, every, SETTINGS, silent).logits[every[0].test]
    after = probe.cross_fit(features, changed, every, SETTINGS, silent).logits[every[0].test]

    assert not np.array_equal(changed, targets, equal_nan=True)
    assert np.array_equal(after, before)


def test_training_stops_when_no_fold_has_become_better_for_so_long():
    features, targets = points(60)
    settings = changed(SETTINGS, {"epochs": 2000, "patience": 7, "learning_rate": 0.05, "l2": 0.0})
    every = folds(["film"] * 60, np.arange(60.0), n_folds=3, block_s=10, guard_s=0)
    told = []

    fit = probe.cross_fit(features, targets, every, settings, lambda epoch, _: told.append(epoch))

    assert len(fit.history) == fit.best_epochs.max() + 7 < 2000
    assert told == list(range(1, len(fit.history) + 1))


def test_each_fold_is_scored_as_it_was_at_its_best_epoch():
    features, targets = points(60)
    fold = Fold(train=np.arange(20, 60), validation=np.arange(10, 20), test=np.arange(10))
    settings = changed(SETTINGS, {"epochs": 200, "patience": 50, "learning_rate": 0.05, "l2": 0.0})

    fit = probe.cross_fit(features, targets, [fold], settings, silent)
    best = int(fit.best_epochs[0])
    until_then = changed(settings, {"epochs": best})

    assert best < len(fit.history)
    assert best == 1 + int(np.argmin([epoch["validation_loss"] for epoch in fit.history]))
    assert np.array_equal(probe.cross_fit(features, targets, [fold], until_then, silent).logits, fit.logits)


def refusals(features, targets, settings) -> set[str]:
    """What training with folds, and training on everything, says of what it cannot do."""
    every = folds(["film"] * 60, np.arange(60.0), n_folds=3, block_s=10, guard_s=0)
    said = set()
    for fit in (
        lambda: probe.cross_fit(features, targets, every, settings, silent),
        lambda: probe.fit_head(features, targets, 2, settings, silent),
    ):
        with pytest.raises(InputError) as failure:
            fit()
        said.add(str(failure.value))
    return said


def test_a_loss_that_is_no_number_ends_the_training_with_what_to_lower():
    features, targets = points(60)
    settings = changed(SETTINGS, {"learning_rate": 1e38})

    assert refusals(features, targets, settings) == {
        "params.yaml: train.probe: the loss was no number any more, one was expected; lower learning_rate, now 1e+38; "
        "`dvc checkout train` brings back the model there was, `dvc repro` with its parameters its figures too"
    }


def test_features_that_are_no_numbers_are_no_head():
    features, targets = points(60)
    features[7, 2], features[9] = np.inf, np.nan

    assert refusals(features, targets, SETTINGS) == {
        "data/arrays: the features of 2 of 60 frames are no finite numbers, such ones were expected; choose another "
        "preprocess.backbone; `dvc checkout train` brings back the model there was, `dvc repro` with its parameters its figures too"
    }


@pytest.mark.parametrize("pooling", ["mean", "mean_max"])
def test_pooled_features_are_the_mean_and_the_maximum_over_the_places(pooling):
    form = Form("efficientnet-lite0", width=96, height=64)
    pictures = np.random.default_rng(0).integers(-127, 129, (3, 64, 96, 3)).astype(np.float16) / 128
    model = frozen.feature_model(form, pooling)
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))

    features = frozen.features_of(model, pictures)

    places = inner.predict_on_batch(pictures.astype(np.float32))
    wanted = [places.mean(axis=(1, 2)), places.max(axis=(1, 2))][: 1 if pooling == "mean" else 2]
    assert np.abs(features - np.concatenate(wanted, axis=1)).max() < 1e-5


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_saved_model_comes_back_and_says_the_same(tmp_path, exclusive):
    form = Form("efficientnet-lite0", width=64, height=64)
    random = np.random.default_rng(0)
    head = probe.Head(random.normal(0, 0.1, (1280, 3)).astype(np.float32), np.zeros(3, np.float32), [])
    model = probe.scorer_model(frozen.feature_model(form), head, exclusive=exclusive)
    picture = random.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)

    network.save(model, tmp_path)

    said = network.load(tmp_path).predict_on_batch(picture)
    assert said.shape == (1, 2 if exclusive else 3)
    assert np.abs(said - model.predict_on_batch(picture)).max() < 1e-5
