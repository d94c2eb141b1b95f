"""KerasHub's networks built: the preset fetched or read, looked at, normalization in front, patches as places.

Nothing that a preset names is made before `kerashub.read_config` has looked at it; weights are HDF5, read as numbers.
"""

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType

import keras
from keras import layers

from screentime.errors import InputError
from screentime.kerashub import CONFIG, CONVERTER, HubBackbone, facts_of, not_installed, read_config


@keras.saving.register_keras_serializable(package="screentime")
class PatchCount(layers.Layer):
    """Changes nothing and states how many patches there are: SigLIP's embedding announces one more than it gives."""

    def __init__(self, n: int, **arguments: object) -> None:
        super().__init__(**arguments)
        self.n = n

    def call(self, patches: keras.KerasTensor) -> keras.KerasTensor:
        """(batch, n, n_features) float32, as they are."""
        return patches

    def compute_output_shape(self, shape: tuple) -> tuple:
        return (shape[0], self.n, shape[2])

    def get_config(self) -> dict:
        return {**super().get_config(), "n": self.n}


def patch_map(facts: HubBackbone, height: int, width: int, *, weights: bool) -> keras.Model:
    """The network up to its patches; `Backbone.build` is its door.

    Args:
        facts: the network.
        height, width: pixels.
        weights: the preset's own, or by chance from Keras's seed.

    Returns:
        A Keras model from pixels (batch, height, width, 3) in [0, 255] to (batch, patches down, patches across, n_features); its
        blocks are layers of its own, block_0, block_1, ..., so that the last can be opened.

    Raises:
        InputError: KerasHub is not installed; the preset could not be downloaded, is incomplete, or is another network; or
            the input does not fit it.
    """
    hub = package(facts.name)
    source, folder = _brought(facts, hub)
    facts = facts_of(facts.name, folder / CONFIG)
    facts.check_size(height, width)
    converter = _converter(hub, folder / CONVERTER)
    shape = {"image_shape": (height, width, 3)} if facts.any_side else {}
    try:
        network = hub.models.Backbone.from_preset(source, load_weights=weights, **shape)
    except OSError as error:
        raise _no_download(facts, error) if facts.folder is None else _damaged(facts, folder) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(facts, folder) from error
    picture = keras.Input((height, width, 3), name="picture")
    x = layers.Rescaling(_listed(converter.scale, 1.0), _listed(converter.offset, 0.0), name="normalization")(picture)
    if isinstance(network, hub.models.DINOV2Backbone):
        x, blocks, norm = network.embeddings(x), network.encoder.layers, network.layernorm
        n_others = 1 + network.num_register_tokens  # the class and the registers come first
    else:
        seen = getattr(network, "vision_encoder", network)
        x = PatchCount((height // facts.stride) * (width // facts.stride), name="patch_count")(seen.embedding(x))
        blocks, norm, n_others = seen.encoder_layers, seen.post_layer_norm, 0
    for number, block in enumerate(blocks):
        block.name = f"block_{number}"
        x = block(x)
    down, across = height // facts.stride, width // facts.stride
    x = norm(x)
    if n_others:
        x = layers.Cropping1D((n_others, 0), name="patches")(x)
    model = keras.Model(picture, layers.Reshape((down, across, facts.n_features), name="places")(x))
    alone = keras.models.clone_model(
        model
    )  # layers that KerasHub's own graph has not used before, so that this one can be cut
    alone.set_weights(model.get_weights())
    return alone


def package(name: str) -> ModuleType:
    """The module keras_hub, whose layers Keras then knows.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module("keras_hub")
    except ImportError:
        raise not_installed(name) from None


def _brought(facts: HubBackbone, hub: ModuleType) -> tuple[str, Path]:
    """What `from_preset` takes, and the folder where the preset's configuration lies."""
    if facts.folder is not None:
        return os.fspath(facts.folder.absolute()), facts.folder
    handle = hub.models.Backbone.presets[facts.preset]["kaggle_handle"]
    try:
        files = [
            import_module("kagglehub").model_download(handle.partition("://")[2], name) for name in (CONFIG, CONVERTER)
        ]
    except Exception as error:  # kagglehub raises its own kinds, those of requests, and ValueError
        raise _no_download(facts, error) from error
    return facts.preset, Path(files[0]).parent


def _converter(hub: ModuleType, path: Path) -> "keras.layers.Layer":
    """KerasHub's own, of which the numbers count: grey levels * scale + offset; earlier files say mean and variance."""
    config = read_config(path)["config"]
    numbers = {name: config[name] for name in ("scale", "offset", "mean", "variance") if config.get(name) is not None}
    try:
        return hub.layers.ImageConverter(**numbers)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path}: {numbers} was found, scale and offset were expected; bring the preset again"
        ) from error


def _listed(value: object, otherwise: float) -> float | list[float]:
    if value is None:
        return otherwise
    return [float(one) for one in value] if isinstance(value, list | tuple) else float(value)


def _no_download(facts: HubBackbone, error: Exception) -> InputError:
    reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
    return InputError(
        f"{facts.name}: the preset could not be downloaded ({reason}), a network was expected at first use; run again with one, "
        "or bring its folder from another machine and name it as kerashub:FOLDER"
    )


def _damaged(facts: HubBackbone, folder: Path) -> InputError:
    return InputError(
        f"{folder}: the preset is incomplete, damaged or does not fit its own configuration, whole files were expected for "
        f"{facts.name}; bring it again"
    )
