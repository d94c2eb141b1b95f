"""The light head against the same fit made the long way, and on frames it did not see."""

import numpy as np
from sklearn.linear_model import Ridge

from screentime.light_head import FREE, PENALTY, LightHead, fit


def frames(n=120, seed=0):
    random = np.random.default_rng(seed)
    there = np.repeat(random.random((n // 6, 3)) < 0.4, 6, axis=0).astype(float)
    seen = there @ random.normal(size=(3, 20)) + random.normal(scale=0.4, size=(n, 20))
    return np.hstack([seen, np.abs(seen)]).astype(np.float16), there


def test_it_is_ridge_regression_to_plus_and_minus_one():
    features, targets = frames()
    head = fit(features, targets)
    x = features.astype(np.float32)
    x = x - x.mean(axis=0)
    for part in (slice(0, 20), slice(20, 40)):
        x[:, part] /= np.sqrt((x[:, part] ** 2).sum(axis=1).mean())
    x = np.hstack([x, np.full((len(x), 1), FREE**0.5)])
    expected = Ridge(alpha=PENALTY, fit_intercept=False).fit(x, 2 * targets - 1).predict(x)

    assert np.allclose(features.astype(np.float32) @ head.weights + head.bias, expected, atol=2e-3)


def test_held_out_logits_are_those_of_a_fit_without_the_block():
    features, targets = frames(60)
    times_s = np.arange(60.0) * 4  # no neighbour lies in the guard of another block but the next ones
    order = fit(features, targets, video_ids=["a"] * 60, times_s=times_s).held_out
    assert order.shape == targets.shape
    right = (order >= 0.5) == (targets == 1)

    assert right.mean() > 0.8


def test_a_character_without_both_answers_has_no_score_and_unknown_stays_unknown():
    features, targets = frames()
    targets[:, 1] = 1.0
    targets[:60, 2] = np.nan
    head = fit(features, targets, video_ids=["a"] * 120, times_s=np.arange(120.0))
    scores = head.scores(features)

    assert np.isnan(scores[:, 1]).all()
    assert not np.isnan(scores[:, [0, 2]]).any() and scores[:, 0].min() >= 0 and scores[:, 0].max() <= 1
    assert np.isnan(head.held_out[:60, 2]).all()


def test_scores_are_calibrated_where_there_are_enough_labels():
    features, targets = frames(600, seed=4)
    head = fit(features[:300], targets[:300], video_ids=["a"] * 300, times_s=np.arange(300.0))
    scores = head.scores(features[300:])
    assert isinstance(head, LightHead)
    for low, high in ((0.0, 0.3), (0.7, 1.0)):
        among = (scores >= low) & (scores <= high)
        assert abs(targets[300:][among].mean() - scores[among].mean()) < 0.1
