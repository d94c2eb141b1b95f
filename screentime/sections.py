"""The sections of params.yaml, one model for each: keys, types and ranges.

The meaning, unit and reason of each number stand beside it in params.yaml itself; nothing here has a default.
"""

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from screentime.section import Section

Width = Annotated[int, Field(ge=1, le=4096)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Video(Section):
    """One film of the project.

    Attributes:
        file: path below data/videos.
        split: "test" where its labels measure and never train.
        skip: the reason why it is left out, None where it is not.
        sha256: of the file; another film that takes its name is refused.
        private: whether its pictures stay on the machines that have it; DVC does not share them.
        licence, credit: what the data card says of it.
    """

    file: str
    split: Literal["test"] | None = None
    skip: Annotated[str, Field(min_length=1)] | None = None
    sha256: Sha256 | None = None
    private: bool = False
    licence: Annotated[str, Field(min_length=1)] | None = None
    credit: Annotated[str, Field(min_length=1)] | None = None

    @property
    def video_id(self) -> str:
        """The stem of the file's name, NFC."""
        return unicodedata.normalize("NFC", Path(self.file).stem)


class Demo(Section):
    package: str
    archive_sha256: Sha256
    members: Annotated[list[str], Field(min_length=1)]
    video_sha256: Sha256
    licence: str
    credit: str


class Sample(Section):
    fps: Annotated[float, Field(gt=0, le=60)]
    max_side: Annotated[int, Field(ge=64, le=4096)]
    jpeg_quality: Annotated[int, Field(ge=30, le=100)]
    workers: Annotated[int, Field(ge=0, le=256)]


class Shown(Section):
    """What a network is shown."""

    backbone: str
    width: Annotated[int, Field(ge=32, le=2048)]
    height: Annotated[int, Field(ge=32, le=2048)]

    @property
    def form(self) -> dict[str, str | int]:
        """The same as the arguments of `inputs.Form`."""
        return self.model_dump(include={"backbone", "width", "height"})


class Embed(Shown):
    workers: Annotated[int, Field(ge=0, le=256)]
    threads: Annotated[int, Field(ge=1, le=256)]


class Suggest(Section):
    frames: Annotated[int, Field(ge=1, le=10_000)]
    review: Annotated[int, Field(ge=0, le=10_000)]
    check: Annotated[int, Field(ge=0, le=10_000)]
    seed: Annotated[int, Field(ge=0, le=4_294_967_295)]


class Fill(Section):
    above: Annotated[float, Field(gt=0.5, lt=1)]
    below: Annotated[float, Field(gt=0, lt=0.5)]


class Window(Section):
    """Sampled frames around one: so many before it and so many behind it."""

    before: Annotated[int, Field(ge=0, le=500)]
    after: Annotated[int, Field(ge=0, le=500)]


class Preprocess(Shown):
    filled: bool
    window: Window


def _depth(value: object) -> int | str:
    """How much of a backbone is open, as depth.open_layers takes it."""
    if (isinstance(value, int) and not isinstance(value, bool) and value > 0) or (
        isinstance(value, str) and re.fullmatch(r"none|all|blocks:[1-9]\d*", value)
    ):
        return value
    raise ValueError("none, all, a number of layers like 4, or a number of blocks like blocks:3")


class Probe(Section):
    pooling: Literal["mean", "mean_max"]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    l2: Annotated[float, Field(ge=0, le=10)]
    epochs: Annotated[int, Field(ge=1, le=10_000)]
    patience: Annotated[int, Field(ge=1, le=10_000)]


class Augment(Section):
    flip: bool
    rotation: Annotated[float, Field(ge=0, le=180)]
    shift: Annotated[float, Field(ge=0, le=0.5)]
    shear: Annotated[float, Field(ge=0, le=45)]
    zoom: Annotated[float, Field(ge=0, le=3)]
    brightness: Annotated[float, Field(ge=0, le=1)]
    contrast: Annotated[float, Field(ge=0, lt=1)]
    saturation: Annotated[float, Field(ge=0, le=1)]


class FineTune(Section):
    weights: Annotated[str, Field(min_length=1)]
    open: Annotated[int | str, BeforeValidator(_depth)]
    pooling: Literal["lse", "top_k", "mean", "max", "mean_max", "flatten"]
    top_k: Annotated[int, Field(ge=1, le=10_000)]
    dense: list[Annotated[int, Field(ge=1, le=65_536)]]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    l2: Annotated[float, Field(ge=0, le=10)]
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    weight_decay: Annotated[float, Field(ge=0, le=1)]
    warm_up: Annotated[float, Field(ge=0, le=100)]
    decay: Literal["cosine", "constant"]
    batch_size: Annotated[int, Field(ge=1, le=1024)]
    epochs: Annotated[int, Field(ge=1, le=10_000)]
    least_steps: Annotated[int, Field(ge=0, le=1_000_000)]
    validation: Annotated[float, Field(ge=0, le=0.5)]
    patience: Annotated[int, Field(ge=1, le=10_000)]
    wanted_accuracy: Annotated[float, Field(ge=0, le=1)]
    augment: Augment


class SequenceHead(Section):
    """A head over windows of frames and how it is fitted; `check_head` compares its parts with each other."""

    head: str
    units: list[Width]
    dense: list[Width]
    dropout: Annotated[float, Field(ge=0, le=0.9)]
    attention_heads: Annotated[int, Field(ge=1, le=64)]
    positions: Literal["sine", "learned"]
    optimizer: str
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    batch_size: Annotated[int, Field(ge=1, le=10_000)]
    epochs: Annotated[int, Field(ge=1, le=10_000)]
    patience: Annotated[int, Field(ge=1, le=10_000)]


class Train(Section):
    method: Literal["best", "fine_tune", "probe", "sequence"]
    exclusive: bool
    positive_weight_max: Annotated[float, Field(ge=1, le=100)]
    folds: Annotated[int, Field(ge=3, le=50)]
    block_s: Annotated[float, Field(gt=0, le=3600)]
    guard_s: Annotated[float, Field(ge=0, le=600)]
    min_labelled: Annotated[int, Field(ge=3, le=100_000)]
    min_present: Annotated[int, Field(ge=1, le=1000)]
    seed: Annotated[int, Field(ge=0, le=4_294_967_295)]
    threads: Annotated[int, Field(ge=1, le=256)]
    experiment: Annotated[str, Field(min_length=1)]
    tensorboard: bool
    eight_bit: bool
    fine_tune: FineTune
    probe: Probe
    sequence: SequenceHead


class Score(Section):
    workers: Annotated[int, Field(ge=0, le=256)]
    threads: Annotated[int, Field(ge=1, le=256)]


class Evaluate(Section):
    calibration_bins: Annotated[int, Field(ge=2, le=50)]


class Estimate(Section):
    threshold: Annotated[float, Field(gt=0, lt=1)]
    appearances: Literal["two_states", "threshold"]
    appearance_s: Annotated[float, Field(gt=0, le=3600)]
    bridge_s: Annotated[float, Field(ge=0)]
    shortest_s: Annotated[float, Field(ge=0)]


class Extract(Section):
    every: Annotated[int, Field(ge=1, le=100_000)]
    threshold: Annotated[float, Field(gt=0, lt=1)]
    picture: Literal["png", "jpg"]
    limit_gb: Annotated[float, Field(gt=0)]


class Report(Section):
    credits: list[str]
    thumbnails: Annotated[int, Field(ge=0, le=24)]
    thumbnail_width: Annotated[int, Field(ge=80, le=400)]
    thumbnail_quality: Annotated[int, Field(ge=30, le=95)]
    thumbnail_gap_s: Annotated[float, Field(ge=0)]
    groups: dict[str, list[str]] = Field(default_factory=dict)
