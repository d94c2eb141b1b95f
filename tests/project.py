"""A copy of this project in a folder of its own, for tests that run `dvc repro` as a user would."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import warm
import yaml

ROOT = Path(__file__).parents[1]
NETWORKS = Path("data") / "features" / "network"  # of the stage embed


class Project:
    """A Git repository with this project's code, params.yaml and dvc.yaml, and a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        for name in listed:
            if (ROOT / name).is_file() and not name.startswith(
                ("tests/", "docs/", "metrics/", "plots/", "data/labels/")
            ):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        (folder / "dvc.lock").unlink(missing_ok=True)
        (folder / "data" / "labels").mkdir(parents=True, exist_ok=True)
        (folder / "data" / "videos").mkdir(parents=True, exist_ok=True)
        self.run("git", "init", "--quiet")
        self.commit("begin")

    def run(self, *words: str, code: int | None = 0, cold: bool = False) -> str:
        """Run a command with this Python's environment first on PATH; its output and errors as one text.

        Its processes begin warm, with libraries that are imported already (see warm.py), unless `cold`: as a user's do.
        """
        if words[0] == "dvc":
            self._borrow()
        real = Path(sys.executable).parent
        first = real if cold else warm.commands(self.folder)
        environment = os.environ | {"PATH": os.pathsep.join([str(first), str(real), os.environ["PATH"]])}
        # the project's code is compiled once, not by each of its many processes
        for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "PYTHONDONTWRITEBYTECODE"):
            environment.pop(name, None)
        done = subprocess.run(
            words, cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False,
        )  # fmt: skip
        if code is not None and done.returncode != code:
            raise AssertionError(f"{' '.join(words)} ended with {done.returncode}, not {code}:\n{done.stdout}")
        if words[0] == "dvc":
            self._lend()
        return done.stdout

    def _lent(self) -> Path | None:
        """Where the tests of one run keep a backbone that one of their projects exported: 8 s of CPU, each time the same file.

        The stage embed takes it by its key, which names code, libraries and form, or exports its own.
        """
        run = next((one for one in self.folder.parents if re.fullmatch(r"pytest-\d+", one.name)), None)
        try:
            form = yaml.safe_load((self.folder / "params.yaml").read_text(encoding="utf-8"))["embed"]
            name = "-".join(str(form[key]) for key in ("backbone", "width", "height", "threads"))
        except (OSError, yaml.YAMLError, KeyError, TypeError):  # a test has spoiled them
            return None
        return run and run / "networks" / name.replace("/", "_")

    def _lend(self) -> None:
        """Keep what this project exported, for others."""
        lent = self._lent()
        if lent and not lent.exists() and list((self.folder / NETWORKS).glob("*.key.json")):
            lent.parent.mkdir(exist_ok=True)
            partial = lent.with_name(f"{lent.name}.{os.getpid()}")
            shutil.copytree(self.folder / NETWORKS, partial)
            try:
                partial.rename(lent)
            except OSError:  # another worker was first
                shutil.rmtree(partial)

    def _borrow(self) -> None:
        """Take what another project exported, where this one has nothing yet."""
        lent = self._lent()
        if lent and lent.is_dir() and not (self.folder / NETWORKS).parent.exists():
            shutil.copytree(lent, self.folder / NETWORKS)

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run(
            "git",
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.org",
            "commit",
            "--quiet",
            "-m",
            message,
            code=None,
        )

    def set_params(self, **sections: object) -> None:
        """Change sections of params.yaml: a mapping is merged into what is there, anything else replaces it."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(
            yaml.safe_dump(_merged(params, sections), sort_keys=False, allow_unicode=True), encoding="utf-8"
        )

    def own_films(self, *films: str) -> None:
        """No demo film, these films instead: in params.yaml, and in dvc.yaml as deps of sample."""
        path = self.folder / "dvc.yaml"
        pipeline = yaml.safe_load(path.read_text(encoding="utf-8"))
        pipeline["stages"].pop("demo", None)
        code = [dep for dep in pipeline["stages"]["sample"]["deps"] if not dep.startswith("data/videos/")]
        pipeline["stages"]["sample"]["deps"] = [*(f"data/videos/{film}" for film in films), *code]
        path.write_text(yaml.safe_dump(pipeline, sort_keys=False, allow_unicode=True), encoding="utf-8")
        self.set_params(videos=list(films))

    def stages_run(self, output: str) -> list[str]:
        """The stages that a `dvc repro` ran, in order, from what it printed."""
        return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


def _merged(there: dict, changes: dict) -> dict:
    return there | {
        name: _merged(there[name], value) if isinstance(value, dict) and isinstance(there.get(name), dict) else value
        for name, value in changes.items()
    }
