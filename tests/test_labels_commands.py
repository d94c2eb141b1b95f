"""`labels merge`, `agree`, `skip`, `unskip` and the cast's changes, as a person uses them."""

import re

import pytest
from labels_project import LabelsProject

from screentime.audit import draw
from screentime.params import load

OLD = "2026-11-20T10:00:00Z"


@pytest.fixture
def project(tmp_path, monkeypatch, capsys):
    return LabelsProject(tmp_path, monkeypatch, capsys)


@pytest.fixture
def two(project):
    """Ann's file and Ben's: one frame only Ben's, one alike, two that differ."""
    project.write("film.csv", "1,,ann,1,manual,ann,", "2,,ann,1,manual,ann,", "3,,bob,0,accepted,ann,")
    project.write(
        "film.ben.csv", f"1,,ann,1,manual,,{OLD}", f"2,,ann,0,manual,,{OLD}", "3,,bob,1,manual,,", "9,12,bob,0,,,"
    )
    return project


MERGED = ["1,,ann,1,manual,ann,", "2,,ann,1,manual,ann,", "3,,bob,0,accepted,ann,", "9,12,bob,0,propagated,ben,"]


def test_what_differs_waits_in_a_file_until_a_person_decides(two):
    assert two.told("labels", "merge", "film").splitlines() == [
        "data/labels/film.csv: 3 answers of ben taken over, 1 were alike, 2 differ",
        "film.ben.differences.csv: 2 questions are open; next: write mine, theirs or ? into its column `decision` and run the "
        "same command again, or decide all with --take mine, theirs or neither; until all are decided, yours stand",
    ]
    assert two.rows() == MERGED
    asked = two.folder / "film.ben.differences.csv"
    lines = asked.read_text().splitlines()
    assert lines[1:] == [
        f"2,,ann,other,1,manual by ann,0,manual by ben {OLD},", "3,,bob,other,0,accepted by ann,1,manual by ben,",
    ]  # fmt: skip

    asked.write_text("\n".join([lines[0], lines[1] + "theirs", lines[2]]) + "\n")
    assert "1 question is open" in two.told("labels", "merge", "film")
    assert two.rows() == MERGED

    asked.write_text(asked.read_text().replace("manual by ben,\n", "manual by ben,mine\n"))
    assert two.told("labels", "merge", "film").splitlines()[1:] == [
        "data/labels/film.ben.csv: all of it is merged or decided; next:",
        "  git rm data/labels/film.ben.csv && git add data/labels/film.csv && git commit",
        "  dvc repro",
    ]
    assert two.rows() == [MERGED[0], f"2,,ann,0,manual,ben,{OLD}", *MERGED[2:]]
    assert not asked.exists()
    assert len(two.rows("film.ben.csv")) == 4


