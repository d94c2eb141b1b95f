"""`clips`: videos of one class each come in, their figures are shown, and a clip of one's own is judged."""

import argparse
from collections import Counter
from pathlib import Path

from screentime.commandline.parser import add_command, add_family
from screentime.errors import InputError
from screentime.wording import count_text

ADD_HELP = """\
Bring clips into the project: videos that show one class each. A WORD is a video, or a folder that is searched with its
subfolders. The class is the folder that a clip lies in, else it is read from a name as in UCF101, v_CricketShot_g22_c01.avi,
which also gives the group, g22: clips of one group are never on two sides of a split.

Clips are linked into data/clips/ (copied from another disk), and data/clips.csv gets a row for each: clip, class, group,
split. Rows that stand there stay as they are; edit them as you like. With --train-list and --test-list the official lists of
UCF101 say who trains and who is tested; clips in none of them are left out. Without, groups are drawn (clips/params.yaml)."""

SHOW_HELP = """\
Print the figures of the last run of the clip pipeline: accuracy over the seeds, who was taken for whom, precision and recall.
The same figures are in clips/metrics/clips.json."""

PREDICT_HELP = """\
Judge a video by the trained head: the probabilities of all classes, the largest first, and an animated GIF of the frames that
the head has seen, with what it says. Nothing else is changed."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `clips add`, `show` and `predict`."""
    family = add_family(commands, "clips", "videos of one class each: another pipeline, see docs/clips.md")
    one = add_command(
        family, "add", "bring clips in", ADD_HELP, _add,
        "  python -m screentime clips add ~/UCF-101 --train-list ~/ucf/trainlist01.txt --test-list ~/ucf/testlist01.txt",
    )  # fmt: skip
    one.add_argument("words", nargs="+", metavar="WORD", help="a video, or a folder of videos")
    one.add_argument("--class", dest="class_name", metavar="NAME", help="the class of all of them")
    for split in ("train", "test"):
        one.add_argument(
            f"--{split}-list", action="append", default=[], type=Path, metavar="FILE",
            help=f"a list of clips that {'train' if split == 'train' else 'test'}, as {split}list01.txt of UCF101; may be repeated",
        )  # fmt: skip
    add_command(family, "show", "print the figures", SHOW_HELP, _show, "  python -m screentime clips show")
    one = add_command(
        family, "predict", "judge a clip", PREDICT_HELP, _predict, "  python -m screentime clips predict dance.mp4"
    )
    one.add_argument("file", type=Path, metavar="FILE", help="a video")
    one.add_argument(
        "--gif", type=Path, metavar="FILE", help="where the GIF goes (default: beside you, by the video's name)"
    )


def _add(arguments: argparse.Namespace) -> None:
    from screentime.project.clips import add_clips, find_clips, read_split_lists

    lists = {"train": arguments.train_list, "test": arguments.test_list}
    splits = read_split_lists(lists) if any(lists.values()) else None
    clips = add_clips(Path(), find_clips(arguments.words, arguments.class_name), splits, print)
    classes = Counter(clip.class_name for clip in clips)
    groups = len({clip.group for clip in clips})
    said = Counter(clip.split for clip in clips if clip.split)
    split = ", ".join(f"{count} {name}" for name, count in sorted(said.items())) or "split: drawn by group"
    print(
        f"data/clips.csv: {count_text(len(clips), 'clip', 'clips')} of {count_text(len(classes), 'class', 'classes')} in "
        f"{count_text(groups, 'group', 'groups')}; {split}"
    )
    if len(classes) < 2:
        print("next: python -m screentime clips add ...    # at least one more class")
    else:
        print(
            "next: git add data/clips.csv && dvc --cd clips repro    # clips/params.yaml has classes, frames, backbone, head"
        )


def _show(arguments: argparse.Namespace) -> None:
    from screentime.clip_page import printed
    from screentime.files import read_json

    path = Path("clips/metrics/clips.json")
    if not path.is_file():
        raise InputError(f"{path}: no such file was found, figures were expected; run `dvc --cd clips repro`")
    found = read_json(path)
    print(printed(found, list(found.get("confusion", ()))))
    print("look: reports/clips/index.html")


def _predict(arguments: argparse.Namespace) -> None:
    from screentime.clip_prediction import predict

    path = arguments.gif or Path(f"{arguments.file.stem}.gif")
    order = predict(arguments.file, models=Path("clips/models"), features=Path("clips/features"), picture=path)
    width = max(len(name) for name, _ in order)
    for name, probability in order:
        print(f"  {name:<{width}}  {probability:.4f}")
    print(f"{path}: the frames that the head has seen, and what it says")
