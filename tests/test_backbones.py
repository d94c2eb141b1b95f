"""The backbones are the published networks: EfficientNet-Lite compared with a forward pass written from its definition,
in numpy alone; those of Keras shown what their own `preprocess_input` gives.
"""

import math
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_sample_image

from screentime.backbones import BACKBONES, backbone
from screentime.depth import block_ends
from screentime.efficientnet_lite import VARIANTS, tensor_shapes
from screentime.errors import InputError
from screentime.inputs import Form, network_input
from screentime.weights import package_tensors

# expansion, stride of the first, kernel side: the paper's table; and of each network how many blocks and channels out
PUBLISHED = ((1, 1, 3), (6, 2, 3), (6, 2, 5), (6, 2, 3), (6, 1, 5), (6, 2, 5), (6, 1, 3))
SIZES = {
    "efficientnet-lite0": ((1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320)),
    "efficientnet-lite1": ((1, 3, 3, 4, 4, 5, 1), (16, 24, 40, 80, 112, 192, 320)),
    "efficientnet-lite2": ((1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352)),
}
OF_KERAS = {name: facts for name, facts in BACKBONES.items() if name not in SIZES}


class Reference:
    """EfficientNet-Lite for one picture, channels first, batch normalization as its own step, in float64."""

    def __init__(self, name: str) -> None:
        self.blocks, self.channels = SIZES[name]
        tensors = package_tensors(VARIANTS[name].weights)
        self.tensors = {name: array.astype(np.float64) for name, array in tensors.items()}

    def features(self, picture: np.ndarray) -> np.ndarray:
        """(height, width, 3) normalized RGB to (places down, places across, 1280)."""
        x = self.relu6(self.norm(self.convolution(picture.transpose(2, 0, 1), "_conv_stem", 2), "_bn0"))
        number = 0
        for (expansion, stride, side), blocks, channels in zip(PUBLISHED, self.blocks, self.channels, strict=True):
            for block in range(blocks):
                x = self.block(x, f"_blocks.{number}", expansion, stride if block == 0 else 1)
                assert len(x) == channels
                assert self.tensors[f"_blocks.{number}._depthwise_conv.weight"].shape[2:] == (side, side)
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


@pytest.fixture(scope="module")
def flower() -> np.ndarray:
    """A photograph of a flower, (427, 640, 3) uint8 RGB, that scikit-learn carries."""
    return load_sample_image("flower.jpg")


