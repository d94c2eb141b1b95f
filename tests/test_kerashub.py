"""Networks of KerasHub through our own code: tiny ones, made by chance and saved as presets, so that nothing is downloaded."""

import json
import os
import shutil
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from screentime import fine_tuning, frozen, network
from screentime.backbones import backbone
from screentime.depth import block_ends, cut, cuts, open_layers
from screentime.errors import InputError
from screentime.inputs import Form, network_input
from screentime.kerashub import PRESETS, read_config
from screentime.light_network import LightNetwork
from screentime.params import Params, load
from screentime.pretrained import classifier
from stages.embed import export_network

DEVIATION = (0.229, 0.224, 0.225)
MEAN = (0.485, 0.456, 0.406)
PARAMS: Params = load(Path(__file__).parents[1] / "params.yaml")
TINY = {"hidden_dim": 16, "num_layers": 3, "num_heads": 2, "intermediate_dim": 32}


@pytest.fixture(scope="module")
def hub():
    """The package, which `pip install -r requirements-kerashub.txt` brings."""
    return pytest.importorskip("keras_hub")


@pytest.fixture(scope="module")
def presets(hub, tmp_path_factory) -> dict[str, Path]:
    """A tiny network of each kind, saved with its normalization as KerasHub's own are."""
    keras.utils.set_random_seed(0)
    folders = {name: tmp_path_factory.mktemp("presets") / name for name in ("dinov2", "registers", "siglip", "vision")}
    shape = {"image_shape": (56, 56, 3), "position_embedding_shape": (70, 70)}
    lively(hub.models.DINOV2Backbone(patch_size=14, **TINY, **shape)).save_to_preset(folders["dinov2"])
    lively(hub.models.DINOV2Backbone(patch_size=14, num_register_tokens=4, **TINY, **shape)).save_to_preset(
        folders["registers"]
    )
    vision = hub.models.SigLIPVisionEncoder(patch_size=16, image_shape=(64, 64, 3), **TINY)
    text = hub.models.SigLIPTextEncoder(vocabulary_size=50, embedding_dim=16, **TINY)
    lively(hub.models.SigLIPBackbone(vision, text)).save_to_preset(folders["siglip"])
    vision.save_to_preset(folders["vision"])
    scale, offset = [1 / 255 / d for d in DEVIATION], [-m / d for m, d in zip(MEAN, DEVIATION, strict=True)]
    for name in ("dinov2", "registers"):
        hub.layers.DINOV2ImageConverter(scale=scale, offset=offset).save_to_preset(folders[name])
    for name in ("siglip", "vision"):
        hub.layers.SigLIPImageConverter(scale=1 / 127.5, offset=-1.0).save_to_preset(folders[name])
    return folders


def lively(model: keras.Model) -> keras.Model:
    """The network with its matrices drawn anew, wide enough that every part of it matters."""
    generator = np.random.default_rng(0)
    for weight in model.trainable_weights:
        if "position" not in weight.path:
            fan_in = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 16
            around = 1.0 if weight.path.endswith(("gamma", "lambda1")) else 0.0
            weight.assign(around + generator.normal(0, 1 / np.sqrt(fan_in), weight.shape))
    return model


@pytest.fixture(scope="module")
def flower() -> np.ndarray:
    """A photograph, (427, 640, 3) uint8 RGB, that scikit-learn carries."""
    return load_sample_image("flower.jpg")


def named(folder: Path) -> str:
    return f"kerashub:{folder}"


def refusal(work) -> str:
    with pytest.raises(InputError) as caught:
        work()
    return str(caught.value)


# ---- facts, without the package


def test_every_preset_of_the_two_families_is_known_with_its_patch_and_its_side(hub):
    models = hub.models

    theirs = set(models.DINOV2Backbone.presets) | set(models.SigLIPBackbone.presets)
    assert set(PRESETS) == theirs - {"medsiglip_900m_448"}  # of medical pictures, and gated
    assert {facts.stride for name, facts in PRESETS.items() if name.startswith("dinov2")} == {14}
    named_so = {name: f"patch{facts.stride}_{facts.side}" in name for name, facts in PRESETS.items()}
    assert [name for name, right in named_so.items() if not right and not name.startswith("dinov2")] == []


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("kerashub:dinov2_smal", "kerashub:dinov2_small"),
        ("siglip2_base_patch16_224", "kerashub:siglip2_base_patch16_224"),
    ],
)
def test_an_unknown_preset_is_named_with_the_nearest(name, nearest):
    assert refusal(lambda: backbone(name)) == (
        f"params.yaml: backbone '{name}' is not known; did you mean '{nearest}'?"
    )


