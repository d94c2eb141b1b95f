"""Which frames are shown: the right ones, spread over time, and none twice in a group."""

import numpy as np
import pandas
from hypothesis import given
from hypothesis import strategies as st

from screentime.evidence import LEAST_SURE, LONGEST, SUREST, choose_pictures, spread_choice


def timeline(**scores: list[float]) -> pandas.DataFrame:
    n = len(next(iter(scores.values())))
    return pandas.DataFrame({"time_s": np.arange(float(n)), "duration_s": np.ones(n), **scores})


def stretches(*rows: tuple[str, float, float, float]) -> pandas.DataFrame:
    return pandas.DataFrame(rows, columns=["character", "start_s", "end_s", "score"])


def chosen(pictures, group: str) -> list[float]:
    return [picture.time_s for picture in pictures if picture.group == group]


preferences = st.lists(st.floats(0, 1), min_size=1, max_size=50).map(np.array)


@given(preferences, st.integers(0, 8), st.integers(0, 12), st.integers(1, 3))
def test_no_two_choices_of_one_video_are_nearer_than_the_gap_and_none_is_missing(preference, n, gap_s, n_videos):
    times = np.arange(float(len(preference)))
    videos = np.arange(len(preference)) % n_videos

    found = spread_choice(times, videos, preference, n=n, gap_s=gap_s)

    assert len(found) == len(set(found)) <= n
    near = (videos[:, None] == videos) & (np.abs(times[:, None] - times) < gap_s)
    assert not any(near[i, j] for i in found for j in found if i != j)
    if len(found) < n:
        assert all(near[index, found].any() or index in found for index in range(len(preference)))
    if found:
        assert preference[found[0]] == preference.max()


def test_equally_sure_frames_are_spread_over_the_film():
    found = spread_choice(np.arange(101.0), np.zeros(101, int), np.ones(101), n=3, gap_s=10)

    assert found == [0, 100, 50]


def test_surest_frames_pass_the_threshold_and_least_sure_ones_are_near_it():
    frames = timeline(ada=[0.99, 0.9, 0.55, 0.47, 0.1, 0.74, 0.76, 0.24])

    pictures = choose_pictures({"v": frames}, {"v": stretches()}, ["ada"], threshold=0.5, n=8, gap_s=1)

    assert chosen(pictures, SUREST) == [0, 1, 6, 5, 2]
    assert chosen(pictures, LEAST_SURE) == [3, 2, 5]


def test_a_character_that_never_shows_has_no_pictures():
    pictures = choose_pictures(
        {"v": timeline(ada=[0.01, 0.02])}, {"v": stretches()}, ["ada"], threshold=0.5, n=4, gap_s=0
    )

    assert pictures == []


def test_the_longest_appearances_of_all_films_are_shown_by_their_best_frame():
    frames = {"a": timeline(ada=[0.6, 0.9, 0.7, 0.1]), "b": timeline(ada=[0.8, 0.7, 0.1, 0.9])}
    found = {"a": stretches(("ada", 0, 3, 0.73)), "b": stretches(("ada", 0, 2, 0.75), ("ada", 3, 4, 0.9))}

    pictures = choose_pictures(frames, found, ["ada"], threshold=0.5, n=2, gap_s=1)

    longest = [(p.video_id, p.time_s, p.score, p.start_s, p.end_s) for p in pictures if p.group == LONGEST]
    assert longest == [("a", 1, 0.9, 0, 3), ("b", 0, 0.8, 0, 2)]


def test_no_picture_is_chosen_where_none_is_asked_for_or_there_is_no_film():
    frames, found = timeline(ada=[0.9]), stretches(("ada", 0, 1, 0.9))

    assert choose_pictures({"v": frames}, {"v": found}, ["ada"], threshold=0.5, n=0, gap_s=1) == []
    assert choose_pictures({}, {}, ["ada"], threshold=0.5, n=4, gap_s=1) == []
