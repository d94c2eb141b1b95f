"""The command line: `python -m screentime COMMAND`; `--help` after any part of it explains that part."""

# ruff: noqa: E402 - the environment is asked before anything that it must hold is imported
import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from screentime import environment

environment.require()

from screentime import command
from screentime.audit import draw
from screentime.checks import check_all, sampled_frames, video_named
from screentime.errors import InputError
from screentime.files import number
from screentime.params import load
from screentime.summary import summary

DRAW_HELP = """\
Draw the frames that measure the error of the seconds: evenly in time, with a random start, among the frames that
nobody has labelled by looking. The draw is recorded once, before anyone looks, in data/labels/VIDEO.audit.csv.

Label every drawn frame for every character without seeing any guess of the model, with source audit. A round counts
when it is complete; then `dvc repro` gives the seconds an interval. Drawn frames never train. Twice as many frames make
the interval about 1.4 times narrower; 80 is a good start. Another round can follow when this one is complete."""

DRAW_EXAMPLE = "example:\n  python -m screentime audit draw big_buck_bunny --n 80"

CHECK_HELP = """\
Check what people write, as the stages will: params.yaml, the films it names, the label files, the skipped ranges and
the audit records. Prints one sentence on the first thing that is not in order (exit code 1), else one line."""


SHOW_HELP = """\
Print the screen-time table of the last report: seconds per character, their 95 % interval and what it rests on, and the
page to open. The same figures are in reports/screen_time.csv."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are sentences like all others."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {message}; `{self.prog} --help` explains it")


def main(words: Sequence[str] | None = None) -> None:
    """Do what the words say (the command line's unless told); bad input is one sentence and exit code 1."""
    command.guarded(lambda: _work(words))


def _work(words: Sequence[str] | None) -> None:
    arguments = parser().parse_args(words)
    arguments.work(arguments)


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = Parser(prog="python -m screentime", description="How many seconds is each character on screen?")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    audit = commands.add_parser("audit", help="measure how wrong the seconds are")
    audit_commands = audit.add_subparsers(title="commands", required=True, metavar="COMMAND")
    one = _add(audit_commands, "draw", "draw the frames that measure the error", DRAW_HELP, DRAW_EXAMPLE)
    one.add_argument("video", metavar="VIDEO", help="the film: its video_id or its file name")
    one.add_argument("--n", type=int, required=True, metavar="N", help="how many frames to draw, 1 or more")
    one.add_argument(
        "--seed", type=int, default=0, metavar="S", help="the same seed draws the same frames (default: 0)"
    )
    one.set_defaults(work=_draw)

    one = _add(commands, "check", "check params.yaml, films, labels and audits", CHECK_HELP, None)
    one.add_argument("--videos", type=Path, default=Path("data/videos"), metavar="DIR", help="(default: %(default)s)")
    one.add_argument("--only-params", action="store_true", help="params.yaml alone, before any film is there")
    one.set_defaults(work=_check)

    one = commands.add_parser(
        "show",
        help="print the screen-time table",
        description=SHOW_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="(default: %(default)s)")
    one.set_defaults(work=lambda arguments: print(summary(arguments.reports)))
    return top


def _add(commands: argparse._SubParsersAction, name: str, short: str, long: str, example: str | None) -> Parser:
    """A command that knows where the project's files lie."""
    one = commands.add_parser(
        name, help=short, description=long, epilog=example, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for folder, holds in (("labels", "label files"), ("frames", "sampled frames")):
        default = Path("data") / folder
        one.add_argument(
            f"--{folder}", type=Path, default=default, metavar="DIR", help=f"{holds} (default: %(default)s)"
        )
    one.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE", help="(default: %(default)s)")
    return one


def _draw(arguments: argparse.Namespace) -> None:
    params = load(arguments.params)
    video = video_named(arguments.video, params)
    frames = sampled_frames(arguments.frames, video, params)
    drawn = draw(arguments.labels, frames, params.cast, n=arguments.n, seed=arguments.seed)
    first = drawn.iloc[0]
    labels = arguments.labels / f"{video.video_id}.csv"
    record = arguments.labels / f"{video.video_id}.audit.csv"
    in_film = drawn["weight_s"] > 0
    print(
        f"{record}: round {first['round']}, {len(drawn)} of {first['n_population']} frames drawn, evenly in time, "
        f"seed {first['seed']}"
    )
    if not in_film.all():
        print(f"{(~in_film).sum()} of them lie in skipped ranges and need no answer")
    print(
        "next: look at the frames at these seconds, without any guess of the "
        f"model:\n{_times(drawn['time_s'][in_film])}"
    )
    print(
        f"and write one line per frame and character into {labels} (1 visible, 0 not visible, ? cannot be told):\n"
        "  start_s,end_s,character,present,source,annotator,at\n"
        f"  {number(drawn['time_s'].iloc[0])},,{params.cast[0]},1,audit,,\n"
        "then: dvc repro"
    )


def _times(times_s: list[float]) -> str:
    """Times as indented lines of ten."""
    texts = [number(time_s) for time_s in times_s]
    return "\n".join("  " + " ".join(texts[start : start + 10]) for start in range(0, len(texts), 10))


def _check(arguments: argparse.Namespace) -> None:
    if arguments.only_params:
        load(arguments.params)
        return
    print(check_all(params=arguments.params, videos=arguments.videos, labels=arguments.labels, frames=arguments.frames))


if __name__ == "__main__":
    main()
