"""`stills`: sets of pictures that belong to no film come into the project, and leave it."""

import argparse
from pathlib import Path

from screentime.commandline.parser import add_command, add_family
from screentime.project.declarations import STILLS
from screentime.project.stills import add_stills, remove_stills
from screentime.wording import count_text

ADD_HELP = """\
Bring pictures that belong to no film into the project: those in DIR/positive show the character, those in DIR/negative do not;
nothing is said of others. They are copied to data/stills/SET; `dvc add` keeps them under their hash; params.yaml and dvc.yaml
name the set. They train, and do nothing else: a still has no time, so it is no screen time, is never drawn by an audit, and
measures nothing. Near copies, found by what the pictures show, are never parted between training and judging.

A set that is there already takes the pictures of another character: give the same --name. Pictures that are frames of a film
of the project are better brought by `labels import FILM DIR --from folders`, which finds their times."""

REMOVE_HELP = """\
Take a set of stills out of the project. It has to be committed: DVC's cache keeps its pictures until `dvc gc`, and the commit
names them."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `stills add` and `remove`."""
    family = add_family(commands, "stills", "bring pictures that belong to no film, remove them")
    one = add_command(
        family, "add", "bring a set of stills", ADD_HELP, _add,
        "  python -m screentime stills add ~/pictures/tom --character tom\n"
        "  python -m screentime stills add ~/pictures/jerry --character jerry --name tom",
    )  # fmt: skip
    one.add_argument("folder", type=Path, metavar="DIR", help="the folder of positive/ and negative/")
    one.add_argument("--character", required=True, metavar="NAME", help="whom positive/ shows")
    one.add_argument("--name", metavar="SET", help="what the set is called (default: the name of DIR)")
    one = add_command(
        family, "remove", "take a set away", REMOVE_HELP, _remove, "  python -m screentime stills remove tom"
    )
    one.add_argument("name", metavar="SET", help="the set")


def _add(arguments: argparse.Namespace) -> None:
    arrival = add_stills(Path.cwd(), arguments.folder, arguments.character, arguments.name)
    for note in arrival.left_out:
        print(note)
    print(
        f"{STILLS}{arrival.name}: {arrival.n_present} with {arguments.character}, {arrival.n_absent} without; the set has "
        f"{count_text(arrival.n_stills, 'still', 'stills')} in {count_text(arrival.n_groups, 'group', 'groups')} of near copies"
    )
    print("they train and are no screen time; next:")
    print(f'  git add params.yaml dvc.yaml "{STILLS}{arrival.name}.dvc" && git commit -m "Add stills"')
    print("  dvc repro")


def _remove(arguments: argparse.Namespace) -> None:
    remove_stills(Path.cwd(), arguments.name)
    print(f"{STILLS}{arguments.name}: out of the project; next: dvc repro")
