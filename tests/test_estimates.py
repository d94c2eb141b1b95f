"""The difference estimator is unbiased, and its interval covers what it says."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screentime import estimates
from screentime.audit import systematic
from screentime.estimates import Round, difference_estimate, film_weights, looked_before, screen_time, total

NAN = float("nan")
FRAMES = 1320  # a 22-minute episode at one frame per second


def drawn_round(n_frames, places, known=()):
    drawn, before = np.zeros(n_frames, bool), np.zeros(n_frames, bool)
    drawn[places] = True
    before[list(known)] = True
    return Round(known=before, drawn=drawn)


def audited(truth, scores, places, weights=None):
    """The screen time of a film of which only the drawn frames were looked at."""
    one = drawn_round(len(truth), places)
    answers = np.where(one.drawn, truth, NAN)
    weights = np.ones(len(truth)) if weights is None else weights
    return screen_time(weights, scores, answers, one.drawn, [one])


# ---- a film: shots, a character in whole shots, a classifier whose errors are shared by a shot


def film(random, present, missed, false_alarms, shared=0.7, mean_shot=4.0, n_frames=FRAMES):
    """Truth and scores of one made-up film; the scores are calibrated, but wrong together inside a shot."""
    shot = np.cumsum(random.random(n_frames) < 1 / mean_shot)
    shots = shot[-1] + 1
    truth = (random.random(shots) < present)[shot]
    chance = np.where(random.random(n_frames) < shared, random.random(shots)[shot], random.random(n_frames))
    positive = truth ^ (chance < np.where(truth, missed, false_alarms))
    hits, alarms = present * (1 - missed), (1 - present) * false_alarms
    misses, silences = present * missed, (1 - present) * (1 - false_alarms)
    score = np.where(positive, hits / (hits + alarms), misses / (misses + silences))
    blurred = np.log(score / (1 - score)) + random.normal(0, 0.7, n_frames)
    return truth.astype(float), 1 / (1 + np.exp(-blurred))


def simulate(seed, runs, n_audit, **classifier):
    """Coverage, mean error (s), its standard error (s) and mean width (s) of the interval over many films and draws."""
    random = np.random.default_rng(seed)
    covered, errors, widths = [], [], []
    for _ in range(runs):
        truth, scores = film(random, **classifier)
        result = audited(truth, scores, systematic(len(truth), n_audit, random.random()))
        covered.append(result.low <= truth.sum() <= result.high)
        errors.append(result.middle - truth.sum())
        widths.append(result.high - result.low)
    return np.mean(covered), np.mean(errors), np.std(errors) / np.sqrt(runs), np.mean(widths)


CLASSIFIERS = {
    "usual": {"missed": 0.2, "false_alarms": 0.06},
    "good": {"missed": 0.05, "false_alarms": 0.01},
    "long shots": {"missed": 0.2, "false_alarms": 0.06, "mean_shot": 20.0},
}


@pytest.mark.parametrize("n_audit", [30, 80, 150, 300])
@pytest.mark.parametrize("present", [0.02, 0.35, 0.60])
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_the_interval_covers_and_the_estimate_is_unbiased(classifier, present, n_audit):
    coverage, bias, standard_error, _ = simulate(
        seed=n_audit, runs=200, n_audit=n_audit, present=present, **CLASSIFIERS[classifier]
    )

    assert coverage >= 0.93
    assert abs(bias) < 3.5 * standard_error


def coverage_of_a_blind_model(expected_errors, n_audit=100, runs=800):
    """The worst case: a model that never sees a character, so that all errors are on one side, and few of them."""
    random = np.random.default_rng(5)
    covered = []
    for _ in range(runs):
        truth = np.zeros(FRAMES)
        truth[random.choice(FRAMES, round(expected_errors * FRAMES / n_audit), replace=False)] = 1.0
        result = audited(truth, np.zeros(FRAMES), systematic(FRAMES, n_audit, random.random()))
        covered.append(result.low <= truth.sum() <= result.high)
    return np.mean(covered)


@pytest.mark.parametrize("expected_errors", [1.0, 2.0, 2.9, 4.5, 6.0, 10.0])
def test_the_interval_covers_where_a_blind_model_never_sees_a_rare_character(expected_errors):
    assert coverage_of_a_blind_model(expected_errors) >= 0.93


@pytest.mark.parametrize(("unseen", "expected_errors"), [(0, 1.0), (1, 2.0)])
def test_fewer_unseen_errors_would_not_do(monkeypatch, unseen, expected_errors):
    """It covers 65 % without any and 88 % with one, where 95 % is promised."""
    monkeypatch.setattr(estimates, "UNSEEN_ERRORS", unseen)

    assert coverage_of_a_blind_model(expected_errors) < 0.90


@pytest.mark.parametrize("present", [0.02, 0.35])
def test_many_small_rounds_cover_as_one_large_one_does_and_are_as_narrow(present):
    random = np.random.default_rng(11)
    covered, many, single = [], [], []
    for _ in range(200):
        truth, scores = film(random, present=present, missed=0.2, false_alarms=0.06)
        looked, rounds = np.zeros(FRAMES, bool), []
        for _ in range(6):
            rest = np.flatnonzero(~looked)
            rounds.append(drawn_round(FRAMES, rest[systematic(len(rest), 25, random.random())], np.flatnonzero(looked)))
            looked |= rounds[-1].drawn
        result = screen_time(np.ones(FRAMES), scores, np.where(looked, truth, NAN), looked, rounds)
        covered.append(result.low <= truth.sum() <= result.high)
        many.append(result.high - result.low)
        one = audited(truth, scores, systematic(FRAMES, 150, random.random()))
        single.append(one.high - one.low)

    assert np.mean(covered) >= 0.93
    assert np.mean(many) == pytest.approx(np.mean(single), rel=0.1)


def rounds_with_scores_of_their_own(random, present, better, sure=1.0):
    """Three rounds of one film, each by a better model than the one before; what two of them leave is measured by the third.

    Some frames are answered without a look at each before every round, with 2 slips in 100: they are scored as answered,
    drawn or not.
    """
    truth, _ = film(random, present=present, missed=0.1, false_alarms=0.03)
    looked, rounds, answered = np.zeros(FRAMES, bool), [], np.zeros(FRAMES, bool)
    for wrong in better:
        odds = (
            np.where(truth == 1, 1, -1) * np.where(random.random(FRAMES) < wrong, -1, 1) * np.log(1 / wrong - 1) * sure
        )
        scores = 1 / (1 + np.exp(-odds))
        said = np.where(random.random(FRAMES) < 0.02, 1 - truth, truth)
        scores = np.where(answered, 0.01 + 0.98 * said, scores)
        rest = np.flatnonzero(~looked)
        one = drawn_round(FRAMES, rest[systematic(len(rest), 120, random.random())], np.flatnonzero(looked))
        rounds.append(Round(one.known, one.drawn, scores))
        looked |= one.drawn
        answered |= (np.abs(scores - 0.5) < 0.49) & (random.random(FRAMES) < 0.3) & ~looked
    return truth, looked, rounds


def measured(truth, looked, rounds, given=0.5):
    return screen_time(np.ones(FRAMES), np.full(FRAMES, given), np.where(looked, truth, NAN), looked, rounds)


@pytest.mark.parametrize("sure", [0.5, 1.0, 2.0], ids=["too unsure", "as sure as right", "too sure"])
@pytest.mark.parametrize("present", [0.02, 0.35])
def test_rounds_with_scores_of_their_own_cover_however_sure_the_scores_are_of_themselves(present, sure):
    random = np.random.default_rng(7)
    covered, errors, widths = [], [], []
    for _ in range(300):
        truth, looked, rounds = rounds_with_scores_of_their_own(random, present, better=(0.1, 0.05, 0.02), sure=sure)
        result = measured(truth, looked, rounds)
        covered.append(result.low <= truth.sum() <= result.high)
        errors.append(result.middle - truth.sum())
        widths.append(result.high - result.low)

    assert np.mean(covered) >= 0.93
    assert abs(np.mean(errors)) < 3.5 * np.std(errors) / np.sqrt(300)
    if present == 0.35:
        assert np.std(errors) * 1.96 > 0.5 * np.mean(widths) / 2  # and they are not wide for nothing


def test_the_scores_given_do_not_touch_a_round_with_scores_of_its_own():
    made = rounds_with_scores_of_their_own(np.random.default_rng(1), 0.35, better=(0.1, 0.05, 0.02))
    without = (*made[:2], [Round(one.known, one.drawn) for one in made[2]])

    assert measured(*made, given=0.0) == measured(*made, given=1.0)
    assert measured(*without, given=0.0) != measured(*without, given=1.0)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(2, 30), st.integers(0, 1))
def test_the_mean_over_every_possible_draw_is_the_truth(seed, n_audit, known_frames):
    """Unbiased exactly, not only in the long run: over all starts of a systematic draw, whatever scores and weights."""
    random = np.random.default_rng(seed)
    n_frames = n_audit * 4 + known_frames
    truth = (random.random(n_frames) < 0.4).astype(float)
    scores, weights = random.random(n_frames), random.random(n_frames) + 0.1
    known = list(range(known_frames))

    seconds = [
        difference_estimate(
            weights,
            scores,
            truth,
            [drawn_round(n_frames, [known_frames + p for p in systematic(n_audit * 4, n_audit, start)], known)],
        )[0]
        for start in (0.0, 0.25, 0.5, 0.75)
    ]

    assert np.mean(seconds) == pytest.approx((weights * truth).sum())


def test_a_second_round_is_unbiased_and_narrows_the_interval():
    random = np.random.default_rng(7)
    truth, scores = film(random, present=0.35, missed=0.2, false_alarms=0.06)
    errors, covered, narrower = [], [], []
    for _ in range(300):
        first = drawn_round(FRAMES, systematic(FRAMES, 80, random.random()))
        chosen = first.drawn | (np.arange(FRAMES) % 40 == 3)  # 33 frames labelled by looking between the rounds
        rest = np.flatnonzero(~chosen)
        second = drawn_round(FRAMES, rest[systematic(len(rest), 60, random.random())], np.flatnonzero(chosen))
        looked = first.drawn | chosen | second.drawn
        both = screen_time(np.ones(FRAMES), scores, np.where(looked, truth, NAN), looked, [first, second])
        alone = screen_time(np.ones(FRAMES), scores, np.where(looked, truth, NAN), looked, [first])
        errors.append(both.middle - truth.sum())
        covered.append(both.low <= truth.sum() <= both.high)
        narrower.append((both.high - both.low) < (alone.high - alone.low))

    assert abs(np.mean(errors)) < 3.5 * np.std(errors) / np.sqrt(len(errors))
    assert np.mean(covered) >= 0.93
    assert np.mean(narrower) > 0.95


# ---- laws


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_an_interval_holds_its_estimate_and_stays_within_what_is_possible(seed, n_audit):
    random = np.random.default_rng(seed)
    truth, scores = (random.random(12) < random.random()).astype(float), random.random(12)
    weights = random.choice([0.0, 0.5, 1.0], 12)
    one = drawn_round(12, systematic(12, n_audit, random.random()))
    answers = np.where(one.drawn & (random.random(12) < 0.8), truth, NAN)  # the others are `?`

    result = screen_time(weights, scores, answers, one.drawn, [one])

    assert result.floor <= result.low <= result.seconds <= result.high <= result.ceiling
    assert result.floor == pytest.approx((weights * (answers == 1)).sum())
    assert result.ceiling == pytest.approx((weights * (answers != 0)).sum())


def test_every_frame_looked_at_is_exact():
    truth = np.array([1.0, 0.0, 1.0, 0.0])
    result = screen_time(np.array([1, 1, 1, 0.5]), np.full(4, 0.3), truth, np.ones(4, bool), [])

    assert (result.seconds, result.low, result.high, result.basis) == (2.0, 2.0, 2.0, "labels")


def test_an_audit_of_every_frame_leaves_nothing_to_chance():
    truth = np.array([1.0, 0.0, 1.0, 1.0])
    seconds, half = difference_estimate(np.ones(4), np.full(4, 0.3), truth, [drawn_round(4, [1, 2, 3], [0])])

    assert (seconds, half) == (pytest.approx(3.0), 0.0)


def test_a_frame_in_a_skipped_range_need_not_be_looked_at():
    answers = np.array([1.0, 0.0, NAN])
    result = screen_time(np.array([1.0, 1.0, 0.0]), np.full(3, 0.3), answers, ~np.isnan(answers), [])

    assert (result.seconds, result.basis) == (1.0, "labels")


def test_without_an_audit_answers_and_scores_are_added_and_there_is_no_interval():
    answers = np.array([1.0, 0.0, NAN, NAN])
    result = screen_time(np.ones(4), np.array([0.2, 0.9, 0.25, 0.5]), answers, ~np.isnan(answers), [])

    assert (result.seconds, result.low, result.high, result.basis) == (1.75, None, None, "count")


def test_an_audit_without_an_error_still_leaves_room_for_errors_it_did_not_meet():
    truth = np.zeros(FRAMES)
    result = audited(truth, truth, systematic(FRAMES, 80, 0.5))

    assert (result.seconds, result.low) == (0.0, 0.0)
    assert 3.0 * FRAMES / 80 > result.high > 2.5 * FRAMES / 80  # about the rule of three


def test_an_answer_that_cannot_be_told_widens_the_interval_to_both_extremes():
    truth, scores = film(np.random.default_rng(2), present=0.35, missed=0.2, false_alarms=0.06)
    places = systematic(FRAMES, 80, 0.3)
    told = audited(truth, scores, places)
    unclear = truth.copy()
    unclear[places[:2]] = NAN
    open_end = audited(unclear, scores, places)
    if_absent, if_present = (audited(np.where(np.isnan(unclear), x, unclear), scores, places) for x in (0.0, 1.0))

    assert open_end.low <= min(if_absent.low, told.low)
    assert open_end.high >= max(if_present.high, told.high)
    assert if_present.seconds - if_absent.seconds == pytest.approx(2 * FRAMES / 80)


def test_a_known_frame_without_an_answer_for_the_character_may_be_either():
    """It was left out of the draw, so no audit speaks for it."""
    truth, scores = np.zeros(40), np.full(40, 0.25)
    one = drawn_round(40, range(1, 40), [0])
    answers = np.where(one.drawn, truth, NAN)

    result = screen_time(np.ones(40), scores, answers, one.drawn, [one])

    assert (result.low, result.high) == (0.0, 1.0)
    assert result.seconds == pytest.approx(0.25)


def test_a_wider_spread_of_errors_or_a_smaller_audit_gives_a_wider_interval():
    truth, scores = film(np.random.default_rng(4), present=0.35, missed=0.2, false_alarms=0.06)
    widths = [
        result.high - result.low
        for n in (30, 80, 150, 300)
        for result in [audited(truth, scores, systematic(FRAMES, n, 0.5))]
    ]

    assert all(later < earlier for earlier, later in pairwise(widths))


def test_one_drawn_frame_says_nothing_about_chance():
    result = audited(np.ones(10), np.full(10, 0.5), [4])

    assert (result.low, result.high) == (1.0, 10.0)


# ---- totals over films


def test_totals_add_estimates_and_squares_of_chance_and_take_the_weakest_basis():
    truth, scores = film(np.random.default_rng(6), present=0.35, missed=0.2, false_alarms=0.06)
    first = audited(truth, scores, systematic(FRAMES, 80, 0.1))
    second = audited(truth, scores, systematic(FRAMES, 150, 0.6))
    both = total([first, second])

    assert both.seconds == pytest.approx(first.seconds + second.seconds)
    assert both.high - both.seconds == pytest.approx(np.hypot(first.high - first.seconds, second.high - second.seconds))
    assert both.basis == "audit"


def test_a_total_has_no_interval_where_one_film_has_none():
    exact = screen_time(np.ones(2), np.zeros(2), np.ones(2), np.ones(2, bool), [])
    counted = screen_time(np.ones(2), np.full(2, 0.25), np.full(2, NAN), np.zeros(2, bool), [])

    result = total([exact, counted])

    assert (result.seconds, result.low, result.high, result.basis) == (2.5, None, None, "count")


def test_a_total_of_many_films_is_unbiased_where_a_film_alone_would_be_below_nothing():
    """One film's estimate may fall below 0 and is shown as 0; adding those zeros up would be too much."""
    random = np.random.default_rng(8)
    below = audited(np.zeros(FRAMES), np.where(np.arange(FRAMES) % 16 == 3, 0.9, 0.0), systematic(FRAMES, 80, 0.2))
    above = audited(*film(random, present=0.35, missed=0.2, false_alarms=0.06), systematic(FRAMES, 80, 0.2))

    assert below.middle < 0 == below.seconds
    assert total([below, above]).seconds == pytest.approx(below.middle + above.middle)


