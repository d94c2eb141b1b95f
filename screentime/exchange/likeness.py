"""Which sampled frame a picture shows, by what is in it: never by a number in its name over a frame rate.

Pictures are compared as small grey thumbnails, freed of brightness and contrast, so that another size, another shape or a
strong JPEG does not matter. Likeness is their correlation.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

WIDTH, HEIGHT = 48, 27  # pixels of a thumbnail; 16:9, whatever shape the picture has
FLAT = 3.0  # grey levels of standard deviation: a black or white picture is like any other
ALIKE = 0.98  # correlation from which a picture is that frame; of another film it was at most 0.83, measured
APART = 0.005  # a frame elsewhere that is nearly as like as the best: then nobody can tell which of them it is


PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


class Match(NamedTuple):
    """The frame, as its index, or None with the reason in a few words."""

    frame: int | None
    reason: str = ""


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a folder and its subfolders, by their endings, in order."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURES and path.is_file()]


def read_picture(path: Path) -> np.ndarray | None:
    """A picture's file as (height, width, 3) uint8, RGB; None where it is none, or not whole."""
    data = path.read_bytes() or b"\0"
    if data.startswith(b"\xff\xd8") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        return None  # a JPEG that was cut off: its last scan has no end; OpenCV would fill it with grey
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def thumbnail(image: np.ndarray) -> np.ndarray:
    """A picture as a vector of length 1, or of zeros where nothing is to be seen in it.

    Args:
        image: (height, width, 3) uint8, RGB.

    Returns:
        (WIDTH * HEIGHT,) float32.
    """
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    values = grey.astype(np.float32).ravel()
    values -= values.mean()
    return values / np.linalg.norm(values) if values.std() >= FLAT else np.zeros_like(values)


def thumbnails(images: Iterable[np.ndarray]) -> np.ndarray:
    """(n, WIDTH * HEIGHT) float32, a row for each picture."""
    rows = [thumbnail(image) for image in images]
    return np.stack(rows) if rows else np.empty((0, WIDTH * HEIGHT), np.float32)


def matched(picture: np.ndarray, frames: np.ndarray) -> Match:
    """The frame that a picture shows.

    Neighbouring frames that are all as like as the best are one place in the film, and the best of them is it. Where a
    frame elsewhere is nearly as like, the picture could be either and is neither.

    Args:
        picture: (WIDTH * HEIGHT,) float32, its thumbnail.
        frames: (n_frames, WIDTH * HEIGHT) float32, those of the sampled frames in order of time.

    >>> frames = np.eye(3, dtype=np.float32)
    >>> matched(frames[1], frames), matched(0 * frames[1], frames)
    (Match(frame=1, reason=''), Match(frame=None, reason='nothing to be seen in it'))
    """
    if not picture.any():
        return Match(None, "nothing to be seen in it")
    likeness = frames @ picture
    best = int(likeness.argmax())
    if likeness[best] < ALIKE:
        return Match(None, "no frame like it")
    near = np.flatnonzero(likeness < likeness[best] - APART)
    first, end = near[near < best].max(initial=-1) + 1, near[near > best].min(initial=len(frames))
    if (
        likeness[:first].max(initial=-1) >= likeness[best] - APART
        or likeness[end:].max(initial=-1) >= likeness[best] - APART
    ):
        return Match(None, "several places like it")
    return Match(best)
