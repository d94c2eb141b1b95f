"""Windows: padded on the right, never empty; the window around a frame; averages over it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentime.windows import Around, Windows, padded, places_in_windows, windows_around


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6), n_frames=st.integers(1, 12))
def test_a_window_holds_the_first_frames_and_masks_what_is_missing(lengths, n_frames):
    sequences = [np.arange(1.0, length + 1)[:, None] for length in lengths]

    windows = padded(sequences, n_frames)

    for sequence, features, mask in zip(sequences, windows.features, windows.mask, strict=True):
        assert features[mask][:, 0].tolist() == sequence[:n_frames, 0].tolist()
        assert not features[~mask].any()


@given(n_rows=st.integers(1, 30), before=st.integers(0, 6), after=st.integers(0, 6))
def test_the_window_around_a_frame_holds_its_neighbours_in_order(n_rows, before, after):
    film, around = np.arange(1.0, n_rows + 1)[:, None], Around(before, after)
    centres = np.arange(n_rows)[::-1]

    windows = windows_around(film, centres, around)  # right-padded, never empty: else refused

    assert windows.mask.shape == (n_rows, around.n_frames)
    for centre, place, rows, mask in zip(
        centres, places_in_windows(centres, around), windows.features[..., 0], windows.mask, strict=True
    ):
        expected = [one for one in range(centre - before, centre + after + 1) if 0 <= one < n_rows]
        assert rows[mask].tolist() == [one + 1 for one in expected]
        assert rows[place] == centre + 1
        assert not rows[~mask].any()


@pytest.mark.parametrize("mask", [[False, True], [True, False, True], [False, False]])
def test_windows_of_another_form_are_refused(mask):
    with pytest.raises(ValueError, match="padded on the right and hold at least one frame"):
        Windows(np.zeros((1, len(mask), 3)), np.array([mask]))


def test_frames_alone_are_windows_of_one_frame_in_the_same_order():
    windows = padded([np.array([[1.0], [2.0]]), np.array([[3.0]])], n_frames=2)

    alone = windows.frames_alone()

    assert alone.features[:, 0, 0].tolist() == [1.0, 2.0, 3.0]
    assert alone.mask.all() and alone.mask.shape == (3, 1)


def test_one_frame_of_each_window_and_frames_that_have_nothing_around_them():
    windows = padded([np.array([[1.0], [2.0]]), np.array([[3.0]])], n_frames=2)

    more = windows.and_alone(np.array([[4.0]]))
    ones = more.one_of_each(np.array([1, 0, 0]))

    assert more.features[..., 0].tolist() == [[1, 2], [3, 0], [4, 0]]
    assert more.mask.tolist() == [[True, True], [True, False], [True, False]]
    assert ones.features[..., 0].tolist() == [[2], [3], [4]] and ones.mask.all()
