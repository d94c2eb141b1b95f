"""`python -m stages.publish`: the run of a model comes into the MLflow store from the outputs alone, and only once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas
import pytest

from screentime.files import write_json
from screentime.runs import record_of
from screentime.tables import EPOCHS, write_table

ROOT = Path(__file__).parents[1]
KEY = "4f" * 32
LOSSES = [0.7, 0.5, 0.4]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """What the stages left of a training of three epochs: no store, no arrays, no network."""
    shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
    for name in ("models", "metrics", "plots", "reports"):
        (tmp_path / name).mkdir()
    (tmp_path / "models" / "scorer.tflite").write_bytes(b"the network")
    facts = {
        "run_key": KEY,
        "form": {"backbone": "efficientnet-lite0", "width": 96, "height": 64},
        "cast": ["ann", "bob"],
        "params": {"seed": 3, "l2": 0.05},
        "data": {"n_frames": 80, "sha256_inputs.npy": "ab" * 32},
    }
    write_json(tmp_path / "models" / "model.json", facts)
    epochs = pandas.DataFrame({"epoch": [1, 2, 3], "loss": LOSSES, "validation_loss": [0.8, 0.7, 0.75]})
    write_table(tmp_path / "plots" / "epochs.csv", epochs.assign(final_loss=[0.7, 0.6, None]), EPOCHS)
    write_json(tmp_path / "metrics" / "train.json", {"epochs": 2})
    write_json(tmp_path / "metrics" / "evaluate.json", {"macro": {"average_precision": 0.9}, "split": "audit"})
    (tmp_path / "reports" / "screen_time.csv").write_text("video_id,character\n", encoding="utf-8")
    return tmp_path


def begin(folder: Path, **environment: str) -> subprocess.Popen:
    """Start to publish what lies in a folder."""
    kept = {name: value for name, value in os.environ.items() if name not in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME")}
    return subprocess.Popen(
        [sys.executable, "-m", "stages.publish"],
        cwd=folder, env=kept | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def publish(folder: Path, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a publication."""
    process = begin(folder, **environment)
    said, errors = process.communicate()
    return process.returncode, said, errors


def runs_in(folder: Path) -> tuple[mlflow.MlflowClient, list]:
    """Every run of the store in a folder."""
    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    return client, client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])


def test_published_twice_at_once_and_again_there_is_one_whole_run(outputs):
    """Two processes find no store at all; a third finds new figures."""
    for process in [begin(outputs), begin(outputs)]:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    write_json(outputs / "metrics" / "evaluate.json", {"macro": {"average_precision": 0.95}, "split": "audit"})
    code, said, _ = publish(outputs)

    client, runs = runs_in(outputs)
    assert code == 0
    assert said.startswith("MLflow: run 'efficientnet-lite0-96x64-4f4f4f4' in experiment 'screentime'")
    assert len(runs) == 1
    info, data = runs[0].info, runs[0].data
    assert (info.status, info.run_name) == ("FINISHED", "efficientnet-lite0-96x64-4f4f4f4")
    assert data.tags["run_key"] == KEY
    assert (data.params["train.seed"], data.params["form.width"], data.params["data.n_frames"]) == ("3", "96", "80")
    assert data.metrics["evaluate/macro/average_precision"] == 0.95
    history = sorted((metric.step, metric.value) for metric in client.get_metric_history(info.run_id, "loss"))
    assert history == list(enumerate(LOSSES, start=1))
    assert len(client.get_metric_history(info.run_id, "final_loss")) == 2
    kept = [
        item.path for place in ("metrics", "plots", "reports") for item in client.list_artifacts(info.run_id, place)
    ]
    assert kept == ["metrics/evaluate.json", "metrics/train.json", "plots/epochs.csv", "reports/screen_time.csv"]
    models = client.search_logged_models([info.experiment_id])
    assert [model.source_run_id for model in models] == [info.run_id]
    assert (outputs / "mlruns").is_dir()


def test_a_run_that_broke_off_is_replaced_by_the_whole_one(outputs):
    client = mlflow.MlflowClient(f"sqlite:///{outputs / 'mlflow.db'}")
    experiment_id = client.create_experiment("screentime", (outputs / "mlruns").as_uri())
    broken = client.create_run(experiment_id, tags={"run_key": KEY}, run_name="broken")

    code, _, errors = publish(outputs, DVC_EXP_NAME="humble-otter")

    _, runs = runs_in(outputs)
    assert code == 0, errors
    assert [(run.info.run_name, run.info.status) for run in runs] == [("humble-otter", "FINISHED")]
    assert runs[0].info.run_id != broken.info.run_id


def test_a_copy_of_the_project_for_an_experiment_publishes_into_the_projects_own_store(outputs):
    copy = outputs / ".dvc" / "tmp" / "exps" / "tmpx1"
    for name in ("models", "metrics", "plots", "reports"):
        shutil.copytree(outputs / name, copy / name)
    shutil.copy(outputs / "params.yaml", copy)

    code, _, errors = publish(copy)

    _, runs = runs_in(outputs)
    assert code == 0, errors
    assert len(runs) == 1
    assert Path(runs[0].info.artifact_uri.removeprefix("file://")).is_relative_to(outputs / "mlruns")
    assert not (copy / "mlflow.db").exists()
    assert not (copy / "mlruns").exists()


def test_a_store_that_is_away_ends_with_a_sentence(outputs):
    code, said, errors = publish(outputs, MLFLOW_TRACKING_URI="http://127.0.0.1:9")

    assert (code, said) == (1, "")
    assert errors.startswith("MLflow: the store http://127.0.0.1:9 cannot be used (")
    assert errors.endswith(
        "), a running store of this version was expected; start it, correct MLFLOW_TRACKING_URI, or unset it to keep runs "
        "in mlflow.db\n"
    )
    assert len(errors.splitlines()) == 1


def test_without_a_model_there_is_nothing_to_publish(outputs):
    (outputs / "models" / "model.json").unlink()

    assert publish(outputs) == (
        1,
        "",
        f"{Path('models/model.json')}: no trained model was found; run `dvc repro`, or `dvc pull`\n",
    )


def test_a_run_is_named_by_the_experiment_else_by_backbone_size_and_key(outputs):
    def name(**environment: str) -> str:
        folders = {place: outputs / place for place in ("models", "metrics", "plots", "reports")}
        return record_of(**folders, experiment="screentime", environment=environment).name

    assert name(DVC_EXP_NAME="humble-otter") == "humble-otter"
    assert name() == f"efficientnet-lite0-96x64-{KEY[:7]}"


def test_figures_that_are_not_numbers_are_left_out(outputs):
    write_json(
        outputs / "metrics" / "evaluate.json", {"bunny, the rabbit": {"f1": 1, "ok": True, "note": "a", "x": None}}
    )
    folders = {place: outputs / place for place in ("models", "metrics", "plots", "reports")}

    figures = record_of(**folders, experiment="screentime", environment={}).metrics

    assert figures == {"train/epochs": 2.0, "evaluate/bunny_ the rabbit/f1": 1.0}
