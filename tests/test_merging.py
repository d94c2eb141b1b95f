"""Two people's files become one; a difference is a question, and nothing that anybody said is lost."""

import pytest
from film_tables import CAST, sampled, written
from hypothesis import given, settings
from hypothesis import strategies as st
from test_label_rows import ROWS, free_of_contradictions

from screentime.errors import InputError
from screentime.label_rows import Row, frames_of, standing, table_of
from screentime.merging import (
    DIFFERENCES,
    after_the_draw,
    annotator_file,
    compared,
    merged,
    read_decisions,
    read_rows,
    write_decisions,
)
from screentime.table_files import write_table
from screentime.tables import LABELS

NOW = "2026-11-22T10:00:00Z"
HEADER = "start_s,end_s,character,present,source,annotator,at"


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return sampled(tmp_path_factory.mktemp("frames"), length_s=12.0)


def row(start_s, end_s, character, present, source="manual", annotator="", at=""):
    return Row(start_s, end_s, character, present, source, annotator, at)


def merge(mine, theirs, frames, **decisions):
    """The merged rows; decisions by "character@start_s"."""
    comparison = compared(mine, theirs, frames)
    by_name = {f"{one.mine.character}@{one.start_s:g}": one for one in comparison.differences}
    decided = {by_name[name.replace("_at_", "@")]: decision for name, decision in decisions.items()}
    kept, added = merged(mine, comparison, decided, frames, NOW)
    return [*kept, *added]


def said(rows, frames):
    return {(*cell,): row.present for cell, row in standing(rows, frames).items()}


# ---- what only one says, what both say


def test_what_only_one_says_is_taken_over_with_who_said_it_how_and_when(frames):
    mine = [row(1.0, None, "ann", "1", annotator="ann")]
    theirs = [
        row(1.0, None, "bob", "0", "accepted", "ben", "2026-11-21T10:00:00Z"),
        row(3.0, 6.0, "ann", "0", "propagated", "ben"),
    ]

    assert merge(mine, theirs, frames) == [*mine, *theirs]


def test_what_both_say_alike_stays_and_a_look_beats_a_guess(frames):
    mine = [row(1.0, None, "ann", "1", "accepted"), row(3.0, 6.0, "bob", "0", "propagated"), row(8.0, None, "bob", "1")]
    looked = row(4.0, None, "bob", "0", "manual", "ben")
    theirs = [row(1.0, None, "ann", "1", "imported", "ben"), looked, row(8.0, None, "bob", "1", "accepted")]

    assert merge(mine, theirs, frames) == [*mine, looked]


def test_rows_that_no_sampled_frame_shows_are_taken_over_too(frames):
    between = row(1.5, None, "ann", "1", annotator="ben")
    comparison = compared([row(2.5, None, "ann", "1")], [between, row(2.5, None, "ann", "0")], frames)

    assert comparison.outside == (between,)
    assert comparison.clashing == (row(2.5, None, "ann", "0"),)


# ---- what differs


def test_where_nothing_is_decided_mine_stands_and_theirs_waits(frames):
    mine, theirs = [row(1.0, None, "ann", "1")], [row(1.0, None, "ann", "0")]

    assert merge(mine, theirs, frames) == mine
    assert merge(mine, theirs, frames, ann_at_1="mine") == mine
    assert merge(mine, theirs, frames, ann_at_1="theirs") == theirs


def test_what_cannot_be_told_keeps_that_people_looked(frames):
    mine = [row(1.0, None, "ann", "1", "accepted", "ann")]
    theirs = [row(1.0, None, "ann", "0", "manual", "ben")]

    assert merge(mine, theirs, frames, ann_at_1="?") == [row(1.0, None, "ann", "?", "manual", "ann + ben", NOW)]


def test_a_moment_of_theirs_against_a_stretch_of_mine_is_a_question_and_cuts_only_its_frame(frames):
    mine, theirs = [row(0.0, 6.0, "ann", "1", "propagated")], [row(2.0, None, "ann", "0")]

    assert merge(mine, theirs, frames) == mine
    assert merge(mine, theirs, frames, ann_at_2="theirs") == [
        row(0.0, 2.0, "ann", "1", "propagated"), row(3.0, 6.0, "ann", "1", "propagated"), row(2.0, None, "ann", "0"),
    ]  # fmt: skip


