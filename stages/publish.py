"""Stage publish: the run with its figures, plots, report and model into MLflow, and on request into its model registry."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from screentime import command, registry
from screentime.errors import InputError
from screentime.params import Params, load
from screentime.runs import record_of
from screentime.saved_view import save_view
from screentime.tracking import StoreError, open_store, store_uri, track

TEXT = """\
Put the run of the model in models/trained/ into MLflow: parameters, every epoch, figures, plots, the report and the model with its
signature. It is the last stage of the pipeline. DVC restores results without running anything, so after `dvc pull`, or
when the store was away or lost, this command does the same from the outputs. Run twice, there is still one run.

With --register the model becomes a version of NAME in MLflow's model registry, with the alias `candidate`;
`python -m screentime model promote NAME` makes it the champion when the audit says that it is better."""
PLACES = {
    "models": "models/trained",
    "measured": "data/measured",
    "metrics": "metrics",
    "plots": "plots",
    "reports": "reports",
}


def publish(*, models: Path, measured: Path, metrics: Path, plots: Path, reports: Path, params: Params) -> object:
    """Bring the run of the model, with all that was measured of it, into the store.

    Returns:
        The run.

    Raises:
        StoreError: the store cannot be used.
        InputError: there is no trained model.
    """
    videos = (video.file + (f" ({video.split})" if video.split else "") for video in params.videos if not video.skip)
    settings = {
        "sample": params.sample.model_dump(),
        "evaluate": params.evaluate.model_dump(),
        "estimate": params.estimate.model_dump(),
        "videos": ", ".join(videos),
    }
    record = record_of(
        models=models, measured=measured, metrics=metrics, plots=plots, reports=reports, settings=settings,
        environment=os.environ,
    )  # fmt: skip
    import mlflow  # late: the sentences before need no seconds of importing

    with open_store(mlflow, os.environ, Path.cwd()) as client:
        run = track(mlflow, client, record, models, Path(__file__).with_name("serving.py"))
        page = save_view(client, run.info.experiment_id)
    uri = store_uri(os.environ, Path.cwd())
    place = uri.rstrip("/") if uri.startswith("http") else "`mlflow ui`, then http://127.0.0.1:5000"
    print(f"MLflow: run '{run.info.run_name}' in experiment '{record.experiment}'; compare: {place}{page}")
    return run


def register(run: object, name: str) -> None:
    """Make the model of a run the candidate among the versions of a registered model."""
    import mlflow

    with open_store(mlflow, os.environ, Path.cwd()) as client:
        version = registry.register(client, name, run)
        champion = registry.champion(client, name)
    if version == champion:
        print(f"{name}: version {version}, the champion, is this model already")
    else:
        print(f"{name}: version {version} is the candidate; next: python -m screentime model promote {name}")


def check_current(lock: Path, params: Path) -> None:
    """Refuse to publish results that are not those of params.yaml, or not all of one model.

    Args:
        lock: dvc.lock, what the stages last read and wrote; nothing is known where there is none.
        params: params.yaml.

    Raises:
        InputError: a parameter has changed since, or the figures are those of an earlier model.
    """
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"] if lock.is_file() else {}
    now = yaml.safe_load(params.read_text(encoding="utf-8"))
    for stage in ("sample", "preprocess", "train", "evaluate", "estimate"):
        for section, then in stages.get(stage, {}).get("params", {}).get("params.yaml", {}).items():
            if section in now and now[section] != then:
                name, was, is_now = _first_difference(section, then, now[section])
                raise InputError(
                    f"{params}: {name} is {is_now}, the results were made with {was}; run `dvc repro`, which also publishes"
                )
    trained = _hash_of("models/trained", stages.get("train", {}).get("outs", ()))
    for stage in ("evaluate", "estimate"):
        if stage in stages and trained != _hash_of("models/trained", stages[stage]["deps"]):
            raise InputError(
                f"metrics/{stage}.json: the figures are those of another model, those of the model in models/trained/ were "
                "expected; run `dvc repro`, which also publishes"
            )


def _first_difference(section: str, then: object, now: object) -> tuple[str, object, object]:
    """The name and both values of the first parameter of a section that differs."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in {**then, **now}:
            if then.get(name) != now.get(name):
                return f"{section}.{name}", then.get(name), now.get(name)
    return section, then, now


def _hash_of(path: str, entries: list[dict]) -> str | None:
    return next((entry.get("md5") for entry in entries if entry["path"] == path), None)


def by_hand() -> None:
    """The command: as DVC runs it, with every path told, or as a person does, with none."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.publish", description=TEXT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in PLACES.items():
        parser.add_argument(f"--{name}", type=Path, default=Path(default), metavar="DIR", help="(default: %(default)s)")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), metavar="FILE", help="(default: %(default)s)"
    )
    parser.add_argument("--register", metavar="NAME", help="also make it a version of this registered model")
    arguments = vars(parser.parse_args())
    name, file = arguments.pop("register"), arguments.pop("params")
    as_stage = "DVC_STAGE" in os.environ
    if name:
        registry.check_name(name)
    if not as_stage:
        check_current(Path("dvc.lock"), file)
    try:
        run = publish(**arguments, params=load(file))
    except StoreError as error:
        if not as_stage:
            raise
        print(f"{error}; all results are kept, `python -m stages.publish` adds the run later", file=sys.stderr)
    else:
        if name:
            register(run, name)


if __name__ == "__main__":
    command.guarded(by_hand)
