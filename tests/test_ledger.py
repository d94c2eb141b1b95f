"""The ledger joins the tables of a film: one score per frame, by no model that saw it, and what counts."""

import numpy as np
import pytest
from film_tables import CAST, held_out, sampled, scored, written

from screentime.errors import InputError
from screentime.ledger import open_ledgers

TARGETS = "time_s,character,present,source,at"
AUDIT = "time_s,character,present,source,at,round,probability,stratum,design,n_population"
FOLDERS = ("frames", "scores", "targets", "audit", "skipped", "models")
TIMES = np.arange(20.0)


@pytest.fixture
def film(tmp_path):
    """A film of 20 frames, its scores 0.25, its out-of-fold scores of the first five frames 0.75."""
    sampled(tmp_path / "frames")
    scored(tmp_path / "scores" / "film.csv", TIMES, np.full((20, 2), 0.25))
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", TIMES[:5], np.full((5, 2), 0.75))
    return tmp_path


def opened(folder):
    return next(open_ledgers(["film"], CAST, **{name: folder / name for name in FOLDERS}))


def targets(folder, *lines):
    written(folder / "targets" / "film.csv", TARGETS, *lines)


def manual(*times, at="2026-11-21T10:00:0{}Z", names=CAST):
    """Answers by looking, one second after the other."""
    return [f"{t},{name},1,manual,{at.format(k)}" for k, t in enumerate(times) for name in names]


def audit(folder, number, times, population, present="1", names=CAST, more=()):
    """One complete round in the audit table; the times are drawn with the right chance."""
    chance = len(times) / population
    rows = [
        f"{t},{name},{present if name in names else ''},audit,,{number},{chance:.12f},,systematic,{population}"
        for t in times
        for name in CAST
    ]
    written(folder / "audit" / "film.csv", AUDIT, *more, *rows)
    return rows


def frames_of(mask):
    return np.flatnonzero(mask).tolist()


# ---- scores


def test_a_frame_that_trained_has_its_out_of_fold_score_and_no_other(film):
    targets(film, "1,ann,1,manual,", "3,bob,0,accepted,", "4,bob,?,manual,", "9,,,drawn,")
    held_out(film / "models" / "out_of_fold.csv", "film", TIMES[[1, 3]], np.full((2, 2), 0.75))
    ledger = opened(film)

    assert frames_of(ledger.trained) == [1, 3]
    assert frames_of(ledger.scores[:, 0] == 0.75) == [1, 3]
    assert frames_of(ledger.scores[:, 1] == 0.75) == [1, 3]


def test_a_film_that_did_not_train_needs_no_model_folder(film):
    (film / "models" / "out_of_fold.csv").unlink()

    assert (opened(film).scores == 0.25).all()


def test_a_frame_that_trained_without_an_out_of_fold_score_is_one_sentence(film):
    targets(film, "7,ann,1,manual,")

    with pytest.raises(InputError) as failure:
        opened(film)

    assert str(failure.value) == (
        f"{film}/models/out_of_fold.csv: no score of film at 7 s, one for every frame that trained was expected; run "
        "`dvc repro train`"
    )


def test_scores_of_other_frames_are_refused(film):
    scored(film / "scores" / "film.csv", TIMES[:19], np.full((19, 2), 0.25))

    with pytest.raises(InputError) as failure:
        opened(film)

    assert str(failure.value) == (
        f"{film}/scores/film.csv: the times are not those of the 20 sampled frames, they were expected to agree; run "
        "`dvc repro score`"
    )


# ---- answers


def test_only_what_was_looked_at_is_an_answer_and_a_question_mark_is_no_truth(film):
    targets(film, "1,ann,1,manual,", "2,ann,0,propagated,", "3,ann,?,manual,", "4,bob,0,imported,")
    ledger = opened(film)

    assert frames_of(~np.isnan(ledger.answers[:, 0])) == [1]
    assert frames_of(ledger.looked[:, 0]) == [1, 3]
    assert frames_of(~np.isnan(ledger.labels[:, 0])) == [1, 2]
    assert frames_of(ledger.looked[:, 1]) == []


