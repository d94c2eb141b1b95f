"""Which files of a folder are films, by their names."""

from pathlib import Path

from screentime.errors import InputError

FILM_SUFFIXES = frozenset(
    [
        ".3gp",
        ".asf",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
    ]
)


def films_in(folder: Path) -> list[Path]:
    """The films of a folder and its subfolders, in order of name; hidden files are none.

    Raises:
        InputError: there is none.
    """
    films = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in FILM_SUFFIXES and _is_shown(path)]
    if not films:
        raise InputError(
            f"{folder}: no film was found in this folder, files ending in {', '.join(sorted(FILM_SUFFIXES))} were "
            "expected; name the files themselves if they are called otherwise"
        )
    return films


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".") and path.is_file()
