"""`model promote`: which version is the champion; `model pull`: one to begin with; `model codes`: a network without its top."""

import argparse
import os
from pathlib import Path

from screentime import registry
from screentime.commandline.parser import add_command, add_family, add_place
from screentime.errors import InputError
from screentime.registry import Judgement
from screentime.tracking import open_store

THREADS = 2

PROMOTE_HELP = """\
Make the candidate the champion, when the audit says that it is better. `python -m stages.publish --register NAME` makes
the model in models/trained/ a candidate.

Both are compared on the audited frames that measured both of them: average precision over all characters, and the error
in seconds before the audit takes it out. Better is: better beyond chance in one of the two, worse beyond chance in
neither. The figures are printed either way; when the audit does not say so, nothing is changed (exit code 1).

The champion is what others load: mlflow.pyfunc.load_model("models:/NAME@champion")."""

PULL_HELP = """\
Fetch a registered model into models/base, so that training begins where it ended: a few dozen labels of a new film then go
further. The backbone takes over what it has learned, and characters of the same name go on from where they were.

Its files are checked against their hashes and pinned by DVC (models/base.dvc); models/base/origin.json says which version
and run they are. train.fine_tune.weights becomes models/base, and models/base a dep of the stage train. Stages read these
files and never MLflow. Without a store in common: `dvc import URL models/trained --out models/base` does the same.

Back again: set train.fine_tune.weights to imagenet."""

CODES_HELP = """\
Write the trained network without its top: from a picture to what one of its layers puts out, as a LiteRT file. Dense layers
are called dense_1, dense_2 and so on, from the features on; an unknown name is answered with the nearest.

With clip_embed.network in clips/params.yaml the clip pipeline reads these codes, frame by frame, in a backbone's place
(`python -m screentime preset real_time_clips` sets that, and names the file among the deps in clips/dvc.yaml)."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `model promote`, `model pull` and `model codes`."""
    family = add_family(
        commands, "model", "the champion among the registered models; one to begin with; a network without its top"
    )
    one = add_command(
        family,
        "promote",
        "make the candidate the champion, when the audit says it is better",
        PROMOTE_HELP,
        _promote,
        "  python -m screentime model promote screentime\n  python -m screentime model promote screentime --back",
    )
    one.add_argument("name", metavar="NAME", help="the registered model")
    way = one.add_mutually_exclusive_group()
    way.add_argument("--back", action="store_true", help="the champion before this one is the champion again")
    way.add_argument("--anyway", metavar="REASON", help="whatever the audit says; the reason is kept with the version")
    one = add_command(
        family,
        "pull",
        "fetch a registered model, for training to begin with",
        PULL_HELP,
        _pull,
        "  python -m screentime model pull screentime@champion\n  python -m screentime model pull screentime@3",
    )
    one.add_argument(
        "version", metavar="NAME@VERSION", help="the registered model and its version: a number or an alias"
    )
    one = add_command(
        family,
        "codes",
        "write the trained network without its top, for the clip pipeline",
        CODES_HELP,
        _codes,
        "  python -m screentime model codes --layer dense_1 --out clips/codes.tflite",
    )
    one.add_argument("--layer", default="dense_1", metavar="NAME", help="its last layer (default: %(default)s)")
    add_place(one, "out", "clips/codes.tflite", "where the network goes")
    add_place(one, "models", "models/trained", "the model's folder")


def _promote(arguments: argparse.Namespace) -> None:
    import mlflow  # late: it takes seconds, and no other command needs it

    name = arguments.name
    with open_store(mlflow, os.environ, Path.cwd()) as client:
        if arguments.back:
            now, before = registry.back(client, name)
            print(f"{name}: version {now} is the champion again, in place of version {before}")
            return
        judgement = registry.judge(client, name)
        print(_told(judgement))
        registry.promote(client, judgement, arguments.anyway)
    print(f"{name}: version {judgement.candidate} is the champion now; load it as models:/{name}@champion")
    if judgement.champion:
        print(f"back again: python -m screentime model promote {name} --back")


def _pull(arguments: argparse.Namespace) -> None:
    import mlflow  # late, as above

    from screentime.project import base  # late: the runtime of networks

    name, at, version = arguments.version.partition("@")
    if not (name and at and version):
        raise InputError(
            f"'{arguments.version}' was found, NAME@VERSION was expected, screentime@champion say; name a version or an alias"
        )
    with open_store(mlflow, os.environ, Path.cwd()) as client:
        origin = base.pull(mlflow, client, Path.cwd(), name, version)
    print(
        f"{base.BASE}: {name} version {origin['version']}, run {origin['run_id'][:7]}, {', '.join(origin['cast'])}; pinned by "
        f"{base.BASE}.dvc"
    )
    print(f"params.yaml: train.fine_tune.weights is {base.BASE} now; dvc.yaml: the stage train depends on it")
    print(f"next: git add params.yaml dvc.yaml {base.BASE}.dvc models/.gitignore && dvc repro")


def _codes(arguments: argparse.Namespace) -> None:
    from screentime.codes import write_codes  # late: the runtime of networks, which no other command here needs

    form, n_numbers = write_codes(arguments.models, arguments.layer, arguments.out, THREADS)
    print(
        f"{arguments.out}: {n_numbers} numbers for a picture of {form.width}x{form.height} pixels, from {arguments.layer} behind "
        f"{form.backbone}"
    )
    print("next: python -m screentime preset real_time_clips && dvc --cd clips repro")


def _told(judgement: Judgement) -> str:
    """What was compared, as a table, and what it says."""
    against = f" against champion {judgement.champion}" if judgement.champion else ""
    on = f", on {judgement.n_frames} audited frames" if judgement.n_frames else ""
    header = ("", "champion", "candidate", "difference", "95 % interval")
    rows = [header, *(_cells(one) for one in judgement.figures)]
    if not judgement.champion:
        rows = [(row[0], row[2]) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]  # fmt: skip
    told = [f"  {line}" for line in lines] if judgement.figures else []
    return "\n".join(
        [f"{judgement.name}: candidate {judgement.candidate}{against}{on}", *told, f"  {judgement.verdict}"]
    )


def _cells(one: registry.Difference) -> tuple[str, ...]:
    places = one.decimals
    return (
        one.figure,
        f"{one.champion:.{places}f}",
        f"{one.candidate:.{places}f}",
        f"{one.candidate - one.champion:+.{places}f}",
        f"{one.low:+.{places}f} to {one.high:+.{places}f}",
    )
