"""Clones of a project, as other people have them, and its films sampled or trained small."""

import subprocess
from pathlib import Path

from project import Project


class Clone(Project):
    """Another person's clone: nothing of DVC's cache, only what Git carries."""

    def __init__(self, of: Path, folder: Path, revision: str | None = None) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", str(of), str(folder)], check=True)
        introduce(self)
        if revision:
            self.run("git", "checkout", "--quiet", revision)


def introduce(project: Project) -> None:
    """Tell Git a name, which commits and tags carry."""
    project.run("git", "config", "user.name", "test")
    project.run("git", "config", "user.email", "test@example.org")


def remove_from_store(store: Path, digest: str) -> None:
    """Lose a file on a remote that is a folder of this machine."""
    (store / "files" / "md5" / digest[:2] / digest[2:]).unlink()
