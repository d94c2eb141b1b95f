"""A film sampled into a folder: its packed frames, their index, and what was found out about it."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas

from screentime.files import sha256_of, write_json
from screentime.frames import Sampling, encode_jpeg, pack_name
from screentime.table_files import write_table
from screentime.tables import FRAMES
from screentime.timeline import frame_durations, rounded_s
from screentime.video import VideoSampler


def pack_film(
    folder: Path,
    tell: Callable[[float], None],
    *,
    path: Path,
    video_id: str,
    sampling: Sampling,
    private: bool = False,
    every_frame: bool = True,
    threads: int = 1,
) -> Iterator[bytes]:
    """Sample one film, frame by frame: memory does not grow with its length but for the index.

    To be iterated to its end: then index and facts are written.

    Args:
        folder: gets <video_id>.mjpeg (private: .private.mjpeg), .csv and .json.
        tell: is told the share of the film that is done.
        path: the film.
        video_id: what it is called.
        sampling: how frames are taken.
        private: whether its pictures stay on this machine.
        every_frame, threads: decode every frame and count all damage, or only what the samples need, by so many threads
            (`VideoSampler`).

    Yields:
        Each frame as it was packed, a JPEG, in order of time.

    Raises:
        InputError: as for `VideoSampler`.
    """
    sampler = VideoSampler(
        path, Fraction(str(sampling.fps)), sampling.max_side, every_frame=every_frame, threads=threads
    )
    rows = []
    offset = 0
    with open(folder / pack_name(video_id, private), "wb") as pack:
        for frame in sampler:
            jpeg = encode_jpeg(frame.image, sampling.jpeg_quality)
            pack.write(jpeg)
            yield jpeg
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
            "private": private,
            "fps": sampling.fps,
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
            "every_frame": facts.every_frame,
            "frames_decoded": facts.frames_decoded,
            "bad_packets": facts.bad_packets,
            "repaired_timestamps": facts.repaired_timestamps,
            "held_frames": int(np.sum(index["frame_time_s"].duplicated())),
        },
    )
