"""Stage fill: cells that nobody has answered, filled where a light head is sure; beside people's labels, never in them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.files import new_folder, number, write_json
from screentime.labelled_films import LabelledFilm, head_of, open_films
from screentime.light_head import CALIBRATED_FROM
from screentime.params import Fill, Params
from screentime.tables import FILLED, write_table
from screentime.wording import count_text


def fill(
    *, frames: Path, features: Path, targets: Path, audit: Path, skipped: Path, filled: Path, metrics: Path,
    params: Params,
) -> None:  # fmt: skip
    """Write <video_id>.csv for every film: a row for each open cell (a frame and a character) that the light head is sure of.

    Open is what has no answer, was not drawn by an audit and is not in a skipped range. Sure is a calibrated score of at
    least fill.above (present) or at most fill.below (absent). The light head is fitted here on the labels of all films; no
    trained model has a say. Nothing is filled in a film whose labels only measure, or for a character that too few frames
    are labelled for. A filled cell is no label: it counts nowhere, and trains only where preprocess.filled says so.

    metrics holds how many cells were filled, and how often a person had said the same: of the labelled cells whose
    held-out score passes a threshold, how many are right.
    """
    films = open_films(
        [video.video_id for video in params.shown_videos], params.cast, frames=frames, features=features,
        targets=targets, audit=audit, skipped=skipped,
    )  # fmt: skip
    head, held_out = head_of(films)
    measuring = {video.video_id for video in params.shown_videos if video.split == "test"}
    counts = {}
    sure = np.zeros((2, len(params.cast)), int)
    with new_folder(filled) as folder:
        for video_id, film in films.items():
            if video_id in measuring:
                print(f"{video_id}: nothing filled, its labels only measure")
                continue
            open_cells = ~film.answered & (film.shown & ~film.drawn)[:, None]
            scores = np.where(head.calibrated, head.scores(film.in_context()), np.nan)
            present, absent = (open_cells & past for past in _past(scores, params.fill))
            table = _table(film, scores, present, absent, params.cast)
            write_table(folder / f"{video_id}.csv", table, FILLED)
            sure += [present.sum(axis=0), absent.sum(axis=0)]
            counts[video_id] = {
                "open": int(open_cells.sum()),
                "present": int(present.sum()),
                "absent": int(absent.sum()),
            }
            print(
                f"{filled / video_id}.csv: {len(table):,} of {count_text(open_cells.sum(), 'open cell', 'open cells')} filled "
                f"({present.sum():,} present, {absent.sum():,} absent)"
            )
    said = np.concatenate([film.targets[film.taught()] for film in films.values()])
    scores = np.where(head.calibrated, np.concatenate(held_out), np.nan)
    characters = {}
    for column, name in enumerate(params.cast):
        judged = [past & ~np.isnan(said[:, column]) for past in _past(scores[:, column], params.fill)]
        characters[name] = {
            word: {
                "filled": int(sure[side, column]),
                "labelled": int(judged[side].sum()),
                "right": int((said[judged[side], column] == 1 - side).sum()),
            }
            for side, word in enumerate(("present", "absent"))
        }
    write_json(metrics, {"characters": characters, "videos": counts})
    print(_precision(characters, params.fill))
    left = [name for name, calibrated in zip(params.cast, head.calibrated, strict=True) if not calibrated]
    if left:
        print(
            f"{', '.join(left)}: nothing filled, at least {CALIBRATED_FROM} frames labelled present, and as many absent, "
            "are needed for a calibrated score"
        )


def _past(scores: np.ndarray, thresholds: Fill) -> tuple[np.ndarray, np.ndarray]:
    """Which scores are sure to be present, and which absent; bool, each of the scores' shape. NaN is neither."""
    return scores >= thresholds.above, scores <= thresholds.below


def _table(
    film: LabelledFilm, scores: np.ndarray, present: np.ndarray, absent: np.ndarray, cast: Sequence[str]
) -> pandas.DataFrame:
    """The rows of one film; scores, present and absent are (n_frames, n_characters)."""
    frame, column = np.nonzero(present | absent)
    return pandas.DataFrame(
        {
            "time_s": film.times_s[frame],
            "character": np.array(cast, object)[column],
            "present": np.where(present[frame, column], "1", "0"),
            "score": scores[frame, column].astype(np.float64),
        }
    )


def _precision(characters: dict, thresholds: Fill) -> str:
    """One line: how often people had said the same where a held-out score passes a threshold."""
    total = {
        word: [sum(one[word][what] for one in characters.values()) for what in ("right", "labelled")]
        for word in ("present", "absent")
    }
    return (
        f"held out: of {total['present'][1]:,} labelled cells with a score of {number(thresholds.above)} or more, "
        f"{total['present'][0]:,} are labelled present; of {total['absent'][1]:,} with {number(thresholds.below)} or less, "
        f"{total['absent'][0]:,} absent"
    )


if __name__ == "__main__":
    command.run(fill)
