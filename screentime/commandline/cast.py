"""`cast`: who shall be found."""

import argparse
from pathlib import Path

from screentime.commandline.parser import add_command, add_family
from screentime.files import number, write_text
from screentime.label_lock import label_lock
from screentime.project.cast import add_characters, remove_character, rename_character, split_character
from screentime.wording import count_text, stretch_text

ADD_HELP = """\
Name characters at the end of the cast in params.yaml. Frames that are labelled already say nothing of a new character: it
is unknown there, not absent, until somebody says so."""

RENAME_HELP = """\
Call a character otherwise, in params.yaml and in every label file; nothing else in them changes. Interrupted, run it
again."""


SPLIT_HELP = """\
Two characters in place of one, in params.yaml and in every label file. Where OLD was labelled not visible, both are. Where it
was visible, or could not be told, nobody has said which of the two it was: both are unknown there until somebody looks
again. The times of these frames are printed, and written with --csv. Label files must be committed, so that nothing is
lost; the films must be sampled."""

REMOVE_HELP = """\
Take a character out of params.yaml and out of every label file. The label files must be committed: Git keeps what was said of
it (`git checkout COMMIT -- params.yaml data/labels` brings it back)."""

LINES = 12  # stretches shown for each film before the rest is only counted


def add(commands: argparse._SubParsersAction) -> None:
    """Add `cast add`, `rename`, `split` and `remove`."""
    family = add_family(commands, "cast", "name, rename, split and remove characters")
    one = add_command(family, "add", "name characters", ADD_HELP, _add, "  python -m screentime cast add tom jerry")
    one.add_argument("names", nargs="+", metavar="NAME", help="a character")
    one = add_command(
        family, "rename", "call a character otherwise", RENAME_HELP, _rename,
        "  python -m screentime cast rename cat tom",
    )  # fmt: skip
    one.add_argument("old", metavar="OLD", help="its name now")
    one.add_argument("new", metavar="NEW", help="its new name")
    one = add_command(
        family, "split", "two characters in place of one", SPLIT_HELP, _split,
        "  python -m screentime cast split bird robin sparrow --csv again.csv",
    )  # fmt: skip
    one.add_argument("old", metavar="OLD", help="its name now")
    one.add_argument("new", nargs=2, metavar="NEW", help="the two that take its place")
    one.add_argument("--csv", type=Path, metavar="FILE", help="write the stretches to go through there")
    one = add_command(
        family, "remove", "take a character out", REMOVE_HELP, _remove, "  python -m screentime cast remove bird"
    )
    one.add_argument("name", metavar="NAME", help="the character")


def _add(arguments: argparse.Namespace) -> None:
    cast = add_characters(Path.cwd(), arguments.names)
    print(f"params.yaml: cast: {', '.join(cast)}; next: python -m screentime status")


def _rename(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`cast rename`"):
        changed = rename_character(Path.cwd(), arguments.old, arguments.new)
    rows = ", ".join(f"{path} ({count} rows)" for path, count in changed.items()) or "no label file named it"
    print(f"'{arguments.old}' is '{arguments.new}' now in params.yaml and {rows}; next: dvc repro (it trains again)")


def _split(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`cast split`"):
        changed, reopened = split_character(Path.cwd(), arguments.old, arguments.new)
    names = " and ".join(f"'{name}'" for name in arguments.new)
    rows = ", ".join(f"{path} ({count} rows)" for path, count in changed.items()) or "no label file named it"
    print(f"'{arguments.old}' is {names} now in params.yaml and {rows}: where it was not visible, neither is")
    for one in reopened:
        blind = f", {one.n_blind} of them drawn for an audit: answer these blind again" if one.n_blind else ""
        print(f"{one.path}: {count_text(one.n_frames, 'frame', 'frames')} to go through for both{blind}")
        shown = ", ".join(stretch_text(*stretch) for stretch in one.stretches[:LINES])
        print(f"  {shown}{f' and {len(one.stretches) - LINES} more' if len(one.stretches) > LINES else ''}")
    if arguments.csv:
        lines = [
            f"{one.path},{number(start_s)},{number(end_s)}" for one in reopened for start_s, end_s in one.stretches
        ]
        write_text(arguments.csv, "".join(f"{line}\n" for line in ["labels,start_s,end_s", *lines]))
        print(f"{arguments.csv}: {count_text(len(lines), 'stretch', 'stretches')}")
    print("next: label these frames for both, then dvc repro")


def _remove(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`cast remove`"):
        changed = remove_character(Path.cwd(), arguments.name)
    rows = ", ".join(f"{path} ({count} rows)" for path, count in changed.items()) or "no label file named it"
    print(f"'{arguments.name}' is out of params.yaml and {rows}; Git has it still; next: dvc repro (it trains again)")
