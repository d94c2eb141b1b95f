"""The network that is trained whole: a backbone, dense layers, and evidence that each place of the picture gives.

A character in a corner covers one place of some hundred; the mean over the feature map drowns it. So every place has a
logit of its own for every character, and the places' logits are pooled: by log-sum-exp (a soft maximum), or as the mean of
the k largest. The logits of the places come out too: they show where the network saw whom.
"""

from pathlib import Path

import numpy as np

from screentime.quiet import no_native_chatter

with no_native_chatter():
    import keras
    from keras import layers, ops

from screentime.backbones import backbone
from screentime.frozen import light_model
from screentime.inputs import Form
from screentime.losses import OneAgainstRest
from screentime.scorer import LIGHT_MODEL, WEIGHTS
from screentime.sections import FineTune

ARCHITECTURE = "architecture.json"
OF_PLACES = ("lse", "top_k")  # logits are pooled; "mean", "max", "mean_max" and "flatten" pool or flatten features
EVIDENCE = "evidence"


@keras.saving.register_keras_serializable(package="screentime")
class EvidencePooling(layers.Layer):
    """From a logit for each place to one for the picture.

    "lse" is log(mean(exp(logits))), a soft maximum: one place with a logit of l among n - 1 at -inf gives l - log(n), so a
    character needs evidence, not room. "top_k" is the mean of the k largest.

    Source: Pinheiro and Collobert, From image-level to pixel-level labeling with convolutional networks, CVPR 2015.
    """

    def __init__(self, how: str, k: int = 1, **arguments: object) -> None:
        super().__init__(**arguments)
        self.how, self.k = how, k

    def call(self, logits: keras.KerasTensor) -> keras.KerasTensor:
        """(batch, places down, places across, n) float32 to (batch, n)."""
        down, across, n = logits.shape[1:]
        places = ops.reshape(logits, (-1, down * across, n))
        if self.how == "lse":
            return ops.logsumexp(places, axis=1) - float(np.log(down * across))
        largest, _ = ops.top_k(ops.transpose(places, (0, 2, 1)), min(self.k, down * across))
        return ops.mean(largest, axis=-1)

    def compute_output_shape(self, shape: tuple) -> tuple:
        return (shape[0], shape[-1])

    def get_config(self) -> dict:
        return {**super().get_config(), "how": self.how, "k": self.k}


def build(form: Form, n_characters: int, settings: FineTune, *, exclusive: bool) -> keras.Model:
    """The network with its backbone frozen; `depth.open_layers(model.backbone, ..)` opens it.

    Args:
        form: what it is shown.
        n_characters: length of the cast.
        settings: the section `train.fine_tune` of the parameters.
        exclusive: one class per frame; the output then has one more column, "none".

    Returns:
        A model from normalized pixels (batch, height, width, 3) float32 to logits (batch, n_outputs) float32. Where places
        give evidence, the layer "evidence" holds their logits, (batch, places down, places across, n_outputs). The
        attribute `backbone` is the pretrained network.

    Raises:
        InputError: the backbone is not known, cannot take this form, or its weights cannot be had.
    """
    pretrained = backbone(form.backbone).build(form.height, form.width, settings.weights)
    x = pretrained.output
    if settings.pooling in ("mean", "mean_max"):
        row = layers.GlobalAveragePooling2D(name="mean")(x)
    if settings.pooling in ("max", "mean_max"):
        highest = layers.GlobalMaxPooling2D(name="maximum")(x)
    match settings.pooling:
        case "mean":
            x = row
        case "max":
            x = highest
        case "mean_max":
            x = layers.Concatenate(name="features")([row, highest])
        case "flatten":
            x = layers.Flatten(name="features")(x)
    for number, width in enumerate(settings.dense, start=1):
        x = layers.Dense(width, activation="relu", name=f"dense_{number}")(x)
    if settings.dropout:
        x = layers.Dropout(settings.dropout, name="dropout")(x)
    of_places = settings.pooling in OF_PLACES
    x = layers.Dense(
        n_characters + exclusive,
        kernel_initializer="zeros" if not settings.dense else "glorot_uniform",
        kernel_regularizer=keras.regularizers.L2(settings.l2) if settings.l2 else None,
        name=EVIDENCE if of_places else "logits",
    )(x)
    if of_places:
        x = EvidencePooling(settings.pooling, settings.top_k, name="logits")(x)
    model = keras.Model(pretrained.input, x, name="network")
    model.backbone = pretrained
    return model


def scorer_model(model: keras.Model, *, exclusive: bool) -> keras.Model:
    """The network as it scores: logits (batch, n_characters), and where places give evidence theirs beside them.

    Returns:
        A model with one output, or with two: logits, and (batch, places down, places across, n_characters).
    """
    of_places = EVIDENCE in {layer.name for layer in model.layers}
    outputs = [model.output, *([model.get_layer(EVIDENCE).output] if of_places else [])]
    if exclusive:
        outputs = [OneAgainstRest(name=f"one_against_rest_{number}")(output) for number, output in enumerate(outputs)]
    return keras.Model(model.input, outputs if of_places else outputs[0], name="scorer")


def save(model: keras.Model, folder: Path) -> None:
    """Write a network twice, for Keras and for LiteRT, in files whose bytes are a function of the weights.

    (A `.keras` archive holds the time it was written.)
    """
    (folder / ARCHITECTURE).write_bytes(model.to_json(indent=1).encode("utf-8") + b"\n")
    model.save_weights(folder / WEIGHTS)
    (folder / LIGHT_MODEL).write_bytes(light_model(model))


def load(folder: Path) -> keras.Model:
    """The Keras model that `save` wrote.

    Raises:
        InputError: it has layers of KerasHub, which is not installed.
    """
    architecture = (folder / ARCHITECTURE).read_text(encoding="utf-8")
    if "keras_hub" in architecture:
        from screentime import kerashub_network

        kerashub_network.package(str(folder / ARCHITECTURE))
    model = keras.models.model_from_json(architecture)
    model.load_weights(folder / WEIGHTS)
    return model
