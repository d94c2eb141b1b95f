"""The chain of two states against every path there is, and what its definition says of time, certainty and symmetry."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.linalg import expm

from screentime.two_states import RARE, evidence_of, log_transitions, most_likely, present

lengths_s = st.floats(0.1, 100)
gaps_s = st.floats(0.01, 50)
sayings = st.one_of(st.floats(-8, 8), st.sampled_from([-np.inf, np.inf]))


@st.composite
def seen(draw):
    """evidence, times_s, appearance_s, absence_s of up to eight frames, not equally far apart."""
    evidence = np.array(draw(st.lists(sayings, min_size=1, max_size=8)))
    gaps = draw(st.lists(gaps_s, min_size=len(evidence) - 1, max_size=len(evidence) - 1))
    return evidence, np.cumsum([draw(st.floats(0, 100)), *gaps]), draw(lengths_s), draw(lengths_s)


def log_probability(path, evidence, times_s, appearance_s, absence_s) -> float:
    """Of one path with what was seen, by the matrix exponential of the rates and no recursion."""
    rates = np.array([[-1 / absence_s, 1 / absence_s], [1 / appearance_s, -1 / appearance_s]])
    share = appearance_s / (appearance_s + absence_s)
    total = np.log(share if path[0] else 1 - share)
    for frame, state in enumerate(path):
        certain = np.isinf(evidence[frame])
        if certain and state != (evidence[frame] > 0):
            return -np.inf
        total += evidence[frame] * state if not certain else 0
        if frame:
            total += np.log(expm(rates * (times_s[frame] - times_s[frame - 1]))[path[frame - 1], state])
    return float(total)


@given(seen())
def test_no_path_is_likelier_than_the_one_that_is_found(film):
    evidence, *_ = film
    found = most_likely(*film)

    best = max(log_probability(path, *film) for path in product((0, 1), repeat=len(evidence)))
    assert log_probability(found.astype(int), *film) == pytest.approx(best, abs=1e-6)


@given(gaps_s, gaps_s, lengths_s, lengths_s)
def test_two_steps_in_time_are_one_of_their_sum(first_s, second_s, appearance_s, absence_s):
    one, other, both = np.exp(
        log_transitions(np.array([first_s, second_s, first_s + second_s]), appearance_s, absence_s)
    )

    assert np.abs(one @ other - both).max() < 1e-12
    assert np.abs(both.sum(axis=1) - 1).max() < 1e-12


@given(gaps_s, lengths_s, lengths_s)
def test_the_share_on_screen_stays_what_the_two_lengths_make_it(gap_s, appearance_s, absence_s):
    share = np.array([absence_s, appearance_s]) / (appearance_s + absence_s)

    assert np.abs(share @ np.exp(log_transitions(np.array([gap_s]), appearance_s, absence_s))[0] - share).max() < 1e-12


@given(seen(), st.floats(0.1, 10))
def test_the_clock_does_not_matter(film, faster):
    evidence, times_s, appearance_s, absence_s = film
    path = most_likely(evidence, times_s * faster, appearance_s * faster, absence_s * faster)

    assert log_probability(path.astype(int), *film) == pytest.approx(
        log_probability(most_likely(*film).astype(int), *film), abs=1e-6
    )


@given(seen())
def test_what_people_said_stands(film):
    evidence, *_ = film
    certain = np.isinf(evidence)

    assert (most_likely(*film)[certain] == (evidence[certain] > 0)).all()


@given(st.lists(st.floats(0, 1).filter(lambda score: abs(score - 0.5) > 1e-6), min_size=1, max_size=50))
def test_without_memory_each_frame_is_judged_alone_from_one_half_on(scores):
    scores = np.array(scores)
    n = len(scores)
    assume(RARE <= scores.mean() <= 1 - RARE)

    found = present(scores, np.full(n, np.nan), np.arange(float(n)), np.ones(n), appearance_s=1e-3)

    assert (found == (scores >= 0.5)).all()


def found_in(scores, times_s=None, appearance_s=1.0, answers=None):
    scores = np.array(scores)
    times_s = np.arange(float(len(scores))) if times_s is None else np.array(times_s)
    answers = np.full(len(scores), np.nan) if answers is None else np.array(answers)
    return present(scores, answers, times_s, np.ones(len(scores)), appearance_s).astype(int).tolist()


def test_a_weak_flicker_goes_a_sure_one_stays_and_a_weak_gap_closes():
    assert found_in([0.1, 0.1, 0.6, 0.1, 0.1, 0.9, 0.9, 0.4, 0.9, 0.9, 0.1, 0.1]) == [0] * 5 + [1] * 5 + [0] * 2
    assert found_in([0.1, 0.1, 0.97, 0.1, 0.1, 0.9, 0.9, 0.03, 0.9, 0.9]) == [0, 0, 1, 0, 0, 1, 1, 0, 1, 1]


def test_the_longer_the_gap_between_frames_the_less_a_frame_says_of_the_next():
    """The same scores: a second apart the weak one is taken for a slip, a minute apart it stands."""
    scores = [0.9, 0.9, 0.4, 0.9, 0.9, 0.1, 0.1, 0.1]

    assert found_in(scores) == [1, 1, 1, 1, 1, 0, 0, 0]
    assert found_in(scores, times_s=[0, 1, 60, 120, 121, 122, 123, 124]) == [1, 1, 0, 1, 1, 0, 0, 0]


def test_an_answer_is_certain_and_speaks_for_its_neighbours():
    scores = [0.1, 0.1, 0.45, 0.1, 0.45, 0.1, 0.9, 0.9, 0.9, 0.1]
    answers = [np.nan] * 3 + [1] + [np.nan] * 3 + [0] + [np.nan] * 2

    assert found_in(scores, appearance_s=2.0) == [0, 0, 0, 0, 0, 0, 1, 1, 1, 0]
    assert found_in(scores, appearance_s=2.0, answers=answers) == [0, 0, 1, 1, 1, 0, 1, 0, 1, 0]


def test_evidence_is_the_score_over_the_share_of_the_film():
    evidence, share = evidence_of(np.array([0.5, 0.5, 0.2]), np.array([np.nan, 1, np.nan]), np.array([1.0, 1.0, 2.0]))

    assert share == pytest.approx((0.5 + 1 + 0.4) / 4)
    odds = share / (1 - share)
    assert evidence == pytest.approx(np.array([np.log(1 / odds), np.inf, np.log(0.25 / odds)]))


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_scores_that_are_all_sure_give_one_stretch_or_none(score):
    assert found_in([score] * 5) == [int(score)] * 5


def test_a_film_without_frames_has_no_states():
    assert found_in([]) == []


def test_times_of_a_real_process_are_found_again():
    """Drawn from the chain itself, at unequal times, with scores that are what they say: fewer mistakes than a threshold
    makes, and a number of appearances nearer to the true one.
    """
    random = np.random.default_rng(5)
    times_s = np.cumsum(random.uniform(0.2, 1.8, 4000))
    steps = np.exp(log_transitions(np.diff(times_s), 6.0, 14.0))
    truth = [0]
    for step in steps:
        truth.append(int(random.random() < step[truth[-1], 1]))
    truth = np.array(truth)
    logits = (
        np.log(6 / 14) + 2 * (2 * truth - 1) + random.normal(0, 2, len(truth))
    )  # of unit evidence: 2 * 2 / 2**2 = 1
    scores = 1 / (1 + np.exp(-logits))
    found = present(scores, np.full(len(truth), np.nan), times_s, np.ones(len(truth)), appearance_s=6.0)

    def n_stretches(states):
        return int((np.diff(np.append(0, states)) == 1).sum())

    assert ((found != truth).mean()) < 0.6 * ((scores >= 0.5) != truth).mean()
    assert abs(n_stretches(found) - n_stretches(truth)) < abs(n_stretches(scores >= 0.5) - n_stretches(truth)) / 3
