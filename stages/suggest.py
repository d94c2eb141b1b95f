"""Stage suggest: which frames of every film are worth a person's next minute."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from screentime import command, light_head
from screentime.files import new_folder
from screentime.frames import FramePack, open_frames
from screentime.params import Params, Suggest
from screentime.select import diverse_frames, likely_errors, uncertain_frames
from screentime.shots import shot_starts
from screentime.tables import SUGGESTIONS, TARGETS, read_table, write_table

NUMBERS = {"1": 1.0, "0": 0.0}
A_SLIP = 0.5  # a label that the others give less than this chance is worth another look


@dataclass(frozen=True)
class Known:
    """What is known of a film: frames, features, answers (n_frames, n_characters; 1, 0, NaN), and frames that are taken.

    A frame is taken where it has an answer of any kind, or an audit drew it.
    """

    frames: FramePack
    features: np.ndarray
    answers: np.ndarray
    taken: np.ndarray


def suggest(*, frames: Path, features: Path, targets: Path, suggestions: Path, params: Params) -> None:
    """Write <video_id>.csv for every film: first frames that differ from each other, then the least certain, then slips.

    It fits a light head of its own on features and labels, so that a film that no model knows gets scores as well. A frame
    that has an answer is suggested only as a likely slip, one that an audit drew never.
    """
    films = [_known(video.video_id, frames, features, targets, params) for video in params.shown_videos]
    head = _head(films)
    with new_folder(suggestions) as folder:
        for film in films:
            table = suggested(film, head, params.suggest)
            table[list(params.cast)] = table[list(range(len(params.cast)))]
            write_table(folder / f"{film.frames.video_id}.csv", table, SUGGESTIONS, params.cast)
            counts = ", ".join(
                f"{count} {purpose}" for purpose, count in table["purpose"].value_counts(sort=False).items()
            )
            print(
                f"{suggestions / film.frames.video_id}.csv: {len(table)} frames to label next ({counts or 'none left'})"
            )


def suggested(film: Known, head: light_head.LightHead | None, params: Suggest) -> pandas.DataFrame:
    """The suggestions of one film: rank, time_s, purpose, and a column of scores for the place of each character.

    Args:
        film: what is known of it.
        head: fitted on all films; None where nothing is labelled.
        params: how many, and the seed.
    """
    features = np.asarray(film.features, np.float32)
    scores = np.full(film.answers.shape, np.nan) if head is None else head.scores(features).astype(np.float64)
    free = np.flatnonzero(~film.taken)
    told = ~np.isnan(film.answers)
    wanted = params.frames - int(told.any(axis=1).sum())
    start = np.array([], np.int64)
    if wanted > 0 and len(free):
        means = film.features[free, : film.features.shape[1] // 2]  # the maximum says less of a whole picture
        start = free[diverse_frames(means, wanted, params.seed)]
    unsure = uncertain_frames(scores, shot_starts(features, film.frames.times_s), ~film.taken, params.frames)
    unsure = unsure[~np.isin(unsure, start)]
    slips = [frame for frame, _, difference in _slips(film, features) if difference > A_SLIP][: params.frames]
    chosen = np.array([*start, *unsure, *dict.fromkeys(slips)], np.int64)
    purposes = ["start"] * len(start) + ["review"] * len(unsure) + ["check"] * (len(chosen) - len(start) - len(unsure))
    table = pandas.DataFrame(scores[chosen], columns=range(film.answers.shape[1]))
    return table.assign(rank=np.arange(1, len(chosen) + 1), time_s=film.frames.times_s[chosen], purpose=purposes)


def _slips(film: Known, features: np.ndarray) -> list[tuple[int, int, float]]:
    """Likely label errors of one film, by what its other labels say."""
    rows = np.flatnonzero((~np.isnan(film.answers)).any(axis=1))
    if not len(rows):
        return []
    held_out = np.full(film.answers.shape, np.nan)
    ids = [film.frames.video_id] * len(rows)
    held_out[rows] = light_head.out_of_fold(features[rows], film.answers[rows], ids, film.frames.times_s[rows])
    return likely_errors(film.answers, held_out, film.answers.size)


def _head(films: list[Known]) -> light_head.LightHead | None:
    """The light head on all labelled frames; None where there is none."""
    rows = [np.flatnonzero((~np.isnan(film.answers)).any(axis=1)) for film in films]
    if not sum(len(of) for of in rows):
        return None
    return light_head.fit(
        np.concatenate([np.asarray(film.features[of], np.float32) for film, of in zip(films, rows, strict=True)]),
        np.concatenate([film.answers[of] for film, of in zip(films, rows, strict=True)]),
        video_ids=[film.frames.video_id for film, of in zip(films, rows, strict=True) for _ in of],
        times_s=np.concatenate([film.frames.times_s[of] for film, of in zip(films, rows, strict=True)]),
    )


def _known(video_id: str, frames: Path, features: Path, targets: Path, params: Params) -> Known:
    """Read what is known of a film."""
    pack = open_frames(frames, video_id)
    seen = np.load(features / f"{video_id}.npy", mmap_mode="r", allow_pickle=False)
    answers, taken = np.full((len(pack), len(params.cast)), np.nan), np.zeros(len(pack), bool)
    path = targets / f"{video_id}.csv"
    if path.is_file():
        rows = read_table(path, TARGETS)
        taken = np.isin(pack.times_s, rows["time_s"].to_numpy())
        told = rows[rows["present"].isin(NUMBERS)]
        place = {name: number for number, name in enumerate(params.cast)}
        at = np.searchsorted(pack.times_s, told["time_s"].to_numpy() - 1e-6)
        answers[at, told["character"].map(place)] = told["present"].map(NUMBERS)
    return Known(pack, seen, answers, taken)


if __name__ == "__main__":
    command.run(suggest)
