"""Pretrained networks with their weights: out of a package, downloaded once, or from a file of the user.

Nothing in a file of weights is ever run. Keras weights are HDF5, read as numbers; a pickle is read by the strict reader
of weights.py alone, and only for the networks published that way; archives that hold a program are refused.
"""

import errno
import os
import re
import socket
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import keras
import numpy as np
from keras import layers
from keras.src.backend.config import keras_home
from keras.src.utils import file_utils

from screentime import efficientnet_lite, kerashub_network
from screentime.backbones import Backbone
from screentime.errors import InputError
from screentime.kerashub import HubBackbone
from screentime.weights import package_tensors, parse_tensors

PATIENCE_S = 30.0  # a server that says nothing for so long is taken as absent
MOST_LAYERS_OF_A_TOP = 3  # with weights: VGG16 has the longest
# EfficientNet's files hold the deviation of ImageNet's colours where its first layer has the variance. Keras makes up for
# it by one more layer, but only where it downloads the file itself.
DEVIATION = (0.229, 0.224, 0.225)

HDF5, ZIP, PICKLE = b"\x89HDF\r\n\x1a\n", b"PK", b"\x80"


def feature_map(facts: Backbone, height: int, width: int, weights: str) -> keras.Model:
    """The frozen network up to its feature map; `Backbone.build` is its door.

    Raises:
        InputError: the file of weights is missing, incomplete, of another network or of a form that is not read; the
            package is not installed; or the download failed.
    """
    model = _built(facts, height, width, weights, top=False)
    model.name = re.sub(r"\W", "_", facts.name)
    model.trainable = False
    return model


def classifier(facts: Backbone, weights: str = "imagenet") -> keras.Model:
    """The whole network: from normalized pixels (batch, side, side, 3) to probabilities (batch, 1000) of ImageNet's classes.

    Raises:
        InputError: as `feature_map`; or the weights hold no classifier.
    """
    if weights == "none":
        raise InputError(
            f"{facts.name}: weights from chance know no names, 'imagenet' or a file was expected; name one"
        )
    model = _built(facts, facts.side, facts.side, weights, top=True)
    model.trainable = False
    return model


def _built(facts: Backbone, height: int, width: int, weights: str, *, top: bool) -> keras.Model:
    form = None if weights in ("imagenet", "none") else _form(facts, Path(weights))
    if isinstance(facts, HubBackbone):
        if top:
            raise InputError(
                f"{facts.name}: it names no classes of ImageNet, a network that does was expected; name one of Keras"
            )
        model = kerashub_network.patch_map(facts, height, width, weights=weights == "imagenet")
    elif facts.name in efficientnet_lite.VARIANTS:
        model = _lite(facts, height, width, weights, form, top=top)
    else:
        model = _of_keras(facts, height, width, "imagenet" if weights == "imagenet" else None, top=top)
    if form == HDF5:
        _load(model, Path(weights), facts.name)
    return model


def _lite(facts: Backbone, height: int, width: int, weights: str, form: bytes | None, *, top: bool) -> keras.Model:
    if weights == "imagenet":
        package = efficientnet_lite.VARIANTS[facts.name].weights
        place, tensors = package.distribution, package_tensors(package)
    elif form == PICKLE:
        place, tensors = weights, _pickled_tensors(Path(weights))
    else:
        place, tensors = weights, efficientnet_lite.random_tensors(facts.name)
    efficientnet_lite.check_tensors(facts.name, tensors, place)
    model = efficientnet_lite.build(facts.name, tensors, height, width)
    if not top:
        return model
    shapes = [tensors[key].shape for key in ("_fc.weight", "_fc.bias") if key in tensors]
    if shapes != [(1000, efficientnet_lite.HEAD), (1000,)]:
        raise InputError(
            f"{place}: no classifier was found, the whole network was expected; name the file as published"
        )
    dense = layers.Dense(1000, activation="softmax", name="fc")
    probabilities = dense(layers.GlobalAveragePooling2D(name="mean")(model.output))
    dense.set_weights([tensors["_fc.weight"].T, tensors["_fc.bias"]])
    return keras.Model(model.input, probabilities, name=model.name)


