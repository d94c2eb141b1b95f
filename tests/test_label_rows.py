"""Rows are cut where something else stands, and say to the letter the same of everything else."""

from pathlib import Path

import numpy as np
import pytest
from film_tables import CAST, sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from screentime.errors import InputError
from screentime.label_rows import Cell, Row, bounds_s, frames_of, limited, rows_of, runs, standing, table_of, without
from screentime.labels import answers, read_labels
from screentime.table_files import write_table
from screentime.tables import LABELS


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return sampled(tmp_path_factory.mktemp("frames"), length_s=12.0)


def stretch(start_s, end_s, character="ann", present="1", source="propagated"):
    return Row(start_s, end_s, character, present, source)


def moment(time_s, character="ann", present="1", source="manual"):
    return Row(time_s, None, character, present, source)


def test_a_stretch_keeps_its_own_ends_and_is_cut_where_frames_begin(frames):
    row = stretch(1.5, 8.25)

    assert frames_of(row, frames) == [2, 3, 4, 5, 6, 7, 8]
    assert limited(row, [2, 3, 4, 7, 8, 11], frames) == [row._replace(end_s=5.0), row._replace(start_s=7.0)]
    assert limited(row, range(12), frames) == [row]
    assert limited(row, [], frames) == []


def test_without_some_cells_other_characters_layers_and_unseen_rows_stay(frames):
    rows = [stretch(0.0, 5.0), stretch(0.0, 5.0, "bob"), moment(2.0, source="audit"), moment(2.0), moment(3.5)]

    left = without(rows, {Cell(False, 2, "ann")}, frames)

    assert left == [
        stretch(0.0, 2.0), stretch(3.0, 5.0), stretch(0.0, 5.0, "bob"), moment(2.0, source="audit"), moment(3.5),
    ]  # fmt: skip


def test_the_last_frame_lasts_until_the_end(frames):
    assert bounds_s(10, 11, frames) == (10.0, 12.0)
    assert runs([]) == []


ROWS = st.lists(
    st.builds(
        lambda start, length, character, present, source: Row(
            float(start), float(start + length) if length else None, character, present, source if not length else "propagated"
        ),
        st.integers(0, 11), st.integers(0, 6), st.sampled_from(CAST), st.sampled_from("10?"),
        st.sampled_from(["manual", "audit", "accepted", "imported"]),
    ).filter(lambda row: row.end_s is None or row.end_s <= 12),
    max_size=12,
)  # fmt: skip


def free_of_contradictions(rows, frames) -> list[Row]:
    """As many of the rows as one file may hold."""
    kept = []
    for row in dict.fromkeys(rows):
        table = table_of([*kept, row])
        try:
            answers(Path("film.csv"), table.assign(line=range(len(table))), frames)
        except InputError:
            continue
        kept.append(row)
    return kept


@settings(max_examples=40)
@given(rows=ROWS)
def test_what_stands_is_what_the_pipeline_reads(tmp_path_factory, frames, rows):
    path = tmp_path_factory.mktemp("law") / "film.csv"
    rows = free_of_contradictions(rows, frames)
    write_table(path, table_of(rows), LABELS)
    said = answers(path, read_labels(path, CAST, 12.0), frames)

    expected = {
        Cell(blind, row.frame, row.character): (row.present, row.source)
        for blind, layer in ((True, said.blind), (False, said.others))
        for row in layer.itertuples()
    }
    found = {cell: (row.present, row.source) for cell, row in standing(rows, frames).items()}
    assert found == expected
    assert sorted(rows_of(read_labels(path, CAST, 12.0)), key=repr) == sorted(rows, key=repr)


@given(rows=ROWS, cells=st.sets(st.builds(Cell, st.booleans(), st.integers(0, 11), st.sampled_from(CAST)), max_size=8))
def test_cutting_takes_these_cells_and_no_others(frames, rows, cells):
    def spoken(some):
        return {(row.blind, frame, row.character, row.present) for row in some for frame in frames_of(row, frames)}

    left = without(rows, cells, frames)

    assert spoken(left) == {one for one in spoken(rows) if Cell(*one[:3]) not in cells}
    assert np.all([row.end_s is None or row.start_s < row.end_s for row in left])
