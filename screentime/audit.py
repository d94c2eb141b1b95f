"""The audit draw: which frames a person looks at, blind, so that the error of the seconds can be measured.

A round is drawn evenly in time with a random start among the frames that nobody had labelled by looking, and recorded
once, before anyone looks. Seed, video and round decide the draw, so it can be made again and checked.
"""

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas

from screentime.errors import InputError
from screentime.estimates import film_weights
from screentime.files import number
from screentime.frames import FramePack
from screentime.labels import Answers, answers_of, label_file, looked_at, read_skips
from screentime.table_files import read_table, write_table
from screentime.tables import AUDIT_DRAW

LARGEST_SEED = 2**63 - 1  # what a whole number in a table holds


def systematic(n_population: int, n: int, start: float) -> list[int]:
    """Places spread evenly over a population in its order: with a random start each has the chance n/n_population.

    Args:
        n_population: number of frames to draw from.
        n: number to draw, in [1, n_population].
        start: the random start, uniform in [0, 1).

    Returns:
        n different places in [0, n_population), increasing.

    >>> systematic(10, 3, start=0.5)
    [1, 5, 8]
    """
    step, first = Fraction(n_population, n), Fraction(start)
    return [int((place + first) * step) for place in range(n)]


def random_start(seed: int, video_id: str, round_number: int) -> float:
    """The random start of a round, in [0, 1): another one for every video and round, also where the seed is the same.

    >>> random_start(1, "e01", 1) == random_start(1, "e01", 1) != random_start(1, "e01", 2)
    True
    """
    return random.Random(f"{seed} {video_id} {round_number}").random()


def read_record(path: Path, frames: FramePack | None) -> pandas.DataFrame:
    """Read and check the record of a film's audit; no row without a file.

    Args:
        path: data/labels/<video_id>.audit.csv.
        frames: the sampled frames; None where there are none yet: the record is then not held against them.

    Returns:
        The columns of the record and `line`; with frames also `frame`, (int64) the index of the sample.

    Raises:
        InputError: drawn from another file or at another fps, or not as the command writes it.
    """
    if not path.is_file():
        empty = {column.name: pandas.Series(dtype=object) for column in AUDIT_DRAW.columns}
        return pandas.DataFrame(empty | {name: pandas.Series(dtype="int64") for name in ("round", "line", "frame")})
    record = read_table(path, AUDIT_DRAW)
    if frames is not None:
        for row in record.itertuples():
            _check_origin(f"{path}: line {row.line}", row, frames.facts)
    for _, rows in record.groupby("round"):
        _check_chances(path, rows)
    if frames is not None:
        record["frame"] = [_sample_at(f"{path}: line {row.line}", row.time_s, frames) for row in record.itertuples()]
    twice = record["time_s"].duplicated()
    if twice.any():
        row = record[twice].iloc[0]
        raise InputError(
            f"{path}: line {row['line']}: the frame at {number(row['time_s'])} s was drawn before, once was expected; "
            f"bring the record back with `git checkout {path}`"
        )
    return record


def waiting(record: pandas.DataFrame, said: Answers, cast: Sequence[str], weights: np.ndarray) -> list[int]:
    """The drawn frames, as indices in order of time, that lack a blind answer for some character and are in the film.

    Args:
        record: as `read_record` returns it.
        said: what people said.
        cast: the characters.
        weights: (n_frames,) float64, seconds; a frame of weight 0 lies in a skipped range and needs no answer.
    """
    answered = said.blind.groupby("frame")["character"].nunique()
    return [
        int(frame) for frame in sorted(record["frame"]) if weights[frame] > 0 and answered.get(frame, 0) < len(cast)
    ]


