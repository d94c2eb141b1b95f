"""The command line: `python -m screentime COMMAND`; `--help` after any part of it explains that part."""

# ruff: noqa: E402 - the environment is asked before anything that it must hold is imported
import importlib
import sys
from collections.abc import Sequence

from screentime import command, environment

command.interruption_is_a_sentence()
environment.require()

from screentime.commandline.parser import Parser

# the modules of screentime/commandline, in the order of the help: each adds the command of its name, share two more
COMMANDS = (
    "new", "video", "stills", "cast", "label", "labels", "status", "check", "audit", "show", "model", "card", "share",
    "disk", "clips", "imagenet", "score", "extract", "annotate", "export", "watch", "preset",
)  # fmt: skip
WITH_SHARE = ("push", "pull")


def main(words: Sequence[str] | None = None) -> None:
    """Do what the words say (the command line's unless told); bad input is one sentence and exit code 1."""
    command.guarded(lambda: _work(sys.argv[1:] if words is None else words))


def _work(words: Sequence[str]) -> None:
    arguments, more = parser(words).parse_known_args(words)
    if more:
        arguments.parser.error(f"unrecognized arguments: {' '.join(more)}")
    arguments.work(arguments)


def parser(words: Sequence[str] = ()) -> Parser:
    """All commands and options; of the command that the words begin with, alone: a command waits for what it needs only.

    Commands that need packages which this environment has not are named at the end of the help.
    """
    top = Parser(prog="python -m screentime", description="How many seconds is each character on screen?")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    first = "share" if words and words[0] in WITH_SHARE else next(iter(words), "")
    lacking = []
    for name in (first,) if first in COMMANDS else COMMANDS:
        try:
            importlib.import_module(f"screentime.commandline.{name}").add(commands)
        except ModuleNotFoundError:
            if name == first:
                raise
            lacking.append(name)
    if lacking:
        top.epilog = f"with requirements.txt installed there are also: {', '.join(lacking)}"
    return top


if __name__ == "__main__":
    main()
