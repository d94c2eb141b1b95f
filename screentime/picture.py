"""From decoded frames to the pictures that are kept: upright, square pixels, small enough."""

from fractions import Fraction
from math import atan2, pi

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import Interpolation, VideoReformatter

# Bit-exact: the same picture on every processor. It costs nothing measurable.
_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


class Picture:
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
