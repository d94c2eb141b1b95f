"""The figures are those of scikit-learn, and what cannot be known is left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screentime import metrics

NAN = float("nan")


@st.composite
def scored_frames(draw):
    """Truth with both values, scores with ties, weights with zeros."""
    n = draw(st.integers(2, 40))
    truth = draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=n, max_size=n))
    scores = draw(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 0.9, 1.0]), min_size=n, max_size=n))
    weights = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=n, max_size=n))
    truth[0], truth[1], weights[0], weights[1] = 0.0, 1.0, 1.0, 1.0
    return np.array(truth), np.array(scores), np.array(weights)


@settings(deadline=None, max_examples=60)
@given(scored_frames())
def test_every_figure_is_that_of_scikit_learn(frames):
    reference = pytest.importorskip("sklearn.metrics")
    truth, scores, weights = frames
    predicted = scores >= 0.5

    for given_weights in (None, weights):
        same = {"sample_weight": given_weights}
        assert metrics.average_precision(truth, scores, given_weights) == pytest.approx(
            reference.average_precision_score(truth, scores, **same)
        )
        assert metrics.accuracy(truth, predicted, given_weights) == pytest.approx(
            reference.accuracy_score(truth, predicted, **same)
        )
        assert metrics.f1(truth, predicted, given_weights) == pytest.approx(
            reference.f1_score(truth, predicted, **same)
        )


@settings(deadline=None, max_examples=60)
@given(scored_frames())
def test_the_curve_is_that_of_scikit_learn(frames):
    reference = pytest.importorskip("sklearn.metrics")
    truth, scores, _ = frames
    precision, recall, thresholds = reference.precision_recall_curve(truth, scores)

    ours = metrics.precision_recall(truth, scores)

    assert ours[0] == pytest.approx(thresholds[::-1])
    assert ours[1] == pytest.approx(precision[-2::-1])
    assert ours[2] == pytest.approx(recall[-2::-1])


@settings(deadline=None, max_examples=60)
@given(scored_frames(), st.integers(0, 10))
def test_a_cell_that_nobody_knows_changes_nothing(frames, unknown):
    truth, scores, weights = frames
    more_truth = np.append(truth, np.full(unknown, NAN))
    more_scores = np.append(scores, np.linspace(0, 1, unknown))
    more_weights = np.append(weights, np.ones(unknown))

    assert metrics.average_precision(more_truth, more_scores) == metrics.average_precision(truth, scores)
    assert metrics.accuracy(more_truth, more_scores >= 0.5, more_weights) == metrics.accuracy(
        truth, scores >= 0.5, weights
    )
    assert metrics.f1(more_truth, more_scores >= 0.5) == metrics.f1(truth, scores >= 0.5)
    assert metrics.commoner_accuracy(more_truth) == metrics.commoner_accuracy(truth)


def test_a_figure_that_the_cells_cannot_tell_is_unknown():
    never_present = np.zeros(3)

    assert np.isnan(metrics.average_precision(never_present, np.array([0.1, 0.2, 0.3])))
    assert np.isnan(metrics.f1(never_present, np.zeros(3, bool)))
    assert metrics.f1(never_present, np.ones(3, bool)) == 0
    assert np.isnan(metrics.accuracy(np.array([NAN, NAN]), np.ones(2, bool)))
    assert np.isnan(metrics.accuracy(np.empty(0), np.empty(0, bool)))
    assert metrics.accuracy(never_present, np.zeros(3, bool)) == 1
    assert np.isnan(metrics.commoner_accuracy(np.array([NAN])))


def test_guessing_the_commoner_value_is_right_as_often_as_it_is_common():
    assert metrics.commoner_accuracy(np.array([1, 1, 1, 0])) == 0.75
    assert metrics.commoner_accuracy(np.array([0, 0, 0, 1, NAN])) == 0.75
    assert metrics.commoner_accuracy(np.array([1.0, 0.0]), np.array([9.0, 1.0])) == 0.9


def test_calibration_bins_hold_every_known_frame_once():
    truth = np.array([0, 1, 1, 1, NAN])
    scores = np.array([0.05, 0.15, 0.95, 1.0, 0.5])

    mean_score, share, count = metrics.calibration(truth, scores, bins=10)

    assert mean_score == pytest.approx([0.05, 0.15, 0.975])
    assert share == pytest.approx([0, 1, 1])
    assert count.tolist() == [1, 1, 2]


def test_wilson_solves_its_own_equation():
    """Both ends are the shares at which the counted share is exactly 1.96 standard errors away."""
    n, share = 80, 0.9
    for end in metrics.wilson(share, n):
        assert abs(share - end) / np.sqrt(end * (1 - end) / n) == pytest.approx(1.959964, abs=1e-5)
    assert metrics.wilson(1.0, 10)[1] == pytest.approx(1.0)
    assert metrics.wilson(0.0, 10)[0] == pytest.approx(0.0)
    assert metrics.wilson(NAN, 0) == (0.0, 1.0)


def test_a_macro_average_leaves_out_what_is_unknown():
    assert metrics.macro([1.0, NAN, 0.5]) == 0.75
    assert np.isnan(metrics.macro([NAN]))
    assert np.isnan(metrics.macro([]))
