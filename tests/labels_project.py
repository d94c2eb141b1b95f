"""A folder with parameters and one sampled film, for tests of the commands about labels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from film_tables import sampled, written

from screentime.__main__ import main

ROOT = Path(__file__).parents[1]
HEADER = "start_s,end_s,character,present,source,annotator,at"


class LabelsProject:
    """A project of one film of 20 frames, `film`, with a cast of ann and bob; commands run inside this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
        self.folder, self._capsys = folder, capsys
        text = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("big_buck_bunny.mp4", "film.mp4")
        begin, end = text.index("cast:\n"), text.index("# Sets of pictures")
        cast = "cast:\n  - ann  # the first\n  - bob\n\n"
        (folder / "params.yaml").write_text(text[:begin] + cast + text[end:], encoding="utf-8")
        (folder / "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
        self.frames = sampled(folder / "data" / "frames")
        written(folder / "data" / "videos" / "film.mp4")
        (folder / "data" / "labels").mkdir()
        monkeypatch.chdir(folder)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, output and errors of a command line."""
        code = 0
        try:
            main(words)
        except SystemExit as end:
            code = end.code
        return (code, *self._capsys.readouterr())

    def told(self, *words: str) -> str:
        """What a command prints that ends well."""
        code, output, errors = self.run(*words)
        assert (code, errors) == (0, "")
        return output

    def refused(self, *words: str) -> str:
        """The sentence of a command that is refused."""
        code, _, errors = self.run(*words)
        assert code == 1
        return errors.removesuffix("\n")

    def write(self, name: str, *lines: str, header: str = HEADER) -> Path:
        """A file in the label folder."""
        return written(self.folder / "data" / "labels" / name, header, *lines)

    def rows(self, name: str = "film.csv") -> list[str]:
        """The rows of a file in the label folder."""
        return (self.folder / "data" / "labels" / name).read_text(encoding="utf-8").splitlines()[1:]

    def git(self, *words: str) -> None:
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        subprocess.run(["git", *identity, *words], cwd=self.folder, check=True, capture_output=True)

    def commit(self) -> None:
        if not (self.folder / ".git").is_dir():
            self.git("init", "--quiet")
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", "as it is")

    def in_terminal(self, typed: str, *words: str) -> str:
        """What a command shows in a terminal in which a person types, a line at a time as it is asked."""
        import pty

        outer, inner = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "screentime", *words], cwd=self.folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=inner, stdout=inner, stderr=inner,
        )  # fmt: skip
        os.close(inner)
        shown, left = b"", typed.splitlines()
        while True:
            try:
                piece = os.read(outer, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not piece:
                break
            shown += piece
            if shown.endswith(b"m/t/?/s/q: ") and left:
                os.write(outer, left.pop(0).encode() + b"\n")
        os.close(outer)
        assert process.wait() == 0, shown.decode()
        return shown.decode().replace("\r\n", "\n")
