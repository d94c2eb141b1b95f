"""The sampled frames of a video as one packed file: JPEGs end to end, an index table, and the facts of the sampling.

The packed file is an ordinary MJPEG stream: players open it.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from screentime.errors import InputError
from screentime.files import read_json
from screentime.table_files import read_table
from screentime.tables import FRAMES


@dataclass(frozen=True)
class Sampling:
    """How frames are taken out of films: what a trained model must be shown frames by.

    Attributes:
        fps: frames per second of film.
        max_side: the long side of a kept frame is at most this many pixels.
        jpeg_quality: in [1, 100].
    """

    fps: float
    max_side: int
    jpeg_quality: int


@dataclass(frozen=True)
class FramePack:
    """The sampled frames of one video; pictures are read from disk one at a time.

    Attributes:
        video_id: the video.
        times_s: (n_frames,) float64, seconds, k/fps.
        durations_s: (n_frames,) float64, seconds, > 0; their sum is the length of the video.
        frame_times_s: (n_frames,) float64, seconds: the decoded frame's own timestamp, <= times_s.
        frame_ends_s: (n_frames,) float64, seconds: when that decoded frame leaves the screen, > times_s.
        facts: what sampling found out about the video (docs/formats.md, data/frames/<video_id>.json).
    """

    video_id: str
    times_s: np.ndarray
    durations_s: np.ndarray
    frame_times_s: np.ndarray
    frame_ends_s: np.ndarray
    facts: dict
    _path: Path
    _offsets: np.ndarray
    _sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.times_s)

    def jpeg(self, index: int) -> bytes:
        """The JPEG of one frame, as it was packed.

        Raises:
            InputError: the film is private and its pictures are not on this machine.
        """
        if self.facts.get("private") and not self._path.is_file():
            raise InputError(
                f"{self._path}: the pictures of a private film were expected, they are not on this machine; run this where "
                f"the film is, or leave it out with `python -m screentime video skip {self.video_id} --reason ...`"
            )
        with open(self._path, "rb") as file:
            file.seek(self._offsets[index])
            return file.read(self._sizes[index])

    def image(self, index: int) -> np.ndarray:
        """One frame as (height, width, 3) uint8, RGB, upright."""
        return decode_jpeg(self.jpeg(index))


def pack_name(video_id: str, private: bool) -> str:
    """The file that holds the pictures; .dvcignore keeps those of private films out of what is shared.

    >>> pack_name("e01", private=True)
    'e01.private.mjpeg'
    """
    return f"{video_id}.private.mjpeg" if private else f"{video_id}.mjpeg"


def open_frames(folder: Path, video_id: str) -> FramePack:
    """Open the packed frames of a video.

    Args:
        folder: the output of the stage sample (data/frames).
        video_id: the video.

    Raises:
        InputError: the video has not been sampled.
    """
    index_path = folder / f"{video_id}.csv"
    if not index_path.is_file():
        raise InputError(f"{index_path}: no sampled frames were found for '{video_id}'; run `dvc repro sample`")
    table = read_table(index_path, FRAMES)
    facts = read_json(folder / f"{video_id}.json")
    return FramePack(
        video_id=video_id,
        times_s=table["time_s"].to_numpy(),
        durations_s=table["duration_s"].to_numpy(),
        frame_times_s=table["frame_time_s"].to_numpy(),
        frame_ends_s=table["frame_end_s"].to_numpy(),
        facts=facts,
        _path=folder / pack_name(video_id, facts.get("private", False)),
        _offsets=table["offset"].to_numpy(),
        _sizes=table["size"].to_numpy(),
    )


def n_frames_of(folder: Path, video_id: str) -> int:
    """How many sampled frames a video has."""
    return read_json(folder / f"{video_id}.json")["n_frames"]


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """A picture, (height, width, 3) uint8 RGB, as JPEG bytes with optimized Huffman tables; quality in [1, 100]."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be encoded as JPEG")
    return encoded.tobytes()


def decode_jpeg(data: bytes) -> np.ndarray:
    """JPEG bytes as a picture, (height, width, 3) uint8 RGB."""
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