def _of_keras(facts: Backbone, height: int, width: int, weights: str | None, *, top: bool) -> keras.Model:
    constructor: Callable[..., keras.Model] = getattr(keras.applications, facts.name)
    with warnings.catch_warnings(), _careful_downloads(facts.name):
        warnings.simplefilter("ignore")  # that the weights were made at another size: they fit every size
        return constructor(include_top=top, weights=weights, input_shape=(height, width, 3))


@contextmanager
def _careful_downloads(name: str) -> Iterator[None]:
    """While it lasts, keras.applications fetches files by `fetched`, and waits for a silent server no longer than told."""

    def get_file(fname: str, origin: str, cache_subdir: str, file_hash: str | None = None) -> str:
        return str(fetched(name, origin, Path(keras_home()) / cache_subdir / fname, file_hash))

    usual, usual_timeout = file_utils.get_file, socket.getdefaulttimeout()
    file_utils.get_file = get_file
    socket.setdefaulttimeout(PATIENCE_S)
    try:
        yield
    finally:
        file_utils.get_file = usual
        socket.setdefaulttimeout(usual_timeout)


def fetched(name: str, origin: str, kept: Path, file_hash: str | None) -> Path:
    """A file of weights in Keras's own cache, downloaded where it is not there or not whole.

    Keras writes a download straight to its place and does not know the hash of every file; what was left of a killed
    download would pass for the file. Here it gets its name only when it is whole.

    Args:
        name: of the network, for the sentence.
        origin: the address.
        kept: where the file is kept.
        file_hash: md5 or sha256, hex, where Keras knows it.

    Raises:
        InputError: it could not be downloaded.
    """
    if _is_whole(kept, file_hash):
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".download-", dir=kept.parent) as folder:
        try:
            part = Path(keras.utils.get_file(kept.name, origin, cache_subdir=folder, file_hash=file_hash))
        except Exception as error:  # Keras raises bare Exception, urllib and http.client a dozen kinds
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
                raise
            raise _no_download(name, origin, kept, str(error).rpartition(" -- ")[2] or type(error).__name__) from error
        if not _is_whole(part, file_hash):
            raise _no_download(name, origin, kept, "what came is not a file of weights")
        os.replace(part, kept)
    return kept


def _no_download(name: str, origin: str, kept: Path, reason: str) -> InputError:
    return InputError(
        f"{name}: its ImageNet weights could not be downloaded from {origin} ({reason}), a network was expected at first "
        f"use; run again with one, bring that file to {kept}, or name a file of weights"
    )


def _is_whole(path: Path, file_hash: str | None) -> bool:
    """Whether a file is there and is what was published; without a hash, HDF5 of its full length."""
    if not path.is_file():
        return False
    if file_hash is not None:
        return file_utils.validate_file(path, file_hash)
    try:
        h5py.File(path, "r").close()
    except OSError:
        return False
    return True


def _form(facts: Backbone, path: Path) -> bytes:
    """How a user's file of weights is written, by its first bytes: HDF5, or a pickle where the network comes as one."""
    pickled = facts.name in efficientnet_lite.VARIANTS
    forms = (
        ".weights.h5 as Keras saves it or the published .pth" if pickled else ".weights.h5 or .h5 as Keras saves them"
    )
    if not path.is_file():
        raise InputError(
            f"{path}: no such file was found, 'imagenet', 'none' or a file of weights for {facts.name} ({forms}) was "
            "expected; correct the path"
        )
    with open(path, "rb") as file:
        begins = file.read(len(HDF5))
    if begins == HDF5:
        return HDF5
    if begins.startswith(PICKLE) and pickled:
        return PICKLE
    if begins.startswith(ZIP):
        found = "an archive that may hold a program (.keras, or .pth of today)"
    elif begins.startswith(PICKLE):
        found = "a pickle, which may run any program,"
    else:
        found = "no known form of weights"
    raise InputError(
        f"{path}: {found} was found, weights alone for {facts.name} were expected ({forms}); save them with "
        "`model.save_weights(...)`"
    )


def _pickled_tensors(path: Path) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file:
            return parse_tensors(file)
    except Exception as error:  # a damaged pickle raises nearly anything
        raise InputError(
            f"{path}: {error or 'the file ends too early'}, the .pth file as it was published was expected; fetch it again"
        ) from error


