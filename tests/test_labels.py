"""What people wrote is read by the rules of docs/formats.md, and every way to break them has one sentence."""

import unicodedata

import numpy as np
import pytest
from film_tables import CAST, sampled, written
from hypothesis import given, settings
from hypothesis import strategies as st

from screentime.errors import InputError
from screentime.frames import FramePack
from screentime.labels import answers_of, label_file, looked_at, read_labels, read_skips, second_opinions

SHORT = "start_s,end_s,character,present"
LONG = f"{SHORT},source,annotator,at"


def said(tmp_path, *lines, header=LONG, **film):
    path = written(tmp_path / "labels" / "film.csv", header, *lines)
    return answers_of(path, CAST, sampled(tmp_path / "frames", **film))


def told(rows):
    """{(frame, character): present}"""
    return {(row.frame, row.character): row.present for row in rows.itertuples()}


def sentence(tmp_path, *lines, header=LONG):
    with pytest.raises(InputError) as failure:
        said(tmp_path, *lines, header=header)
    place, rest = str(failure.value).split("film.csv: ", 1)
    assert place == f"{tmp_path}/labels/"
    return rest


# ---- reading


def test_a_moment_is_about_one_frame_and_a_stretch_about_every_frame_in_it(tmp_path):
    result = said(tmp_path, "3,,ann,1,,,", "5,8,bob,0,,,")

    assert told(result.others) == {(3, "ann"): "1", (5, "bob"): "0", (6, "bob"): "0", (7, "bob"): "0"}
    assert result.others["source"].tolist() == ["manual", "propagated", "propagated", "propagated"]


def test_only_the_first_four_columns_are_required_in_any_order_of_columns_and_rows(tmp_path):
    result = said(tmp_path, "1,7,bob,", "1,2,ann,", "?,1,bob,", header="present,start_s,character,end_s")

    assert told(result.others) == {(1, "bob"): "?", (2, "ann"): "1", (7, "bob"): "1"}


def test_a_byte_order_mark_windows_line_ends_and_decomposed_accents_are_read(tmp_path):
    path = tmp_path / "film.csv"
    path.write_bytes(f"\ufeff{SHORT}\r\n3,,{unicodedata.normalize('NFD', 'Zoë')},1\r\n".encode())

    rows = read_labels(path, ("Zoë",), 20)

    assert rows["character"].tolist() == ["Zoë"]
    assert rows["line"].tolist() == [2]


def test_no_file_says_nothing(tmp_path):
    result = answers_of(tmp_path / "film.csv", CAST, sampled(tmp_path / "frames"))

    assert (len(result.blind), len(result.others), result.unused) == (0, 0, 0)
    assert looked_at(result).tolist() == []


def test_times_of_saying_have_one_form(tmp_path):
    rows = said(tmp_path, "1,,ann,1,,,2026-11-21T10:00:00+01:00", "2,,ann,1,,,2026-11-21 09:30", "3,,ann,1,,,").others

    assert rows["at"].tolist() == ["2026-11-21T09:00:00Z", "2026-11-21T09:30:00Z", ""]


# ---- moments and frames


def test_a_moment_matches_a_sample_within_a_microsecond(tmp_path):
    result = said(tmp_path, "0.333333,,ann,1,,,", "0.666666,,ann,0,,,", fps=3.0, length_s=2.0)

    assert told(result.others) == {(1, "ann"): "1", (2, "ann"): "0"}


def test_a_moment_between_samples_belongs_to_the_sample_that_shows_the_same_decoded_frame(tmp_path):
    """At 25 frames a second the frame sampled at 3 s stays until 3.04 s; the one at 3.5 s is shown by no sample."""
    result = said(tmp_path, "3.03,,ann,1,,,", "3.5,,ann,0,,,", "4.04,,bob,1,,,")

    assert told(result.others) == {(3, "ann"): "1"}
    assert result.unused == 2


def test_the_ends_of_a_stretch_match_within_a_microsecond(tmp_path):
    result = said(tmp_path, "0.333334,0.999999,ann,1,,,", fps=3.0, length_s=2.0)

    assert told(result.others) == {(1, "ann"): "1", (2, "ann"): "1"}


def test_a_stretch_between_two_samples_is_unused(tmp_path):
    assert said(tmp_path, "3.1,3.9,ann,1,,,").unused == 1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(0, 20).map(lambda x: round(x, 6)), min_size=2, max_size=2, unique=True), st.integers(1, 9))
