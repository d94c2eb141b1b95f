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
import warm
import yaml
from project import Project
from report_data import FilmPlan, report_params, write_data

from screentime.frames import encode_jpeg
from stages.report import report

ROOT = Path(__file__).parents[1]
DECLARED = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
FILMS = [f"film_{number:02d}.mp4" for number in range(20)]

# In every process of a run: each step that changes the folder of the project adds a byte to a file that all share; the
# step that makes it long enough ends the whole process group, without a chance to clean up.
KILLER = """
import errno, os, signal, sys

def after_step(event, arguments):
    changes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir") or (
        event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
    )
    if changes and os.path.abspath(str(arguments[0])).startswith(HERE) and not ended:
        os.write(steps, b".")
        if os.fstat(steps).st_size >= LAST:
            ended.append(True)
            os.killpg(0, signal.SIGKILL)

def is_full(event, arguments):
    if event == "open" and (arguments[2] or 0) & os.O_CREAT and os.path.abspath(str(arguments[0])).startswith(FULL):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))

if "FULL_IN" in os.environ:
    FULL = os.environ["FULL_IN"] + os.sep
    sys.addaudithook(is_full)
if "KILLED_AFTER" in os.environ:
    HERE, LAST = os.environ["KILLED_IN"] + os.sep, int(os.environ["KILLED_AFTER"])
    ended = []
    steps = os.open(os.environ["KILLED_STEPS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    sys.addaudithook(after_step)
"""
# A stage as the leader of a group of its own, in a process that has the libraries already and so has not read the above.
LEADER = """
import os, runpy, sys
os.setpgid(0, 0)
import sitecustomize
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class Killed:
    """Commands in a project that are killed, with all their processes, after a number of steps on disk."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self._folder, self._steps = project, folder, folder / "steps"
        (folder / "sitecustomize.py").write_text(KILLER)

    def run(self, words: list[str], steps: int = 10**9) -> int | None:
        """Run a command; how many steps it made, None where it was killed at the last of them."""
        code, said = self.end(words, steps)
        if code < 0:
            return None
        assert code == 0, said
        return self._steps.stat().st_size

    def end(self, words: list[str], steps: int = 10**9, full: Path = Path("/nowhere")) -> tuple[int, str]:
        """Run a command that may fail, with a folder where no new file can be written; its exit code and its words."""
        self._steps.unlink(missing_ok=True)
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self._folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "KILLED_AFTER": str(steps),
            "KILLED_IN": str(self.project.folder),
            "KILLED_STEPS": str(self._steps),
            "FULL_IN": str(full),
        }
        for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME"):
            environment.pop(name, None)
        with open(self._folder / "said", "wb") as said:
            done = subprocess.run(
                words, cwd=self.project.folder, env=environment, stdout=said, stderr=said, start_new_session=True,
                check=False,
            )  # fmt: skip
        return done.returncode, (self._folder / "said").read_text()


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, hidden files too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(project: Project, stage: str) -> list[str]:
    return [str(warm.commands(project.folder) / "python"), "-c", LEADER, *shlex.split(DECLARED[stage]["cmd"])[2:]]


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


