"""params.yaml, checked once at the door: every section, every key, its type and its range.

The meaning, unit and reason of each number stand beside it in params.yaml itself; nothing here has a default.
"""

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from screentime.errors import InputError, did_you_mean
from screentime.groups import check_groups
from screentime.section import Section
from screentime.tables import ALL_VIDEOS, TABLES
from screentime.watch_params import Watch

HEADS = ("gru", "lstm", "transformer", "mean", "rolling")
HEAD_OPTIMIZERS = ("adam", "rmsprop", "sgd")
Width = Annotated[int, Field(ge=1, le=4096)]
SET_NAME = re.compile(r"[^\W_]([\w .-]*\w)?")
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


Kind = TypeVar("Kind", bound=Section)


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
    groups: dict[str, list[str]] = {}


class Params(Section):
    """All of params.yaml.

    Attributes:
        videos: the films, in order.
        cast: the characters, in report order.
        stills: the sets of stills, folders below data/stills.
        demo, sample, ...: one section for each stage that has parameters, and one for each command that films outside
            the project are given to.
    """

    videos: tuple[Video, ...]
    cast: tuple[str, ...]
    stills: tuple[str, ...] = ()
    demo: Demo | None = None
    sample: Sample
    embed: Embed
    suggest: Suggest
    fill: Fill
    preprocess: Preprocess
    train: Train
    score: Score
    evaluate: Evaluate
    estimate: Estimate
    report: Report
    extract: Extract
    watch: Watch

    @property
    def shown_videos(self) -> tuple[Video, ...]:
        """The films that are not skipped."""
        return tuple(video for video in self.videos if video.skip is None)


def load(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        InputError: not there, not YAML, or a key that is unknown, missing, of a wrong type or out of range; the
            sentence names the place, what was found, what was expected and the repair.
    """
    loaded = read_sections(path)
    check_videos(path, loaded.get("videos"))
    check_cast(path, loaded.get("cast"))
    check_stills(path, loaded.get("stills", []))
    if isinstance(report := loaded.get("report"), dict):
        check_groups(path, report.get("groups", {}), loaded["cast"])
    listed = [entry if isinstance(entry, dict) else {"file": entry} for entry in loaded["videos"]]
    videos = tuple({**entry, "file": _below_data_videos(entry["file"])} for entry in listed)
    lists = {name: tuple(loaded[name]) for name in ("cast", "stills") if name in loaded}
    params = checked(path, {**loaded, "videos": videos, **lists}, Params)
    check_head(f"{path}: train.sequence", params.train.sequence)
    return params


def read_sections(path: Path) -> dict:
    """The sections of a file of parameters, unchecked.

    Raises:
        InputError: not there, not YAML, or no sections.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file was found, the parameters were expected; run this in the project's top folder, or "
            f"bring the file back with `git checkout {path.name}`"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise not_yaml(path, error) from None
    if not isinstance(loaded, dict):
        found = {list: "a list", type(None): "nothing"}.get(type(loaded), f"'{loaded}'")
        raise InputError(f"{path}: {found} was found, sections with keys were expected; correct the file")
    return loaded


def checked(path: Path, sections: dict, kind: type[Kind]) -> Kind:
    """The sections of a file as their model.

    Raises:
        InputError: a key that is unknown, missing, of a wrong type or out of range.
    """
    try:
        return kind.model_validate(sections)
    except ValidationError as error:
        findings = sorted(error.errors(), key=lambda finding: finding["type"] != "extra_forbidden")
        raise InputError(_sentence(path, findings[0], kind)) from None


def not_yaml(path: Path | str, error: yaml.YAMLError | UnicodeDecodeError) -> InputError:
    """The sentence about a file that is no YAML, with the line where the parser says which."""
    where = getattr(error, "problem_mark", None)
    line = f"line {where.line + 1}: " if where else ""
    problem = getattr(error, "problem", None) or "not UTF-8 text"
    return InputError(f"{path}: {line}{problem}, YAML was expected; correct the file")


def _below_data_videos(file: str) -> str:
    return unicodedata.normalize("NFC", file).removeprefix("data/videos/")


def check_videos(path: Path, videos: object) -> None:
    """Refuse a list of films that is not one, names outside data/videos, and two films with one video_id.

    Args:
        path: the file it was read from, as the sentence names it.
        videos: the value of the key `videos`.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    place = f"{path}: videos"
    if not isinstance(videos, list):
        raise InputError(
            f"{place}: {_shown(videos)} was found, a list of files under data/videos/ was expected; correct it"
        )
    seen: dict[str, str] = {}
    for entry in videos:
        file = entry.get("file") if isinstance(entry, dict) else entry
        if not isinstance(file, str) or not file.strip():
            raise InputError(
                f"{place}: {_shown(entry)} was found, a file name or {{file: .., split: test, skip: reason}} was expected; "
                "correct it"
            )
        name = Path(_below_data_videos(file))
        if name.is_absolute() or ".." in name.parts:
            raise InputError(f"{place}: '{file}' lies outside data/videos/; link or copy the film into that folder")
        video_id = name.stem
        if video_id.endswith((".audit", ".skip")):
            raise InputError(
                f"{place}: '{file}': a video may not be called '{video_id}', label files end so; rename the film"
            )
        if video_id == ALL_VIDEOS:
            raise InputError(
                f"{place}: '{file}': a video may not be called '{video_id}', the totals are; rename the film"
            )
        if video_id.casefold() in seen:
            raise InputError(
                f"{place}: '{seen[video_id.casefold()]}' and '{file}' have one stem, '{video_id}', which must be unique "
                "without regard to case; rename one film"
            )
        if isinstance(entry, dict) and entry.get("private") and not entry.get("sha256"):
            raise InputError(
                f"{place}: '{file}' is private but has no sha256, which tells others what the film is; add it with `python -m "
                "screentime video add --private`"
            )
        seen[video_id.casefold()] = file


def check_cast(path: Path, cast: object) -> None:
    """Refuse a cast that is empty or holds what may not be a character's name.

    Args:
        path: the file it was read from, as the sentence names it.
        cast: the value of the key `cast`.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    place = f"{path}: cast"
    if not isinstance(cast, list) or not cast:
        raise InputError(
            f"{place}: {_shown(cast)} was found, a list of character names was expected; name at least one"
        )
    columns = {column.name for table in TABLES for column in table.columns}
    seen: dict[str, str] = {}
    for name in cast:
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"{place}: {_shown(name)} was found, a name was expected; write it in quotes")
        if name != name.strip() or any(sign in name for sign in ',\n\r"') or name[0] in "=+-@":
            raise InputError(
                f"{place}: {_shown(name)} may not be a name: no comma, quote, line break, space at an end or leading "
                "= + - @ is allowed; rename it"
            )
        if unicodedata.normalize("NFC", name) != name:
            raise InputError(f"{place}: {_shown(name)} is not in the normal form NFC; type the name anew")
        if name in columns:
            raise InputError(f"{place}: '{name}' is the name of a column; call the character otherwise")
        if name.casefold() in seen:
            raise InputError(f"{place}: '{seen[name.casefold()]}' and '{name}' are one name; remove or rename one")
        seen[name.casefold()] = name


