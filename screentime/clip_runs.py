"""A run of the clip pipeline in an MLflow store: one for each training and its parameters. The module is passed in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from screentime.files import read_json
from screentime.runs import run_key
from screentime.table_files import read_table
from screentime.tables import CLIP_EPOCHS
from screentime.tracking import filled


@dataclass(frozen=True)
class ClipRecord:
    """One run, ready for a store.

    Attributes:
        name: of the DVC experiment, else one that tells head and training.
        experiment: name of the MLflow experiment.
        outcome: the hash of training and parameters: one run of the store is one outcome.
        tags, params: name to text.
        epochs: (epoch, metrics) of every head, by `seed_0/loss` and the like.
        metrics: final figures by name.
        artifacts: files to keep, and the folder of the store they go to.
    """

    name: str
    experiment: str
    outcome: str
    tags: dict[str, str]
    params: dict[str, str]
    epochs: list[tuple[int, dict[str, float]]]
    metrics: dict[str, float]
    artifacts: list[tuple[Path, str]]


def clip_record(
    *,
    models: Path,
    reports: Path,
    metrics: Path,
    plots: Path,
    settings: Mapping[str, Mapping],
    environment: Mapping[str, str],
) -> ClipRecord:
    """The run of what lies in the outputs of the clip pipeline.

    Args:
        models, reports, metrics, plots: its folders.
        settings: the sections of clips/params.yaml that decide figures, by name.
        environment: os.environ, unless a test says otherwise.
    """
    facts = read_json(models / "model.json")
    texts = {
        f"{section}.{name}": str(value)
        for section, held in settings.items()
        for name, value in held.items()
        if name != "workers"  # it decides no figure
    }
    texts |= {f"data.{name}": str(value) for name, value in facts["data"].items()} | {
        "classes": ", ".join(facts["classes"])
    }
    table = read_table(plots / "epochs.csv", CLIP_EPOCHS)
    figures = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    epochs = [
        (row["epoch"], {f"seed_{row['seed']}/{name}": row[name] for name in figures if math.isfinite(row[name])})
        for row in table.to_dict("records")
    ]
    found = read_json(metrics / "clips.json")
    measured = {}
    if found["n_test"]:
        measured = {f"accuracy_{name}": value for name, value in found["accuracy"].items() if isinstance(value, float)}
        measured |= {f"{name}_macro": found[name]["macro"] for name in ("precision", "recall") if found[name]["macro"]}
    name = environment.get("DVC_EXP_NAME")
    return ClipRecord(
        name=name or f"{facts['params']['clip_train']['head']}-{facts['run_key'][:7]}",
        experiment=settings["clip_train"]["experiment"],
        outcome=run_key({"run_key": facts["run_key"], "params": texts}),
        tags={"run_key": facts["run_key"]},
        params=texts,
        epochs=epochs,
        metrics=measured | {"n_test": float(found["n_test"])},
        artifacts=[(path, "metrics") for path in sorted(metrics.glob("*.json"))]
        + [(path, "plots") for path in sorted(plots.glob("*.csv"))]
        + [(reports / "clips.csv", "reports"), (models / "model.json", "models")],
    )


def keep(mlflow: ModuleType, client: object, record: ClipRecord, root: Path) -> object:
    """Bring a run into an open store unless it is there; a half-made one is removed first.

    Args:
        mlflow: the module.
        client: of an open store.
        record: what to keep.
        root: the project's top folder: files go to its mlruns/ where the store is a database of its own.

    Returns:
        The run, finished.
    """
    found = client.get_experiment_by_name(record.experiment)
    if found is None:
        in_a_file = mlflow.get_tracking_uri().startswith("sqlite:")
        place = (root / "mlruns").resolve().as_uri() if in_a_file else None
        experiment_id = client.create_experiment(record.experiment, artifact_location=place)
    else:
        experiment_id = found.experiment_id
    for run in client.search_runs([experiment_id], f"tags.outcome = '{record.outcome}'"):
        if run.info.status == "FINISHED":
            return run
        client.delete_run(run.info.run_id)
    run = client.create_run(experiment_id, tags=record.tags | {"outcome": record.outcome}, run_name=record.name)
    with filled(client, run):
        _fill(mlflow.entities, client, run, record)
    return client.get_run(run.info.run_id)


def _fill(entities: ModuleType, client: object, run: object, record: ClipRecord) -> None:
    """Every epoch, figures, parameters and files."""
    run_id, now = run.info.run_id, run.info.start_time
    rows = [entities.Metric(name, value, now, step) for step, one in record.epochs for name, value in one.items()]
    rows += [entities.Metric(name, value, now, 0) for name, value in record.metrics.items()]
    for start in range(0, len(rows), 1000):
        client.log_batch(run_id, metrics=rows[start : start + 1000])
    params = [entities.Param(name, value[:6000]) for name, value in record.params.items()]
    for start in range(0, len(params), 100):
        client.log_batch(run_id, params=params[start : start + 100])
    for path, place in record.artifacts:
        client.log_artifact(run_id, str(path), place)