def test_all_questions_are_decided_at_once(two):
    two.told("labels", "merge", "film", "--take", "neither")

    rows = [re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z$", "NOW", row) for row in two.rows()]
    assert rows == [
        "1,,ann,1,manual,ann,", "2,,ann,?,manual,ann + ben,NOW", "3,,bob,?,manual,ann + ben,NOW", MERGED[3],
    ]  # fmt: skip


def test_a_person_at_a_terminal_is_asked(two):
    shown = two.in_terminal("x\nt\nq\n", "labels", "merge", "film")

    assert "m mine   t ben's   ? cannot be told   s decide later   q stop" in shown
    assert (
        f"1 of 2: ann at 0:02 (2 s)\n  mine: visible (manual by ann)\n  ben's: not visible (manual by ben {OLD})"
        in shown
    )
    assert "2 of 2: bob at 0:03 (3 s)" in shown
    assert "1 question is open" in shown
    assert two.rows() == MERGED

    shown = two.in_terminal("?\n", "labels", "merge", "film")
    assert "1 of 1: bob at 0:03 (3 s)" in shown
    assert "all of it is merged or decided" in shown
    assert two.rows()[1] == f"2,,ann,0,manual,ben,{OLD}"
    assert two.rows()[2].startswith("3,,bob,?,manual,ann + ben,")


def test_a_file_that_cannot_be_read_changes_nothing(two):
    before = two.rows()
    two.write("film.ben.csv", "1,,ann,1,,,", "1,,ann,0,,,")

    assert two.refused("labels", "merge", "film") == (
        "data/labels/film.ben.csv: line 3: 'ann' at 1 s is '0', but '1' in line 2; keep the right one"
    )
    assert two.rows() == before


def test_answers_that_come_after_an_audit_was_drawn_leave_it_sound(two):
    draw(two.folder / "data" / "labels", two.frames, ("ann", "bob"), n=2, seed=0)
    two.write("film.ben.csv", f"5,,ann,1,manual,,{OLD}")

    told = two.told("labels", "merge", "film").splitlines()

    assert told[1:3] == [
        "1 row is dated now: the audit was drawn before they came, and `at` tells which frames had been looked at by then",
        "data/labels/film.csv: answers made by looking have no `at`, so that it can no longer be told which frames had been "
        "looked at when the audit was drawn: it may not count any more (`dvc repro` says so); draw a new round then",
    ]
    assert re.fullmatch(r"5,,ann,1,manual,ben,\d{4}-\d\d-\d\dT[\d:]+Z", two.rows()[-1])
    assert OLD not in two.rows()[-1]


def test_agreement_is_a_table_and_the_frames_that_differ(two):
    told = two.told("labels", "agree", "film", "--csv", "differing.csv").splitlines()

    assert told == [
        "data/labels/film.csv and data/labels/film.ben.csv: frames that both answered",
        "       frames  alike  kappa  95 %  cannot tell",
        "  ann       2   50 %   0.00                  0",
        "  bob       1    0 %   0.00                  0",
        f"         2 s  ann: visible (manual by ann), ben: not visible (manual by ben {OLD})",
        "         3 s  bob: not visible (accepted by ann), ben: visible (manual by ben)",
        "differing.csv: 2 frames that differ",
        "next: python -m screentime labels merge film --annotator ben",
    ]
    assert (two.folder / "differing.csv").read_text().splitlines() == [
        "time_s,character,mine,mine_by,theirs,theirs_by",
        f"2,ann,1,manual by ann,0,manual by ben {OLD}",
        "3,bob,0,accepted by ann,1,manual by ben",
    ]


def test_ranges_are_left_out_and_taken_back(project):
    assert project.told("labels", "skip", "film", "0:15", "end", "--reason", "credits") == (
        "data/labels/film.skip.csv: 0:15\u20130:20 left out (credits); 0:05 of 0:20 in all; next: dvc repro\n"
    )
    project.told("labels", "skip", "film", "2", "4.5", "--reason", "recap, of e01")
    assert project.rows("film.skip.csv") == ['2,4.5,"recap, of e01"', "15,20,credits"]

    assert project.refused("labels", "unskip", "film", "5") == (
        "data/labels/film.skip.csv: no range holds 5 s, a moment in a skipped range was expected; the ranges are 0:02\u20130:05, "
        "0:15\u20130:20"
    )
    assert project.told("labels", "unskip", "film", "0:03") == (
        "data/labels/film.skip.csv: 0:02\u20130:05 (recap, of e01) part of the film again; next: dvc repro\n"
    )
    project.told("labels", "unskip", "film", "16")
    assert not (project.folder / "data" / "labels" / "film.skip.csv").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("0:75", "end"), "0:75: not a time, seconds like 83.5, a clock like 1:23.5 or `end` was expected; correct it"),
        (("1", "1:00"), "1:00: after the end of the film at 20 s, a time in the film was expected; correct it"),
        (("5", "5"), "END: 5 s was found, a time after START 5 s was expected; correct it"),
    ],
)
def test_a_range_that_cannot_be_is_one_sentence(project, words, expected):
    assert project.refused("labels", "skip", "film", *words, "--reason", "credits") == expected


# ---- the cast


def test_a_split_says_absent_of_both_and_nothing_where_it_cannot_know(project):
    project.write(
        "film.csv", "0,10,bob,0,propagated,ann,", f"4,,bob,1,manual,ann,{OLD}", "12,,bob,0,audit,,", "13,,bob,1,audit,,",
        "15,,bob,?,manual,,", "4,,ann,1,,,",
    )  # fmt: skip
    project.commit()

    told = project.told("cast", "split", "bob", "robin", "rob", "--csv", "again.csv").splitlines()

    assert told == [
        "'bob' is 'robin' and 'rob' now in params.yaml and data/labels/film.csv (6 rows): where it was not visible, neither is",
        "data/labels/film.csv: 3 frames to go through for both, 1 of them drawn for an audit: answer these blind again",
        "  0:04\u20130:05, 0:13\u20130:14, 0:15\u20130:16",
        "again.csv: 3 stretches",
        "next: label these frames for both, then dvc repro",
    ]
    assert project.rows() == [
        "0,4,rob,0,propagated,ann,", "0,4,robin,0,propagated,ann,", "4,,ann,1,manual,,", "5,10,rob,0,propagated,ann,",
        "5,10,robin,0,propagated,ann,", "12,,rob,0,audit,,", "12,,robin,0,audit,,",
    ]  # fmt: skip
    assert "cast:\n  - ann  # the first\n  - robin\n  - rob\n" in (project.folder / "params.yaml").read_text()
    assert (project.folder / "again.csv").read_text().splitlines()[1] == "data/labels/film.csv,4,5"


