"""The last seconds, always at hand, and the clip of an event that is written from them on."""

from collections import deque
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from screentime.frames import decode_jpeg, encode_jpeg
from screentime.outside.film_writer import FilmWriter
from screentime.watching.source import LiveFrame

FPS = 12.5  # frames a second of a clip, at most
SIDE, QUALITY = 640, 80  # the longer side of its pictures, pixels, and how they wait
GAP_S = Fraction(2, 25)
MILLISECOND = Fraction(1, 1000)

Moment = tuple[float, bytes]  # when a frame came, seconds on the clock of the watch, and its JPEG


class Past:
    """The frames of the last seconds as small JPEGs: some 40 KB each.

    Args:
        kept_s: how far back they go, seconds.
    """

    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self.moments: deque[Moment] = deque()

    def add(self, frame: LiveFrame) -> Moment:
        """Keep a frame."""
        moment = frame.shown_s, encode_jpeg(frame.image(SIDE), QUALITY)
        self.moments.append(moment)
        while self.moments[0][0] < frame.shown_s - self._kept_s:
            self.moments.popleft()
        return moment


class EventClip:
    """A clip that grows until its end is known and past; whole, or not there.

    Args:
        path: the film.
        longest_s: it is never longer.
    """

    def __init__(self, path: Path, longest_s: float) -> None:
        self.path = path
        self.until_s: float | None = None  # where it ends; None: not yet known
        self._longest_s = longest_s
        self._writer: FilmWriter | None = None
        self._first_s = 0.0
        self._waiting: Moment | None = None  # the newest frame: how long it is shown is not yet known

    def add(self, moment: Moment) -> bool:
        """Go on with a frame; False: the clip is over, to be finished."""
        if self._waiting is None:
            self._first_s = moment[0]
        else:
            self._show(self._waiting, moment[0])
        self._waiting = moment
        ends_s = (
            self._first_s + self._longest_s
            if self.until_s is None
            else min(self.until_s, self._first_s + self._longest_s)
        )
        return moment[0] < ends_s

    def finish(self) -> None:
        """Write the last frame, and give the film its name. There is at least one frame."""
        self._show(self._waiting, self._waiting[0] + float(GAP_S))
        self._writer.finish()

    def discard(self) -> None:
        """Leave nothing, where it was not finished."""
        if self._writer is not None:
            self._writer.discard()

    def _show(self, moment: Moment, end_s: float) -> None:
        image = decode_jpeg(moment[1])
        if self._writer is None:
            self._writer = FilmWriter(self.path, (image.shape[1], image.shape[0]), GAP_S)
        start, end = (round((at_s - self._first_s) / MILLISECOND) * MILLISECOND for at_s in (moment[0], end_s))
        if end > start:
            self._writer.show_image(image, start, end)


def stamp(at: datetime) -> str:
    """A moment as part of a file's name; later ones sort behind.

    >>> stamp(datetime(2026, 5, 4, 3, 2, 1, 987000))
    '20260504T030201.987Z'
    """
    return f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03}Z"
