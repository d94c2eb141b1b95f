"""Stretches of a film cut out of it, pictures and sound, each into a film of its own or one after the other into one."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from screentime.film_file import opened, usual_gap_s, video_stream
from screentime.outside.film_writer import EncodedSound, FilmWriter
from screentime.outside.sound import Sound, SoundReader
from screentime.video import NativeFrames


@dataclass(frozen=True)
class Cut:
    """A stretch of a film and the film it goes into.

    Attributes:
        start_s, end_s: exact seconds from the first decoded frame; a frame that is on screen then is shown as long as it is.
        path: the new film; stretches with one path follow each other there, in order.
    """

    start_s: Fraction
    end_s: Fraction
    path: Path


def cut(film: Path, cuts: Sequence[Cut], tell: Callable[[float], None]) -> None:
    """Write the cuts of a film, in one pass: sound and pictures are decoded once, nothing is sought.

    Sound is encoded anew: a stretch begins and ends inside packets, and stretches put one after the other would each bring
    what their first packets need before them.

    Raises:
        InputError: the film cannot be read.
        OSError: the disk is full; films that were finished stay, others leave nothing.
    """
    waiting = sorted(cuts, key=lambda one: (one.start_s, one.path))
    ends = {one.path: max(other.end_s for other in cuts if other.path == one.path) for one in cuts}
    with opened(film) as container:
        stream = video_stream(container, film)
        pixel_aspect, gap_s = stream.sample_aspect_ratio, usual_gap_s(stream)
    frames = NativeFrames(film)
    writers: dict[Path, FilmWriter] = {}
    tracks: dict[Path, EncodedSound] = {}
    lengths: dict[Path, Fraction] = {}  # of what goes into each film before a stretch
    running: list[tuple[Cut, Fraction]] = []  # with where each begins in its film
    sound = pieces = None
    with ExitStack() as stack:
        for frame in frames:
            if pieces is None:
                reader = SoundReader(film, frames.zero_s)
                pieces = iter(reader)
                sound = next(pieces, None)
            while waiting and waiting[0].start_s < frame.end_s:
                one = waiting.pop(0)
                if one.path not in writers:
                    size = frame.decoded.width, frame.decoded.height
                    writer = FilmWriter(one.path, size, gap_s, like=frame.decoded, pixel_aspect=pixel_aspect)
                    stack.callback(writer.discard)
                    writers[one.path] = writer
                    if reader.rate:
                        tracks[one.path] = writer.encoded_sound(reader.rate, reader.layout)
                running.append((one, lengths.get(one.path, Fraction(0))))
                lengths[one.path] = running[-1][1] + one.end_s - one.start_s
            for one, begin_s in running:
                start_s, end_s = max(frame.start_s, one.start_s), min(frame.end_s, one.end_s)
                if start_s < end_s:
                    writers[one.path].show(frame, begin_s + start_s - one.start_s, begin_s + end_s - one.start_s)
            while sound is not None and sound.start_s + Fraction(sound.samples.shape[1], reader.rate) <= frame.end_s:
                _play(sound, running, tracks, reader.rate)
                sound = next(pieces, None)
            over = [(one, begin_s) for one, begin_s in running if one.end_s <= frame.end_s]
            if sound is not None:
                _play(sound, over, tracks, reader.rate)  # a piece that lasts longer than they do
            running = [one for one in running if one not in over]
            for path in {one.path for one, _ in over if ends[one.path] == one.end_s}:
                writers.pop(path).finish()
            tell(float(frame.end_s / frames.claimed_s) if frames.claimed_s else 0.0)
            if not waiting and not running:
                break
        for writer in writers.values():  # the film ended before they did
            writer.finish()


def _play(
    sound: Sound, running: Sequence[tuple[Cut, Fraction]], tracks: dict[Path, EncodedSound], rate: int
) -> None:  # fmt: skip
    """Write a piece of sound into every film whose stretch it lies in, as far as it does."""
    for one, begin_s in running:
        first = max(0, round((one.start_s - sound.start_s) * rate))
        last = min(sound.samples.shape[1], round((one.end_s - sound.start_s) * rate))
        if first < last:
            at_s = begin_s + sound.start_s + Fraction(first, rate) - one.start_s
            tracks[one.path].play(sound.samples[:, first:last], at_s)
