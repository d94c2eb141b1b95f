"""`disk`: what each folder holds, and what may be freed."""

import argparse

from screentime.commandline.parser import add_command, add_place
from screentime.project.disk import disk_table

DISK_HELP = """\
Show what each folder of the project holds on disk, what an hour of film costs there, and what `dvc gc` would free.
Nothing is removed. `dvc gc --workspace` then frees it: results of other commits, which `dvc pull` or `dvc repro` bring
back, and films of other commits, which only `dvc pull` does."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `disk`."""
    one = add_command(
        commands,
        "disk",
        "show what each folder holds, and what may be freed",
        DISK_HELP,
        _disk,
        "  python -m screentime disk",
    )
    add_place(one, "project", ".", "the project's top folder")


def _disk(arguments: argparse.Namespace) -> None:
    print(disk_table(arguments.project.resolve()))
