"""`extract`: frames, clips, a contact sheet, a supercut of a character out of films that nobody labelled."""

import argparse
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from screentime.commandline.parser import add_command, add_films_and_model
from screentime.errors import InputError, did_you_mean
from screentime.files import number
from screentime.film_figures import appearances_table
from screentime.outside.clips import write_clips
from screentime.outside.extraction import Extracted, Wanted, expected, extract
from screentime.outside.films import Film, films_of
from screentime.outside.frame_scores import Model, opened_model
from screentime.outside.kept import Kept, each_film, journal_of, scored
from screentime.outside.sheet import contact_sheets
from screentime.params import Params, load
from screentime.room import size_text
from screentime.wording import clock, count_text

WHAT = ("frames", "sheet", "clips", "supercut")
EXTRACT_HELP = """\
Take the frames in which a character is seen out of films: pictures of the film's own size whose names carry the time,
DIR/FILM/CHARACTER/FILM_00h12m03.480s.png, and DIR/FILM/frames.csv with time and score of each. Or, with `--as`:

  sheet     a contact sheet, one picture of each appearance
  clips     each appearance as a film of its own, with sound, from its first frame to its last
  supercut  all appearances of the character, one after the other

The films are sampled and scored first, as `score` does: that says how many pictures there will be and the room they take,
before any is written. Then every frame, every n-th, or so many a second, is shown to the network; its scores are kept, so that
a run that was ended goes on, and another threshold asks the network nothing."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `extract`."""
    one = add_command(
        commands, "extract", "frames, clips or a contact sheet of a character out of films", EXTRACT_HELP, _extract,
        "  python -m screentime extract film.mp4 --character tom --model models/trained --out tom_frames",
    )  # fmt: skip
    add_films_and_model(one, "the pictures")
    one.add_argument(
        "--character",
        action="append",
        metavar="NAME",
        help="whose; may be given more than once (default: the whole cast)",
    )
    one.add_argument(
        "--as", dest="what", nargs="+", choices=WHAT, default=["frames"], metavar="WHAT", help="one or more of frames, sheet, clips, supercut (default: frames)"
    )  # fmt: skip
    one.add_argument(
        "--every", type=int, metavar="N", help="look at every N-th frame of the film (default: extract.every)"
    )
    one.add_argument("--fps", type=Fraction, metavar="R", help="or at R frames a second")
    one.add_argument("--threshold", type=float, metavar="T", help="least score, 0 to 1 (default: extract.threshold)")
    one.add_argument("--picture", choices=("png", "jpg"), help="kind of picture (default: extract.picture)")
    one.add_argument("--limit-gb", type=float, metavar="G", help="write no more than this (default: extract.limit_gb)")
    one.add_argument(
        "--params", default="params.yaml", type=Path, metavar="FILE", help="what is set where no option tells (default: %(default)s)"
    )  # fmt: skip


def _extract(arguments: argparse.Namespace) -> None:
    params = _with_options(load(arguments.params), arguments)
    films = films_of(arguments.films)
    model = opened_model(arguments.model, params.score.threads)
    places = {name: _place(name, model.cast) for name in arguments.character or model.cast}
    if "frames" in arguments.what and not model.judges_frames_alone:
        raise InputError(
            f"{arguments.model}: this model judges a frame by the sampled frames around it, one that judges single frames was "
            "expected; take another of --as, or train with train.method: best"
        )
    wanted = Wanted(places, params.extract.threshold, params.extract.every, arguments.fps, params.extract.picture)
    with scored(arguments.out, films, arguments.model, params, workers=0) as kept:
        if "sheet" in arguments.what:
            for film in kept.films:
                _sheets(arguments.out, film, kept, places, model, params)
        if cuts := [one for one in arguments.what if one in ("clips", "supercut")]:
            _clips(arguments.out, kept, places, cuts, model, params)
        if "frames" in arguments.what:
            _frames(arguments.out, kept, wanted, model, params)
    for sentence in kept.copies:
        print(sentence)
    if kept.failure:
        raise kept.failure


