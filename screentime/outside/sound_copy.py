"""All the sound of a film on its way into a copy of it: packets as they are where MP4 takes their codec, else encoded anew."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from screentime.film_file import opened
from screentime.outside.film_writer import COPIED, CopiedSound, EncodedSound, FilmWriter
from screentime.outside.sound import SoundPackets, SoundReader


class SoundCopy:
    """The tracks of sound of a film, written beside its pictures; none where it has none.

    Sound keeps its distance from the pictures: what comes before the first is not heard, what lasts longer than the last stays.

    Args:
        film: the film.
        first_frame_time_s: the first decoded frame's time on its own clock.
        writer: the copy, before its first frame.

    Attributes:
        changed: sentences on tracks that are not as they were.
    """

    def __init__(self, film: Path, first_frame_time_s: Fraction, writer: FilmWriter) -> None:
        self.changed: list[str] = []
        self._tracks: list[_CopiedTrack | _EncodedTrack] = []
        with opened(film) as container:
            for number, stream in enumerate(container.streams.audio, start=1):
                if track := self._track(film, first_frame_time_s, writer, stream, number):
                    self._tracks.append(track)

    def _track(
        self, film: Path, zero_s: Fraction, writer: FilmWriter, stream: av.AudioStream, number: int
    ) -> "_CopiedTrack | _EncodedTrack | None":
        codec = stream.codec_context.codec.canonical_name if stream.codec_context else "a codec unknown here"
        if codec in COPIED and stream.rate:
            packets = iter(SoundPackets(film, zero_s, stream.index))
            first = next(packets, None)  # a track without any has no place in MP4
            return first and _CopiedTrack(writer.copied_sound(stream), first, packets)
        reader = SoundReader(film, zero_s, stream.index)
        if reader.rate:
            self.changed.append(f"sound {number}, {codec}, has no sure place in MP4 and is encoded anew as AAC")
            return _EncodedTrack(writer.encoded_sound(reader.rate, reader.layout, stream), reader)
        self.changed.append(f"sound {number}, {codec}, cannot be read and is left out")
        return None

    def write_until(self, end_s: Fraction | None) -> None:
        """Write what begins before a moment, exact seconds from the first frame, and was not written yet; None: all."""
        for track in self._tracks:
            track.write_until(end_s)


class _CopiedTrack:
    def __init__(
        self, sound: CopiedSound, first: tuple[Fraction, av.Packet], packets: Iterator[tuple[Fraction, av.Packet]]
    ) -> None:
        self._sound, self._next, self._packets = sound, first, packets

    def write_until(self, end_s: Fraction | None) -> None:
        while self._next is not None and (end_s is None or self._next[0] < end_s):
            start_s, packet = self._next
            self._sound.take(packet, start_s)
            self._next = next(self._packets, None)


class _EncodedTrack:
    def __init__(self, sound: EncodedSound, reader: SoundReader) -> None:
        self._sound, self._rate, self._pieces = sound, reader.rate, iter(reader)
        self._next = next(self._pieces, None)

    def write_until(self, end_s: Fraction | None) -> None:
        while self._next is not None and (end_s is None or self._next.start_s < end_s):
            early = max(0, round(-self._next.start_s * self._rate))
            if early < self._next.samples.shape[1]:
                self._sound.play(self._next.samples[:, early:], self._next.start_s + Fraction(early, self._rate))
            self._next = next(self._pieces, None)
