"""Files that are whole or absent: written beside their place under a `.partial` name, then renamed into it."""

import hashlib
import io
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

PARTIAL = ".partial"


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; on success it replaces `path` in one step, on failure `path` is as it was."""
    partial = path.with_name(f".{path.name}{PARTIAL}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        with open(partial, "rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill; on success it replaces the folder `path`, on failure `path` is as it was."""
    partial = path.with_name(f".{path.name}{PARTIAL}")
    previous = path.with_name(f".{path.name}.previous{PARTIAL}")
    for left in (partial, previous):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if path.exists():
            os.replace(path, previous)
        os.replace(partial, path)
    finally:
        if previous.exists() and not path.exists():
            os.replace(previous, path)
        for left in (partial, previous):
            shutil.rmtree(left, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut: a file's own sync does not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with LF line ends, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with new_file(path) as partial:
        partial.write_bytes(content)


def write_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file. Numpy's own writing says nothing of a full disk that could be told from a defect; this does."""
    written = io.BytesIO()
    np.save(written, array)
    path.write_bytes(written.getbuffer())


def write_json(path: Path, value: object) -> None:
    """Write JSON whose bytes are a function of the value: sorted keys, floats with at most 6 decimals.

    NaN and infinities become null: JSON has no word for them.
    """
    write_text(path, json.dumps(_plain(value), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict:
    """Read a JSON object that a stage wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return _plain(value.tolist())
    if isinstance(value, float):
        return (round(value, 6) + 0.0) if math.isfinite(value) else None  # + 0.0 turns -0.0 into 0.0
    return value


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, as 64 hex digits; read in pieces, so a film does not fill the memory."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def number(value: float | int | None, decimals: int = 6) -> str:
    """A number as text: a point, at most `decimals` decimals, no trailing zeros, no exponent; unknown is empty.

    >>> number(0.5), number(12.0), number(1 / 3), number(-0.0), number(None), number(float("nan"))
    ('0.5', '12', '0.333333', '0', '', '')
    """
    if value is None or math.isnan(value):
        return ""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
