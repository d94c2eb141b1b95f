"""Stage suggest: which frames of every film are worth a person's next minute."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from screentime import command, light_head
from screentime.estimates import film_weights
from screentime.files import new_folder
from screentime.frames import open_frames
from screentime.light_head import LightHead
from screentime.params import Params
from screentime.select import LEAST, first_frames, likely_errors, shared, uncertain_frames
from screentime.shots import in_context, shot_starts
from screentime.tables import AUDIT, SKIPPED, SUGGESTIONS, TARGETS, read_table, write_table

PRESENT = {"1": 1.0, "0": 0.0}
PURPOSES = ("start", "audit", "review", "check")  # in the order in which they are useful
DOUBTED_FROM = 0.5  # a label and its out-of-fold score on two sides


@dataclass(frozen=True)
class Film:
    """One film as a person's labels leave it.

    Attributes:
        times_s: (n_frames,) float64, seconds.
        seen: (n_frames, n_features) float, what the backbone sees.
        shots: (n_shots,) int64, the first frame of every shot.
        targets: (n_frames, n_characters) float64, 1, 0 or NaN; of a test film nothing is known here.
        answered: (n_frames,) bool, there is an answer, `?` included.
        drawn: (n_frames,) bool, an audit drew the frame.
        waiting: (n_frames,) bool, it did, and some character has no answer yet.
        shown: (n_frames,) bool, the frame is part of the film: not in a skipped range.
    """

    times_s: np.ndarray
    seen: np.ndarray
    shots: np.ndarray
    targets: np.ndarray
    answered: np.ndarray
    drawn: np.ndarray
    waiting: np.ndarray
    shown: np.ndarray


def suggest(
    *, frames: Path, features: Path, targets: Path, audit: Path, skipped: Path, suggestions: Path, params: Params
) -> None:
    """Write <video_id>.csv for every film: the frames that are worth a look, and what a light head thinks of them.

    `start`: frames that differ from each other, until enough are labelled. `audit`: drawn frames that wait for an answer,
    without scores. `review`: the least certain of the rest, at most one a shot. `check`: labels that the others speak
    against. The light head is fitted here on the labels of all films; no trained model has a say, and drawn frames teach
    nothing. Skipped ranges are not suggested.
    """
    folders = frames, features, targets, audit, skipped
    films = {video.video_id: _film(video.video_id, *folders, params.cast) for video in params.shown_videos}
    head = _head(films)
    held_out = iter(np.split(head.held_out, np.cumsum([len(_taught(film)) for film in films.values()])[:-1]))
    counts = shared(params.suggest.frames, [int(film.shown.sum()) for film in films.values()], LEAST)
    with new_folder(suggestions) as folder:
        for (video_id, film), count in zip(films.items(), counts, strict=True):
            scores = head.scores(in_context(film.seen, film.shots), video_id, film.times_s)
            table = _suggested(film, scores, next(held_out), count, params)
            write_table(folder / f"{video_id}.csv", table, SUGGESTIONS, params.cast)
            found = table["purpose"].value_counts()
            told = ", ".join(f"{found[purpose]} to {purpose}" for purpose in PURPOSES if purpose in found)
            print(f"{suggestions / video_id}.csv: {told or 'nothing is left to label'}")


def _film(
    video_id: str, frames: Path, features: Path, targets: Path, audit: Path, skipped: Path, cast: Sequence[str]
) -> Film:
    pack = open_frames(frames, video_id)
    seen = np.load(features / f"{video_id}.npy", mmap_mode="r", allow_pickle=False)
    answers = np.full((len(pack), len(cast)), np.nan)
    answered, drawn, waiting = np.zeros((3, len(pack)), bool)
    path = targets / f"{video_id}.csv"
    if path.is_file():
        rows = read_table(path, TARGETS)
        frame = _frames_at(pack.times_s, rows)
        drawn[frame[rows["source"] == "drawn"]] = True
        said = rows["source"] != "drawn"
        answered[frame[said]] = True
        answers[frame[said], [cast.index(name) for name in rows.loc[said, "character"]]] = rows.loc[
            said, "present"
        ].map(PRESENT)
    path = audit / f"{video_id}.csv"
    if path.is_file():
        rows = read_table(path, AUDIT)
        frame, told, in_round = _frames_at(pack.times_s, rows), rows["present"] != "", rows["round"].notna()
        answered[frame[told & ~in_round]] = True
        waiting[frame[in_round & ~told]] = True
    skips = read_table(skipped / f"{video_id}.csv", SKIPPED)
    ranges = list(zip(skips["start_s"], skips["end_s"], strict=True))
    shown = film_weights(pack.times_s, pack.durations_s, ranges) > 0
    return Film(pack.times_s, seen, shot_starts(seen, pack.times_s), answers, answered, drawn, waiting & shown, shown)


def _frames_at(times_s: np.ndarray, rows: pandas.DataFrame) -> np.ndarray:
    """(n_rows,) int64: the frame of each row."""
    return np.searchsorted(times_s, rows["time_s"].to_numpy() - 1e-6)


def _taught(film: Film) -> np.ndarray:
    """The frames that teach, (n,) int64."""
    return np.flatnonzero(~np.isnan(film.targets).all(axis=1) & ~film.drawn)


def _head(films: dict[str, Film]) -> LightHead:
    """The light head of all films."""
    rows = {video_id: _taught(film) for video_id, film in films.items()}
    return light_head.fit(
        np.concatenate([in_context(film.seen, film.shots)[rows[video_id]] for video_id, film in films.items()]),
        np.concatenate([film.targets[rows[video_id]] for video_id, film in films.items()]),
        video_ids=[video_id for video_id in films for _ in rows[video_id]],
        times_s=np.concatenate([film.times_s[rows[video_id]] for video_id, film in films.items()]),
    )


def _suggested(film: Film, scores: np.ndarray, held_out: np.ndarray, count: int, params: Params) -> pandas.DataFrame:
    """The table of one film, which wants `count` first frames."""
    free = ~film.answered & ~film.drawn & film.shown
    labels, doubted = film.targets[_taught(film)], []
    for row, _, difference in likely_errors(labels, held_out, labels.size):
        if difference > DOUBTED_FROM:
            doubted.append(int(_taught(film)[row]))
    missing = count - int(film.answered.sum())
    first = first_frames(film.seen, film.shots, free, missing, params.suggest.seed) if missing > 0 else []
    rows = {
        "start": first,
        "audit": np.flatnonzero(film.waiting),
        "review": [
            one for one in uncertain_frames(scores, film.shots, free, params.suggest.review) if one not in first
        ],
        "check": list(dict.fromkeys(doubted))[: params.suggest.check],
    }
    places = np.concatenate([np.asarray(rows[purpose], np.int64) for purpose in PURPOSES])
    table = pandas.DataFrame({"rank": np.arange(1, len(places) + 1), "time_s": film.times_s[places]})
    table["purpose"] = [purpose for purpose in PURPOSES for _ in rows[purpose]]
    shown = np.where((table["purpose"] == "audit").to_numpy()[:, None], np.nan, scores[places].astype(np.float64))
    table[list(params.cast)] = shown
    return table


if __name__ == "__main__":
    command.run(suggest)
