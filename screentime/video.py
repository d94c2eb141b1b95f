"""The edge of PyAV: a film in, the frame on screen at every k/fps out, with exact times and what was lost on the way.

`VideoSampler` streams: a film of any length is held three decoded frames at a time. Decoding (`_decoded`), placing the
frames in time (`timeline.on_screen`) and choosing among them (`VideoSampler`) are three steps that know nothing of each
other, so that a decoder which leaves out what nobody wants can take the place of the first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import atan2, pi
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.reformatter import Interpolation, VideoReformatter

from screentime.errors import InputError
from screentime.timeline import MICROSECOND, microseconds, on_screen

# FFmpeg reads these as films too: single pictures, a terminal's text, lists that name other files or addresses.
_NOT_FILMS = ("image2", "tty", "hls", "dash", "sdp", "concat")
# How the files of common film formats begin (offset, bytes): one that cannot be opened is then a part of a film.
_FILM_BEGINNINGS = ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (0, b"\x1aE\xdf\xa3"), (0, b"RIFF"), (0, b"FLV"))
# Bit-exact: the same picture on every processor. It costs nothing measurable.
_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


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
        frames_decoded: how many frames could be decoded.
        first_frame_time_s: the first decoded frame's time on the file's own clock, for exports to players and editors.
        length_s: from the first decoded frame to the end of the last; a bad packet's time is the frame's before it.
        claimed_s: how long the video stream, else the whole file, says it is; None where neither does.
        missing_s: claimed_s - length_s where that is positive, else 0. Never filled.
        bad_packets: packets that were damaged, or that the decoder refused; decoding went on after them.
        repaired_timestamps: frames whose timestamp was missing or out of order (timeline.on_screen).
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


class VideoSampler:
    """The frame on screen at every k/fps of a film: iterate, then read `.facts`.

    The film's zero is its first decoded frame. Which frame is on screen is decided in whole microseconds, so that a
    table with 6 decimals says the same. The sampled moments are `timeline.sample_times(facts.length_s, fps)`.

    Args:
        path: the film.
        fps: samples per second; > 0.
        max_side: the kept frames' long side is at most this many pixels; >= 1.

    Raises (while iterating):
        InputError: the file is not there, empty, not a film, without a video stream, or no frame could be decoded.
    """

    def __init__(self, path: Path, fps: Fraction, max_side: int) -> None:
        if fps <= 0 or max_side < 1:
            raise ValueError(f"fps must be above 0 and max_side at least 1, not {fps} and {max_side}")
        self.path = path
        self.fps = Fraction(fps)
        self.max_side = max_side
        self.claimed_s: Fraction | None = None  # how long the film says it is; known from the first frame on
        self._facts: VideoFacts | None = None

    @property
    def facts(self) -> VideoFacts:
        """What sampling found out; known once the iteration has come to its end."""
        if self._facts is None:
            raise RuntimeError(f"{self.path}: the facts are known after the last frame; iterate to the end first")
        return self._facts

    def __iter__(self) -> Iterator[SampledFrame]:
        with _opened(self.path) as container:
            stream = _video_stream(container, self.path)
            damage = _Damage()
            picture = zero_s = None
            frames_decoded = repaired = index = 0
            for shown in on_screen(_decoded(container, stream, damage), _usual_gap_s(stream)):
                if picture is None:
                    picture, zero_s = _Picture(shown.picture, stream.sample_aspect_ratio, self.max_side), shown.start_s
                    self.claimed_s = _claimed_s(container, stream, zero_s)
                frames_decoded += 1
                repaired += shown.repaired
                end_s = shown.end_s - zero_s
                image = None
                while microseconds(index / self.fps) < microseconds(end_s):
                    image = picture.image(shown.picture) if image is None else image
                    yield SampledFrame(index / self.fps, shown.start_s - zero_s, end_s, image)
                    index += 1
            if picture is None:
                raise InputError(f"{self.path}: no frame could be decoded; is the file complete?")
            self._facts = VideoFacts(
                codec=stream.codec_context.codec.canonical_name,
                rotation=90 * picture.quarter_turns,
                native_width=picture.native_width,
                native_height=picture.native_height,
                width=picture.width,
                height=picture.height,
                frames_decoded=frames_decoded,
                first_frame_time_s=zero_s,
                length_s=end_s,
                claimed_s=self.claimed_s,
                missing_s=max(Fraction(0), (self.claimed_s or 0) - end_s),
                bad_packets=damage.bad_packets,
                repaired_timestamps=repaired,
            )


@dataclass(frozen=True)
class NativeFrame:
    """One decoded frame. Times are exact seconds from the first decoded frame.

    Attributes:
        start_s: when it comes on screen.
        end_s: when it leaves the screen; > start_s.
        image: gives it as (height, width, 3) uint8, RGB, upright, square pixels, never enlarged; the conversion costs
            more than the decoding, and only who wants the picture pays for it.
    """

    start_s: Fraction
    end_s: Fraction
    image: Callable[[], np.ndarray]


class NativeFrames:
    """Every frame of a film that can be decoded, once, in the order shown: iterate, as far as wanted.

    Attributes:
        bad_packets: packets that were damaged, so far; decoding went on after them.

    Raises (while iterating):
        InputError: as for `VideoSampler`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._damage = _Damage()

    @property
    def bad_packets(self) -> int:
        return self._damage.bad_packets

    def __iter__(self) -> Iterator[NativeFrame]:
        with _opened(self._path) as container:
            stream = _video_stream(container, self._path)
            self._damage.bad_packets = 0
            picture = zero_s = None
            for shown in on_screen(_decoded(container, stream, self._damage), _usual_gap_s(stream)):
                if picture is None:
                    first = shown.picture
                    picture = _Picture(first, stream.sample_aspect_ratio, max(first.width, first.height))
                    zero_s = shown.start_s
                yield NativeFrame(shown.start_s - zero_s, shown.end_s - zero_s, partial(picture.image, shown.picture))
            if picture is None:
                raise InputError(f"{self._path}: no frame could be decoded; is the file complete?")


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
    with _opened(path) as container:
        stream = _video_stream(container, path)
        container.seek(max(0, int(wanted_s / stream.time_base)), stream=stream)
        last = None
        for frame, stamp_s, _ in _decoded(container, stream, _Damage()):
            if stamp_s is not None and stamp_s > wanted_s and last is not None:
                break
            last = frame
            if stamp_s is not None and stamp_s > wanted_s:
                break
        if last is None:
            raise InputError(f"{path}: no frame could be decoded at {float(time_s):g} s; is the file complete?")
        return _Picture(last, stream.sample_aspect_ratio, max(last.width, last.height)).image(last)


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
        with _opened(path) as container:
            stream = _video_stream(container, path)
            length_s = float(_claimed_s(container, stream, Fraction(0)) or 0)
            if not (stream.width and stream.height):
                return VideoHeader(length_s, 0)
            width, height = kept_size(stream.width, stream.height, stream.sample_aspect_ratio or Fraction(1), max_side)
            return VideoHeader(length_s, width * height)
    except InputError:
        return VideoHeader(0.0, 0)


