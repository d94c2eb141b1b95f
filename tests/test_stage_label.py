"""The stage label: what training may see and what only measuring may see never mix."""

import json

import pytest
from film_tables import CAST, SHA256, params, sampled, written

from screentime.errors import InputError
from screentime.sections import Video
from screentime.table_files import read_table
from screentime.tables import AUDIT, SKIPPED, TARGETS
from stages.label import label

LABELS = "start_s,end_s,character,present,source,annotator,at"
DRAW = "round,time_s,probability,stratum,design,seed,n_population,fps,video_sha256"


@pytest.fixture
def run(tmp_path):
    """Runs the stage on the label files of a folder; films of 20 s at 1 frame per second."""
    names = ("labels", "frames", "targets", "audit", "skipped")

    def one(*videos):
        used = params(*videos)
        for video in used.videos:
            sampled(tmp_path / "frames", video.video_id)
        label(**{name: tmp_path / name for name in names}, metrics=tmp_path / "label.json", params=used)

    return one


def labels(tmp_path, *lines, video_id="film"):
    written(tmp_path / "labels" / f"{video_id}.csv", LABELS, *lines)


def drawn(tmp_path, *times, video_id="film"):
    rows = (f"1,{time_s},{len(times) / 20:g},,systematic,1,20,1,{SHA256}" for time_s in times)
    written(tmp_path / "labels" / f"{video_id}.audit.csv", DRAW, *rows)


def rows(tmp_path, name, table, columns, video_id="film"):
    read = read_table(tmp_path / name / f"{video_id}.csv", table)
    return [tuple(row) for row in read[columns].itertuples(index=False)]


def counts(tmp_path, video_id="film"):
    return json.loads((tmp_path / "label.json").read_text())["videos"][video_id]


def text(tmp_path, name, video_id="film"):
    return (tmp_path / name / f"{video_id}.csv").read_text()


def test_labels_become_targets_at_the_samples_own_times(tmp_path, run):
    labels(tmp_path, "3.02,,ann,1,manual,me,2026-11-21T10:00:00Z", "5,7,bob,0,,,", "9,,bob,?,,,")
    run()

    assert text(tmp_path, "targets").splitlines() == [
        "time_s,character,present,source,at",
        "3,ann,1,manual,2026-11-21T10:00:00Z",
        "5,bob,0,propagated,",
        "6,bob,0,propagated,",
        "9,bob,?,manual,",
    ]
    assert not (tmp_path / "audit" / "film.csv").exists()
    assert text(tmp_path, "skipped").splitlines() == ["start_s,end_s,reason"]


def test_a_drawn_frame_is_only_reserved_in_targets_whoever_labelled_it(tmp_path, run):
    drawn(tmp_path, 3, 13)
    labels(tmp_path, "3,,ann,1,audit,,", "3,,bob,0,manual,,", "0,5,ann,1,,,", "13,,bob,1,accepted,,")
    run()

    assert rows(tmp_path, "targets", TARGETS, ["time_s", "character", "present", "source"]) == [
        (0, "ann", "1", "propagated"),
        (1, "ann", "1", "propagated"),
        (2, "ann", "1", "propagated"),
        (3, "", "", "drawn"),
        (4, "ann", "1", "propagated"),
        (13, "", "", "drawn"),
    ]
    assert rows(tmp_path, "audit", AUDIT, ["time_s", "character", "present", "source", "round"]) == [
        (3, "ann", "1", "audit", 1),
        (3, "bob", "", "audit", 1),
        (13, "ann", "", "audit", 1),
        (13, "bob", "", "audit", 1),
    ]
    assert counts(tmp_path)["left_out_on_drawn_frames"] == 3
    assert counts(tmp_path)["audit"]["rounds"] == {"1": {"drawn": 2, "answered": 0, "left": 2}}


def test_a_new_audit_answer_leaves_the_targets_byte_for_byte(tmp_path, run):
    drawn(tmp_path, 3, 13)
    labels(tmp_path, "5,,ann,1,,,")
    run()
    before = text(tmp_path, "targets")
    labels(tmp_path, "5,,ann,1,,,", "3,,ann,1,audit,,", "3,,bob,0,audit,,")
    run()

    assert text(tmp_path, "targets") == before
    assert counts(tmp_path)["audit"]["rounds"] == {"1": {"drawn": 2, "answered": 1, "left": 1}}


def test_the_audit_carries_its_design(tmp_path, run):
    drawn(tmp_path, 3, 13)
    run()

    assert text(tmp_path, "audit").splitlines()[:2] == [
        "time_s,character,present,source,at,round,probability,stratum,design,n_population",
        "3,ann,,audit,,1,0.1,,systematic,20",
    ]