def _load(model: keras.Model, path: Path, name: str) -> None:
    """Read a user's HDF5 file into the network; nothing is assigned before all of it fits.

    Two forms: by layer in the network's order, as keras.applications publishes them (Keras 1 and 2), with or without
    the classifier behind; and by path, as `save_weights` of Keras 3 writes them.
    """
    try:
        with h5py.File(path, "r") as file:
            by_layer = file.get("model_weights", file)
            if "layer_names" in by_layer.attrs or "layer_names0" in by_layer.attrs:
                _load_by_layer(model, by_layer, path, name)
                return _with_variance(model)
            _check_by_path(model, file, path, name)
    except OSError as error:
        raise InputError(
            f"{path}: the file is incomplete or damaged, whole weights for {name} were expected; bring it again"
        ) from error
    try:
        model.load_weights(path)
    except ValueError as error:
        raise InputError(f"{path}: the weights do not fit {name}; name the file of that network") from error
    _with_variance(model)


def _load_by_layer(model: keras.Model, group: h5py.Group, path: Path, name: str) -> None:
    found = {
        layer: [group[layer][tensor][()] for tensor in tensors]
        for layer in _texts(group, "layer_names")
        if (tensors := _texts(group[layer], "weight_names"))
    }
    wanted = {
        layer.name: [*layer.trainable_weights, *layer.non_trainable_weights] for layer in model.layers if layer.weights
    }
    for (layer, tensors), (own, weights) in zip(found.items(), wanted.items(), strict=False):
        shapes, own_shapes = [tensor.shape for tensor in tensors], [tuple(weight.shape) for weight in weights]
        if shapes != own_shapes:
            raise InputError(
                f"{path}: layer {layer} with {_shown(shapes)} was found, {name} has {own} with {_shown(own_shapes)} in its "
                "place; name the file of that network"
            )
    if not 0 <= len(found) - len(wanted) <= MOST_LAYERS_OF_A_TOP:
        raise InputError(
            f"{path}: {len(found)} layers with weights were found, {name} has {len(wanted)}; name the file of that network"
        )
    for layer, tensors in zip(wanted, found.values(), strict=False):
        for weight, tensor in zip(wanted[layer], tensors, strict=True):
            weight.assign(tensor)
        _settle(model.get_layer(layer))


def _check_by_path(model: keras.Model, file: h5py.File, path: Path, name: str) -> None:
    shapes: Counter[tuple[int, ...]] = Counter()

    def visit(place: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and not place.startswith("optimizer") and "seed_generator" not in place:
            shapes[item.shape] += 1

    file.visititems(visit)
    own = Counter(tuple(weight.shape) for weight in model.weights)
    if shapes != own:
        raise InputError(
            f"{path}: {_counted(shapes)} were found, {name} has {_counted(own)}; name the file of that network"
        )
    if not path.name.endswith(".weights.h5"):
        raise InputError(
            f"{path}: weights as Keras 3 saves them were found; give the file a name that ends in .weights.h5"
        )


def _with_variance(model: keras.Model) -> None:
    """Where the first layer of EfficientNet holds the deviation of ImageNet's colours, square it."""
    for layer in model.layers:
        if isinstance(layer, layers.Normalization) and layer.weights:
            variance = layer.weights[1]
            if np.allclose(variance, DEVIATION, rtol=1e-3):
                variance.assign(np.square(variance))
                _settle(layer)


def _settle(layer: layers.Layer) -> None:
    """Normalization computes with copies of its weights."""
    if isinstance(layer, layers.Normalization):
        layer.finalize_state()


def _texts(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names; HDF5 keeps no more than 64 KB in one attribute, so Keras writes long ones in numbered parts."""
    numbered = takewhile(group.attrs.__contains__, (f"{attribute}{number}" for number in count()))
    parts = [attribute] if attribute in group.attrs else numbered
    names = [name for part in parts for name in group.attrs[part]]
    return [name.decode("utf-8") if isinstance(name, bytes) else str(name) for name in names]


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join("x".join(map(str, shape)) or "one number" for shape in shapes)


def _counted(shapes: Counter[tuple[int, ...]]) -> str:
    numbers = sum(int(np.prod(shape)) * count for shape, count in shapes.items())
    return f"{shapes.total()} tensors of {numbers:,} numbers"
