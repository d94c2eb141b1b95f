"""Ctrl-C or a full disk in a stage: one sentence, nothing half-written, and running again goes on."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import excerpt
import pytest
import synthetic
import yaml
from project import Project
from stores import empty_store

ROOT = Path(__file__).parents[1]
DECLARED = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
INTERRUPTED = "interrupted: nothing half-written was left; run the same command again to go on"
NO_ROOM = "nothing half-written was left: make room (`python -m screentime disk` says what a project may free) or give access, then run again"
CAST = ["bunny", "frank", "rinky"]


class Results:
    """The stages of a short real film, run one by one, with what each wrote and how often it wrote."""

    def __init__(self, project: Project, commands: subprocess.Popen) -> None:
        self.project, self._commands = project, commands
        self.whole: dict[str, dict[str, dict[str, bytes]]] = {}
        self.writes: dict[str, int] = {}

    def disturb(self, stage: str, write: int = 0, size: int = 0) -> tuple[int, str]:
        """Run a stage with Ctrl-C at a write, or with files that may not grow beyond a size; its exit code and errors."""
        options = shlex.split(DECLARED[stage]["cmd"])[3:]
        print(json.dumps([stage, write, size, options]), file=self._commands.stdin, flush=True)
        code, errors = json.loads(self._commands.stdout.readline())
        return code, errors

    def outputs(self, stage: str) -> dict[str, dict[str, bytes]]:
        """What lies at each output of a stage: the bytes of its files by name; absent ones are empty.

        A folder that outlives a run is filled bit by bit: each folder in it stands for itself.
        """
        found = {}
        for kind in ("outs", "metrics", "plots"):
            for out in DECLARED[stage].get(kind, []):
                path = self.project.folder / (out if isinstance(out, str) else next(iter(out)))
                files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
                outlives = isinstance(out, dict) and "persist" in next(iter(out.values()))
                found[str(path)] = {}
                for file in files:
                    place = found.setdefault(str(file.parent if outlives else path), {})
                    place[str(file.relative_to(path.parent))] = file.read_bytes()
        return found

    def remember(self, stage: str) -> None:
        """Run a stage whole and keep what it wrote."""
        code, errors = self.disturb(stage)
        assert code == 0, f"{stage}: {errors}"
        self.whole[stage] = self.outputs(stage)
        self.writes[stage] = int((self.project.folder / "writes").read_text())

    def forget(self, stage: str) -> None:
        """Remove what outlives a run, which the stage would find done: films' folders, and runs in MLflow.

        `publish` finds no store at all, others an empty one: making it costs seconds.
        """
        for path in self.project.folder.glob("mlflow.db*"):
            path.unlink()
        shutil.rmtree(self.project.folder / "mlruns", ignore_errors=True)
        if stage != "publish":
            empty_store(self.project.folder)
        for out in DECLARED[stage].get("outs", []):
            if isinstance(out, dict):
                shutil.rmtree(self.project.folder / next(iter(out)), ignore_errors=True)

    def assert_whole_or_absent(self, stage: str) -> None:
        for out, files in self.outputs(stage).items():
            assert files in ({}, self.whole[stage][out]), f"{out} holds {sorted(files)}"
        left = [path for path in self.project.folder.rglob("*.partial") if ".git" not in path.parts]
        assert left == []


@pytest.fixture(scope="module")
def results(tmp_path_factory, demo_excerpt) -> Iterator[Results]:
    project = Project(tmp_path_factory.mktemp("project"))
    excerpt.put_into(project, demo_excerpt, CAST)
    small = {"width": 64, "height": 64}
    project.set_params(
        embed=small,
        preprocess=small,
        train={"method": "probe", "folds": 3, "probe": {"epochs": 3}},
        suggest={"frames": 9},
    )
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    script = Path(__file__).with_name("interrupted.py")
    with subprocess.Popen(
        [sys.executable, str(script), *DECLARED], cwd=project.folder, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as commands:  # fmt: skip
        results = Results(project, commands)
        for stage in DECLARED:
            results.remember(stage)
        yield results
        commands.stdin.close()


@pytest.mark.parametrize("stage", DECLARED)
def test_ctrl_c_leaves_outputs_whole_or_absent_and_running_again_makes_them(results, stage):
    writes = results.writes[stage]
    for write in sorted({1, (writes + 1) // 2, writes}):
        results.forget(stage)
        code, errors = results.disturb(stage, write=write)

        assert (code, errors.splitlines()[-1:]) == (130, [INTERRUPTED]), f"write {write}"
        assert "Traceback" not in errors
        results.assert_whole_or_absent(stage)

    assert results.disturb(stage)[0] == 0
    assert results.outputs(stage) == results.whole[stage]


@pytest.mark.parametrize("stage", [stage for stage in DECLARED if stage != "publish"])  # its store is no output
def test_a_full_disk_leaves_outputs_whole_or_absent_and_is_one_sentence(results, stage):
    results.forget(stage)
    largest = max(len(data) for files in results.whole[stage].values() for data in files.values())
    code, errors = results.disturb(stage, size=largest // 2)

    assert code == 1
    assert errors.splitlines()[-1].endswith(NO_ROOM)
    assert "Traceback" not in errors
    results.assert_whole_or_absent(stage)

    assert results.disturb(stage)[0] == 0
    assert results.outputs(stage) == results.whole[stage]


def test_ctrl_c_ends_every_worker_at_once_and_keeps_the_films_that_were_done(tmp_path):
    project = Project(tmp_path)
    params = {"workers": 2, "fps": 25}
    write_film(project, "a.mp4", 25)
    project.set_params(videos=["a.mp4"], sample=params)
    command = shlex.split(DECLARED["sample"]["cmd"])[1:]
    project.run(sys.executable, *command)
    write_film(project, "b.mp4", 2500)
    shutil.copy(tmp_path / "data" / "videos" / "b.mp4", tmp_path / "data" / "videos" / "c.mp4")
    project.set_params(videos=["a.mp4", "b.mp4", "c.mp4"])

    working = subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=hear_ctrl_c,
    )  # fmt: skip
    frames = tmp_path / "data" / "frames"
    while not all((frames / f".{name}.partial" / f"{name}.mjpeg").is_file() for name in "bc"):
        assert working.poll() is None, working.stderr.read()
        time.sleep(0.01)
    os.killpg(working.pid, signal.SIGINT)  # as the terminal does: every process gets it
    _, errors = working.communicate()

    assert working.returncode == 130
    assert errors.splitlines()[-1] == INTERRUPTED
    assert "Traceback" not in errors
    assert {path.name for path in frames.iterdir()} == {"a.mjpeg", "a.csv", "a.json", "a.key.json"}
    assert "data/frames: 2 of 3 films sampled now" in project.run(sys.executable, *command)


def hear_ctrl_c() -> None:
    """Undo what a shell's background job inherits: it ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def write_film(project: Project, name: str, n_frames: int) -> None:
    starts_s = synthetic.constant_rate(n_frames, Fraction(25))
    path = project.folder / "data" / "videos" / name
    synthetic.write_film(path, starts_s, codec_options={"preset": "ultrafast"}, width=320, height=240)