def _with_options(params: Params, arguments: argparse.Namespace) -> Params:
    """The parameters, changed and checked as the options say."""
    changes = {
        name: value
        for name in ("every", "threshold", "picture", "limit_gb")
        if (value := getattr(arguments, name)) is not None
    }
    if arguments.fps is not None and not 0 < arguments.fps <= 1000:
        raise InputError(f"--fps: {arguments.fps} was found, above 0 to 1000 was expected; correct it")
    for name, low, high in (("every", 1, 100_000), ("threshold", 0, 1), ("limit_gb", 0, 1e6)):
        value = changes.get(name, 1 if name == "every" else 0.5)
        if not (low <= value <= high if name == "every" else low < value < high):
            raise InputError(f"--{name.replace('_', '-')}: {value} was found, {low} to {high} was expected; correct it")
    return params.model_copy(update={"extract": params.extract.model_copy(update=changes)})


def _place(name: str, cast: Sequence[str]) -> int:
    """Where a character stands in the scores."""
    if name not in cast:
        raise InputError(f"--character: '{name}' is not in the model's cast; {did_you_mean(name, cast)}")
    return cast.index(name)


def _sheets(out: Path, film: Film, kept: Kept, characters: dict[str, int], model: Model, params: Params) -> None:
    """The contact sheets of a film."""
    ledger = kept.ledger(film)
    sheets = contact_sheets(
        out / film.video_id,
        film=film,
        ledger=ledger,
        appearances=appearances_table(ledger, kept.cast, params.estimate),
        characters=characters,
        cast=kept.cast,
        sampling=model.sampling,
    )
    for path, n_shown in sheets.items():
        print(f"{path}: {count_text(n_shown, 'appearance', 'appearances')}")


def _frames(out: Path, kept: Kept, wanted: Wanted, model: Model, params: Params) -> None:
    """The pictures of all films, once it is known that there is room for them."""
    most = round(params.extract.limit_gb * 1e9)
    guesses = [expected(film, kept.facts(film), kept.ledger(film), wanted) for film in kept.films]
    n_pictures, n_bytes = (sum(guess[which] for guess in guesses) for which in (0, 1))
    free = shutil.disk_usage(out).free
    print(
        f"{out}: about {count_text(n_pictures, 'picture', 'pictures')}, {size_text(n_bytes)}; {size_text(free)} are free, the limit "
        f"is {size_text(most)}",
        flush=True,
    )
    if n_bytes > min(most, free):
        raise InputError(
            f"{out}: about {size_text(n_bytes)} of pictures were found, at most {size_text(min(most, free))} were expected; take fewer "
            "(`--every`, `--fps`, `--threshold`), smaller ones (`--picture jpg`), or raise `--limit-gb` where there is room"
        )
    for film, tell in each_film(kept, "extracting"):
        done = extract(
            out / film.video_id,
            tell,
            film=film,
            model=model,
            wanted=wanted,
            journal=journal_of(out, film),
            most_bytes=most,
        )
        most -= done.n_bytes
        _tell_film(out, film, done)


def _clips(
    out: Path, kept: Kept, characters: dict[str, int], what: list[str], model: Model, params: Params
) -> None:  # fmt: skip
    """The appearances of all films as clips, and one after the other."""
    for film, tell in each_film(kept, "cutting"):
        table = write_clips(
            out / film.video_id,
            tell,
            film=film,
            kept=kept,
            characters=characters,
            what=what,
            model=model,
            settings=params.estimate,
            journal=journal_of(out, film),
        )
        print(f"{out / film.video_id}: {count_text(len(table), 'appearance', 'appearances')} cut", flush=True)
        if (table["refined"] == "no").any():
            print(
                f"{film.video_id}: this model cannot judge the frames between two samples, so each clip may begin and end up to "
                f"{number(table['within_s'].max(), 2)} s too late"
            )


def _tell_film(out: Path, film: Film, done: Extracted) -> None:
    counts = ", ".join(f"{name} {n:,}" for name, n in done.n_pictures.items())
    print(f"{out / film.video_id}: pictures of {counts}; {size_text(done.n_bytes)}", flush=True)
    if done.stopped_s is not None:
        raise InputError(
            f"{film.path}: the limit was reached at {clock(done.stopped_s)}, the pictures until then are there; raise `--limit-gb`, "
            "or take fewer, and run again"
        )
