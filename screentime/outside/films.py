"""Which films the words of a command mean, and what each is called."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from screentime.errors import InputError
from screentime.film_names import films_in
from screentime.tables import ALL_VIDEOS

NOT_A_NAME = {
    ".screentime",
    "index.html",
    "screen_time.csv",
    "together.csv",
    "groups.csv",
    ALL_VIDEOS,
}  # what lies beside the films, and the totals


@dataclass(frozen=True)
class Film:
    """A film outside a project.

    Attributes:
        video_id: the stem of its name, NFC, with the names of folders before it where two films have one stem.
        path: the film.
    """

    video_id: str
    path: Path


def films_of(words: Sequence[Path]) -> list[Film]:
    """The films that words mean, files and folders of films with their subfolders, each film once.

    Raises:
        InputError: a word is neither, or a folder has no film.
    """
    paths: dict[Path, Path] = {}  # the file itself -> as it was named first
    for word in words:
        if not word.exists():
            raise InputError(
                f"{word}: no such file was found, a film or a folder of films was expected; correct the path"
            )
        for path in films_in(word) if word.is_dir() else [word]:
            paths.setdefault(path.resolve(), path)
    films = [Film(name, path) for name, path in zip(_names(list(paths)), paths.values(), strict=True)]
    for film in films:
        if film.video_id.casefold() in NOT_A_NAME or film.video_id.endswith((".audit", ".skip")):
            raise InputError(f"{film.path}: a film may not be called '{film.video_id}', something else is; rename it")
    return films


def _names(paths: Sequence[Path]) -> list[str]:
    """A name for each of different files, no two alike without regard to case.

    >>> _names([Path("/s1/e01.mp4"), Path("/s2/e01.mkv"), Path("/s2/e02.mp4")])
    ['s1_e01', 's2_e01', 'e02']
    """
    depths = dict.fromkeys(paths, 1)
    while True:
        names = {path: _name(path, depth) for path, depth in depths.items()}
        times = Counter(name.casefold() for name in names.values())
        alike = [path for path, name in names.items() if times[name.casefold()] > 1]
        folders = {names[path].casefold(): set() for path in alike}
        for path in alike:
            folders[names[path].casefold()].add(path.parent)
        deeper = [path for path in alike if len(folders[names[path].casefold()]) > 1]
        if not deeper:  # what is still alike lies in one folder, as a.mp4 beside a.mkv
            return numbered(list(names.values()))
        for path in deeper:
            depths[path] += 1


def _name(path: Path, depth: int) -> str:
    return unicodedata.normalize("NFC", "_".join([*path.parts[-depth:-1], path.stem]))


def numbered(names: Sequence[str]) -> list[str]:
    """Names of which some may be alike, with a number behind those that come later.

    >>> numbered(["a", "b", "A"])
    ['a', 'b', 'A_2']
    """
    given: dict[str, str] = {}  # without regard to case -> as it is written
    for name in names:
        found, times = name, 1
        while found.casefold() in given:
            times += 1
            found = f"{name}_{times}"
        given[found.casefold()] = found
    return list(given.values())
