"""params.yaml, checked once at the door: every section, every key, its type and its range."""

from pathlib import Path

from screentime.groups import check_groups
from screentime.param_checks import below_data_videos, check_cast, check_head, check_stills, check_videos
from screentime.param_file import checked, read_sections
from screentime.section import Section
from screentime.sections import (
    Demo,
    Embed,
    Estimate,
    Evaluate,
    Extract,
    Fill,
    Preprocess,
    Report,
    Sample,
    Score,
    Suggest,
    Train,
    Video,
)
from screentime.watch_params import Watch


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
    videos = tuple({**entry, "file": below_data_videos(entry["file"])} for entry in listed)
    lists = {name: tuple(loaded[name]) for name in ("cast", "stills") if name in loaded}
    params = checked(path, {**loaded, "videos": videos, **lists}, Params)
    check_head(f"{path}: train.sequence", params.train.sequence)
    return params
