"""`label FILM` with a film that the project has never seen: taken in, sampled, embedded, and opened in the browser."""

import shutil
import signal
import time
from fractions import Fraction
from pathlib import Path

import pytest
import synthetic
from labeller_runs import Command
from project import Project

from screentime.commandline import label
from screentime.errors import InputError
from screentime.frames import decode_jpeg, open_frames
from screentime.params import load
from screentime.project.begin import empty_project
from screentime.project.cast import add_characters

LENGTH_S, RATE = 12, 5


@pytest.fixture
def project(tmp_path) -> Project:
    """An empty project with a cast, whose network looks at small pictures."""
    project = Project(tmp_path / "project")
    empty_project(project.folder, "mine")
    add_characters(project.folder, ["tom", "jerry"])
    project.set_params(sample={"workers": 1}, embed={"width": 64, "height": 64, "workers": 1})
    project.commit("an empty project")
    return project


@pytest.fixture
def film(tmp_path) -> Path:
    """A film outside the project."""
    path = tmp_path / "my films" / "episode 1.mp4"
    path.parent.mkdir()
    synthetic.write_film(path, synthetic.constant_rate(LENGTH_S * RATE, Fraction(RATE)))
    return path


def test_a_film_never_seen_before_is_taken_in_and_opened(project, film, tmp_path):
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{opened}.part" && mv "{opened}.part" "{opened}"\n')
    browser.chmod(0o755)
    project.run("dvc", "root")  # borrows a backbone that another test's project exported
    command = Command(project.folder, str(film), browser=str(browser), code=project.folder)
    one = command.running()
    said = "".join(command.said)

    assert f"data/videos/{film.name}: 0:12, 0.0 MB, linked\n" in said
    assert (project.folder / "data" / "videos" / film.name).read_bytes() == film.read_bytes()
    assert said.index("sampling and embedding first:\n") < said.index("sampling, 1 of 1 videos done: 100%|")
    assert "embedding, 1 of 1 videos done: 100%|" in said
    items = one.do("/api/page", view="start")["items"]
    assert {item["v"] for item in items} == {film.stem}
    frames = open_frames(project.folder / "data" / "frames", film.stem)
    assert [synthetic.number_of(decode_jpeg(frames.jpeg(place))) for place in range(len(frames))] == list(
        range(0, 60, 5)
    )
    end = time.monotonic() + 60
    while not opened.exists():
        assert time.monotonic() < end, "no browser was opened"
        time.sleep(0.05)
    assert opened.read_text() == one.address

    command.kill(signal.SIGINT)
    assert command.ended()[0] == 0
    opened.unlink()
    again = Command(project.folder, "--no-browser", browser=str(browser), code=project.folder)
    assert again.running().token != one.token  # of each run its own
    time.sleep(1)  # a browser would be opened half a second behind the address
    again.kill(signal.SIGINT)
    code, said = again.ended()
    assert (code, "sampling" in said, opened.exists()) == (0, False, False)


def test_a_film_elsewhere_of_the_same_name_is_not_taken_for_the_projects_own(project, film, tmp_path):
    project.run("python", "-m", "screentime", "video", "add", str(film))
    same, other = tmp_path / "copies" / film.name, tmp_path / "others" / film.name
    for path in (same, other):
        path.parent.mkdir()
    shutil.copy(film, same)
    synthetic.write_film(other, synthetic.constant_rate(4 * RATE, Fraction(RATE)))

    assert label._taken_in(project.folder, load(project.folder / "params.yaml"), [str(same)]) == {film.stem}
    with pytest.raises(InputError, match="is there already and may be another film"):
        label._taken_in(project.folder, load(project.folder / "params.yaml"), [str(other)])