@dataclass
class _Damage:
    """Counted while decoding."""

    bad_packets: int = 0


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    """The open film; a file that cannot be one is refused with a sentence."""
    if not path.exists():
        raise InputError(f"{path}: there is no such file, a film was expected; check the name or put the film there")
    if not path.is_file():
        raise InputError(f"{path}: a folder was found, a film was expected; name the file itself")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes), a film was expected; copy it again")
    try:
        # "file:" and the whitelist: a name with a colon stays a name, and no film makes us read another file's address.
        # Titles in old encodings are not worth an error: metadata_errors.
        options = {"protocol_whitelist": "file"}
        container = av.open(f"file:{path}", metadata_errors="replace", options=options)
    except av.error.PermissionError:
        raise InputError(f"{path}: permission to read it was denied; allow it (chmod +r)") from None
    except av.FFmpegError:
        if _begins_like_a_film(path):
            raise InputError(f"{path}: no frame could be decoded; is the file complete?") from None
        raise InputError(
            f"{path}: this is not a film that can be read, a video file was expected; check that a player opens it"
        ) from None
    with container:
        name = container.format.name
        if name in _NOT_FILMS or name.endswith("_pipe"):
            raise InputError(
                f"{path}: a picture, a text or a list was found (format '{name}'), a film was expected; name a film"
            )
        yield container


def _begins_like_a_film(path: Path) -> bool:
    with open(path, "rb") as file:
        head = file.read(16)
    return any(head.startswith(beginning, offset) for offset, beginning in _FILM_BEGINNINGS)


def _video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    """The stream a player would show: the first that is marked as default, else the first; covers are no films.

    FFmpeg's own choice (`streams.best`) goes by bit rate: it takes an alternative version over the film's own.
    """
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    films = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not films:
        kinds = sorted({"cover" if stream.type == "video" else stream.type for stream in container.streams})
        found = ", ".join(kinds) or "none"
        raise InputError(
            f"{path}: no video stream was found (streams: {found}), a film was expected; is it the right file?"
        )
    decodable = [stream for stream in films if stream.codec_context is not None]
    if not decodable:
        raise InputError(f"{path}: its video codec is not known here; convert the film, to H.264 for instance")
    stream = min(decodable, key=lambda stream: not stream.disposition & Disposition.default)
    # One thread on purpose: with FFmpeg's frame threads a damaged packet near the end silently takes good frames with
    # it, and which ones, and how damaged pictures look, depends on the number of processors. It also costs less
    # processor time (an eighth less on 720p H.264); films are sampled side by side.
    stream.codec_context.thread_count = 1
    return stream


