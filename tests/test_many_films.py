"""Many films at once: ended at any moment, by any means, the run that follows comes to the same bytes."""

import os
import random
import shlex
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import synthetic
import yaml
from project import Project

ROOT = Path(__file__).parents[1]
DECLARED = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
FILMS = [f"film_{number:02d}.mp4" for number in range(20)]

# In every process of a run: each step that changes the folder of the project adds a byte to a file that all share; the
# step that makes it long enough ends the whole process group, without a chance to clean up.
KILLER = """
import os, signal, sys

def after_step(event, arguments):
    changes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir") or (
        event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
    )
    if changes and os.path.abspath(str(arguments[0])).startswith(HERE) and not ended:
        os.write(steps, b".")
        if os.fstat(steps).st_size >= LAST:
            ended.append(True)
            os.killpg(0, signal.SIGKILL)

if "KILLED_AFTER" in os.environ:
    HERE, LAST = os.environ["KILLED_IN"] + os.sep, int(os.environ["KILLED_AFTER"])
    ended = []
    steps = os.open(os.environ["KILLED_STEPS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    sys.addaudithook(after_step)
"""


class Killed:
    """Commands in a project that are killed, with all their processes, after a number of steps on disk."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self._folder = project, folder
        (folder / "sitecustomize.py").write_text(KILLER)

    def run(self, words: list[str], steps: int) -> int | None:
        """Run a command; how many steps it made, None where it was killed at the last of them."""
        counted = self._folder / "steps"
        counted.unlink(missing_ok=True)
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self._folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "KILLED_AFTER": str(steps),
            "KILLED_IN": str(self.project.folder),
            "KILLED_STEPS": str(counted),
        }
        for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME"):
            environment.pop(name, None)
        with open(self._folder / "said", "wb") as said:
            done = subprocess.run(
                words, cwd=self.project.folder, env=environment, stdout=said, stderr=said, start_new_session=True,
                check=False,
            )  # fmt: skip
        if done.returncode < 0:
            return None
        assert done.returncode == 0, (self._folder / "said").read_text()
        return counted.stat().st_size


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, hidden files too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(stage: str) -> list[str]:
    return [sys.executable, *shlex.split(DECLARED[stage]["cmd"])[1:]]


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Killed:
    """A project with 20 films of a second or two; the pictures of each begin at another number."""
    project = Project(tmp_path_factory.mktemp("project"))
    for number, film in enumerate(FILMS):

        def image(index: int, width: int, height: int, first: int = 100 * number) -> np.ndarray:
            return synthetic.numbered_image(first + index, width, height)

        starts_s = synthetic.constant_rate(5 + number % 3 * 2, Fraction(5))
        synthetic.write_film(project.folder / "data" / "videos" / film, starts_s, image_of=image)
    project.own_films(*FILMS)
    project.set_params(sample={"fps": 5.0}, embed={"width": 64, "height": 64})
    project.commit("films")
    return Killed(project, tmp_path_factory.mktemp("killer"))


def set_workers(project: Project, workers: int) -> None:
    project.set_params(sample={"workers": workers}, embed={"workers": workers})


@pytest.mark.parametrize(("stage", "folder", "kills"), [("sample", "frames", 30), ("embed", "features", 6)])
def test_killed_again_and_again_a_run_ends_with_the_bytes_of_an_undisturbed_one(killed, stage, folder, kills):
    place = killed.project.folder / "data" / folder
    set_workers(killed.project, 1)
    steps = killed.run(command(stage), 10**9)
    whole = contents(place)
    films = {name.partition(".")[0] for name in whole if name.endswith(".key.json")} & {film[:-4] for film in FILMS}
    assert len(films) == len(FILMS)
    for path in place.iterdir():
        if path.is_file():
            path.unlink()

    draw = random.Random(3)
    killed_after = []
    while len(killed_after) < kills:
        set_workers(killed.project, draw.choice([1, 2]))
        after = draw.randint(1, steps // 8)
        if killed.run(command(stage), after) is None:
            killed_after.append(after)
        else:  # all done before the last kill: begin anew
            assert contents(place) == whole
            shutil.rmtree(place)
    killed.run(command(stage), 10**9)

    assert contents(place) == whole
    assert not list(killed.project.folder.rglob("*.partial"))
