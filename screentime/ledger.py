"""The ledger of one film: what was said and what was scored, frame by frame, ready for measuring and estimating.

It joins the tables of the stages sample, label, train and score. The score of a frame is one number everywhere, and
never one by a model that trained on that frame: frames that trained have the score that was made out of fold.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from screentime.errors import InputError
from screentime.estimates import Round, film_weights, looked_before
from screentime.files import number
from screentime.table_files import Table, read_rows, read_table
from screentime.tables import AUDIT, FRAMES, OUT_OF_FOLD, SCORES, SKIPPED, TARGETS

VALUES = {"1": 1.0, "0": 0.0}


@dataclass(frozen=True)
class Ledger:
    """What is known about one film; frames in order of time, characters in order of the cast.

    Attributes:
        video_id: the film.
        times_s, durations_s: (n_frames,) float64, seconds.
        weights_s: (n_frames,) float64, seconds of film each frame stands for; 0 inside skipped ranges.
        model_scores: (n_frames, n_characters) float64 in [0, 1]: what the model says of every frame; for showing.
        scores: (n_frames, n_characters) float64 in [0, 1]: the same, but out of fold where the frame trained; for
            measuring and estimating.
        trained: (n_frames,) bool, the frames that trained the model.
        answers: (n_frames, n_characters) float64, 1 or 0 where a person looked at the frame and could tell, else NaN.
        looked: (n_frames, n_characters) bool, a person looked at the frame and answered (`?` included).
        labels: (n_frames, n_characters) float64, as answers, and where nobody looked what labels of any source say.
        drawn: (n_frames,) bool, the frames that any audit round drew, complete or not.
        rounds: for each character, the audit rounds that are complete for it.
        notes: sentences on what of an audit could not be used, and why.
    """

    video_id: str
    times_s: np.ndarray
    durations_s: np.ndarray
    weights_s: np.ndarray
    model_scores: np.ndarray
    scores: np.ndarray
    trained: np.ndarray
    answers: np.ndarray
    looked: np.ndarray
    labels: np.ndarray
    drawn: np.ndarray
    rounds: tuple[tuple[Round, ...], ...]
    notes: tuple[str, ...]

    @property
    def length_s(self) -> float:
        """The length of the film without skipped ranges, seconds."""
        return float(self.weights_s.sum())

    def audited(self, character: int) -> np.ndarray:
        """The frames that complete rounds drew and that are in the film, (n_frames,) bool."""
        drawn = np.zeros(len(self.times_s), bool)
        for one in self.rounds[character]:
            drawn |= one.drawn
        return drawn & (self.weights_s > 0)


def open_ledgers(
    video_ids: Iterable[str],
    cast: Sequence[str],
    *,
    frames: Path,
    scores: Path,
    targets: Path,
    audit: Path,
    skipped: Path,
    models: Path,
) -> Iterator[Ledger]:
    """Join the tables of films, one film after the other.

    Args:
        video_ids: the films.
        cast: the characters.
        frames, scores, targets, audit, skipped: the folders of those tables, one file per film in each.
        models: the folder of the model; its out_of_fold.csv is read, once, where any film trained.

    Yields:
        One ledger per film, in the order given.

    Raises:
        InputError: a table is missing or does not fit the sampled frames.
    """
    path = models / "out_of_fold.csv"
    held_out = HeldOut(path, read_table(path, OUT_OF_FOLD, cast) if path.is_file() else None)
    for video_id in video_ids:
        yield _ledger(video_id, cast, frames, scores, targets, audit, skipped, held_out)


def unlabelled(video_id: str, times_s: np.ndarray, durations_s: np.ndarray, model_scores: np.ndarray) -> Ledger:
    """The ledger of a film of which a model has said something, and nobody else.

    Args:
        video_id: the film.
        times_s, durations_s: (n_frames,) float64, seconds.
        model_scores: (n_frames, n_characters) float64 in [0, 1].
    """
    cells, frames = model_scores.shape, len(times_s)
    return Ledger(
        video_id=video_id,
        times_s=times_s,
        durations_s=durations_s,
        weights_s=film_weights(times_s, durations_s, []),
        model_scores=model_scores,
        scores=model_scores,
        trained=np.zeros(frames, bool),
        answers=np.full(cells, np.nan),
        looked=np.zeros(cells, bool),
        labels=np.full(cells, np.nan),
        drawn=np.zeros(frames, bool),
        rounds=((),) * cells[1],
        notes=(),
    )


@dataclass(frozen=True)
class HeldOut:
    """The out-of-fold scores of all films, None where there is no such file, and the file's name for errors."""

    path: Path
    rows: pandas.DataFrame | None


