"""The usual way of training on the real film: what the light network says, the files and the run that come of it."""

import csv

import excerpt
import mlflow
import numpy as np
import pytest
from project import Project

from screentime import network
from screentime.files import read_json
from screentime.frames import open_frames
from screentime.inputs import network_input
from screentime.scorer import Scorer

CAST = ["bunny", "frank", "rinky"]
N_FRAMES = 200


@pytest.fixture(scope="module")
def project(tmp_path_factory, demo_excerpt) -> Project:
    """The excerpt, two frames a second, trained quickly on small pictures and scored."""
    project = Project(tmp_path_factory.mktemp("project"))
    excerpt.put_into(project, demo_excerpt, CAST)
    tune = {"epochs": 8, "least_steps": 0, "learning_rate": 0.0005}
    project.set_params(
        sample={"fps": 2.0},
        embed={"width": 96, "height": 64},
        preprocess={"width": 224, "height": 128},
        train={"method": "fine_tune", "folds": 3, "fine_tune": tune},
        suggest={"frames": 9},
    )
    project.commit("films, labels")
    project.run("dvc", "repro", "score")
    return project


def test_the_light_network_says_of_200_real_frames_what_the_trained_one_says(project):
    """Logits and places, on frames whose scores span the range."""
    models = project.folder / "models" / "trained"
    scorer, trained = Scorer(models, threads=1), network.load(models)
    pack = open_frames(project.folder / "data" / "frames", "excerpt")
    images = [pack.image(int(place)) for place in np.linspace(0, len(pack) - 1, N_FRAMES)]

    light = [scorer.logits_and_evidence(image) for image in images]
    logits, places = trained.predict(np.stack([network_input(image, scorer.form) for image in images]), verbose=0)

    scores = np.array([scorer.calibrated(said) for said, _ in light])
    assert (scores.min(axis=0) < 0.2).all() and (scores.max(axis=0) > 0.6).all()
    assert np.abs(logits - [said for said, _ in light]).max() < 1e-3
    assert np.abs(places - [seen for _, seen in light]).max() < 1e-3


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
