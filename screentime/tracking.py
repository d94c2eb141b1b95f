"""Runs in an MLflow store. The module mlflow is passed in: the library itself does not import it."""

import logging
import os
import re
import sqlite3
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from filelock import FileLock

from screentime.errors import InputError
from screentime.runs import SERVING_NEEDS, Record, project_root, versions

CODE = Path(__file__).parent
SQLITE = "sqlite:///"
ROWS_A_CALL = 1000
PARAMS_A_CALL = 100
STORE_LIBRARIES = {"mlflow", "sqlalchemy", "alembic", "requests", "urllib3"}  # what they raise is the store's failure
AWAY_AFTER = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}  # seconds; is anyone there?
PATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}  # seconds


def store_uri(environment: Mapping[str, str], folder: Path) -> str:
    """Where runs are kept: MLFLOW_TRACKING_URI, else mlflow.db in the project's own folder."""
    return environment.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{(project_root(folder) / 'mlflow.db').as_posix()}"


class StoreError(InputError):
    """The MLflow store cannot be used; everything that was to be kept there still lies in the project."""


def track(mlflow: ModuleType, client: object, record: Record, models: Path, serving: Path) -> object:
    """Bring a run into the store, or up to date there: one run for each outcome.

    A training that is not measured yet (no outcome) makes a run unless its model has one. The first outcome of a model
    takes that run; another outcome of the same model gets a run of its own, which points at the same logged model. The
    run is named by the DVC experiment that first had the outcome; where another had it too, by both.

    Args:
        mlflow: the module.
        client: of an open store.
        record: what to keep.
        models: the model's folder.
        serving: the file that MLflow runs to load the model.

    Returns:
        The run, finished.
    """
    experiment_id = _experiment(mlflow, client, record.experiment)
    of_model = _finished_runs(client, experiment_id, record.key)
    run = _run_of(record, of_model)
    if run is None:
        run = client.create_run(experiment_id, tags=record.tags, run_name=record.name)
        with filled(client, run):
            _log_epochs(mlflow, client, run, record)
            _complete(client, run, record, mlflow.entities)
            # last: MLflow then takes the run to be finished
            _give_model(mlflow, client, run, of_model, record, models, serving)
    elif record.outcome:
        _complete(client, run, record, mlflow.entities)
    return client.get_run(run.info.run_id)


@contextmanager
def filled(client: object, run: object) -> Iterator[None]:
    """A new run while it is filled, then finished; Ctrl-C marks it as killed, whatever else ends the filling as failed."""
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        client.set_terminated(run.info.run_id, status)


@contextmanager
def open_store(mlflow: ModuleType, environment: Mapping[str, str], folder: Path) -> Iterator[object]:
    """A client of the project's store, for one process at a time; what fails in the store becomes a sentence.

    Raises:
        StoreError: the store cannot be reached, or is of another version.
    """
    uri = store_uri(environment, folder)
    with _quiet(), _told(uri):
        if uri.startswith("http"):
            with _variables(AWAY_AFTER):
                mlflow.MlflowClient(uri).search_experiments(max_results=1)
        with _alone(uri, folder), _variables(PATIENT):  # a client makes the database
            if uri.startswith(SQLITE):
                _check_version(mlflow, uri)
            mlflow.set_tracking_uri(uri)
            yield mlflow.MlflowClient()


def _check_version(mlflow: ModuleType, uri: str) -> None:
    """Refuse a database of another MLflow: one that is older MLflow would change for good, and without a word."""
    database = Path(uri.removeprefix(SQLITE))
    if not database.is_file():
        return
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return  # MLflow says what is wrong with it
    scripts = Path(mlflow.__file__).parent / "store" / "db_migrations" / "versions"
    expected = import_module(f"{mlflow.__name__}.store.db.utils")._get_latest_schema_revision()
    if found and found[0] != expected:
        older = any(scripts.glob(f"{found[0]}_*.py"))
        repair = (
            f"copy the file, then run `mlflow db upgrade {uri}`"
            if older
            else "install the MLflow that made it, or set MLFLOW_TRACKING_URI to another store"
        )
        raise StoreError(
            f"MLflow: the store {uri} was made by {'an older' if older else 'a newer'} MLflow (its schema is {found[0]}), "
            f"one of MLflow {mlflow.__version__} was expected ({expected}); {repair}"
        )


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Turn what the store's own libraries raise into a sentence."""
    try:
        yield
    except Exception as error:  # these libraries share no error of their own; what is not theirs is raised on
        if type(error).__module__.partition(".")[0] not in STORE_LIBRARIES and not isinstance(error, OSError):
            raise
        reason = " ".join(str(error).split()).rpartition("Caused by ")[2]
        reason = re.sub(r'^\w+\("HTTPS?Connection\w*\([^)]*\): (.*)"\)\)$', r"\1", reason)
        raise StoreError(
            f"MLflow: the store {uri} cannot be used ({reason[:200]}), a running store of this version was expected; "
            "start it, correct MLFLOW_TRACKING_URI, or unset it to keep runs in mlflow.db"
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow and its database say only what went wrong."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings(), _variables({"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}):
        warnings.filterwarnings("ignore", category=UserWarning, module="mlflow")
        yield


