"""Films as people's labels leave them, and the light head that learns from all of them at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from screentime import light_head
from screentime.estimates import film_weights
from screentime.frames import open_frames
from screentime.light_head import LightHead
from screentime.shots import in_context, shot_starts
from screentime.table_files import read_table
from screentime.tables import AUDIT, SKIPPED, TARGETS

PRESENT = {"1": 1.0, "0": 0.0}


@dataclass(frozen=True)
class LabelledFilm:
    """One film as a person's labels leave it.

    Attributes:
        times_s: (n_frames,) float64, seconds.
        seen: (n_frames, n_features) float, what the backbone sees.
        shots: (n_shots,) int64, the first frame of every shot.
        targets: (n_frames, n_characters) float64, 1, 0 or NaN; of a test film nothing is known here.
        answered: (n_frames, n_characters) bool, there is an answer, `?` included.
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

    def in_context(self) -> np.ndarray:
        """(n_frames, n_features) float32: what the light head is shown; made anew each time, as it is large."""
        return in_context(self.seen, self.shots)

    def taught(self) -> np.ndarray:
        """The frames that teach, (n,) int64."""
        return np.flatnonzero(~np.isnan(self.targets).all(axis=1) & ~self.drawn)


def open_films(
    video_ids: Iterable[str],
    cast: Sequence[str],
    *,
    frames: Path,
    features: Path,
    targets: Path,
    audit: Path | None,
    skipped: Path,
) -> dict[str, LabelledFilm]:
    """Films by video_id, in the order given, out of the folders of the stages sample, embed and label.

    Without `audit` nothing waits, and nothing is answered in a film whose labels only measure: who needs neither does not
    depend on what an audit is told.

    Raises:
        InputError: a table that is not as its contract says.
    """
    folders = frames, features, targets, audit, skipped
    return {video_id: _film(video_id, cast, *folders) for video_id in video_ids}


def head_of(films: dict[str, LabelledFilm]) -> tuple[LightHead, list[np.ndarray]]:
    """The light head of all films, and of each the held-out scores of its taught frames.

    Returns:
        The head, and for each film (n_taught, n_characters) float64; see LightHead.held_out.
    """
    rows = {video_id: film.taught() for video_id, film in films.items()}
    head = light_head.fit(
        np.concatenate([film.in_context()[rows[video_id]] for video_id, film in films.items()]),
        np.concatenate([film.targets[rows[video_id]] for video_id, film in films.items()]),
        video_ids=[video_id for video_id in films for _ in rows[video_id]],
        times_s=np.concatenate([film.times_s[rows[video_id]] for video_id, film in films.items()]),
    )
    return head, np.split(head.held_out, np.cumsum([len(one) for one in rows.values()])[:-1])


def _film(
    video_id: str, cast: Sequence[str], frames: Path, features: Path, targets: Path, audit: Path | None, skipped: Path
) -> LabelledFilm:
    pack = open_frames(frames, video_id)
    seen = np.load(features / f"{video_id}.npy", mmap_mode="r", allow_pickle=False)
    answers = np.full((len(pack), len(cast)), np.nan)
    answered = np.zeros(answers.shape, bool)
    drawn, waiting = np.zeros((2, len(pack)), bool)
    path = targets / f"{video_id}.csv"
    if path.is_file():
        rows = read_table(path, TARGETS)
        drawn[_frames_at(pack.times_s, rows[rows["source"] == "drawn"])] = True
        said = rows[rows["source"] != "drawn"]
        cells = _frames_at(pack.times_s, said), _columns(said, cast)
        answered[cells] = True
        answers[cells] = said["present"].map(PRESENT)
    if audit is not None and (audit / f"{video_id}.csv").is_file():
        rows = read_table(audit / f"{video_id}.csv", AUDIT)
        told, in_round = rows["present"] != "", rows["round"].notna()
        others = rows[told & ~in_round]
        answered[_frames_at(pack.times_s, others), _columns(others, cast)] = True
        waiting[_frames_at(pack.times_s, rows[in_round & ~told])] = True
    skips = read_table(skipped / f"{video_id}.csv", SKIPPED)
    ranges = list(zip(skips["start_s"], skips["end_s"], strict=True))
    shown = film_weights(pack.times_s, pack.durations_s, ranges) > 0
    shots = shot_starts(seen, pack.times_s)
    return LabelledFilm(pack.times_s, seen, shots, answers, answered, drawn, waiting & shown, shown)


def _frames_at(times_s: np.ndarray, rows: pandas.DataFrame) -> np.ndarray:
    """(n_rows,) int64: the frame of each row."""
    return np.searchsorted(times_s, rows["time_s"].to_numpy() - 1e-6)


def _columns(rows: pandas.DataFrame, cast: Sequence[str]) -> np.ndarray:
    """(n_rows,) int64: the place in the cast of each row's character."""
    return np.array([cast.index(name) for name in rows["character"]], np.int64)
