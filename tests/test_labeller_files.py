"""The labeller's files: rows and what they say, the journal, the label file behind it; nothing acknowledged is lost."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from labelled_film import write_project

from screentime.errors import InputError
from screentime.frames import open_frames
from screentime.label_rows import Row, rows_of, table_of
from screentime.labeller import desk as desk_module
from screentime.labeller import journal as journal_module
from screentime.labeller.book import Book
from screentime.labeller.errors import Refused
from screentime.labeller.journal import Journal
from screentime.labeller.session import JOURNAL, open_desk
from screentime.labeller.sheet import Cell, Change, Sheet
from screentime.labels import answers, read_labels
from screentime.table_files import write_table
from screentime.tables import LABELS

CAST = ["tom", "jerry"]
AT = "2026-11-21T10:00:00Z"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    write_project(folder, ["film"], CAST, n_frames=12)
    return open_frames(folder / "data" / "frames", "film")


def sheet_of(film, rows=(), drawn=()) -> Sheet:
    waits = np.zeros(len(film), bool)
    waits[list(drawn)] = True
    return Sheet(film, CAST, waits, rows)


def stretch(start_s, end_s, present="1", source="propagated", character="tom") -> Row:
    return Row(start_s, end_s, character, present, source, "", "")


def moment(time_s, present="1", source="manual", character="tom", at="") -> Row:
    return Row(time_s, None, character, present, source, "", at)


# rows and what they say


def test_a_moment_beats_a_stretch_and_undo_shows_the_stretch_again(film):
    sheet = sheet_of(film, [stretch(2.0, 6.0)])
    change = sheet.change({Cell(3, 0): "0"}, source="manual", annotator="ann", at=AT)

    assert sheet.apply(change) == {Cell(3, 0): ("1", "0")}
    assert sheet.present[2:6, 0].tolist() == ["1", "0", "1", "1"]

    sheet.apply(change.reversed())
    assert sheet.rows == (stretch(2.0, 6.0),)


def test_painting_cuts_what_lies_beneath_and_leaves_the_rest_to_the_letter(film):
    below = Row(1.0, 9.0, "tom", "1", "imported", "bea", AT)
    sheet = sheet_of(film, [below, moment(4.0, "1"), moment(8.0, "1")])
    cells = {Cell(frame, 0): "0" for frame in (3, 4, 5)}
    sheet.apply(sheet.change(cells, source="propagated", annotator="ann", at=AT))

    assert set(sheet.rows) == {
        below._replace(end_s=3.0), below._replace(start_s=6.0), moment(8.0, "1"),
        Row(3.0, 6.0, "tom", "0", "propagated", "ann", AT),
    }  # fmt: skip


def test_a_painted_stretch_ends_where_a_drawn_frame_lies(film):
    sheet = sheet_of(film, drawn=[4])
    sheet.apply(sheet.change({Cell(f, 0): "1" for f in (2, 3, 5, 6)}, source="propagated", annotator="", at=""))

    assert set(sheet.rows) == {stretch(2.0, 4.0), stretch(5.0, 7.0)}


def test_on_a_drawn_frame_only_blind_answers_count(film):
    rows = [moment(4.0, "1"), stretch(0.0, 12.0, "1")]
    sheet = sheet_of(film, rows, drawn=[4])
    assert sheet.present[4, 0] == ""

    sheet.apply(sheet.change({Cell(4, 0): "0"}, source="audit", annotator="", at=""))
    assert sheet.present[4, 0] == "0"
    assert set(rows) < set(sheet.rows)


def test_a_correction_keeps_the_moment_when_the_frame_was_first_looked_at(film):
    sheet = sheet_of(film, [moment(4.0, "1", at="2026-11-20T09:00:00Z")])
    change = sheet.change({Cell(4, 0): "0"}, source="manual", annotator="", at=AT)

    assert [row.at for row in change.added] == ["2026-11-20T09:00:00Z"]


def test_a_row_that_no_sampled_frame_shows_is_kept(film):
    stray = moment(100.0)
    sheet = sheet_of(film, [stray])
    sheet.apply(sheet.change({Cell(0, 0): "1"}, source="manual", annotator="", at=""))

    assert stray in sheet.rows


CELLS = some.dictionaries(
    some.builds(Cell, some.integers(0, 11), some.integers(0, 1)), some.sampled_from("01?"), min_size=1, max_size=14
)
STEPS = some.lists(some.tuples(some.sampled_from(["manual", "propagated", "accepted"]), CELLS), min_size=1, max_size=6)


@settings(max_examples=150)
@given(steps=STEPS, below=some.lists(some.tuples(some.integers(0, 10), some.integers(1, 4)), max_size=3))
def test_what_was_said_last_stands_the_file_reads_back_and_undo_leads_to_the_begin(
    film, tmp_path_factory, steps, below
):
    reached, rows = -1, []
    for start, length in sorted(below):
        if start > reached:
            rows.append(stretch(float(start), float(min(12, start + length))))
            reached = start + length
    sheet = sheet_of(film, rows)
    begun, done = sorted(map(str, sheet.rows)), []
    expected = sheet.present.copy()
    for source, cells in steps:
        change = sheet.change(cells, source=source, annotator="a", at=AT)
        sheet.apply(change)
        done.append(change)
        for cell, present in cells.items():
            expected[cell] = present
        assert (sheet.present == expected).all()
    path = tmp_path_factory.mktemp("file") / "film.csv"
    write_table(path, table_of(sheet.rows), LABELS)
    table = read_labels(path, CAST, 12.0)
    answers(path, table, film)  # free of contradictions
    assert (sheet_of(film, rows_of(table)).present == expected).all()
    for change in reversed(done):
        sheet.apply(change.reversed())
    assert sorted(map(str, sheet.rows)) == begun


# the journal


def test_a_line_without_its_end_was_never_acknowledged_and_is_cut_off(tmp_path):
    path = tmp_path / ".screentime" / "journal.jsonl"
    one = Journal(path)
    one.append({"kind": "active", "active_s": 1.0})
    one.close()
    with open(path, "ab") as file:
        file.write(b'{"kind":"act')

    again = Journal(path)
    assert [entry["n"] for entry in again.entries] == [1]
    again.append({"kind": "active", "active_s": 2.0})
    again.close()
    assert [json.loads(line)["n"] for line in path.read_text().splitlines()] == [1, 2]


def test_a_damaged_journal_is_refused_by_its_line(tmp_path):
    path = tmp_path / ".screentime" / "journal.jsonl"
    path.parent.mkdir()
    path.write_text('{"kind":"active","active_s":1,"n":1}\n{"kind"\n')

    with pytest.raises(InputError) as caught:
        Journal(path)
    assert str(caught.value) == (
        f"{path}: line 2: this is not an entry of the labeller's journal, it was changed or damaged; the label files hold "
        "all that was written to them: move the journal away and start again"
    )


# the label file behind it


def project(folder: Path, n_frames: int = 12):
    params = write_project(folder, ["film"], CAST, n_frames=n_frames)
    return params


def session(folder: Path, params):
    desk, _ = open_desk(folder, params, params.videos, "ann")
    return desk


def say(desk, operation: str, *cells, how: str = "look") -> dict:
    page = desk.page("film", "film")["page"]
    return desk.put(operation, page, [["film", *cell] for cell in cells], how)


def csv_of(folder: Path) -> Path:
    return folder / "data" / "labels" / "film.csv"


def test_what_was_not_yet_in_the_file_is_replayed_to_the_same_bytes(tmp_path):
    tmp_path = tmp_path / "project"
    params = project(tmp_path)
    desk = session(tmp_path, params)
    say(desk, "operation1", (1, 0, "1"))
    desk.write()
    say(desk, "operation2", (2, 0, "1"), (3, 0, "1"), how="many")
    written = csv_of(tmp_path).read_bytes()

    shutil.copytree(tmp_path, tmp_path.parent / "died")
    again = session(tmp_path.parent / "died", params)
    assert again.film("film").sheet.present[:4, 0].tolist() == ["", "1", "1", "1"]
    again.write()
    desk.write()
    assert csv_of(tmp_path).read_bytes() != written
    assert csv_of(tmp_path).read_bytes() == csv_of(tmp_path.parent / "died").read_bytes()


def test_the_label_file_follows_the_answers_within_a_second(tmp_path, monkeypatch):
    """As in the command, five times a second; the clock is the test's, in tenths. The last answers come one upon another."""
    params = project(tmp_path, n_frames=40)
    desk = session(tmp_path, params)
    tenth, said, behind = 0, {}, {}
    monkeypatch.setattr(desk_module, "time", SimpleNamespace(monotonic=lambda: tenth / 10))
    for tenth in range(0, 80, 2):
        if tenth == 2 or 20 <= tenth < 60:
            frame = tenth // 2
            say(desk, f"operation-{frame}", (frame, 0, "1"))
            said[frame] = tenth
        desk.tick()
        rows = csv_of(tmp_path).read_text().splitlines()[1:] if csv_of(tmp_path).exists() else []
        for row in rows:
            frame = int(row.partition(",")[0])
            behind.setdefault(frame, tenth - said[frame])

    assert behind.keys() == said.keys()
    assert max(behind.values()) <= 12  # a second, and the time to the next of five looks a second
    assert behind[1] <= 10 and behind[max(said)] <= 10


