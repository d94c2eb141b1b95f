"""`annotate`: a copy of a film with who is on screen drawn in."""

import argparse
import re
from pathlib import Path

from screentime.commandline.parser import add_command, add_films_and_model
from screentime.errors import InputError
from screentime.outside.annotation import GIF_LONGEST_S, GIF_SIDE, Annotated, annotate, annotated_gif
from screentime.outside.films import Film, films_of
from screentime.outside.frame_scores import Model, opened_model
from screentime.outside.kept import Kept, each_film, journal_of, scored
from screentime.params import Params, load
from screentime.room import size_text
from screentime.wording import count_text

ANNOTATE_HELP = """\
Write a copy of a film, sound and all, in which the characters are named: a bar and the probability of each, its seconds on
screen so far, and below a ribbon of the whole film. DIR/FILM/FILM_annotated.mp4, at the times of the film's own frames.

The scores are those of the film sampled once a second, with their time; `--every-frame` scores each frame, which asks the
network as many times as the film has frames. `--gif 1:05 1:12` writes that stretch as a moving picture instead."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `annotate`."""
    one = add_command(
        commands, "annotate", "a copy of a film with who is on screen drawn in", ANNOTATE_HELP, _annotate,
        "  python -m screentime annotate film.mp4 --model models/trained --out annotated",
    )  # fmt: skip
    add_films_and_model(one, "the films")
    one.add_argument("--every-frame", action="store_true", help="score every frame, not only the sampled ones")
    one.add_argument(
        "--gif", nargs=2, metavar=("FROM", "TO"), help="a stretch as a GIF, e.g. 1:05 1:12.5, at most a minute"
    )
    one.add_argument("--font", type=Path, metavar="FILE", help="a font for letters that OpenCV's own has not")
    one.add_argument(
        "--params", default="params.yaml", type=Path, metavar="FILE", help="what is set where no option tells (default: %(default)s)"
    )  # fmt: skip


def _annotate(arguments: argparse.Namespace) -> None:
    params = load(arguments.params)
    stretch = None if arguments.gif is None else _stretch(*arguments.gif)
    films = films_of(arguments.films)
    model = opened_model(arguments.model, params.score.threads)
    if arguments.every_frame and not model.judges_frames_alone:
        raise InputError(
            f"{arguments.model}: this model judges a frame by the sampled frames around it, one that judges single frames was "
            "expected; leave out --every-frame, or train with train.method: best"
        )
    with scored(arguments.out, films, arguments.model, params, workers=0) as kept:
        for film, tell in each_film(kept, "drawing"):
            annotated = _annotated(arguments, film, kept, model, params, stretch)
            if stretch is None:
                path = arguments.out / film.video_id / f"{film.video_id}_annotated.mp4"
                changed = annotate(path, film, annotated, tell)
                told = "; ".join([size_text(path.stat().st_size), *changed])
            else:
                path = arguments.out / film.video_id / f"{film.video_id}_{stretch[0]:g}s.gif"
                n_frames = annotated_gif(path, annotated, *stretch)
                if not n_frames:
                    raise InputError(
                        f"--gif: {film.path} ends before {arguments.gif[0]}; name a stretch inside the film"
                    )
                told = f"{count_text(n_frames, 'frame', 'frames')}, {size_text(path.stat().st_size)}"
            print(f"{path}: {told}", flush=True)
            _tell_left_out(annotated, model)
    for sentence in kept.copies:
        print(sentence)
    if kept.failure:
        raise kept.failure


def _annotated(
    arguments: argparse.Namespace, film: Film, kept: Kept, model: Model, params: Params, stretch: tuple[float, float] | None
) -> Annotated:  # fmt: skip
    return Annotated(
        film,
        model=model,
        ledger=kept.ledger(film),
        threshold=params.estimate.threshold,
        every_frame=arguments.every_frame,
        journal=journal_of(arguments.out, film),
        font=arguments.font,
        until_s=None if stretch is None else stretch[1],
        max_side=None if stretch is None else GIF_SIDE,
    )


def _tell_left_out(annotated: Annotated, model: Model) -> None:
    """Say who is not drawn, and whose name cannot be read."""
    overlay = annotated.overlay
    if left := [name for name in model.cast if name not in overlay.shown]:
        print(f"no room in the picture for {', '.join(left)}: those with the most seconds are shown")
    if overlay.lacking:
        print(
            f"no font here writes {', '.join(sorted(overlay.lacking))} as it should be; name one that does with `--font FILE`"
        )


def _stretch(start: str, end: str) -> tuple[float, float]:
    """Two times of a command line, seconds."""
    start_s, end_s = _seconds(start), _seconds(end)
    if not start_s < end_s <= start_s + GIF_LONGEST_S:
        raise InputError(
            f"--gif: {start} to {end} was found, a stretch of at most {GIF_LONGEST_S} s that ends after it begins was expected; correct it"
        )
    return start_s, end_s


def _seconds(text: str) -> float:
    """Seconds of a time like 75.5, 1:15.5 or 0:01:15.5.

    >>> _seconds("1:15.5"), _seconds("0:01:15"), _seconds("7")
    (75.5, 75.0, 7.0)
    """
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", text):
        raise InputError(f"--gif: '{text}' was found, a time like 75.5 or 1:15.5 was expected; correct it")
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds
