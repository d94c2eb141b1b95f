"""The two programs that keep a project's versions, called as commands: DVC and Git."""

import os
import subprocess
import sys
from pathlib import Path

from screentime.errors import InputError


def dvc(folder: Path, *words: str) -> str:
    """Run a DVC command in a folder; what it printed.

    Raises:
        InputError: it failed; the sentence holds DVC's own.
    """
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise InputError(f"dvc {words[0]}: {reason(done.stderr)}")
    return done.stdout


def repro(folder: Path, stage: str) -> bool:
    """Bring a stage up to date with all that it needs, showing what DVC and the stages say; whether that went well."""
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    words = [sys.executable, "-m", "dvc", "repro", stage]
    return subprocess.run(words, cwd=folder, env=environment, check=False).returncode == 0


def reason(errors: str) -> str:
    """What DVC said of a failure, on one line."""
    lines = [line.removeprefix("ERROR: ").strip() for line in errors.splitlines() if line.startswith("ERROR")]
    return "; ".join(lines) or (errors.strip().splitlines() or ["it failed without a word"])[-1]


def git(folder: Path, *words: str) -> str | None:
    """Run a Git command in a folder; its output without the last line's end, None where it failed or there is no Git."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def git_holds(folder: Path, path: Path) -> bool:
    """Whether the last commit holds a file exactly as it is."""
    name = path.relative_to(folder).as_posix()
    return (
        git(folder, "ls-files", "--error-unmatch", name) is not None
        and git(folder, "status", "--porcelain", "--", name) == ""
    )
