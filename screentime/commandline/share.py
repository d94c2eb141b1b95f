"""`share`, `push`, `pull`: a data set that travels."""

import argparse
from pathlib import Path

from screentime.commandline.parser import Parser, add_command
from screentime.project import sharing

SHARE_HELP = """\
Pin the commit that is checked out under a tag: films, labels, model and report. Everything must be committed and up to
date. Sends to the remote what it lacks and asks it for every file; then writes docs/data-card.md (and commits it, alone,
where it changed) and sets the tag. Nothing is pushed to Git: the last lines say what to type.

Where data goes: `dvc remote add --default NAME URL`; docs/sharing.md shows a folder, SSH, HTTP and S3."""

PUSH_HELP = """\
Send to the remote what it lacks of this commit's data, without a tag. The same as `dvc push`, and each file is asked for
on the remote itself: one that the remote has lost goes there again."""

PULL_HELP = """\
Bring the data of this commit from the remote and put it into its place. The same as `dvc pull`; where something is
missing, everything else comes, and the missing file and the command that would bring it back are named."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `share`, `push` and `pull`."""
    one = add_command(
        commands,
        "share",
        "pin films, labels, model and report under a tag",
        SHARE_HELP,
        _share,
        "  python -m screentime share v1",
    )
    one.add_argument("tag", metavar="TAG", help="name of the new tag")
    _add_remote(one)
    one = add_command(
        commands, "push", "send this commit's data to the remote", PUSH_HELP, _push, "  python -m screentime push"
    )
    _add_remote(one)
    example = "  git checkout v1 && python -m screentime pull"
    one = add_command(commands, "pull", "bring this commit's data", PULL_HELP, _pull, example)
    _add_remote(one)


def _add_remote(one: Parser) -> None:
    one.add_argument("--remote", metavar="NAME", help="the remote (default: the one that `dvc remote default` names)")


def _share(arguments: argparse.Namespace) -> None:
    for line in sharing.share(Path(), arguments.tag, arguments.remote, lambda line: print(line, flush=True)):
        print(line)


def _push(arguments: argparse.Namespace) -> None:
    print(sharing.told_of(sharing.push(Path(), arguments.remote), "sent", "there"))


def _pull(arguments: argparse.Namespace) -> None:
    print(sharing.told_of(sharing.pull(Path(), arguments.remote), "brought", "here"))
    print(
        "next: dvc repro                   # nothing to do, unless something changed since\n"
        "      python -m stages.publish    # the run into MLflow\n"
        "      python -m screentime show   # the screen times"
    )
