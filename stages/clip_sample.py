"""Stage clip_sample: up to N frames of every clip at its native rate, cut square."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas

from screentime import command
from screentime.clip_frames import chosen_frames, square
from screentime.clip_params import ClipParams, load
from screentime.clips import clip_path, learned_clips
from screentime.errors import InputError
from screentime.files import read_json, sha256_of, write_json
from screentime.folders import Task, Workers, side_by_side, stale_tasks, step_inputs, update_folder
from screentime.frames import encode_jpeg, pack_name
from screentime.table_files import write_table
from screentime.tables import FRAMES
from screentime.timeline import rounded_s
from screentime.video import NativeFrames, header_of

LEAVE_OUT = "take their rows out of data/clips.csv"
WORTH_A_WORKER_S = 120.0  # of video: less is sampled before another process has started


def clip_sample(*, table: Path, clips: Path, frames: Path, metrics: Path, params: ClipParams) -> None:
    """Write <clip_id>.mjpeg, .csv and .json for every clip of the classes that are learned.

    A clip whose file, parameters and code are unchanged is kept. A clip that cannot be read is named, the others finish.
    """
    settings = params.clip_sample.model_dump()
    workers = Workers(settings.pop("workers"), threads=1, worth=WORTH_A_WORKER_S)
    every_clip = step_inputs("stages.clip_sample", ["av", "numpy", "opencv-python-headless"], settings)
    learned, classes = learned_clips(table, params.clips)
    paths = [clip_path(clips, clip.name) for clip in learned]
    if not any(path.is_file() for path in paths):
        raise InputError(
            f"{clips}: none of the {len(paths)} clips of {table} was found; put them there under their names, or add them with "
            "`python -m screentime clips add`"
        )
    hashes = side_by_side(lambda path: sha256_of(path) if path.is_file() else None, paths)
    tasks = [
        Task(
            clip.clip_id,
            every_clip | {"clip": clip.name, "sha256": digest},
            partial(sample_clip, path=path, clip_id=clip.clip_id, name=clip.name, **settings),
            partial(_claimed_length_s, path),
        )
        for clip, path, digest in zip(learned, paths, hashes, strict=True)
    ]
    stale = stale_tasks(frames, tasks)
    update_folder(frames, tasks, stale, workers, verb="sampling", leave_out=LEAVE_OUT)
    facts = [read_json(frames / f"{task.video_id}.json") for task in tasks]
    totals = {name: sum(clip[name] for clip in facts) for name in ("n_frames", "bad_packets")}
    shorter = sum(clip["n_frames"] < settings["frames"] for clip in facts)
    write_json(metrics, {"n_clips": len(tasks), "n_classes": len(classes), "shorter_than_the_window": shorter} | totals)
    print(
        f"{frames}: {len(stale)} of {len(tasks)} clips sampled now, the others kept; {len(classes)} classes, "
        f"{totals['n_frames']} frames"
    )


def sample_clip(
    folder: Path,
    tell: Callable[[float], None],
    *,
    path: Path,
    clip_id: str,
    name: str,
    frames: int,
    choose: str,
    size: int,
    jpeg_quality: int,
) -> None:
    """Sample one clip into a folder."""
    film = NativeFrames(path)
    rows = []
    offset = 0
    with open(folder / pack_name(clip_id, private=False), "wb") as pack:
        for frame in chosen_frames(film, frames, choose):
            image = frame.image()
            jpeg = encode_jpeg(square(image, size), jpeg_quality)
            pack.write(jpeg)
            start_s, end_s = rounded_s(frame.start_s), rounded_s(frame.end_s)
            rows.append((start_s, rounded_s(frame.end_s - frame.start_s), start_s, end_s, offset, len(jpeg)))
            offset += len(jpeg)
            tell(len(rows) / frames)
    columns = [column.name for column in FRAMES.columns]
    write_table(folder / f"{clip_id}.csv", pandas.DataFrame(rows, columns=columns), FRAMES)
    write_json(
        folder / f"{clip_id}.json",
        {
            "clip": name,
            "n_frames": len(rows),
            "bad_packets": film.bad_packets,
            "native_width": image.shape[1],
            "native_height": image.shape[0],
        },
    )


def _claimed_length_s(path: Path) -> float:
    return header_of(path, max_side=1).length_s


if __name__ == "__main__":
    command.run(clip_sample, load, "clips/params.yaml")
