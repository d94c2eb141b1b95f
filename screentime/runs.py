"""What a run is: its key, its name, and what of it the experiment store keeps. Knows no store: its module is passed in.

A run is always made from the outputs of the stages, never from what happened to be in memory: so the run that training
makes and the one that `python -m stages.publish` makes after a pull are the same.
"""

import hashlib
import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from screentime.errors import InputError
from screentime.files import read_json
from screentime.tables import EPOCHS, read_table

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
        key: the run key.
        experiment: name of the experiment.
        name: readable name.
        params: name to text.
        tags: name to text.
        epochs: (step, metrics) of every epoch.
        metrics: final figures by name.
        artifacts: files and folders to keep, and the folder of the store they go to.
        characters: the cast.
    """

    key: str
    experiment: str
    name: str
    params: dict[str, str]
    tags: dict[str, str]
    epochs: list[tuple[int, dict[str, float]]]
    metrics: dict[str, float]
    artifacts: list[tuple[Path, str]]
    characters: tuple[str, ...]


def record_of(
    *, models: Path, metrics: Path, plots: Path, reports: Path | None, experiment: str, environment: Mapping[str, str]
) -> Record:
    """The run of a model's folder, with the figures and plots that are there by now.

    Raises:
        InputError: there is no trained model.
    """
    path = models / "model.json"
    if not path.is_file():
        raise InputError(f"{path}: no trained model was found; run `dvc repro`, or `dvc pull`")
    card = read_json(path)
    form = card["form"]
    key = card["run_key"]
    params = {f"train.{name}": str(value) for name, value in card["params"].items()}
    params |= {f"form.{name}": str(value) for name, value in form.items()} | {"cast": ", ".join(card["cast"])}
    figures = {}
    for name in ("train", "evaluate", "estimate"):
        if (metrics / f"{name}.json").is_file():
            figures |= dict(_flat(read_json(metrics / f"{name}.json"), name))
    files = [(path, "metrics") for path in sorted(metrics.glob("*.json"))]
    files += [(path, "plots") for path in sorted(plots.rglob("*.csv"))]
    pages = [reports / name for name in ("screen_time.csv", "index.html")] if reports else []
    files += [(path, "reports") for path in pages if path.is_file()]
    name = environment.get("DVC_EXP_NAME") or f"{form['backbone']}-{form['width']}x{form['height']}-{key[:7]}"
    return Record(
        key=key,
        experiment=experiment,
        name=name,
        params=params | {f"data.{name}": str(value) for name, value in card["data"].items()},
        tags={"run_key": key, "git_commit": _git_commit()},
        epochs=_epochs(plots / "epochs.csv"),
        metrics=figures,
        artifacts=files,
        characters=tuple(card["cast"]),
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
    names = ("loss", "validation_loss", "final_loss")
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