def _usual_gap_s(stream: av.VideoStream) -> Fraction:
    """Time from frame to frame where no timestamp tells it: what the header says, else 1/25 s."""
    rate = stream.average_rate or stream.guessed_rate
    return 1 / rate if rate else Fraction(1, 25)


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, damage: _Damage
) -> Iterator[tuple[av.VideoFrame, Fraction | None, Fraction]]:
    """Every frame that can be decoded, in the order shown: (frame, timestamp or None, duration or 0), exact seconds."""
    # AVI stores no times of presentation: FFmpeg makes them up, wrongly where B-frames change the order. What it knows
    # is the tick at which each frame comes out of the decoder.
    only_ticks = container.format.name == "avi"
    for packet in _packets(container, stream, damage):
        try:
            frames = stream.codec_context.decode(packet)
        except av.FFmpegError:
            damage.bad_packets += 1
            continue
        damage.bad_packets += packet is not None and packet.is_corrupt
        for frame in frames:
            stamp = frame.dts if only_ticks else frame.pts
            stamp_s = None if stamp is None else stamp * stream.time_base
            yield frame, stamp_s, (frame.duration or 0) * stream.time_base


def _packets(
    container: av.container.InputContainer, stream: av.VideoStream, damage: _Damage
) -> Iterator[av.Packet | None]:
    """The stream's packets in file order, then None, which empties the decoder. Reading goes on after an error."""
    reading_on = True
    while reading_on:
        reading_on = False
        try:
            for packet in container.demux(stream):
                # an empty packet, PyAV's last or one in the file, would tell the decoder that the film is over
                if packet.size > 0:
                    yield packet
                    reading_on = True
            break
        except av.FFmpegError:
            damage.bad_packets += 1  # and read on, as long as anything still comes
    yield None


def _claimed_s(
    container: av.container.InputContainer, stream: av.VideoStream, first_frame_time_s: Fraction
) -> Fraction | None:
    """How long the film says it is, exact seconds; None where it does not say."""
    if stream.duration:
        return stream.duration * stream.time_base
    if container.duration:  # a header's length (Matroska, FLV) counts from the file's zero
        return Fraction(container.duration, av.time_base) - max(first_frame_time_s, Fraction(0))
    return None


class _Picture:
    """From decoded frames to kept images: size and orientation are the first frame's and hold for the whole film."""

    def __init__(self, first: av.VideoFrame, pixel_aspect: Fraction | None, max_side: int) -> None:
        self.native_width, self.native_height = first.width, first.height
        self.quarter_turns, self._mirrored = _orientation(first)
        self._size = kept_size(first.width, first.height, pixel_aspect or Fraction(1), max_side)
        self.width, self.height = self._size if self.quarter_turns % 2 == 0 else self._size[::-1]
        self._reformatter = VideoReformatter()

    def image(self, frame: av.VideoFrame) -> np.ndarray:
        """The frame as (height, width, 3) uint8, RGB, upright."""
        width, height = self._size
        scaled = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=_SCALING, threads=1)
        image = scaled.to_ndarray()
        image = image[:, ::-1] if self._mirrored else image
        return np.ascontiguousarray(np.rot90(image, -self.quarter_turns))


def kept_size(width: int, height: int, pixel_aspect: Fraction, max_side: int) -> tuple[int, int]:
    """The size a frame is kept at: square pixels, long side at most max_side, neither side enlarged.

    Args:
        width, height: stored size, pixels.
        pixel_aspect: width of a stored pixel / its height; > 0.
        max_side: pixels; >= 1.

    Returns:
        (width, height), pixels, each >= 1.

    >>> kept_size(1280, 720, Fraction(1), 448), kept_size(720, 576, Fraction(16, 15), 1000)
    ((448, 252), (720, 540))
    """
    square_width, square_height = width * min(pixel_aspect, 1), height / max(pixel_aspect, Fraction(1))
    scale = min(Fraction(1), max_side / max(Fraction(square_width), square_height))
    return max(1, round(square_width * scale)), max(1, round(square_height * scale))


def _orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """How a stored frame becomes upright: (quarter turns clockwise, 0 to 3, after mirroring left to right or not).

    The display matrix (ISO/IEC 14496-12, 6.2.2) takes the stored point (x, y), y downwards, to (a x + c y, b x + d y).
    """
    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return 0, False
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, dtype=np.int32)[:5])
    mirrored = a * d - b * c < 0
    turn = atan2(-b, -a) if mirrored else atan2(b, a)  # where the stored x axis, mirrored or not, points
    return round(turn / (pi / 2)) % 4, mirrored
