"""Which frames of a clip a network is shown, and how they are cut."""

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from itertools import islice

import cv2
import numpy as np

from screentime.video import NativeFrame, NativeFrames


def chosen_frames(film: NativeFrames, n_frames: int, choose: str) -> Iterator[NativeFrame]:
    """Up to so many frames of a clip, in order, each once.

    "first": the first ones, one after the other. "spread": those on screen in the middle of each of n_frames equal
    stretches of the clip; the clip is decoded twice, first for its length. A clip with fewer frames gives all of them.
    """
    if choose == "first":
        with closing(iter(film)) as every:
            yield from islice(every, n_frames)
        return
    ends_s = [frame.end_s for frame in film]
    moments_s = [(2 * number + 1) * ends_s[-1] / (2 * n_frames) for number in range(n_frames)]
    wanted = set(range(len(ends_s))) if len(ends_s) <= n_frames else set(_on_screen(ends_s, moments_s))
    yield from (frame for number, frame in enumerate(film) if number in wanted)


def _on_screen(ends_s: list[Fraction], moments_s: list[Fraction]) -> Iterator[int]:
    """The number of the frame on screen at each moment; both in increasing order."""
    number = 0
    for moment_s in moments_s:
        while ends_s[number] <= moment_s:
            number += 1
        yield number


def square(image: np.ndarray, size: int) -> np.ndarray:
    """The square in the middle of a picture, made smaller to size x size pixels, never larger.

    Args:
        image: (height, width, 3) uint8.
        size: pixels, >= 1.
    """
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    cut = image[top : top + side, left : left + side]
    return cut if side <= size else cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA)
