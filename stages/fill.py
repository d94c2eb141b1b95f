"""Stage fill: cells that nobody has answered, filled where a light head is sure; beside people's labels, never in them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.files import new_folder, number, write_json
from screentime.labelled_films import LabelledFilm, head_of, open_films
from screentime.light_head import CALIBRATED_FROM
from screentime.params import Params
from screentime.sections import Fill
from screentime.table_files import write_table
from screentime.tables import FILLED
from screentime.wording import count_text

SIDES = ("present", "absent")


def fill(
    *, frames: Path, features: Path, targets: Path, skipped: Path, filled: Path, metrics: Path, params: Params
) -> None:
    """Write <video_id>.csv for every film: a row for each open cell (a frame and a character) that the light head is sure of.

    Open is what has no answer, was not drawn by an audit and is not in a skipped range. Sure is a calibrated score of at
    least fill.above (present) or at most fill.below (absent). The light head is fitted here on the labels of all films; no
    trained model has a say. Nothing is filled in a film whose labels only measure, or for a character that too few frames
    are labelled for. A filled cell is no label: it counts nowhere, and trains only where preprocess.filled says so.

    metrics holds how many cells were filled, and how often people had said the same: of the labelled cells whose held-out
    score passes a threshold, how many are right.
    """
    films = open_films(
        [video.video_id for video in params.shown_videos], params.cast, frames=frames, features=features,
        targets=targets, audit=None, skipped=skipped,
    )  # fmt: skip
    head, held_out = head_of(films)
    filling = {video.video_id for video in params.shown_videos if video.split != "test"}
    counts, n_filled = {}, np.zeros((2, len(params.cast)), int)
    with new_folder(filled) as folder:
        for video_id in [one for one in films if one in filling]:
            film = films[video_id]
            open_cells = ~film.answered & (film.shown & ~film.drawn)[:, None]
            scores = np.where(head.calibrated, head.scores(film.in_context(), video_id, film.times_s), np.nan)
            sure = _past(scores, params.fill) & open_cells
            write_table(folder / f"{video_id}.csv", _rows(film, scores, sure, params.cast), FILLED)
            n_filled += sure.sum(axis=1)
            counts[video_id] = {"open": open_cells.sum(), "present": sure[0].sum(), "absent": sure[1].sum()}
            print(f"{filled / video_id}.csv: {_filled_text(counts[video_id])}")
    said = np.concatenate([film.targets[film.taught()] for film in films.values()])
    judged = _past(np.where(head.calibrated, np.concatenate(held_out), np.nan), params.fill) & ~np.isnan(said)
    right = judged & np.stack([said == 1, said == 0])
    characters = {
        name: {
            side: {
                "filled": n_filled[row, column],
                "labelled": judged[row, :, column].sum(),
                "right": right[row, :, column].sum(),
            }
            for row, side in enumerate(SIDES)
        }
        for column, name in enumerate(params.cast)
    }
    write_json(metrics, {"characters": characters, "videos": counts})
    (n_present, n_absent), (right_present, right_absent) = judged.sum(axis=(1, 2)), right.sum(axis=(1, 2))
    print(
        f"held out: of {n_present:,} labelled cells with a score of {number(params.fill.above)} or more {right_present:,} are "
        f"labelled present, of {n_absent:,} with {number(params.fill.below)} or less {right_absent:,} absent"
    )
    measuring = [video_id for video_id in films if video_id not in filling]
    if measuring:
        print(f"{', '.join(measuring)}: nothing filled, the labels of these films only measure")
    left = [name for name, calibrated in zip(params.cast, head.calibrated, strict=True) if not calibrated]
    if left:
        print(
            f"{', '.join(left)}: nothing filled; labelled present, and absent, in at least {CALIBRATED_FROM} frames, a "
            "character has a calibrated score"
        )


def _past(scores: np.ndarray, thresholds: Fill) -> np.ndarray:
    """Which scores are sure to be present, and which absent: (2, ...) bool. NaN is neither."""
    return np.stack([scores >= thresholds.above, scores <= thresholds.below])


def _rows(film: LabelledFilm, scores: np.ndarray, sure: np.ndarray, cast: Sequence[str]) -> pandas.DataFrame:
    """The table of one film; scores (n_frames, n_characters), sure as `_past` says."""
    frame, column = np.nonzero(sure.any(axis=0))
    return pandas.DataFrame(
        {
            "time_s": film.times_s[frame],
            "character": np.array(cast, object)[column],
            "present": np.where(sure[0, frame, column], "1", "0"),
            "score": scores[frame, column].astype(np.float64),
        }
    )


def _filled_text(counts: dict) -> str:
    n_filled = counts["present"] + counts["absent"]
    return (
        f"{n_filled:,} of {count_text(counts['open'], 'open cell', 'open cells')} filled ({counts['present']:,} present, "
        f"{counts['absent']:,} absent)"
    )


if __name__ == "__main__":
    command.run(fill)