@pytest.mark.parametrize(("stage", "folder", "kills"), [("sample", "frames", 20), ("embed", "features", 4)])
def test_killed_again_and_again_a_run_ends_with_the_bytes_of_an_undisturbed_one(killed, stage, folder, kills):
    place = killed.project.folder / "data" / folder
    set_workers(killed.project, 1)
    killed.run(command(killed.project, "sample"))
    shutil.rmtree(place, ignore_errors=True)
    steps = killed.run(command(killed.project, stage))
    whole = contents(place)
    films = {name.partition(".")[0] for name in whole if name.endswith(".key.json")} & {film[:-4] for film in FILMS}
    assert len(films) == len(FILMS)
    for path in place.iterdir():
        if path.is_file():
            path.unlink()

    draw = random.Random(3)
    killed_after = []
    while len(killed_after) < kills:
        set_workers(killed.project, draw.choice([1, 1, 1, 2]))
        after = draw.randint(1, steps // 8)
        if killed.run(command(killed.project, stage), after) is None:
            killed_after.append(after)
        else:  # all done before the last kill: begin anew
            assert contents(place) == whole
            shutil.rmtree(place)
    killed.run(command(killed.project, stage))

    assert contents(place) == whole
    assert not list(killed.project.folder.rglob("*.partial"))


def test_a_killed_repro_is_gone_on_with_and_ends_with_the_bytes_of_an_undisturbed_one(killed):
    project, words = killed.project, [sys.executable, "-m", "dvc", "repro", "sample"]
    set_workers(project, 1)
    steps = killed.run(words)
    whole, lock = contents(project.folder / "data" / "frames"), (project.folder / "dvc.lock").read_bytes()

    draw = random.Random(4)
    for after in [draw.randint(1, steps // 2) for _ in range(2)]:
        forget(project)
        while killed.run(words, after) is None:
            after = draw.randint(after + 1, 2 * steps)

        assert contents(project.folder / "data" / "frames") == whole
        assert (project.folder / "dvc.lock").read_bytes() == lock


def forget(project: Project) -> None:
    """As if sample had never run."""
    shutil.rmtree(project.folder / "data" / "frames", ignore_errors=True)
    shutil.rmtree(project.folder / ".dvc" / "cache")
    (project.folder / "dvc.lock").unlink()


@pytest.fixture(scope="module")
def sampled(killed) -> Project:
    """The project with films sampled and labels projected by `dvc repro`."""
    (killed.project.folder / "data" / "labels" / "film_03.csv").write_text(
        "start_s,end_s,character,present\n0,,bunny,1\n"
    )
    killed.project.run("dvc", "repro", "label")
    return killed.project


def cut_short(path: Path) -> None:
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)


def changed_in_place(path: Path) -> None:
    data = path.read_bytes()
    with open(path, "r+b") as file:
        file.seek(len(data) // 2)
        file.write(bytes([data[len(data) // 2] ^ 1]))


def written_anew(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data + b"\n")


@pytest.mark.parametrize("name", ["film_03.mjpeg", "film_03.csv", "film_03.key.json"])
@pytest.mark.parametrize("damage", [cut_short, changed_in_place, written_anew])
def test_repro_makes_a_damaged_file_again_and_what_follows_keeps_its_bytes(sampled, name, damage):
    before, lock = contents(sampled.folder / "data"), (sampled.folder / "dvc.lock").read_bytes()
    damage(sampled.folder / "data" / "frames" / name)

    output = sampled.run("dvc", "repro", "label")

    assert sampled.stages_run(output) == ["sample"]
    assert "1 of 20 films sampled now" in output or name.endswith(".key.json")
    assert contents(sampled.folder / "data") == before
    assert (sampled.folder / "dvc.lock").read_bytes() == lock


def test_damage_that_dvc_does_not_see_is_made_good_by_force(sampled):
    before, path = contents(sampled.folder / "data"), sampled.folder / "data" / "frames" / "film_07.mjpeg"
    times = path.stat()
    changed_in_place(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert "1 of 20 films sampled now" in sampled.run("dvc", "repro", "--single-item", "--force", "sample")
    assert contents(sampled.folder / "data") == before


def test_the_cache_is_copied_never_linked_so_that_damage_does_not_reach_it(sampled):
    assert sampled.run("dvc", "config", "cache.type").split() == ["reflink,copy"]
    assert all(path.stat().st_nlink == 1 for path in (sampled.folder / "data" / "frames").iterdir())


def test_no_room_in_the_cache_loses_nothing_and_the_next_run_fills_it(killed, sampled):
    before = contents(sampled.folder / "data")
    shutil.rmtree(sampled.folder / ".dvc" / "cache")
    code, said = killed.end([sys.executable, "-m", "dvc", "repro", "sample"], full=sampled.folder / ".dvc" / "cache")
    assert (code, "No space left on device" in said) == (0, True)  # DVC says it, and ends as if all were well
    table = sampled.run("python", "-m", "screentime", "disk")
    assert "\nnot in DVC's cache: data/audit, data/frames, data/skipped, data/targets; its disk was full, or " in table
    assert contents(sampled.folder / "data") == before

    sampled.run("dvc", "repro", "label")

    assert "not in DVC's cache" not in sampled.run("python", "-m", "screentime", "disk")
    assert contents(sampled.folder / "data") == before
    shutil.rmtree(sampled.folder / "data" / "frames")
    sampled.run("dvc", "checkout", "data/frames")
    assert contents(sampled.folder / "data") == before


def test_the_page_of_200_films_is_a_file_to_pass_on(tmp_path):
    cast = ["bunny", "frank", "rinky", "gamera", "butterfly", "bird"]
    films = {f"film_{number:03d}": FilmPlan(170, "count") for number in range(200)}
    grey = encode_jpeg(np.full((54, 96, 3), 128, np.uint8), 80)
    paths = write_data(tmp_path, cast, films, frame=lambda *_: grey)

    report(**paths, reports=tmp_path / "reports", params=report_params(cast, list(films)))

    assert (tmp_path / "reports" / "index.html").stat().st_size < 5e6
