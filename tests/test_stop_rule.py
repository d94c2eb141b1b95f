"""What another round would buy, held against what it then gives."""

import numpy as np
import pytest

from screentime.audit import systematic
from screentime.estimates import Round, difference_estimate
from screentime.stop_rule import after_another_round


def film(random, n=1200, share=0.35, wrong=0.15):
    """Truth in shots, and scores that are sometimes wrong, some whole shots among them."""
    truth = np.repeat((random.random(n // 8) < share).astype(float), 8)
    flipped = np.repeat(random.random(n // 8) < wrong / 2, 8) ^ (random.random(n) < wrong / 2)
    return truth, np.clip(np.where(flipped, 1 - truth, truth) * 0.8 + 0.1, 0, 1)


@pytest.mark.parametrize(("first", "more"), [(60, 60), (80, 40), (40, 120)])
def test_the_interval_that_was_told_is_about_what_the_round_then_gives(first, more):
    random = np.random.default_rng(first)
    told, given = [], []
    for _ in range(120):
        truth, scores = film(random)
        weights, looked = np.ones(len(truth)), np.zeros(len(truth), bool)
        rounds = []
        for n in (first, more):
            rest = np.flatnonzero(~looked)
            drawn = np.zeros(len(truth), bool)
            drawn[rest[systematic(len(rest), n, random.random())]] = True
            if n == more and len(rounds) == 1:
                answers = np.where(looked, truth, np.nan)
                told.append(after_another_round(weights, scores, answers, looked, rounds, n))
            rounds.append(Round(known=looked.copy(), drawn=drawn))
            looked |= drawn
        given.append(difference_estimate(weights, scores, truth, rounds)[1])

    assert 0.85 < np.median(told) / np.median(given) < 1.15


def test_without_a_round_the_scores_say_what_they_expect_of_themselves():
    random = np.random.default_rng(3)
    truth = (random.random(900) < 0.3).astype(float)
    unsure, sure = np.full(900, 0.5), np.where(truth == 1, 0.99, 0.01)
    nobody = np.zeros(900, bool)
    said = np.full(900, np.nan)
    wide, narrow = (after_another_round(np.ones(900), one, said, nobody, [], 80) for one in (unsure, sure))

    assert narrow < wide / 2
    assert after_another_round(np.ones(900), unsure, said, nobody, [], 200) < wide


def test_a_round_of_all_that_is_left_leaves_nothing_to_chance():
    looked = np.arange(50) < 20
    answers = np.where(looked, 1.0, np.nan)
    assert after_another_round(np.ones(50), np.full(50, 0.5), answers, looked, [], 30) == 0