def draw(labels: Path, frames: FramePack, cast: Sequence[str], *, n: int, seed: int) -> pandas.DataFrame:
    """Draw the next round of a film's audit and add it to the record, whole or not at all.

    It is drawn among the frames that nobody has labelled by looking and that no round drew. Frames in skipped ranges
    take part, so that a later change of the ranges does not spoil the draw; they need no answer.

    Args:
        labels: the folder data/labels.
        frames: the sampled frames of the film.
        cast: the characters.
        n: how many frames to draw.
        seed: a whole number, 0 or more; the same seed draws the same frames again.

    Returns:
        The rows of the new round, in order of time, with `weight_s`, the seconds of film that each frame stands for.

    Raises:
        InputError: n or seed out of range, fewer frames left than n, or an earlier round that is not complete.
    """
    video_id = frames.video_id
    path, label_path = label_file(labels, f"{video_id}.audit.csv"), label_file(labels, f"{video_id}.csv")
    record = read_record(path, frames)
    length_s = frames.facts["length_s"]
    said = answers_of(label_path, cast, frames)
    skips = read_skips(label_file(labels, f"{video_id}.skip.csv"), length_s)
    weights = film_weights(frames.times_s, frames.durations_s, list(zip(skips["start_s"], skips["end_s"], strict=True)))
    left = waiting(record, said, cast, weights)
    if left:
        number_of = int(record.loc[record["frame"] == left[0], "round"].iloc[0])
        raise InputError(
            f"{path}: round {number_of} is not complete: {len(left)} drawn frames are not yet labelled for every "
            "character, 0 were expected before another draw; label them, the next is at "
            f"{number(frames.times_s[left[0]])} s"
        )
    population = np.setdiff1d(np.arange(len(frames)), np.concatenate([looked_at(said), record["frame"].to_numpy(int)]))
    _check_size(n, seed, len(population), frames)
    round_number = int(record["round"].max()) + 1 if len(record) else 1
    drawn = population[systematic(len(population), n, random_start(seed, video_id, round_number))]
    rows = pandas.DataFrame(
        {
            "round": round_number,
            "time_s": frames.times_s[drawn],
            "probability": n / len(population),
            "stratum": "",
            "design": "systematic",
            "seed": seed,
            "n_population": len(population),
            "fps": float(frames.facts["fps"]),
            "video_sha256": frames.facts["video_sha256"],
        }
    )
    names = [column.name for column in AUDIT_DRAW.columns]
    write_table(path, pandas.concat([record[names], rows]) if len(record) else rows, AUDIT_DRAW)
    return rows.assign(weight_s=weights[drawn])


def _check_size(n: int, seed: int, n_population: int, frames: FramePack) -> None:
    """The draw can be made: the seed fits into the record, and there are so many frames."""
    if not 0 <= seed <= LARGEST_SEED:
        raise InputError(
            f"--seed: {seed} was found, a whole number from 0 to {LARGEST_SEED} was expected; choose another"
        )
    if n < 1:
        raise InputError(f"--n: {n} was found, the number of frames to draw, 1 or more, was expected; choose another")
    if n_population == 0:
        raise InputError(
            f"{frames.video_id}: all {len(frames)} frames are labelled by looking or drawn, at least one that is "
            "neither was expected; nothing is left to chance, no audit is needed"
        )
    if n > n_population:
        raise InputError(
            f"--n: {n} frames were asked for, {n_population} of {frames.video_id}'s {len(frames)} are not yet labelled "
            f"by looking; choose at most {n_population}"
        )


def _check_origin(place: str, row: object, facts: dict) -> None:
    """The round was drawn from this very file, sampled as it is now: else its probabilities do not hold."""
    if row.video_sha256 != facts["video_sha256"]:
        raise InputError(
            f"{place}: round {row.round} was drawn from another file (video_sha256 {row.video_sha256[:12]}.., the "
            f"film's is {facts['video_sha256'][:12]}..); bring that file back, or remove the record: its labels then "
            "count as manual"
        )
    if abs(row.fps - facts["fps"]) > 1e-6:
        raise InputError(
            f"{place}: round {row.round} was drawn at {number(row.fps)} frames per second, the frames are sampled at "
            f"{number(facts['fps'])}, its probabilities do not hold for them; set sample.fps to {number(row.fps)} in "
            "params.yaml and run `dvc repro`, or remove the record: its labels then count as manual"
        )


def _check_chances(path: Path, rows: pandas.DataFrame) -> None:
    """A round's rows agree with each other, and its probability is the one that such a draw has."""
    restore = f"it is never changed; bring it back with `git checkout {path}`"
    first = rows.iloc[0]
    for row in rows.itertuples():
        place = f"{path}: line {row.line}"
        if row.design != "systematic":
            raise InputError(
                f"{place}: round {row.round} is a {row.design} draw, a systematic one was expected; this version "
                "measures no other"
            )
        if row.n_population != first["n_population"]:
            raise InputError(
                f"{place}: n_population is {row.n_population}, but {first['n_population']} in line {first['line']} of "
                f"the same round; {restore}"
            )
        expected = len(rows) / row.n_population if row.n_population > 0 else 0.0
        if abs(row.probability - expected) > 1e-9:
            raise InputError(
                f"{place}: probability is {number(row.probability, 12)}, expected is {number(expected, 12)} as round "
                f"{row.round} has {len(rows)} of {row.n_population} frames; {restore}"
            )


def _sample_at(place: str, time_s: float, frames: FramePack) -> int:
    """The sample whose time this is."""
    nearest = int(np.argmin(np.abs(frames.times_s - time_s)))
    if abs(frames.times_s[nearest] - time_s) > 1.5e-6:
        raise InputError(
            f"{place}: no frame is sampled at {number(time_s)} s, the nearest at {number(frames.times_s[nearest])} s; "
            "the record is never changed: bring it back with `git checkout`"
        )
    return nearest