def test_a_file_that_was_reverted_outside_stays_reverted(tmp_path):
    params = project(tmp_path)
    desk = session(tmp_path, params)
    say(desk, "operation1", (1, 0, "1"))
    desk.write()
    before = csv_of(tmp_path).read_bytes()
    say(desk, "operation2", (1, 0, "0"))
    desk.write()
    csv_of(tmp_path).write_bytes(before)

    assert session(tmp_path, params).film("film").sheet.present[1, 0] == "1"


def test_an_edit_outside_is_the_truth_and_a_differing_cell_is_asked_about(tmp_path):
    params = project(tmp_path)
    desk = session(tmp_path, params)
    say(desk, "operation1", (1, 0, "1"), (1, 1, "0"))
    desk.write()
    say(desk, "operation2", (1, 0, "0"))
    say(desk, "operation3", (2, 1, "1"))
    text = csv_of(tmp_path).read_text().replace("1,,tom,1,manual", "1,,tom,?,manual") + "5,,jerry,1,manual,bea,\n"
    csv_of(tmp_path).write_text(text)

    state = desk.state()
    sheet = desk.film("film").sheet
    assert [sheet.present[1, 0], sheet.present[2, 1], sheet.present[5, 1]] == ["?", "1", "1"]
    asked = [(one["clock"], one["character"], one["file"], one["said"]) for one in state["questions"]]
    assert asked == [("0:01", 0, "?", "0")]

    desk.write()
    again = session(tmp_path, params)  # a question survives a restart
    question = again.state()["questions"][0]["question"]
    again.settle("operation4", question, "mine")
    assert again.film("film").sheet.present[1, 0] == "0"
    assert again.state()["questions"] == []
    assert session(tmp_path, params).state()["questions"] == []