@contextmanager
def _variables(wanted: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for a while; what a person has set stands."""
    ours = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


@contextmanager
def _alone(uri: str, folder: Path) -> Iterator[None]:
    """One process of this project at a time makes or fills a store: two workers may end with the same model."""
    database = uri.removeprefix(SQLITE) if uri.startswith(SQLITE) else project_root(folder) / "mlflow.db"
    with FileLock(f"{database}.lock"):
        yield


def _experiment(mlflow: ModuleType, client: object, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    in_a_file = mlflow.get_tracking_uri().startswith("sqlite:")
    artifacts = (project_root(Path.cwd()) / "mlruns").as_uri() if in_a_file else None
    return client.create_experiment(name, artifact_location=artifacts)


def _finished_runs(client: object, experiment_id: str, key: str) -> list[object]:
    """The runs of a model, first made first; half-made ones are removed."""
    finished = []
    for run in client.search_runs([experiment_id], f"tags.run_key = '{key}'", order_by=["attributes.start_time"]):
        if run.info.status == "FINISHED":
            finished.append(run)
        else:
            client.delete_run(run.info.run_id)
    return finished


def _run_of(record: Record, of_model: Sequence[object]) -> object | None:
    """The run that a record belongs to, None where there is none yet."""
    by_outcome = {run.data.tags.get("outcome"): run for run in reversed(of_model)}
    if record.outcome is None:
        return of_model[0] if of_model else None
    return by_outcome.get(record.outcome) or by_outcome.get(None)


def _log_epochs(mlflow: ModuleType, client: object, run: object, record: Record) -> None:
    now = run.info.start_time
    rows = [
        mlflow.entities.Metric(name, value, now, step)
        for step, figures in record.epochs
        for name, value in figures.items()
    ]
    for start in range(0, len(rows), ROWS_A_CALL):
        client.log_batch(run.info.run_id, metrics=rows[start : start + ROWS_A_CALL])


def _give_model(
    mlflow: ModuleType,
    client: object,
    run: object,
    of_model: Sequence[object],
    record: Record,
    models: Path,
    serving: Path,
) -> None:
    """Log the model with its signature, or point at the one that another outcome of it logged."""
    logged = [model_id for other in of_model for model_id in logged_models(other)]
    if logged:
        client.log_outputs(run.info.run_id, [mlflow.entities.LoggedModelOutput(logged[0], step=0)])
        return
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(serving),
            artifacts={"models": str(models)},
            code_paths=[str(CODE)],
            signature=_signature(mlflow, record.characters),
            pip_requirements=[f"{name}=={version}" for name, version in versions(SERVING_NEEDS).items()],
        )


def logged_models(run: object) -> list[str]:
    """The ids of the models that a run points at."""
    return [model.model_id for model in run.outputs.model_outputs] if run.outputs else []


def _signature(mlflow: ModuleType, characters: tuple[str, ...]) -> object:
    """uint8 RGB pictures in, a table of scores out."""
    import numpy as np

    schema = mlflow.types.schema
    pictures = schema.Schema([schema.TensorSpec(np.dtype(np.uint8), (-1, -1, -1, 3))])
    scores = schema.Schema([schema.ColSpec(schema.DataType.double, name) for name in characters])
    return mlflow.models.ModelSignature(inputs=pictures, outputs=scores)


def _complete(client: object, run: object, record: Record, entities: ModuleType) -> None:
    """Outcome, name, parameters, figures and files. The newest figures stand."""
    run_id, known = run.info.run_id, run.data
    tags = record.tags | ({"outcome": record.outcome} if record.outcome else {})
    measured = (
        "outcome" in known.tags
    )  # until then its name is of whoever trained, who may be measured later than another
    names = known.tags["dvc_experiments"].split(", ") if measured and "dvc_experiments" in known.tags else []
    if record.dvc_experiment and record.dvc_experiment not in names:
        names.append(record.dvc_experiment)
    if names:
        tags |= {"dvc_experiments": ", ".join(names)}
        client.update_run(run_id, name=", ".join(names))
    client.log_batch(run_id, tags=[entities.RunTag(name, value) for name, value in tags.items()])
    params = [entities.Param(name, value[:6000]) for name, value in record.params.items() if name not in known.params]
    for start in range(0, len(params), PARAMS_A_CALL):
        client.log_batch(run_id, params=params[start : start + PARAMS_A_CALL])
    now = time.time_ns() // 1_000_000
    figures = {name: value for name, value in record.metrics.items() if known.metrics.get(name) != value}
    rows = [entities.Metric(name, value, now, 0) for name, value in figures.items()]
    for start in range(0, len(rows), ROWS_A_CALL):
        client.log_batch(run_id, metrics=rows[start : start + ROWS_A_CALL])
    for path, place in record.artifacts:
        client.log_artifact(run_id, str(path), place)
