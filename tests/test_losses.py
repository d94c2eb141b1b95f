"""The loss by its definition: unknown cells, weights, classes that exclude each other."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from screentime import losses

UNKNOWN = np.nan


def loss(targets: list, logits: list, *, weights: list | None = None, exclusive: bool = False) -> float:
    """The loss of a single head."""
    targets, logits = np.array(targets, np.float32)[:, None], np.array(logits, np.float32)[:, None]
    weights = np.ones((1, targets.shape[-1])) if weights is None else np.array([weights])
    return float(losses.losses(targets, logits, weights.astype(np.float32), exclusive)[0])


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

    assert losses.present_weights(targets, most=2.5).tolist() == [2.5, 1.0, 2.5]


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

    shown = expit(np.asarray(losses.OneAgainstRest()(logits), np.float64))

    assert np.allclose(shown, softmax(logits, axis=-1)[:, :3], atol=1e-6)