def _ledger(
    video_id: str,
    cast: Sequence[str],
    frames: Path,
    scores: Path,
    targets: Path,
    audit: Path,
    skipped: Path,
    held_out: HeldOut,
) -> Ledger:
    """Join the tables of one film."""
    index = read_table(frames / f"{video_id}.csv", FRAMES)
    times_s, durations_s = index["time_s"].to_numpy(), index["duration_s"].to_numpy()
    ranges = read_rows(skipped / f"{video_id}.csv", SKIPPED)
    weights_s = film_weights(times_s, durations_s, list(zip(ranges["start_s"], ranges["end_s"], strict=True)))
    said = _placed(targets / f"{video_id}.csv", TARGETS, times_s)
    measured = _placed(audit / f"{video_id}.csv", AUDIT, times_s)
    asked = measured["round"].notna()
    drawn, ever_drawn = measured[asked], np.zeros(len(times_s), bool)
    ever_drawn[drawn["frame"]] = True
    others = pandas.concat([said[said["source"] != "drawn"], measured[~asked]])
    manual = others[others["source"] == "manual"]
    labels = _grid(pandas.concat([others, manual, drawn]), times_s, cast)
    answers = _grid(pandas.concat([manual, drawn]), times_s, cast)
    looked = _told(pandas.concat([manual, drawn]), times_s, cast)
    trained = np.zeros(len(times_s), bool)
    trained[said.loc[said["present"].isin(VALUES), "frame"]] = True
    rounds, notes = _rounds(video_id, drawn, manual, times_s, weights_s, cast)
    model_scores = _model_scores(scores / f"{video_id}.csv", cast, times_s)
    return Ledger(
        video_id=video_id,
        times_s=times_s,
        durations_s=durations_s,
        weights_s=weights_s,
        model_scores=model_scores,
        scores=_with_held_out(model_scores, video_id, cast, times_s, trained, held_out),
        trained=trained,
        answers=answers,
        looked=looked,
        labels=labels,
        drawn=ever_drawn,
        rounds=rounds,
        notes=notes,
    )


def _model_scores(path: Path, cast: Sequence[str], times_s: np.ndarray) -> np.ndarray:
    """What the model says of every frame and character."""
    table = read_table(path, SCORES, cast)
    if len(table) != len(times_s) or (_microseconds(table["time_s"]) != _microseconds(times_s)).any():
        raise InputError(
            f"{path}: the times are not those of the {len(times_s)} sampled frames, they were expected to agree; run "
            "`dvc repro score`"
        )
    return table[list(cast)].to_numpy(np.float64)


def _with_held_out(
    model_scores: np.ndarray, video_id: str, cast: Sequence[str], times_s: np.ndarray, trained: np.ndarray,
    held_out: HeldOut,
) -> np.ndarray:  # fmt: skip
    """The one score of every frame and character for measuring: out of fold where the frame trained."""
    scores = model_scores.copy()
    if trained.any():
        rows = read_table(held_out.path, OUT_OF_FOLD, cast) if held_out.rows is None else held_out.rows
        rows = rows[rows["video_id"] == video_id]
        frame = _frames_at(held_out.path, rows, times_s)
        scores[frame] = rows[list(cast)].to_numpy(np.float64)
        missing = np.setdiff1d(np.flatnonzero(trained), frame)
        if len(missing):
            raise InputError(
                f"{held_out.path}: no score of {video_id} at {number(times_s[missing[0]])} s, one for every frame that "
                "trained was expected; run `dvc repro train`"
            )
    return scores


@dataclass(frozen=True)
class Draw:
    """One round of an audit as it was drawn: its number, the indices of its frames, and how many it was drawn from."""

    number: int
    frames: np.ndarray
    n_population: int


