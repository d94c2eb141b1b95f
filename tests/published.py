"""What the stages leave of a training and its measuring, without any of them: enough to publish."""

import os
import shutil
import subprocess
from pathlib import Path

import mlflow
import numpy as np
import pandas
import warm

from screentime.files import write_json
from screentime.table_files import write_table
from screentime.tables import EPOCHS, MEASURED

ROOT = Path(__file__).parents[1]
KEY = "4f" * 32
LOSSES = [0.7, 0.5, 0.4]
CAST = ("ann", "bob")


def write_outputs(folder: Path, key: str = KEY, noise: float | None = None) -> Path:
    """A training of three epochs on 80 frames; with `noise` in its scores, measured by an audit of 60 frames."""
    shutil.copy(ROOT / "params.yaml", folder / "params.yaml")
    for name in ("models/trained", "data/measured", "metrics", "plots", "reports"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "models" / "trained" / "scorer.tflite").write_bytes(b"the network")
    facts = {
        "run_key": key,
        "method": "probe",
        "form": {"backbone": "efficientnet-lite0", "width": 96, "height": 64},
        "cast": list(CAST),
        "params": {"seed": 3, "l2": 0.05, "experiment": "screentime"},
        "data": {"n_frames": 80, "sha256_inputs.npy": "ab" * 32},
    }
    write_json(folder / "models" / "trained" / "model.json", facts)
    epochs = pandas.DataFrame({"epoch": [1, 2, 3], "loss": LOSSES, "validation_loss": [0.8, 0.7, 0.75]})
    accuracies = dict.fromkeys(("accuracy", "validation_accuracy", "final_accuracy"))
    epochs = epochs.assign(final_loss=[0.7, 0.6, None], **accuracies)
    write_table(folder / "plots" / "epochs.csv", epochs, EPOCHS)
    write_json(folder / "metrics" / "train.json", {"epochs": 2})
    write_evaluation(folder, average_precision=0.9)
    total = {"ann": {"seconds": 12.5, "low": 10.0, "high": 15.0, "width": 5.0, "basis": "audit"}}
    total["bob"] = total["ann"] | {"width": 6.0}
    write_json(folder / "metrics" / "estimate.json", {"total": total, "videos": {"film": total}})
    (folder / "reports" / "screen_time.csv").write_text("video_id,character\n", encoding="utf-8")
    if noise is not None:
        write_measured(folder, noise)
    return folder


def write_evaluation(folder: Path, **macro: float) -> None:
    """metrics/evaluate.json with these figures of an audit."""
    of_one = {"f1": 0.5, "average_precision": None}
    write_json(
        folder / "metrics" / "evaluate.json",
        {"audit": {"split": "audit: drawn", "macro": macro, "characters": {"ann": of_one}}},
    )


def write_measured(
    folder: Path, noise: float, n_frames: int = 60, changed: int = 0, measured_on: str = "audit"
) -> None:
    """data/measured/answers.csv of one film: answers always the same but for `changed` ones, scores as far from them as told."""
    random = np.random.default_rng(8)
    truth = (random.random((n_frames, 2)) < (0.5, 0.3)).astype(int)
    scores = np.clip(0.5 + 0.3 * (2 * truth - 1) + noise * random.normal(0, 1, truth.shape), 0, 1)
    truth[:changed] = 1 - truth[:changed]
    cells = [
        ("film", 10.0 * frame, name, measured_on, str(truth[frame, number]), scores[frame, number], 10.0, 10.0)
        for frame in range(n_frames)
        for number, name in enumerate(CAST)
    ]
    table = pandas.DataFrame(cells, columns=[column.name for column in MEASURED.columns])
    write_table(folder / "data" / "measured" / "answers.csv", table, MEASURED)


def begin(folder: Path, *words: str, **environment: str) -> subprocess.Popen:
    """Start to publish what lies in a folder, or another command of this project."""
    kept = {name: value for name, value in os.environ.items() if name not in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME")}
    return subprocess.Popen(
        [warm.commands(folder) / "python", "-m", *(words if words[:1] == ("screentime",) else ("stages.publish", *words))],
        cwd=folder, env=kept | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def publish(folder: Path, *words: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a publication, or of another command of this project."""
    process = begin(folder, *words, **environment)
    said, errors = process.communicate(timeout=120)
    return process.returncode, said, errors


def runs_in(folder: Path) -> tuple[mlflow.MlflowClient, list]:
    """Every run of the store in a folder, first made first."""
    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return client, client.search_runs(experiments, order_by=["attributes.start_time"])
