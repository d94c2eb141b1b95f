"""Films whose truth is known: every frame carries its own number as a picture that survives compression and scaling.

A frame is a grid of 4 by 4 blocks. The corners are red (top left), green (top right), blue (bottom left) and grey
(bottom right), so that a turned or mirrored picture, or one with red and blue exchanged, is not read as a number but
refused; the twelve blocks between are the bits of the number, white for 1, the lowest bit first.

    starts_s = constant_rate(60, Fraction(25))
    write_film(path, starts_s)                           # H.264 in MP4, B-frames and all
    number_of(image) == number_on_screen(starts_s, t)    # what was read is what is on screen at t
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_CORNERS = {(0, 0): (255, 0, 0), (0, 3): (0, 255, 0), (3, 0): (0, 0, 255), (3, 3): (128, 128, 128)}
_BITS = [(row, column) for row in range(4) for column in range(4) if (row, column) not in _CORNERS]
LARGEST_NUMBER = 2 ** len(_BITS) - 1


def numbered_image(number: int, width: int = 128, height: int = 64) -> np.ndarray:
    """The picture of a number in 0..4095: (height, width, 3) uint8, RGB."""
    blocks = np.zeros((4, 4, 3), dtype=np.uint8)
    for corner, colour in _CORNERS.items():
        blocks[corner] = colour
    for bit, place in enumerate(_BITS):
        blocks[place] = 255 * (number >> bit & 1)
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    return blocks[rows[:, None], columns]


def number_of(image: np.ndarray) -> int:
    """The number that a picture carries, read in the middle of its blocks; at any size from 8 by 8 pixels.

    Raises:
        ValueError: the corners are not where they belong: the picture is turned, mirrored, damaged or not RGB.
    """
    height, width = image.shape[:2]
    blocks = image[[(2 * row + 1) * height // 8 for row in range(4)]][:, [(2 * i + 1) * width // 8 for i in range(4)]]
    for corner, colour in _CORNERS.items():
        if np.abs(blocks[corner].astype(int) - colour).max() > 80:
            raise ValueError(f"corner {corner} is {tuple(blocks[corner])}, {colour} was expected")
    return sum(int(blocks[place].mean() > 128) << bit for bit, place in enumerate(_BITS))


def constant_rate(n_frames: int, rate: Fraction, first_s: Fraction = Fraction(0)) -> list[Fraction]:
    """When each frame of a constant rate comes on screen, exact seconds."""
    return [first_s + Fraction(index) / rate for index in range(n_frames)]


def number_on_screen(starts_s: Sequence[Fraction], moment_s: Fraction) -> int:
    """The number of the frame on screen at a moment counted from the first frame, by construction."""
    return bisect_right(starts_s, starts_s[0] + moment_s) - 1


def write_film(
    path: Path,
    starts_s: Sequence[Fraction],
    end_s: Fraction | None = None,
    *,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    codec_options: Mapping[str, str] | None = None,
    container_format: str | None = None,
    container_options: Mapping[str, str] | None = None,
    width: int = 128,
    height: int = 64,
    pixel_aspect: Fraction | None = None,
    display_matrix: Sequence[int] | None = None,
    image_of: Callable[[int, int, int], np.ndarray] = numbered_image,
) -> None:
    """Write a film whose frame i carries the number i.

    Args:
        path: the film; its ending names the container unless container_format does.
        starts_s: when each frame comes on screen, exact seconds on the file's clock, multiples of time_base.
        end_s: when the last frame ends; else it lasts as long as the one before it.
        time_base: the container's tick, seconds; else the gap between the first two frames.
        codec, codec_options: FFmpeg's names, for instance "libx264", {"bf": "2"}.
        container_format, container_options: FFmpeg's names, for instance "mpegts".
        pixel_aspect: width / height of a pixel.
        display_matrix: the nine numbers of ISO/IEC 14496-12, 6.2.2, as stored: the pictures are written as they are.
        image_of: (number, width, height) -> (height, width, 3) uint8, RGB.
    """
    with av.open(str(path), "w", format=container_format, options=dict(container_options or {})) as container:
        film = FilmTrack(container, starts_s, end_s, time_base, codec, codec_options, width, height, image_of)
        if pixel_aspect is not None:
            film.stream.codec_context.sample_aspect_ratio = pixel_aspect
        if display_matrix is not None:
            film.stream.set_display_matrix(display_matrix)
        film.write()


class FilmTrack:
    """One numbered video stream of a container that is being written; `write_film` is the usual way."""

    def __init__(
        self,
        container: av.container.OutputContainer,
        starts_s: Sequence[Fraction],
        end_s: Fraction | None = None,
        time_base: Fraction | None = None,
        codec: str = "libx264",
        codec_options: Mapping[str, str] | None = None,
        width: int = 128,
        height: int = 64,
        image_of: Callable[[int, int, int], np.ndarray] = numbered_image,
    ) -> None:
        gap_s = starts_s[1] - starts_s[0] if len(starts_s) > 1 else Fraction(1, 25)
        last_s = starts_s[-1] - starts_s[-2] if len(starts_s) > 1 else gap_s
        self._container, self._image_of = container, image_of
        self._time_base = time_base or gap_s
        self._ticks = [start_s / self._time_base for start_s in [*starts_s, end_s or starts_s[-1] + last_s]]
        if any(tick.denominator != 1 for tick in self._ticks):
            raise ValueError("the frames' times are not multiples of time_base")
        self.stream = container.add_stream(codec, rate=1 / gap_s, options=dict(codec_options or {}))
        self.stream.width, self.stream.height = width, height
        self.stream.pix_fmt = "yuv420p"
        self.stream.codec_context.time_base = self._time_base

    def write(self) -> None:
        """Encode and write all frames."""
        durations = {int(tick): int(after - tick) for tick, after in zip(self._ticks, self._ticks[1:], strict=False)}
        pictures = [self._picture(number, int(tick)) for number, tick in enumerate(self._ticks[:-1])]
        for picture in [*pictures, None]:
            for packet in self.stream.encode(picture):
                packet.duration = durations.get(packet.pts, 0)
                self._container.mux(packet)

    def _picture(self, number: int, tick: int) -> av.VideoFrame:
        image = self._image_of(number, self.stream.width, self.stream.height)
        picture = av.VideoFrame.from_ndarray(image, format="rgb24")
        picture.pts, picture.time_base = tick, self._time_base
        return picture


def write_sound(container: av.container.OutputContainer, length_s: float, codec: str = "aac") -> None:
    """Write a silent sound stream into a container."""
    stream = container.add_stream(codec, rate=48000)
    for index in range(int(length_s * 48000) // 1024):
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts = 48000, index * 1024
        container.mux(stream.encode(silence))
    container.mux(stream.encode(None))


def packets(path: Path) -> list[tuple[int, int, int | None]]:
    """(position in the file, size in bytes, presentation tick) of every packet of the first video stream, in order."""
    with av.open(str(path)) as container:
        found = container.demux(container.streams.video[0])
        return [(packet.pos, packet.size, packet.pts) for packet in found if packet.size > 0]


def spoil_packet(path: Path, index: int) -> None:
    """Overwrite one packet of an MP4 file in place, so that no decoder accepts it."""
    position, size, _ = packets(path)[index]
    with open(path, "r+b") as file:
        file.seek(position)
        file.write(b"\xff" * size)


def cut_file(path: Path, n_bytes: int) -> None:
    """Keep only the first bytes of a file."""
    with open(path, "r+b") as file:
        file.truncate(n_bytes)
