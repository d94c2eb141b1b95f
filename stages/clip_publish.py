"""Stage clip_publish: the results to where others look: reports/ of the project, and a run in MLflow."""

import os
import shutil
import sys
from pathlib import Path

from screentime import command
from screentime.clip_params import ClipParams, load
from screentime.clip_runs import clip_record, keep
from screentime.runs import project_root
from screentime.tracking import StoreError, open_store


def clip_publish(*, models: Path, reports: Path, metrics: Path, plots: Path, shown: Path, params: ClipParams) -> None:
    """Copy clips.csv, the GIFs and their page into reports/, and bring the run into MLflow.

    DVC restores results without running anything, and the film pipeline empties reports/ before it writes there: so this
    stage always runs. There is one run for each training, parameters and figures, however often.
    """
    shutil.rmtree(shown / "clips", ignore_errors=True)
    shutil.copytree(reports, shown, dirs_exist_ok=True)
    print(
        f"{shown}: clips.csv and clips/ are there; next: look at {shown / 'clips' / 'index.html'}, or judge a clip of yours "
        "with `python -m screentime clips predict FILE`"
    )
    settings = {
        "clips": params.clips.model_dump(),
        "clip_sample": params.clip_sample.model_dump(),
        "clip_embed": params.clip_embed.model_dump(),
        "clip_train": params.clip_train.model_dump(),
    }
    record = clip_record(
        models=models, reports=reports, metrics=metrics, plots=plots, settings=settings, environment=os.environ
    )
    import mlflow  # late: it takes seconds

    root = project_root(Path.cwd())
    root = root.parent if root.name == "clips" else root  # an experiment's copy lies in clips/.dvc/tmp/exps
    try:
        with open_store(mlflow, os.environ, root) as client:
            run = keep(mlflow, client, record, root)
    except StoreError as error:
        print(f"{error}; all results are kept, `dvc --cd clips repro` adds the run later", file=sys.stderr)
    else:
        print(f"MLflow: run '{run.info.run_name}' in experiment '{params.clip_train.experiment}'; `mlflow ui` shows it")


if __name__ == "__main__":
    command.run(clip_publish, load, "clips/params.yaml")
