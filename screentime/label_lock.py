"""One process at a time writes the label files of a project: the labeller, or a command that merges, imports, renames.

Whoever is not first is told who is. The lock is the operating system's, so that of a process that died is free at once.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from screentime.errors import InputError
from screentime.files import read_json, write_json

FOLDER = ".screentime"  # out of Git, of DVC and of the label folder
WAIT_S = 1.0  # a command that merges or renames is done before that


@dataclass(frozen=True)
class Holder:
    """Who writes label files now.

    Attributes:
        who: what a person would call it, e.g. "the labeller at http://127.0.0.1:8000".
        process: its process id.
        since: UTC, YYYY-MM-DDTHH:MM:SSZ.
    """

    who: str
    process: int
    since: str


@contextmanager
def label_lock(folder: Path, who: str) -> Iterator[None]:
    """Hold the label files of a project: nobody else writes them meanwhile.

    Args:
        folder: the project's top folder.
        who: what a person would call this process, for the sentence that others get.

    Raises:
        InputError: another process holds them; the sentence names it.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    lock = FileLock(folder / FOLDER / "labels.lock")
    try:
        lock.acquire(timeout=WAIT_S)
    except Timeout:
        raise InputError(_sentence(holder(folder))) from None
    try:
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        write_json(_card_path(folder), asdict(Holder(who, os.getpid(), since)))
        yield
    finally:
        _card_path(folder).unlink(missing_ok=True)
        lock.release()


def holder(folder: Path) -> Holder | None:
    """Who says to hold the label files of a project; None where nobody does, or who did is dead."""
    try:
        found = Holder(**read_json(_card_path(folder)))
        os.kill(found.process, 0)  # sends nothing: asks whether there is such a process
    except PermissionError:  # there is, another user's
        return found
    except (OSError, ValueError, TypeError):
        return None
    return found


def _card_path(folder: Path) -> Path:
    return folder / FOLDER / "labels.holder.json"


def _sentence(held: Holder | None) -> str:
    found = (
        f"{held.who} (process {held.process}, since {held.since}) holds them" if held else "another process holds them"
    )
    return (
        f"data/labels: {found}, nobody else who writes was expected; go on there, or end it (Ctrl-C in its terminal loses "
        "nothing) and run this again"
    )
