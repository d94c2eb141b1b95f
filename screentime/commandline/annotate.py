"""`annotate`: a copy of a film with who is on screen drawn in, or what a network without training calls its frames."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from screentime.commandline.parser import add_command, add_films_and_model
from screentime.errors import InputError
from screentime.outside.annotation import GIF_LONGEST_S, GIF_SIDE, Annotated, annotate, annotated_gif
from screentime.outside.drawing import Drawing, Look
from screentime.outside.films import Film, films_of
from screentime.outside.frame_scores import Model, opened_model
from screentime.outside.kept import each_film, journal_of, scored
from screentime.params import load
from screentime.room import size_text
from screentime.wording import count_text

ANNOTATE_HELP = """\
Write a copy of a film, sound and all, in which the characters are named: a bar and the probability of each, its seconds on
screen so far, and below a ribbon of the whole film. DIR/FILM/FILM_annotated.mp4, at the times of the film's own frames.

The scores are those of the film sampled once a second, with their time; `--every-frame` scores each frame, which asks the
network as many times as the film has frames. `--gif 1:05 1:12` writes that stretch as a moving picture instead.

`--imagenet` needs no model and no training: it draws in what a network trained on ImageNet calls each frame, the most
probable of a thousand names of things, as `python -m screentime imagenet` prints them (docs/imagenet.md):
DIR/FILM/FILM_imagenet.mp4, and DIR/FILM/names.csv with the names."""
OF_IMAGENET = ("top", "backbone", "weights")  # options that say how frames are named


def add(commands: argparse._SubParsersAction) -> None:
    """Add `annotate`."""
    one = add_command(
        commands, "annotate", "a copy of a film with who is on screen drawn in", ANNOTATE_HELP, _annotate,
        "  python -m screentime annotate film.mp4 --model models/trained --out annotated\n"
        "  python -m screentime annotate film.mp4 --imagenet --top 3 --out named",
    )  # fmt: skip
    add_films_and_model(one, "the films", model_required=False)
    one.add_argument("--every-frame", action="store_true", help="score every frame, not only the sampled ones")
    one.add_argument(
        "--gif", nargs=2, metavar=("FROM", "TO"), help="a stretch as a GIF, e.g. 1:05 1:12.5, at most a minute"
    )
    one.add_argument("--font", type=Path, metavar="FILE", help="a font for letters that OpenCV's own has not")
    one.add_argument(
        "--params", default="params.yaml", type=Path, metavar="FILE", help="what is set where no option tells (default: %(default)s)"
    )  # fmt: skip
    naming = one.add_argument_group("without a model")
    naming.add_argument("--imagenet", action="store_true", help="draw in ImageNet's names of things; needs no training")
    naming.add_argument("--top", type=int, metavar="N", help="names for each frame, 1 to 1000 (default: 1)")
    naming.add_argument("--backbone", metavar="NAME", help="the network, as `imagenet` has it")
    naming.add_argument("--weights", metavar="FILE", help="its weights with the classifier, as `imagenet` has them")


def _annotate(arguments: argparse.Namespace) -> None:
    if arguments.imagenet == (arguments.model is not None):
        found = "--model and --imagenet were" if arguments.imagenet else "neither --model nor --imagenet was"
        raise InputError(
            f"annotate: {found} found, one of the two was expected; name a trained model, or ask for ImageNet's names"
        )
    look = _look(arguments)
    films = films_of(arguments.films)
    if arguments.imagenet:
        _by_names(arguments, films, look)
        return
    if given := [f"--{name}" for name in OF_IMAGENET if getattr(arguments, name) is not None]:
        raise InputError(f"annotate: {', '.join(given)} was found with --model, it belongs to --imagenet; leave it out")
    _by_model(arguments, films, look)


def _by_model(arguments: argparse.Namespace, films: list[Film], look: Look) -> None:
    params = load(arguments.params)
    model = opened_model(arguments.model, params.score.threads)
    if arguments.every_frame and not model.judges_frames_alone:
        raise InputError(
            f"{arguments.model}: this model judges a frame by the sampled frames around it, one that judges single frames was "
            "expected; leave out --every-frame, or train with train.method: best"
        )
    with scored(arguments.out, films, arguments.model, params, workers=0) as kept:
        for film, tell in each_film(kept, "drawing"):
            annotated = Annotated(
                film, model=model, ledger=kept.ledger(film), threshold=params.estimate.threshold,
                every_frame=arguments.every_frame, journal=journal_of(arguments.out, film), look=look,
            )  # fmt: skip
            _write(arguments, film, annotated, "" if arguments.gif else "_annotated", tell)
            _tell_left_out(annotated, model)
    for sentence in kept.copies:
        print(sentence)
    if kept.failure:
        raise kept.failure


def _by_names(arguments: argparse.Namespace, films: list[Film], look: Look) -> None:
    from screentime.commandline.imagenet import checked_top, network_of  # both know more than a light environment has
    from screentime.imagenet import class_names, write_seen
    from screentime.outside.naming import Named, Namer, named_seconds
    from screentime.progress import Progress
    from screentime.video import header_of

    facts, weights = network_of(arguments)
    namer = Namer(facts, weights, class_names(), checked_top(1 if arguments.top is None else arguments.top))
    sizes = [min(header_of(film.path, max_side=1).length_s, look.until_s) for film in films]
    failures = []
    for film, length_s in zip(films, sizes, strict=True):
        folder, known = arguments.out / film.video_id, arguments.out / ".screentime" / "names"
        try:
            seen = None
            if not arguments.every_frame:
                with Progress("naming", [length_s]) as progress:
                    seen = []
                    for one in named_seconds(film, namer, known / f"{film.video_id}.seconds", look):
                        seen.append(one)
                        progress.show([min(one.time_s / length_s, 1.0) if length_s else 0.0])
                    progress.show([1.0])
            named = Named(film, namer=namer, seen=seen, journal=known / f"{film.video_id}.names", look=look)
            with Progress("drawing", [length_s]) as progress:
                _write(arguments, film, named, "_imagenet", lambda share: progress.show([min(share, 1.0)]))
                progress.show([1.0])
        except InputError as error:
            failures.append(str(error))
            continue
        if not arguments.gif:
            write_seen(folder / "names.csv", named.seen, namer.names)
            print(f"{folder / 'names.csv'}: {count_text(len(named.seen), 'frame', 'frames')} named")
        if named.overlay.n_shown < namer.top:
            print(
                f"{film.path}: its pictures have room for {named.overlay.n_shown} names of {namer.top}; the table has all"
            )
    if failures:
        raise InputError("\n".join(failures))


def _write(arguments: argparse.Namespace, film: Film, drawn: Drawing, kind: str, tell: Callable[[float], None]) -> None:
    """Write the film or the stretch of it, and say what was written."""
    stem = arguments.out / film.video_id / f"{film.video_id}{kind}"
    if arguments.gif:
        path = stem.with_name(f"{stem.name}_{drawn.look.from_s:g}s.gif")
        n_frames = annotated_gif(path, drawn)
        if not n_frames:
            raise InputError(f"--gif: {film.path} ends before {arguments.gif[0]}; name a stretch inside the film")
        told = f"{count_text(n_frames, 'frame', 'frames')}, {size_text(path.stat().st_size)}"
    else:
        path = stem.with_name(f"{stem.name}.mp4")
        changed = annotate(path, film, drawn, tell)
        told = "; ".join([size_text(path.stat().st_size), *changed])
    print(f"{path}: {told}", flush=True)


def _tell_left_out(annotated: Annotated, model: Model) -> None:
    """Say who is not drawn, and whose name cannot be read."""
    overlay = annotated.overlay
    if left := [name for name in model.cast if name not in overlay.shown]:
        print(f"no room in the picture for {', '.join(left)}: those with the most seconds are shown")
    if overlay.lacking:
        print(
            f"no font here writes {', '.join(sorted(overlay.lacking))} as it should be; name one that does with `--font FILE`"
        )


def _look(arguments: argparse.Namespace) -> Look:
    """The whole film, or the stretch that becomes a GIF."""
    if not arguments.gif:
        return Look(font=arguments.font)
    start_s, end_s = map(_seconds, arguments.gif)
    if not start_s < end_s <= start_s + GIF_LONGEST_S:
        start, end = arguments.gif
        raise InputError(
            f"--gif: {start} to {end} was found, a stretch of at most {GIF_LONGEST_S} s that ends after it begins was expected; correct it"
        )
    return Look(start_s, end_s, max_side=GIF_SIDE, font=arguments.font)


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
