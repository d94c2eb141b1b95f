"""What is valid is kept, what is not is made again, what belongs to nobody goes."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from screentime.errors import InputError
from screentime.folders import Task, Workers, files_hash, n_cores, stale_tasks, update_folder, update_single

HERE = Path(__file__).parent


def write_word(folder: Path, tell, *, video_id: str, word: str) -> None:
    if word == "broken":
        raise InputError(f"data/videos/{video_id}.mp4: no frame could be decoded; is the file complete?")
    tell(0.5)
    (folder / f"{video_id}.txt").write_text(word)
    if word == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "endless":
        (folder / "pid").write_text(str(os.getpid()))
        signal.pause()


def task(video_id: str, word: str = "hello") -> Task:
    return Task(video_id, {"word": word}, partial(write_word, video_id=video_id, word=word), partial(len, word))


def update(folder: Path, *tasks: Task, workers: int = 1) -> list[str]:
    """Bring a folder up to date; the video_ids that were made."""
    stale = stale_tasks(folder, tasks)
    update_folder(folder, tasks, stale, Workers(asked=workers, threads=1, worth=1), "writing")
    return [task.video_id for task in stale]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_second_run_makes_nothing(tmp_path):
    assert update(tmp_path, task("a"), task("b")) == ["a", "b"]

    assert update(tmp_path, task("a"), task("b")) == []


def test_only_the_added_video_is_made_and_the_one_that_is_gone_is_removed(tmp_path):
    update(tmp_path, task("a"), task("b"))

    assert update(tmp_path, task("b"), task("b.2")) == ["b.2"]
    assert names(tmp_path) == {"b.txt", "b.key.json", "b.2.txt", "b.2.key.json"}


def test_a_changed_input_makes_the_video_again_and_its_namesakes_stay(tmp_path):
    update(tmp_path, task("b"), task("b.2"))
    before = files_hash(tmp_path, "b.2")

    assert update(tmp_path, task("b", "new"), task("b.2")) == ["b"]
    assert (tmp_path / "b.txt").read_text() == "new"
    assert files_hash(tmp_path, "b.2") == before


DAMAGE = {
    "changed": lambda folder: (folder / "a.txt").write_text("hellO"),
    "cut short": lambda folder: (folder / "a.txt").write_text("hell"),
    "removed": lambda folder: (folder / "a.txt").unlink(),
    "key cut short": lambda folder: (folder / "a.key.json").write_text('{"key": "dead'),
    "key not text": lambda folder: (folder / "a.key.json").write_bytes(b"\xff\xfe\x00"),
    "key without files": lambda folder: (folder / "a.key.json").write_text(
        json.dumps({"key": json.loads((folder / "a.key.json").read_text())["key"]})
    ),
    "key one line longer": lambda folder: (folder / "a.key.json").write_text(
        (folder / "a.key.json").read_text() + "\n"
    ),
    "key a list": lambda folder: (folder / "a.key.json").write_text("[]"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_result_is_found_and_made_again(tmp_path, damage):
    update(tmp_path, task("a"), task("b"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    DAMAGE[damage](tmp_path)

    assert update(tmp_path, task("a"), task("b")) == ["a"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_change_that_leaves_size_and_time_as_they_were_is_found(tmp_path):
    update(tmp_path, task("a"))
    times = os.stat(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text("hellO")
    os.utime(tmp_path / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))

    assert update(tmp_path, task("a")) == ["a"]


@pytest.mark.parametrize("workers", [1, 2])
def test_one_broken_video_is_named_and_the_others_are_done(tmp_path, workers):
    with pytest.raises(InputError) as failure:
        update(tmp_path, task("a"), task("bad", "broken"), task("c"), workers=workers)

    assert str(failure.value) == (
        "data/videos/bad.mp4: no frame could be decoded; is the file complete?\n"
        "1 of 3 videos failed while writing, the others are done; repair them, or give them a reason in params.yaml, "
        "`videos: - {file: ..., skip: reason}`, and run again"
    )
    assert names(tmp_path) == {"a.txt", "a.key.json", "c.txt", "c.key.json"}


def test_the_result_does_not_depend_on_the_number_of_workers(tmp_path):
    words = ["a", "bb", "ccc", "dddd", "eeeee"]
    contents = []
    for workers in (1, 2, 4):
        folder = tmp_path / str(workers)
        update(folder, *(task(word, word) for word in words), workers=workers)
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})

    assert contents[0] == contents[1] == contents[2]
    assert len(contents[0]) == 10


def test_what_an_interrupted_run_left_and_what_no_key_names_is_removed(tmp_path):
    update(tmp_path, task("a"))
    (tmp_path / ".b.partial").mkdir()
    (tmp_path / ".b.partial" / "half").write_text("")
    for left in ("a.notes", "b.txt", ".b.key.json.partial", "xJ3.tmp"):
        (tmp_path / left).write_text("")
    (tmp_path / ".gitignore").write_text("")

    assert update(tmp_path, task("a")) == []

    assert names(tmp_path) == {"a.txt", "a.key.json", ".gitignore"}


def test_a_worker_that_the_system_ends_is_told_with_the_video_it_was_at(tmp_path):
    update(tmp_path, task("a"))

    with pytest.raises(InputError) as failure:
        update(tmp_path, task("a"), task("big", "killed"), task("c", "broken"), workers=2)

    sentence = str(failure.value)
    assert "big" in sentence.partition(" worked on ")[2].partition(", often ")[0].split(" or ")
    assert sentence.startswith(f"{tmp_path}: the system ended a process that worked on ")
    assert sentence.endswith(
        ", often for want of memory; what was done is kept: run again with fewer `workers`, or give them a reason in "
        "params.yaml, `videos: - {file: ..., skip: reason}`"
    )
    assert names(tmp_path) == {"a.txt", "a.key.json"}
    assert update(tmp_path, task("a"), task("big")) == ["big"]


def test_workers_end_when_the_first_process_is_gone(tmp_path):
    script = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "from pathlib import Path\n"
        "from test_folders import task, update\n"
        f"if __name__ == '__main__': update(Path({str(tmp_path)!r}), task('a', 'endless'), task('b', 'endless'), workers=2)\n"
    )
    (tmp_path / "first.py").write_text(script)
    folder = tmp_path / "results"
    (tmp_path / "first.py").write_text(script.replace(str(tmp_path), str(folder)))
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    first = subprocess.Popen([sys.executable, str(tmp_path / "first.py")], env=environment)
    pids = [folder / f".{name}.partial" / "pid" for name in "ab"]
    while not all(path.is_file() and path.read_text() for path in pids):
        assert first.poll() is None
        time.sleep(0.01)
    workers = [psutil.Process(int(path.read_text())) for path in pids]

    first.kill()
    first.wait()

    assert psutil.wait_procs(workers, timeout=60)[1] == []


def test_processes_are_started_as_far_as_cores_and_work_are_worth_it():
    def count(asked: int, threads: int, *sizes: float) -> int:
        return Workers(asked, threads, worth=100).count(sizes)

    plenty = [100.0] * 1000
    assert count(0, 1, *plenty) == n_cores()
    assert count(0, n_cores() + 1, *plenty) == 1
    assert count(0, 1, 60.0, 60.0, 60.0) == 1
    assert count(0, 1, 0.0, 0.0) == 1
    assert count(0, 1, 1000.0) == 1
    assert count(3, 1, 1.0, 1.0, 1.0, 1.0) == 3
    assert count(3, 1, 1.0, 1.0) == 2


def test_a_folder_of_one_task_is_kept_or_made_again(tmp_path):
    update_single(tmp_path, task("a"))
    made = (tmp_path / "a.txt").stat().st_mtime_ns

    update_single(tmp_path, task("a"))
    assert (tmp_path / "a.txt").stat().st_mtime_ns == made

    update_single(tmp_path, task("b"))
    assert names(tmp_path) == {"b.txt", "b.key.json"}
