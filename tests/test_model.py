"""The head: losses by their definition, folds that do not see what they are scored on, a fit that a reference confirms."""

import keras
import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression

from screentime import model as networks
from screentime.inputs import Form
from screentime.params import Train
from screentime.splits import Fold, folds

SETTINGS = Train(
    exclusive=False, pooling="mean", learning_rate=0.01, l2=0.01, positive_weight_max=5.0, epochs=60, patience=60, folds=4,
    block_s=10.0, guard_s=0.0, min_labelled=3, min_present=1, seed=0, threads=1, experiment="screentime",
)  # fmt: skip
UNKNOWN = np.nan


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    networks.make_deterministic(0, 1)


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


def loss(targets: list, logits: list, *, weights: list | None = None, exclusive: bool = False) -> float:
    """The loss of a single head."""
    targets, logits = np.array(targets, np.float32)[:, None], np.array(logits, np.float32)[:, None]
    weights = np.ones((1, targets.shape[-1])) if weights is None else np.array([weights])
    return float(networks.losses(targets, logits, weights.astype(np.float32), exclusive)[0])


def test_the_loss_is_the_cross_entropy_of_the_known_cells():
    targets = [[1, 0], [UNKNOWN, 1], [0, UNKNOWN]]
    logits = [[2.0, -1.0], [5.0, 0.5], [1.0, -3.0]]

    first = -np.mean([np.log(expit(2.0)), np.log(1 - expit(1.0))])
    second = -np.mean([np.log(1 - expit(-1.0)), np.log(expit(0.5))])
    assert loss(targets, logits) == pytest.approx((first + second) / 2, abs=1e-6)


@pytest.mark.parametrize("exclusive", [False, True])
def test_an_unknown_frame_carries_no_loss_whatever_is_said_of_it(exclusive):
    targets = [[1, 0], [UNKNOWN, UNKNOWN]]
    classes = 3 if exclusive else 2

    said = [loss(targets, [[1.0] * classes, [value] * classes], exclusive=exclusive) for value in (-40.0, 0.0, 40.0)]

    assert said[0] == said[1] == said[2] > 0


def test_a_present_frame_counts_as_much_as_its_weight():
    logits = [[0.3], [-0.2], [0.1], [0.4]]

    heavy = loss([[1], [0], [0], [0]], logits, weights=[3.0])
    repeated = loss([[1], [1], [1], [0], [0], [0]], [[0.3], [0.3], [0.3], *logits[1:]])
    assert heavy == pytest.approx(repeated, abs=1e-6)


def test_weights_level_rare_characters_up_to_the_cap():
    targets = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0], [UNKNOWN, 0, 0]], np.float32)

    assert networks.present_weights(targets, most=2.5).tolist() == [2.5, 1.0, 2.5]


@pytest.mark.parametrize(
    ("target", "possible"),
    [
        ([1, 0], [0]),
        ([0, 1], [1]),
        ([0, 0], [2]),
        ([1, UNKNOWN], [0]),
        ([0, UNKNOWN], [1, 2]),
        ([UNKNOWN, UNKNOWN], [0, 1, 2]),
    ],
    ids=["first", "second", "none", "first, other unknown", "not the first", "unknown"],
)
def test_the_exclusive_loss_asks_for_any_of_the_classes_that_the_answers_leave_open(target, possible):
    logits = [1.0, -0.5, 0.3]
    answered = not np.isnan(target).all()

    wanted = -np.log(softmax(logits)[possible].sum()) if answered else 0.0
    assert loss([target], [logits], exclusive=True) == pytest.approx(wanted, abs=1e-6)


def test_one_against_the_rest_is_the_softmax_as_logits():
    logits = np.random.default_rng(0).normal(0, 8, (20, 4)).astype(np.float32)

    shown = expit(np.asarray(networks.OneAgainstRest()(logits), np.float64))

    assert np.allclose(shown, softmax(logits, axis=-1)[:, :3], atol=1e-6)


def test_a_long_fit_ends_at_the_logistic_regression_of_the_reference():
    """The loss is convex: whoever minimizes it ends at the same weights. A weighted mean plus l2 times the squared
    weights is scikit-learn's sum of weighted losses with C = 1 / (2 l2 total weight)."""
    features, targets = points(120)
    settings = SETTINGS.model_copy(update={"learning_rate": 0.02})

    head = networks.fit_head(features, targets, 1200, settings, silent)

    deviation = features.std(axis=0, dtype=np.float64) + 1e-3
    weights = networks.present_weights(targets, settings.positive_weight_max)
    for character in range(2):
        known = ~np.isnan(targets[:, character])
        counts = np.where(targets[known, character] == 1, weights[character], 1.0)
        reference = LogisticRegression(C=1 / (2 * settings.l2 * counts.sum()), tol=1e-8, max_iter=1000)
        reference.fit((features[known] - features.mean(axis=0)) / deviation, targets[known, character], counts)
        assert head.kernel[:, character] * deviation == pytest.approx(reference.coef_[0], abs=2e-3)
        logits = features @ head.kernel[:, character] + head.bias[character]
        wanted = reference.decision_function((features - features.mean(axis=0)) / deviation)
        assert np.abs(logits - wanted).max() < 1e-2


