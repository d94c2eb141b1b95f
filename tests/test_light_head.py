"""The light head against the same fit made the long way, and on frames it did not see."""

import numpy as np
from scipy.special import expit
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from screentime import light_head
from screentime.light_head import BLOCK_S, FREE, GUARD_S, NEAR_S, NEARNESS, PENALTY, UNCALIBRATED_SCALE, LightHead, fit


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


def likeness(features, videos, times_s):
    """(n_frames, n_frames): of standardised features, and of moments of one video."""
    x = features.astype(np.float32) - features.astype(np.float32).mean(axis=0)
    for part in (slice(0, 20), slice(20, 40)):
        x[:, part] /= np.sqrt((x[:, part] ** 2).sum(axis=1).mean())
    near = NEARNESS * np.exp(-np.abs(times_s[:, None] - times_s) / NEAR_S)
    return x @ x.T + FREE + np.where(np.array(videos)[:, None] == videos, near, 0.0)


def fitted_without(alike, targets, out):
    """Logits of rows by kernel ridge regression on the others, the long way."""
    logits = np.full((len(out), targets.shape[1]), np.nan)
    for place in range(targets.shape[1]):
        rows = np.setdiff1d(np.flatnonzero(~np.isnan(targets[:, place])), out)
        model = KernelRidge(alpha=PENALTY, kernel="precomputed")
        model.fit(alike[np.ix_(rows, rows)], 2 * targets[rows, place] - 1)
        logits[:, place] = np.where(np.isnan(targets[out, place]), np.nan, model.predict(alike[np.ix_(out, rows)]))
    return logits


def test_frames_near_in_time_are_alike_whatever_they_show(monkeypatch):
    monkeypatch.setattr(light_head, "CALIBRATED_FROM", 10**6)
    features, targets = frames(90)
    times_s = np.arange(90.0)
    taught = np.arange(90) % 3 == 0
    head = fit(features[taught], targets[taught], video_ids=["a"] * 30, times_s=times_s[taught])
    x = features.astype(np.float32) - features[taught].astype(np.float32).mean(axis=0)
    for part in (slice(0, 20), slice(20, 40)):
        x[:, part] /= np.sqrt((x[taught][:, part] ** 2).sum(axis=1).mean())
    alike = x @ x.T + FREE + NEARNESS * np.exp(-np.abs(times_s[:, None] - times_s) / NEAR_S)
    model = KernelRidge(alpha=PENALTY, kernel="precomputed").fit(alike[np.ix_(taught, taught)], 2 * targets[taught] - 1)
    expected = expit(UNCALIBRATED_SCALE * model.predict(alike[:, taught]))

    assert np.allclose(head.scores(features, "a", times_s), expected, atol=2e-3)
    elsewhere = head.scores(features, "b", times_s)  # another film: nothing is near
    assert np.abs(elsewhere - expected).max() > 0.01


def test_scores_of_labelled_frames_are_those_of_fits_without_them(monkeypatch):
    """Out of a block and its guard, and out of the frame alone; exactly, with unknown answers among them."""
    monkeypatch.setattr(light_head, "CALIBRATED_FROM", 10**6)  # so that scores tell the logits
    features, targets = frames(90)
    targets[np.random.default_rng(1).random(targets.shape) < 0.2] = np.nan
    times_s = np.arange(90.0) * 1.7
    videos = ["a"] * 50 + ["b"] * 40
    head = fit(features, targets, video_ids=videos, times_s=times_s)
    alike = likeness(features, videos, times_s)

    for row in (0, 23, 49, 50, 77):
        block = np.floor(times_s / BLOCK_S)
        first = np.flatnonzero((block == block[row]) & (np.array(videos) == videos[row]))
        near = (times_s > times_s[first].min() - GUARD_S) & (times_s < times_s[first].max() + GUARD_S)
        out = np.flatnonzero(near & (np.array(videos) == videos[row]))
        assert len(out) > len(first) >= 5 or row in (49, 50)
        expected = fitted_without(alike, targets, out)[out.tolist().index(row)]
        alone = fitted_without(alike, targets, np.array([row]))[0]
        for found, logits in ((head.held_out, expected), (head.one_out, alone)):
            assert np.allclose(found[row], expit(UNCALIBRATED_SCALE * logits), atol=1e-3, equal_nan=True)


def test_a_frame_without_which_an_answer_would_be_missing_has_no_such_score():
    features, targets = frames()
    targets[:, 0] = 0.0
    targets[31, 0] = 1.0
    head = fit(features, targets, video_ids=["a"] * 120, times_s=np.arange(120.0))

    for found in (head.held_out, head.one_out):
        assert np.isnan(found[31, 0]) and not np.isnan(found[90, 0])


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
