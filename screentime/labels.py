"""What people said about a film: read by the rules of docs/formats.md, checked, and projected onto its sampled frames.

Labels are of two layers. Rows with source `audit` were made blind, on frames drawn at random; they conflict only with
each other. All other rows are the second layer. In each layer a frame and a character have one answer: a moment beats a
stretch, and two moments, or two stretches, that differ are an error.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas

from screentime.errors import InputError, did_you_mean
from screentime.files import number
from screentime.frames import FramePack
from screentime.table_files import read_table
from screentime.tables import LABELS, SKIP, SOURCES
from screentime.timeline import inside, match_moment

LOOKED = ("manual", "audit")  # sources that say: a person has looked at that very frame
STRENGTH = ("audit", "manual", "accepted", "imported", "propagated")  # which source stands where several say the same
assert set(STRENGTH) == set(SOURCES)

NO_TIME = "9999"  # sorts after every time that somebody wrote


@dataclass(frozen=True)
class Answers:
    """What people said about the sampled frames of one film; one row per frame and character in each layer.

    Attributes:
        blind: rows with source audit. Columns: frame (int64, index of the sample), character, present ("1", "0", "?"),
            source, at, line (int64, the line in the file).
        others: rows with any other source, the same columns.
        unused: number of rows that belong to no sampled frame.
    """

    blind: pandas.DataFrame
    others: pandas.DataFrame
    unused: int


def second_opinions(folder: Path, video_ids: Collection[str]) -> list[Path]:
    """Check that every CSV in the label folder belongs to a film; return those that only merging and comparing read.

    A film's own files are <video_id>.csv, .skip.csv and .audit.csv; <video_id>.<annotator>.csv is a second person's.

    Raises:
        InputError: a file for no film; the nearest film is named.
    """
    others = []
    for path in sorted(folder.glob("*")):
        name = unicodedata.normalize("NFC", path.name)
        if not name.lower().endswith(".csv") or name.startswith(".") or not path.is_file():
            continue
        stem = name.removesuffix(".csv")
        if any(stem in (video_id, f"{video_id}.skip", f"{video_id}.audit") for video_id in video_ids):
            continue
        if not any(stem.startswith(f"{video_id}.") for video_id in video_ids):
            wanted = stem.removesuffix(".audit").removesuffix(".skip")
            nearest = did_you_mean(wanted, video_ids)
            raise InputError(
                f"{path}: no film in params.yaml has the video_id '{wanted}'; "
                + (f"{nearest} Rename the file" if nearest.endswith("?") else "rename the file")
                + " or add the film to videos"
            )
        others.append(path)
    return others


def label_file(folder: Path, name: str) -> Path:
    """The path of a file in the label folder, whichever way the disk spells its accents.

    >>> label_file(Path("data/labels"), "e01.csv").as_posix()
    'data/labels/e01.csv'
    """
    path = folder / name
    if not path.exists() and not name.isascii():
        for other in folder.glob("*"):
            if unicodedata.normalize("NFC", other.name) == name:
                return other
    return path


def read_labels(path: Path, cast: Sequence[str], length_s: float | None) -> pandas.DataFrame:
    """Read a label file and check every row.

    Args:
        path: data/labels/<video_id>.csv.
        cast: the characters.
        length_s: length of the film, seconds; None where it is not known: times are then not held against it.

    Returns:
        One row per decision, as in the file: start_s, end_s (NaN: a moment), character (NFC), present, source (filled
        in: manual for a moment, propagated for a stretch), annotator, at (YYYY-MM-DDTHH:MM:SSZ or ""), line.

    Raises:
        InputError: not a table of this form, an unknown name, a time that cannot be; the sentence names file and line.
    """
    rows = read_table(path, LABELS)
    for row in rows.itertuples():
        place = f"{path}: line {row.line}"
        _check_times(place, row.start_s, row.end_s, length_s)
        if row.character not in cast:
            raise InputError(
                f"{place}: character '{row.character}' is not in the cast {list(cast)}; {_repair(row, cast)}"
            )
    moments = rows["end_s"].isna()
    rows["source"] = rows["source"].where(rows["source"] != "", np.where(moments, "manual", "propagated"))
    said_at = [_instant(path, line, at) for line, at in zip(rows["line"], rows["at"], strict=True)]
    rows["at"] = pandas.Series(said_at, dtype=object)
    return rows


def read_skips(path: Path, length_s: float | None) -> pandas.DataFrame:
    """Read and check the ranges that are not part of the film: start_s, end_s, reason, line; none without a file."""
    if not path.is_file():
        return pandas.DataFrame({"start_s": [], "end_s": [], "reason": [], "line": []})
    rows = read_table(path, SKIP)
    for row in rows.itertuples():
        _check_times(f"{path}: line {row.line}", row.start_s, row.end_s, length_s)
    return rows


def answers(path: Path, rows: pandas.DataFrame, frames: FramePack) -> Answers:
    """Project the rows of a label file onto the sampled frames of its film.

    Args:
        path: the file, to be named in errors.
        rows: as `read_labels` returns them.
        frames: the sampled frames.

    Raises:
        InputError: two moments, or two stretches, of one layer say different things about one frame and character.
    """
    cells, unused = _cells(rows, frames)
    blind = cells["source"] == "audit"
    return Answers(
        blind=_resolved(path, cells[blind], frames), others=_resolved(path, cells[~blind], frames), unused=unused
    )


def answers_of(path: Path, cast: Sequence[str], frames: FramePack) -> Answers:
    """What a film's label file says about its sampled frames; nothing where there is no file. Errors as above."""
    if path.is_file():
        return answers(path, read_labels(path, cast, frames.facts["length_s"]), frames)
    nothing = pandas.DataFrame({name: pandas.Series(dtype=object) for name in ("character", "present", "source", "at")})
    nothing.insert(0, "frame", pandas.Series(dtype="int64"))
    nothing["line"] = pandas.Series(dtype="int64")
    return Answers(blind=nothing, others=nothing, unused=0)


