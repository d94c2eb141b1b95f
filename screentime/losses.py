"""What a network is trained to lower, where some answers are unknown, and classes that exclude each other."""

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="screentime")
class OneAgainstRest(layers.Layer):
    """From the logits of classes that exclude each other to one logit for each but the last ("none of the cast").

    The log-odds of a class, z_c - log(sum over the others of exp(z)), so that expit of it is the softmax. What comes
    behind (calibration, scores) is then the same for exclusive and for independent characters.
    """

    def call(self, logits: keras.KerasTensor) -> keras.KerasTensor:
        """(..., n_characters + 1) float32 to (..., n_characters) float32."""
        n_classes = logits.shape[-1]
        without_own = ops.convert_to_tensor(-1e9 * np.eye(n_classes - 1, n_classes, dtype=np.float32))
        others = ops.logsumexp(ops.expand_dims(logits, -2) + without_own, axis=-1)
        return logits[..., : n_classes - 1] - others

    def compute_output_shape(self, shape: tuple) -> tuple:
        return (*shape[:-1], shape[-1] - 1)


@keras.saving.register_keras_serializable(package="screentime")
class KnownAccuracy(keras.metrics.Mean):
    """The share of known answers that a logit above 0 gets right; exclusive: of frames whose class is the largest logit."""

    def __init__(self, exclusive: bool = False, name: str = "accuracy", **arguments: object) -> None:
        super().__init__(name=name, **arguments)
        self.exclusive = exclusive

    def update_state(self, targets, logits, sample_weight=None):
        """Targets (n, n_characters) 1, 0 or NaN; logits (n, n_outputs)."""
        if not self.exclusive:
            known = ops.logical_not(ops.isnan(targets))
            right = ops.equal(ops.cast(logits > 0, "float32"), targets)
            return super().update_state(ops.cast(right, "float32"), ops.cast(known, "float32"))
        present, absent = ops.equal(targets, 1.0), ops.all(ops.equal(targets, 0.0), axis=-1)
        n_characters = targets.shape[-1]
        wanted = ops.where(ops.any(present, axis=-1), ops.argmax(present, axis=-1), n_characters)
        decided = ops.logical_or(ops.any(present, axis=-1), absent)
        right = ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), ops.cast(wanted, "int32"))
        return super().update_state(ops.cast(right, "float32"), ops.cast(decided, "float32"))

    def get_config(self) -> dict:
        return {**super().get_config(), "exclusive": self.exclusive}


def losses(
    targets: keras.KerasTensor, logits: keras.KerasTensor, weights: keras.KerasTensor, exclusive: bool
) -> keras.KerasTensor:
    """Weighted cross-entropy of each of several heads; an unknown cell carries none.

    Args:
        targets: (n_frames, n_heads, n_characters) float32, 1, 0 or NaN (unknown).
        logits: (n_frames, n_heads, n_characters), exclusive: n_characters + 1.
        weights: (n_heads, n_characters) float32, what a present frame counts; an absent one counts 1.
        exclusive: one class per frame.

    Returns:
        (n_heads,) float32: the sum over characters of the mean over their known frames, divided by the number of
        characters; exclusive: the mean over frames with an answer.
    """
    values, counted = _weighted(targets, logits, weights, exclusive)
    means = _mean_of_counted(values, counted)
    return means if exclusive else ops.mean(means, axis=-1)


def batch_loss(
    targets: keras.KerasTensor, logits: keras.KerasTensor, weights: keras.KerasTensor, exclusive: bool
) -> keras.KerasTensor:
    """The same of one network on a few frames, whose known cells count alike: a scalar.

    Args:
        targets: (n_frames, n_characters) float32, 1, 0 or NaN.
        logits: (n_frames, n_characters), exclusive: n_characters + 1.
        weights: (n_characters,) float32.
    """
    values, counted = _weighted(targets, logits, weights, exclusive)
    n_known = ops.sum(ops.cast(counted > 0, "float32"))
    return ops.sum(values * counted) / ops.maximum(n_known, 1.0)


def _weighted(
    targets: keras.KerasTensor, logits: keras.KerasTensor, weights: keras.KerasTensor, exclusive: bool
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Cross-entropies and what each counts: of every cell (..., n_characters), exclusive: of every frame (...).

    Where classes exclude each other the loss of a frame is -log of the probability of all classes that its answers leave
    open: one class where a character is present, "none" where all are absent, more than one where some are unknown.
    """
    known = ops.logical_not(ops.isnan(targets))
    present = ops.equal(targets, 1.0)
    if not exclusive:
        cell_weights = ops.where(present, weights, 1.0) * ops.cast(known, "float32")
        return ops.softplus(logits) - ops.where(present, logits, 0.0), cell_weights
    decided = ops.any(present, axis=-1, keepdims=True)
    absent = ops.equal(targets, 0.0)
    possible = ops.where(decided, present, ops.logical_not(absent))
    possible = ops.concatenate([possible, ops.logical_not(decided)], axis=-1)
    frames = ops.logsumexp(logits, axis=-1) - ops.logsumexp(ops.where(possible, logits, -1e9), axis=-1)
    answered = ops.cast(ops.any(known, axis=-1), "float32")
    return frames, answered * ops.max(ops.where(present, weights, 1.0), axis=-1)


def _mean_of_counted(values: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
    """The weighted mean over the first axis; 0 where nothing counts."""
    total = ops.sum(weights, axis=0)
    return ops.sum(weights * values, axis=0) / ops.where(total > 0, total, 1.0)


def present_weights(targets: np.ndarray, most: float) -> np.ndarray:
    """What a present frame counts, so that rare characters are not drowned: absent over present, in [1, most].

    Args:
        targets: (n_frames, ..., n_characters) float32, 1, 0 or NaN.
        most: the cap, >= 1: a character seen once must not rule the head.

    Returns:
        (..., n_characters) float32.

    >>> present_weights(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [np.nan, 1.0]]), most=5.0).tolist()
    [2.0, 1.0]
    """
    n_present, n_absent = (targets == 1).sum(axis=0), (targets == 0).sum(axis=0)
    return np.clip(n_absent / np.maximum(n_present, 1), 1.0, most).astype(np.float32)


def first_bias(targets: np.ndarray, most: float, *, exclusive: bool) -> np.ndarray:
    """(n_outputs,) float32: the log-odds of each character as the loss counts them; the weights of a head start at zero.

    Small steps then learn what tells frames apart, and not first how common each character is. All folds start from the
    same odds: had each its own, a fold that is held out with many present frames would be scored lower for that alone.

    Args:
        targets: (n_frames, n_characters) float32, 1, 0 or NaN: of all labelled frames.
        most: the cap of `present_weights`.
    """
    n_present, n_absent = (targets == 1).sum(axis=0), (targets == 0).sum(axis=0)
    log_odds = np.log((n_present * present_weights(targets, most) + 1) / (n_absent + 1)).astype(np.float32)
    return np.append(log_odds, 0).astype(np.float32) if exclusive else log_odds
