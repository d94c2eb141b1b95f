"""Which layers of a network are trained, and the network cut in two where the training begins."""

import keras
import numpy as np
import pytest

from screentime.backbones import backbone
from screentime.depth import block_ends, cut, cuts, frozen_until, open_layers
from screentime.errors import InputError

SIDE = 64


@pytest.fixture(scope="module")
def lite0() -> keras.Model:
    return backbone("efficientnet-lite0").build(SIDE, SIDE)


@pytest.fixture(scope="module")
def mobilenet_v2() -> keras.Model:
    return keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))


@pytest.fixture(params=["lite0", "mobilenet_v2"])
def network(request) -> keras.Model:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (2, SIDE, SIDE, 3)).astype(np.float32)


def outputs(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    return np.asarray(model(inputs, training=False))


@pytest.mark.parametrize("how", ["none", "blocks:1", "blocks:3", 7, "all"])
def test_the_two_parts_together_are_the_whole(network, pictures, how):
    open_layers(network, how)
    trunk, rest = cut(network, frozen_until(network))

    assert np.abs(outputs(rest, outputs(trunk, pictures)) - outputs(network, pictures)).max() == 0
    assert trunk.trainable_weights == []
    assert [weight.path for weight in rest.trainable_weights] == [weight.path for weight in network.trainable_weights]


def test_training_the_rest_trains_the_network_and_leaves_the_frozen_layers_and_every_statistic(mobilenet_v2):
    opened = open_layers(mobilenet_v2, "blocks:1")
    _, rest = cut(mobilenet_v2, frozen_until(mobilenet_v2))
    before = {weight.path: weight.numpy() for weight in mobilenet_v2.weights}

    rest.compile(keras.optimizers.SGD(1.0), loss="mean_squared_error")
    seen = np.random.default_rng(0).normal(0, 1, (2, *rest.input_shape[1:])).astype(np.float32)
    rest.train_on_batch(seen, np.ones((len(seen), *rest.output_shape[1:]), np.float32))

    changed = {weight.path for weight in mobilenet_v2.weights if np.any(weight.numpy() != before[weight.path])}
    assert opened == ["block_16_expand", "block_16_depthwise", "block_16_project", "Conv_1"]
    assert changed == {weight.path for name in opened for weight in mobilenet_v2.get_layer(name).weights}


def test_a_network_is_cut_only_where_it_is_a_single_tensor(lite0):
    """Between the blocks, and inside a block that nothing leads around; never beside a shortcut."""
    possible = cuts(lite0)

    assert possible[0] == "picture" and possible[-1] == "conv_head"
    assert {"blocks_3_expand_conv", "blocks_3_project_conv", "blocks_4_add"} <= set(possible)
    assert not {"blocks_4_expand_conv", "blocks_4_depthwise_conv", "blocks_4_project_conv"} & set(possible)
    with pytest.raises(ValueError, match="efficientnet_lite0 cannot be cut at blocks_4_project_conv: "):
        cut(lite0, "blocks_4_project_conv")


def test_layers_are_counted_from_the_end_those_without_weights_too(lite0, mobilenet_v2):
    assert open_layers(lite0, 3) == ["blocks_15_depthwise_conv", "blocks_15_project_conv", "conv_head"]
    assert [layer.name for layer in mobilenet_v2.layers[-4:]] == [
        "block_16_project_BN", "Conv_1", "Conv_1_bn", "out_relu",
    ]  # fmt: skip
    assert open_layers(mobilenet_v2, 4) == ["Conv_1"]


def test_blocks_are_those_of_the_paper(lite0, mobilenet_v2):
    """Sixteen in EfficientNet-Lite0, seventeen in MobileNetV2; what lies behind the last is opened with it."""
    assert len(block_ends(lite0)) == 16
    assert len(block_ends(mobilenet_v2)) == 17
    assert {name.rpartition("_")[0] for name in open_layers(lite0, "blocks:2")} == {
        "blocks_14_expand", "blocks_14_depthwise", "blocks_14_project",
        "blocks_15_expand", "blocks_15_depthwise", "blocks_15_project", "conv",
    }  # fmt: skip


def test_all_opens_everything_but_batch_normalization(network):
    opened = open_layers(network, "all")

    closed = {type(layer) for layer in network.layers if layer.weights and layer.name not in opened}
    assert closed <= {keras.layers.BatchNormalization}
    assert open_layers(network, "none") == []
    assert network.trainable_weights == []


@pytest.mark.parametrize(
    "how, sentence",
    [
        (
            "last",
            "params.yaml: open is 'last', 'none', 'all', a number of layers or 'blocks:3' was expected; correct it",
        ),
        (0, "params.yaml: open is 0, efficientnet_lite0 has 59 layers; open 1 to 59, or 'all'"),
        (60, "params.yaml: open is 60, efficientnet_lite0 has 59 layers; open 1 to 59, or 'all'"),
        (
            "blocks:17",
            "params.yaml: open is 'blocks:17', efficientnet_lite0 has 16 blocks; open fewer, a number of layers, or 'all'",
        ),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(lite0, how, sentence):
    with pytest.raises(InputError) as caught:
        open_layers(lite0, how)
    assert str(caught.value) == sentence
