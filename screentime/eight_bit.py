"""The network that scores in whole numbers of 8 bits: faster on most processors, kept only where it says nearly the same.

Weights and what flows between layers are rounded to 256 steps each, over ranges that labelled frames have shown (post-training
quantization: Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from screentime.light_network import LightNetwork
from screentime.quiet import no_native_chatter
from screentime.scorer import LIGHT_MODEL, LIGHT_MODEL_8_BIT

LEAST = 2  # frames with pictures: one tells the ranges, on the other the two are compared
MOST_RANGED = 100  # frames that tell the ranges; more change little and cost a forward pass each
MOST_JUDGED = 200  # frames on which the two are compared
ALLOWED = 0.01  # mean difference of the scores up to which the 8-bit network is kept


@dataclass(frozen=True)
class Cost:
    """What the rounding does to the scores of frames that did not tell the ranges.

    Attributes:
        n_frames: how many they are.
        difference: mean of |8-bit score - score| over frames and characters, in [0, 1].
        largest: the largest of them.
        bias: of the mean differences with their sign, one for each character, the largest without it: so much of a film's length
            the seconds of a character may move.
        kept: whether the 8-bit network scores from now on.
    """

    n_frames: int
    difference: float
    largest: float
    bias: float
    kept: bool


def offer(folder: Path, inputs: np.ndarray, calibrated: Callable[[np.ndarray], np.ndarray], threads: int) -> dict:
    """Write the 8-bit network beside the other, where it says nearly the same.

    Args:
        folder: of the model; gets scorer_8_bit.tflite.
        inputs: (n_frames, height, width, 3) float16, normalized: labelled frames. Every second one tells the ranges, the others
            are scored by both.
        calibrated: scores of logits, (n, n_characters) float64 each.
        threads: of the networks.

    Returns:
        The `Cost` as plain values.
    """
    from screentime import network

    ranged, judged = _spread(inputs[::2], MOST_RANGED), _spread(inputs[1::2], MOST_JUDGED)
    path = folder / LIGHT_MODEL_8_BIT
    path.write_bytes(light_model(network.load(folder), ranged))
    before, after = (
        calibrated(np.array([light.row(one.astype(np.float32)) for one in judged], np.float64))
        for light in (LightNetwork(folder / LIGHT_MODEL, threads), LightNetwork(path, threads))
    )
    apart = after - before
    difference = float(np.abs(apart).mean())
    cost = Cost(
        n_frames=len(judged),
        difference=difference,
        largest=float(np.abs(apart).max()),
        bias=float(np.abs(apart.mean(axis=0)).max()),
        kept=difference <= ALLOWED,
    )
    if not cost.kept:
        path.unlink()
    return asdict(cost)


def light_model(model: object, pictures: np.ndarray) -> bytes:
    """A Keras model for LiteRT in 8-bit whole numbers, floats in and out.

    Args:
        model: as for `frozen.light_model`.
        pictures: (n_frames, height, width, 3), normalized: they tell the ranges.
    """
    from screentime import frozen

    converter = frozen.light_converter(model)
    converter.optimizations = [frozen.tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one[None].astype(np.float32)] for one in pictures)
    with no_native_chatter():
        return converter.convert()


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many rows, evenly."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int))] if len(rows) else rows
