"""`score`: who is on screen, and for how long, in films that nobody has labelled."""

import argparse
import time
from pathlib import Path

from screentime.commandline.parser import add_command, add_films_and_model
from screentime.errors import InputError
from screentime.groups import within
from screentime.outside.films import films_of
from screentime.outside.kept import scored
from screentime.outside.results import write_results
from screentime.params import load
from screentime.room import length_text
from screentime.summary import summary
from screentime.video import header_of

SCORE_HELP = """\
Score films that nobody has labelled with a model that is trained: seconds on screen for every character, the score of every
sampled frame, the appearances, and the page that shows them. The films may lie anywhere and join no project.

DIR gets index.html, screen_time.csv, together.csv, and for every film VIDEO/timeline.csv and VIDEO/appearances.csv, as reports/ of a
project has them (docs/formats.md). A frame is taken, packed and shown to the network just as in the pipeline: of a film
that both know timeline.csv is the same, byte for byte. Nothing has measured how wrong the seconds are in a film that nobody
has looked at, so there is no interval; the page says what would measure it.

A run that was ended goes on with the film where it stopped, and a film that is scored is not scored again: name the folder
once more when films were added to it. A film that cannot be read is told; the others are scored all the same.

The environment of requirements-score.txt is enough; TensorFlow, DVC and Git are not asked."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `score`."""
    one = add_command(
        commands, "score", "score films that nobody has labelled, with a trained model", SCORE_HELP, _score,
        "  python -m screentime score /films/season_2 --model models/trained --out /films/season_2_report",
    )  # fmt: skip
    add_films_and_model(one, "tables and page")
    one.add_argument(
        "--params",
        default="params.yaml",
        type=Path,
        metavar="FILE",
        help="what estimate, report and score are set to (default: %(default)s); how frames are sampled, the model says",
    )
    one.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="films at work at once (default: 0, as many as the cores are worth); changes no figure",
    )


def _score(arguments: argparse.Namespace) -> None:
    if arguments.workers < 0:
        raise InputError(f"--workers: {arguments.workers} was found, 0 or more was expected; correct it")
    begun_s = time.monotonic()
    films = films_of(arguments.films)
    length_s = sum(header_of(film.path, max_side=1).length_s for film in films)
    params = load(arguments.params)
    with scored(arguments.out, films, arguments.model, params, workers=arguments.workers) as kept:
        write_results(arguments.out, kept, params)
    for sentence in kept.copies:
        print(sentence)
    known = within(params.report.groups, kept.cast)
    for group in params.report.groups:
        if group not in known:
            print(
                f"{arguments.params}: report: groups: {group} names somebody whom the model does not know; left out here"
            )
    if kept.failure:
        raise kept.failure
    print(summary(arguments.out))
    print(f"{length_text(length_s)} of film in {length_text(time.monotonic() - begun_s)}")
