"""A film in, the frame on screen at every k/fps out, with exact times and what was lost on the way.

`VideoSampler` streams: a film of any length is held three decoded frames at a time. Decoding (screentime.film_file), placing
the frames in time (`timeline.on_screen`) and choosing among them (`VideoSampler`) are three steps that know nothing of each
other. Where only the sampled frames matter, the choice comes first, by what the packets say of themselves
(screentime.packet_plan), and half of the decoding is saved.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

import av
import numpy as np

from screentime.errors import InputError
from screentime.film_file import (
    Damage,
    Unplanned,
    chosen,
    claimed_s,
    decoded,
    opened,
    packets_told,
    usual_gap_s,
    video_stream,
)
from screentime.picture import Picture, kept_size
from screentime.timeline import MICROSECOND, Shown, microseconds, on_screen


@dataclass(frozen=True)
class SampledFrame:
    """The frame on screen at one sampled moment. Times are exact seconds from the first decoded frame.

    Attributes:
        time_s: the moment, k/fps.
        frame_time_s: when the decoded frame comes on screen; <= time_s, compared in whole microseconds.
        frame_end_s: when it leaves the screen: the next decoded frame's time, for the last the length; > time_s.
        image: (height, width, 3) uint8, RGB, upright, square pixels, long side <= max_side, never enlarged. Moments
            that share a decoded frame share the array.
    """

    time_s: Fraction
    frame_time_s: Fraction
    frame_end_s: Fraction
    image: np.ndarray


@dataclass(frozen=True)
class VideoFacts:
    """What sampling found out about a film. Exact seconds, sizes in pixels.

    Attributes:
        codec: the video stream's codec, as FFmpeg calls it ("h264").
        rotation: degrees clockwise, 0, 90, 180 or 270, that the stored pictures were turned to be upright.
        native_width, native_height: size of the first decoded frame as stored, before turning.
        width, height: size of the kept frames.
        frames_decoded: how many frames could be decoded; where not all were, how many there are.
        first_frame_time_s: the first decoded frame's time on the file's own clock, for exports to players and editors.
        length_s: from the first decoded frame to the end of the last; a bad packet's time is the frame's before it.
        claimed_s: how long the video stream, else the whole file, says it is; None where neither does.
        missing_s: claimed_s - length_s where that is positive, else 0. Never filled.
        bad_packets: packets that were damaged, or that the decoder refused; decoding went on after them.
        repaired_timestamps: frames whose timestamp was missing or out of order (timeline.on_screen).
        every_frame: whether every frame was decoded: else damage is known only where a sample needed the frame.
    """

    codec: str
    rotation: int
    native_width: int
    native_height: int
    width: int
    height: int
    frames_decoded: int
    first_frame_time_s: Fraction
    length_s: Fraction
    claimed_s: Fraction | None
    missing_s: Fraction
    bad_packets: int
    repaired_timestamps: int
    every_frame: bool


class VideoSampler:
    """The frame on screen at every k/fps of a film: iterate, then read `.facts`.

    The film's zero is its first decoded frame. Which frame is on screen is decided in whole microseconds, so that a
    table with 6 decimals says the same. The sampled moments are `timeline.sample_times(facts.length_s, fps)`.

    Args:
        path: the film.
        fps: samples per second; > 0.
        max_side: the kept frames' long side is at most this many pixels; >= 1.
        every_frame: decode every frame, so that damage anywhere is found and counted; else only those that the samples need,
            in about half the time. The pictures are the same; where a needed one does not come, all are decoded after all.
        threads: so many decode side by side where not every frame is decoded; >= 1. The pictures are the same.

    Raises (while iterating):
        InputError: the file is not there, empty, not a film, without a video stream, or no frame could be decoded.
    """

    def __init__(
        self, path: Path, fps: Fraction, max_side: int, *, every_frame: bool = True, threads: int = 1
    ) -> None:  # fmt: skip
        if fps <= 0 or max_side < 1:
            raise ValueError(f"fps must be above 0 and max_side at least 1, not {fps} and {max_side}")
        self.path = path
        self.fps = Fraction(fps)
        self.max_side = max_side
        self.every_frame, self.threads = every_frame, threads
        self.claimed_s: Fraction | None = None  # how long the film says it is; known from the first frame on
        self._facts: VideoFacts | None = None

    @property
    def facts(self) -> VideoFacts:
        """What sampling found out; known once the iteration has come to its end."""
        if self._facts is None:
            raise RuntimeError(f"{self.path}: the facts are known after the last frame; iterate to the end first")
        return self._facts

    def __iter__(self) -> Iterator[SampledFrame]:
        given = 0
        if not self.every_frame:
            try:
                for sample in self._by_plan():
                    yield sample
                    given += 1
                return
            except Unplanned:
                pass
        yield from self._in_full(given)

    def _in_full(self, given: int) -> Iterator[SampledFrame]:
        """The samples but for the first so many, by decoding every frame."""
        with opened(self.path) as container:
            stream = video_stream(container, self.path)
            damage = Damage()
            picture = zero_s = None
            frames_decoded = repaired = index = 0
            for shown in on_screen(decoded(container, stream, damage), usual_gap_s(stream)):
                if picture is None:
                    picture, zero_s = Picture(shown.picture, stream.sample_aspect_ratio, self.max_side), shown.start_s
                    self.claimed_s = claimed_s(container, stream, zero_s)
                frames_decoded += 1
                repaired += shown.repaired
                until = self._first_from(shown.end_s - zero_s, index)
                yield from self._samples(shown, shown.picture, range(max(index, given), until), picture, zero_s)
                index = until
            if picture is None:
                raise InputError(f"{self.path}: no frame could be decoded; is the file complete?")
            length_s = shown.end_s - zero_s
            self._found(
                stream, picture, zero_s, length_s, frames_decoded, damage.bad_packets, repaired, every_frame=True
            )

    def _by_plan(self) -> Iterator[SampledFrame]:
        """The samples by decoding the packets they need.

        Raises:
            Unplanned: this film has to be decoded whole, from here on.
        """
        with opened(self.path) as container:
            stream = video_stream(container, self.path)
            packets = packets_told(container, stream)
            tick_s, gap_s = stream.time_base, usual_gap_s(stream)
        order = np.argsort(packets.stamps).tolist()
        zero_s = int(packets.stamps[order[0]]) * tick_s
        told = ((one, int(packets.stamps[one]) * tick_s, int(packets.durations[one]) * tick_s) for one in order)
        sampled: list[tuple[Shown[int], range]] = []
        index = 0
        for shown in on_screen(told, gap_s):
            until = self._first_from(shown.end_s - zero_s, index)
            if until > index or shown.picture == order[-1]:  # the last one, to know that the film is there to its end
                sampled.append((shown, range(index, until)))
            index = until
        wanted = np.zeros(len(order), bool)
        wanted[[shown.picture for shown, _ in sampled]] = True
        with opened(self.path) as container:
            stream = video_stream(container, self.path)
            self.claimed_s = claimed_s(container, stream, zero_s)
            picture = None
            frames = chosen(self.path, packets, wanted, self.threads)
            for (shown, indices), frame in zip(sampled, frames, strict=True):
                picture = picture or Picture(frame, stream.sample_aspect_ratio, self.max_side)
                yield from self._samples(shown, frame, indices, picture, zero_s)
            length_s = shown.end_s - zero_s
            self._found(stream, picture, zero_s, length_s, len(order), bad_packets=0, repaired=0, every_frame=False)

    def _first_from(self, end_s: Fraction, index: int) -> int:
        """The first sample, from `index` on, that is not before a moment."""
        while microseconds(index / self.fps) < microseconds(end_s):
            index += 1
        return index

    def _samples(
        self, shown: Shown, frame: av.VideoFrame, indices: range, picture: Picture, zero_s: Fraction
    ) -> Iterator[SampledFrame]:
        """The samples that show one decoded frame."""
        if indices:
            image = picture.image(frame)
            for index in indices:
                yield SampledFrame(index / self.fps, shown.start_s - zero_s, shown.end_s - zero_s, image)

    def _found(
        self,
        stream: av.VideoStream,
        picture: Picture,
        zero_s: Fraction,
        length_s: Fraction,
        n_frames: int,
        bad_packets: int,
        repaired: int,
        every_frame: bool,
    ) -> None:
        """Keep the facts."""
        self._facts = VideoFacts(
            codec=stream.codec_context.codec.canonical_name,
            rotation=90 * picture.quarter_turns,
            native_width=picture.native_width,
            native_height=picture.native_height,
            width=picture.width,
            height=picture.height,
            frames_decoded=n_frames,
            first_frame_time_s=zero_s,
            length_s=length_s,
            claimed_s=self.claimed_s,
            missing_s=max(Fraction(0), (self.claimed_s or 0) - length_s),
            bad_packets=bad_packets,
            repaired_timestamps=repaired,
            every_frame=every_frame,
        )


@dataclass(frozen=True)
class NativeFrame:
    """One decoded frame. Times are exact seconds from the first decoded frame.

    Attributes:
        start_s: when it comes on screen.
        end_s: when it leaves the screen; > start_s.
        image: gives it as (height, width, 3) uint8, RGB, upright, square pixels, never enlarged, the long side at most as
            long as asked for; the conversion costs more than the decoding, and only who wants the picture pays for it.
        decoded: as the decoder gave it, for an encoder.
    """

    start_s: Fraction
    end_s: Fraction
    image: Callable[..., np.ndarray]
    decoded: av.VideoFrame


class NativeFrames:
    """Every frame of a film that can be decoded, once, in the order shown: iterate, as far as wanted.

    Attributes:
        bad_packets: packets that were damaged, so far; decoding went on after them.
        claimed_s: how long the film says it is; known from the first frame on, None where it does not say.
        zero_s: the first decoded frame's time on the file's own clock; known from the first frame on.

    Raises (while iterating):
        InputError: as for `VideoSampler`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._damage = Damage()
        self.claimed_s: Fraction | None = None
        self.zero_s = Fraction(0)

    @property
    def bad_packets(self) -> int:
        return self._damage.bad_packets

    def __iter__(self) -> Iterator[NativeFrame]:
        with opened(self._path) as container:
            stream = video_stream(container, self._path)
            self._damage.bad_packets = 0
            first = zero_s = None
            for shown in on_screen(decoded(container, stream, self._damage), usual_gap_s(stream)):
                if first is None:
                    zero_s = self.zero_s = shown.start_s
                    first = cache(partial(Picture, shown.picture, stream.sample_aspect_ratio))
                    self.claimed_s = claimed_s(container, stream, zero_s)
                image = partial(_image, first, shown.picture)
                yield NativeFrame(shown.start_s - zero_s, shown.end_s - zero_s, image, shown.picture)
            if first is None:
                raise InputError(f"{self._path}: no frame could be decoded; is the file complete?")


