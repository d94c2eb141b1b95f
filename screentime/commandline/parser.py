"""Parsers whose help teaches and whose complaints are sentences."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from screentime.errors import InputError


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are sentences like all others."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {message}; `{self.prog} --help` explains it")


def add_command(
    commands: argparse._SubParsersAction,
    name: str,
    short: str,
    long: str,
    work: Callable[[argparse.Namespace], None],
    example: str | None = None,
) -> Parser:
    """Add a command: its line in the list, its help, what it does, and an example that runs."""
    one = commands.add_parser(
        name,
        help=short,
        description=long,
        epilog=f"example:\n{example}" if example else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.set_defaults(work=work, parser=one)
    return one


def add_family(commands: argparse._SubParsersAction, name: str, short: str) -> argparse._SubParsersAction:
    """Add a word that other commands follow, as in `audit draw`; gives what add_command wants."""
    return commands.add_parser(name, help=short, description=short).add_subparsers(
        title="commands", required=True, metavar="COMMAND"
    )


def add_place(one: Parser, name: str, default: str, holds: str) -> None:
    """Add an option that says where something lies, e.g. `--labels DIR`."""
    kind = "FILE" if Path(default).suffix else "DIR"
    one.add_argument(
        f"--{name}", type=Path, default=Path(default), metavar=kind, help=f"{holds} (default: %(default)s)"
    )


def add_films_and_model(one: Parser, gets: str, *, model_required: bool = True) -> None:
    """Add what every command on films outside the project asks for; `gets` says what comes into its folder."""
    one.add_argument("films", nargs="+", type=Path, metavar="VIDEO", help="a film, or a folder of films")
    one.add_argument(
        "--model", required=model_required, type=Path, metavar="DIR", help="a trained model, e.g. models/trained"
    )
    one.add_argument("--out", required=True, type=Path, metavar="DIR", help=f"the folder that gets {gets}")
