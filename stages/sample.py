"""Stage sample: the frame on screen at t = k/fps of every film, with its exact time and the time it stands for."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import yaml

from screentime import command
from screentime.errors import InputError
from screentime.files import read_json, sha256_of, write_json
from screentime.folders import Task, Workers, side_by_side, stale_tasks, step_inputs, update_folder
from screentime.frames import Sampling, pack_name
from screentime.packing import pack_film
from screentime.params import Params
from screentime.room import room_told
from screentime.sections import Video
from screentime.video import header_of

WORTH_A_WORKER_S = 120.0  # of film: less is sampled before another process has started


def sample(*, videos: Path, frames: Path, metrics: Path, params: Params) -> None:
    """Write <video_id>.mjpeg, .csv and .json for every film: its frames, their index, and what was found out.

    A film whose file, parameters and code are unchanged is kept. What could not be decoded is counted in the metrics.
    The pictures of a private film lie in <video_id>.private.mjpeg, which DVC passes over; where the film is not on this
    machine, the rest of what others have sampled is kept.
    """
    settings = params.sample.model_dump()
    workers = settings.pop("workers")
    every_video = step_inputs("stages.sample", ["av", "numpy", "opencv-python-headless"], settings)
    _warn_of_undeclared(videos, params.shown_videos)
    paths = [videos / video.file for video in params.shown_videos]
    tasks = [
        _task(video, path, video_sha256, settings, every_video)
        for video, path, video_sha256 in zip(params.shown_videos, paths, side_by_side(_hash, paths), strict=True)
    ]
    stale = stale_tasks(frames, tasks)
    files = dict(zip((task.video_id for task in tasks), paths, strict=True))
    _check_private(params.shown_videos, files, stale)
    headers = [header_of(files[task.video_id], settings["max_side"]) for task in stale]
    if told := room_told(frames, headers, settings["fps"], settings["jpeg_quality"]):
        print(told, flush=True)
    update_folder(frames, tasks, stale, Workers(workers, threads=1, worth=WORTH_A_WORKER_S), verb="sampling")
    facts = {task.video_id: read_json(frames / f"{task.video_id}.json") for task in tasks}
    totals = {
        name: sum(film[name] for film in facts.values())
        for name in ("length_s", "n_frames", "missing_s", "bad_packets")
    }
    write_json(metrics, {"videos": facts, "total": totals})
    print(f"{frames}: {len(stale)} of {len(tasks)} films sampled now, the others kept; {totals['n_frames']} frames")


def _task(video: Video, path: Path, video_sha256: str | None, settings: dict, every_video: dict) -> Task:
    """The sampling of one film, which must be the one that params.yaml names where it says which."""
    absent = video.private and video_sha256 is None
    if video_sha256 and video.sha256 and video_sha256 != video.sha256:
        work = partial(_refuse, path=path, found=video_sha256, expected=video.sha256)
    else:
        work = partial(
            sample_video, path=path, video_id=video.video_id, private=video.private, sampling=Sampling(**settings)
        )
    return Task(
        video.video_id,
        every_video | {"video_sha256": video.sha256 if absent else video_sha256, "private": video.private},
        work,
        partial(_claimed_length_s, path),
        may_lack=(pack_name(video.video_id, private=True),) if absent else (),
    )


def sample_video(folder: Path, tell: Callable[[float], None], **what: object) -> None:
    """Sample one film into a folder; `what` as for `pack_film`."""
    for _ in pack_film(folder, tell, **what):
        pass


def _refuse(folder: Path, tell: Callable[[float], None], *, path: Path, found: str, expected: str) -> None:
    """Another film has taken the name of one that labels may rest on."""
    raise InputError(
        f"{path}: sha256 {found[:12]}... was found, params.yaml names a film with {expected[:12]}..., on which labels may "
        "rest; bring that film back, or add this one under another name with `python -m screentime video add --name`"
    )


def _check_private(videos: Sequence[Video], files: dict[str, Path], stale: Sequence[Task]) -> None:
    """A private film that would have to be sampled but is not here is told before anything is touched."""
    private = {video.video_id for video in videos if video.private}
    for task in stale:
        if task.video_id in private and not files[task.video_id].is_file():
            raise InputError(
                f"{files[task.video_id]}: this private film was expected here, as its frames are missing or were made with "
                "other parameters or code; add the film itself with `python -m screentime video add --private`, put the "
                f"parameters back, or leave it out with `python -m screentime video skip {task.video_id} --reason ...`"
            )


def _claimed_length_s(path: Path) -> float:
    """How long a film says it is, seconds; 0 where that cannot be told."""
    return header_of(path, max_side=1).length_s


def _hash(path: Path) -> str | None:
    """The sha256 of a film; None where there is no file: sampling then says so, film by film."""
    return sha256_of(path) if path.is_file() else None


def _warn_of_undeclared(videos: Path, listed: tuple[Video, ...]) -> None:
    """Say it where DVC would not notice a change of a film, because its name is missing among the deps of this stage.

    Films that do not lie in the project are none of its stage's.
    """
    declaration = Path("dvc.yaml")
    if not declaration.is_file() or not videos.absolute().is_relative_to(Path.cwd()):
        return
    deps = yaml.safe_load(declaration.read_text(encoding="utf-8"))["stages"].get("sample", {}).get("deps", [])
    for video in [video for video in listed if not video.private]:
        path = (videos / video.file).as_posix()
        if path not in deps:
            print(
                f"dvc.yaml: stages: sample: '{path}' is not among the deps, every film of params.yaml was expected; add "
                "it, or DVC will not notice when that film changes",
                file=sys.stderr,
            )


if __name__ == "__main__":
    command.run(sample)
