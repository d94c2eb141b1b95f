"""`labels fill`: what the light head is sure of, written beside people's labels."""

import argparse
import math
from pathlib import Path

from screentime.commandline.parser import add_command
from screentime.errors import InputError
from screentime.files import number, read_json
from screentime.params import Params, load
from screentime.project.declarations import Declarations
from screentime.project.tools import repro
from screentime.text_table import table_lines
from screentime.wording import count_text

FILL_HELP = """\
Label about 60 frames, let a light head fill the rest where it is sure. A cell, one character in one frame, is filled where
nobody has answered it, no audit drew it, and the head's calibrated score is at least --above (present) or at most --below
(absent). The thresholds are kept in params.yaml; without the options those there hold.

What is filled goes into data/filled, never into data/labels: a filled cell is no label and counts nowhere. Training uses it
only on request (preprocess.filled), and then only for the head that is kept. The table says how far to trust it: of the
labelled cells past each threshold, scored by a head that had not seen them, how many a person had labelled the same."""

RANGES = {"above": (0.5, 1.0), "below": (0.0, 0.5)}
MEANINGS = {
    "above": "score from which a cell is filled as present",
    "below": "score up to which it is filled as absent",
}


def add_fill(family: argparse._SubParsersAction) -> None:
    """Add `labels fill`."""
    one = add_command(
        family, "fill", "let a light head fill what it is sure of", FILL_HELP, _fill,
        "  python -m screentime labels fill --above 0.98 --below 0.02",
    )  # fmt: skip
    one.add_argument("--above", metavar="X", help=f"{MEANINGS['above']}, above 0.5 and below 1")
    one.add_argument("--below", metavar="Y", help=f"{MEANINGS['below']}, above 0 and below 0.5")


def _fill(arguments: argparse.Namespace) -> None:
    folder = Path()
    asked = {name: _threshold(name, text) for name in RANGES if (text := getattr(arguments, name)) is not None}
    load(folder / "params.yaml")
    declarations = Declarations(folder)
    for name, value in asked.items():
        declarations.params.set_value(("fill", name), value)
    declarations.write()
    if not repro(folder, "fill"):
        raise InputError(
            "data/filled: the labels could not be filled; what stopped it stands above: repair it, then run this again"
        )
    params = load(folder / "params.yaml")
    found = read_json(folder / "metrics" / "fill.json")
    total = {name: sum(film[name] for film in found["videos"].values()) for name in ("open", "present", "absent")}
    n_filled = total["present"] + total["absent"]
    print(
        "\nfilled as present and as absent; of labelled cells past the same score, held out, how many are labelled so"
    )
    print("\n".join(table_lines(_cells(found["characters"], params), left=(0,))))
    print(
        f"data/filled/: {n_filled:,} of {count_text(total['open'], 'open cell', 'open cells')} filled ({total['present']:,} "
        f"present, {total['absent']:,} absent), in {count_text(len(found['videos']), 'film', 'films')}; these are no labels, "
        "and count nowhere"
    )
    if not n_filled:
        print("next: python -m screentime label    # more labels, or thresholds nearer to 0.5")
    elif params.preprocess.filled:
        print("next: dvc repro    # trains with them: preprocess.filled is true")
    else:
        print(
            "next: to train with them (docs/labelling.md says what that has brought), set `filled: true` under preprocess: in "
            "params.yaml, then run `dvc repro`"
        )


def _threshold(name: str, text: str) -> float:
    """The value of an option.

    Raises:
        InputError: it is no number, or on the wrong side.
    """
    low, high = RANGES[name]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low < value < high:
        raise InputError(
            f"--{name}: '{text}' was found, a number above {number(low)} and below {number(high)} was expected, the "
            f"{MEANINGS[name]}; leave it out to keep the one in params.yaml"
        )
    return value


def _cells(characters: dict, params: Params) -> list[tuple[str, ...]]:
    """What was filled of each character, and how often people had said the same."""
    rows = [("", "present", "right", "absent", "right")]
    for name in params.cast:
        cells = [name]
        for one in (characters[name]["present"], characters[name]["absent"]):
            cells += [f"{one['filled']:,}", f"{one['right']:,} of {one['labelled']:,}" if one["labelled"] else "none"]
        rows.append(tuple(cells))
    return rows
