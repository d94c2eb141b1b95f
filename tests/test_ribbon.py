"""The drawing of a timeline keeps what it draws: areas, heights, places, scores."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentime.ribbon import HEIGHT, WIDTH, columns, nice_ticks, packed_scores, step_path, tick_path

scores_of_frames = st.lists(st.floats(0, 1), min_size=1, max_size=60).map(np.array)


@given(scores_of_frames, st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_the_area_of_the_columns_is_the_seconds_times_the_scores(scores, most, seed):
    durations = np.random.default_rng(seed).uniform(0.2, 3, len(scores))
    times = np.cumsum(durations) - durations
    passing = scores >= 0.5

    edges, heights, solid = columns(times, durations, scores, passing, most)

    assert len(heights) <= most
    assert np.diff(edges) @ heights == pytest.approx(durations @ scores)
    assert np.diff(edges) @ solid == pytest.approx(durations[passing] @ scores[passing])


def test_frames_up_to_the_limit_keep_a_column_each():
    scores = np.array([0.2, 0.9, 0.4])

    edges, heights, solid = columns(np.arange(3.0), np.ones(3), scores, scores >= 0.5)

    assert edges.tolist() == [0, 1, 2, 3]
    assert heights.tolist() == [0.2, 0.9, 0.4]
    assert solid.tolist() == [0, 0.9, 0]


def drawn_heights(path: str, at: np.ndarray) -> np.ndarray:
    """The height of a path above its base at places between its corners, read from the path itself."""
    x = y = 0.0
    found = np.zeros(len(at))
    for command, numbers in re.findall(r"([MHVZ])([-\d ]*)", path):
        values = [float(number) for number in numbers.split()]
        if command == "M":
            x, y = values
        elif command == "V":
            y = values[0]
        elif command == "H":
            found[(at > x) & (at < values[0])] = HEIGHT - y
            x = values[0]
    return found


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array))
def test_a_path_has_the_height_of_its_columns(heights):
    edges = np.arange(len(heights) + 1.0)

    path = step_path(edges, heights, length_s=float(len(heights)))

    middles = (np.arange(len(heights)) + 0.5) * WIDTH / len(heights)
    assert drawn_heights(path, middles).tolist() == np.rint(heights * HEIGHT).tolist()


def test_equal_neighbours_are_one_step_and_nothing_is_drawn_where_nothing_shows():
    assert step_path(np.arange(1001.0), np.ones(1000), length_s=1000.0) == f"M0 {HEIGHT}V0H{WIDTH}V{HEIGHT}Z"
    assert step_path(np.arange(1001.0), np.zeros(1000), length_s=1000.0) == ""


def test_moments_that_fall_together_are_one_stroke():
    assert tick_path(np.array([5.0, 5.0001]), length_s=10.0) == f"M{WIDTH // 2} 0V{HEIGHT}"


@given(st.floats(0.1, 1e6), st.integers(1, 12))
def test_ticks_are_equal_steps_from_zero_within_the_axis(end_s, most):
    ticks, step = nice_ticks(end_s, most)

    assert ticks[0] == 0
    assert len(ticks) <= most + 1
    assert ticks[-1] <= end_s * (1 + 1e-9) < ticks[-1] + step * (1 + 1e-6)
    assert np.allclose(np.diff(ticks), step)


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(0, 1)), min_size=1, max_size=30).map(np.array))
def test_packed_scores_are_read_back_to_a_thousandth(scores):
    text = packed_scores(scores)

    pairs = [text[i : i + 2] for i in range(0, len(text), 2)]
    read = [float("nan") if pair == "--" else int(pair, 36) / 1000 for pair in pairs]
    assert np.allclose(read, scores, atol=0.0005001, equal_nan=True)
