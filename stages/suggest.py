"""Stage suggest: which frames of every film are worth a person's next minute."""

from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.files import new_folder
from screentime.frames import open_frames
from screentime.params import Params
from screentime.select import diverse_frames
from screentime.tables import SUGGESTIONS, TARGETS, read_table, write_table


def suggest(*, frames: Path, features: Path, targets: Path, suggestions: Path, params: Params) -> None:
    """Write <video_id>.csv for every film: the first frames to label, chosen to differ from each other.

    A frame that has an answer, or that an audit drew, is not suggested. Scores stay empty: no model has a say here.
    """
    with new_folder(suggestions) as folder:
        for video in params.shown_videos:
            pack = open_frames(frames, video.video_id)
            free = np.flatnonzero(~_taken(targets / f"{video.video_id}.csv", pack.times_s))
            seen = np.load(features / f"{video.video_id}.npy", mmap_mode="r", allow_pickle=False)
            means = seen[free, : seen.shape[1] // 2]  # the maximum, which follows, says less of a whole picture
            chosen = free[diverse_frames(means, params.suggest.frames, params.suggest.seed)]
            table = pandas.DataFrame({"rank": np.arange(1, len(chosen) + 1), "time_s": pack.times_s[chosen]})
            table["purpose"] = "start"
            table[list(params.cast)] = np.nan
            write_table(folder / f"{video.video_id}.csv", table, SUGGESTIONS, params.cast)
            print(f"{suggestions / video.video_id}.csv: {len(chosen)} frames to label next")


def _taken(path: Path, times_s: np.ndarray) -> np.ndarray:
    """(n_frames,) bool: which sampled frames have an answer or were drawn."""
    if not path.is_file():
        return np.zeros(len(times_s), bool)
    return np.isin(times_s, read_table(path, TARGETS)["time_s"].to_numpy())


if __name__ == "__main__":
    command.run(suggest)
