"""Tables of made-up films, written by their contracts, for tests of what reads them."""

from pathlib import Path

import numpy as np
import pandas

from screentime.files import write_json
from screentime.frames import FramePack, open_frames
from screentime.params import Params, load
from screentime.sections import Video
from screentime.table_files import write_table
from screentime.tables import FRAMES, OUT_OF_FOLD, SCORES

SHA256 = "ab" * 32
CAST = ("ann", "bob")


def params(*videos: Video, cast: tuple[str, ...] = CAST) -> Params:
    """The project's own parameters, with other films and another cast."""
    own = load(Path(__file__).parents[1] / "params.yaml")
    return own.model_copy(update={"videos": videos or (Video(file="film.mp4"),), "cast": cast})


def sampled(folder: Path, video_id: str = "film", *, length_s: float = 20.0, fps: float = 1.0) -> FramePack:
    """The index and the facts of a film of 25 frames a second; there are no pictures."""
    times = np.arange(0, length_s, 1 / fps).round(6)
    shown = (np.floor(times * 25 + 1e-6) / 25).round(6)
    rows = pandas.DataFrame({"time_s": times, "frame_time_s": shown, "frame_end_s": (shown + 0.04).round(6)})
    rows["duration_s"] = np.diff(times, append=length_s)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / f"{video_id}.csv", rows.assign(offset=0, size=0), FRAMES)
    facts = {"video_id": video_id, "video_sha256": SHA256, "fps": fps, "length_s": length_s}
    write_json(folder / f"{video_id}.json", facts)
    return open_frames(folder, video_id)


def written(path: Path, *lines: str) -> Path:
    """A text file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def scored(path: Path, times: np.ndarray, scores: np.ndarray, cast: tuple[str, ...] = CAST) -> None:
    """A table of scores; scores is (n_frames, n_characters) in [0, 1]."""
    rows = pandas.DataFrame(dict(zip(cast, scores.T, strict=True)))
    write_table(path, rows.assign(time_s=times), SCORES, cast)


def held_out(path: Path, video_id: str, times: np.ndarray, scores: np.ndarray, cast: tuple[str, ...] = CAST) -> None:
    """A table of out-of-fold scores of one film."""
    rows = pandas.DataFrame(dict(zip(cast, scores.T, strict=True)))
    write_table(path, rows.assign(video_id=video_id, time_s=times), OUT_OF_FOLD, cast)
