"""The first frames to label differ from each other."""

import numpy as np

from screentime.select import diverse_frames


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