@pytest.mark.parametrize(
    "name, width, height",
    [
        ("efficientnet-lite0", 96, 64),
        ("efficientnet-lite0", 75, 90),
        ("efficientnet-lite1", 75, 90),
        ("efficientnet-lite2", 75, 90),
    ],
)
def test_the_features_are_those_of_the_published_network(flower, name, width, height):
    """Also where the size is not square, and not a multiple of 32, so that the padding differs from side to side."""
    picture = network_input(flower, Form(name, width=width, height=height))
    model = backbone(name).build(height, width)

    places = np.asarray(model(picture[None]))[0]

    assert places.shape == (-(-height // 32), -(-width // 32), 1280)
    assert np.abs(places - Reference(name).features(picture)).max() < 1e-4


@pytest.mark.parametrize("name", SIZES)
def test_a_weights_file_holds_the_tensors_of_its_network_and_its_classifier_and_no_others(name):
    tensors = package_tensors(VARIANTS[name].weights)

    found = {key: array.shape for key, array in tensors.items() if not key.endswith("num_batches_tracked")}
    assert found == tensor_shapes(VARIANTS[name]) | {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}


def test_the_network_knows_a_photograph():
    """Weights in the right place and pixels in the right range: a temple over water is taken for one of that kind.

    The classes of ImageNet nearest to it: bell cote 442, boathouse 449, monastery 663, palace 698, stupa 832.
    """
    picture = network_input(load_sample_image("china.jpg"), Form("efficientnet-lite0", width=224, height=224))
    places = backbone("efficientnet-lite0").build(224, 224).predict_on_batch(picture[None])[0]

    reference = Reference("efficientnet-lite0")
    logits = reference.tensors["_fc.weight"] @ places.mean(axis=(0, 1)) + reference.tensors["_fc.bias"]

    assert softmax(logits)[[442, 449, 663, 698, 832]].sum() > 0.5


@pytest.mark.parametrize("facts", [BACKBONES[name] for name in SIZES], ids=SIZES)
def test_the_facts_of_a_bundled_backbone_are_those_of_its_network(facts):
    model = facts.build(4 * facts.stride, 3 * facts.stride)

    assert model.output_shape == (None, 4, 3, facts.n_features)
    assert model.trainable_weights == []


def test_every_network_of_keras_has_its_entry_and_no_other():
    assert set(OF_KERAS) == {
        name for name, what in vars(keras.applications).items() if name[0].isupper() and callable(what)
    }


@pytest.mark.parametrize("facts", OF_KERAS.values(), ids=OF_KERAS)
def test_a_network_of_keras_is_shown_what_its_own_preprocessing_gives(flower, facts):
    module = sys.modules[getattr(keras.applications, facts.name).__module__]

    shown = network_input(flower, Form(facts.name, width=640, height=427))

    assert np.abs(shown - module.preprocess_input(flower.astype(np.float32))).max() < 1e-4


@pytest.mark.parametrize(
    "name, n_layers, n_blocks, n_features, side",
    [("MobileNetV2", 154, 17, 1280, 224), ("VGG16", 19, 5, 512, 224), ("InceptionV3", 311, 11, 2048, 299)],
)
def test_a_network_of_keras_is_the_one_of_its_name(name, n_layers, n_blocks, n_features, side):
    facts = backbone(name)
    model = facts.build(96, 128, weights="none")

    assert (len(model.layers), len(block_ends(model)), model.output_shape[-1]) == (n_layers, n_blocks, n_features)
    assert (facts.n_features, facts.side) == (n_features, side)
    assert model.name == name
    assert model.trainable_weights == []


def test_efficientnet_b7_runs_a_frame_at_its_own_600_pixels_and_its_weights_come_back(flower, tmp_path):
    facts = backbone("EfficientNetB7")
    model = facts.build(600, 600, weights="none")

    places = np.asarray(model(network_input(flower, Form(facts.name, width=600, height=600))[None]))

    assert (len(model.layers), len(block_ends(model)), facts.side, facts.n_features) == (813, 55, 600, 2560)
    assert model.trainable_weights == []  # nothing of it is open
    assert places.shape == (1, math.ceil(600 / 32), math.ceil(600 / 32), 2560)
    assert np.isfinite(places).all() and places.std() > 0

    model.save_weights(tmp_path / "b7.weights.h5")
    again = facts.build(64, 64, weights=str(tmp_path / "b7.weights.h5"))
    for found, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    "name, places", [("efficientnet-lite0", 1), ("MobileNetV2", 1), ("InceptionV3", 1), ("Xception", 3)]
)
def test_an_input_too_small_is_one_sentence_and_the_least_one_fits(name, places):
    facts = backbone(name)
    least = facts.least_side

    with pytest.raises(InputError) as caught:
        facts.build(4 * least, least - 1)
    assert str(caught.value) == (
        f"params.yaml: {least - 1}x{4 * least} is too small for {name}, at least {least}x{least} pixels were expected; "
        "raise width and height"
    )
    assert facts.build(least, least, weights="none").output_shape[1:] == (places, places, facts.n_features)


@pytest.mark.parametrize(
    "name, nearest",
    [
        ("efficientnet-light0", "efficientnet-lite0"),
        ("vgg16", "VGG16"),
        ("mobilenet_v2", "MobileNetV2"),
        ("resnet-50", "ResNet50"),
    ],
)
def test_an_unknown_backbone_is_named_with_the_nearest(name, nearest):
    with pytest.raises(InputError) as caught:
        backbone(name)
    assert str(caught.value) == f"params.yaml: backbone '{name}' is not known; did you mean '{nearest}'?"


def test_the_facts_and_the_input_need_no_tensorflow():
    program = "import sys, screentime.inputs; print(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"
