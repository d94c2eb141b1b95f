"""The trained network: evidence at places by its definition, what is open, and that it comes back from its files."""

import keras
import numpy as np
import pytest
from scipy.special import logsumexp
from trained import params_with

from screentime import network
from screentime.depth import open_layers
from screentime.inputs import Form
from screentime.light_network import LightNetwork

FORM = Form("efficientnet-lite0", width=96, height=64)  # 2 x 3 places


def built(exclusive: bool = False, **settings: object) -> keras.Model:
    tune = params_with(method="fine_tune", weights="none", **settings).train.fine_tune
    return network.build(FORM, 2, tune, exclusive=exclusive)


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (n, 64, 96, 3)).astype(np.float32)


def test_evidence_is_pooled_by_its_definition():
    logits = np.random.default_rng(1).normal(0, 3, (5, 2, 3, 4)).astype(np.float32)
    places = logits.reshape(5, 6, 4)

    soft = np.asarray(network.EvidencePooling("lse")(logits))
    largest = np.asarray(network.EvidencePooling("top_k", k=2)(logits))
    all_of_them = np.asarray(network.EvidencePooling("top_k", k=100)(logits))

    assert soft == pytest.approx(logsumexp(places, axis=1) - np.log(6), abs=1e-5)
    assert largest == pytest.approx(np.sort(places, axis=1)[:, -2:].mean(axis=1), abs=1e-5)
    assert all_of_them == pytest.approx(places.mean(axis=1), abs=1e-5)


def test_one_place_among_a_hundred_is_enough_where_a_mean_would_drown_it():
    logits = np.full((1, 10, 10, 1), -4, np.float32)
    logits[0, 3, 7] = 12

    assert float(network.EvidencePooling("lse")(logits)[0, 0]) > 5
    assert float(network.EvidencePooling("top_k", k=1)(logits)[0, 0]) == 12
    assert logits.mean() < -3


@pytest.mark.parametrize(
    ("pooling", "shape"),
    [("lse", (1, 1280, 2)), ("top_k", (1, 1280, 2)), ("mean", (1280, 2)), ("max", (1280, 2)), ("mean_max", (2560, 2)),
     ("flatten", (2 * 3 * 1280, 2))],
)  # fmt: skip
def test_the_last_layer_reads_places_or_one_row(pooling, shape):
    model = built(pooling=pooling)

    last = next(layer for layer in reversed(model.layers) if layer.weights)
    assert last.name == (network.EVIDENCE if pooling in network.OF_PLACES else "logits")
    assert tuple(last.kernel.shape) == shape[-2:]
    assert model.output_shape == (None, 2)
    assert np.ptp(model.predict_on_batch(pictures(2))) == 0  # the kernel starts at zero


def test_dense_layers_and_dropout_stand_before_the_characters():
    model = built(pooling="flatten", dense=[16, 8], dropout=0.5)

    behind = [layer for layer in model.layers if layer not in model.backbone.layers]
    assert [type(layer).__name__ for layer in behind] == ["Flatten", "Dense", "Dense", "Dropout", "Dense"]
    assert [layer.units for layer in behind if isinstance(layer, keras.layers.Dense)] == [16, 8, 2]
    assert [layer.activation.__name__ for layer in behind if isinstance(layer, keras.layers.Dense)] == [
        "relu",
        "relu",
        "linear",
    ]


def test_what_is_open_is_trained_and_nothing_else():
    model = built(dense=[8])
    opened = open_layers(model.backbone, "blocks:1")
    before = {weight.path: np.array(weight) for weight in model.weights}

    model.compile("sgd", loss="mse")
    model.train_on_batch(pictures(4), np.ones((4, 2), np.float32))

    moved = {path.split("/")[0] for path in before if not np.array_equal(before[path], _weight(model, path))}
    assert moved <= {*opened, "dense_1", network.EVIDENCE}
    assert network.EVIDENCE in moved


def _weight(model: keras.Model, path: str) -> np.ndarray:
    return np.array(next(weight for weight in model.weights if weight.path == path))


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("pooling", ["lse", "mean"])
def test_a_saved_network_comes_back_for_keras_and_for_litert(tmp_path, pooling, exclusive):
    model = built(pooling=pooling, exclusive=exclusive)
    random = np.random.default_rng(3)
    for weight in model.layers[-1 if pooling == "mean" else -2].weights:
        weight.assign(random.normal(0, 0.5, weight.shape))
    scorer = network.scorer_model(model, exclusive=exclusive)
    shown = pictures(3)

    network.save(scorer, tmp_path)

    said = scorer.predict_on_batch(shown)
    again = network.load(tmp_path).predict_on_batch(shown)
    light = LightNetwork(tmp_path / network.LIGHT_MODEL, threads=1)
    if pooling == "mean":
        assert np.abs(again - said).max() < 1e-5
        assert np.abs([light.row(one) for one in shown] - said).max() < 1e-3
        assert light.row_and_places(shown[0])[1] is None
        return
    assert [one.shape for one in said] == [(3, 2), (3, 2, 3, 2)]
    assert max(np.abs(one - other).max() for one, other in zip(again, said, strict=True)) < 1e-5
    assert np.abs([light.row(one) for one in shown] - said[0]).max() < 1e-3
    assert np.abs([light.row_and_places(one)[1] for one in shown] - said[1]).max() < 1e-3
