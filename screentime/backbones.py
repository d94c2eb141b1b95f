"""The pretrained networks: what each wants to be shown, and how it is built.

The facts are plain numbers, read by light parts too; building one imports Keras. To add a network (any of
keras.applications, say), write a builder like the one below and add one entry to BACKBONES.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from screentime.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Backbone:
    """One pretrained network.

    Attributes:
        name: as written in params.yaml.
        colour_order: the order of the channels the network was trained on.
        mean: per channel in that order, grey levels in [0, 255]: what is taken away from every pixel.
        scale: per channel, grey levels, > 0: what the difference is divided by.
        stride: pixels; an input of height x width gives ceil(height / stride) x ceil(width / stride) places.
        n_features: channels of the feature map.
        build: (height, width) in pixels -> a frozen Keras model from normalized pixels (batch, height, width, 3) to the
            feature map (batch, places down, places across, n_features), both float32.
    """

    name: str
    colour_order: Literal["RGB", "BGR"]
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    stride: int
    n_features: int
    build: Callable[[int, int], "keras.Model"]


def backbone(name: str) -> Backbone:
    """The backbone of that name.

    Raises:
        InputError: there is none; the sentence names the nearest.
    """
    if name not in BACKBONES:
        raise InputError(f"params.yaml: backbone '{name}' is not known; {did_you_mean(name, BACKBONES)}")
    return BACKBONES[name]


def normalize(image: np.ndarray, facts: Backbone) -> np.ndarray:
    """Pixels as a backbone wants them.

    Args:
        image: (height, width, 3) uint8, RGB.
        facts: the backbone.

    Returns:
        (height, width, 3) float32, (pixel - mean) / scale, channels in the backbone's order.

    >>> normalize(np.full((1, 1, 3), 255, np.uint8), BACKBONES["efficientnet-lite0"])
    array([[[1., 1., 1.]]], dtype=float32)
    """
    ordered = image if facts.colour_order == "RGB" else image[..., ::-1]
    return (ordered.astype(np.float32) - np.float32(facts.mean)) / np.float32(facts.scale)


def _build_efficientnet_lite0(height: int, width: int) -> "keras.Model":
    from screentime.efficientnet_lite import efficientnet_lite0

    return efficientnet_lite0(height, width)


BACKBONES = {
    facts.name: facts
    for facts in (
        Backbone(
            name="efficientnet-lite0",
            colour_order="RGB",
            mean=(127.0, 127.0, 127.0),
            scale=(128.0, 128.0, 128.0),
            stride=32,
            n_features=1280,
            build=_build_efficientnet_lite0,
        ),
    )
}