def test_a_stretch_holds_exactly_the_samples_in_it(tmp_path_factory, ends, fps):
    folder = tmp_path_factory.mktemp("law")
    start_s, end_s = sorted(ends)
    frames = sampled(folder, fps=float(fps))
    path = written(folder / "labels.csv", SHORT, f"{start_s:.6f},{end_s:.6f},ann,1")

    got = answers_of(path, CAST, frames).others["frame"].to_numpy()

    micro = np.rint(frames.times_s * 1e6)
    assert (
        got.tolist() == np.flatnonzero((micro >= round(start_s * 1e6) - 1) & (micro < round(end_s * 1e6) - 1)).tolist()
    )


# ---- one answer per frame and character


def test_a_moment_beats_a_stretch(tmp_path):
    result = said(tmp_path, "3,,ann,?,,,", "0,5,ann,1,,,")

    assert told(result.others)[3, "ann"] == "?"
    assert result.others["source"].tolist() == ["propagated"] * 3 + ["manual", "propagated"]


def test_what_is_said_twice_alike_stands_once_by_its_strongest_source_and_earliest_time(tmp_path):
    result = said(
        tmp_path,
        "3,,ann,1,accepted,,2026-11-21T10:00:00Z",
        "3,,ann,1,manual,,2026-11-21T12:00:00Z",
        "3.01,,ann,1,manual,,2026-11-21T11:00:00Z",
        "3,,ann,1,manual,,",
    )

    assert result.others[["source", "at", "line"]].values.tolist() == [["manual", "2026-11-21T11:00:00Z", 4]]


def test_blind_answers_are_a_layer_of_their_own(tmp_path):
    result = said(tmp_path, "3,,ann,1,audit,,", "3,,ann,0,manual,,", "0,5,ann,0,,,")

    assert told(result.blind) == {(3, "ann"): "1"}
    assert told(result.others)[3, "ann"] == "0"


def test_frames_labelled_by_looking_are_those_of_manual_and_audit_answers(tmp_path):
    result = said(
        tmp_path, "9,,ann,?,manual,,", "3,,ann,1,audit,,", "3,,bob,1,manual,,", "5,,ann,1,accepted,,", "6,8,ann,1,,,",
        "12,,ann,1,imported,,", "14,16,bob,0,manual,,",
    )  # fmt: skip

    assert looked_at(result).tolist() == [3, 9, 14, 15]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("3,,ann,1,,,", "3,,ann,0,,,"), "line 3: 'ann' at 3 s is '0', but '1' in line 2; keep the right one"),
        (("3,,ann,1,,,", "3.02,,ann,?,,,"), "line 3: 'ann' at 3 s is '?', but '1' in line 2; keep the right one"),
        (("0,5,ann,1,,,", "4,6,ann,0,,,"), "line 3: 'ann' at 4 s is '0', but '1' in line 2; keep the right one"),
        (
            ("3,,ann,1,audit,,", "3,,ann,0,audit,,"),
            "line 3: 'ann' at 3 s is '0', but '1' in line 2; keep the right one",
        ),
        (
            ("9,,bob,1,,,", "3,,ann,1,,,", "3,,ann,0,,,", "9,,bob,0,,,"),
            "line 4: 'ann' at 3 s is '0', but '1' in line 3; keep the right one",
        ),
    ],
)
def test_two_answers_are_an_error_that_names_both_lines(tmp_path, lines, expected):
    assert sentence(tmp_path, *lines) == expected


def test_stretches_that_differ_where_no_frame_is_sampled_do_not_contradict_each_other(tmp_path):
    result = said(tmp_path, "0,4.5,ann,1,,,", "4.2,6,ann,0,,,")

    assert told(result.others) == {(0, "ann"): "1", (1, "ann"): "1", (2, "ann"): "1", (3, "ann"): "1", (4, "ann"): "1",
                                   (5, "ann"): "0"}  # fmt: skip


