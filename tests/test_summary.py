"""The table in the terminal says who, how long and how sure."""

import pandas
import pytest

from screentime.errors import InputError
from screentime.summary import summary
from screentime.table_files import write_table
from screentime.tables import SCREEN_TIME

ROWS = [
    ("e01", "Zoë", 83.4, 71.25, 96.0, 0.4, 80.0, "audit", 40, 80),
    ("e01", "кот", 5.0, None, None, 0.024, 4.0, "count", 40, 0),
]


def write(folder, rows):
    columns = [column.name for column in SCREEN_TIME.columns]
    write_table(folder / "screen_time.csv", pandas.DataFrame(rows, columns=columns), SCREEN_TIME)


def test_the_table_is_aligned_and_names_the_page(tmp_path):
    write(tmp_path, ROWS)

    assert summary(tmp_path).splitlines() == [
        "e01",
        "  character  on screen  seconds  95 % interval  share  basis",
        "  Zoë             1:23       83       71 to 96   40 %  audit",
        "  кот             0:05        5    not audited  2.4 %  count",
        "",
        f"the report: {(tmp_path / 'index.html').as_uri()}",
    ]


def test_totals_are_shown_where_there_are_several_films(tmp_path):
    write(tmp_path, [*ROWS, ("e02", *ROWS[0][1:]), ("*", *ROWS[0][1:])])

    assert [line for line in summary(tmp_path).splitlines() if line and line[0] not in " t"] == [
        "e01",
        "e02",
        "all films",
    ]


def test_without_a_report_the_next_command_is_named(tmp_path):
    with pytest.raises(InputError) as failure:
        summary(tmp_path)

    assert str(failure.value) == f"{tmp_path / 'screen_time.csv'}: no report was found; run `dvc repro`"
