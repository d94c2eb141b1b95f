"""Stage sample: the frame on screen at t = k/fps of every film, with its exact time and the time it stands for."""

import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pandas
import yaml

from screentime import command
from screentime.files import read_json, sha256_of, write_json
from screentime.folders import Task, Workers, side_by_side, stale_tasks, step_inputs, update_folder
from screentime.frames import encode_jpeg
from screentime.params import Params, Video
from screentime.room import room_told
from screentime.tables import FRAMES, write_table
from screentime.timeline import frame_durations, rounded_s
from screentime.video import VideoSampler, header_of

WORTH_A_WORKER_S = 120.0  # of film: less is sampled before another process has started


def sample(*, videos: Path, frames: Path, metrics: Path, params: Params) -> None:
    """Write <video_id>.mjpeg, .csv and .json for every film: its frames, their index, and what was found out.

    A film whose file, parameters and code are unchanged is kept. What could not be decoded is counted in the metrics.
    """
    settings = params.sample.model_dump()
    workers = settings.pop("workers")
    every_video = step_inputs("stages.sample", ["av", "numpy", "opencv-python-headless"], settings)
    _warn_of_undeclared(videos, params.shown_videos)
    paths = [videos / video.file for video in params.shown_videos]
    tasks = [
        Task(
            video.video_id,
            every_video | {"video_sha256": video_sha256},
            partial(sample_video, path=path, video_id=video.video_id, **settings),
            partial(_claimed_length_s, path),
        )
        for video, path, video_sha256 in zip(params.shown_videos, paths, side_by_side(_hash, paths), strict=True)
    ]
    stale = stale_tasks(frames, tasks)
    files = dict(zip((task.video_id for task in tasks), paths, strict=True))
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


def sample_video(
    folder: Path,
    tell: Callable[[float], None],
    *,
    path: Path,
    video_id: str,
    fps: float,
    max_side: int,
    jpeg_quality: int,
) -> None:
    """Sample one film into a folder, frame by frame: memory does not grow with its length but for the index."""
    sampler = VideoSampler(path, Fraction(str(fps)), max_side)
    rows = []
    offset = 0
    with open(folder / f"{video_id}.mjpeg", "wb") as pack:
        for frame in sampler:
            jpeg = encode_jpeg(frame.image, jpeg_quality)
            pack.write(jpeg)
            rows.append((*map(rounded_s, (frame.time_s, frame.frame_time_s, frame.frame_end_s)), offset, len(jpeg)))
            offset += len(jpeg)
            tell(float(frame.time_s / sampler.claimed_s) if sampler.claimed_s else 0.0)
    facts = sampler.facts
    length_s = rounded_s(facts.length_s)
    index = pandas.DataFrame(rows, columns=["time_s", "frame_time_s", "frame_end_s", "offset", "size"])
    index["duration_s"] = frame_durations(index["time_s"].to_numpy(), length_s)
    write_table(folder / f"{video_id}.csv", index, FRAMES)
    write_json(
        folder / f"{video_id}.json",
        {
            "video_id": video_id,
            "video_sha256": sha256_of(path),
            "fps": fps,
            "n_frames": len(index),
            "length_s": length_s,
            "claimed_s": None if facts.claimed_s is None else rounded_s(facts.claimed_s),
            "missing_s": rounded_s(facts.missing_s),
            "first_frame_time_s": rounded_s(facts.first_frame_time_s),
            "codec": facts.codec,
            "rotation": facts.rotation,
            "native_width": facts.native_width,
            "native_height": facts.native_height,
            "width": facts.width,
            "height": facts.height,
            "frames_decoded": facts.frames_decoded,
            "bad_packets": facts.bad_packets,
            "repaired_timestamps": facts.repaired_timestamps,
            "held_frames": int(np.sum(index["frame_time_s"].duplicated())),
        },
    )


def _claimed_length_s(path: Path) -> float:
    """How long a film says it is, seconds; 0 where that cannot be told."""
    return header_of(path, max_side=1).length_s


def _hash(path: Path) -> str | None:
    """The sha256 of a film; None where there is no file: sampling then says so, film by film."""
    return sha256_of(path) if path.is_file() else None


def _warn_of_undeclared(videos: Path, listed: tuple[Video, ...]) -> None:
    """Say it where DVC would not notice a change of a film, because its name is missing among the deps of this stage."""
    declaration = Path("dvc.yaml")
    if not declaration.is_file():
        return
    deps = yaml.safe_load(declaration.read_text(encoding="utf-8"))["stages"].get("sample", {}).get("deps", [])
    for video in listed:
        path = (videos / video.file).as_posix()
        if path not in deps:
            print(
                f"dvc.yaml: stages: sample: '{path}' is not among the deps, every film of params.yaml was expected; add "
                "it, or DVC will not notice when that film changes",
                file=sys.stderr,
            )


if __name__ == "__main__":
    command.run(sample)
