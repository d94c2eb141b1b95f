"""Weights from a user's file or a download: read as they were saved, or refused in one sentence; nothing in them is run."""

import hashlib
import http.server
import os
import pickle
import socket
import threading
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.backend import config
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group
from keras.src.utils import file_utils

from screentime import pretrained
from screentime.backbones import backbone
from screentime.depth import cut
from screentime.efficientnet_lite import VARIANTS
from screentime.errors import InputError

HEIGHT, WIDTH = 64, 96
KERAS_FORMS = ".weights.h5 or .h5 as Keras saves them"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def mobilenet_v2() -> keras.Model:
    return lively(backbone("MobileNetV2").build(HEIGHT, WIDTH, weights="none"))


@pytest.fixture(scope="module")
def saved(mobilenet_v2, folder) -> dict[str, Path]:
    """The same weights in every form that is read."""
    whole = keras.applications.MobileNetV2(weights=None)
    for layer in mobilenet_v2.layers:
        whole.get_layer(index=mobilenet_v2.layers.index(layer)).set_weights(layer.get_weights())
    files = {name: folder / name for name in ("m.weights.h5", "no_top.h5", "top.h5", "model.h5")}
    mobilenet_v2.save_weights(files["m.weights.h5"])
    publish(mobilenet_v2, files["no_top.h5"])
    publish(whole, files["top.h5"])
    whole.save(files["model.h5"])
    return files


def lively(model: keras.Model) -> keras.Model:
    """The network with every weight drawn anew, so that signals neither vanish nor explode on their way through it."""
    generator = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) == 4:
            fan_in = np.prod(weight.shape[:2] if "depthwise" in weight.path else weight.shape[:3])
            weight.assign(generator.normal(0, np.sqrt(2 / fan_in), weight.shape))
        else:
            around = 1 if weight.path.endswith(("gamma", "variance")) else 0
            weight.assign(around + generator.uniform(-0.1, 0.1, weight.shape))
    return model


def publish(model: keras.Model, path: Path) -> None:
    """Write weights by layer, the form of the files of keras.applications."""
    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, model)


def outputs(model: keras.Model) -> np.ndarray:
    return np.asarray(model(np.random.default_rng(1).uniform(-1, 1, (1, *model.input_shape[1:])).astype(np.float32)))


def refusal(work) -> str:
    with pytest.raises(InputError) as caught:
        work()
    return str(caught.value)


@pytest.mark.parametrize("name", ["m.weights.h5", "no_top.h5", "top.h5", "model.h5"])
def test_saved_weights_come_back_the_same(mobilenet_v2, saved, name):
    again = backbone("MobileNetV2").build(HEIGHT, WIDTH, weights=str(saved[name]))

    for found, expected in zip(again.get_weights(), mobilenet_v2.get_weights(), strict=True):
        assert (found == expected).all()
    assert (outputs(again) == outputs(mobilenet_v2)).all()
    assert again.trainable_weights == []


@pytest.mark.parametrize(("name", "side", "form"), [("VGG16", 32, ".h5"), ("InceptionV3", 75, ".weights.h5")])
def test_saved_weights_of_the_ancestors_other_networks_come_back_the_same(folder, name, side, form):
    """EfficientNetB7 is in test_backbones, where it is built anyhow."""
    path = folder / f"{name}{form}"
    model = lively(backbone(name).build(side, side, weights="none"))
    (publish if form == ".h5" else keras.Model.save_weights)(model, path)

    again = backbone(name).build(side, side, weights=str(path))

    for found, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        assert (found == expected).all()


def test_weights_of_the_bundled_network_come_back_the_same_and_as_published(folder):
    """Its folded form as Keras saves it; and the package's own file named as a user would."""
    facts = backbone("efficientnet-lite0")
    model = facts.build(HEIGHT, WIDTH)
    model.save_weights(folder / "lite0.weights.h5")

    for path in (folder / "lite0.weights.h5", published("efficientnet-lite0")):
        assert (outputs(facts.build(HEIGHT, WIDTH, weights=str(path))) == outputs(model)).all()


def published(name: str) -> Path:
    weights = VARIANTS[name].weights
    return Path(find_spec(weights.module).submodule_search_locations[0]) / weights.path


