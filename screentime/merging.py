"""Two label files of one film become one, cell by cell: what differs is a question to a person, never last-writer-wins.

Both layers merge, each with itself: blind answers (source audit) only with blind answers. The files are compared by what
they say of the sampled frames; rows are taken over as they are, stretches cut only where something else stands.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from screentime.errors import InputError, did_you_mean
from screentime.frames import FramePack
from screentime.label_rows import Cell, Row, bounds_s, frames_of, limited, rows_of, standing, without
from screentime.labels import LOOKED, STRENGTH, answers, read_labels, second_opinions
from screentime.table_files import Column, Table, read_table, write_table
from screentime.tables import ANSWERS

MINE, THEIRS, CANNOT_TELL = "mine", "theirs", "?"
DECISIONS = (MINE, THEIRS, CANNOT_TELL)

DIFFERENCES = Table(
    "<video_id>.<annotator>.differences.csv",
    "what two label files say differently of one film, for a person to decide; written by `python -m screentime labels "
    "merge` in the top folder, removed by it when all is decided",
    (
        Column("start_s", "number", "time of the sampled frame, or of the first of neighbouring ones, seconds"),
        Column("end_s", "number", "end of the stretch that they stand for, seconds, excluded; empty: one frame", False),
        Column("character", "word", "a member of the cast"),
        Column("layer", "word", "audit for blind answers on drawn frames, other for all others", choices=("audit", "other")),
        Column("mine", "word", "what <video_id>.csv says", choices=ANSWERS),
        Column("mine_by", "word", "how it was made, by whom and when", False),
        Column("theirs", "word", "what the second person's file says", choices=ANSWERS),
        Column("theirs_by", "word", "how it was made, by whom and when", False),
        Column("decision", "word", "which one is right, or ? for what cannot be told; empty: not decided yet", False, choices=DECISIONS),
    ),
    ("start_s", "end_s", "character", "layer"),
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """Neighbouring frames of which two people say different things about one character.

    Attributes:
        cells: the frames, one or more neighbours of one layer and character.
        start_s, end_s: the stretch they stand for, `[start_s, end_s)`, seconds; end_s None for a single frame.
        mine, theirs: the rows whose answers stand in the two files, of the first frame.
        their_rows: for each cell the row that stands in the second file; they all say the same.
    """

    cells: tuple[Cell, ...]
    start_s: float
    end_s: float | None
    mine: Row
    theirs: Row
    their_rows: tuple[Row, ...]

    @property
    def key(self) -> tuple[float, float | None, str, str, str, str]:
        """What a decision is about: with another answer in one of the files it is another question."""
        layer = "audit" if self.mine.blind else "other"
        return self.start_s, self.end_s, self.mine.character, layer, self.mine.present, self.theirs.present


@dataclass(frozen=True)
class Comparison:
    """What two label files say of one film.

    Attributes:
        new: cells that only the second file speaks of, and those where it says the same by looking and mine was painted or
            accepted: the row that is taken over.
        alike: how many cells both say the same of.
        differences: the questions, in order of time.
        outside: rows of the second file that speak of no sampled frame and that the first lacks.
        clashing: rows of the second file that speak of no sampled frame and contradict one of the first.
    """

    new: Mapping[Cell, Row]
    alike: int
    differences: tuple[Difference, ...]
    outside: tuple[Row, ...]
    clashing: tuple[Row, ...]


def annotator_file(labels: Path, video_id: str, video_ids: Sequence[str], annotator: str | None) -> tuple[Path, str]:
    """A second person's label file of a film, and who that is.

    Args:
        labels: the folder data/labels.
        video_id: the film.
        video_ids: all films.
        annotator: the name in the file's name; None: the only one there is.

    Raises:
        InputError: there is none, or several and none was named.
    """
    found = {}
    for path in second_opinions(labels, video_ids):
        stem = unicodedata.normalize("NFC", path.stem)
        owner = max((one for one in video_ids if stem.startswith(f"{one}.")), key=len)
        name = stem.removeprefix(f"{owner}.")
        if owner == video_id and not name.endswith((".audit", ".skip")):
            found[name] = path
    if annotator is None and len(found) == 1:
        annotator = next(iter(found))
    if annotator is not None and (annotator := unicodedata.normalize("NFC", annotator)) in found:
        return found[annotator], annotator
    if not found:
        raise InputError(
            f"{labels}: no {video_id}.NAME.csv was found, a second person's label file was expected; put it there under "
            "that name"
        )
    names = ", ".join(found)
    if annotator is None:
        raise InputError(
            f"{labels}: {len(found)} people labelled {video_id} beside you ({names}), one was expected; name one with "
            "--annotator"
        )
    raise InputError(f"{labels}: no {video_id}.{annotator}.csv was found; {did_you_mean(annotator, found)}")


def read_rows(path: Path, cast: Sequence[str], frames: FramePack, annotator: str = "") -> list[Row]:
    """The rows of a label file, free of contradictions; who is not named in a row is the one given.

    Raises:
        InputError: a row that is wrong, or two that contradict each other; the sentence names the lines.
    """
    if not path.is_file():
        return []
    table = read_labels(path, cast, frames.facts["length_s"])
    answers(path, table, frames)
    return [row._replace(annotator=row.annotator or annotator) for row in rows_of(table)]


def compared(mine: Sequence[Row], theirs: Sequence[Row], frames: FramePack) -> Comparison:
    """Hold two label files against each other, cell by cell.

    Args:
        mine, theirs: the rows of the two files, each free of contradictions.
        frames: the sampled frames of the film.
    """
    here, there = standing(mine, frames), standing(theirs, frames)
    new, open_cells, alike = {}, [], 0
    for cell, row in there.items():
        if cell not in here:
            new[cell] = row
        elif here[cell].present != row.present:
            open_cells.append(cell)
        else:
            alike += 1
            if _stronger(row, here[cell]):
                new[cell] = row
    unseen = [row for row in theirs if not frames_of(row, frames)]
    said = {(row.start_s, row.end_s, row.character, row.blind): row.present for row in mine}
    told = [said.get((row.start_s, row.end_s, row.character, row.blind)) for row in unseen]
    return Comparison(
        new=new,
        alike=alike,
        differences=tuple(_grouped(open_cells, here, there, frames)),
        outside=tuple(row for row, present in zip(unseen, told, strict=True) if present is None),
        clashing=tuple(row for row, present in zip(unseen, told, strict=True) if present not in (None, row.present)),
    )


def merged(
    mine: Sequence[Row],
    comparison: Comparison,
    decided: Mapping[Difference, str],
    frames: FramePack,
    at: str,
) -> tuple[list[Row], list[Row]]:
    """The two files as one: mine, what is new in theirs, and what was decided; where nothing was, mine stand.

    Args:
        mine: the rows of the first file.
        comparison: of the two.
        decided: MINE, THEIRS or CANNOT_TELL for each difference that is decided.
        frames: the sampled frames of the film.
        at: now, UTC, YYYY-MM-DDTHH:MM:SSZ: when what cannot be told was said so.

    Returns:
        What stays of mine, and what is added; together they contradict each other nowhere.
    """
    taken = dict(comparison.new)
    cut, unsure = set(), []
    for difference, decision in decided.items():
        if decision == THEIRS:
            cut.update(difference.cells)
            taken |= zip(difference.cells, difference.their_rows, strict=True)
        elif decision == CANNOT_TELL:
            cut.update(difference.cells)
            unsure += [_unsure(cell, difference, frames, at) for cell in difference.cells]
    kept = without(mine, cut, frames)
    painted = {
        Cell(row.blind, frame, row.character)
        for row in kept
        if row.end_s is not None
        for frame in frames_of(row, frames)
    }
    moments = {cell for cell, row in taken.items() if row.end_s is None} - painted
    added = [*unsure, *comparison.outside]
    by_row: dict[Row, set[Cell]] = {}
    for cell, row in taken.items():
        by_row.setdefault(row, set()).add(cell)
    for row, cells in by_row.items():
        # a stretch stays whole where a moment from the same file stands before it anyway
        cells |= {Cell(row.blind, frame, row.character) for frame in frames_of(row, frames)} & moments
        added += limited(row, [cell.frame for cell in cells], frames)
    return kept, added


def after_the_draw(
    rows: Iterable[Row], mine: Iterable[Row], drawn: Iterable[int], frames: FramePack, at: str
) -> tuple[list[Row], int]:
    """Rows that come from elsewhere after an audit was drawn, dated so that the audit stays sound.

    The draw was made among the frames that nobody had labelled by looking; which ones that had been is told by `at`
    (estimates.looked_before). A frame that only now joins them did so after the draw, whenever it was looked at.

    Args:
        rows: what comes.
        mine: what the label file said before.
        drawn: the frames that an audit drew, as indices; where there is none, rows stay as they are.
        frames: the sampled frames.
        at: now, UTC, YYYY-MM-DDTHH:MM:SSZ.

    Returns:
        The rows, and how many of them are dated anew.
    """
    rows, drawn = list(rows), set(drawn)
    if not drawn:
        return rows, 0
    known = {frame for row in mine if row.source in LOOKED for frame in frames_of(row, frames)} | drawn
    dated = [
        row._replace(at=at) if row.source in LOOKED and set(frames_of(row, frames)) - known else row for row in rows
    ]
    return dated, sum(one != other for one, other in zip(rows, dated, strict=True))


def read_decisions(path: Path, differences: Sequence[Difference]) -> tuple[dict[Difference, str], int]:
    """What a person has decided so far, and how many decisions are about what is no longer a question.

    Raises:
        InputError: the file is not as it was written; the sentence names the line.
    """
    if not path.is_file():
        return {}, 0
    table = read_table(path, DIFFERENCES)
    by_key = {difference.key: difference for difference in differences}
    decided, idle = {}, 0
    for row in table[table["decision"] != ""].itertuples():
        end_s = None if pandas.isna(row.end_s) else row.end_s
        difference = by_key.get((row.start_s, end_s, row.character, row.layer, row.mine, row.theirs))
        if difference is None:
            idle += 1
        else:
            decided[difference] = row.decision
    return decided, idle


def write_decisions(path: Path, differences: Sequence[Difference], decided: Mapping[Difference, str]) -> None:
    """Write the questions with what is decided of them, whole or not at all."""
    names = ("start_s", "end_s", "character", "layer", "mine", "theirs")
    rows = [
        dict(zip(names, one.key, strict=True))
        | {"mine_by": said_by(one.mine), "theirs_by": said_by(one.theirs), "decision": decided.get(one, "")}
        for one in differences
    ]
    table = pandas.DataFrame(rows)
    write_table(path, table.assign(end_s=table["end_s"].astype("float64")), DIFFERENCES)


def said_by(row: Row) -> str:
    """How an answer was made, by whom and when, as one text."""
    return " ".join(part for part in (row.source, f"by {row.annotator}" if row.annotator else "", row.at) if part)


def _stronger(row: Row, than: Row) -> bool:
    """Whether somebody looked at the very frame where the other painted or accepted the same answer, and it would stand."""
    looked = row.source in LOOKED and than.source not in LOOKED
    return looked and (row.end_s is None or than.end_s is not None)


def _grouped(
    cells: Sequence[Cell], here: Mapping[Cell, Row], there: Mapping[Cell, Row], frames: FramePack
) -> list[Difference]:
    """One question for neighbouring frames where a painted stretch meets what says the same all along."""
    groups: list[list[Cell]] = []
    for cell in sorted(cells, key=lambda cell: (cell.character, cell.blind, cell.frame)):
        last = groups[-1][-1] if groups else None
        if last and cell == last._replace(frame=last.frame + 1) and _one_question(cell, last, here, there):
            groups[-1].append(cell)
        else:
            groups.append([cell])
    found = []
    for group in groups:
        start_s, end_s = bounds_s(group[0].frame, group[-1].frame, frames)
        their_rows = tuple(there[cell] for cell in group)
        end_s = end_s if len(group) > 1 else None
        found.append(Difference(tuple(group), start_s, end_s, here[group[0]], their_rows[0], their_rows))
    return sorted(found, key=lambda one: (one.start_s, one.mine.character, one.mine.blind))


def _one_question(cell: Cell, last: Cell, here: Mapping[Cell, Row], there: Mapping[Cell, Row]) -> bool:
    pairs = [(rows[cell], rows[last]) for rows in (here, there)]
    alike = all(one.present == other.present for one, other in pairs)
    return alike and any(one == other and one.end_s is not None for one, other in pairs)


def _unsure(cell: Cell, difference: Difference, frames: FramePack, at: str) -> Row:
    """That a frame was looked at by two people and cannot be told."""
    source = min(difference.mine.source, difference.theirs.source, key=STRENGTH.index)
    people = " + ".join(dict.fromkeys(row.annotator for row in (difference.mine, difference.theirs) if row.annotator))
    return Row(float(frames.times_s[cell.frame]), None, cell.character, CANNOT_TELL, source, people, at)
