"""Laws of the folds: nobody judges what it has learned, nor its neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentime.splits import folds, groups_of

SETTINGS = st.fixed_dictionaries(
    {
        "n_folds": st.integers(3, 12),
        "block_s": st.sampled_from([1.0, 7.5, 10.0, 20.0]),
        "guard_s": st.sampled_from([0.0, 0.5, 2.0]),
    }
)


@st.composite
def labelled_frames(draw) -> tuple[list[str], np.ndarray]:
    """Videos and times of frames on a grid of half seconds, sorted, each once."""
    video_ids, times_s = [], []
    for number in range(draw(st.integers(1, 5))):
        moments = draw(st.sets(st.integers(0, 1200), min_size=20, max_size=60))
        video_ids += [f"film{number}"] * len(moments)
        times_s += [moment / 2 for moment in sorted(moments)]
    return video_ids, np.array(times_s)


@st.composite
def stills_beside(draw, frames) -> dict[str, list]:
    """Stills in groups, some of which are near copies of frames."""
    groups = draw(st.lists(st.integers(1, 12), min_size=1, max_size=40))
    rows = st.integers(0, len(frames[0]) - 1)
    copies = [draw(st.lists(rows, max_size=2)) if draw(st.integers(0, 4)) == 0 else [] for _ in groups]
    return {"still_groups": groups, "near_copies": copies}


def made(frames, settings, **stills):
    """The folds, or None where the guard gap leaves nothing, or all is one near copy of the other."""
    try:
        return folds(*frames, **settings, **stills)
    except ValueError as error:
        assert str(error).startswith(("a guard gap of ", "the labelled frames and stills make "))
        return None


def gap_s(frames, first: np.ndarray, second: np.ndarray) -> float:
    """The smallest distance in time between two sets of rows within one video."""
    video_ids, times_s = np.array(frames[0]), frames[1]
    same = video_ids[first][:, None] == video_ids[second][None]
    return float(np.where(same, np.abs(times_s[first][:, None] - times_s[second][None]), np.inf).min(initial=np.inf))


@given(labelled_frames(), SETTINGS)
def test_every_frame_is_the_test_of_exactly_one_fold(frames, settings):
    parts = made(frames, settings)

    if parts is not None:
        assert sorted(np.concatenate([fold.test for fold in parts])) == list(range(len(frames[0])))


@given(labelled_frames(), SETTINGS)
def test_no_frame_is_on_two_sides(frames, settings):
    for fold in made(frames, settings) or []:
        rows = np.concatenate([fold.train, fold.validation, fold.test])
        assert len(set(rows)) == len(rows)
        assert min(len(fold.train), len(fold.validation), len(fold.test)) > 0


@given(labelled_frames(), SETTINGS)
def test_the_guard_gap_lies_between_the_sides(frames, settings):
    for fold in made(frames, settings) or []:
        guard_s = settings["guard_s"]
        assert gap_s(frames, fold.train, np.concatenate([fold.validation, fold.test])) >= guard_s
        assert gap_s(frames, fold.validation, fold.test) >= guard_s


@given(labelled_frames(), SETTINGS)
def test_a_block_of_time_is_never_parted(frames, settings):
    groups = groups_of(np.array(frames[0]), frames[1], settings["n_folds"], settings["block_s"])
    for fold in made(frames, settings) or []:
        sides = [{groups[row] for row in rows} for rows in (fold.train, fold.validation, fold.test)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


@given(labelled_frames(), SETTINGS)
def test_equal_input_gives_equal_folds(frames, settings):
    first, second = made(frames, settings), made(frames, settings)

    assert (first is None) == (second is None)
    for one, other in zip(first or [], second or [], strict=True):
        assert np.array_equal(one.train, other.train)
        assert np.array_equal(one.validation, other.validation)
        assert np.array_equal(one.test, other.test)


@given(st.data(), labelled_frames(), SETTINGS)
def test_near_copies_among_stills_and_frames_are_never_parted(data, frames, settings):
    stills = data.draw(stills_beside(frames))
    n_frames, n_stills = len(frames[0]), len(stills["still_groups"])
    for fold in made(frames, settings, **stills) or []:
        side_of = {int(row): side for side, rows in enumerate((fold.train, fold.validation, fold.test)) for row in rows}
        for one in range(n_stills):
            assert n_frames + one in side_of  # a still has no time: no guard gap leaves it out
            for other in range(one):
                if stills["still_groups"][one] == stills["still_groups"][other]:
                    assert side_of[n_frames + one] == side_of[n_frames + other]
            for row in stills["near_copies"][one]:
                assert side_of.get(row, side_of[n_frames + one]) == side_of[n_frames + one]


@given(st.data(), labelled_frames(), SETTINGS)
def test_stills_change_nothing_of_the_laws_of_frames(data, frames, settings):
    stills = data.draw(stills_beside(frames))
    n_frames = len(frames[0])
    parts = made(frames, settings, **stills) or []
    if parts:
        every = sorted(np.concatenate([fold.test for fold in parts]))
        assert every == list(range(n_frames + len(stills["still_groups"])))
    for fold in parts:
        train, validation, test = (rows[rows < n_frames] for rows in (fold.train, fold.validation, fold.test))
        assert gap_s(frames, train, np.concatenate([validation, test])) >= settings["guard_s"]
        assert gap_s(frames, validation, test) >= settings["guard_s"]


def test_a_still_ties_the_blocks_together_whose_frames_it_is_a_near_copy_of():
    parts = folds(
        ["film"] * 40, np.arange(40.0), n_folds=4, block_s=10, guard_s=0, still_groups=[1, 1, 2], near_copies=[[0], [39], []]
    )  # fmt: skip

    tests = sorted(sorted(fold.test.tolist()) for fold in parts)
    assert tests == [[*range(10), *range(30, 40), 40, 41], [*range(10, 20)], [*range(20, 30)], [42]]


def test_stills_that_are_all_near_copies_are_refused_where_nothing_else_is_labelled():
    with pytest.raises(ValueError) as caught:
        folds([], np.array([]), n_folds=3, block_s=10, guard_s=0, still_groups=[1, 1, 2])
    assert str(caught.value) == (
        "the labelled frames and stills make 2 groups of what was seen within 10 s or is a near copy, at least 3 are needed"
    )


def test_many_videos_are_parted_video_by_video():
    video_ids = [f"film{number}" for number in range(6) for _ in range(10 + number)]
    times_s = np.concatenate([np.arange(10.0 + number) for number in range(6)])

    for fold in folds(video_ids, times_s, n_folds=3, block_s=2, guard_s=5):
        sides = [{video_ids[row] for row in rows} for rows in (fold.train, fold.validation, fold.test)]
        assert [len(side) for side in sides] == [2, 2, 2]
        assert len(set.union(*sides)) == 6


def test_parts_are_of_about_equal_size():
    times_s = np.concatenate([np.arange(0.0, 40.0), np.arange(100.0, 200.0, 10.0)])

    sizes = [len(fold.test) for fold in folds(["film"] * len(times_s), times_s, n_folds=5, block_s=10, guard_s=0)]

    assert sorted(sizes) == [10, 10, 10, 10, 10]


def test_each_part_stops_the_fold_before_the_one_that_it_tests():
    parts = folds(["film"] * 50, np.arange(50.0), n_folds=5, block_s=10, guard_s=0)

    for fold, following in zip(parts, [*parts[1:], parts[0]], strict=True):
        assert np.array_equal(fold.validation, following.test)


def test_fewer_blocks_than_folds_give_one_fold_for_each_block():
    assert len(folds(["film"] * 40, np.arange(40.0), n_folds=10, block_s=10, guard_s=0)) == 4


@pytest.mark.parametrize("length_s, found", [(10.0, "1 block"), (20.0, "2 blocks")])
def test_labels_in_fewer_than_three_blocks_are_refused(length_s, found):
    times_s = np.arange(length_s)

    with pytest.raises(ValueError) as caught:
        folds(["film"] * len(times_s), times_s, n_folds=3, block_s=10, guard_s=0)
    assert str(caught.value) == f"the labelled frames lie in {found} of 10 s, at least 3 are needed"


def test_a_guard_gap_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError) as caught:
        folds(["film"] * 30, np.arange(30.0), n_folds=3, block_s=10, guard_s=30)
    assert str(caught.value) == "a guard gap of 30 s leaves no frame between the blocks of 10 s"