@pytest.mark.parametrize(
    ("name", "width", "height", "expected"),
    [
        ("dinov2_small", 448, 256, "a square of a multiple of 14 pixels was expected, like 448x448"),
        ("dinov2_small", 450, 450, "a square of a multiple of 14 pixels was expected, like 448x448"),
        ("siglip_base_patch16_224", 256, 256, "224x224 was expected"),
        ("../no/folder", 448, 256, "a square was expected, like 448x448"),
    ],
)
def test_a_size_that_does_not_fit_is_one_sentence_with_one_that_does(name, width, height, expected):
    assert refusal(lambda: Form(f"kerashub:{name}", width, height)) == (
        f"params.yaml: {width}x{height} does not fit kerashub:{name}, {expected}; correct width and height"
    )


def test_a_model_that_was_trained_on_a_folder_scores_without_it(flower):
    form = Form("kerashub:../no/folder", 448, 448)

    assert (network_input(flower, form) == np.clip(network_input(flower, form).round(), 0, 255)).all()  # pixels
    assert form.stem == "kerashub_.._no_folder"


def test_the_facts_need_neither_keras_nor_keras_hub():
    program = (
        "import sys; from screentime.inputs import Form; Form('kerashub:dinov2_small', 224, 224); "
        "print([name for name in ('tensorflow', 'keras', 'keras_hub') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


# ---- a configuration is looked at before anything is made of it

OWN = {
    "module": "keras_hub.src.models.dinov2.dinov2_backbone",
    "class_name": "DINOV2Backbone",
    "registered_name": "keras_hub>DINOV2Backbone",
    "config": {"patch_size": 14, "hidden_dim": 16, "image_shape": [56, 56, 3]},
}


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ({"module": "keras.layers", "class_name": "Lambda", "registered_name": None, "config": {}}, "Lambda"),
        ({"class_name": "__lambda__", "config": {"value": "4wEAAA=="}}, "__lambda__"),
        ({"module": "os", "class_name": "system", "registered_name": "system", "config": {}}, "system"),
        ({"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"}, "function"),
        (
            {**OWN, "registered_name": "keras_hub>SigLIPTextEncoder"},
            "keras_hub.src.models.dinov2.dinov2_backbone.DINOV2Backbone",
        ),
        ({**OWN}, "keras_hub>DINOV2Backbone"),  # no network inside a network
    ],
)
def test_a_configuration_that_names_anything_else_is_refused_before_it_is_used(tmp_path, part, shown):
    config = {**OWN, "config": {**OWN["config"], "activation": [1, {"deep": part}]}}
    (tmp_path / "config.json").write_text(json.dumps(config))

    assert refusal(lambda: backbone(named(tmp_path))) == (
        f"{tmp_path}/config.json: it names '{shown}', parts of KerasHub's own networks alone were expected; it may hold "
        "somebody's program, do not use it"
    )


@pytest.mark.parametrize("module", ["os", "keras_hub_of_mine.models"])
def test_a_network_that_only_calls_itself_one_of_kerashub_is_refused(tmp_path, module):
    (tmp_path / "config.json").write_text(json.dumps({**OWN, "module": module}))

    assert f"it names '{module}.DINOV2Backbone'" in refusal(lambda: read_config(tmp_path / "config.json"))


