"""Agreement of two people: kappa as scikit-learn computes it, on what both could tell, with an interval that is honest."""

import warnings

import numpy as np
import pytest
from film_tables import CAST, sampled
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from screentime.agreement import agreements, kappa_interval
from screentime.label_rows import Row


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return sampled(tmp_path_factory.mktemp("frames"), length_s=200.0)


def looks(character, answers, source="manual"):
    """One answer a second, as a text of 1, 0, ? and - (nobody said)."""
    return [Row(float(t), None, character, said, source) for t, said in enumerate(answers) if said != "-"]


def test_kappa_is_over_frames_that_both_could_tell(frames):
    mine, theirs = looks("ann", "1100?1--10"), looks("ann", "10001?11-0")
    late = [Row(50.0, None, "ann", "1", "manual")]  # in another block of time

    (ann, bob), differing = agreements([*mine, *late], [*theirs, *late], CAST, frames)

    assert (ann.n_frames, ann.n_alike, ann.n_cannot_tell) == (6, 5, 2)
    assert ann.kappa == pytest.approx(cohen_kappa_score([1, 1, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1]))
    assert ann.low < ann.kappa < ann.high
    assert (bob.n_frames, bob.n_alike, bob.n_cannot_tell) == (0, 0, 0)
    assert np.isnan([bob.kappa, bob.low, bob.high]).all()
    assert [(one.time_s, one.mine.present, one.theirs.present) for one in differing] == [
        (1.0, "1", "0"), (4.0, "?", "1"), (5.0, "1", "?"),
    ]  # fmt: skip


def test_a_blind_answer_speaks_before_any_other(frames):
    mine = [*looks("ann", "1"), *looks("ann", "0", "audit")]

    (ann, _), _ = agreements(mine, looks("ann", "0"), CAST, frames)

    assert (ann.n_frames, ann.n_alike) == (1, 1)


@given(pairs=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_kappa_is_that_of_an_independent_reference(pairs):
    one, other = np.array(pairs).T

    kappa, low, high = kappa_interval(one, other, np.arange(len(one)) // 20)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = cohen_kappa_score(one, other)
    if np.isnan(expected) or len(np.unique([one, other])) == 1:
        assert np.isnan([kappa, low, high]).all()
    else:
        assert kappa == pytest.approx(expected)
        assert np.isnan([low, high]).all() if len(one) <= 20 else -1 <= low <= kappa <= high <= 1


def test_full_agreement_on_few_frames_is_no_proof():
    answers = np.arange(40) % 2 == 0

    few, many = (kappa_interval(answers[:n], answers[:n], np.arange(n)) for n in (10, 40))

    assert (few[0], few[2]) == (1, 1)
    assert 0 < few[1] < many[1] < 1


def test_frames_of_one_shot_say_less_than_as_many_apart():
    random = np.random.default_rng(0)
    one = np.repeat(random.random(60) < 0.5, 10)
    other = one ^ np.repeat(random.random(60) < 0.1, 10)

    apart = np.diff(kappa_interval(one, other, np.arange(600))[1:])[0]
    together = np.diff(kappa_interval(one, other, np.arange(600) // 10)[1:])[0]

    assert together > 2 * apart


def test_the_interval_covers_where_people_slip_on_single_frames():
    """95 % is meant; over 400 draws 91 % would already be four standard errors below."""
    random = np.random.default_rng(1)
    truth = lambda n: np.repeat(random.random(n) < 0.4, 7)[:n]  # noqa: E731 - shots of seven frames
    slips = lambda n: random.random(n) < 0.05  # noqa: E731
    long = truth(200_000)
    expected = cohen_kappa_score(long ^ slips(len(long)), long ^ slips(len(long)))

    covered = 0
    for _ in range(400):
        film = truth(600)
        _, low, high = kappa_interval(film ^ slips(600), film ^ slips(600), np.arange(600) // 20)
        covered += low <= expected <= high

    assert covered / 400 > 0.91