def looked_at(said: Answers) -> np.ndarray:
    """The frames that a person has labelled by looking, whoever is on them: (n,) int64, sorted, each once."""
    manual = said.others.loc[said.others["source"].isin(LOOKED), "frame"]
    return np.unique(np.concatenate([said.blind["frame"].to_numpy(), manual.to_numpy()])).astype(np.int64)


def _check_times(place: str, start_s: float, end_s: float, length_s: float | None) -> None:
    """A row's times: not negative, in order, not after the end of the film."""
    if start_s < 0:
        raise InputError(f"{place}: start_s is {number(start_s)}, a time from 0 on was expected; correct it")
    if end_s <= start_s:
        raise InputError(
            f"{place}: end_s is {number(end_s)}, a time after start_s {number(start_s)} was expected; correct it"
        )
    for name, time_s in (("start_s", start_s), ("end_s", end_s)):
        if length_s is not None and time_s > length_s + 1e-6:
            raise InputError(
                f"{place}: {name} is {number(time_s)}, after the end of the film at {number(length_s)} s; correct it"
            )


def _repair(row: object, cast: Sequence[str]) -> str:
    nearest = did_you_mean(row.character, cast)
    return (
        f"{nearest} Add it there or correct the file" if nearest.endswith("?") else "add it there or correct the file"
    )


def _instant(path: Path, line: int, at: str) -> str:
    """An instant in its one form, YYYY-MM-DDTHH:MM:SSZ; one without a zone is UTC; "" stays."""
    if not at:
        return ""
    try:
        if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", at):
            raise ValueError(at)
        instant = datetime.fromisoformat(at)
    except ValueError:
        raise InputError(
            f"{path}: line {line}: at is '{at}', a time in UTC like 2026-11-21T10:00:00Z was expected; correct it or "
            "leave it empty"
        ) from None
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _cells(rows: pandas.DataFrame, frames: FramePack) -> tuple[pandas.DataFrame, int]:
    """One row per row and sampled frame, with a column `stretch` (bool); and how many rows met no frame."""
    found: dict[tuple[float, float], np.ndarray] = {}
    for start_s, end_s in dict.fromkeys(zip(rows["start_s"], rows["end_s"].fillna(-1.0), strict=True)):
        if end_s < 0:
            sample = match_moment(start_s, frames.times_s, frames.frame_times_s, frames.frame_ends_s)
            found[start_s, end_s] = np.array([] if sample is None else [sample], np.int64)
        else:
            found[start_s, end_s] = np.flatnonzero(inside(frames.times_s, [(start_s, end_s)]))
    of_row = [found[pair] for pair in zip(rows["start_s"], rows["end_s"].fillna(-1.0), strict=True)]
    counts = np.array([len(samples) for samples in of_row], np.int64)
    cells = rows.iloc[np.repeat(np.arange(len(rows)), counts)][["character", "present", "source", "at", "line"]].copy()
    cells.insert(0, "frame", np.concatenate([*of_row, np.array([], np.int64)]).astype(np.int64))
    cells["stretch"] = np.repeat(rows["end_s"].notna().to_numpy(), counts)
    return cells, int((counts == 0).sum())


def _resolved(path: Path, cells: pandas.DataFrame, frames: FramePack) -> pandas.DataFrame:
    """One answer per frame and character of one layer, sorted by frame and character."""
    cells = cells.sort_values(["frame", "character", "stretch", "line"], kind="stable")
    one = cells[["frame", "character", "stretch"]]
    same = (one == one.shift()).all(axis=1).to_numpy()
    differs = same & (cells["present"] != cells["present"].shift()).to_numpy()
    if differs.any():
        at = np.flatnonzero(differs)
        second = min(at, key=lambda place: cells["line"].iloc[place])
        first, then = cells.iloc[second - 1], cells.iloc[second]
        raise InputError(
            f"{path}: line {then['line']}: '{then['character']}' at {number(frames.times_s[then['frame']])} s is "
            f"'{then['present']}', but '{first['present']}' in line {first['line']}; keep the right one"
        )
    strength = cells["source"].map({source: rank for rank, source in enumerate(STRENGTH)})
    cells = cells.assign(strength=strength, when=cells["at"].where(cells["at"] != "", NO_TIME))
    cells = cells.sort_values(["frame", "character", "stretch", "strength", "when", "line"], kind="stable")
    first = cells.drop_duplicates(["frame", "character"])
    return first[["frame", "character", "present", "source", "at", "line"]].reset_index(drop=True)
