"""`card`: the data card."""

import argparse
from pathlib import Path

from screentime.commandline.parser import add_command
from screentime.project.card import write

CARD_HELP = """\
Write docs/data-card.md: the films with their lengths and licences, the labels per character, who made them and how, the
audits, the figures with their intervals, known limits, and the hashes that pin it all. The same files give the same
bytes; `share` writes it before it sets a tag."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `card`."""
    add_command(commands, "card", "write the data card", CARD_HELP, _card, "  python -m screentime card")


def _card(_: argparse.Namespace) -> None:
    print(f"{write(Path())}: written; commit it with what it tells of")
