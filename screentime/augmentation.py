"""Frames as they might have looked: turned, moved, sheared, nearer, mirrored, in another light.

Every frame of a batch is changed by chance and by itself, so that a network learns who is there and not the few frames
that somebody labelled. Geometry is one affine map, so that the picture is sampled once; the border is mirrored, as black
corners would be a mark of their own.
"""

import cv2
import numpy as np

from screentime.backbones import Backbone
from screentime.sections import Augment

SHEET_FRAMES, SHEET_VARIANTS = 8, 5


def augmented(pictures: np.ndarray, settings: Augment, facts: Backbone, random: np.random.Generator) -> np.ndarray:
    """Changed copies.

    Args:
        pictures: (n, height, width, 3) float32, normalized.
        settings: how much of what; everything off gives the pictures back.
        facts: of the backbone, which tell grey levels from normalized pixels.
        random: the source of chance.

    Returns:
        (n, height, width, 3) float32, normalized.
    """
    moves = settings.flip or any((settings.rotation, settings.shift, settings.shear, settings.zoom))
    lights = any((settings.brightness, settings.contrast, settings.saturation))
    result = pictures
    if moves:
        result = np.stack([_moved(picture, settings, random) for picture in result])
    if lights:
        result = np.stack([_lit(picture, settings, facts, random) for picture in result])
    return result


def _moved(picture: np.ndarray, settings: Augment, random: np.random.Generator) -> np.ndarray:
    """Geometry, around the middle of the picture."""
    height, width = picture.shape[:2]
    angle, shear = (np.deg2rad(random.uniform(-1, 1) * most) for most in (settings.rotation, settings.shear))
    nearer = (1 + settings.zoom) ** random.uniform(-1, 1)
    across, down = random.uniform(-1, 1, 2) * settings.shift
    mirror = -1.0 if settings.flip and random.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = nearer * turn @ np.array([[1.0, np.tan(shear)], [0.0, 1.0]]) @ np.diag([mirror, 1.0])
    middle = np.array([width - 1, height - 1]) / 2
    offset = middle - matrix @ middle + np.array([across * width, down * height])
    return cv2.warpAffine(
        picture,
        np.column_stack([matrix, offset]),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def _lit(picture: np.ndarray, settings: Augment, facts: Backbone, random: np.random.Generator) -> np.ndarray:
    """Light and colour of grey levels in [0, 255], as one map of normalized pixels to normalized pixels."""
    brightness, contrast, saturation = random.uniform(-1, 1, 3) * (
        settings.brightness, settings.contrast, settings.saturation
    )  # fmt: skip
    mean, scale = (np.broadcast_to(np.float64(one), 3) for one in (facts.mean, facts.scale))
    mixed = (1 + contrast) * ((1 + saturation) * np.eye(3) - saturation / 3)
    offset = mixed @ mean - 127.5 * contrast + 255 * brightness
    lit = cv2.transform(picture, np.column_stack([mixed * scale, offset - mean]) / scale[:, None])
    return np.clip(lit, ((0 - mean) / scale).astype(np.float32), ((255 - mean) / scale).astype(np.float32), out=lit)


def sheet(pictures: np.ndarray, settings: Augment | None, facts: Backbone, seed: int) -> np.ndarray:
    """A sheet to look at: frames spread over those that train, each as it is and in five variants beside it.

    Args:
        pictures: (n, height, width, 3) float16 or float32, normalized; may be memory-mapped.
        settings: None shows the frames alone.

    Returns:
        (rows, columns, 3) uint8, RGB.
    """
    if not len(pictures):  # private films leave none
        return np.full((1, 1, 3), 255, np.uint8)
    random = np.random.default_rng(seed)
    places = np.unique(np.linspace(0, len(pictures) - 1, SHEET_FRAMES).astype(int))
    rows = []
    for place in places:
        picture = pictures[place].astype(np.float32)[None]
        n_variants = 0 if settings is None else SHEET_VARIANTS
        variants = [picture, *(augmented(picture, settings, facts, random) for _ in range(n_variants))]
        rows.append(np.concatenate([_shown(one[0], facts) for one in variants], axis=1))
    return np.concatenate(rows)


def _shown(picture: np.ndarray, facts: Backbone) -> np.ndarray:
    """A normalized picture as RGB grey levels, 192 pixels wide, with a thin white edge."""
    levels = np.clip(picture * np.float32(facts.scale) + np.float32(facts.mean), 0, 255).astype(np.uint8)
    levels = levels if facts.colour_order == "RGB" else levels[..., ::-1]
    height, width = levels.shape[:2]
    small = cv2.resize(np.ascontiguousarray(levels), (192, round(192 * height / width)), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(small, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))
