"""A model of other films comes into the project as files: training begins where it ended."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import yaml

from screentime import registry
from screentime.errors import InputError
from screentime.files import new_folder, sha256_of, write_json
from screentime.project.declarations import Declarations
from screentime.project.tools import dvc
from screentime.scorer import FACTS, model_facts

BASE, ORIGIN = "models/base", "origin.json"


def pull(mlflow: ModuleType, client: object, folder: Path, name: str, asked: str) -> dict:
    """Fetch a version of a registered model into models/base, pin it with DVC, and let fine-tuning begin with it.

    Args:
        mlflow, client: of an open store.
        folder: the project's top folder.
        name: the registered model.
        asked: a version's number or alias.

    Returns:
        What origin.json says: name, version, run_id, run_key, cast, and the sha256 of model.json, which has those of all files.

    Raises:
        InputError: there is no such version, its files are not those that model.json names, or the project's own files
            cannot be changed.
    """
    declarations = Declarations(folder)
    version = registry.version_of(client, name, asked)
    with TemporaryDirectory() as place:
        found = _fetched(mlflow, version, Path(place))
        facts = model_facts(found)
        outside = [file for file in facts["files"] if Path(file).name != file]
        if outside:
            raise InputError(
                f"{name}@{asked}: {FACTS} names '{outside[0]}', files beside it were expected; do not use this model"
            )
        origin = {
            "name": name, "version": str(version.version), "run_id": version.run_id, "run_key": facts["run_key"],
            "cast": facts["cast"], f"sha256_{FACTS}": sha256_of(found / FACTS),
        }  # fmt: skip
        with new_folder(folder / BASE) as base:
            for file in (FACTS, *facts["files"]):
                shutil.copy(found / file, base / file)
            write_json(base / ORIGIN, origin)
    dvc(folder, "add", "--quiet", BASE)
    declarations.begin_with(BASE)
    declarations.write()
    return origin


def _fetched(mlflow: ModuleType, version: object, folder: Path) -> Path:
    """Download the files of a version: what the stage train wrote.

    Args:
        mlflow: with an open store.
        version: as `registry.version_of` returns it.
        folder: an empty folder for all that is downloaded.

    Returns:
        The folder in it that holds model.json.

    Raises:
        InputError: the version is no model of a training.
    """
    model = Path(mlflow.artifacts.download_artifacts(f"models:/{version.name}/{version.version}", dst_path=str(folder)))
    card = model / "MLmodel"
    facts = yaml.safe_load(card.read_text(encoding="utf-8")) if card.is_file() else {}
    held = facts.get("flavors", {}).get("python_function", {}).get("artifacts", {}).get("models", {}).get("path", "")
    if not (model / held / FACTS).is_file():
        raise InputError(
            f"{version.name}@{version.version}: no {FACTS} was found in it, a model of the stage train was expected; name a version "
            "that `python -m stages.publish --register` made"
        )
    return model / held
