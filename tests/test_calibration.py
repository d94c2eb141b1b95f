"""Platt scaling: against an independent reference, and the laws that scores rely on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from screentime import calibration

LOGITS = st.floats(-30, 30)
ANSWERS = st.sampled_from([0.0, 1.0, np.nan])


def columns(least: int = 1) -> st.SearchStrategy:
    """Logits of one character and what is known of it."""
    return st.lists(st.tuples(LOGITS, ANSWERS), min_size=least, max_size=60).map(lambda rows: np.array(rows).T)


def drawn(n: int, scale: float, offset: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and answers that are present with exactly the probability expit(scale * logit + offset)."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, n)
    return logits, (random.uniform(size=n) < expit(scale * logits + offset)).astype(float)


@pytest.mark.parametrize("n, scale, offset", [(20, 1.0, 0.0), (80, 0.7, -1.0), (80, 3.0, 1.0), (500, 0.3, -2.5)])
def test_the_line_is_that_of_a_logistic_regression_on_smoothed_targets(n, scale, offset):
    """Every frame stands twice, as present and as absent, weighted by its smoothed target and the rest."""
    logits, targets = drawn(n, scale, offset, seed=n)
    n_present, n_absent = targets.sum(), (1 - targets).sum()
    smoothed = np.where(targets == 1, (n_present + 1) / (n_present + 2), 1 / (n_absent + 2))
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    reference.fit(np.tile(logits, 2)[:, None], np.repeat([1, 0], n), np.append(smoothed, 1 - smoothed))

    found = calibration.platt(logits, targets)

    assert found == pytest.approx((reference.coef_.item(), reference.intercept_.item()), abs=1e-4)


def test_many_answers_bring_back_the_true_line():
    assert calibration.platt(*drawn(100_000, scale=1.5, offset=-0.5)) == pytest.approx((1.5, -0.5), abs=0.05)


@given(columns())
def test_an_unknown_frame_has_no_say(column):
    logits, targets = column
    known = ~np.isnan(targets)

    assert calibration.platt(logits, targets) == calibration.platt(logits[known], targets[known])


@given(columns())
def test_scores_are_probabilities_in_the_order_of_the_logits(column):
    logits, targets = column
    scores = calibration.apply(logits[:, None], *calibration.fit(logits[:, None], targets[:, None]))[:, 0]

    assert np.all((scores >= 0) & (scores <= 1))
    assert np.all(np.diff(scores[np.argsort(logits)]) >= 0)


def test_nothing_known_leaves_the_logits_as_they_are():
    assert calibration.platt(np.array([1.0, 2.0]), np.array([np.nan, np.nan])) == (1.0, 0.0)


@pytest.mark.parametrize("present", [0, 1, 2])
def test_a_few_present_frames_do_not_lead_to_certainty(present):
    """Also where they part cleanly from the others, which plain maximum likelihood would take for a step."""
    logits = np.linspace(-3, 3, 80)
    targets = np.zeros(80)
    targets[80 - present :] = 1

    scores = calibration.apply(logits[:, None], *calibration.fit(logits[:, None], targets[:, None]))[:, 0]

    assert scores.max() < 0.9
    assert scores.mean() < 0.06


def test_logits_that_are_upside_down_give_the_share_and_not_the_opposite():
    logits, targets = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([1.0, 1.0, 0.0, 0.0])

    scale, offset = calibration.platt(logits, targets)

    assert scale == 0.01
    assert expit(scale * logits + offset) == pytest.approx(0.5, abs=0.01)


def test_each_character_has_a_line_of_its_own():
    logits = np.column_stack([drawn(200, 1, 0, seed=1)[0], drawn(200, 2, -1, seed=2)[0]])
    targets = np.column_stack([drawn(200, 1, 0, seed=1)[1], drawn(200, 2, -1, seed=2)[1]])

    scale, offset = calibration.fit(logits, targets)

    assert (scale[1], offset[1]) == calibration.platt(logits[:, 1], targets[:, 1])


@settings(max_examples=20)
@given(st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_a_part_has_no_say_in_its_own_scores(part, seed):
    logits, targets = (values[:, None] for values in drawn(50, 1, 0))
    parts = np.array_split(np.arange(50), 5)
    changed = targets.copy()
    changed[parts[part], 0] = np.random.default_rng(seed).integers(0, 2, len(parts[part]))

    before = calibration.cross_fitted_scores(logits, targets, parts)[parts[part]]

    assert np.array_equal(calibration.cross_fitted_scores(logits, changed, parts)[parts[part]], before)
