"""Projects with data to share, their copies, and clones as other people have them."""

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import synthetic
from project import Project

FILES = 6  # of film_project: a film, the list of the folder of its frames, and the four files in it


class Clone(Project):
    """Another person's clone: nothing of DVC's cache, only what Git carries."""

    def __init__(self, of: Path, folder: Path, revision: str | None = None) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", str(of), str(folder)], check=True)
        introduce(self)
        if revision:
            self.run("git", "checkout", "--quiet", revision)


def film_project(folder: Path) -> Project:
    """A project of one film, under DVC as data/videos/film.mp4, and its sampled frames; committed."""
    project = Project(folder)
    introduce(project)
    film = Path("data", "videos", "film.mp4")
    synthetic.write_film(folder / film, synthetic.constant_rate(120, Fraction(24)))
    project.own_films("film.mp4")
    project.run("dvc", "add", str(film))
    project.run("dvc", "repro", "sample")
    project.commit("a film")
    return project


def copied(project: Project, folder: Path) -> Project:
    """The same project with all its data in another folder."""
    shutil.copytree(project.folder, folder, symlinks=True)
    copy = Project.__new__(Project)
    copy.folder = folder
    return copy


def another(owner: Project, folder: Path) -> Clone:
    """A second clone with the same keys, and nothing else."""
    clone = Clone(owner.folder, folder)
    shutil.copy(owner.folder / ".dvc" / "config.local", folder / ".dvc")
    return clone


def declare(project: Project, name: str, url: str, settings: dict | None = None, secrets: dict | None = None) -> None:
    """Make a remote the default one, as `dvc remote add --default` and `dvc remote modify [--local]` do."""
    told = {"config": {"url": url} | (settings or {}), "config.local": secrets or {}}
    for file, values in told.items():
        lines = [f"['remote \"{name}\"']", *(f"    {key} = {value}" for key, value in values.items())]
        if file == "config":
            lines = ["[core]", f"    remote = {name}", *lines]
        (project.folder / ".dvc" / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    project.commit("remote")


def introduce(project: Project) -> None:
    """Tell Git a name, which commits and tags carry."""
    project.run("git", "config", "user.name", "test")
    project.run("git", "config", "user.email", "test@example.org")


def remove_from_store(store: Path, digest: str) -> None:
    """Lose a file on a remote that is a folder of this machine."""
    (store / "files" / "md5" / digest[:2] / digest[2:]).unlink()
