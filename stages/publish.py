"""Not a stage: make the MLflow run of a model from the outputs, where the store has none, and complete it."""

import argparse
import os
from pathlib import Path

from screentime import command
from screentime.params import load
from screentime.runs import record_of
from screentime.tracking import track

TEXT = """\
Put the run of the model in models/ into MLflow: parameters, every epoch, figures, plots, the report and the model with its
signature. DVC restores results without running anything, so after `dvc pull`, or when the store was lost, this makes the
run from the outputs. Run twice, there is still one run."""


def publish() -> None:
    """Read the outputs of the stages from the current folder and bring the run into the store."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.publish", description=TEXT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("models", "models"), ("metrics", "metrics"), ("plots", "plots"), ("reports", "reports")):
        parser.add_argument(f"--{name}", type=Path, default=Path(default), metavar="DIR", help="(default: %(default)s)")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), metavar="FILE", help="(default: %(default)s)"
    )
    arguments = vars(parser.parse_args())
    experiment = load(arguments.pop("params")).train.experiment
    record = record_of(**arguments, experiment=experiment, environment=os.environ)
    import mlflow  # late: the sentences above need no seconds of importing

    run = track(mlflow, record, arguments["models"], Path(__file__).with_name("serving.py"), os.environ)
    print(f"MLflow: run '{run.info.run_name}' in experiment '{experiment}'; `mlflow ui` in this folder shows it")


if __name__ == "__main__":
    command.guarded(publish)