def test_another_network_of_kerashub_is_one_sentence(tmp_path):
    other = {**OWN, "class_name": "GemmaBackbone", "registered_name": "keras_hub>GemmaBackbone"}
    (tmp_path / "config.json").write_text(json.dumps(other))
    (tmp_path / "image_converter.json").write_text(
        json.dumps({**other, "class_name": "DINOV2ImageConverter", "registered_name": "keras_hub>DINOV2ImageConverter"})
    )

    assert "it names 'keras_hub>GemmaBackbone'" in refusal(lambda: backbone(named(tmp_path)))
    (tmp_path / "config.json").write_text((tmp_path / "image_converter.json").read_text())
    assert refusal(lambda: backbone(named(tmp_path))) == (
        f"{tmp_path}/config.json: 'keras_hub>DINOV2ImageConverter' was found, one of DINOV2Backbone, SigLIPBackbone, "
        "SigLIPVisionEncoder was expected; name a preset of those"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "this is no JSON, a KerasHub preset was expected; bring it again"),
        ("[" * 100_000, "this is no JSON, a KerasHub preset was expected; bring it again"),
        ("{}", "no configuration was found, a KerasHub preset was expected; bring it again"),
        (
            json.dumps({**OWN, "config": {"patch_size": 14}}),
            "patch_size, hidden_dim or image_shape is not there, they were expected; bring the preset again",
        ),
    ],
)
def test_a_damaged_configuration_is_one_sentence(tmp_path, content, told):
    (tmp_path / "config.json").write_text(content)

    assert refusal(lambda: backbone(named(tmp_path))) == f"{tmp_path}/config.json: {told}"


def test_without_the_package_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)

    assert refusal(lambda: backbone("kerashub:dinov2_small").build(224, 224)) == (
        "kerashub:dinov2_small: the package keras-hub is not installed, it was expected for KerasHub's networks; run `pip "
        "install -r requirements-kerashub.txt`"
    )


def test_it_names_no_classes_of_imagenet():
    assert refusal(lambda: classifier(backbone("kerashub:dinov2_small"))) == (
        "kerashub:dinov2_small: it names no classes of ImageNet, a network that does was expected; name one of Keras"
    )


# ---- the networks


@pytest.mark.parametrize("kind", ["dinov2", "siglip"])
def test_a_network_is_shown_what_kerashubs_own_converter_gives(hub, presets, flower, kind):
    form = Form(named(presets[kind]), 64 if kind == "siglip" else 56, 64 if kind == "siglip" else 56)
    shown = network_input(flower, form)
    model = backbone(form.backbone).build(form.height, form.width)
    kind_of = hub.layers.SigLIPImageConverter if kind == "siglip" else hub.layers.DINOV2ImageConverter

    ours = keras.Model(model.input, model.get_layer("normalization").output)(shown[None])
    theirs = kind_of.from_preset(str(presets[kind]))(shown[None])

    assert shown.min() >= 0 and shown.max() > 200 and (shown == shown.round()).all()
    assert np.abs(np.asarray(ours) - np.asarray(theirs)).max() < 1e-5
    assert np.asarray(ours).std() > 0.3


