"""How much room packed frames will take, and whether the disk has it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from screentime.errors import InputError
from screentime.video import VideoHeader

LONG_S = 60.0  # of film: from here on the estimate is told before the work begins

# A frame of 448 x 252 pixels at quality 72 takes 11 to 15 KB on cartoons; larger pictures take less per pixel. Measured on
# three films; grain and snow take more, so that only what is off by more than a factor of two is refused.
_BYTES, _POWER = 1.3, 0.8
_QUALITIES = (30, 50, 60, 72, 80, 90, 95, 100)
_TIMES_AS_MUCH = (0.53, 0.72, 0.82, 1.0, 1.2, 1.73, 2.4, 4.8)


def packed_bytes(header: VideoHeader, fps: float, jpeg_quality: int) -> float:
    """About how many bytes the packed frames of a film will take; 0 where the film does not say how long it is.

    >>> from screentime.video import VideoHeader
    >>> round(packed_bytes(VideoHeader(3600.0, 448 * 252), fps=1, jpeg_quality=72) / 1e6)
    52
    """
    of_one = _BYTES * header.n_pixels**_POWER * float(np.interp(jpeg_quality, _QUALITIES, _TIMES_AS_MUCH))
    return header.length_s * fps * of_one


def room_told(folder: Path, headers: Sequence[VideoHeader], fps: float, jpeg_quality: int) -> str | None:
    """What sampling will need and what the disk has, before the work begins; None where it is little.

    Args:
        folder: where the packed frames go.
        headers: of the films to sample.

    Raises:
        InputError: the disk clearly cannot hold them: not even half of the estimate.
    """
    length_s = sum(header.length_s for header in headers)
    if length_s < LONG_S:
        return None
    needed = sum(packed_bytes(header, fps, jpeg_quality) for header in headers)
    free = shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.exists())).free
    if free < needed / 2:
        raise InputError(
            f"{folder}: {size_text(free)} are free on this disk, about {size_text(needed)} were expected for "
            f"{length_text(length_s)} of film; make room (`python -m screentime disk` says where), lower sample.fps or "
            "sample.max_side, or sample fewer films at a time"
        )
    return (
        f"{folder}: {length_text(length_s)} of film to sample, about {size_text(needed)}, and as much again in DVC's cache "
        f"where it copies; {size_text(free)} are free on this disk"
    )


def size_text(n_bytes: float) -> str:
    """A size as a person reads it, in powers of ten.

    >>> size_text(0), size_text(56_000_000), size_text(1_234_000_000), size_text(12_345_000_000_000)
    ('0 B', '56 MB', '1.2 GB', '12 TB')
    """
    power = 0
    while n_bytes >= 999.5 and power < 4:
        n_bytes, power = n_bytes / 1000, power + 1
    return f"{n_bytes:.1f} {_UNITS[power]}" if power and n_bytes < 9.95 else f"{n_bytes:,.0f} {_UNITS[power]}"


_UNITS = ("B", "KB", "MB", "GB", "TB")


def length_text(seconds: float) -> str:
    """How long films are, about.

    >>> length_text(45), length_text(600), length_text(75_600)
    ('45 s', '10 min', '21 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours = seconds / 3600
    return f"{seconds / 60:.0f} min" if hours < 1.5 else f"{hours:.1f} h" if hours < 9.95 else f"{hours:,.0f} h"