def test_a_file_made_unreadable_outside_is_never_overwritten(tmp_path):
    params = project(tmp_path)
    desk = session(tmp_path, params)
    say(desk, "operation1", (1, 0, "1"))
    desk.write()
    good = csv_of(tmp_path).read_text()
    csv_of(tmp_path).write_text(good + "2,,nobody,1,manual,,\n")
    say(desk, "operation2", (3, 0, "1"))
    desk.write()

    assert csv_of(tmp_path).read_text() == good + "2,,nobody,1,manual,,\n"
    assert desk.state()["trouble"] == (
        f"{csv_of(tmp_path)}: line 3: character 'nobody' is not in the cast ['tom', 'jerry']; add it there or correct the "
        "file"
    )

    csv_of(tmp_path).write_text(good)
    desk.state()
    desk.write()
    assert desk.state()["trouble"] is None
    assert "3,,tom,1,manual,ann" in csv_of(tmp_path).read_text()


def test_an_edit_outside_while_the_disk_is_full_is_taken_in_once_there_is_room(tmp_path, monkeypatch):
    params = project(tmp_path)
    desk = session(tmp_path, params)
    say(desk, "operation1", (1, 0, "1"))
    desk.write()
    say(desk, "operation2", (3, 0, "1"))
    edited = csv_of(tmp_path).read_text() + "5,,jerry,1,manual,bea,\n"
    csv_of(tmp_path).write_text(edited)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        for _ in range(2):
            desk.tick()
            desk.write()
            assert "no space left on device, room for what was changed in it outside" in desk.state()["trouble"]
    assert csv_of(tmp_path).read_text() == edited

    desk.write()
    assert desk.state()["trouble"] is None
    written = csv_of(tmp_path).read_text()
    assert "5,,jerry,1,manual,bea," in written and "3,,tom,1,manual,ann" in written


