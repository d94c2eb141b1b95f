"""The sound of a film, in order, on the clock of its pictures: decoded, or as the packets that are in the film."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from screentime.film_file import opened

EARLY_S = Fraction(1, 10)  # of sound before a moment is enough for every decoder to be right at it (Opus wants 80 ms)
# what FFmpeg's AAC encoder takes: ISO/IEC 14496-3, table 1.18, and layouts of channels
AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
AAC_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1")  # by the number of channels, from 1 on
AAC_LAYOUTS_TOO = ("2.1", "4.0", "5.0(side)", "5.1(side)")


@dataclass(frozen=True)
class Sound:
    """A piece of sound.

    Attributes:
        start_s: exact seconds from the first decoded frame of the film; may be negative.
        samples: (n_channels, n_samples) float32.
    """

    start_s: Fraction
    samples: np.ndarray


class SoundReader:
    """A sound stream of a film, decoded as it is asked for; holes stay holes.

    Attributes:
        rate: samples per second; 0 where there is no sound that can be decoded. Where AAC does not take the film's own, one
            that it takes.
        layout: FFmpeg's name of the channels, e.g. "stereo"; one that AAC takes.

    Args:
        path: the film.
        first_frame_time_s: the first decoded frame's time on the file's own clock.
        index: of the stream in the film; None: the best one.
        from_s: nothing before this moment is wanted, exact seconds from the first frame; what comes may begin earlier.
    """

    def __init__(
        self, path: Path, first_frame_time_s: Fraction, index: int | None = None, from_s: Fraction = Fraction(0)
    ) -> None:
        self._path, self._zero_s, self._index, self._from_s = path, first_frame_time_s, index, from_s
        with opened(path) as container:
            stream = self._stream(container)
            known = stream is not None and stream.codec_context is not None and stream.rate
            self.rate = min(AAC_RATES, key=lambda rate: (abs(rate - stream.rate), rate)) if known else 0
            self.layout = _layout(stream.layout) if known else ""

    def _stream(self, container: av.container.InputContainer) -> av.AudioStream | None:
        return container.streams.best("audio") if self._index is None else container.streams[self._index]

    def __iter__(self) -> Iterator[Sound]:
        if not self.rate:
            return
        with opened(self._path) as container:
            stream = self._stream(container)
            if self._from_s:
                begin_s = max(self._zero_s + self._from_s - EARLY_S, Fraction(0))
                container.seek(int(begin_s / stream.time_base), stream=stream)
            resampler = av.AudioResampler("fltp", self.layout, self.rate)
            next_s = None
            for frame in self._frames(container, stream):
                start_s = next_s if frame.pts is None else frame.pts * frame.time_base - self._zero_s
                if start_s is None:
                    start_s = -self._zero_s
                frame.pts = None
                for whole in resampler.resample(frame):
                    samples = whole.to_ndarray()
                    yield Sound(start_s, samples)
                    start_s += Fraction(samples.shape[1], self.rate)
                next_s = start_s

    @staticmethod
    def _frames(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
        """What can be decoded; damaged packets are passed over."""
        for packet in _packets(container, stream):
            with suppress(av.FFmpegError):
                yield from packet.decode()
        with suppress(av.FFmpegError):
            yield from stream.codec_context.decode(None)


def _layout(own: av.AudioLayout) -> str:
    """The layout itself where AAC takes it, else one of as many channels, else of the most."""
    if own.name in (*AAC_LAYOUTS, *AAC_LAYOUTS_TOO):
        return own.name
    return AAC_LAYOUTS[min(own.nb_channels, len(AAC_LAYOUTS)) - 1]


class SoundPackets:
    """The packets of a sound stream of a film as they are, each with its time on the clock of the pictures.

    What a container rounds, Matroska to milliseconds, is smoothed: a packet begins where the one before it ends, unless the
    film says otherwise by more than it rounds. Packets that came in part, that an edit list leaves out or that go back in time
    are left out; so is what ends before the first picture, but for what a decoder needs to begin with.

    Args:
        path: the film.
        first_frame_time_s: the first decoded frame's time on the file's own clock.
        index: of the stream in the film.
    """

    def __init__(self, path: Path, first_frame_time_s: Fraction, index: int) -> None:
        self._path, self._zero_s, self._index = path, first_frame_time_s, index

    def __iter__(self) -> Iterator[tuple[Fraction, av.Packet]]:
        """Each packet with when it begins, exact seconds from the first frame, may be a little below 0; increasing."""
        with opened(self._path) as container:
            stream = container.streams[self._index]
            tick_s, samples = stream.time_base, stream.codec_context.frame_size
            begun, due_s, last_s = False, None, None
            for packet in _packets(container, stream):
                if packet.is_corrupt or (packet.is_discard and begun):
                    continue
                begun = begun or not packet.is_discard  # what is left out before that is what the decoder begins with
                told_s = None if packet.pts is None else packet.pts * tick_s - self._zero_s
                start_s = due_s if told_s is None or (due_s is not None and abs(told_s - due_s) <= tick_s) else told_s
                if start_s is None:
                    start_s = -self._zero_s
                due_s = start_s + (Fraction(samples, stream.rate) if samples else (packet.duration or 0) * tick_s)
                if due_s <= -EARLY_S or (last_s is not None and start_s <= last_s):
                    continue
                last_s = start_s
                yield start_s, packet


def _packets(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.Packet]:
    """A stream's packets; reading goes on after an error, as long as anything still comes."""
    reading_on = True
    while reading_on:
        reading_on = False
        try:
            for packet in container.demux(stream):
                if packet.size > 0:
                    yield packet
                    reading_on = True
            return
        except av.FFmpegError:
            continue
