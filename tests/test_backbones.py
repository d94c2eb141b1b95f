"""The backbone is the published network: compared with a forward pass written from its definition, in numpy alone."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_sample_image

from screentime.backbones import BACKBONES, backbone
from screentime.efficientnet_lite import WEIGHTS
from screentime.errors import InputError
from screentime.inputs import Form, network_input
from screentime.model import make_deterministic
from screentime.weights import package_tensors

# expansion, channels out, blocks, stride of the first, kernel side: the paper's table
PUBLISHED = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)  # fmt: skip


class Reference:
    """EfficientNet-Lite0 for one picture, channels first, batch normalization as its own step, in float64."""

    def __init__(self) -> None:
        self.tensors = {name: array.astype(np.float64) for name, array in package_tensors(WEIGHTS).items()}

    def features(self, picture: np.ndarray) -> np.ndarray:
        """(height, width, 3) normalized RGB to (places down, places across, 1280)."""
        x = self.relu6(self.norm(self.convolution(picture.transpose(2, 0, 1), "_conv_stem", 2), "_bn0"))
        number = 0
        for expansion, _channels, blocks, stride, _kernel in PUBLISHED:
            for block in range(blocks):
                x = self.block(x, f"_blocks.{number}", expansion, stride if block == 0 else 1)
                number += 1
        return self.relu6(self.norm(self.convolution(x, "_conv_head", 1), "_bn1")).transpose(1, 2, 0)

    def block(self, x: np.ndarray, name: str, expansion: int, stride: int) -> np.ndarray:
        y = x
        if expansion != 1:
            y = self.relu6(self.norm(self.convolution(y, f"{name}._expand_conv", 1), f"{name}._bn0"))
        y = self.relu6(self.norm(self.depthwise(y, f"{name}._depthwise_conv", stride), f"{name}._bn1"))
        y = self.norm(self.convolution(y, f"{name}._project_conv", 1), f"{name}._bn2")
        return x + y if stride == 1 and x.shape == y.shape else y

    def convolution(self, x: np.ndarray, name: str, stride: int) -> np.ndarray:
        kernel = self.tensors[f"{name}.weight"]
        return np.einsum("ihwyx,oiyx->ohw", windows(x, kernel.shape[2], stride), kernel, optimize=True)

    def depthwise(self, x: np.ndarray, name: str, stride: int) -> np.ndarray:
        kernel = self.tensors[f"{name}.weight"]
        return np.einsum("ihwyx,iyx->ihw", windows(x, kernel.shape[2], stride), kernel[:, 0], optimize=True)

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        scale, shift, mean, variance = (
            self.tensors[f"{name}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * scale + shift

    @staticmethod
    def relu6(x: np.ndarray) -> np.ndarray:
        return np.clip(x, 0, 6)


def windows(x: np.ndarray, side: int, stride: int) -> np.ndarray:
    """(channels, rows, columns, side, side): what each place sees, with TensorFlow's padding: the odd pixel at the end."""
    padding = [(0, 0)]
    for length in x.shape[1:]:
        total = max((-(-length // stride) - 1) * stride + side - length, 0)
        padding.append((total // 2, total - total // 2))
    return np.lib.stride_tricks.sliding_window_view(np.pad(x, padding), (side, side), axis=(1, 2))[
        :, ::stride, ::stride
    ]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    make_deterministic(0, 1)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference()


@pytest.fixture(scope="module")
def flower() -> np.ndarray:
    """A photograph of a flower, (427, 640, 3) uint8 RGB, that scikit-learn carries."""
    return load_sample_image("flower.jpg")


@pytest.mark.parametrize("width, height", [(96, 64), (75, 90)])
def test_the_features_are_those_of_the_published_network(reference, flower, width, height):
    """Also where the size is not square, and not a multiple of 32, so that the padding differs from side to side."""
    picture = network_input(flower, Form("efficientnet-lite0", width=width, height=height))
    model = backbone("efficientnet-lite0").build(height, width)

    places = model.predict_on_batch(picture[None])[0]

    assert places.shape == (-(-height // 32), -(-width // 32), 1280)
    assert np.abs(places - reference.features(picture)).max() < 1e-4


def test_the_network_knows_a_photograph(reference):
    """Weights in the right place and pixels in the right range: a temple over water is taken for one of that kind.

    The classes of ImageNet nearest to it: bell cote 442, boathouse 449, monastery 663, palace 698, stupa 832.
    """
    picture = network_input(load_sample_image("china.jpg"), Form("efficientnet-lite0", width=224, height=224))
    places = backbone("efficientnet-lite0").build(224, 224).predict_on_batch(picture[None])[0]

    logits = reference.tensors["_fc.weight"] @ places.mean(axis=(0, 1)) + reference.tensors["_fc.bias"]

    assert softmax(logits)[[442, 449, 663, 698, 832]].sum() > 0.5


def test_the_backbone_is_frozen():
    model = backbone("efficientnet-lite0").build(64, 64)

    assert model.trainable_weights == []


@pytest.mark.parametrize("facts", BACKBONES.values(), ids=BACKBONES)
def test_the_facts_of_a_backbone_are_those_of_its_network(facts):
    model = facts.build(4 * facts.stride, 3 * facts.stride)

    assert model.output_shape == (None, 4, 3, facts.n_features)


def test_an_unknown_backbone_is_named_with_the_nearest():
    with pytest.raises(InputError) as caught:
        backbone("efficientnet-light0")
    assert str(caught.value) == (
        "params.yaml: backbone 'efficientnet-light0' is not known; did you mean 'efficientnet-lite0'?"
    )


def test_the_facts_and_the_input_need_no_tensorflow():
    program = "import sys, screentime.inputs; print(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"
