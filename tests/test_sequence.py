"""Heads over windows: masks hold, GPU kernels would take them, LiteRT says the same, a fit is repeatable."""

import json
from importlib import import_module

import keras
import numpy as np
import pytest
import tensorflow
from scipy.special import expit
from tensorflow.errors import InvalidArgumentError, NotFoundError

from screentime.errors import InputError
from screentime.light_sequence import LightSequence
from screentime.sequence import Fitting, HeadShape, fit, light_head, probabilities_of, sequence_head
from screentime.windows import Windows, padded

recurrent = import_module("keras.src.backend.tensorflow.rnn")  # the package has a function of that name

N_FRAMES, N_FEATURES, N_CLASSES = 5, 12, 3
SHAPES = {
    "gru": HeadShape("gru", (16, 8), dense=(8,), dropout=0.4),
    "lstm": HeadShape("lstm", (64, 16)),
    "transformer": HeadShape("transformer", (8, 8), dropout=0.1, attention_heads=2),
    "transformer, learned positions": HeadShape("transformer", (8,), dense=(4,), positions="learned"),
    "mean": HeadShape("mean", (), dense=(8,)),
    "rolling": HeadShape("rolling", (), dense=(8,)),
}
ORDERLESS = {"mean", "rolling"}


@pytest.fixture(scope="module")
def heads():
    """A head of each kind with weights as they come, biases shifted away from zero."""
    keras.utils.set_random_seed(1)
    return {name: sequence_head(N_FRAMES, N_FEATURES, N_CLASSES, shape) for name, shape in SHAPES.items()}


@pytest.fixture(scope="module")
def windows():
    """Windows of every length, the shortest of one frame."""
    random = np.random.default_rng(0)
    return padded([random.normal(0, 2, (1 + row % 7, N_FEATURES)).astype(np.float32) for row in range(40)], N_FRAMES)


def logits(head, windows: Windows) -> np.ndarray:
    return np.asarray(head([windows.features, windows.mask], training=False))


@pytest.mark.parametrize("name", SHAPES)
def test_what_stands_in_the_padding_changes_nothing(name, heads, windows):
    noise = np.where(windows.mask[..., None], windows.features, 50).astype(np.float32)

    np.testing.assert_allclose(
        logits(heads[name], Windows(noise, windows.mask)), logits(heads[name], windows), atol=1e-5
    )


@pytest.mark.parametrize("name", SHAPES)
def test_the_order_of_the_frames_counts_except_for_the_heads_that_average(name, heads):
    forth = padded([np.random.default_rng(3).normal(0, 2, (N_FRAMES, N_FEATURES)).astype(np.float32)], N_FRAMES)
    back = Windows(forth.features[:, ::-1], forth.mask)

    difference = np.abs(logits(heads[name], forth) - logits(heads[name], back)).max()

    assert difference < 1e-5 if name in ORDERLESS else difference > 1e-2


