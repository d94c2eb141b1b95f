"""Commands in a small world of their own, which the kernel makes for them: a disk that is soon full, no network at all."""

import subprocess
from pathlib import Path

import pytest

FORBIDDEN = "no namespaces: the kernel makes none for this user"


def without_network() -> list[str]:
    """The words before a command that has no network: not even its own machine answers."""
    return _apart("--net")


def on_a_disk_of(size: str, place: Path, then: str) -> list[str]:
    """The words before a command that has a disk of its own at a folder, so large, empty.

    Args:
        size: as mount takes it, for instance "600k".
        place: an empty folder.
        then: a command of the shell that runs afterwards, while the disk is still there.
    """
    program = 'mount -t tmpfs -o "size=$0" none "$1"; then=$2; shift 2; "$@"; code=$?; eval "$then"; exit "$code"'
    return [*_apart("--mount"), "sh", "-c", program, size, str(place), then]


def _apart(*worlds: str) -> list[str]:
    """The words of `unshare`; skips the test where that is not allowed."""
    words = ["unshare", "--map-root-user", *worlds]
    try:
        allowed = subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip(FORBIDDEN)
    return words