# ---- one sentence for each way to break a file


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "3,,anm,1,,,",
            "line 2: character 'anm' is not in the cast ['ann', 'bob']; did you mean 'ann'? Add it there or correct "
            "the file",
        ),
        (
            "3,,Zebra,1,,,",
            "line 2: character 'Zebra' is not in the cast ['ann', 'bob']; add it there or correct the file",
        ),
        ("-3,,ann,1,,,", "line 2: start_s is -3, a time from 0 on was expected; correct it"),
        ("5,3,ann,1,,,", "line 2: end_s is 3, a time after start_s 5 was expected; correct it"),
        ("5,5,ann,1,,,", "line 2: end_s is 5, a time after start_s 5 was expected; correct it"),
        ("21,,ann,1,,,", "line 2: start_s is 21, after the end of the film at 20 s; correct it"),
        ("5,21,ann,1,,,", "line 2: end_s is 21, after the end of the film at 20 s; correct it"),
        (
            "3,,ann,1,,,yesterday",
            "line 2: at is 'yesterday', a time in UTC like 2026-11-21T10:00:00Z was expected; correct it or leave it "
            "empty",
        ),
        ("3,,ann,yes,,,", "line 2: present is 'yes', expected is one of 1, 0, ?"),
        (
            "3,,ann,1,guessed,,",
            "line 2: source is 'guessed', expected is one of manual, audit, propagated, accepted, imported",
        ),
        ("three,,ann,1,,,", "line 2: start_s is 'three', a number with a point was expected; correct it"),
        ("3,,ann,1", "line 2: 4 cells were found, 7 expected; correct it"),
    ],
)
def test_a_bad_row_is_one_sentence(tmp_path, line, expected):
    assert sentence(tmp_path, line) == expected


def test_a_bad_header_is_one_sentence(tmp_path):
    assert sentence(tmp_path, header="start,end_s,character,present") == (
        "line 1: unknown column 'start'; did you mean 'start_s'?"
    )


def test_the_end_of_the_film_itself_is_not_after_it(tmp_path):
    assert said(tmp_path, "18,20,ann,1,,,", "20,,bob,1,,,").unused == 1


# ---- skipped ranges


def test_skipped_ranges_are_read_and_checked(tmp_path):
    path = written(tmp_path / "film.skip.csv", "start_s,end_s,reason", "15,20,credits", "12,11,advert")

    with pytest.raises(InputError) as failure:
        read_skips(path, 20)

    assert str(failure.value) == f"{path}: line 3: end_s is 11, a time after start_s 12 was expected; correct it"
    written(path, "start_s,end_s,reason", "15,20,credits")
    assert read_skips(path, 20)[["start_s", "end_s", "reason"]].values.tolist() == [[15, 20, "credits"]]
    assert len(read_skips(tmp_path / "other.skip.csv", 20)) == 0


# ---- which file belongs to which film


def test_every_label_file_belongs_to_a_film_and_second_opinions_are_told_apart(tmp_path):
    for name in ("e01.csv", "e01.skip.csv", "e01.audit.csv", "e01.anna.csv", "e02.csv", ".~lock.csv", "notes.txt"):
        (tmp_path / name).touch()

    assert [path.name for path in second_opinions(tmp_path, ["e01", "e02"])] == ["e01.anna.csv"]
    assert second_opinions(tmp_path / "absent", ["e01"]) == []


def test_a_video_id_with_a_dot_is_not_taken_for_a_second_person(tmp_path):
    for name in ("show.csv", "show.s01.csv", "show.s01.skip.csv", "show.s01.anna.csv"):
        (tmp_path / name).touch()

    assert [path.name for path in second_opinions(tmp_path, ["show", "show.s01"])] == ["show.s01.anna.csv"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "e10.csv",
            "no film in params.yaml has the video_id 'e10'; did you mean 'e01'? Rename the file or add the film to "
            "videos",
        ),
        (
            "E01.csv",
            "no film in params.yaml has the video_id 'E01'; did you mean 'e01'? Rename the file or add the film to "
            "videos",
        ),
        (
            "zebra.audit.csv",
            "no film in params.yaml has the video_id 'zebra'; rename the file or add the film to videos",
        ),
    ],
)
def test_a_label_file_for_no_film_is_one_sentence(tmp_path, name, expected):
    (tmp_path / name).touch()

    with pytest.raises(InputError) as failure:
        second_opinions(tmp_path, ["e01"])

    assert str(failure.value) == f"{tmp_path / name}: {expected}"


def test_a_file_is_found_whichever_way_the_disk_spells_its_accents(tmp_path):
    decomposed = tmp_path / unicodedata.normalize("NFD", "Zoë.csv")
    decomposed.touch()

    assert label_file(tmp_path, "Zoë.csv").samefile(decomposed)
    assert label_file(tmp_path, "e01.csv") == tmp_path / "e01.csv"
    assert second_opinions(tmp_path, ["Zoë"]) == []


def test_a_film_of_many_frames_and_labels_is_projected_whole(tmp_path):
    frames: FramePack = sampled(tmp_path, length_s=2000.0)
    lines = [f"{second},,{name},{second % 2}" for second in range(2000) for name in CAST]

    result = answers_of(written(tmp_path / "labels.csv", SHORT, *lines), CAST, frames)

    assert len(result.others) == 4000
    assert (result.others["present"] == (result.others["frame"] % 2).astype(str)).all()
