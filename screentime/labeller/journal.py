"""Every answer, kept before it is acknowledged: an append-only file of JSON lines, one a batch, each synced to the disk.

The label files are written from it within a second. When the machine dies in between, the lines after the last written
file are replayed. A last line without its end was never acknowledged and is cut off.
"""

import json
import os
from pathlib import Path

from screentime.errors import InputError
from screentime.files import sync_folder


class Journal:
    """The journal of a project.

    Attributes:
        entries: what it holds, in order; each has a number `n`, from 1.
    """

    def __init__(self, path: Path) -> None:
        """Open a journal, or begin one.

        Raises:
            InputError: a line that is not one of a journal's.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.fsync(self._file)
        for folder in (path.parent, path.parent.parent):
            sync_folder(folder)
        self.entries = self._read()

    def append(self, *entries: dict) -> None:
        """Add entries, numbered from here on; when this returns they survive a power cut.

        Raises:
            OSError: no room on the disk; nothing was added.
        """
        for number, entry in enumerate(entries, len(self.entries) + 1):
            entry["n"] = number
        lines = "".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in entries)
        size = os.fstat(self._file).st_size
        try:
            _write_all(self._file, lines.encode("utf-8"))
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise
        self.entries += entries

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

    def _read(self) -> list[dict]:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):  # cut off while it was written: never acknowledged
            os.ftruncate(self._file, whole)
            os.fsync(self._file)
        entries = []
        for line, text in enumerate(data[:whole].splitlines(), 1):
            try:
                entry = json.loads(text)
                if entry["n"] != line:
                    raise ValueError(entry["n"])
            except (ValueError, KeyError, TypeError):
                raise InputError(
                    f"{self.path}: line {line}: this is not an entry of the labeller's journal, it was changed or damaged; "
                    "the label files hold all that was written to them: move the journal away and start again"
                ) from None
            entries.append(entry)
        return entries


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