def test_an_operation_that_is_sent_again_is_done_once_also_after_a_restart(tmp_path):
    params = project(tmp_path)
    desk = session(tmp_path, params)
    first = say(desk, "operation1", (1, 0, "1"))
    say(desk, "operation2", (2, 0, "1"))
    desk.undo("operation3")
    entries = len(Journal(tmp_path / JOURNAL).entries)
    again = session(tmp_path, params)

    assert again.undo("operation3")["said"] == "taken back: 0:02: tom there"
    assert say(again, "operation1", (1, 0, "1"))["n"] == first["n"]
    assert len(Journal(tmp_path / JOURNAL).entries) == entries
    assert again.film("film").sheet.present[1:3, 0].tolist() == ["1", ""]


def test_undo_and_redo_survive_a_restart_and_say_what_they_change(tmp_path):
    params = project(tmp_path)
    desk = session(tmp_path, params)
    say(desk, "operation1", (1, 0, "1"))
    say(desk, "operation2", *((frame, 1, "1") for frame in range(4, 9)), how="many")
    desk.write()

    desk = session(tmp_path, params)
    told = desk.undo("operation3")
    assert (told["said"], told["jump"]) == ("taken back: 5 frames: jerry there", ["film", 4])
    desk = session(tmp_path, params)
    assert desk.redo("operation4")["said"] == "done again: 5 frames: jerry there"
    assert desk.film("film").sheet.present[4:9, 1].tolist() == ["1"] * 5
    assert desk.undo("operation5")["said"] == "taken back: 5 frames: jerry there"
    assert desk.undo("operation6")["said"] == "taken back: 0:01: tom there"
    desk.write()
    assert csv_of(tmp_path).read_text() == "start_s,end_s,character,present,source,annotator,at\n"


# a power cut: whatever was not synced is gone


class Disk:
    """What a folder holds after a power cut, from the system calls that were made: synced data, synced names."""

    def __init__(self, root: Path, monkeypatch) -> None:
        self.root, self.calls, self.acknowledged = root, [], []
        for name in ("open", "write", "fsync", "replace", "mkdir", "ftruncate", "unlink"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name, real):
        def call(*words, **more):
            if name == "fsync":
                path = os.readlink(f"/proc/self/fd/{words[0]}")
                self.calls.append(("fsync", path, Path(path).read_bytes() if os.path.isfile(path) else None))
                return None  # the disk of this test needs no time
            result = real(*words, **more)
            if name in ("replace", "mkdir"):
                self.calls.append((name, str(words[0]), str(words[1])))
            elif name == "write":
                self.calls.append(("write", os.readlink(f"/proc/self/fd/{words[0]}"), None))
            return result

        return call

    def acknowledge(self, what) -> None:
        self.acknowledged.append((len(self.calls), what))

    def after(self, cut: int, folder: Path, *, names: bool) -> None:
        """Write what a power cut after so many calls leaves into a folder: of every file the bytes last synced.

        Args:
            cut: after so many calls.
            folder: where to.
            names: a new name is there at once, as some disks have it; else once its folder was synced.
        """
        there: dict[str, list] = {}  # names now, each of a file: a list with its synced bytes, None: of a folder
        kept: dict[str, list | None] = {}  # those that a cut leaves
        for kind, path, more in self.calls[:cut]:
            if kind == "mkdir":
                there[path] = None
            elif kind == "fsync" and more is not None:
                there.setdefault(path, [b""])[0] = more
            elif kind == "fsync":
                kept |= {name: one for name, one in there.items() if str(Path(name).parent) == path}
            elif kind == "replace" and path in there:
                there[more] = there.pop(path)
        made = {name for name, one in there.items() if one is None}
        for name, one in (there if names else kept).items():
            path = Path(name).relative_to(self.root)
            lost = not names and any(str(self.root / up) in made - kept.keys() for up in path.parents)
            if one is not None and ".partial" not in path.name and not lost:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(one[0])