def check_stills(path: Path, stills: object) -> None:
    """Refuse a list of sets of stills that is not one, and names that are no plain names of folders.

    Args:
        path: the file it was read from, as the sentence names it.
        stills: the value of the key `stills`.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    place = f"{path}: stills"
    if not isinstance(stills, list):
        raise InputError(
            f"{place}: {_shown(stills)} was found, a list of folders under data/stills/ was expected; correct it"
        )
    for name in stills:
        if not isinstance(name, str) or not SET_NAME.fullmatch(name):
            raise InputError(
                f"{place}: {_shown(name)} was found, a name of letters, digits, blanks and . _ - that begins with a letter or digit "
                "was expected; rename it"
            )
        if [other.casefold() for other in stills].count(name.casefold()) > 1:
            raise InputError(f"{place}: '{name}' stands there twice, once was expected; remove one")


def check_head(place: str, settings: SequenceHead) -> None:
    """Refuse a head that is not known and layers that do not fit together.

    Args:
        place: the file and the section, as the sentence names them.
        settings: the section.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    for key, known in (("head", HEADS), ("optimizer", HEAD_OPTIMIZERS)):
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


def _shown(value: object) -> str:
    return "nothing" if value is None else f"'{value}'" if isinstance(value, str) else f"{value}"


def _sentence(path: Path, error: dict, kind: type[Section]) -> str:
    """One of pydantic's findings as our sentence."""
    # what is not a key, like the place in a list, is left out; the last part is the key itself, known or not
    keys = _all_keys(kind)
    sections, key = [part for part in error["loc"][:-1] if part in keys], error["loc"][-1]
    if isinstance(key, int):
        key = f"{sections.pop()} {key + 1}"
    place = ": ".join([str(path), *sections])
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key '{key}'; {did_you_mean(str(key), _known_keys(sections, kind))}"
    if error["type"] == "missing":
        return f"{place}: '{key}' is missing; add it, {path.name} of a fresh clone explains it"
    return f"{place}: {key} is {_shown(error['input'])}, expected is {_expected(error)}; correct it"


def _expected(error: dict) -> str:
    """What a value should have been, in plain words."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "greater_than":
            return f"above {limits['gt']:g}"
        case "greater_than_equal":
            return f"at least {limits['ge']:g}"
        case "less_than":
            return f"below {limits['lt']:g}"
        case "less_than_equal":
            return f"at most {limits['le']:g}"
        case "value_error":
            return str(limits["error"])
        case "literal_error":
            return limits["expected"]
        case "string_type":
            return "a text"
        case "bool_type":
            return "true or false"
        case "int_type":
            return "a whole number"
        case "float_type":
            return "a number"
        case "finite_number":
            return "a finite number"
        case "list_type" | "tuple_type":
            return "a list"
        case "model_type" | "model_attributes_type":
            return "keys with values"
        case "too_short" | "string_too_short":
            return "at least one"
        case _:
            return f"another one ({error['msg']})"


def _models(model: type[Section]) -> dict[str, type[Section]]:
    """The sections that a section's keys hold."""
    kinds = {
        name: [field.annotation, *getattr(field.annotation, "__args__", ())]
        for name, field in model.model_fields.items()
    }
    return {
        name: kind
        for name, candidates in kinds.items()
        for kind in candidates
        if isinstance(kind, type) and issubclass(kind, Section)
    }


def _all_keys(model: type[Section]) -> set[str]:
    return set(model.model_fields).union(*(_all_keys(inner) for inner in _models(model).values()))


def _known_keys(sections: list[str], kind: type[Section]) -> list[str]:
    for section in sections:
        kind = _models(kind)[section]
    return list(kind.model_fields)
