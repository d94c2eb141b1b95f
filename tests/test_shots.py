"""Cuts found from what neighbouring frames look like to a backbone."""

import numpy as np
import pytest

from screentime.shots import LONGEST_S, in_context, shot_of, shot_starts


@pytest.mark.parametrize("seed", range(5))
def test_every_cut_is_found_and_movement_within_a_shot_is_none(seed):
    random = np.random.default_rng(seed)
    lengths = random.integers(2, 20, 30)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    means = np.repeat(np.abs(random.normal(size=(30, 400))), lengths, axis=0)
    means += random.normal(scale=0.08, size=means.shape)
    features = np.hstack([means, means + 1]).astype(np.float16)

    assert shot_starts(features, np.arange(len(means), dtype=float)).tolist() == starts.tolist()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_the_shortest_films(n):
    assert shot_starts(np.ones((n, 4)), np.arange(float(n))).tolist() == [0][:n]


def test_a_film_of_one_picture_is_one_shot_however_it_flickers():
    random = np.random.default_rng(0)
    features = 1 + random.normal(scale=0.05, size=(15, 128))

    assert shot_starts(features, np.arange(15.0)).tolist() == [0]


def test_a_long_shot_is_parted_where_it_changes_most():
    features = np.ones((30, 8))
    features[17:] += [0.3, 0, 0, 0, 0.3, 0, 0, 0]

    assert shot_starts(features, np.arange(30.0)).tolist() == [0, 17]
    assert shot_starts(features, np.arange(30.0) / 2).tolist() == [0]
    hour = shot_starts(np.ones((3600, 4)), np.arange(3600.0))
    assert np.diff(np.append(hour, 3600)).max() <= LONGEST_S + 1


def test_the_context_of_a_frame_is_its_own_shot_alone():
    features = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float16)
    starts = np.array([0, 5, 6])
    shot = shot_of(starts, 20)
    means = np.array([features[shot == one].astype(float).mean(axis=0) for one in range(3)])

    assert np.allclose(in_context(features, starts), features + means[shot] / 2, atol=1e-3)
    assert in_context(np.zeros((0, 6)), np.zeros(0, np.int64)).shape == (0, 6)
