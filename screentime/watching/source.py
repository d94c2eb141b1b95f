"""Frames as they come, from a camera, a stream or a film: always the newest, and what is known of the line."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from screentime.errors import InputError
from screentime.film_file import usual_gap_s, video_stream
from screentime.picture import Picture
from screentime.watching.place import Place

OPENING_S = 15.0  # a place that does not answer for so long is not there
WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # before a stream is tried again; the last one from then on
# How far the decoder may be behind what is shown before it leaves frames out: those that no other needs, then all but key frames.
HURRY_S, RUSH_S = 1.0, 3.0


class Lost(Exception):
    """The line broke; the message says how."""


@dataclass(frozen=True)
class LiveFrame:
    """One decoded frame.

    Attributes:
        number: from 1, counted over all frames that were decoded.
        shown_s: when it came, seconds on the clock of the watch.
        at: the same, UTC.
        line: how often the line had broken before.
        image: gives it as (height, width, 3) uint8 RGB, upright, the long side at most as long as asked for; threads may share it.
    """

    number: int
    shown_s: float
    at: datetime
    line: int
    image: Callable[[int], np.ndarray]


class Newest:
    """The newest frame, for whoever asks; what nobody took in time is gone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: LiveFrame | None = None
        self._over = False

    def put(self, frame: LiveFrame) -> None:
        """Take the place of the one before."""
        with self._changed:
            self._frame = frame
            self._changed.notify_all()

    def close(self) -> None:
        """None will come any more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def after(self, number: int, within_s: float) -> LiveFrame | None:
        """The newest frame if its number is above that; waits so long for one. None: none came."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or (self._frame is not None and self._frame.number > number), within_s
            )
            newer = self._frame is not None and self._frame.number > number
            return self._frame if newer else None


