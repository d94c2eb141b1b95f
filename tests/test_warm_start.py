"""A training that begins with a model of other films: what goes on, what begins anew, and how the model comes into a project."""

import json
import os
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest
import yaml
from project import Project
from stores import empty_store
from trained import FORM, drawn_frame, params_with, truth, write_arrays

from screentime import fine_tuning, registry, schedule
from screentime.errors import InputError
from screentime.files import read_json, sha256_of, write_json
from screentime.inputs import Form, network_input
from screentime.scorer import Scorer
from screentime.tracking import open_store, store_uri
from screentime.warm_start import identity, is_model
from stages.train import train

OTHERS = ("cross", "ring", "disc")  # a new film's cast; the model knows disc and cross
QUICK = {"method": "fine_tune", "epochs": 2, "least_steps": 0, "folds": 3, "open": "blocks:1", "batch_size": 12}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The folder of a model that was trained on another film, in a store of its own."""
    folder = tmp_path_factory.mktemp("others")
    write_arrays(folder / "arrays", truth(30))
    empty_store(folder)
    here = Path.cwd()
    os.chdir(folder)
    try:
        train(
            arrays=Path("arrays"), models=Path("models/trained"), metrics=Path("metrics/train.json"),
            plots=Path("plots/epochs.csv"), sheet=Path("plots/augmented.jpg"), params=params_with(**QUICK),
        )  # fmt: skip
    finally:
        os.chdir(here)
    return folder / "models" / "trained"


def begun(weights: Path, form: Form = FORM, cast: tuple[str, ...] = OTHERS, **changes: object) -> fine_tuning.Tuning:
    """A network of a new film before its first step."""
    inputs = np.stack([network_input(drawn_frame(True, False, 1), form)]).astype(np.float16)
    targets = np.zeros((1, len(cast)), np.float32)
    settings = params_with(**QUICK | changes | {"weights": str(weights)}).train
    return fine_tuning.Tuning(form, inputs, targets, settings, cast)


def test_characters_of_the_same_name_go_on_and_others_begin(base):
    tuning = begun(base)

    assert tuning.continued == ["cross", "disc"]
    picture = drawn_frame(True, False, 1)
    said = dict(zip(OTHERS, tuning.model(network_input(picture, FORM)[None]).numpy()[0], strict=True))
    before = Scorer(base, threads=1)
    wanted = dict(zip(before.cast, before.logits(picture), strict=True))
    assert said["disc"] == pytest.approx(wanted["disc"], abs=1e-3)
    assert said["cross"] == pytest.approx(wanted["cross"], abs=1e-3)
    # nothing has been learned of the ring: its odds are those of the labels
    assert said["ring"] == pytest.approx(np.log(1 / 2), abs=1e-4)


def test_a_training_that_goes_on_begins_at_the_model_and_folds_begin_there_too(base):
    tuning = begun(base, cast=("disc", "cross"))
    start = [weights.copy() for weights in tuning.model.get_weights()]
    tuning.fit(np.arange(1), np.arange(0), 2, 0, lambda *_: None)
    assert any(not np.array_equal(one, two) for one, two in zip(start, tuning.model.get_weights(), strict=True))
    tuning.fit(np.arange(1), np.arange(0), 0, 0, lambda *_: None)
    assert all(np.array_equal(one, two) for one, two in zip(start, tuning.model.get_weights(), strict=True))


def test_a_training_that_goes_on_takes_half_as_many_steps(base):
    tune = params_with(**QUICK).train.fine_tune.model_copy(update={"least_steps": 60, "batch_size": 10})
    goes_on = tune.model_copy(update={"weights": str(base)})

    assert schedule.epochs_of(50, tune) == 12  # of 5 steps each
    assert schedule.epochs_of(50, goes_on) == 6
    assert schedule.epochs_of(500, goes_on) == tune.epochs


def test_another_size_of_picture_is_possible(base):
    assert begun(base, Form(FORM.backbone, FORM.width + 32, FORM.height)).continued == ["cross", "disc"]


def test_with_another_head_the_backbone_goes_on_alone(base):
    tuning = begun(base, dense=[8])
    known = begun(base)
    assert tuning.continued == []
    for one, two in zip(tuning.model.backbone.get_weights(), known.model.backbone.get_weights(), strict=True):
        assert np.array_equal(one, two)


def test_a_run_knows_which_model_it_began_with_and_chooses_between_it_and_the_probe(base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_arrays(tmp_path / "arrays", truth(30, seed=1))
    empty_store(tmp_path)
    keys = {}
    for weights, method in ((str(base), "best"), ("imagenet", "fine_tune")):
        train(
            arrays=Path("arrays"), models=Path("models"), metrics=Path("train.json"), plots=Path("epochs.csv"),
            sheet=Path("sheet.jpg"), params=params_with(**QUICK | {"method": method, "weights": weights, "epochs": 1}),
        )  # fmt: skip
        facts, figures = read_json(tmp_path / "models" / "model.json"), read_json(tmp_path / "train.json")
        keys[weights] = facts["run_key"], facts["data"].get("sha256_weights")
        errors = figures["squared_error"]
        assert errors.keys() == {"fine_tune", *(["probe"] if method == "best" else [])}
        assert figures["method"] == facts["method"] == min(errors, key=errors.get)
    assert keys[str(base)][1] == identity(base) == sha256_of(base / "model.weights.h5")
    assert keys["imagenet"][1] is None
    assert keys[str(base)][0] != keys["imagenet"][0]


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        (
            "model.json", lambda facts: facts | {"params": {"method": "probe", "exclusive": False}},
            "{base}: a head on a frozen backbone was found, a fine-tuned model was expected; set train.fine_tune.weights to "
            "imagenet, or bring another model",
        ),
        (
            "model.json", lambda facts: facts | {"form": facts["form"] | {"backbone": "VGG16"}},
            "{base}: a model on VGG16 was found, one on efficientnet-lite0 was expected (preprocess.backbone); set it to VGG16, "
            "or train.fine_tune.weights to imagenet",
        ),
        (
            "model.json", lambda facts: facts | {"cast": ["disc"]},
            "{base}/model.weights.h5: not the weights of the network that model.json describes; bring the model again",
        ),
        (
            "model.weights.h5", lambda content: content[:-1],
            "{base}/model.weights.h5: its sha256 is {found}, model.json names {wanted}; run `dvc repro train`, or fetch the models "
            "with `dvc pull train`",
        ),
    ],
)  # fmt: skip
def test_another_model_is_refused_with_one_sentence(base, tmp_path, file, change, sentence):
    copy = tmp_path / "base"
    shutil.copytree(base, copy)
    if file == "model.json":
        write_json(copy / file, change(read_json(copy / file)))
    else:
        (copy / file).write_bytes(change((copy / file).read_bytes()))
    assert is_model(str(copy))
    with pytest.raises(InputError) as refused:
        begun(copy)
    found, wanted = sha256_of(copy / "model.weights.h5"), sha256_of(base / "model.weights.h5")
    assert str(refused.value) == sentence.format(base=copy, found=found, wanted=wanted)


def test_a_registered_model_comes_into_another_project_as_files(base, tmp_path_factory, monkeypatch):
    others = base.parents[1]
    uri = store_uri({}, others)
    with open_store(mlflow, {"MLFLOW_TRACKING_URI": uri}, others) as client:
        (run,) = client.search_runs([one.experiment_id for one in client.search_experiments()])
        client.set_tag(run.info.run_id, "outcome", "measured")  # as `publish` does
        registry.register(client, "cartoons", client.get_run(run.info.run_id))
    project = Project(tmp_path_factory.mktemp("project"))
    project.run("git", "init", "--quiet")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    environment = ["env", f"MLFLOW_TRACKING_URI={uri}"]

    said = project.run(*environment, "python", "-m", "screentime", "model", "pull", "cartoons@candidate").splitlines()

    folder = project.folder / "models" / "base"
    assert said == [
        f"models/base: cartoons version 1, run {run.info.run_id[:7]}, disc, cross; pinned by models/base.dvc",
        "params.yaml: train.fine_tune.weights is models/base now; dvc.yaml: the stage train depends on it",
        "next: git add params.yaml dvc.yaml models/base.dvc models/.gitignore && dvc repro",
    ]
    assert identity(folder) == identity(base)
    origin = json.loads((folder / "origin.json").read_text(encoding="utf-8"))
    assert origin == {
        "name": "cartoons", "version": "1", "run_id": run.info.run_id, "cast": ["disc", "cross"],
        "run_key": read_json(base / "model.json")["run_key"], "sha256_model.json": sha256_of(base / "model.json"),
    }  # fmt: skip
    params = yaml.safe_load((project.folder / "params.yaml").read_text(encoding="utf-8"))
    assert params["train"]["fine_tune"]["weights"] == "models/base"
    pipeline = yaml.safe_load((project.folder / "dvc.yaml").read_text(encoding="utf-8"))
    assert "models/base" in pipeline["stages"]["train"]["deps"]
    assert (project.folder / "models" / "base.dvc").is_file()
    assert "models/base" not in project.run("git", "status", "--porcelain", "--untracked-files=all").replace(
        "base.dvc", ""
    )

    with open_store(mlflow, {"MLFLOW_TRACKING_URI": uri}, others) as client:
        (card,) = (others / "mlruns").rglob("artifacts/**/model.json")
        kept = card.read_text(encoding="utf-8")
        (card.parents[1] / "elsewhere").write_bytes(b"x")
        beside = {"../elsewhere": sha256_of(card.parents[1] / "elsewhere")}
        write_json(card, json.loads(kept) | {"files": beside})
    wrong = project.run(*environment, "python", "-m", "screentime", "model", "pull", "cartoons@1", code=1)
    assert wrong == (
        "cartoons@1: model.json names '../elsewhere', files beside it were expected; do not use this model\n"
    )
    assert identity(folder) == identity(base)
    card.write_text(kept, encoding="utf-8")
    wrong = project.run(*environment, "python", "-m", "screentime", "model", "pull", "cartoons@7", code=1)
    assert wrong == "cartoons@7: no such version was found, one of these was expected: candidate, 1; name one\n"
    wrong = project.run(*environment, "python", "-m", "screentime", "model", "pull", "cartoons", code=1)
    assert wrong == (
        "'cartoons' was found, NAME@VERSION was expected, screentime@champion say; name a version or an alias\n"
    )
