"""The edge of PyAV: a film as a file, its packets, and the frames that come out of them. One stream of it, read to the end."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from screentime.errors import InputError
from screentime.in_order import ahead
from screentime.packet_plan import Packets, needed, parts

# FFmpeg reads these as films too: single pictures, a terminal's text, lists that name other files or addresses.
_NOT_FILMS = ("image2", "tty", "hls", "dash", "sdp", "concat")
# How the files of common film formats begin (offset, bytes): one that cannot be opened is then a part of a film.
_FILM_BEGINNINGS = ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (0, b"\x1aE\xdf\xa3"), (0, b"RIFF"), (0, b"FLV"))
# AVI stores no times of presentation: FFmpeg makes them up, wrongly where B-frames change the order. What it knows is the
# tick at which each frame comes out of the decoder.
_ONLY_TICKS = ("avi",)
# Codecs of which choosing frames by their packets was compared with decoding everything (tests/test_video.py).
_ONE_FRAME_A_PACKET = ("h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "mjpeg", "vp8", "vp9", "av1")
# Where several threads decode: wanted frames in a part of the film, at least; frames that may wait for each of them.
LEAST_IN_PART, MOST_WAITING, WAITING_BYTES = 4, 16, 64_000_000


@dataclass
class Damage:
    """Counted while decoding."""

    bad_packets: int = 0


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
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


def video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
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


def usual_gap_s(stream: av.VideoStream) -> Fraction:
    """Time from frame to frame where no timestamp tells it: what the header says, else 1/25 s."""
    rate = stream.average_rate or stream.guessed_rate
    return 1 / rate if rate else Fraction(1, 25)


def decoded(
    container: av.container.InputContainer, stream: av.VideoStream, damage: Damage
) -> Iterator[tuple[av.VideoFrame, Fraction | None, Fraction]]:
    """Every frame that can be decoded, in the order shown: (frame, timestamp or None, duration or 0), exact seconds."""
    only_ticks = container.format.name in _ONLY_TICKS
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
    container: av.container.InputContainer, stream: av.VideoStream, damage: Damage
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


def claimed_s(
    container: av.container.InputContainer, stream: av.VideoStream, first_frame_time_s: Fraction
) -> Fraction | None:
    """How long the film says it is, exact seconds; None where it does not say."""
    if stream.duration:
        return stream.duration * stream.time_base
    if container.duration:  # a header's length (Matroska, FLV) counts from the file's zero
        return Fraction(container.duration, av.time_base) - max(first_frame_time_s, Fraction(0))
    return None


class Unplanned(Exception):
    """Frames cannot be chosen by what the packets say: the film has to be decoded whole."""


def packets_told(container: av.container.InputContainer, stream: av.VideoStream) -> Packets:
    """What a film's packets say of its frames, without decoding any.

    Raises:
        Unplanned: they do not say it, or not reliably: a format without times of presentation, a codec of which it is not
            known, times missing or twice, damage, parts that an edit list leaves out, a beginning that is no key frame.
    """
    codec = stream.codec_context.codec.canonical_name
    if container.format.name in _ONLY_TICKS or codec not in _ONE_FRAME_A_PACKET:
        raise Unplanned
    begins_anew = _h264_begins_anew(stream.codec_context.extradata) if codec == "h264" else lambda data: True

    def told() -> Iterator[tuple[int, int, bool, bool]]:
        for packet in container.demux(stream):
            if packet.size > 0:
                if packet.pts is None or packet.is_corrupt or packet.is_discard:
                    raise Unplanned
                fresh = packet.is_keyframe and begins_anew(bytes(packet))
                yield packet.pts, packet.duration or 0, packet.is_keyframe, fresh

    try:
        table = np.fromiter(told(), [("stamps", "i8"), ("durations", "i8"), ("keys", "?"), ("fresh", "?")])
    except av.FFmpegError:
        raise Unplanned from None
    if not len(table) or not table["keys"][0] or len(np.unique(table["stamps"])) < len(table):
        raise Unplanned
    return Packets(**{name: table[name] for name in table.dtype.names})


def chosen(path: Path, packets: Packets, wanted: np.ndarray, n_threads: int) -> Iterator[av.VideoFrame]:
    """The frames of some packets alone, in the order shown.

    Several threads decode parts of the film in turn, each with a decoder of its own, and the frames are the same.

    Args:
        path: the film.
        packets: as `packets_told` has them.
        wanted: (n,) bool, of the packets.
        n_threads: >= 1.

    Raises:
        Unplanned: a frame did not come out where it was expected, or not whole.
    """
    give = needed(packets, wanted)
    if n_threads == 1:
        yield from _decoded_parts(path, packets, wanted, give, [slice(0, len(wanted))])
        return
    dealt = parts(packets, wanted, LEAST_IN_PART)
    with opened(path) as container:
        stream = video_stream(container, path)
        room = max(2, min(MOST_WAITING, WAITING_BYTES // max(1, 2 * stream.width * stream.height)))
    threads = [
        ahead(_decoded_parts(path, packets, wanted, give, dealt[nth::n_threads]), room) for nth in range(n_threads)
    ]
    try:
        for number, part in enumerate(dealt):
            yield from islice(threads[number % n_threads], int(wanted[part].sum()))
    finally:
        for thread in threads:
            thread.close()


def _decoded_parts(
    path: Path, packets: Packets, wanted: np.ndarray, give: np.ndarray, dealt: list[slice]
) -> Generator[av.VideoFrame, None, None]:
    """The wanted frames of some parts of a film; arguments and errors as for `chosen`, `give` are the packets to decode."""
    with opened(path) as container:
        stream = video_stream(container, path)
        packets_there = enumerate(packet for packet in container.demux(stream) if packet.size > 0)
        try:
            for part in dealt:
                due = iter(np.sort(packets.stamps[part][wanted[part]]).tolist())
                own = set(packets.stamps[part][wanted[part]].tolist())
                for frame in _decoded_part(stream, packets_there, packets, wanted, give, part):
                    if frame.pts in own:
                        if frame.is_corrupt or frame.pts != next(due, None):
                            raise Unplanned
                        yield frame
                if next(due, None) is not None:
                    raise Unplanned
                stream.codec_context.flush_buffers()
            if dealt and dealt[-1].stop == len(wanted) and next(packets_there, None) is not None:
                raise Unplanned  # somebody is writing the file
        except av.FFmpegError:
            raise Unplanned from None


def _decoded_part(
    stream: av.VideoStream,
    packets_there: Iterator[tuple[int, av.Packet]],
    packets: Packets,
    wanted: np.ndarray,
    give: np.ndarray,
    part: slice,
) -> Iterator[av.VideoFrame]:
    """Whatever comes out of a decoder that is given the packets of one part, and is emptied then."""
    for place, packet in packets_there:
        if packet.pts != packets.stamps[place]:
            raise Unplanned  # somebody is writing the file
        if place >= part.start and give[place]:
            stream.codec_context.skip_frame = "DEFAULT" if wanted[place] else "NONREF"
            yield from stream.codec_context.decode(packet)
        if place + 1 == part.stop:
            break
    yield from stream.codec_context.decode(None)


def _h264_begins_anew(extradata: bytes | None) -> Callable[[bytes], bool]:
    """From the bytes of a key packet to whether its picture is an instantaneous refresh (IDR): ITU-T H.264, 7.4.1.2.4.

    Other key packets are recovery points: decoding can begin there, and still what follows may refer to what came before.
    """
    length_size = (extradata[4] & 3) + 1 if extradata and extradata[0] == 1 and len(extradata) > 4 else None

    def first_slice(data: bytes) -> int:
        for unit in _units(data, length_size):
            if data[unit] & 31 in (1, 2, 5):
                return data[unit] & 31
        return 1

    return lambda data: first_slice(data) == 5


def _units(data: bytes, length_size: int | None) -> Iterator[int]:
    """Where the units of an H.264 packet begin: behind their length (ISO/IEC 14496-15), or behind start codes (Annex B)."""
    at = 0
    if length_size is None:
        while (at := data.find(b"\0\0\1", at) + 3) > 2 and at < len(data):
            yield at
        return
    while at + length_size < len(data):
        yield at + length_size
        at += length_size + int.from_bytes(data[at : at + length_size], "big")
