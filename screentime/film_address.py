"""Where a page finds the film it tells of, so that it can play the moment."""

import os
from pathlib import Path
from urllib.parse import quote


def film_address(film: Path, folder: Path) -> str:
    """The address of a film as a page in a folder writes it.

    Relative, so that page and film can move together, and a page that is passed on names no folder above the two. Nothing is
    looked up on the disk: the same paths give the same address.

    Args:
        film: the film.
        folder: of the page. Both are absolute, or both as seen from one place.

    >>> film_address(Path("data/videos/s1/e 1#2.mp4"), Path("reports"))
    '../data/videos/s1/e%201%232.mp4'
    """
    try:
        return quote(Path(os.path.relpath(film, folder)).as_posix())
    except ValueError:  # another drive of Windows: no relative path leads there
        return film.absolute().as_uri()
