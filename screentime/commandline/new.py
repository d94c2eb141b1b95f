"""`new`: a clone of the program becomes an empty project."""

import argparse
from pathlib import Path

from screentime.commandline.parser import add_command
from screentime.label_lock import label_lock
from screentime.project.begin import empty_project

HELP = """\
Turn this clone into an empty project of your own: the demo film, its labels, cast, results and figures go, the program and
its parameters stay. Everything that goes is in Git (`git checkout` brings it back); the demo's runs stay in mlflow.db."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `new`."""
    one = add_command(
        commands, "new", "turn this clone into an empty project", HELP, _new, "  python -m screentime new my_series"
    )
    one.add_argument(
        "name", nargs="?", default=Path.cwd().name, metavar="NAME",
        help="what MLflow calls the experiment (default: this folder's name)",
    )  # fmt: skip


def _new(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`new`"):
        empty_project(Path.cwd(), arguments.name)
    print(
        f"an empty project, '{arguments.name}'; next:\n"
        "  python -m screentime video add PATH...   # films, folders, playlists or addresses\n"
        "  python -m screentime cast add NAME...    # who shall be found\n"
        "  git remote set-url origin URL            # an empty repository of yours; origin is still the program's\n"
        "  python -m screentime status              # where the project stands, at any time"
    )
