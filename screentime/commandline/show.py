"""`show`: the screen-time table of the last report."""

import argparse

from screentime.commandline.parser import add_command, add_place
from screentime.summary import summary

SHOW_HELP = """\
Print the screen-time table of the last report: seconds per character, their 95 % interval and what it rests on, and the
page to open. The same figures are in reports/screen_time.csv."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `show`."""
    one = add_command(commands, "show", "print the screen-time table", SHOW_HELP, _show)
    add_place(one, "reports", "reports", "the report")


def _show(arguments: argparse.Namespace) -> None:
    print(summary(arguments.reports))