def test_a_character_is_removed_only_where_git_holds_what_was_said(project):
    path = project.write("film.csv", "1,,ann,1,,,", "1,,bob,0,,,")

    changed = f"{path.relative_to(project.folder)}: changed since the last commit, work that can be brought back was expected; commit it first"
    for words in (("remove", "bob"), ("split", "bob", "robin", "rob")):
        assert project.refused("cast", *words) == changed
    project.commit()
    assert project.told("cast", "remove", "bob") == (
        "'bob' is out of params.yaml and data/labels/film.csv (1 rows); Git has it still; next: dvc repro (it trains again)\n"
    )
    assert project.rows() == ["1,,ann,1,manual,,"]
    assert "bob" not in (project.folder / "params.yaml").read_text()
    assert project.refused("cast", "remove", "ann") == (
        "params.yaml: cast: [] was found, a list of character names was expected; name at least one"
    )


def test_groups_follow_a_character_that_is_renamed_split_or_removed(project):
    path = project.folder / "params.yaml"
    groups = "groups:\n    all:\n      - bob\n      - ann\n    alone: [bob]"
    path.write_text(path.read_text().replace("groups: {}", groups), encoding="utf-8")
    project.commit()
    told = []
    for words in (("rename", "ann", "anna"), ("split", "bob", "rob", "robin"), ("remove", "rob")):
        project.told("cast", *words)
        told.append(load(path).report.groups)

    assert told == [
        {"all": ["bob", "anna"], "alone": ["bob"]},
        {"all": ["rob", "robin", "anna"], "alone": ["rob", "robin"]},
        {"all": ["robin", "anna"], "alone": ["robin"]},
    ]
    project.told("cast", "remove", "robin")
    assert load(path).report.groups == {"all": ["anna"]}
    assert "extract:  # python -m screentime extract" in path.read_text()  # what comes after is as it was


def test_new_names_are_checked_before_anything_changes(project):
    before = (project.folder / "params.yaml").read_text()

    assert project.refused("cast", "split", "bob", "bob", "rob") == (
        "params.yaml: cast: 'bob' was found among the new names, two others were expected; rename it later"
    )
    assert project.refused("cast", "split", "bob", "=x", "rob") == (
        "params.yaml: cast: '=x' may not be a name: no comma, line break, space at an end or leading = + - @ is allowed; "
        "rename it"
    )
    assert (
        project.refused("cast", "remove", "bop")
        == "params.yaml: cast: no character 'bop' was found; did you mean 'bob'?"
    )
    assert (project.folder / "params.yaml").read_text() == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("--above", "0.5"),
            "a number above 0.5 and below 1 was expected, the score from which a cell is filled as present",
        ),
        (
            ("--above", "1"),
            "a number above 0.5 and below 1 was expected, the score from which a cell is filled as present",
        ),
        (
            ("--above", "high"),
            "a number above 0.5 and below 1 was expected, the score from which a cell is filled as present",
        ),
        (
            ("--below", "0.5"),
            "a number above 0 and below 0.5 was expected, the score up to which it is filled as absent",
        ),
        (
            ("--below", "nan"),
            "a number above 0 and below 0.5 was expected, the score up to which it is filled as absent",
        ),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_nonsense_thresholds_are_one_sentence_and_change_nothing(project, words, expected):
    before = (project.folder / "params.yaml").read_bytes()

    told = project.refused("labels", "fill", *words)

    assert told == f"{words[0]}: '{words[1]}' was found, {expected}; leave it out to keep the one in params.yaml"
    assert (project.folder / "params.yaml").read_bytes() == before


def test_filling_that_fails_is_one_sentence_and_keeps_the_thresholds_that_were_asked_for(project):
    before = (project.folder / "params.yaml").read_text(encoding="utf-8")

    told = project.refused("labels", "fill", "--above", "0.9", "--below", "0.1")  # no repository: DVC says so

    assert told == (
        "data/filled: the labels could not be filled; what stopped it stands above: repair it, then run this again"
    )
    asked = before.replace("above: 0.98 ", "above: 0.9 ").replace("below: 0.02 ", "below: 0.1 ")
    assert (project.folder / "params.yaml").read_text(encoding="utf-8") == asked != before