def test_weights_from_chance_are_those_of_the_seed():
    def drawn(name: str, seed: int) -> np.ndarray:
        keras.utils.set_random_seed(seed)
        return outputs(backbone(name).build(HEIGHT, WIDTH, weights="none"))

    for name in ("efficientnet-lite0", "MobileNetV3Small"):
        assert (drawn(name, 1) == drawn(name, 1)).all()
        assert (drawn(name, 1) != drawn(name, 2)).any()


def test_efficientnet_of_keras_sees_colours_as_keras_shows_them(folder, monkeypatch):
    """Its file holds a deviation where a variance belongs: Keras adds a layer when it downloads the file, we square it."""
    facts = backbone("EfficientNetB0")
    model = lively(keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(HEIGHT, WIDTH, 3)))
    colours = next(layer for layer in model.layers if isinstance(layer, keras.layers.Normalization))
    colours.set_weights([np.array((0.485, 0.456, 0.406)), np.array(pretrained.DEVIATION), np.array(0)])
    publish(model, folder / "b0.h5")
    with monkeypatch.context() as patch:
        patch.setattr(file_utils, "get_file", lambda *_, **__: str(folder / "b0.h5"))
        as_keras = keras.applications.EfficientNetB0(include_top=False, input_shape=(HEIGHT, WIDTH, 3))

    ours = facts.build(HEIGHT, WIDTH, weights=str(folder / "b0.h5"))
    ours.save_weights(folder / "b0.weights.h5")
    again = facts.build(HEIGHT, WIDTH, weights=str(folder / "b0.weights.h5"))

    picture = np.random.default_rng(0).uniform(0, 255, (1, HEIGHT, WIDTH, 3)).astype(np.float32)
    seen = [np.asarray(cut(network, "stem_conv")[0](picture)) for network in (as_keras, ours, again)]
    assert seen[0].std() > 1
    assert np.abs(seen[1] - seen[0]).max() < 1e-4
    assert (seen[2] == seen[1]).all()


def test_a_classifier_needs_the_whole_network(saved):
    model = pretrained.classifier(backbone("MobileNetV2"), str(saved["top.h5"]))

    assert model.output_shape == (None, 1000)
    assert refusal(lambda: pretrained.classifier(backbone("MobileNetV2"), str(saved["no_top.h5"]))) == (
        f"{saved['no_top.h5']}: 104 layers with weights were found, MobileNetV2 has 105; name the file of that network"
    )


def test_a_file_that_is_no_weights_is_refused_before_anything_is_built(folder, saved):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(folder / "harm"),)

    files = {
        "absent.h5": (None, "no such file was found, 'imagenet', 'none' or a file of weights for {name} ({forms}) was expected; "
                      "correct the path"),
        "model.keras": (b"PK\3\4", "an archive that may hold a program (.keras, or .pth of today) was found, weights alone for "
                        "{name} were expected ({forms}); save them with `model.save_weights(...)`"),
        "model.pth": (pickle.dumps(Harmful()), "a pickle, which may run any program, was found, weights alone for {name} were "
                      "expected ({forms}); save them with `model.save_weights(...)`"),
        "notes.h5": (b"dear diary", "no known form of weights was found, weights alone for {name} were expected ({forms}); "
                     "save them with `model.save_weights(...)`"),
        "cut.h5": (saved["no_top.h5"].read_bytes()[:3_000_000], "the file is incomplete or damaged, whole weights for {name} "
                   "were expected; bring it again"),
        "cut.weights.h5": (saved["m.weights.h5"].read_bytes()[:3_000_000], "the file is incomplete or damaged, whole weights "
                           "for {name} were expected; bring it again"),
        "renamed.h5": (saved["m.weights.h5"].read_bytes(), "weights as Keras 3 saves them were found; give the file a name "
                       "that ends in .weights.h5"),
    }  # fmt: skip
    for name, (content, sentence) in files.items():
        path = folder / name
        if content is not None:
            path.write_bytes(content)
        told = refusal(lambda path=path: backbone("MobileNetV2").build(HEIGHT, WIDTH, weights=str(path)))
        assert told == f"{path}: {sentence.format(name='MobileNetV2', forms=KERAS_FORMS)}"
    assert not (folder / "harm").exists()


