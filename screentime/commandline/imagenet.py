"""`imagenet`: what a network without any training calls the frames of a film."""

import argparse
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from screentime.backbones import Backbone, backbone
from screentime.commandline.parser import Parser, add_command
from screentime.errors import InputError
from screentime.files import number
from screentime.imagenet import class_names, seen_in, write_seen
from screentime.wording import count_text

IMAGENET_HELP = """\
Print what a network trained on ImageNet, and on nothing of yours, calls the frame on screen at every second of a film, or a
picture: the most probable of a thousand names of things, with their probabilities. No project is needed.

The network that comes with the environment needs nothing else. Another one (--backbone MobileNetV2, say) downloads its
weights at first use, or takes them from a file (--weights). None of the thousand names is a character of yours; for those,
label some frames and train (docs/labelling.md)."""
USUAL = "efficientnet-lite0"


def add(commands: argparse._SubParsersAction) -> None:
    """Add `imagenet`."""
    one = add_command(
        commands, "imagenet", "what a network without training calls the frames", IMAGENET_HELP, _imagenet,
        "  python -m screentime imagenet data/videos/big_buck_bunny.mp4 --top 3 --out names.csv",
    )  # fmt: skip
    one.add_argument("files", nargs="+", type=Path, metavar="FILM_OR_PICTURE", help="a film, or a picture")
    one.add_argument("--top", type=int, default=3, metavar="N", help="names for each frame, 1 to 1000 (default: 3)")
    add_network(one)
    one.add_argument("--out", type=Path, metavar="FILE.csv", help="write a table too, a row for each name")


def add_network(one: Parser) -> None:
    """Add which network names frames, and where its weights come from."""
    one.add_argument("--backbone", metavar="NAME", help=f"the network (default: {USUAL})")
    one.add_argument("--weights", metavar="FILE", help="its weights with the classifier, where they are not downloaded")


def network_of(arguments: argparse.Namespace) -> tuple[Backbone, str]:
    """The network that names frames, and where its weights come from."""
    return backbone(arguments.backbone or USUAL, place="--backbone"), arguments.weights or "imagenet"


def checked_top(top: int) -> int:
    """How many names a frame gets."""
    if not 1 <= top <= 1000:
        raise InputError(f"--top: {top} was found, 1 to 1000 was expected; correct it")
    return top


def _imagenet(arguments: argparse.Namespace) -> None:
    top = checked_top(arguments.top)
    facts, weights = network_of(arguments)
    names = class_names()
    seen = []
    for file, frames in groupby(seen_in(arguments.files, facts, weights, top), attrgetter("file")):
        print(file)
        for frame in frames:
            when = "" if frame.time_s is None else f"{number(frame.time_s)} s"
            called = zip(frame.classes, frame.probabilities, strict=True)
            print(f"{when:>8}  {', '.join(f'{names[which]} {share:.2f}' for which, share in called)}", flush=True)
            seen.append(frame)
    if arguments.out:
        write_seen(arguments.out, seen, names)
        print(f"{arguments.out}: {count_text(len(seen), 'frame', 'frames')} named")
