"""Files are whole or absent, and their bytes are a function of what they say."""

import numpy as np
import pytest

from screentime.files import new_file, new_folder, number, write_json


def test_a_failed_write_leaves_the_previous_file_and_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("before")

    with pytest.raises(RuntimeError), new_file(target) as partial:
        partial.write_text("half")
        raise RuntimeError

    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert target.read_text() == "before"


def test_a_failed_folder_leaves_the_previous_folder_and_nothing_else(tmp_path):
    target = tmp_path / "arrays"
    with new_folder(target) as folder:
        (folder / "a").write_text("before")

    with pytest.raises(KeyboardInterrupt), new_folder(target) as folder:
        (folder / "b").write_text("half")
        raise KeyboardInterrupt

    assert [path.name for path in tmp_path.iterdir()] == ["arrays"]
    assert [path.name for path in target.iterdir()] == ["a"]


def test_a_new_folder_replaces_the_previous_one_whole(tmp_path):
    target = tmp_path / "arrays"
    for name in ("old", "new"):
        with new_folder(target) as folder:
            (folder / name).write_text("")

    assert [path.name for path in target.iterdir()] == ["new"]


def test_json_is_sorted_rounded_and_has_no_nan(tmp_path):
    write_json(tmp_path / "m.json", {"b": np.float32(1 / 3), "a": [float("nan"), np.int64(2), -0.0], "c": "Zoë"})

    expected = '{\n "a": [\n  null,\n  2,\n  0.0\n ],\n "b": 0.333333,\n "c": "Zoë"\n}\n'
    assert (tmp_path / "m.json").read_text(encoding="utf-8") == expected


@pytest.mark.parametrize(
    ("value", "text"), [(1e-7, "0"), (1234567.25, "1234567.25"), (-0.4999999, "-0.5"), (3, "3"), (1e6, "1000000")]
)
def test_numbers_have_a_point_no_exponent_and_no_trailing_zeros(value, text):
    assert number(value) == text
