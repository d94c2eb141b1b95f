"""`status`: where the project stands."""

import argparse
from pathlib import Path

from screentime.commandline.parser import add_command
from screentime.project.status import status

HELP = """\
Say where the project in this folder stands: films, labels of each character, audits, the model and how good it is, what
`dvc repro` would run and why, what a changed parameter means for labels and audits, and the next step. Changes nothing."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `status`."""
    add_command(commands, "status", "where the project stands", HELP, lambda _: print(status(Path.cwd())))
