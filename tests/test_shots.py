"""Cuts found from what neighbouring frames look like to a backbone."""

import numpy as np
import pytest

from screentime.shots import shot_starts


@pytest.mark.parametrize("seed", range(5))
def test_every_cut_is_found_and_movement_within_a_shot_is_none(seed):
    random = np.random.default_rng(seed)
    lengths = random.integers(2, 20, 30)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    means = np.repeat(np.abs(random.normal(size=(30, 64))), lengths, axis=0)
    means += random.normal(scale=0.08, size=means.shape)
    features = np.hstack([means, means + 1]).astype(np.float16)

    assert shot_starts(features, np.arange(len(means), dtype=float)).tolist() == starts.tolist()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_the_shortest_films(n):
    assert shot_starts(np.ones((n, 4)), np.arange(float(n))).tolist() == [0][:n]
