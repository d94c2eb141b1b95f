"""The usual way of training on the real film: what the light network says, the files and the run that come of it."""

import csv

import excerpt
import keras
import mlflow
import numpy as np
import pytest
from project import Project
from scipy.special import logit
from scored import offered

from screentime import eight_bit, network, sequence
from screentime.files import read_json
from screentime.frames import open_frames
from screentime.inputs import network_input
from screentime.scorer import Scorer, open_scorer
from screentime.windows import Around, windows_around

CAST = ["bunny", "frank", "rinky"]
N_FRAMES = 200
FORM = {"width": 224, "height": 128}


@pytest.fixture(scope="module")
def project(tmp_path_factory, demo_excerpt) -> Project:
    """The excerpt, two frames a second, trained quickly on small pictures and scored."""
    project = Project(tmp_path_factory.mktemp("project"))
    excerpt.put_into(project, demo_excerpt, CAST)
    tune = {"epochs": 8, "least_steps": 0, "learning_rate": 0.0005}
    project.set_params(
        sample={"fps": 2.0},
        embed=FORM,
        preprocess=FORM,
        train={"method": "fine_tune", "folds": 3, "fine_tune": tune},
        suggest={"frames": 9},
    )
    project.commit("films, labels")
    project.run("dvc", "repro", "score")
    return project


def images_of(project: Project) -> list[np.ndarray]:
    """200 of its frames, evenly over the film."""
    pack = open_frames(project.folder / "data" / "frames", "excerpt")
    return [pack.image(int(place)) for place in np.linspace(0, len(pack) - 1, N_FRAMES)]


def test_the_light_network_says_of_200_real_frames_what_the_trained_one_says(project):
    """Logits and places, on frames whose scores span the range."""
    models = project.folder / "models" / "trained"
    scorer, trained, images = Scorer(models, threads=1), network.load(models), images_of(project)

    light = [scorer.logits_and_evidence(image) for image in images]
    logits, places = trained.predict(np.stack([network_input(image, scorer.form) for image in images]), verbose=0)

    scores = np.array([scorer.calibrated(said) for said, _ in light])
    assert (scores.min(axis=0) < 0.2).all() and (scores.max(axis=0) > 0.6).all()
    assert np.abs(logits - [said for said, _ in light]).max() < 1e-3
    assert np.abs(places - [seen for _, seen in light]).max() < 1e-3


def test_its_8_bit_network_costs_what_is_told_and_sees_at_the_same_places(project, tmp_path, monkeypatch):
    monkeypatch.setattr(eight_bit, "ALLOWED", 1.0)  # pictures of 224 x 128 are rounded coarsely
    models, images = project.folder / "models" / "trained", images_of(project)

    cost = offered(models, tmp_path / "models", images[::2])

    whole, light = Scorer(models, threads=1), Scorer(tmp_path / "models", threads=1)
    judged = images[2::4]  # of those offered, every second one did not tell the ranges
    apart = np.array([light.scores(one) - whole.scores(one) for one in judged])
    assert cost["kept"] and cost["n_frames"] == len(judged)
    assert cost["difference"] == pytest.approx(np.abs(apart).mean(), abs=2e-3)
    assert 0 < cost["difference"] < 0.1
    places = [[scorer.logits_and_evidence(one)[1] for one in judged] for scorer in (whole, light)]
    assert np.corrcoef(np.ravel(places[0]), np.ravel(places[1]))[0, 1] > 0.95


def test_every_frame_has_the_place_where_each_character_was_seen_most(project):
    with open(project.folder / "data" / "scores" / "excerpt.places.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 280 * len(CAST)
    # 4 places down and 7 across: a place has its middle
    assert {float(row["x"]) for row in rows} <= {round((place + 0.5) / 7, 6) for place in range(7)}
    assert {float(row["y"]) for row in rows} <= {round((place + 0.5) / 4, 6) for place in range(4)}
    assert len({(row["x"], row["y"]) for row in rows}) > 5


def test_the_run_has_every_parameter_of_its_method_and_every_epoch(project):
    client = mlflow.MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("screentime").experiment_id])

    params = run.data.params
    wanted = {"train.method": "fine_tune", "train.fine_tune.open": "blocks:5", "train.fine_tune.augment.flip": "True"}
    assert {name: params[name] for name in wanted} == wanted
    assert not [name for name in params if name.startswith("train.probe")]
    epochs = read_json(project.folder / "metrics" / "train.json")["epochs"]
    for name in ("loss", "accuracy", "final_loss", "final_accuracy"):
        assert len(client.get_metric_history(run.info.run_id, name)) == epochs == 8


@pytest.mark.parametrize("method", ["probe", "sequence"])
def test_another_method_trains_the_project_anew_and_its_light_network_says_the_same_too(project, method):
    """The last in this file: the project is another one behind it."""
    project.set_params(
        train={"method": method, "sequence": {"head": "mean", "epochs": 80, "patience": 80, "learning_rate": 0.003}}
    )
    project.run("dvc", "repro", "train")
    models = project.folder / "models" / "trained"
    scorer, facts = open_scorer(models, threads=1), read_json(models / "model.json")
    images = images_of(project)

    scores, _ = scorer.film(map(scorer.row, images))

    inputs = np.stack([network_input(image, scorer.form) for image in images])
    if method == "probe":
        trained = network.load(models).predict(inputs, verbose=0)
    else:
        head = keras.models.model_from_json((models / "sequence.json").read_text(encoding="utf-8"))
        head.load_weights(models / "sequence.weights.h5")
        features = network.load(models).predict(inputs, verbose=0).astype(np.float16)
        trained = sequence.logits_of(head, windows_around(features, np.arange(N_FRAMES), Around(**facts["window"])))
    light = (logit(scores) - facts["calibration"]["offset"]) / facts["calibration"]["scale"]
    assert facts["method"] == method
    assert (scores.min(axis=0) < 0.2).all() and (scores.max(axis=0) > 0.6).all()
    assert np.abs(trained - light).max() < 1e-3
