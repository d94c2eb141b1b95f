"""Runs in an MLflow store. The module mlflow is passed in: the library itself does not import it."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from filelock import FileLock

from screentime.errors import InputError
from screentime.runs import SERVING_NEEDS, Record, project_root, versions

CODE = Path(__file__).parent
ROWS_A_CALL = 1000
PARAMS_A_CALL = 100


def store_uri(environment: Mapping[str, str], folder: Path) -> str:
    """Where runs are kept: MLFLOW_TRACKING_URI, else mlflow.db in the project's own folder."""
    return environment.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(project_root(folder) / 'mlflow.db').as_posix()}"


def track(mlflow: ModuleType, record: Record, models: Path, serving: Path, environment: Mapping[str, str]) -> object:
    """Bring a run into the store, or up to date there: one run for each run key.

    Args:
        mlflow: the module.
        record: what to keep.
        models: the model's folder.
        serving: the file that MLflow runs to load the model.
        environment: os.environ, unless a test says otherwise.

    Returns:
        The run, finished.

    Raises:
        InputError: the store cannot be reached or is of another version.
    """
    folder = Path.cwd()
    uri = store_uri(environment, folder)
    with _reached(mlflow, uri), _alone(uri):
        mlflow.set_tracking_uri(uri)
        client = mlflow.MlflowClient()
        experiment_id = _experiment(client, record.experiment, uri, project_root(folder))
        run = _finished_run(client, experiment_id, record.key)
        if run is None:
            run = _new_run(mlflow, client, experiment_id, record, models, serving)
        _complete(client, run, record, mlflow.entities)
        return client.get_run(run.info.run_id)


@contextmanager
def _reached(mlflow: ModuleType, uri: str) -> Iterator[None]:
    """Turn a store's failures into a sentence; a server that is away is given up after seconds, not minutes."""
    quick = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "8"}
    quiet = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    before = {name: os.environ.get(name) for name in quick | quiet}
    os.environ.update({name: value for name, value in (quick | quiet).items() if before[name] is None})
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="mlflow")
            yield
    except (mlflow.exceptions.MlflowException, OSError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise InputError(
            f"MLflow: the store {uri} cannot be used ({reason}), a running store of this version was expected; start it, "
            "correct MLFLOW_TRACKING_URI, or unset it to keep runs in mlflow.db"
        ) from None
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


@contextmanager
def _alone(uri: str) -> Iterator[None]:
    """One process at a time makes or fills a database in a file."""
    if not uri.startswith("sqlite:///"):
        yield
        return
    with FileLock(f"{uri.removeprefix('sqlite:///')}.lock"):
        yield


def _experiment(client: object, name: str, uri: str, root: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    artifacts = (root / "mlruns").as_uri() if uri.startswith("sqlite:") else None
    return client.create_experiment(name, artifact_location=artifacts)


def _finished_run(client: object, experiment_id: str, key: str) -> object | None:
    """The run with a key; half-made ones are removed."""
    whole = None
    for run in client.search_runs([experiment_id], f"tags.run_key = '{key}'"):
        if run.info.status == "FINISHED" and whole is None:
            whole = run
        else:
            client.delete_run(run.info.run_id)
    return whole


def _new_run(
    mlflow: ModuleType, client: object, experiment_id: str, record: Record, models: Path, serving: Path
) -> object:
    """Make a run: parameters, every epoch, the model with its signature."""
    entities = mlflow.entities
    run = client.create_run(experiment_id, tags=record.tags, run_name=record.name)
    run_id = run.info.run_id
    params = [entities.Param(name, value[:6000]) for name, value in record.params.items()]
    for start in range(0, len(params), PARAMS_A_CALL):
        client.log_batch(run_id, params=params[start : start + PARAMS_A_CALL])
    rows = [entities.Metric(name, value, 0, step) for step, figures in record.epochs for name, value in figures.items()]
    for start in range(0, len(rows), ROWS_A_CALL):
        client.log_batch(run_id, metrics=rows[start : start + ROWS_A_CALL])
    with mlflow.start_run(run_id=run_id):
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(serving),
            artifacts={"models": str(models)},
            code_paths=[str(CODE)],
            signature=_signature(mlflow, record.characters),
            pip_requirements=[f"{name}=={version}" for name, version in versions(SERVING_NEEDS).items()],
        )
    return run


def _signature(mlflow: ModuleType, characters: tuple[str, ...]) -> object:
    """uint8 RGB pictures in, a table of scores out."""
    import numpy as np

    schema = mlflow.types.schema
    pictures = schema.Schema([schema.TensorSpec(np.dtype(np.uint8), (-1, -1, -1, 3))])
    scores = schema.Schema([schema.ColSpec(schema.DataType.double, name) for name in characters])
    return mlflow.models.ModelSignature(inputs=pictures, outputs=scores)


def _complete(client: object, run: object, record: Record, entities: ModuleType) -> None:
    """Figures and files, those of later stages too; then the run is finished."""
    run_id = run.info.run_id
    known = client.get_run(run_id).data.metrics
    rows = [entities.Metric(name, value, 0, 0) for name, value in record.metrics.items() if known.get(name) != value]
    for start in range(0, len(rows), ROWS_A_CALL):
        client.log_batch(run_id, metrics=rows[start : start + ROWS_A_CALL])
    for path, place in record.artifacts:
        client.log_artifact(run_id, str(path), place)
    client.set_terminated(run_id, "FINISHED")
