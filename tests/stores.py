"""An empty MLflow store: made once for a run of the tests, where MLflow needs seconds for each, and copied."""

import re
import shutil
from pathlib import Path

from filelock import FileLock

NAME = "mlflow.db"  # where the commands of a project look for theirs


def empty_store(folder: Path) -> None:
    """Give a folder the store that MLflow would make there."""
    run = next((one for one in folder.absolute().parents if re.fullmatch(r"pytest-\d+", one.name)), None)
    if run is None:
        return
    empty = run / NAME
    with FileLock(run / f"{NAME}.lock"):
        if not empty.is_file():
            import mlflow

            partial = run / f"partial-{NAME}"
            mlflow.MlflowClient(f"sqlite:///{partial}").search_experiments(max_results=1)
            partial.rename(empty)
    shutil.copy(empty, folder / NAME)
