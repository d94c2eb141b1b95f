"""A function becomes a command; what a user can repair ends as one sentence with the right exit code."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from screentime import command
from screentime.errors import InputError

ROOT = Path(__file__).parents[1]


def greet(*, names: Path, out_folder: Path) -> None:
    """Greet everybody in a file."""
    (out_folder / "greeting").write_text(f"hello {names.read_text()}")


def test_every_path_is_an_option_named_like_the_argument(tmp_path, monkeypatch):
    (tmp_path / "names").write_text("Zoë")
    monkeypatch.setattr(sys, "argv", ["greet", "--names", str(tmp_path / "names"), "--out-folder", str(tmp_path)])

    command.run(greet)

    assert (tmp_path / "greeting").read_text() == "hello Zoë"


def fail_with(error: BaseException):
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("a.csv: line 2: wrong; correct it"), 1, "a.csv: line 2: wrong; correct it"),
        (
            KeyboardInterrupt(),
            130,
            "interrupted: nothing half-written was left; run the same command again to go on",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "data/x"),
            1,
            "data/x: no space left on device, room to write was expected; nothing half-written was left: make room "
            "(`python -m screentime disk` says what a project may free) or give access, then run again",
        ),
    ],
)
def test_what_a_user_can_repair_is_one_sentence(capsys, error, code, sentence):
    with pytest.raises(SystemExit) as leaving:
        command.guarded(fail_with(error))

    assert leaving.value.code == code
    assert capsys.readouterr().err == sentence + "\n"


def test_a_defect_of_the_program_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        command.guarded(fail_with(ZeroDivisionError()))


def test_help_of_a_stage_teaches_what_it_does():
    done = subprocess.run(
        [sys.executable, "-m", "stages.suggest", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "frames that differ from each other" in done.stdout
    assert "--suggestions PATH" in done.stdout


def test_a_reader_who_has_enough_ends_a_command_without_a_word():
    code = "from screentime import command; command.guarded(lambda: [print('x' * 1000) for _ in range(1000)])"
    piped = f'{sys.executable} -c "{code}" | head -n 1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", piped], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (1, "")
