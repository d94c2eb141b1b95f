"""`check`: what people wrote, held against what the stages expect, before any of them runs."""

import argparse

from screentime.checks import check_all
from screentime.commandline.parser import add_command, add_place
from screentime.params import load

CHECK_HELP = """\
Check what people write, as the stages will: params.yaml, the films it names, the label files, the sets of stills, the
skipped ranges and the audit records. Prints one sentence on the first thing that is not in order (exit code 1), else one line."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `check`."""
    one = add_command(commands, "check", "check params.yaml, films, labels and audits", CHECK_HELP, _check)
    add_place(one, "labels", "data/labels", "label files")
    add_place(one, "stills", "data/stills", "sets of stills")
    add_place(one, "frames", "data/frames", "sampled frames")
    add_place(one, "videos", "data/videos", "films")
    add_place(one, "params", "params.yaml", "parameters")
    one.add_argument("--only-params", action="store_true", help="params.yaml alone, before any film is there")


def _check(arguments: argparse.Namespace) -> None:
    if arguments.only_params:
        load(arguments.params)
        return
    places = {name: getattr(arguments, name) for name in ("params", "videos", "labels", "stills", "frames")}
    print(check_all(**places))
