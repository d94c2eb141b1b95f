"""`audit draw`: the frames that measure how wrong the seconds are."""

import argparse
from pathlib import Path

from screentime.audit import draw
from screentime.checks import sampled_frames, video_named
from screentime.commandline.parser import add_command, add_family, add_place
from screentime.files import number
from screentime.label_lock import label_lock
from screentime.params import load

DRAW_HELP = """\
Draw the frames that measure the error of the seconds: evenly in time, with a random start, among the frames that
nobody has labelled by looking. The draw is recorded once, before anyone looks, in data/labels/VIDEO.audit.csv.

Label every drawn frame for every character without seeing any guess of the model, with source audit. A round counts
when it is complete; then `dvc repro` gives the seconds an interval. Drawn frames never train. Twice as many frames make
the interval about 1.4 times narrower; 80 is a good start. Another round can follow when this one is complete."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `audit draw`."""
    family = add_family(commands, "audit", "measure how wrong the seconds are")
    one = add_command(
        family,
        "draw",
        "draw the frames that measure the error",
        DRAW_HELP,
        _draw,
        "  python -m screentime audit draw big_buck_bunny --n 80",
    )
    add_place(one, "labels", "data/labels", "label files")
    add_place(one, "frames", "data/frames", "sampled frames")
    add_place(one, "params", "params.yaml", "parameters")
    one.add_argument("video", metavar="VIDEO", help="the film: its video_id or its file name")
    one.add_argument("--n", type=int, required=True, metavar="N", help="how many frames to draw, 1 or more")
    one.add_argument(
        "--seed", type=int, default=0, metavar="S", help="the same seed draws the same frames (default: 0)"
    )


def _draw(arguments: argparse.Namespace) -> None:
    params = load(arguments.params)
    video = video_named(arguments.video, params)
    frames = sampled_frames(arguments.frames, video, params)
    with label_lock(Path.cwd(), "`audit draw`"):
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