def test_skipped_ranges_weigh_nothing(film):
    written(film / "skipped" / "film.csv", "start_s,end_s,reason", "10,15.5,advert")
    ledger = opened(film)

    assert ledger.length_s == 14.5
    assert frames_of(ledger.weights_s == 0) == [10, 11, 12, 13, 14]


# ---- rounds


def test_frames_looked_at_before_the_draw_are_known_and_those_after_are_not(film):
    targets(film, *manual(0, 1, 2, 3))
    audit(film, 1, [6, 11, 16], population=18)
    ledger = opened(film)
    (one,) = ledger.rounds[0]

    assert frames_of(one.known) == [0, 1]
    assert frames_of(one.drawn) == [6, 11, 16]
    assert ledger.notes == ()
    assert ledger.scores[2, 0] == 0.75, "a frame labelled after the draw keeps its out-of-fold score"


def test_where_nobody_wrote_when_all_labels_count_as_before_only_if_their_number_fits(film):
    targets(film, *manual(0, 1, at=""))
    audit(film, 1, [6, 11, 16], population=18)
    assert frames_of(opened(film).rounds[0][0].known) == [0, 1]

    targets(film, *manual(0, 1, 2, at=""))
    ledger = opened(film)
    assert ledger.rounds == ((), ())
    assert ledger.notes == (
        "film: audit round 1 is not used: when it was drawn 2 other frames had been labelled by looking, now 3 are, "
        "and their `at` does not tell which came first; draw a new round",
    )


def test_labels_that_are_gone_leave_a_round_unused(film):
    audit(film, 1, [6, 11, 16], population=18)

    assert opened(film).rounds == ((), ())


def test_a_round_counts_for_a_character_when_it_is_complete_for_that_character(film):
    audit(film, 1, [6, 11, 16], population=20, names=("ann",))
    ledger = opened(film)

    assert [len(of_character) for of_character in ledger.rounds] == [1, 0]
    assert ledger.notes == (
        "film: audit round 1 counts when it is complete: 3 of its 3 frames are not yet labelled for every character",
    )
    assert frames_of(ledger.audited(0)) == [6, 11, 16]


def test_a_question_mark_completes_a_round(film):
    audit(film, 1, [6, 11, 16], population=20, present="?")
    ledger = opened(film)

    assert [len(of_character) for of_character in ledger.rounds] == [1, 1]
    assert np.isnan(ledger.answers).all()


def test_drawn_frames_in_skipped_ranges_need_no_answer(film):
    written(film / "skipped" / "film.csv", "start_s,end_s,reason", "16,20,credits")
    rows = audit(film, 1, [6, 11, 16], population=20)
    unanswered = [row.replace(",1,audit", ",,audit") if row.startswith("16") else row for row in rows]
    written(film / "audit" / "film.csv", AUDIT, *unanswered)
    ledger = opened(film)

    assert [len(of_character) for of_character in ledger.rounds] == [1, 1]
    assert frames_of(ledger.audited(0)) == [6, 11]


def test_the_frames_of_an_earlier_round_are_known_to_a_later_one(film):
    targets(film, *manual(0, 1))
    first = audit(film, 1, [6, 11, 16], population=19)
    audit(film, 2, [2, 9], population=15, more=first)
    ledger = opened(film)
    one, two = ledger.rounds[0]

    assert frames_of(one.known) == [0]
    assert frames_of(two.known) == [0, 1, 6, 11, 16]
    assert frames_of(ledger.drawn) == [2, 6, 9, 11, 16]


def test_answers_of_a_test_film_that_were_looked_at_are_known_to_its_audit(film):
    looked = ["3,ann,1,manual,,,,,,", "4,ann,0,propagated,,,,,,"]
    audit(film, 1, [6, 11, 16], population=19, more=looked)
    ledger = opened(film)

    assert frames_of(ledger.rounds[0][0].known) == [3]
    assert not ledger.trained.any()
    assert ledger.labels[4, 0] == 0
    assert np.isnan(ledger.answers[4, 0])
