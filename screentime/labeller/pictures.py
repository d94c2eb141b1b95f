"""The pictures that the page shows: packed frames as they are, and frames of the film itself, in full size."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av

from screentime.errors import InputError
from screentime.frames import FramePack, encode_jpeg
from screentime.video import image_at

QUALITY = 88
STEPS = 12  # pictures of two seconds around a frame


class Pictures:
    """Pictures of the open films, each asked for by kind, film and number.

    Kinds: `frame`, the packed frame; `native`, the same moment from the film itself; `motion`, one of STEPS pictures of
    the two seconds around a frame, number frame * STEPS + step; none of them at a whole second from it, where its neighbours
    were sampled, which an audit may have drawn.
    """

    def __init__(self, frames: Mapping[str, FramePack], films: Mapping[str, Path]) -> None:
        self._frames, self._films = frames, films
        self._native = lru_cache(maxsize=64)(self._read)

    def get(self, kind: str, video: str, number: int) -> bytes | None:
        """A JPEG, None where there is no such picture."""
        pack = self._frames.get(video)
        if pack is None:
            return None
        frame, step = divmod(number, STEPS) if kind == "motion" else (number, None)
        if not 0 <= frame < len(pack):
            return None
        try:
            if kind == "frame":
                return pack.jpeg(frame)
            if kind in ("native", "motion"):
                return self._native(video, frame, step)
        except InputError:
            return None
        return None

    def _read(self, video: str, frame: int, step: int | None) -> bytes:
        pack = self._frames[video]
        film = self._films.get(video)
        time_s = Fraction(str(round(float(pack.frame_times_s[frame]), 6)))
        if step is not None:
            time_s = Fraction(str(round(float(pack.times_s[frame]), 6))) - 1 + Fraction(2 * step + 1, STEPS)
            time_s = max(Fraction(0), time_s)
        if film is None or not film.is_file():
            return pack.jpeg(frame)
        try:
            image = image_at(film, Fraction(str(pack.facts["first_frame_time_s"])), time_s)
        except (InputError, av.FFmpegError):
            return pack.jpeg(frame)
        return encode_jpeg(image, QUALITY)
