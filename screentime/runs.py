"""What a run is: its key, its name, and what of it the experiment store keeps. Knows no store: its module is passed in.

A run is always made from the outputs of the stages, never from what happened to be in memory: so the run that the
pipeline makes and the one that `python -m stages.publish` makes after a pull are the same.
"""

import hashlib
import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from screentime.errors import InputError
from screentime.files import read_json
from screentime.table_files import read_table
from screentime.tables import EPOCHS

# what a model's folder is served with, besides this project's own code
SERVING_NEEDS = ("ai-edge-litert", "numpy", "opencv-python-headless", "pandas", "scipy")


def run_key(inputs: Mapping[str, object]) -> str:
    """The hash of everything that decides a training: hashes of its inputs, parameters, code, versions.

    >>> run_key({"a": 1, "b": 2}) == run_key({"b": 2, "a": 1}) != run_key({"a": 2, "b": 2})
    True
    """
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    """One run, ready for a store.

    Attributes:
        key: the run key: which training made the model.
        outcome: the hash of the run key and every parameter: one run of the store is one outcome. None while only the
            training is done: the first outcome of its model then takes that run.
        experiment: name of the MLflow experiment.
        name: readable name.
        dvc_experiment: name of the DVC experiment, None outside of one.
        params: name to text, named as in params.yaml.
        tags: name to text.
        epochs: (step, metrics) of every epoch.
        metrics: final figures by name.
        artifacts: files to keep, and the folder of the store they go to.
        characters: the cast.
    """

    key: str
    outcome: str | None
    experiment: str
    name: str
    dvc_experiment: str | None
    params: dict[str, str]
    tags: dict[str, str]
    epochs: list[tuple[int, dict[str, float]]]
    metrics: dict[str, float]
    artifacts: list[tuple[Path, str]]
    characters: tuple[str, ...]


def training_record(*, models: Path, metrics: Path, plots: Path, environment: Mapping[str, str]) -> Record:
    """The run of a model that is trained and not yet measured: figures that lie beside it are those of another model.

    Args:
        models: the model's folder.
        metrics: metrics/train.json.
        plots: plots/epochs.csv.
        environment: os.environ, unless a test says otherwise.

    Raises:
        InputError: there is no trained model.
    """
    card_file = models / "model.json"
    for path in (card_file, metrics):
        if not path.is_file():
            raise InputError(f"{path}: no trained model was found; run `dvc repro`, or `dvc pull`")
    card = read_json(card_file)
    form, settings, key = card["form"], card["params"], card["run_key"]
    params = dict(_texts({"train": settings}))
    params |= {f"preprocess.{name}": value for name, value in form.items()}
    params["train.chosen"] = card["method"]
    params |= {f"data.{name}": value for name, value in card["data"].items()}
    name = environment.get("DVC_EXP_NAME")
    return Record(
        key=key,
        outcome=None,
        experiment=settings["experiment"],
        name=name or f"{form['backbone']}-{form['width']}x{form['height']}-{key[:7]}",
        dvc_experiment=name,
        params={name: str(value) for name, value in params.items()} | {"cast": ", ".join(card["cast"])},
        tags={"run_key": key, "git_commit": _git_commit()},
        epochs=_epochs(plots),
        metrics=dict(_flat(read_json(metrics), "train")),
        artifacts=[(metrics, "metrics"), (plots, "plots")],
        characters=tuple(card["cast"]),
    )


def record_of(
    *,
    models: Path,
    measured: Path,
    metrics: Path,
    plots: Path,
    reports: Path,
    settings: Mapping[str, object],
    environment: Mapping[str, str],
) -> Record:
    """The run of a model that is measured: with the figures, the frames that measured it, the plots and the report.

    Two outcomes are two runs: the same model with another estimate.threshold is one to compare with. The same model and
    parameters measured again, by a larger audit say, are the same run with newer figures.

    Args:
        models, measured, metrics, plots, reports: the folders of the stages.
        settings: the sections of params.yaml that decide figures and that the model does not carry, by name.
        environment: os.environ, unless a test says otherwise.

    Raises:
        InputError: there is no trained model.
    """
    trained = training_record(
        models=models, metrics=metrics / "train.json", plots=plots / "epochs.csv", environment=environment
    )
    params = trained.params | dict(_texts(settings))
    files = [(path, "metrics") for path in sorted(metrics.glob("*.json"))]
    files += [(path, "plots") for path in sorted(plots.rglob("*.csv"))]
    later = [(measured / "answers.csv", "measured")]
    later += [(reports / name, "reports") for name in ("screen_time.csv", "index.html")]
    files += [(path, place) for path, place in later if path.is_file()]
    return replace(
        trained,
        outcome=run_key({"run_key": trained.key, "params": params}),
        params=params,
        metrics=trained.metrics | _measured(metrics / "evaluate.json") | _estimated(metrics / "estimate.json"),
        artifacts=files,
    )


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """The installed version of each package."""
    return {name: version(name) for name in distributions}


def project_root(folder: Path) -> Path:
    """The folder of the project itself: `dvc exp run --temp` and `--queue` work in a copy below .dvc/tmp/exps.

    >>> project_root(Path("/films/.dvc/tmp/exps/tmp1x/")).as_posix()
    '/films'
    """
    parts = folder.parts
    for place in range(len(parts) - 2):
        if parts[place : place + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:place])
    return folder


def _measured(path: Path) -> dict[str, float]:
    """The figures of metrics/evaluate.json by short names: `audit/f1` over all characters, `audit/bunny/f1` of one."""
    figures = {}
    for group, held in (read_json(path) if path.is_file() else {}).items():
        if isinstance(held, dict):
            figures |= dict(_flat(held["macro"], group)) | dict(_flat(held["characters"], group))
    return figures


def _estimated(path: Path) -> dict[str, float]:
    """The totals of metrics/estimate.json: `seconds/bunny`, `interval_width/bunny`, the mean `interval_width`."""
    names = {"seconds": "seconds", "low": "interval_low", "high": "interval_high", "width": "interval_width"}
    totals = read_json(path)["total"] if path.is_file() else {}
    figures = {}
    for figure, name in names.items():
        figures |= dict(_flat({character: one[figure] for character, one in totals.items()}, name))
    widths = [one["width"] for one in totals.values()]
    if widths and None not in widths:
        figures["interval_width"] = round(sum(widths) / len(widths), 6)
    return figures


def _texts(settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Parameters as `section.key` and text. How many processes share the work decides no figure."""
    for section, held in settings.items():
        if isinstance(held, Mapping):
            yield from _texts({f"{section}.{name}": value for name, value in held.items() if name != "workers"})
        else:
            yield section, str(held)


def _flat(value: object, name: str) -> Iterator[tuple[str, float]]:
    """The numbers in nested mappings, by a name that a store accepts."""
    if isinstance(value, dict):
        for key, item in value.items():
            allowed = re.sub(r"[^/\w.\- :]", "_", str(key))
            yield from _flat(item, f"{name}/{allowed}")
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield name, float(value)


def _epochs(path: Path) -> list[tuple[int, dict[str, float]]]:
    table = read_table(path, EPOCHS)
    names = [column.name for column in EPOCHS.columns if column.name != "epoch"]
    return [
        (int(row.epoch), {name: getattr(row, name) for name in names if math.isfinite(getattr(row, name))})
        for row in table.itertuples()
    ]


def _git_commit() -> str:
    """The commit that is checked out; "none" outside Git or without it."""
    if shutil.which("git") is None:
        return "none"
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "none"