def _image(picture_of: Callable[[int], Picture], frame: av.VideoFrame, max_side: int = sys.maxsize) -> np.ndarray:
    """A frame as an image, by the one `Picture` of the film for that size."""
    return picture_of(max_side).image(frame)


def image_at(path: Path, first_frame_time_s: Fraction, time_s: Fraction) -> np.ndarray:
    """The frame on screen at one moment, in the film's own size: for looking at, not for measuring.

    It seeks, which some files answer wrongly; sampling never does.

    Args:
        path: the film.
        first_frame_time_s: the first decoded frame's time on the file's own clock (`VideoFacts`).
        time_s: the moment, exact seconds from the first decoded frame.

    Returns:
        (height, width, 3) uint8, RGB, upright.

    Raises:
        InputError: the film cannot be read, or no frame before that moment could be decoded.
    """
    wanted_s = first_frame_time_s + time_s + MICROSECOND
    with opened(path) as container:
        stream = video_stream(container, path)
        container.seek(max(0, int(wanted_s / stream.time_base)), stream=stream)
        last = None
        for frame, stamp_s, _ in decoded(container, stream, Damage()):
            if stamp_s is not None and stamp_s > wanted_s and last is not None:
                break
            last = frame
            if stamp_s is not None and stamp_s > wanted_s:
                break
        if last is None:
            raise InputError(f"{path}: no frame could be decoded at {float(time_s):g} s; is the file complete?")
        return Picture(last, stream.sample_aspect_ratio, max(last.width, last.height)).image(last)


@dataclass(frozen=True)
class VideoHeader:
    """What a film says of itself, before any frame is decoded.

    Attributes:
        length_s: how long it says it is, seconds; 0 where it does not say.
        n_pixels: of a kept frame; 0 where it does not say.
    """

    length_s: float
    n_pixels: int


def header_of(path: Path, max_side: int) -> VideoHeader:
    """What a film says of itself, read in milliseconds; nothing where it cannot be read: sampling then tells why."""
    try:
        with opened(path) as container:
            stream = video_stream(container, path)
            length_s = float(claimed_s(container, stream, Fraction(0)) or 0)
            if not (stream.width and stream.height):
                return VideoHeader(length_s, 0)
            width, height = kept_size(stream.width, stream.height, stream.sample_aspect_ratio or Fraction(1), max_side)
            return VideoHeader(length_s, width * height)
    except InputError:
        return VideoHeader(0.0, 0)