def test_weights_of_another_network_are_refused_by_what_differs(folder, saved):
    def told(name: str, path: Path) -> str:
        return refusal(lambda: backbone(name).build(HEIGHT, WIDTH, weights=str(path))).removeprefix(f"{path}: ")

    publish(backbone("VGG19").build(HEIGHT, WIDTH, weights="none"), folder / "vgg19.h5")
    assert told("VGG16", folder / "vgg19.h5") == (
        "layer block3_conv4 with 3x3x256x256 and 256 was found, VGG16 has block4_conv1 with 3x3x256x512 and 512 in its place; "
        "name the file of that network"
    )
    assert told("VGG16", saved["m.weights.h5"]) == (
        "260 tensors of 2,257,984 numbers were found, VGG16 has 26 tensors of 14,714,688 numbers; name the file of that network"
    )
    assert told("efficientnet-lite2", published("efficientnet-lite0")) == (
        "_blocks.3._depthwise_conv.weight of shape (144, 1, 5, 5) was found, efficientnet-lite2 has "
        "_blocks.3._depthwise_conv.weight of shape (144, 1, 3, 3); name the file of that network"
    )


def test_a_pickle_of_the_bundled_network_is_read_strictly(folder):
    """One that names any other function is refused, and so is a part of the true file."""

    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(folder / "harm"),)

    path = folder / "lite0.pth"
    path.write_bytes(pickle.dumps(Harmful(), protocol=2))
    told = refusal(lambda: backbone("efficientnet-lite0").build(HEIGHT, WIDTH, weights=str(path)))
    assert told == (
        f"{path}: the file names posix.mkdir, which tensors do not need, the .pth file as it was published was expected; "
        "fetch it again"
    )
    assert not (folder / "harm").exists()
    path.write_bytes(published("efficientnet-lite0").read_bytes()[:1_000_000])
    told = refusal(lambda: backbone("efficientnet-lite0").build(HEIGHT, WIDTH, weights=str(path)))
    assert (
        told
        == f"{path}: the file ends inside a storage, the .pth file as it was published was expected; fetch it again"
    )


def test_without_a_network_the_first_use_is_one_sentence_that_says_which_file_goes_where(tmp_path, monkeypatch):
    """Through a proxy on a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))

    told = refusal(lambda: backbone("MobileNetV2").build(HEIGHT, WIDTH))

    file = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    assert told == (
        "MobileNetV2: its ImageNet weights could not be downloaded from "
        f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{file} ([Errno 111] Connection refused), "
        f"a network was expected at first use; run again with one, bring that file to {tmp_path / 'models' / file}, or name a "
        "file of weights"
    )
    assert list((tmp_path / "models").iterdir()) == []
    assert socket.getdefaulttimeout() is None


def test_a_file_brought_to_the_cache_by_hand_is_used_without_a_network(mobilenet_v2, saved, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    (tmp_path / "models").mkdir()
    kept = tmp_path / "models/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    kept.write_bytes(saved["no_top.h5"].read_bytes())

    assert (outputs(backbone("MobileNetV2").build(HEIGHT, WIDTH)) == outputs(mobilenet_v2)).all()


class _Origin(http.server.BaseHTTPRequestHandler):
    """Serves `content`, promising `promised` bytes of it."""

    content, promised, requests = b"", 0, 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.send_response(200)
        self.send_header("Content-Length", str(self.promised))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[str]:
    _Origin.requests = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Origin) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/no_top.h5"
        server.shutdown()
        thread.join()


def serve(content: bytes, promised: int) -> None:
    _Origin.content, _Origin.promised = content, promised


@pytest.mark.parametrize("hashed", [False, True])
def test_a_download_gets_its_name_only_when_it_is_whole(saved, origin, tmp_path, hashed):
    whole = saved["no_top.h5"].read_bytes()
    file_hash = hashlib.md5(whole).hexdigest() if hashed else None
    kept = tmp_path / "models" / "no_top.h5"
    part = len(whole) // 2
    kept.parent.mkdir()
    kept.write_bytes(whole[:part])  # what a killed download of Keras leaves

    for content, promised in ((whole[:part], len(whole)), (whole[:part], part), (b"<html>", 6)):
        serve(content, promised)
        told = refusal(lambda: pretrained.fetched("MobileNetV2", origin, kept, file_hash))
        assert told.startswith(f"MobileNetV2: its ImageNet weights could not be downloaded from {origin} (")
        assert kept.stat().st_size == part and list(kept.parent.iterdir()) == [kept]

    serve(whole, len(whole))
    assert pretrained.fetched("MobileNetV2", origin, kept, file_hash).read_bytes() == whole
    assert list(kept.parent.iterdir()) == [kept]

    asked = _Origin.requests
    pretrained.fetched("MobileNetV2", origin, kept, file_hash)
    assert _Origin.requests == asked