def test_painted_stretches_that_differ_are_one_question(frames):
    mine, theirs = [row(0.0, 6.0, "ann", "1", "propagated")], [row(4.0, 9.0, "ann", "0", "propagated")]
    (question,) = compared(mine, theirs, frames).differences

    assert (question.start_s, question.end_s, len(question.cells)) == (4.0, 6.0, 2)
    assert merge(mine, theirs, frames) == [*mine, row(6.0, 9.0, "ann", "0", "propagated")]
    assert merge(mine, theirs, frames, ann_at_4="theirs") == [row(0.0, 4.0, "ann", "1", "propagated"), *theirs]


def test_a_question_that_a_stretch_and_a_look_of_theirs_share_takes_both(frames):
    mine = [row(3.0, 9.0, "ann", "1", "propagated")]
    theirs = [row(2.0, 8.0, "ann", "0", "propagated"), row(8.0, None, "ann", "0")]
    (question,) = compared(mine, theirs, frames).differences

    assert (question.start_s, question.end_s) == (3.0, 9.0)
    assert merge(mine, theirs, frames, ann_at_3="theirs") == theirs


def test_single_looks_that_differ_are_questions_of_their_own(frames):
    mine = [row(time_s, None, "ann", "1") for time_s in (3.0, 4.0)]
    theirs = [row(time_s, None, "ann", "0") for time_s in (3.0, 4.0)]

    assert [one.end_s for one in compared(mine, theirs, frames).differences] == [None, None]


def test_blind_answers_meet_only_blind_answers(frames):
    mine = [row(1.0, None, "ann", "1", "audit")]
    other, blind = row(1.0, None, "ann", "0", "manual"), row(1.0, None, "ann", "0", "audit")

    assert merge(mine, [other], frames) == [*mine, other]
    (question,) = compared(mine, [blind], frames).differences
    assert question.mine.blind
    assert merge(mine, [blind], frames, ann_at_1="?") == [row(1.0, None, "ann", "?", "audit", "", NOW)]


# ---- laws


@settings(max_examples=60)
@given(mine=ROWS, theirs=ROWS, choices=st.lists(st.sampled_from(["mine", "theirs", "?", ""]), min_size=1, max_size=5))
def test_every_cell_says_what_one_of_the_two_said_or_what_was_decided(tmp_path_factory, frames, mine, theirs, choices):
    path = tmp_path_factory.mktemp("law") / "film.csv"
    mine, theirs = (free_of_contradictions(rows, frames) for rows in (mine, theirs))
    comparison = compared(mine, theirs, frames)
    wanted = {one: choices[place % len(choices)] for place, one in enumerate(comparison.differences)}
    decided = {one: choice for one, choice in wanted.items() if choice}

    kept, added = merged(mine, comparison, decided, frames, NOW)
    write_table(path, table_of({*kept, *added}), LABELS)
    read = read_rows(path, CAST, frames)  # free of contradictions, else it raises

    expected = said(theirs, frames) | said(mine, frames)
    for difference, choice in decided.items():
        present = {"mine": difference.mine.present, "theirs": difference.theirs.present, "?": "?"}[choice]
        expected |= {(*cell,): present for cell in difference.cells}
    assert said(read, frames) == expected
    unseen = {one[:4] for one in [*mine, *theirs] if not frames_of(one, frames)} - {
        one[:4] for one in comparison.clashing
    }
    assert unseen == {one[:4] for one in read if not frames_of(one, frames)}


@settings(max_examples=60)
@given(mine=ROWS, theirs=ROWS)
def test_merging_again_takes_nothing_over(frames, mine, theirs):
    mine, theirs = (free_of_contradictions(rows, frames) for rows in (mine, theirs))

    once = [one for part in merged(mine, compared(mine, theirs, frames), {}, frames, NOW) for one in part]
    again = compared(once, theirs, frames)

    assert (dict(again.new), again.outside) == ({}, ())
    assert {one.cells for one in again.differences} == {one.cells for one in compared(mine, theirs, frames).differences}