@pytest.mark.parametrize(("kind", "n_others"), [("dinov2", 1), ("registers", 5)])
@pytest.mark.parametrize("side", [56, 84])
def test_the_patches_of_dinov2_are_places_in_their_order(hub, presets, flower, kind, n_others, side):
    """Also at a size that the preset was not saved at: its position embedding is interpolated, by KerasHub itself."""
    facts = backbone(named(presets[kind]))
    model = facts.build(side, side)
    shown = network_input(flower, Form(facts.name, side, side))[None]
    converted = hub.layers.DINOV2ImageConverter.from_preset(str(presets[kind]))(shown)
    theirs = hub.models.Backbone.from_preset(str(presets[kind]), image_shape=(side, side, 3))({"images": converted})

    places = np.asarray(model(shown))

    assert places.shape == (1, side // 14, side // 14, 16)
    assert np.abs(places.reshape(1, -1, 16) - np.asarray(theirs)[:, n_others:]).max() < 1e-4
    assert (facts.n_features, facts.stride, facts.side, model.trainable_weights) == (16, 14, 56, [])
    assert places.std() > 0.1


@pytest.mark.parametrize("kind", ["siglip", "vision"])
def test_the_patches_of_siglip_are_what_its_own_head_reads(hub, presets, flower, kind):
    facts = backbone(named(presets[kind]))
    shown = network_input(flower, Form(facts.name, 64, 64))[None]
    loaded = hub.models.Backbone.from_preset(str(presets[kind]))
    vision = getattr(loaded, "vision_encoder", loaded)

    places = np.asarray(facts.build(64, 64)(shown))

    assert places.shape == (1, 4, 4, 16)
    assert np.abs(vision.head(places.reshape(1, 16, 16)) - vision({"images": shown / 127.5 - 1})).max() < 1e-4
    assert places.std() > 0.1


@pytest.mark.parametrize(("kind", "side"), [("registers", 84), ("siglip", 64)])
def test_evidence_at_places_is_exported_and_equals_that_of_keras(presets, flower, tmp_path, kind, side):
    form = Form(named(presets[kind]), side, side)
    whole = network.build(form, 2, PARAMS.train.fine_tune, exclusive=False)
    evidence = whole.get_layer(network.EVIDENCE)
    evidence.set_weights([np.random.default_rng(0).normal(0, 3, weight.shape) for weight in evidence.get_weights()])
    scorer = network.scorer_model(whole, exclusive=False)
    network.save(scorer, tmp_path)
    light = LightNetwork(tmp_path / network.LIGHT_MODEL, threads=1)
    shown = network_input(flower, form)
    logits, places = (np.asarray(one)[0] for one in scorer(shown[None]))

    row, map_of_places = light.row_and_places(shown)

    n = side // backbone(form.backbone).stride
    assert places.shape == map_of_places.shape == (n, n, 2)
    assert max(np.abs(row - logits).max(), np.abs(map_of_places - places).max()) < 1e-3
    assert places.std() > 1
    again = network.load(tmp_path)(shown[None])
    assert (np.asarray(again[0])[0] == logits).all()


def test_embed_exports_it_under_a_name_that_is_a_file(presets, flower, tmp_path):
    form = Form(named(presets["dinov2"]), 56, 56)
    export_network(tmp_path, lambda _: None, form=form, threads=1)

    light = LightNetwork(tmp_path / f"{form.stem}.tflite", threads=1)
    shown = network_input(flower, form)
    expected = np.asarray(frozen.feature_model(form, "mean_max")(shown[None]))[0]
    assert np.abs(light.row(shown) - expected).max() < 1e-3
    assert expected.shape == (32,)


def test_its_blocks_can_be_opened_and_the_rest_cut_off(presets, flower):
    for kind, side in (("dinov2", 56), ("siglip", 64)):
        model = backbone(named(presets[kind])).build(side, side)
        assert block_ends(model) == ["block_0", "block_1", "block_2"]
        opened = open_layers(model, "blocks:1")
        assert opened[0] == "block_2" and len(opened) == 2  # and the normalization of layers behind it

        trunk, rest = cut(model, "block_1")
        shown = network_input(flower, Form(named(presets[kind]), side, side))[None]
        assert (np.asarray(rest(trunk(shown))) == np.asarray(model(shown))).all()
        assert "block_0" in cuts(model)


def test_training_changes_what_is_open_and_nothing_else(presets, flower):
    form = Form(named(presets["registers"]), 56, 56)
    tune = PARAMS.train.fine_tune.model_copy(update={"open": "blocks:1", "learning_rate": 0.003, "batch_size": 4})
    settings = PARAMS.train.model_copy(update={"fine_tune": tune})
    inputs = np.stack([network_input(flower[:, 10 * n : 300 + 10 * n], form) for n in range(8)]).astype(np.float16)
    tuning = fine_tuning.Tuning(form, inputs, np.arange(8).reshape(8, 1).astype(np.float32) % 2, settings)

    def weights():
        return {weight.path: np.array(weight) for weight in tuning.model.backbone.weights}

    before = weights()
    history = tuning.fit(np.arange(8), np.arange(0), 12, 0, lambda: None)
    changed = {path.split("/")[0] for path, value in weights().items() if (value != before[path]).any()}

    assert {name for name in changed if name.startswith("block")} | changed == changed
    assert len(changed) == 2 and not any("embeddings" in name for name in changed)
    assert history[-1]["loss"] < history[0]["loss"]


# ---- weights


def test_weights_are_the_presets_own_or_from_chance_or_from_a_file(presets, flower, tmp_path):
    facts = backbone(named(presets["dinov2"]))
    shown = network_input(flower, Form(facts.name, 56, 56))[None]
    model = facts.build(56, 56)
    model.save_weights(tmp_path / "own.weights.h5")

    def drawn(seed):
        keras.utils.set_random_seed(seed)
        return np.asarray(facts.build(56, 56, weights="none")(shown))

    own = np.asarray(facts.build(56, 56, weights=str(tmp_path / "own.weights.h5"))(shown))
    assert (own == np.asarray(model(shown))).all()
    assert (drawn(1) == drawn(1)).all() and (drawn(1) != drawn(2)).any() and (drawn(1) != own).any()


def test_what_decides_the_weights_is_in_the_key_of_what_is_kept(presets, tmp_path):
    folder = shutil.copytree(presets["dinov2"], tmp_path / "preset")
    first = Form(named(folder), 56, 56).identity()
    with open(folder / "model.weights.h5", "ab") as file:
        file.write(b"\0")
    second = Form(named(folder), 56, 56).identity()

    assert {"keras-hub", "config.json", "image_converter.json", "model.weights.h5"} <= set(first)
    assert {name for name in first if first[name] != second[name]} == {"model.weights.h5"}
    assert Form("efficientnet-lite0", 56, 56).identity() == {}


@pytest.mark.parametrize("how", ["truncated", "partial", "other", "gone"])
def test_weights_that_are_not_its_own_are_one_sentence(presets, tmp_path, how):
    folder = shutil.copytree(presets["dinov2"], tmp_path / "preset")
    weights = folder / "model.weights.h5"
    if how == "truncated":
        weights.write_bytes(weights.read_bytes()[:5000])
    elif how == "partial":
        with h5py.File(weights, "a") as file:
            del file["layers/dinov2_encoder/layers/dinov2_layer_1"]
    elif how == "other":
        shutil.copy(presets["registers"] / weights.name, weights)
    else:
        weights.unlink()

    assert refusal(lambda: backbone(named(folder)).build(56, 56)) == (
        f"{folder}: the preset is incomplete, damaged or does not fit its own configuration, whole files were expected for "
        f"{named(folder)}; bring it again"
    )


def test_a_preset_without_its_normalization_is_one_sentence(presets, tmp_path):
    folder = shutil.copytree(presets["dinov2"], tmp_path / "preset")
    (folder / "image_converter.json").unlink()

    assert refusal(lambda: backbone(named(folder)).build(56, 56)) == (
        f"{folder}/image_converter.json: no such file was found, a KerasHub preset as save_to_preset writes it was expected; "
        "name its folder"
    )


@pytest.fixture
def no_network(monkeypatch, tmp_path) -> None:
    """Every request goes to a port where nobody listens; an empty cache of downloads."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))


def kept(folder: Path, names) -> None:
    """Put files of a preset where the download of dinov2_small keeps them."""
    cache, handle = import_module("kagglehub.cache"), import_module("kagglehub.handle")
    handle = handle.parse_model_handle("keras/dinov2/keras/dinov2_small/1")
    for name in names:
        place = Path(cache.get_cached_path(handle, name))
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / name, place)
        cache.Cache().mark_as_complete(handle, name)


def test_a_preset_by_its_name_is_downloaded_once_or_one_sentence_says_what_to_do(presets, flower, no_network):
    facts = backbone("kerashub:dinov2_small")
    told = []
    for names in ((), ("config.json", "image_converter.json")):
        kept(presets["dinov2"], names)
        told.append(refusal(lambda: facts.build(56, 56)))
    kept(presets["dinov2"], os.listdir(presets["dinov2"]))
    shown = network_input(flower, Form(facts.name, 56, 56))[None]
    expected = np.asarray(backbone(named(presets["dinov2"])).build(56, 56)(shown))

    for sentence in told:
        assert sentence.startswith("kerashub:dinov2_small: the preset could not be downloaded (")
        assert sentence.endswith(
            "), a network was expected at first use; run again with one, or bring its folder from another machine and name it "
            "as kerashub:FOLDER"
        )
    assert (np.asarray(facts.build(56, 56)(shown)) == expected).all()