# ---- weights, and what was known before a draw


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.floats(0.01, 2), min_size=1, max_size=20),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20)), max_size=4),
)
def test_weights_are_the_length_of_the_film_without_the_skipped_ranges(durations, ends):
    times = np.concatenate([[0.0], np.cumsum(durations)[:-1]])
    skipped = [(min(pair), max(pair)) for pair in ends]
    weights = film_weights(times, np.array(durations), skipped)

    edges = np.unique([0.0, *np.cumsum(durations), *(e for pair in skipped for e in pair)])
    length = sum(durations)
    kept = sum(
        end - start
        for start, end in pairwise(edges)
        if end <= length and not any(low <= start and end <= high for low, high in skipped)
    )
    assert weights.sum() == pytest.approx(kept, abs=1e-4)
    assert (weights >= 0).all()


def test_the_earliest_frames_are_those_that_were_known_at_the_draw():
    looked = np.array([True, True, True, False])
    at = ["2026-11-21T10:00:02Z", "2026-11-21T10:00:01Z", "2026-11-21T10:00:03Z", ""]

    assert looked_before(looked, at, 2).tolist() == [True, True, False, False]
    assert looked_before(looked, at, 0).tolist() == [False] * 4
    assert looked_before(looked, ["", "", "", ""], 3).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("why", "at", "n_before"),
    [
        ("labels that were there at the draw are gone", ["a", "b", "c", ""], 4),
        ("the record counts more frames than there are", ["a", "b", "c", ""], -1),
        ("nobody wrote when", ["a", "", "c", ""], 2),
        ("two were said in the same second", ["a", "b", "b", ""], 2),
    ],
)
def test_what_was_known_at_the_draw_is_not_guessed(why, at, n_before):
    assert looked_before(np.array([True, True, True, False]), at, n_before) is None, why