def standing(desk) -> tuple:
    """All that was acknowledged, as a session that opens again must find it."""
    film, state = desk.film("film"), desk.state()
    return (
        film.sheet.present.tolist(), film.sheet.source.tolist(), film.drawn.tolist(), film.skips,
        *(state[name] for name in ("undo", "redo", "active_s", "portraits")),
    )  # fmt: skip


def burst(folder: Path, monkeypatch):
    """A session of everything that a person does, with files written in between, on a recorded disk."""
    params = project(folder, n_frames=24)
    with monkeypatch.context() as patch:
        disk = Disk(folder, patch)
        desk = session(folder, params)
        disk.acknowledge(standing(desk))

        def accept_page(operation: str) -> None:
            desk.refit()
            page = desk.page("review")
            items = [[item["v"], item["f"], item["p"].replace(".", "0")] for item in page["items"]]
            assert desk.accept(operation, page["page"], items)["wrote"] > 0

        def take_shot(operation: str) -> None:
            frame = next(int(one) for one in np.flatnonzero(desk.film("film").free()) if one % 8 == 0)
            values = "".join(str(one) or "0" for one in desk.film("film").sheet.present[frame])
            desk.take_shot(operation, desk.page("film", "film")["page"], "film", frame, values)

        def audit(operation: str) -> None:
            item = next(item for item in desk.page("audit")["items"] if "." in item["a"])
            cells = [["film", item["f"], place, "1"] for place in range(len(CAST))]
            desk.put(operation, desk.page("audit")["page"], cells, "look", 2.5)

        for number, (work, write) in enumerate([
            (lambda op: say(desk, op, (1, 0, "1"), (1, 1, "0")), False),
            (lambda op: say(desk, op, (9, 0, "0"), (9, 1, "1")), True),
            (lambda op: say(desk, op, (1, 0, "0")), False),
            (lambda op: say(desk, op, *((frame, 1, "1") for frame in range(3, 7)), how="many"), False),
            (lambda op: desk.undo(op), True),
            (lambda op: desk.redo(op), False),
            (accept_page, False),
            (lambda op: desk.undo(op), False),
            (accept_page, True),
            (take_shot, False),
            (lambda op: desk.portrait(op, 0, "film", 3), False),
            (lambda op: desk.skip(op, "film", 22, 23, "credits"), False),
            (lambda op: desk.draw(op, "film", 6), False),
            (audit, True),
            (audit, False),
            (lambda op: desk.undo(op), False),
            (audit, False),
        ]):  # fmt: skip
            work(f"operation-{number}")
            disk.acknowledge(standing(desk))
            assert disk.acknowledged[-1][1] != disk.acknowledged[-2][1]
            if write:
                desk.write()
    return params, disk


def lost(tmp_path: Path, params, disk: Disk, *, names: bool) -> list[str]:
    """At which cuts the next session finds neither what was acknowledged last nor what was being done then."""
    project(tmp_path / "bare", n_frames=24)
    opened: dict[tuple, tuple] = {}

    def after(cut: int) -> tuple:
        (left := tmp_path / f"left{cut}").mkdir(exist_ok=True)
        disk.after(cut, left, names=names)
        files = tuple(sorted((path.relative_to(left), path.read_bytes()) for path in left.rglob("*") if path.is_file()))
        if files not in opened:
            after = shutil.copytree(tmp_path / "bare", tmp_path / f"cut{cut}")
            shutil.copytree(left, after, dirs_exist_ok=True)
            opened[files] = standing(session(after, params))
        return opened[files]

    found = []
    for cut in range(disk.acknowledged[0][0], len(disk.calls) + 1):
        place = max(place for place, (calls, _) in enumerate(disk.acknowledged) if calls <= cut)
        allowed = [stands for _, stands in disk.acknowledged[place : place + 2]]
        allowed.append(
            (*allowed[0][:3], allowed[-1][3], *allowed[0][4:])
        )  # left out in its file, not yet in the journal
        if after(cut) not in allowed:
            found.append(f"cut {cut} of {len(disk.calls)}: {after(cut)} instead of {disk.acknowledged[place][1]}")
    return found


