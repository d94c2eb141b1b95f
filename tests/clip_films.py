"""Synthetic clips: a disc that grows, or, played backwards, shrinks. Every frame of one is a frame of the other."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from synthetic import constant_rate, write_film

N_FRAMES, SIDE = 4, 32


def growing(seed: int) -> list[np.ndarray]:
    """Frames of a disc that grows, (SIDE, SIDE, 3) uint8 RGB each; colours, place and sizes are the seed's."""
    random = np.random.default_rng(seed)
    ground = random.integers(60, 200, 3)
    colour = [int(value) for value in np.where(ground > 130, ground - 100, ground + 100) + random.integers(-30, 30, 3)]
    x, y = (int(value) for value in random.integers(SIDE // 3, 2 * SIDE // 3, 2))
    frames = []
    for radius in np.linspace(SIDE * random.uniform(0.03, 0.1), SIDE * random.uniform(0.3, 0.45), N_FRAMES):
        frame = np.clip(ground + random.normal(0, 6, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
        frames.append(cv2.circle(np.ascontiguousarray(frame), (x, y), round(radius), colour, -1))
    return frames


def write_clip(path: Path, frames: list[np.ndarray]) -> None:
    """A clip of these frames, without loss: played backwards it decodes to the very same pictures, in the other order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = frames[0].shape[:2]
    write_film(
        path, constant_rate(len(frames), Fraction(25)), codec="ffv1", width=width, height=height,
        image_of=lambda number, *_: frames[number],
    )  # fmt: skip


def write_pair(folder: Path, seed: int) -> None:
    """A clip of each class: grows/<seed>.mkv and shrinks/<seed>.mkv."""
    frames = growing(seed)
    write_clip(folder / "grows" / f"{seed:03}.mkv", frames)
    write_clip(folder / "shrinks" / f"{seed:03}.mkv", frames[::-1])
