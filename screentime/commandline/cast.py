"""`cast`: who shall be found."""

import argparse
from pathlib import Path

from screentime.commandline.parser import add_command, add_family
from screentime.label_lock import label_lock
from screentime.project.cast import add_characters, rename_character

ADD_HELP = """\
Name characters at the end of the cast in params.yaml. Frames that are labelled already say nothing of a new character: it
is unknown there, not absent, until somebody says so."""

RENAME_HELP = """\
Call a character otherwise, in params.yaml and in every label file; nothing else in them changes. Interrupted, run it
again."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `cast add` and `cast rename`."""
    family = add_family(commands, "cast", "name and rename the characters")
    one = add_command(family, "add", "name characters", ADD_HELP, _add, "  python -m screentime cast add tom jerry")
    one.add_argument("names", nargs="+", metavar="NAME", help="a character")
    one = add_command(
        family, "rename", "call a character otherwise", RENAME_HELP, _rename,
        "  python -m screentime cast rename cat tom",
    )  # fmt: skip
    one.add_argument("old", metavar="OLD", help="its name now")
    one.add_argument("new", metavar="NEW", help="its new name")


def _add(arguments: argparse.Namespace) -> None:
    cast = add_characters(Path.cwd(), arguments.names)
    print(f"params.yaml: cast: {', '.join(cast)}; next: python -m screentime status")


def _rename(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`cast rename`"):
        changed = rename_character(Path.cwd(), arguments.old, arguments.new)
    rows = ", ".join(f"{path} ({count} rows)" for path, count in changed.items()) or "no label file named it"
    print(f"'{arguments.old}' is '{arguments.new}' now in params.yaml and {rows}; next: dvc repro (it trains again)")