@pytest.mark.parametrize("names", [True, False], ids=["new names are there at once", "new names wait for their folder"])
def test_nothing_acknowledged_is_lost_in_a_power_cut_at_any_point(tmp_path, monkeypatch, names):
    params, disk = burst(tmp_path / "real", monkeypatch)
    assert lost(tmp_path, params, disk, names=names) == []


@pytest.mark.parametrize(
    ("unsynced", "names"),
    [(lambda path: path.endswith("journal.jsonl"), True), (os.path.isdir, False)],
    ids=["the journal", "folders"],
)
def test_without_a_sync_a_power_cut_loses_answers(tmp_path, monkeypatch, unsynced, names):
    """The test above can fail: with the journal's own sync taken away it does, and with that of folders."""
    sync = journal_module.os.fsync
    assert sync is os.fsync
    params, disk = burst(tmp_path / "real", monkeypatch)
    disk.calls = [call for call in disk.calls if not (call[0] == "fsync" and unsynced(call[1]))]
    disk.acknowledged = [(len(disk.calls), what) for _, what in disk.acknowledged]

    assert lost(tmp_path, params, disk, names=names) != []


def test_a_full_disk_refuses_the_answer_and_changes_nothing(tmp_path, monkeypatch):
    params = project(tmp_path)
    desk = session(tmp_path, params)
    say(desk, "operation1", (1, 0, "1"))
    real = os.write

    def full(file, data):
        real(file, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(Exception, match="not saved: no space left on device; make room on the disk"):
            say(desk, "operation2", (2, 0, "1"))

    assert desk.film("film").sheet.present[1:3, 0].tolist() == ["1", ""]
    say(desk, "operation2", (2, 0, "1"))
    assert session(tmp_path, params).film("film").sheet.present[1:3, 0].tolist() == ["1", "1"]


def test_a_full_disk_during_anything_else_loses_nothing_and_the_second_try_does_it(tmp_path, monkeypatch):
    """A question stays open, a range is left out once, undo does not reach behind a draw that could not be noted."""
    params = project(tmp_path)
    desk = session(tmp_path, params)
    say(desk, "operation1", (1, 0, "1"))
    desk.write()
    path = tmp_path / "data" / "labels" / "film.csv"
    say(desk, "operation2", (2, 0, "1"))
    path.write_text(path.read_text() + "2,,tom,0,manual,,\n")  # somebody says otherwise, outside
    desk = session(tmp_path, params)
    question = desk.state()["questions"][0]["question"]
    film = desk.film("film")

    things = [
        lambda: desk.settle("settle-1", question, "mine"),
        lambda: desk.portrait("portrait-1", 0, "film", 1),
        lambda: desk.skip("skip-1", "film", 8, 9, "advert"),
        lambda: desk.draw("draw-1", "film", 3),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        for thing in things:
            with pytest.raises(Exception, match="not saved: no space left on device; make room on the disk"):
                thing()
        assert len(desk.state()["questions"]) == 1
    with pytest.raises(Refused, match="before an audit round was drawn"):
        desk.undo("undo-1")
    for thing in things[:3]:
        thing()

    again = session(tmp_path, params)
    assert again.state()["questions"] == [] and again.film("film").sheet.present[2, 0] == "1"
    assert again.film("film").skips == [(8.0, 10.0)]
    assert film.rounds_drawn == again.film("film").rounds_drawn == 1


def test_a_book_is_empty_without_a_file_and_writes_none_for_nothing(tmp_path, film):
    book = Book(tmp_path / "film.csv", film, CAST, np.zeros(12, bool), Journal(tmp_path / "s" / "journal.jsonl"))
    book.write()

    assert book.sheet.rows == ()
    assert not (tmp_path / "film.csv").exists()
    assert Change((), ()).reversed() == Change((), ())
