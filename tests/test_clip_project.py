"""The clip pipeline as a user runs it: a DVC project of its own beside the films', which neither sees nor disturbs it."""

import csv
import json
import sqlite3
from contextlib import closing
from unittest.mock import ANY

import pytest
import yaml
from clip_films import write_pair
from project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A clone with eight clips, run once."""
    project = Project(tmp_path_factory.mktemp("clips"))
    for seed in range(4):
        write_pair(project.folder.with_name("originals") / "all", seed)
    path = project.folder / "clips" / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["clip_sample"] |= {"frames": 4, "size": 32}
    params["clip_embed"] |= {"threads": 1}
    params["clip_train"] |= {"head": "mean", "dense": [], "epochs": 2, "seeds": [0], "threads": 1}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    project.without_clips = project.run("dvc", "--cd", "clips", "repro", code=255)
    project.run("python", "-m", "screentime", "clips", "add", str(project.folder.with_name("originals") / "all"))
    project.said = project.run("dvc", "--cd", "clips", "repro")
    return project


def test_one_command_leads_from_clips_to_results_where_others_look(project):
    assert project.stages_run(project.said) == [
        "clip_sample", "clip_embed", "clip_train", "clip_report", "clip_publish",
    ]  # fmt: skip
    with open(project.folder / "reports" / "clips.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["clip", "predicted", "grows", "shrinks"] and len(rows) >= 2
    figures = json.loads((project.folder / "clips" / "metrics" / "clips.json").read_text(encoding="utf-8"))
    assert figures["n_test"] == len(rows)
    assert (project.folder / "reports" / "clips" / "index.html").is_file()
    assert "MLflow: run 'mean-" in project.said


def test_plots_show_loss_and_accuracy_of_every_epoch(project, tmp_path):
    project.run("dvc", "--cd", "clips", "plots", "show", "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    with open(project.folder / "clips" / "plots" / "epochs.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 2
    for title, column in (("Loss of the clips that train", "loss"), ("Accuracy on the clips that train", "accuracy")):
        drawn = page[page.index(f"{title}, epoch by epoch") - 3000 : page.index(f"{title}, epoch by epoch")]
        assert all(f'"{column}": "{row[column]}"' in drawn for row in rows)


def test_without_clips_a_sentence_says_how_to_add_them(project):
    assert (
        "data/clips.csv: no clip was found, one row for each was expected; add them with `python -m screentime clips add`"
        in project.without_clips.splitlines()
    )


def test_films_and_clips_do_not_disturb_each_other(project):
    """DVC sees no clip in the films' project: its status, its pulls and its reports are as without them."""
    assert "clip" not in project.run("dvc", "status")
    assert "clip" not in project.run("dvc", "stage", "list", "--all")
    assert "clip" not in project.run("dvc", "metrics", "show")
    assert "accuracy" in project.run("dvc", "--cd", "clips", "metrics", "show")
    assert project.run("git", "status", "--porcelain", "--", "reports", "clips/frames", "data/clips") == ""


def test_a_second_run_computes_nothing_and_brings_back_what_the_films_report_emptied(project):
    before = (project.folder / "clips" / "dvc.lock").read_bytes()
    (project.folder / "reports" / "clips.csv").unlink()

    said = project.run("dvc", "--cd", "clips", "repro")

    assert project.stages_run(said) == ["clip_publish"]
    assert (project.folder / "reports" / "clips.csv").is_file()
    assert (project.folder / "clips" / "dvc.lock").read_bytes() == before
    with closing(sqlite3.connect(project.folder / "mlflow.db")) as store:
        assert store.execute("SELECT name, status FROM runs").fetchall() == [(ANY, "FINISHED")]


def test_an_empty_project_keeps_the_clips(project):
    project.commit("clips")

    project.run("python", "-m", "screentime", "new", "actions")

    assert json.loads(project.run("dvc", "--cd", "clips", "status", "--json")) == {"clip_publish": ["always changed"]}
