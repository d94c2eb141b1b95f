"""Stage suggest: which frames of every film are worth a person's next minute."""

from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.files import new_folder
from screentime.labelled_films import LabelledFilm, head_of, open_films
from screentime.params import Params
from screentime.select import LEAST_FIRST, doubted_frames, first_frames, shared, uncertain_frames
from screentime.table_files import write_table
from screentime.tables import SUGGESTIONS

PURPOSES = ("start", "audit", "review", "check")  # in the order in which they are useful
DOUBTED_FROM = 0.5  # a label and its out-of-fold score on two sides


def suggest(
    *, frames: Path, features: Path, targets: Path, audit: Path, skipped: Path, suggestions: Path, params: Params
) -> None:
    """Write <video_id>.csv for every film: the frames that are worth a look, and what a light head thinks of them.

    `start`: frames that differ from each other, until enough are labelled. `audit`: drawn frames that wait for an answer,
    without scores. `review`: the least certain of the rest, at most one a shot. `check`: labels that the others speak
    against. The light head is fitted here on the labels of all films; no trained model has a say, and drawn frames teach
    nothing. Skipped ranges are not suggested.
    """
    films = open_films(
        [video.video_id for video in params.shown_videos], params.cast, frames=frames, features=features,
        targets=targets, audit=audit, skipped=skipped,
    )  # fmt: skip
    head, held_out = head_of(films)
    counts = shared(params.suggest.frames, [int(film.shown.sum()) for film in films.values()], LEAST_FIRST)
    with new_folder(suggestions) as folder:
        for (video_id, film), of_film, count in zip(films.items(), held_out, counts, strict=True):
            scores = head.scores(film.in_context(), video_id, film.times_s)
            table = _suggested(film, scores, of_film, count, params)
            write_table(folder / f"{video_id}.csv", table, SUGGESTIONS, params.cast)
            found = table["purpose"].value_counts()
            told = ", ".join(f"{found[purpose]} to {purpose}" for purpose in PURPOSES if purpose in found)
            print(f"{suggestions / video_id}.csv: {told or 'nothing is left to label'}")


def _suggested(
    film: LabelledFilm, scores: np.ndarray, held_out: np.ndarray, count: int, params: Params
) -> pandas.DataFrame:
    """The table of one film, which wants `count` first frames."""
    answered, taught = film.answered.any(axis=1), film.taught()
    free = ~answered & ~film.drawn & film.shown
    doubted = taught[doubted_frames(film.targets[taught], held_out, DOUBTED_FROM)]
    missing = count - int(answered.sum())
    first = first_frames(film.seen, film.shots, free, missing, params.suggest.seed) if missing > 0 else []
    rows = {
        "start": first,
        "audit": np.flatnonzero(film.waiting),
        "review": [
            one for one in uncertain_frames(scores, film.shots, free, params.suggest.review) if one not in first
        ],
        "check": doubted[: params.suggest.check],
    }
    places = np.concatenate([np.asarray(rows[purpose], np.int64) for purpose in PURPOSES])
    table = pandas.DataFrame({"rank": np.arange(1, len(places) + 1), "time_s": film.times_s[places]})
    table["purpose"] = [purpose for purpose in PURPOSES for _ in rows[purpose]]
    shown = np.where((table["purpose"] == "audit").to_numpy()[:, None], np.nan, scores[places].astype(np.float64))
    table[list(params.cast)] = shown
    return table


if __name__ == "__main__":
    command.run(suggest)