class Source(threading.Thread):
    """Reads a place until its end, or until it is stopped; a stream that breaks off is opened anew.

    Args:
        place: what to read.
        silence_s: a stream that gives nothing for so long is down.
        each: is given every decoded frame, in this thread; it must not take long.
        tell: is told a sentence when the line breaks and when it is back.
        started_s: the zero of the watch on `time.monotonic`.
        speed: films and test pictures go so many times as fast as their times say.

    Attributes:
        newest: the newest frame.
        down: whether the line is down now.
        broke: when it broke last: UTC, and seconds on the clock of the watch.
        n_frames: decoded so far.
        failure: why it ended, where not as it should.
    """

    def __init__(
        self,
        place: Place,
        *,
        silence_s: float,
        each: Callable[[LiveFrame], None],
        tell: Callable[[str], None],
        started_s: float,
        speed: float = 1.0,
    ) -> None:
        super().__init__(name="source", daemon=True)
        self.newest = Newest()
        self.down = False
        self.broke: tuple[datetime, float] | None = None
        self.failure: InputError | None = None
        self.n_frames = 0
        self._place, self._silence_s, self._each, self._tell = place, silence_s, each, tell
        self._started_s, self._speed = started_s, speed
        self._stopped = threading.Event()
        self._n_breaks = 0
        self._live = place.is_live

    def stop(self) -> None:
        """End soon; a line that does not answer is left waiting in its thread."""
        self._stopped.set()

    def run(self) -> None:
        attempt = 0
        try:
            while not self._stopped.is_set():
                before = self.n_frames
                try:
                    self._play()
                    why = "the stream ended"
                except Lost as error:
                    why = str(error)
                except InputError as error:
                    why = str(error)
                    if not self.n_frames or not self._live:
                        self.failure = error
                        return
                if not self._live or self._stopped.is_set():
                    return
                attempt = 0 if self.n_frames > before else attempt + 1
                if not self.down:
                    self.broke = datetime.now(UTC), time.monotonic() - self._started_s
                    self._n_breaks += 1
                    self.down = True
                    self._tell(f"{self._place.name}: {why}; trying again, the time until then counts as unknown")
                self._stopped.wait(WAITS_S[min(attempt, len(WAITS_S) - 1)])
        finally:
            self.newest.close()

    def _play(self) -> None:
        """Give out the frames of the place, once through.

        Raises:
            Lost: the line broke.
            InputError: it could not be opened, or gave no frame.
        """
        with closing(self._opened()) as container:
            stream = video_stream(container, Path(self._place.name))
            picture_of = _pictures(stream.sample_aspect_ratio)
            self._live = self._place.is_live and container.duration is None  # what says how long it is, is a film
            pace = _Pace(usual_gap_s(stream), self._speed, waits=not self._live)
            before = self.n_frames
            try:
                for packet in container.demux(stream):
                    if self._stopped.is_set():
                        return
                    try:
                        frames = stream.codec_context.decode(packet if packet.size else None)
                    except av.FFmpegError:
                        continue  # a damaged packet; the next ones come
                    for frame in frames:
                        self._give(frame, None if frame.pts is None else frame.pts * stream.time_base, pace, picture_of)
                    stream.codec_context.skip_frame = pace.skipped
            except av.FFmpegError as error:
                raise Lost(_said(error, self._silence_s)) from None
            if self.n_frames == before:
                raise InputError(f"{self._place.name}: no frame could be decoded; is it what it should be?")

    def _give(
        self, frame: av.VideoFrame, stamp_s: Fraction | None, pace: "_Pace", picture_of: Callable
    ) -> None:  # fmt: skip
        wait_s = pace.until_due(stamp_s, time.monotonic())
        if wait_s > 0 and self._stopped.wait(wait_s):
            return
        if self.down:
            self.down = False
            self._tell(f"{self._place.name}: the stream is back")
        self.n_frames += 1
        now = time.monotonic() - self._started_s
        live = LiveFrame(
            self.n_frames, now, datetime.now(UTC), self._n_breaks, lambda max_side: picture_of(frame, max_side)
        )
        self.newest.put(live)
        self._each(live)

    def _opened(self) -> av.container.InputContainer:
        place = self._place
        try:
            return av.open(
                place.url,
                format=place.format,
                options=place.options,
                timeout=(OPENING_S, self._silence_s),
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise InputError(_not_opened(place, error)) from None


class _Pace:
    """When frames are due by their times, and how much to leave out where the decoder cannot follow.

    Args:
        gap_s: from frame to frame where no time tells it, seconds.
        speed: so many times as fast as the times say.
        waits: frames are held until they are due; else they are due as early as they come.

    Attributes:
        skipped: as `CodecContext.skip_frame` takes it.
    """

    def __init__(self, gap_s: Fraction, speed: float, *, waits: bool) -> None:
        self.skipped = "DEFAULT"
        self._gap_s, self._speed, self._waits = gap_s, speed, waits
        self._last_s: Fraction | None = None
        self._zero_s: float | None = None  # when a frame of time 0 would have been due

    def until_due(self, stamp_s: Fraction | None, now_s: float) -> float:
        """Seconds until a frame is due; negative: it is late by so much."""
        if self._last_s is not None and (stamp_s is None or not self._last_s < stamp_s < self._last_s + 10):
            if stamp_s is not None and stamp_s != self._last_s:  # the clock of the stream jumped: begin anew
                self._zero_s = None
            else:
                stamp_s = self._last_s + self._gap_s
        self._last_s = stamp_s = Fraction(0) if stamp_s is None else stamp_s
        due_s = float(stamp_s) / self._speed
        if self._zero_s is None:
            self._zero_s = now_s - due_s
        wait_s = self._zero_s + due_s - now_s
        if wait_s > 0 and not self._waits:  # none came as early as this one: the others before it were late
            self._zero_s, wait_s = now_s - due_s, 0.0
        self.skipped = "NONKEY" if wait_s < -RUSH_S else "NONREF" if wait_s < -HURRY_S else "DEFAULT"
        return wait_s


def _pictures(pixel_aspect: Fraction | None) -> Callable[[av.VideoFrame, int], np.ndarray]:
    """What turns frames of one line into images; for several threads, one after the other."""
    lock, made = threading.Lock(), {}

    def image(frame: av.VideoFrame, max_side: int) -> np.ndarray:
        with lock:
            kind = max_side, frame.width, frame.height, frame.format.name
            if kind not in made:
                made[kind] = Picture(frame, pixel_aspect, max_side)
            return made[kind].image(frame)

    return image


def _said(error: av.FFmpegError, silence_s: float) -> str:
    if isinstance(error, av.ExitError):
        return f"nothing came for {silence_s:g} s"
    return f"the stream broke off ({(error.strerror or 'no reason given').lower()})"


def _not_opened(place: Place, error: Exception) -> str:
    reason = (
        "it did not answer"
        if isinstance(error, av.ExitError)
        else (getattr(error, "strerror", None) or str(error)).lower()
    )
    match place.kind:
        case "camera":
            return (
                f"{place.name}: no camera could be opened ({reason}), a camera was expected; plug one in, name another as "
                "`camera:1`, or name a film or an address"
            )
        case "stream" if isinstance(error, av.HTTPUnauthorizedError):
            scheme, _, rest = place.name.partition("://")
            return (
                f"{place.name}: it wants another user or password, those that it knows were expected; name them as in "
                f"{scheme}://USER:PASSWORD@{rest}"
            )
        case "stream":
            return f"{place.name}: no stream could be opened ({reason}), one was expected; check the address and that it is on"
        case "test":
            return f"{place.name}: FFmpeg made no pictures of that ({reason}), a graph like testsrc=rate=5 was expected; correct it"
    return f"{place.name}: this is not a film that can be read ({reason}), a video file was expected; check that a player opens it"
