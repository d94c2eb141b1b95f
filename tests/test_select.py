"""The first frames to label differ from each other, the next are uncertain, likely errors come first."""

import numpy as np

from screentime.select import doubted_frames, first_frames, uncertain_frames, uncertainty


def first_of(features, count, seed=0, free=None, shots=(0,)):
    free = np.ones(len(features), bool) if free is None else free
    return first_frames(np.hstack([features, features]), np.array(shots), free, count, seed)


def test_one_frame_is_chosen_from_each_of_well_separated_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(8), 20)
    features = np.eye(8)[groups] + rng.normal(0, 0.02, (160, 8))

    assert sorted(groups[first_of(features, 8)]) == list(range(8))


def test_groups_are_found_in_many_features_and_large_ones_come_first():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(6), [4, 40, 8, 30, 6, 20])
    features = rng.normal(size=(6, 900))[groups] + rng.normal(0, 0.2, (108, 900))

    assert groups[first_of(features, 6)].tolist() == [1, 3, 5, 2, 4, 0]


def test_only_free_frames_are_chosen_and_no_more_than_there_are():
    features = np.random.default_rng(1).normal(size=(200, 16)).astype(np.float16)
    free = np.arange(200) % 3 == 0

    chosen = first_of(features, 20, free=free)

    assert free[chosen].all() and len(set(chosen.tolist())) == 20
    assert first_of(features, 300, free=free).tolist() == np.flatnonzero(free).tolist()
    assert first_of(features, 3, free=np.zeros(200, bool)).tolist() == []


def test_of_a_shot_that_falls_into_several_clusters_one_frame_is_enough_where_others_are_left():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(60, 8))
    shots = np.arange(0, 60, 3)

    chosen = first_of(features, 12, shots=shots)

    assert len(set((chosen // 3).tolist())) == 12


def test_black_frames_which_have_no_direction_are_no_obstacle():
    features = np.vstack([np.zeros((5, 4)), np.eye(4)])

    chosen = first_of(features, count=5)

    assert len(set(chosen.tolist())) == 5


def test_the_same_seed_gives_the_same_frames():
    features = np.random.default_rng(1).normal(size=(200, 16)).astype(np.float16)

    assert first_of(features, 20, seed=3).tolist() == first_of(features, 20, seed=3).tolist()


def test_the_least_certain_frames_are_at_most_one_a_shot_and_free():
    random = np.random.default_rng(0)
    scores, shots = random.random((60, 3)), np.arange(0, 60, 6)
    free = random.random(60) < 0.8
    chosen = uncertain_frames(scores, shots, free, 7)
    unsure = uncertainty(scores, free)

    assert len(chosen) == 7 and free[chosen].all()
    assert len(set(chosen // 6)) == 7
    assert (np.diff(unsure[chosen]) <= 0).all()
    assert unsure[chosen[0]] == unsure[free].max()


def test_a_rare_character_has_its_part_in_what_is_uncertain():
    common, rare = np.random.default_rng(0).random(200), np.full(200, 0.001)
    rare[[7, 90]] = 0.3
    chosen = uncertain_frames(np.stack([common, rare], axis=1), np.arange(200), np.ones(200, bool), 10)

    assert {7, 90} <= set(chosen.tolist())


def test_one_character_alone_is_asked_about_by_its_margin():
    scores = np.random.default_rng(0).random((60, 1))
    chosen = uncertain_frames(scores, np.arange(60), np.ones(60, bool), 60)

    assert (np.diff(np.abs(scores[chosen, 0] - 0.5)) >= -1e-12).all()


def test_without_a_model_no_frame_is_uncertain():
    assert len(uncertain_frames(np.full((9, 2), np.nan), np.array([0]), np.ones(9, bool), 5)) == 0


def test_planted_slips_are_the_likeliest_errors():
    random = np.random.default_rng(1)
    labels = (random.random((200, 2)) < 0.4).astype(float)
    scores = np.clip(labels * 0.8 + 0.1 + random.normal(scale=0.05, size=labels.shape), 0, 1)
    slips = {(5, 0), (50, 1), (120, 0)}
    for cell in slips:
        labels[cell] = 1 - labels[cell]

    assert {*doubted_frames(labels, scores, 0.5)} == {frame for frame, _ in slips}
