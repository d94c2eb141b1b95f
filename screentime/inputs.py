"""The one way from a decoded frame to what a network is shown; used by arrays, features and scores alike."""

import re
from dataclasses import asdict, dataclass

import cv2
import numpy as np

from screentime.backbones import backbone, normalize


@dataclass(frozen=True)
class Form:
    """What a network is shown.

    Attributes:
        backbone: name of the pretrained network, which decides the normalization.
        width: pixels.
        height: pixels; need not be the width.

    Raises:
        InputError: the backbone is not known, or cannot take so small a picture.
    """

    backbone: str
    width: int
    height: int

    def __post_init__(self) -> None:
        backbone(self.backbone).check_size(self.height, self.width)

    @property
    def stem(self) -> str:
        """The backbone's name as a file's: nothing in it parts folders."""
        return re.sub(r"[^\w.-]+", "_", self.backbone)

    def identity(self) -> dict[str, str]:
        """What decides the backbone's weights beside the libraries that are always there."""
        return backbone(self.backbone).identity()

    def as_dict(self) -> dict[str, str | int]:
        """As plain values: `Form(**form.as_dict())` is the same form."""
        return asdict(self)


def network_input(image: np.ndarray, form: Form) -> np.ndarray:
    """A frame as the network wants it: resized, rounded to whole grey levels, normalized.

    The rounding comes before the normalization, so that the values of EfficientNet-Lite0, k/128, are exact in float16.

    Args:
        image: (image height, image width, 3) uint8, RGB.
        form: what the network is shown.

    Returns:
        (form.height, form.width, 3) float32, channels in the backbone's order.

    Raises:
        ValueError: the image is of another shape or type.

    >>> network_input(np.zeros((720, 1280, 3), np.uint8), Form("efficientnet-lite0", width=448, height=256)).shape
    (256, 448, 3)
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"an image (height, width, 3) uint8 is needed, not {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    if (width, height) != (form.width, form.height):
        shrinks = form.width <= width and form.height <= height
        # cv2.INTER_LINEAR skips pixels when it shrinks, INTER_AREA averages them
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        image = cv2.resize(image, (form.width, form.height), interpolation=how)
    return normalize(image, backbone(form.backbone))
