"""The command line: `python -m screentime COMMAND`; `--help` after any part of it explains that part."""

# ruff: noqa: E402 - the environment is asked before anything that it must hold is imported
from collections.abc import Sequence

from screentime import command, environment

command.interruption_is_a_sentence()
environment.require()

from screentime.commandline import (
    audit,
    card,
    cast,
    check,
    clips,
    disk,
    imagenet,
    label,
    labels,
    model,
    new,
    preset,
    share,
    show,
    status,
    stills,
    video,
)
from screentime.commandline.parser import Parser

COMMANDS = (
    new, video, stills, cast, label, labels, status, check, audit, show, model, card, share, disk, clips, imagenet, preset,
)  # in the order of the help  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """Do what the words say (the command line's unless told); bad input is one sentence and exit code 1."""
    command.guarded(lambda: _work(words))


def _work(words: Sequence[str] | None) -> None:
    arguments = parser().parse_args(words)
    arguments.work(arguments)


def parser() -> Parser:
    """All commands and options."""
    top = Parser(prog="python -m screentime", description="How many seconds is each character on screen?")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for family in COMMANDS:
        family.add(commands)
    return top


if __name__ == "__main__":
    main()
