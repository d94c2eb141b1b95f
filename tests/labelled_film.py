"""A project with sampled and embedded films whose truth is known by construction, ready for the labeller.

Every shot has a background of its own, every character is a square of its colour; features hold what a backbone would
see of that. The files are the real ones: an index, a packed MJPEG, the facts, an array.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
import yaml

from screentime.files import write_array, write_json
from screentime.frames import encode_jpeg
from screentime.params import Params, load
from screentime.table_files import write_table
from screentime.tables import FRAMES

ROOT = Path(__file__).parents[1]
SHOT = 8  # frames


def truth(n_frames: int, n_characters: int, seed: int = 0) -> np.ndarray:
    """(n_frames, n_characters) bool: who is there; whole shots, some of which somebody leaves half way."""
    random = np.random.default_rng(seed)
    n_shots = -(-n_frames // SHOT)
    there = np.repeat(random.random((n_shots, n_characters)) < 0.35, SHOT, axis=0)[:n_frames]
    for shot in range(0, n_shots, 5):
        there[shot * SHOT + SHOT // 2 : (shot + 1) * SHOT, 0] = False
    return there


def write_film(folder: Path, video_id: str, there: np.ndarray, seed: int = 0) -> None:
    """Write what the stages sample and embed would: one frame a second, 96 by 54 pixels."""
    n_frames, n_characters = there.shape
    random = np.random.default_rng(seed)
    backgrounds = random.integers(30, 226, (-(-n_frames // SHOT), 3))
    colours = random.integers(0, 256, (n_characters, 3))
    frames, features = folder / "data" / "frames", folder / "data" / "features"
    for place in (frames, features):
        place.mkdir(parents=True, exist_ok=True)
    offsets, sizes, packed = [], [], bytearray()
    for frame in range(n_frames):
        picture = np.empty((54, 96, 3), np.uint8)
        picture[:] = backgrounds[frame // SHOT]
        for character in np.flatnonzero(there[frame]):
            row, column = divmod(int(character), 6)
            picture[4 + row * 16 : 16 + row * 16, 4 + column * 15 : 16 + column * 15] = colours[character]
        jpeg = encode_jpeg(picture, 72)
        offsets.append(len(packed))
        sizes.append(len(jpeg))
        packed += jpeg
    (frames / f"{video_id}.mjpeg").write_bytes(packed)
    times_s = np.arange(n_frames, dtype=float)
    index = pandas.DataFrame(
        {
            "time_s": times_s, "duration_s": 1.0, "frame_time_s": times_s, "frame_end_s": times_s + 1,
            "offset": offsets, "size": sizes,
        }
    )  # fmt: skip
    write_table(frames / f"{video_id}.csv", index, FRAMES)
    facts = {
        "fps": 1, "length_s": n_frames, "n_frames": n_frames, "video_sha256": "0" * 64, "first_frame_time_s": 0,
        "width": 96, "height": 54,
    }  # fmt: skip
    write_json(frames / f"{video_id}.json", facts)
    seen = np.repeat(random.normal(size=(len(backgrounds), 24)), SHOT, axis=0)[:n_frames]
    means = np.hstack([there * 1.0, seen]) + random.normal(scale=0.05, size=(n_frames, n_characters + 24))
    write_array(features / f"{video_id}.npy", np.hstack([means, np.abs(means)]).astype(np.float16))


def write_project(folder: Path, films: Sequence[str], cast: Sequence[str], n_frames: int = 96, seed: int = 0) -> Params:
    """Write params.yaml and the films; the parameters as the labeller reads them."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params |= {"videos": [f"{video_id}.mp4" for video_id in films], "cast": list(cast)}
    params["suggest"]["frames"] = 24
    params["embed"] |= {"width": 96, "height": 64}  # what a network that learns beside a labeller is shown
    params.pop("demo")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False, allow_unicode=True), encoding="utf-8")
    (folder / "data" / "labels").mkdir(parents=True, exist_ok=True)
    for number, video_id in enumerate(films):
        write_film(folder, video_id, truth(n_frames, len(cast), seed + number), seed + number)
    return load(folder / "params.yaml")
