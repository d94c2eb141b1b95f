"""All that people write, checked before any stage runs: parameters, films, labels, skipped ranges, audit records."""

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from screentime.audit import read_record
from screentime.errors import InputError, did_you_mean
from screentime.frames import FramePack, open_frames
from screentime.labels import answers_of, label_file, read_labels, read_skips, second_opinions
from screentime.params import Params, load
from screentime.sections import Video
from screentime.stills import read_stills


def check_all(*, params: Path, videos: Path, labels: Path, stills: Path, frames: Path) -> str:
    """Check what people wrote, as the stages will.

    Args:
        params: params.yaml.
        videos, labels, stills, frames: the folders of films, of label files, of sets of stills, and of sampled frames (which
            may be absent: times and contradictions are then checked as far as the files alone tell).

    Returns:
        One line: all is well, and what was looked at; and one more where two people labelled the same film.

    Raises:
        InputError: the first thing that is not.
    """
    loaded = load(params)
    for video in loaded.shown_videos:
        if not video.private and not (videos / video.file).is_file():
            raise InputError(
                f"{videos / video.file}: no such film was found, videos in {params} names it; put it there, or correct "
                "the name (`dvc repro` brings the demo film)"
            )
    others = second_opinions(labels, [video.video_id for video in loaded.videos])
    rows = sum(_check_film(video, loaded, labels, frames) for video in loaded.shown_videos)
    n_stills = sum(len(read_stills(stills / name, loaded.cast)) for name in loaded.stills)
    waiting = [video.video_id for video in loaded.shown_videos if _pack(frames, video) is None]
    later = f"; not yet held against sampled frames (`dvc repro sample`): {', '.join(waiting)}" if waiting else ""
    left_out = len(loaded.videos) - len(loaded.shown_videos)
    skipped = f" ({left_out} left out by skip)" if left_out else ""
    beside = f", {n_stills} stills" if loaded.stills else ""
    films = f"{len(loaded.shown_videos)} films{skipped}"
    well = f"all is well: {films}, {len(loaded.cast)} characters, {rows} label rows{beside}{later}"
    return f"{well}\n{_to_be_merged(others)}" if others else well


def video_named(name: str, params: Params) -> Video:
    """The film that a person means by its video_id or by the name of its file.

    Raises:
        InputError: there is none in params.yaml, or it is left out there.
    """
    entry = entry_named(name, [{"file": video.file} for video in params.videos])
    video = next(video for video in params.videos if video.file == entry["file"])
    if video.skip is not None:
        raise InputError(
            f"{name}: this film is left out (skip: {video.skip}), one that is used was expected; take it back with `python "
            f"-m screentime video unskip {video.video_id}`"
        )
    return video


def entry_named(name: str, entries: Sequence[Mapping]) -> Mapping:
    """The entry of `videos`, a mapping with `file`, that a person means by a video_id or by the name of a file.

    Raises:
        InputError: there is none.
    """
    name = unicodedata.normalize("NFC", name)
    for entry in entries:
        file = unicodedata.normalize("NFC", entry["file"])
        if name in (Path(file).stem, file) or Path(name).name == Path(file).name:
            return entry
    known = [Path(entry["file"]).stem for entry in entries]
    raise InputError(f"{name}: no film in params.yaml has this video_id or file name; {did_you_mean(name, known)}")


def sampled_frames(frames: Path, video: Video, params: Params) -> FramePack:
    """The film's sampled frames, sampled as params.yaml says now.

    Raises:
        InputError: the film is not sampled, or was sampled at another fps.
    """
    pack = open_frames(frames, video.video_id)
    if abs(pack.facts["fps"] - params.sample.fps) > 1e-6:
        raise InputError(
            f"{frames / video.video_id}.json: sampled at {pack.facts['fps']:g} frames per second, sample.fps in "
            f"params.yaml is {params.sample.fps:g}; run `dvc repro sample` first"
        )
    return pack


def _to_be_merged(others: list[Path]) -> str:
    """What to do where a second person labelled a film too."""
    return (
        f"labelled by two people: {', '.join(str(path) for path in others)}; both files are kept, and only VIDEO.csv is "
        "used; next: `python -m screentime labels agree VIDEO` compares them, `labels merge VIDEO` brings them together"
    )


def _check_film(video: Video, params: Params, labels: Path, frames: Path) -> int:
    """Check the files of one film; the number of its label rows."""
    pack = _pack(frames, video)
    length_s = pack.facts["length_s"] if pack else None
    path = label_file(labels, f"{video.video_id}.csv")
    rows = len(read_labels(path, params.cast, length_s)) if path.is_file() else 0
    read_skips(label_file(labels, f"{video.video_id}.skip.csv"), length_s)
    read_record(label_file(labels, f"{video.video_id}.audit.csv"), pack)
    if pack:
        answers_of(path, params.cast, pack)
    return rows


def _pack(frames: Path, video: Video) -> FramePack | None:
    return open_frames(frames, video.video_id) if (frames / f"{video.video_id}.csv").is_file() else None