def test_heads_side_by_side_are_fitted_as_if_alone():
    """Up to rounding: Adam's first step follows the sign of a gradient that may be nearly nothing."""
    features, targets = points(80)
    every = folds(["film"] * 80, np.arange(80.0), n_folds=4, block_s=10, guard_s=0)

    together = networks.cross_fit(features, targets, every, SETTINGS, silent)

    for fold in every:
        alone = networks.cross_fit(features, targets, [fold], SETTINGS, silent)
        assert np.abs(together.logits[fold.test] - alone.logits[fold.test]).max() < 1e-3


def test_the_labels_of_a_fold_do_not_say_which_of_its_frames_score_high():
    """They enter its scores in one way only: all folds start from how common each character is over all labels."""
    features, targets = points(80)
    every = folds(["film"] * 80, np.arange(80.0), n_folds=4, block_s=10, guard_s=0)
    changed = targets.copy()
    changed[every[0].test] = changed[every[0].test][::-1]

    before = networks.cross_fit(features, targets, every, SETTINGS, silent).logits[every[0].test]
    after = networks.cross_fit(features, changed, every, SETTINGS, silent).logits[every[0].test]

    assert not np.array_equal(changed, targets, equal_nan=True)
    assert np.array_equal(after, before)


def test_training_stops_when_no_fold_has_become_better_for_so_long():
    features, targets = points(60)
    settings = SETTINGS.model_copy(update={"epochs": 2000, "patience": 7, "learning_rate": 0.05, "l2": 0.0})
    every = folds(["film"] * 60, np.arange(60.0), n_folds=3, block_s=10, guard_s=0)
    told = []

    fit = networks.cross_fit(features, targets, every, settings, lambda epoch, _: told.append(epoch))

    assert len(fit.history) == fit.best_epochs.max() + 7 < 2000
    assert told == list(range(1, len(fit.history) + 1))


def test_each_fold_is_scored_as_it_was_at_its_best_epoch():
    features, targets = points(60)
    fold = Fold(train=np.arange(20, 60), validation=np.arange(10, 20), test=np.arange(10))
    settings = SETTINGS.model_copy(update={"epochs": 200, "patience": 50, "learning_rate": 0.05, "l2": 0.0})

    fit = networks.cross_fit(features, targets, [fold], settings, silent)
    best = int(fit.best_epochs[0])
    until_then = settings.model_copy(update={"epochs": best})

    assert best < len(fit.history)
    assert best == 1 + int(np.argmin([epoch["validation_loss"] for epoch in fit.history]))
    assert np.array_equal(networks.cross_fit(features, targets, [fold], until_then, silent).logits, fit.logits)


@pytest.mark.parametrize("pooling", ["mean", "mean_max"])
def test_pooled_features_are_the_mean_and_the_maximum_over_the_places(pooling):
    form = Form("efficientnet-lite0", width=96, height=64)
    pictures = np.random.default_rng(0).integers(-127, 129, (3, 64, 96, 3)).astype(np.float16) / 128
    model = networks.feature_model(form, pooling)
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))

    features = networks.features_of(model, pictures)

    places = inner.predict_on_batch(pictures.astype(np.float32))
    wanted = [places.mean(axis=(1, 2)), places.max(axis=(1, 2))][: 1 if pooling == "mean" else 2]
    assert np.abs(features - np.concatenate(wanted, axis=1)).max() < 1e-5


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_saved_model_comes_back_and_says_the_same(tmp_path, exclusive):
    form = Form("efficientnet-lite0", width=64, height=64)
    random = np.random.default_rng(0)
    head = networks.Head(random.normal(0, 0.1, (1280, 3)).astype(np.float32), np.zeros(3, np.float32), [])
    model = networks.scorer_model(networks.feature_model(form), head, exclusive=exclusive)
    picture = random.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)

    networks.save(model, tmp_path)

    said = networks.load(tmp_path).predict_on_batch(picture)
    assert said.shape == (1, 2 if exclusive else 3)
    assert np.abs(said - model.predict_on_batch(picture)).max() < 1e-5
