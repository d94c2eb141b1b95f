"""Facts about sampled moments, the time they stand for, stretches, and moments that people give."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentime.timeline import (
    MICROSECOND,
    Appearance,
    appearances,
    frame_durations,
    inside,
    match_moment,
    microseconds,
    on_screen,
    rounded_s,
    sample_times,
)

lengths = st.fractions(min_value=Fraction(1, 1000), max_value=100, max_denominator=90_000)
rates = st.one_of(
    st.fractions(min_value=Fraction(1, 20), max_value=30, max_denominator=1001),
    st.sampled_from([Fraction(1), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(7, 3)]),
)


def written(seconds: float) -> Fraction:
    """What a table says: 6 decimals."""
    return Fraction(f"{seconds:.6f}")


# ---- sampled moments and weights


@given(lengths, rates)
def test_samples_are_all_multiples_of_the_period_before_the_end(length_s, fps):
    times_s = sample_times(length_s, fps)

    assert times_s == tuple(index / fps for index in range(len(times_s)))
    assert times_s[-1] < length_s <= len(times_s) / fps + MICROSECOND


@given(lengths, rates)
def test_weights_sum_to_the_length_of_the_video(length_s, fps):
    times_s = np.array([rounded_s(time_s) for time_s in sample_times(length_s, fps)])

    durations_s = frame_durations(times_s, rounded_s(length_s))

    assert sum(map(written, durations_s)) == written(rounded_s(length_s)) == microseconds(length_s) * MICROSECOND
    assert np.all(durations_s > 0)


def test_a_moment_less_than_a_microsecond_before_the_end_is_not_sampled():
    assert sample_times(2 + Fraction(4, 10**7), Fraction(1)) == (0, 1)
    assert sample_times(2 + Fraction(1, 10**6), Fraction(1)) == (0, 1, 2)


@given(st.fractions(min_value=0, max_value=10**6), st.fractions(min_value=0, max_value=1))
def test_rounding_keeps_times_a_microsecond_apart(time_s, further_s):
    assert microseconds(time_s + MICROSECOND + further_s) > microseconds(time_s)
    assert abs(microseconds(time_s) * MICROSECOND - time_s) <= MICROSECOND / 2


@pytest.mark.parametrize(("times_s", "end_s"), [([0.0, 1.0, 1.0], 2.0), ([0.0, 2.0, 1.0], 3.0), ([0.0, 1.0], 1.0)])
def test_times_that_do_not_increase_are_refused(times_s, end_s):
    with pytest.raises(ValueError, match="the times do not increase, or the end is not after the last of them"):
        frame_durations(np.array(times_s), end_s)


def test_a_video_without_samples_is_refused():
    with pytest.raises(ValueError, match="no sampled frame; at least one was expected"):
        frame_durations(np.array([]), 1.0)


# ---- appearances


@st.composite
def scored_samples(draw):
    """present, time_s, duration_s, score of a video sampled at some rate."""
    times_s = np.array([rounded_s(time_s) for time_s in sample_times(draw(lengths), draw(rates))][:200])
    durations_s = frame_durations(times_s, times_s[-1] + draw(st.integers(1, 10**6)) / 1e6)
    present = draw(st.lists(st.booleans(), min_size=len(times_s), max_size=len(times_s)))
    scores = draw(st.lists(st.floats(0, 1), min_size=len(times_s), max_size=len(times_s)))
    return np.array(present), times_s, durations_s, np.array(scores)


@given(scored_samples())
def test_appearances_last_as_long_as_the_counted_seconds(samples):
    present, times_s, durations_s, scores = samples

    found = appearances(present, times_s, durations_s, scores)

    assert sum(written(stretch.end_s) - written(stretch.start_s) for stretch in found) == sum(
        map(written, durations_s[present])
    )
    assert all(before.end_s < after.start_s for before, after in pairwise(found))
    assert all(stretch.start_s < stretch.end_s and 0 <= stretch.score <= 1 + 1e-12 for stretch in found)


@given(scored_samples())
def test_a_sample_lies_in_an_appearance_exactly_where_it_is_present(samples):
    present, times_s, durations_s, scores = samples

    stretches = [(stretch.start_s, stretch.end_s) for stretch in appearances(present, times_s, durations_s, scores)]

    # a sample that stands for a microsecond is within the tolerance of its neighbour
    clear = durations_s > 2e-6
    np.testing.assert_array_equal(inside(times_s, stretches)[clear], present[clear])


def test_the_score_of_an_appearance_weighs_each_sample_by_its_time():
    found = appearances(np.array([True, True]), np.array([0.0, 1.0]), np.array([1.0, 0.5]), np.array([0.9, 0.6]))

    assert found == [Appearance(0.0, 1.5, pytest.approx((0.9 * 1.0 + 0.6 * 0.5) / 1.5))]


def test_a_gap_between_samples_ends_an_appearance():
    found = appearances(np.array([True, True]), np.array([0.0, 5.0]), np.array([1.0, 1.0]), np.array([0.5, 1.0]))

    assert found == [Appearance(0.0, 1.0, 0.5), Appearance(5.0, 6.0, 1.0)]


@pytest.mark.parametrize("n", [0, 3])
def test_nobody_present_makes_no_appearance(n):
    assert appearances(np.zeros(n, dtype=bool), np.arange(float(n)), np.ones(n), np.zeros(n)) == []


# ---- ranges


def test_ranges_are_half_open_and_their_ends_match_within_a_microsecond():
    times_s = np.array([0.999998, 0.999999, 1.0, 1.999998, 1.999999, 2.0])

    np.testing.assert_array_equal(inside(times_s, [(1.0, 2.0)]), [False, True, True, True, False, False])


def test_no_range_holds_nothing_and_overlapping_ranges_hold_their_union():
    times_s = np.arange(5.0)

    np.testing.assert_array_equal(inside(times_s, []), [False] * 5)
    np.testing.assert_array_equal(inside(times_s, [(0.0, 2.0), (1.0, 3.0)]), [True, True, True, False, False])


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_touching_ranges_share_no_moment_and_leave_none_out(start_us, length_us):
    middle_us = start_us + length_us
    ranges = [(start_us / 1e6, middle_us / 1e6), (middle_us / 1e6, (middle_us + 10**6) / 1e6)]
    times_s = np.arange(middle_us - 3, middle_us + 4) / 1e6
    times_s = times_s[times_s >= start_us / 1e6]

    found = np.stack([inside(times_s, [one]) for one in ranges])

    np.testing.assert_array_equal(found.sum(axis=0), 1)


# ---- moments that people give

# 25 frames a second sampled at 1 per second: sample k shows the frame of [k, k + 0.04)
SAMPLES_S = np.array([0.0, 1.0, 2.0])
FRAMES_S = np.array([0.0, 1.0, 2.0])
ENDS_S = FRAMES_S + 0.04


@pytest.mark.parametrize(
    ("moment_s", "index"),
    [
        (1.0, 1),  # the sample's own time
        (1.000001, 1),
        (0.999999, 1),
        (0.999998, None),  # the frame before, which no sample shows
        (1.02, 1),  # the same decoded frame
        (1.039998, 1),
        (1.04, None),  # the next frame
        (1.039999, None),  # within a microsecond of the next frame
        (1.5, None),
        (2.039, 2),
        (2.04, None),  # after the end
    ],
)
def test_a_moment_belongs_to_the_sample_at_that_time_or_of_that_frame(moment_s, index):
    assert match_moment(moment_s, SAMPLES_S, FRAMES_S, ENDS_S) == index


def test_a_moment_before_the_sample_belongs_to_it_while_the_same_frame_is_on_screen():
    samples_s, frames_s, ends_s = np.array([0.0, 1.0]), np.array([0.0, 0.96]), np.array([0.04, 1.01])

    assert match_moment(0.96, samples_s, frames_s, ends_s) == 1
    assert match_moment(0.95, samples_s, frames_s, ends_s) is None


def test_of_several_samples_of_one_long_frame_the_nearest_gets_the_moment():
    samples_s, frames_s, ends_s = np.arange(5.0), np.array([0.0, 0.5, 0.5, 0.5, 3.5]), np.array([0.5, 3.5, 3.5, 3.5, 5])

    assert [match_moment(t, samples_s, frames_s, ends_s) for t in (0.6, 1.4, 1.5, 1.6, 3.3)] == [1, 1, 1, 2, 3]


def test_without_samples_no_moment_matches():
    assert match_moment(0.0, np.array([]), np.array([]), np.array([])) is None


@given(lengths, rates, rates)
def test_every_sample_matches_itself_and_every_frame_time_its_sample(length_s, fps, frame_rate):
    times_s = sample_times(length_s, fps)[:100]
    starts = [Fraction(int(time_s * frame_rate)) / frame_rate for time_s in times_s]
    columns = [np.array([rounded_s(time_s) for time_s in column]) for column in (times_s, starts)]
    columns.append(np.array([rounded_s(start_s + 1 / frame_rate) for start_s in starts]))

    assert [match_moment(time_s, *columns) for time_s in columns[0]] == list(range(len(times_s)))
    for index, start_s in enumerate(columns[1]):
        assert columns[1][match_moment(start_s, *columns)] == columns[1][index]


# ---- frames in time


def shown(stamps, duration=0, gap=1):
    """Start of every frame, the end of the last, and how many timestamps were repaired."""
    frames = [(index, None if s is None else Fraction(s), Fraction(duration)) for index, s in enumerate(stamps)]
    found = list(on_screen(frames, Fraction(gap)))
    assert [frame.picture for frame in found] == list(range(len(stamps)))
    assert all(before.end_s == after.start_s for before, after in pairwise(found))
    return [frame.start_s for frame in found], found[-1].end_s, sum(frame.repaired for frame in found)


@given(st.lists(st.fractions(min_value=MICROSECOND, max_value=50), min_size=1, max_size=30), st.fractions(-9, 9))
def test_timestamps_that_increase_are_kept(gaps, first):
    stamps = [first + sum(gaps[:index]) for index in range(len(gaps))]

    assert shown(stamps, duration=2) == (stamps, stamps[-1] + 2, 0)


@given(
    st.lists(st.one_of(st.none(), st.fractions(-5, 50), st.integers(0, 9).map(MICROSECOND.__mul__)), min_size=1),
    st.fractions(min_value=0, max_value=3),
)
def test_whatever_the_timestamps_every_frame_is_on_screen_for_a_microsecond_at_least(stamps, duration):
    starts, end, _ = shown(stamps, duration)

    assert all(after - before >= MICROSECOND for before, after in pairwise([*starts, end]))


@pytest.mark.parametrize(
    ("stamps", "starts", "repaired"),
    [
        ([None, None, None], [0, 1, 2], 3),  # none at all: at the usual gap from zero
        ([5, 6, None, 8], [5, 6, 7, 8], 1),  # one missing
        ([5, 6, None, "13/2"], [5, 6, "25/4", "13/2"], 1),  # no room for the gap: halfway
        ([0, 1, 1, 3], [0, 1, 2, 3], 1),  # the same twice
        ([0, 1, 99999, 3, 4], [0, 1, 2, 3, 4], 1),  # one wild value
        ([0, 1, 2, 0, 1, 2], [0, 1, 2, 3, 4, 5], 3),  # a second recording begins at zero again
        ([0, 1, 2, 50, 51], [0, 1, 2, 50, 51], 0),  # a hole: the frame before it is held
    ],
)
def test_missing_and_disordered_timestamps_are_repaired_and_counted(stamps, starts, repaired):
    found, _, count = shown(stamps)

    assert (found, count) == ([Fraction(start) for start in starts], repaired)


def test_the_last_frame_ends_after_its_duration_else_after_the_gap_before_it():
    assert shown([0, 1, 3], duration=5)[1] == 8
    assert shown([0, 1, 3], duration=0)[1] == 5
    assert shown([7], duration=0, gap=Fraction(1, 25))[1] == 7 + Fraction(1, 25)


def test_no_frames_are_on_screen_of_an_empty_film():
    assert list(on_screen([], Fraction(1))) == []


def test_at_most_three_frames_are_held():
    read = 0

    def frames():
        nonlocal read
        for index in range(100):
            read += 1
            yield index, Fraction(index), Fraction(0)

    for handed_on, _ in enumerate(on_screen(frames(), Fraction(1))):
        assert read - handed_on <= 3
