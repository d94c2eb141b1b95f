"""A page as a real browser shows it: Chromium without a window, nothing else installed."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--enable-logging=stderr",
)  # fmt: skip


ARGUMENTS = [
    flag for flag in _FLAGS if flag not in ("--headless", "--hide-scrollbars", "--enable-logging=stderr")
]  # driven


@dataclass(frozen=True)
class Visit:
    """What a visit left: the document after its scripts ran, and what the browser's console said."""

    dom: str
    console: list[str]


def executable() -> str:
    """The browser: the one that CHROMIUM names, else the first known name on PATH; a test without one is skipped."""
    found = os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no chromium: none of {', '.join(NAMES)} is on PATH and CHROMIUM names none")
    return found


def visit(page: Path | str, *, width: int = 1280, height: int = 900, wait_ms: int = 3000) -> Visit:
    """Open a page, a file or an address, let its scripts run, and read it."""
    address = page if isinstance(page, str) else page.resolve().as_uri()
    done = _run(f"--window-size={width},{height}", f"--virtual-time-budget={wait_ms}", "--dump-dom", address)
    return Visit(done.stdout, re.findall(r"CONSOLE.*", done.stderr))


def screenshot(page: Path, picture: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
    """Take a picture of the top of a page as a reader with a light or a dark screen sees it."""
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    _run(f"--window-size={width},{height}", scheme, f"--screenshot={picture}", page.resolve().as_uri())


def _run(*arguments: str) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [executable(), *_FLAGS, f"--user-data-dir={profile}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