# ---- decisions in a file


def test_decisions_survive_in_a_file_and_are_about_these_answers_only(tmp_path, frames):
    mine = [row(1.0, None, "ann", "1", annotator="ann"), row(4.0, 8.0, "bob", "1", "propagated")]
    theirs = [row(1.0, None, "ann", "0", annotator="ben", at=NOW), row(5.0, 7.0, "bob", "0", "propagated")]
    questions = compared(mine, theirs, frames).differences
    path = tmp_path / "film.ben.differences.csv"
    write_decisions(path, questions, {questions[1]: "theirs"})

    assert path.read_text() == (
        "start_s,end_s,character,layer,mine,mine_by,theirs,theirs_by,decision\n"
        f"1,,ann,other,1,manual by ann,0,manual by ben {NOW},\n"
        "5,7,bob,other,1,propagated,0,propagated,theirs\n"
    )
    assert read_decisions(path, questions) == ({questions[1]: "theirs"}, 0)
    assert read_decisions(path, questions[:1]) == ({}, 1)
    path.write_text(path.read_text().replace("theirs\n", "hers\n").replace("_by,decision", "_by,decision"))
    with pytest.raises(InputError) as failure:
        read_decisions(path, questions)
    assert str(failure.value) == f"{path}: line 3: decision is 'hers', expected is one of mine, theirs, ?"


# ---- whose file


def test_the_second_file_is_found_by_its_name(tmp_path):
    for name in ("e01.csv", "e01.skip.csv", "e01.ben.csv", "e01.x.csv", "e01.x.carol.csv", "e01.audit.csv"):
        written(tmp_path / name, HEADER)
    ids = ["e01", "e01.x"]

    assert annotator_file(tmp_path, "e01", ids, None) == (tmp_path / "e01.ben.csv", "ben")
    assert annotator_file(tmp_path, "e01.x", ids, "carol") == (tmp_path / "e01.x.carol.csv", "carol")
    written(tmp_path / "e01.dan.csv", HEADER)
    for annotator, expected in (
        (None, "2 people labelled e01 beside you (ben, dan), one was expected; name one with --annotator"),
        ("bne", "no e01.bne.csv was found; did you mean 'ben'?"),
    ):
        with pytest.raises(InputError) as failure:
            annotator_file(tmp_path, "e01", ids, annotator)
        assert str(failure.value) == f"{tmp_path}: {expected}"
    with pytest.raises(InputError) as failure:
        annotator_file(tmp_path / "elsewhere", "e01", ids, None)
    assert str(failure.value) == (
        f"{tmp_path}/elsewhere: no e01.NAME.csv was found, a second person's label file was expected; put it there under that "
        "name"
    )


def test_who_is_not_named_in_a_row_is_the_one_whose_file_it_is(tmp_path, frames):
    path = written(tmp_path / "film.ben.csv", HEADER, "1,,ann,1,,,", "2,,ann,1,,carol,")

    assert [one.annotator for one in read_rows(path, CAST, frames, "ben")] == ["ben", "carol"]


# ---- an audit that was drawn before


def test_what_comes_after_a_draw_is_dated_after_it(frames):
    """The audit was drawn among frames that nobody had looked at; `at` tells which those were (estimates.looked_before)."""
    old = "2026-11-20T10:00:00Z"
    mine = [row(1.0, None, "ann", "1", at="2026-11-21T10:00:00Z")]
    new_look, known, drawn, painted = (
        row(2.0, None, "ann", "1", at=old), row(1.0, None, "bob", "1", at=old), row(5.0, None, "ann", "1", "audit", at=old),
        row(8.0, 9.0, "bob", "1", "propagated", at=old),
    )  # fmt: skip
    rows = [new_look, known, drawn, painted]

    assert after_the_draw(rows, mine, [5], frames, NOW) == ([new_look._replace(at=NOW), known, drawn, painted], 1)
    assert after_the_draw(rows, mine, [], frames, NOW) == (rows, 0)


def test_the_table_of_questions_is_documented():
    from test_docs import FORMATS, described

    assert described(DIFFERENCES) in FORMATS
