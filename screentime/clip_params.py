"""clips/params.yaml, checked once at the door. Meaning, unit and reason of each number stand beside it in that file."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from screentime.errors import InputError
from screentime.param_checks import check_head
from screentime.param_file import checked, read_sections
from screentime.section import Section
from screentime.sections import SequenceHead


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


class ClipTrain(SequenceHead):
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
    check_head(f"{path}: clip_train", params.clip_train)
    seeds = params.clip_train.seeds
    if len(set(seeds)) < len(seeds):
        raise InputError(
            f"{path}: clip_train: seeds is {seeds}, different ones were expected; the same seed gives the same head"
        )
    if params.clips.classes and params.clips.most_frequent:
        raise InputError(
            f"{path}: clips: both classes and most_frequent choose classes, one of them was expected; set most_frequent: 0 "
            "or classes: []"
        )
    return params
