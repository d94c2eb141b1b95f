"""How long a network is trained, by which steps, and how large they are."""

import numpy as np

from screentime.quiet import no_native_chatter

with no_native_chatter():
    import keras

from screentime import warm_start
from screentime.sections import FineTune

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def optimizer(tune: FineTune) -> keras.optimizers.Optimizer:
    """The optimizer that the parameters name; gradients longer than 1 are cut to 1."""
    decay = {"weight_decay": tune.weight_decay} if tune.weight_decay else {}
    return OPTIMIZERS[tune.optimizer](tune.learning_rate, clipnorm=1.0, **decay)


def epochs_of(n_rows: int, tune: FineTune) -> int:
    """At most how many epochs: as many as the parameters say, and with few frames so many that the steps suffice.

    Who goes on from a model of other films has less to learn: half as many (docs/models.md has what that costs and gives).

    >>> tune = FineTune.model_construct(weights="imagenet", epochs=4, least_steps=96, batch_size=8)
    >>> epochs_of(400, tune), epochs_of(90, tune), epochs_of(24, tune)
    (4, 8, 32)
    """
    least_steps = tune.least_steps // 2 if warm_start.is_model(tune.weights) else tune.least_steps
    return max(tune.epochs, -(-least_steps // -(-n_rows // tune.batch_size)))


def rate_at(epoch: float, epochs: int, tune: FineTune) -> float:
    """The learning rate after so many epochs (a fraction): a straight warm-up, then half a cosine down to 0 or constant.

    Source of the cosine: Loshchilov and Hutter, SGDR, ICLR 2017, formula 5 without restarts.
    """
    if epoch < tune.warm_up:
        return tune.learning_rate * (epoch + 0.01) / tune.warm_up
    if tune.decay == "constant":
        return tune.learning_rate
    done = min(1.0, (epoch - tune.warm_up) / max(epochs - tune.warm_up, 1e-9))
    return tune.learning_rate * 0.5 * (1 + np.cos(np.pi * done))