def test_an_audit_answer_on_a_frame_that_was_never_drawn_counts_as_manual(tmp_path, run):
    drawn(tmp_path, 3, 13)
    labels(tmp_path, "4,,ann,1,audit,,", "4,,bob,0,audit,,", "4,,bob,1,manual,,")
    run()

    assert rows(tmp_path, "targets", TARGETS, ["time_s", "character", "present", "source"]) == [
        (3, "", "", "drawn"),
        (4, "ann", "1", "manual"),
        (4, "bob", "0", "manual"),
        (13, "", "", "drawn"),
    ]
    assert counts(tmp_path)["label_noise"] == {"compared": 1, "differing": 1}


def test_where_blind_and_other_answers_differ_is_counted_as_label_noise(tmp_path, run):
    drawn(tmp_path, 3, 13)
    labels(tmp_path, "3,,ann,1,audit,,", "13,,ann,1,audit,,", "3,,ann,1,manual,,", "10,15,ann,0,,,")
    run()

    assert counts(tmp_path)["label_noise"] == {"compared": 2, "differing": 1}


def test_every_label_of_a_test_film_only_measures(tmp_path, run):
    drawn(tmp_path, 3, 13)
    labels(tmp_path, "3,,ann,1,audit,,", "4,,ann,1,manual,,", "5,7,bob,0,,,", "13,,bob,1,accepted,,")
    run(Video(file="film.mp4", split="test"))

    assert not (tmp_path / "targets" / "film.csv").exists()
    assert text(tmp_path, "audit").splitlines()[1:] == [
        "3,ann,1,audit,,1,0.1,,systematic,20",
        "3,bob,,audit,,1,0.1,,systematic,20",
        "4,ann,1,manual,,,,,,",
        "5,bob,0,propagated,,,,,,",
        "6,bob,0,propagated,,,,,,",
        "13,ann,,audit,,1,0.1,,systematic,20",
        "13,bob,1,accepted,,,,,,",
        "13,bob,,audit,,1,0.1,,systematic,20",
    ]


def test_skipped_ranges_are_passed_on_and_drawn_frames_in_them_need_no_answer(tmp_path, run):
    drawn(tmp_path, 3, 13)
    written(tmp_path / "labels" / "film.skip.csv", "start_s,end_s,reason", "10.5,20,credits")
    labels(tmp_path, "3,,ann,1,audit,,", "3,,bob,?,audit,,")
    run()

    assert rows(tmp_path, "skipped", SKIPPED, ["start_s", "end_s", "reason"]) == [(10.5, 20, "credits")]
    assert counts(tmp_path)["skipped_s"] == 9.5
    assert counts(tmp_path)["audit"]["rounds"] == {"1": {"drawn": 2, "answered": 1, "left": 0}}


def test_the_counts_hold_every_answer_and_what_was_not_used(tmp_path, run, capsys):
    labels(tmp_path, "3,,ann,1,,,", "4,,ann,0,accepted,,", "5,,ann,?,,,", "5,7,ann,1,,,", "3.5,,bob,1,,,")
    run()

    assert counts(tmp_path)["labels"] == {
        "ann": {
            "present": 2,
            "absent": 1,
            "cannot_tell": 1,
            "sources": {"accepted": 1, "manual": 2, "propagated": 1},
        },
        "bob": {"present": 0, "absent": 0, "cannot_tell": 0, "sources": {}},
    }
    assert counts(tmp_path)["unused"] == 1
    assert capsys.readouterr().out == "film: 4 answers; 1 rows unused: no sampled frame shows that moment\n"


def test_a_second_persons_file_is_not_read_and_a_skipped_films_file_is_left_alone(tmp_path, run, capsys):
    labels(tmp_path, "3,,ann,1,,,", video_id="film.anna")
    labels(tmp_path, "nonsense", video_id="gone")
    run(Video(file="film.mp4"), Video(file="gone.mp4", skip="broken"))

    assert not list((tmp_path / "targets").iterdir())
    assert capsys.readouterr().out.splitlines() == [
        "film: no labels",
        f"{tmp_path}/labels/film.anna.csv: a second person's file, read only where files are merged and compared",
    ]


def test_a_bad_label_leaves_the_outputs_before_it_as_they_were(tmp_path, run):
    labels(tmp_path, "3,,ann,1,,,")
    run()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "labels" not in path.parts}
    labels(tmp_path, "3,,anm,1,,,")

    with pytest.raises(InputError):
        run()

    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "labels" not in path.parts}
    assert after == before
    assert not list(tmp_path.glob(".*"))


def test_equal_labels_in_another_order_give_equal_bytes(tmp_path, run):
    lines = ["3,,ann,1,,,", "4,,bob,0,,,", "5,9,ann,0,,,", "3,,bob,1,,,"]
    labels(tmp_path, *lines)
    run()
    before = (text(tmp_path, "targets"), (tmp_path / "label.json").read_bytes())
    labels(tmp_path, *reversed(lines))
    run()

    assert (text(tmp_path, "targets"), (tmp_path / "label.json").read_bytes()) == before


def test_the_cast_decides_which_cells_an_audit_has(tmp_path, run):
    drawn(tmp_path, 3, 13)
    run()

    assert len(rows(tmp_path, "audit", AUDIT, ["time_s"])) == 2 * len(CAST)
