"""`video`: films come into the project, are left out, taken back, and leave it."""

import argparse
from pathlib import Path

import yaml

from screentime.checks import entry_named
from screentime.commandline.parser import add_command, add_family
from screentime.errors import InputError
from screentime.label_lock import label_lock
from screentime.project.declarations import Declarations
from screentime.project.videos import add_videos, remove_video, sources

ADD_HELP = """\
Bring films into the project. Each WORD is a film, a folder of films (with its subfolders), a playlist (a text file with one
film or address a line), or an http address of a film's file. A film is linked into data/videos/ where it lies on the same
disk, else copied; its first frame is decoded to see that it is one; `dvc add` keeps it under its hash; params.yaml and
dvc.yaml name it. Your own file is never changed. A film that cannot be taken is named, the others are taken.

With --private DVC does not get the film: others get its features, scores and labels, never its pictures
(docs/sharing.md)."""

REMOVE_HELP = """\
Take a film out of the project. DVC's cache keeps its bytes until `dvc gc`. A film with label files is only removed with
--with-labels, and only when Git holds them as they are; to leave a film out and keep everything, use `video skip`."""

SKIP_HELP = """\
Leave a film out of everything, with a reason that the report shows; its labels stay. `video unskip` takes it back."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `video add`, `remove`, `skip` and `unskip`."""
    family = add_family(commands, "video", "bring films in, leave them out, remove them")
    one = add_command(
        family, "add", "bring films in", ADD_HELP, _add,
        "  python -m screentime video add ~/films/season_1 extra.mkv https://example.org/pilot.mp4",
    )  # fmt: skip
    one.add_argument("words", nargs="+", metavar="WORD", help="a film, folder, playlist or http address")
    one.add_argument("--name", metavar="FILE", help="the file name that a single film gets in data/videos/")
    one.add_argument("--private", action="store_true", help="its pictures stay on this machine")
    one.add_argument("--test", action="store_true", help="its labels measure and never train (split: test)")
    one.add_argument("--licence", metavar="TEXT", help="under which the films may be used, for the data card")
    one.add_argument("--credit", metavar="TEXT", help="whom to name, for the data card")

    one = add_command(
        family, "remove", "take a film out", REMOVE_HELP, _remove, "  python -m screentime video remove extra"
    )
    _add_video(one)
    one.add_argument("--with-labels", action="store_true", help="its label files go too (Git still has them)")

    one = add_command(
        family, "skip", "leave a film out, with a reason", SKIP_HELP, _skip,
        '  python -m screentime video skip extra --reason "another edition of e03"',
    )  # fmt: skip
    _add_video(one)
    one.add_argument("--reason", required=True, metavar="TEXT", help="why; the report shows it")

    one = add_command(family, "unskip", "take a film back", "Take back a film that was left out.", _unskip)
    _add_video(one)


def _add_video(one: argparse.ArgumentParser) -> None:
    one.add_argument("video", metavar="VIDEO", help="the film: its video_id or its file name")


def _add(arguments: argparse.Namespace) -> None:
    films = sources(arguments.words)
    if arguments.name and len(films) != 1:
        raise InputError(f"--name: {len(films)} films were found, one was expected; add the others without --name")
    split = "test" if arguments.test else None
    facts = {"split": split, "licence": arguments.licence, "credit": arguments.credit}
    arrivals, sentences = add_videos(
        Path.cwd(),
        films,
        private=arguments.private,
        facts={name: value for name, value in facts.items() if value is not None},
        name=arguments.name,
        told=print,
    )
    if arrivals:
        cast = Declarations(Path.cwd()).cast
        print(f"{len(arrivals)} of {len(films)} films are in the project; next:")
        if not cast:
            print("  python -m screentime cast add NAME...    # who shall be found")
        if arguments.private and _training()["method"] not in ("probe", "sequence"):
            print(
                "  set train.method to probe in params.yaml # private films train from their features, without pictures"
            )
        print('  git add params.yaml dvc.yaml data/videos && git commit -m "Add films"')
        print("  dvc repro                                # samples them, suggests frames to label")
    if sentences:
        raise InputError("\n".join(sentences))


def _training() -> dict:
    """The section `train` as it stands: a project that has no cast yet is no whole set of parameters."""
    return yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["train"]


def _remove(arguments: argparse.Namespace) -> None:
    entry = _entry(arguments.video)
    with label_lock(Path.cwd(), "`video remove`"):
        gone = remove_video(Path.cwd(), entry["file"], with_labels=arguments.with_labels)
    print(f"{entry['file']}: out of the project ({', '.join(gone) or 'no file was there'} removed); next: dvc repro")
    if entry.get("private"):
        print(f"data/videos/{entry['file']} was left where it is: DVC has no copy of a private film")


def _skip(arguments: argparse.Namespace) -> None:
    _change(arguments.video, f"left out ({arguments.reason})", skip=arguments.reason)


def _unskip(arguments: argparse.Namespace) -> None:
    _change(arguments.video, "taken back", skip=None)


def _change(video: str, said: str, **facts: str | None) -> None:
    declarations = Declarations(Path.cwd())
    entry = entry_named(video, declarations.entries)
    declarations.change_video(entry["file"], **facts)
    declarations.write()
    print(f"{entry['file']}: {said}; next: dvc repro")


def _entry(video: str) -> dict:
    return entry_named(video, Declarations(Path.cwd()).entries)
