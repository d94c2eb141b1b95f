"""clips/params.yaml, checked once at the door. Meaning, unit and reason of each number stand beside it in that file."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from screentime.errors import InputError, did_you_mean
from screentime.params import Section, checked, read_sections

HEADS = ("gru", "lstm", "transformer", "mean", "rolling")
OPTIMIZERS = ("adam", "rmsprop", "sgd")
Width = Annotated[int, Field(ge=1, le=4096)]


class Clips(Section):
    classes: list[str]
    most_frequent: Annotated[int, Field(ge=0, le=100_000)]
    test: Annotated[float, Field(ge=0, le=0.9)]
    val: Annotated[float, Field(ge=0, le=0.9)]
    seed: Annotated[int, Field(ge=0, le=4_294_967_295)]


class ClipSample(Section):
    frames: Annotated[int, Field(ge=1, le=1000)]
    choose: Literal["first", "spread"]
    size: Annotated[int, Field(ge=32, le=2048)]
    jpeg_quality: Annotated[int, Field(ge=30, le=100)]
    workers: Annotated[int, Field(ge=0, le=256)]


class ClipEmbed(Section):
    backbone: str
    network: str | None
    pooling: Literal["mean", "mean_max"]
    workers: Annotated[int, Field(ge=0, le=256)]
    threads: Annotated[int, Field(ge=1, le=256)]


class ClipTrain(Section):
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
    seeds: Annotated[list[Annotated[int, Field(ge=0, le=4_294_967_295)]], Field(min_length=1)]
    threads: Annotated[int, Field(ge=1, le=256)]
    experiment: Annotated[str, Field(min_length=1)]


class ClipReport(Section):
    wrong: Annotated[int, Field(ge=0, le=10_000)]
    right: Annotated[int, Field(ge=0, le=10_000)]
    width: Annotated[int, Field(ge=64, le=1024)]


class ClipParams(Section):
    """All of clips/params.yaml: which clips and classes, then one section for each stage that has parameters."""

    clips: Clips
    clip_sample: ClipSample
    clip_embed: ClipEmbed
    clip_train: ClipTrain
    clip_report: ClipReport


def load(path: Path) -> ClipParams:
    """Read and check clips/params.yaml.

    Raises:
        InputError: not there, not YAML, or a key that is unknown, missing, of a wrong type or out of range; a head that
            is not known (the nearest is named) or whose layers do not fit together.
    """
    params = checked(path, read_sections(path), ClipParams)
    _check_head(f"{path}: clip_train", params.clip_train)
    if params.clips.classes and params.clips.most_frequent:
        raise InputError(
            f"{path}: clips: both classes and most_frequent choose classes, one of them was expected; set most_frequent: 0 "
            "or classes: []"
        )
    return params


def _check_head(place: str, settings: ClipTrain) -> None:
    for key, known in (("head", HEADS), ("optimizer", OPTIMIZERS)):
        name = getattr(settings, key)
        if name not in known:
            raise InputError(f"{place}: {key} '{name}' is not known; {did_you_mean(name, known)}")
    if settings.head in ("gru", "lstm", "transformer") and not settings.units:
        raise InputError(
            f"{place}: units is empty, the width of at least one layer was expected for head '{settings.head}'; name one"
        )
    if settings.head == "transformer" and (
        len(set(settings.units)) > 1 or settings.units[0] % settings.attention_heads
    ):
        raise InputError(
            f"{place}: units is {settings.units} with {settings.attention_heads} attention_heads, blocks of one width that "
            "the number of heads divides were expected; correct it"
        )
    if len(set(settings.seeds)) < len(settings.seeds):
        raise InputError(
            f"{place}: seeds is {settings.seeds}, different ones were expected; the same seed gives the same head"
        )