def complete_rounds(
    video_id: str,
    draws: Sequence[Draw],
    looked: np.ndarray,
    said_at: Sequence[str],
    told: np.ndarray,
    weights_s: np.ndarray,
) -> tuple[tuple[tuple[Round, ...], ...], tuple[str, ...]]:
    """For each character the rounds that count, and why others do not.

    Args:
        video_id: the film, for the sentences.
        draws: its rounds, in order.
        looked: (n_frames,) bool, frames that a person labelled by looking and no round drew.
        said_at: (n_frames,) when that was first said, "" where it is not known.
        told: (n_frames, n_characters) bool, drawn frames with a blind answer, `?` included.
        weights_s: (n_frames,) float64, seconds of film; a drawn frame of weight 0 needs no answer.

    Returns:
        Per character its complete rounds; sentences on the others.
    """
    n_frames, n_characters = told.shape
    earlier = np.zeros(n_frames, bool)
    counted: list[list[Round]] = [[] for _ in range(n_characters)]
    notes = []
    for draw in draws:
        here = np.zeros(n_frames, bool)
        here[draw.frames] = True
        n_before = n_frames - draw.n_population - int(earlier.sum())
        before = looked_before(looked, said_at, n_before)
        needed = here & (weights_s > 0)
        complete = told[needed].all(axis=0)
        if before is None:
            notes.append(
                f"{video_id}: audit round {draw.number} is not used: when it was drawn {n_before} other frames had "
                f"been labelled by looking, now {looked.sum()} are, and their `at` does not tell which came first; "
                "draw a new round"
            )
        else:
            for character in np.flatnonzero(complete):
                counted[character].append(Round(known=before | earlier, drawn=here))
        if not complete.all():
            left = int((~told[needed].all(axis=1)).sum())
            notes.append(
                f"{video_id}: audit round {draw.number} counts when it is complete: {left} of its {len(draw.frames)} "
                "frames are not yet labelled for every character"
            )
        earlier |= here
    return tuple(tuple(one) for one in counted), tuple(notes)


def _rounds(
    video_id: str,
    drawn: pandas.DataFrame,
    manual: pandas.DataFrame,
    times_s: np.ndarray,
    weights_s: np.ndarray,
    cast: Sequence[str],
) -> tuple[tuple[tuple[Round, ...], ...], tuple[str, ...]]:
    """The rounds that count, from the tables."""
    n_frames = len(times_s)
    looked = np.zeros(n_frames, bool)
    looked[manual["frame"]] = True
    looked[drawn["frame"]] = False
    first = manual.groupby("frame")["at"].agg(_earliest).to_dict()
    draws = [
        Draw(int(number), np.unique(rows["frame"]), int(rows["n_population"].iloc[0]))
        for number, rows in drawn.groupby("round")
    ]
    said_at = [first.get(frame, "") for frame in range(n_frames)]
    return complete_rounds(video_id, draws, looked, said_at, _told(drawn, times_s, cast), weights_s)


def _earliest(times: Iterable[str]) -> str:
    """The earliest of some instants, "" where one of them is not known.

    >>> _earliest(["2026-11-21T10:00:00Z", "2026-11-20T10:00:00Z"])
    '2026-11-20T10:00:00Z'
    """
    return min(times, default="")


def _placed(path: Path, table: Table, times_s: np.ndarray) -> pandas.DataFrame:
    """The rows with a column `frame`, (int64) the index of the sample."""
    rows = read_rows(path, table)
    return rows.assign(frame=_frames_at(path, rows, times_s))


def _frames_at(path: Path, rows: pandas.DataFrame, times_s: np.ndarray) -> np.ndarray:
    """The index of the sample at each row's time_s, (n_rows,) int64."""
    wanted, sampled = _microseconds(rows["time_s"]), _microseconds(times_s)
    place = np.minimum(np.searchsorted(sampled, wanted), len(sampled) - 1)
    stray = sampled[place] != wanted
    if stray.any():
        row = rows[stray].iloc[0]
        raise InputError(
            f"{path}: line {row['line']}: no frame is sampled at {number(row['time_s'])} s, a sampled frame's time was "
            "expected; run `dvc repro`"
        )
    return place


def _microseconds(times_s: Sequence[float]) -> np.ndarray:
    return np.rint(np.asarray(times_s, np.float64) * 1e6).astype(np.int64)


def _grid(rows: pandas.DataFrame, times_s: np.ndarray, cast: Sequence[str]) -> np.ndarray:
    """(n_frames, n_characters) float64: 1, 0, NaN; where rows say different things the last one stands."""
    grid = np.full((len(times_s), len(cast)), np.nan)
    rows = rows[rows["present"] != ""]
    grid[rows["frame"], [cast.index(name) for name in rows["character"]]] = rows["present"].map(VALUES)
    return grid


def _told(rows: pandas.DataFrame, times_s: np.ndarray, cast: Sequence[str]) -> np.ndarray:
    """(n_frames, n_characters) bool: there is an answer, `?` included."""
    told = np.zeros((len(times_s), len(cast)), bool)
    rows = rows[rows["present"] != ""]
    told[rows["frame"], [cast.index(name) for name in rows["character"]]] = True
    return told
