"""The first frames to label differ from each other."""

import numpy as np

from screentime.select import diverse_frames, likely_errors, uncertain_frames


def test_one_frame_is_chosen_from_each_of_well_separated_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(8), 20)
    features = np.eye(8)[groups] + rng.normal(0, 0.02, (160, 8))

    chosen = diverse_frames(features, count=8, seed=0)

    assert sorted(groups[chosen]) == list(range(8))


def test_no_more_frames_are_chosen_than_there_are():
    assert diverse_frames(np.ones((3, 4)), count=10, seed=0).tolist() == [0, 1, 2]


def test_black_frames_which_have_no_direction_are_no_obstacle():
    features = np.vstack([np.zeros((5, 4)), np.eye(4)])

    chosen = diverse_frames(features, count=5, seed=0)

    assert len(set(chosen.tolist())) == 5
    assert np.isfinite(features[chosen]).all()


def test_the_same_seed_gives_the_same_frames():
    features = np.random.default_rng(1).normal(size=(200, 16)).astype(np.float16)

    assert diverse_frames(features, 20, seed=3).tolist() == diverse_frames(features, 20, seed=3).tolist()


def test_the_least_certain_frames_are_at_most_one_a_shot_and_free():
    random = np.random.default_rng(0)
    scores, shots = random.random((60, 3)), np.arange(0, 60, 6)
    free = random.random(60) < 0.8
    chosen = uncertain_frames(scores, shots, free, 7)
    margins = np.abs(scores - 0.5).min(axis=1)

    assert len(chosen) == 7 and free[chosen].all()
    assert len(set(chosen // 6)) == 7
    assert (np.diff(margins[chosen]) >= 0).all()
    assert margins[chosen[0]] == margins[free].min()


def test_without_a_model_no_frame_is_uncertain():
    assert len(uncertain_frames(np.full((9, 2), np.nan), np.array([0]), np.ones(9, bool), 5)) == 0


def test_planted_slips_are_the_likeliest_errors():
    random = np.random.default_rng(1)
    labels = (random.random((200, 2)) < 0.4).astype(float)
    scores = np.clip(labels * 0.8 + 0.1 + random.normal(scale=0.05, size=labels.shape), 0, 1)
    slips = {(5, 0), (50, 1), (120, 0)}
    for cell in slips:
        labels[cell] = 1 - labels[cell]

    assert {found[:2] for found in likely_errors(labels, scores, 3)} == slips
