"""Every table has a contract: what is written reads back, and each way to break it has one sentence."""

import pandas
import pytest

from screentime.errors import InputError
from screentime.table_files import read_table, write_table
from screentime.tables import FRAMES, LABELS, SCORES, TARGETS


def test_a_written_table_reads_back_sorted_by_its_key(tmp_path):
    table = pandas.DataFrame({"time_s": [1.0, 0.0], "Zoë": [0.25, 1 / 3]})

    write_table(tmp_path / "s.csv", table, SCORES, ["Zoë"])

    assert (tmp_path / "s.csv").read_bytes() == "time_s,Zoë\n0,0.333333\n1,0.25\n".encode()
    back = read_table(tmp_path / "s.csv", SCORES, ["Zoë"])
    assert back["Zoë"].tolist() == [0.333333, 0.25]
    assert back["line"].tolist() == [2, 3]


def test_unknown_is_an_empty_cell_both_ways(tmp_path):
    path = tmp_path / "t.csv"
    table = pandas.DataFrame(
        {"time_s": [2.0, 1.0], "character": ["", "cat"], "present": ["", "?"], "source": ["drawn", "manual"], "at": ""}
    )

    write_table(path, table, TARGETS)

    assert path.read_text() == "time_s,character,present,source,at\n1,cat,?,manual,\n2,,,drawn,\n"
    assert read_table(path, TARGETS)["character"].tolist() == ["cat", ""]


def test_a_file_from_a_spreadsheet_reads_like_any_other(tmp_path):
    path = tmp_path / "l.csv"
    path.write_bytes(b"\xef\xbb\xbfcharacter,start_s,end_s,present\r\ncat,1.5,,1\r\n\r\n")

    table = read_table(path, LABELS)

    assert table[["start_s", "character", "present", "source", "line"]].values.tolist() == [[1.5, "cat", "1", "", 2]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty, a header line was expected; add it or remove the file"),
        ("time_s,duraton_s\n", "line 1: unknown column 'duraton_s'; did you mean 'duration_s'?"),
        ("time_s,time_s\n", "line 1: column 'time_s' stands there twice, once was expected; remove one"),
        (
            "time_s,duration_s,frame_time_s\n",
            "line 1: the header lacks frame_end_s, offset, size; expected is "
            "time_s,duration_s,frame_time_s,frame_end_s,offset,size",
        ),
        (
            "time_s,duration_s,frame_time_s,frame_end_s,offset,size\n0,1,0,1,0\n",
            "line 2: 5 cells were found, 6 expected; correct it",
        ),
        (
            "time_s,duration_s,frame_time_s,frame_end_s,offset,size\n\n0,1,0,0:01,0,9\n",
            "line 3: frame_end_s is '0:01', a number with a point was expected; correct it",
        ),
        (
            "time_s,duration_s,frame_time_s,frame_end_s,offset,size\n0,1,0,1,0,9.5\n",
            "line 2: size is '9.5', a whole number was expected; correct it",
        ),
        (
            "time_s,duration_s,frame_time_s,frame_end_s,offset,size\nnan,1,0,1,0,9\n",
            "line 2: time_s is 'nan', a number with a point was expected; correct it",
        ),
        (
            "time_s,duration_s,frame_time_s,frame_end_s,offset,size\n,1,0,1,0,9\n",
            "line 2: time_s is empty; expected is time of the sampled frame, seconds from the first frame",
        ),
    ],
)
def test_each_way_to_break_a_table_has_one_sentence(tmp_path, text, sentence):
    path = tmp_path / "f.csv"
    path.write_text(text)

    with pytest.raises(InputError) as failure:
        read_table(path, FRAMES)

    assert str(failure.value) == f"{path}: {sentence}"


def test_text_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "l.csv"
    path.write_bytes(b"start_s,end_s,character,present\n1,,Zo\xeb,1\n")

    with pytest.raises(InputError) as failure:
        read_table(path, LABELS)

    sentence = "byte 37 is not UTF-8 text; save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')"
    assert str(failure.value) == f"{path}: {sentence}"


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(InputError) as failure:
        read_table(tmp_path / "none.csv", FRAMES)

    sentence = "no such file was found, a table was expected; run the stage that writes it"
    assert str(failure.value) == f"{tmp_path / 'none.csv'}: {sentence}"