@pytest.mark.parametrize("name", SHAPES)
def test_the_exported_head_says_the_same_without_tensorflow(name, heads, windows, tmp_path):
    (tmp_path / "head.tflite").write_bytes(light_head(heads[name], N_FRAMES))

    light = LightSequence(tmp_path / "head.tflite", threads=1)

    np.testing.assert_allclose(light.logits(windows), logits(heads[name], windows), atol=1e-3)
    np.testing.assert_allclose(light.probabilities(windows), probabilities_of(heads[name], windows), atol=1e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_a_head_comes_back_from_its_architecture_and_weights(name, heads, windows):
    again = keras.models.model_from_json(heads[name].to_json())
    again.set_weights(heads[name].get_weights())

    np.testing.assert_array_equal(logits(again, windows), logits(heads[name], windows))


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_the_kernels_of_a_gpu_accept_the_layers_and_the_masks(name, heads, windows, monkeypatch):
    """On a machine that seems to have a GPU the fused kernel is called for every layer, with a mask it accepts."""
    calls = []

    def kernel(*inputs):
        mask = next(one for one in inputs if getattr(one, "dtype", None) == tensorflow.bool)
        recurrent._assert_valid_mask(mask)
        calls.append(mask)
        raise NotFoundError(None, None, "there is no such kernel here")  # Keras then goes the slow way

    monkeypatch.setattr(recurrent, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(recurrent, f"_cudnn_{name}", kernel)
    with_kernel = logits(heads[name], windows)

    assert len(calls) == len(SHAPES[name].units)
    np.testing.assert_allclose(with_kernel, logits(heads[name], windows), atol=1e-6)


@pytest.mark.parametrize("mask", [[[False, True, True]], [[True, False, True]], [[False, False, False]]])
def test_those_kernels_would_refuse_what_windows_refuse(mask):
    with pytest.raises(InvalidArgumentError, match="right-padded"):
        recurrent._assert_valid_mask(np.array(mask))
    with pytest.raises(ValueError, match="padded on the right"):
        Windows(np.zeros((1, 3, 1)), np.array(mask))


def test_the_rolling_head_is_the_average_of_what_is_said_of_each_frame_alone(heads, windows):
    alone = probabilities_of(heads["rolling"], windows.frames_alone())
    of_window = np.repeat(np.arange(len(windows)), windows.mask.sum(axis=1))

    expected = np.stack([alone[of_window == row].mean(axis=0) for row in range(len(windows))])
    np.testing.assert_allclose(probabilities_of(heads["rolling"], windows), expected, atol=1e-6)


def test_where_outputs_do_not_exclude_each_other_the_rolling_head_averages_each_ones_probability(windows, tmp_path):
    head = sequence_head(N_FRAMES, N_FEATURES, N_CLASSES, HeadShape("rolling", (), dense=(8,)), independent=True)
    alone = expit(logits(head, windows.frames_alone()).astype(np.float64))
    of_window = np.repeat(np.arange(len(windows)), windows.mask.sum(axis=1))
    (tmp_path / "head.tflite").write_bytes(light_head(head, N_FRAMES))

    expected = np.stack([alone[of_window == row].mean(axis=0) for row in range(len(windows))])
    np.testing.assert_allclose(expit(logits(head, windows)), expected, atol=1e-5)
    np.testing.assert_allclose(
        LightSequence(tmp_path / "head.tflite", 1).logits(windows), logits(head, windows), atol=1e-3
    )


def separable(n_windows: int, seed: int) -> tuple[Windows, np.ndarray]:
    """Windows whose class is written into one feature of some frame."""
    random = np.random.default_rng(seed)
    classes = random.integers(0, N_CLASSES, n_windows)
    sequences = [random.normal(0, 0.3, (random.integers(2, N_FRAMES + 1), N_FEATURES)) for _ in classes]
    for sequence, number in zip(sequences, classes, strict=True):
        sequence[random.integers(len(sequence)), number] += 3
    return padded([sequence.astype(np.float32) for sequence in sequences], N_FRAMES), classes


def test_a_fit_ends_with_the_weights_of_its_best_epoch_and_stops_when_none_was_better():
    training, held_out = separable(96, 0), separable(60, 1)
    head = sequence_head(N_FRAMES, N_FEATURES, N_CLASSES, HeadShape("mean", (), dense=(16,)))

    fitted = fit(head, *training, held_out, Fitting("adam", 0.1, 32, epochs=200, patience=5, seed=0), lambda *_: None)

    losses = [epoch["validation_loss"] for epoch in fitted.history]
    assert fitted.best_epoch == 1 + int(np.argmin(losses)) == len(losses) - 5
    probabilities = probabilities_of(head, held_out[0])
    assert -np.log(probabilities[np.arange(60), held_out[1]]).mean() == pytest.approx(min(losses), abs=1e-6)
    assert (probabilities.argmax(axis=1) == held_out[1]).mean() > 0.9


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    training = separable(48, 0)

    def weights(seed: int) -> list:
        keras.utils.set_random_seed(seed)
        head = sequence_head(N_FRAMES, N_FEATURES, N_CLASSES, HeadShape("rolling", (), dropout=0.3))
        fit(head, *training, None, Fitting("rmsprop", 0.01, 20, epochs=3, patience=3, seed=seed), lambda *_: None)
        return [array.tolist() for array in head.get_weights()]

    assert json.dumps(weights(0)) == json.dumps(weights(0)) != json.dumps(weights(1))


def test_a_loss_that_is_no_number_stops_the_fit_with_a_sentence():
    training = separable(48, 0)
    training[0].features[0, 0, 0] = np.nan
    head = sequence_head(N_FRAMES, N_FEATURES, N_CLASSES, HeadShape("mean", ()))

    with pytest.raises(InputError) as error:
        fit(head, *training, None, Fitting("sgd", 0.01, 48, epochs=3, patience=3, seed=0), lambda *_: None)

    assert str(error.value) == (
        "epoch 1: the loss is no longer a finite number, one that falls was expected; lower learning_rate"
    )
