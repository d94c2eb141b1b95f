"""One process writes label files; the others are told which, and a dead one is in nobody's way."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from project import Project

from screentime.errors import InputError
from screentime.label_lock import holder, label_lock

ROOT = Path(__file__).parents[1]
HOLD = """
import sys
from pathlib import Path
from screentime.label_lock import label_lock
with label_lock(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def other_process(folder: Path, who: str) -> subprocess.Popen:
    """A process that holds the label files until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), who],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def labeller(tmp_path):
    process = other_process(tmp_path, "the labeller at http://127.0.0.1:8123")
    yield process
    process.kill()
    process.communicate()


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as failure, label_lock(folder, "`cast rename`"):
        pass
    return str(failure.value)


def test_who_is_second_is_told_who_is_first(tmp_path, labeller):
    said = refused(tmp_path)

    assert re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "NOW", said) == (
        f"data/labels: the labeller at http://127.0.0.1:8123 (process {labeller.pid}, since NOW) holds them, nobody else "
        "who writes was expected; go on there, or end it (Ctrl-C in its terminal loses nothing) and run this again"
    )
    assert holder(tmp_path).process == labeller.pid


def test_after_the_first_ends_the_next_may(tmp_path, labeller):
    labeller.communicate()

    with label_lock(tmp_path, "`labels merge`"):
        assert holder(tmp_path).who == "`labels merge`"
    assert holder(tmp_path) is None


def test_a_process_that_was_killed_is_in_nobodys_way(tmp_path, labeller):
    labeller.send_signal(signal.SIGKILL)
    labeller.wait()

    assert (tmp_path / ".screentime" / "labels.holder.json").is_file()
    assert holder(tmp_path) is None
    with label_lock(tmp_path, "`labels merge`"):
        assert holder(tmp_path).process == os.getpid()


def test_the_lock_is_given_back_when_the_work_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), label_lock(tmp_path, "`labels merge`"):
        1 / 0  # noqa: B018

    with label_lock(tmp_path, "`labels merge`"):
        pass


@pytest.mark.parametrize("card", ["", "{}", '{"who": "x", "process": "y", "since": ""}', "[1]"])
def test_a_holder_whose_card_cannot_be_read_is_still_a_holder(tmp_path, labeller, card):
    (tmp_path / ".screentime" / "labels.holder.json").write_text(card)

    assert refused(tmp_path) == (
        "data/labels: another process holds them, nobody else who writes was expected; go on there, or end it (Ctrl-C in "
        "its terminal loses nothing) and run this again"
    )


def test_every_command_that_writes_label_files_asks_for_them(tmp_path):
    project = Project(tmp_path)
    labeller = other_process(tmp_path, "the labeller at http://127.0.0.1:8123")
    try:
        for words in ("cast rename bunny rabbit", "video remove big_buck_bunny --with-labels", "new mine"):
            said = project.run("python", "-m", "screentime", *words.split(), code=1)
            assert said.startswith(
                f"data/labels: the labeller at http://127.0.0.1:8123 (process {labeller.pid}, since "
            )
        assert project.run("git", "status", "--porcelain") == ""
        assert project.run("dvc", "check-ignore", ".screentime") == ".screentime\n"
    finally:
        labeller.communicate()
