"""The sound of a film, in order, on the clock of its pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from screentime.film_file import opened


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
    """The best sound stream of a film, decoded as it is asked for; holes stay holes.

    Attributes:
        rate: samples per second; 0 where the film has no sound that can be decoded.
        layout: FFmpeg's name of the channels, e.g. "stereo".
    """

    def __init__(self, path: Path, first_frame_time_s: Fraction) -> None:
        self._path, self._zero_s = path, first_frame_time_s
        with opened(path) as container:
            stream = container.streams.best("audio")
            known = stream is not None and stream.codec_context is not None and stream.rate
            self.rate = stream.rate if known else 0
            self.layout = stream.layout.name if known else ""

    def __iter__(self) -> Iterator[Sound]:
        if not self.rate:
            return
        with opened(self._path) as container:
            stream = container.streams.best("audio")
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
        try:
            for packet in container.demux(stream):
                try:
                    yield from packet.decode()
                except av.FFmpegError:
                    continue
        except av.FFmpegError:
            return
