"""Windows: padded on the right, never empty; the window around a frame; averages over it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentime.windows import Windows, padded, rolling_mean, rows_around, windows_around


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6), n_frames=st.integers(1, 12))
def test_a_window_holds_the_first_frames_and_masks_what_is_missing(lengths, n_frames):
    sequences = [np.arange(1.0, length + 1)[:, None] for length in lengths]

    windows = padded(sequences, n_frames)

    for sequence, features, mask in zip(sequences, windows.features, windows.mask, strict=True):
        assert features[mask][:, 0].tolist() == sequence[:n_frames, 0].tolist()
        assert not features[~mask].any()


@given(n_rows=st.integers(1, 30), n_frames=st.integers(1, 12))
def test_the_window_around_a_frame_holds_its_neighbours_in_order(n_rows, n_frames):
    rows, mask = rows_around(n_rows, n_frames)

    for row in range(n_rows):
        first = row - n_frames // 2
        expected = [one for one in range(first, first + n_frames) if 0 <= one < n_rows]
        assert rows[row][mask[row]].tolist() == expected
        assert rows[row][min(row, n_frames // 2)] == row
    Windows(np.zeros((*mask.shape, 1)), mask)  # right-padded, never empty: else refused


@pytest.mark.parametrize("mask", [[False, True], [True, False, True], [False, False]])
def test_windows_of_another_form_are_refused(mask):
    with pytest.raises(ValueError, match="padded on the right and hold at least one frame"):
        Windows(np.zeros((1, len(mask), 3)), np.array([mask]))


def test_frames_alone_are_windows_of_one_frame_in_the_same_order():
    windows = padded([np.array([[1.0], [2.0]]), np.array([[3.0]])], n_frames=2)

    alone = windows.frames_alone()

    assert alone.features[:, 0, 0].tolist() == [1.0, 2.0, 3.0]
    assert alone.mask.all() and alone.mask.shape == (3, 1)


def test_the_rolling_mean_is_the_mean_over_the_window_around_each_frame():
    scores = np.random.default_rng(0).random((20, 2))

    rolled = rolling_mean(scores, 5)

    for row in range(20):
        np.testing.assert_allclose(rolled[row], scores[max(0, row - 2) : row + 3].mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(rolling_mean(scores, 1), scores)


def test_the_windows_of_a_film_hold_its_features():
    features = np.arange(12.0).reshape(6, 2)

    windows = windows_around(features, 3)

    np.testing.assert_array_equal(windows.features[3], features[2:5])
    np.testing.assert_array_equal(windows.features[0], [*features[:2].tolist(), [0, 0]])
