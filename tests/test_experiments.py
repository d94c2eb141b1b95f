"""Experiments as a user runs them: two workers, a copy, the workspace; one store; then the registry and its server."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import browser
import excerpt
import mlflow
import numpy as np
import pytest
from project import Project

from screentime.frames import open_frames

CAST = ["bunny", "frank", "rinky"]
FILM = "data/videos/excerpt.mp4"
QUEUED = {
    "strong": ["train.probe.l2=0.5"],
    "low": ["estimate.threshold=0.4"],
    "both": ["train.probe.l2=0.5", "estimate.threshold=0.4"],
}
START_S = 120  # a server has so long to answer; far more than it needs


@pytest.fixture(scope="module")
def project(tmp_path_factory, demo_excerpt) -> Project:
    """A short film with labels and a whole audit, its baseline committed."""
    project = Project(tmp_path_factory.mktemp("project"))
    rows = excerpt.put_into(project, demo_excerpt, CAST)
    labels = project.folder / "data" / "labels"
    small = {"width": 96, "height": 64}
    project.set_params(
        embed=small,
        preprocess=small,
        train={"method": "probe", "folds": 3, "probe": {"epochs": 20}},
        suggest={"frames": 9},
    )
    project.run("dvc", "add", FILM)
    project.run("dvc", "repro", "sample")
    project.run("python", "-m", "screentime", "audit", "draw", "excerpt", "--n", "30", "--seed", "3")
    with open(labels / "excerpt.audit.csv", encoding="utf-8") as file:
        drawn = [row["time_s"] for row in csv.DictReader(file)]
    made_up = {"end_s": "", "source": "audit", "annotator": "", "at": ""}
    for place, time_s in enumerate(drawn):
        rows += [
            made_up | {"start_s": time_s, "character": name, "present": str((place + number) % 2)}
            for number, name in enumerate(CAST)
        ]
    excerpt.write_labels(labels / "excerpt.csv", rows)
    project.run("dvc", "repro")
    project.commit("baseline")
    return project


@pytest.fixture(scope="module")
def client(project) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")


def runs(client: mlflow.MlflowClient) -> dict[str, object]:
    """Every run by its name."""
    found = client.search_runs([client.get_experiment_by_name("screentime").experiment_id])
    by_name = {run.info.run_name: run for run in found}
    assert len(by_name) == len(found)
    return by_name


@pytest.fixture(scope="module")
def queued(project, client) -> dict[str, object]:
    """The runs after two workers have emptied a queue of three experiments."""
    for name, changes in QUEUED.items():
        project.run("dvc", "exp", "run", "--queue", "--name", name, *(word for one in changes for word in ("-S", one)))
    project.run("dvc", "queue", "start", "--jobs", "2")
    while "Queued" in (status := project.run("dvc", "queue", "status")) or "Running" in status:
        time.sleep(6)  # asking costs what the workers need
    logs = "".join(project.run("dvc", "queue", "logs", name, code=None) for name in QUEUED)
    assert status.count("Success") == len(QUEUED), f"{status}\n{logs}"
    return runs(client)


def shown(project) -> dict[str, dict]:
    """What `dvc exp show` knows: the data of each experiment by its name, of the baseline by 'workspace'."""
    rows = json.loads(project.run("dvc", "exp", "show", "--json"))
    found = {rows[0]["rev"]: rows[0]["data"]}
    for row in rows:
        for one in row.get("experiments") or []:
            found[one["name"]] = one["revs"][0]["data"]
    return found


def test_two_workers_bring_every_experiment_into_one_store_under_its_name(project, client, queued):
    assert len(queued) == 1 + len(QUEUED)
    dvc = shown(project)
    for name, changes in QUEUED.items():
        run = queued[name]
        assert run.info.status == "FINISHED"
        for change in changes:
            parameter, value = change.split("=")
            assert run.data.params[parameter] == value
        macro = dvc[name]["metrics"]["metrics/evaluate.json"]["data"]["audit"]["macro"]
        assert {figure: run.data.metrics[f"audit/{figure}"] for figure in macro} == pytest.approx(macro)
        seconds = dvc[name]["metrics"]["metrics/estimate.json"]["data"]["total"]
        assert {one: run.data.metrics[f"seconds/{one}"] for one in CAST} == {
            one: seconds[one]["seconds"] for one in CAST
        }
        assert len(client.get_metric_history(run.info.run_id, "loss")) == 20
        kept = {item.path for folder in ("plots", "reports") for item in client.list_artifacts(run.info.run_id, folder)}
        assert {"plots/epochs.csv", "plots/precision_recall.csv", "reports/index.html"} <= kept
        assert len(run.outputs.model_outputs) == 1
    assert queued["strong"].data.tags["run_key"] == queued["both"].data.tags["run_key"]
    assert not list((project.folder / ".dvc" / "tmp" / "exps").rglob("mlflow.db"))


def test_an_experiment_that_dvc_restores_is_in_the_store_too(project, client, queued):
    """Its outcome was there before: the run has both names."""
    output = project.run("dvc", "exp", "run", "--name", "restored", "-S", "train.probe.l2=0.5")

    assert all(f"Stage '{stage}' is cached - skipping run" in output for stage in ("train", "evaluate", "report"))
    assert project.stages_run(output) == ["score", "publish"]
    assert "strong, restored" in runs(client)
    assert len(runs(client)) == len(queued)


def test_an_experiment_in_a_copy_is_in_the_projects_store(project, client, queued):
    project.run("dvc", "exp", "run", "--temp", "--name", "copied", "-S", "estimate.threshold=0.3")

    assert runs(client)["copied"].data.params["estimate.threshold"] == "0.3"


def test_dvc_answers_the_same(project, queued):
    metrics = json.loads(project.run("dvc", "metrics", "diff", "--json", "HEAD", "low"))
    macro = metrics["metrics/evaluate.json"]["audit.macro.accuracy"]
    assert macro["new"] == pytest.approx(queued["low"].data.metrics["audit/accuracy"])
    params = json.loads(project.run("dvc", "params", "diff", "--json", "HEAD", "both"))
    assert set(params["params.yaml"]) == {"train.probe.l2", "estimate.threshold"}

    project.run("dvc", "plots", "diff", "HEAD", "strong", "--out", "compared")
    page = (project.folder / "compared" / "index.html").read_text(encoding="utf-8")
    assert page.count('"rev": "strong"') > 0
    assert "precision_recall" in page


@contextmanager
def serving(project, *words: str, ready: str):
    """A server of MLflow in the project's folder, on a free port; its address once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = open(project.folder / "server.log", "w", encoding="utf-8")  # noqa: SIM115 - closed below
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{project.folder / 'mlflow.db'}",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words, "--host", "127.0.0.1", "--port", str(port)],
        cwd=project.folder, env=environment, stdout=log, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(f"{address}{ready}", server, project.folder / "server.log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
        log.close()


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    """Until a server answers; fails with what it said when it ends or stays silent."""
    while True:
        try:
            urllib.request.urlopen(address, timeout=START_S).close()
            return
        except (urllib.error.URLError, ConnectionError):
            pass
        try:
            server.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(log.read_text(encoding="utf-8"))


def test_the_link_opens_the_comparison(project, client, queued):
    """Chromium shows every run, with the figures and the parameters that the view wants."""
    experiment_id = client.get_experiment_by_name("screentime").experiment_id
    page = f"/#/experiments/{experiment_id}/runs?viewStateShareKey=comparison"
    assert page in project.run("python", "-m", "stages.publish")
    with serving(project, "server", "--workers", "1", ready="/health") as address:
        dom = browser.visit(f"{address}{page}", width=2400, wait_ms=20_000).dom

    columns = [
        "audit/average_precision",
        "audit/accuracy",
        "audit/f1",
        "audit/absolute_seconds_error",
        "train.probe.l2",
    ]
    assert [name for name in columns if f'data-testid="sort-header-{name}"' not in dom] == []
    assert [name for name in runs(client) if f">{name}<" not in dom] == []


@pytest.fixture(scope="module")
def champion(project, queued) -> str:
    """The address of a promoted model, by the two commands that the documents name."""
    project.run("python", "-m", "stages.publish", "--register", "excerpt")
    said = project.run("python", "-m", "screentime", "model", "promote", "excerpt")
    assert "excerpt: version 1 is the champion now; load it as models:/excerpt@champion" in said
    return "models:/excerpt@champion"


@pytest.fixture(scope="module")
def pictures(project) -> tuple[np.ndarray, list[dict]]:
    """Four frames of the film, (4, height, width, 3) uint8 RGB, and their rows in data/scores."""
    pack = open_frames(project.folder / "data" / "frames", "excerpt")
    with open(project.folder / "data" / "scores" / "excerpt.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    places = [3, 40, 77, 114]
    return np.stack([pack.image(place) for place in places]), [rows[place] for place in places]


def assert_scores(table: list[dict], rows: list[dict]) -> None:
    wanted = [[float(row[name]) for name in CAST] for row in rows]
    assert np.abs(np.array([[row[name] for name in CAST] for row in table]) - wanted).max() < 1e-6


def test_the_champion_scores_pictures_in_a_fresh_process_without_tensorflow(project, champion, pictures, tmp_path):
    np.save(tmp_path / "pictures.npy", pictures[0])
    code = f"""
import sys, mlflow, numpy
mlflow.set_tracking_uri("sqlite:///{project.folder / "mlflow.db"}")
table = mlflow.pyfunc.load_model("{champion}").predict(numpy.load("pictures.npy"))
assert not {{"tensorflow", "keras", "stages"}} & set(sys.modules)
table.to_json("scores.json", orient="records", double_precision=9)
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert_scores(json.loads((tmp_path / "scores.json").read_text()), pictures[1])


def test_a_server_of_the_champion_answers_a_request_with_its_scores(project, champion, pictures):
    with serving(project, "models", "serve", "-m", champion, "--env-manager", "local", ready="/ping") as address:
        request = urllib.request.Request(
            f"{address}/invocations",
            json.dumps({"inputs": pictures[0].tolist()}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=START_S) as answer:
            table = json.load(answer)["predictions"]

    assert_scores(table, pictures[1])


def test_a_loss_that_is_no_number_loses_neither_the_model_there_was_nor_its_figures(project):
    """DVC removes what a stage is to write before it runs; both ways that the sentence names bring it back."""

    def made() -> dict[str, bytes]:
        places = (project.folder / place for place in ("models/trained", "metrics/train.json", "plots"))
        files = (file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*"))))
        return {str(file.relative_to(project.folder)): file.read_bytes() for file in files if file.is_file()}

    params = project.folder / "params.yaml"
    before, its_parameters = made(), params.read_bytes()
    lost = {"open": "none", "optimizer": "sgd", "learning_rate": 10, "weight_decay": 1, "warm_up": 0, "batch_size": 1}
    project.set_params(train={"method": "fine_tune", "fine_tune": lost | {"decay": "constant"}})

    said = project.run("dvc", "repro", "train", code=255)
    project.run("dvc", "checkout", "train")
    model = made()
    params.write_bytes(its_parameters)
    again = project.stages_run(project.run("dvc", "repro"))

    assert (
        "params.yaml: train.fine_tune: the loss was no number any more in epoch 1, one was expected; lower learning_rate, now "
        "10; `dvc checkout train` brings back the model there was, `dvc repro` with its parameters its figures too"
    ) in said
    assert "models/trained/model.json" in model and model.items() < before.items()
    assert "train" not in again
    assert made() == before
