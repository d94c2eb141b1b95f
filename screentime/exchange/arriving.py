"""What another tool's file says, as rows of a label file: names to characters, pictures to frames, times to this film's.

Rows have the source `imported`: they train and never count as truth. Nothing is guessed: a name that is not in the cast, a
picture that no frame is like, frames of which the file says two things, and frames that an audit drew are left out, counted
and said.
"""

import re
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from screentime.errors import InputError, did_you_mean
from screentime.exchange.found import Found, Look, Stretch
from screentime.exchange.leaving import time_in_name
from screentime.exchange.likeness import matched, picture_files, read_picture, thumbnail, thumbnails
from screentime.frames import FramePack
from screentime.label_rows import Cell, Row, frames_of, without
from screentime.wording import count_text


@dataclass(frozen=True)
class Terms:
    """How a file is to be understood.

    Attributes:
        names: names of the file to characters; "" leaves a name out. Others mean the character of that name.
        complete: what is not marked is not visible.
        looked: the rows are answers by looking (source manual), as the file says who looked when.
        shift_s: added to every time of the file, seconds.
        images: the folder of the pictures that the file names, for finding their frames; None: names must say the time.
    """

    names: Mapping[str, str]
    complete: bool = False
    looked: bool = False
    shift_s: float = 0.0
    images: Path | None = None


@dataclass(frozen=True)
class Arrival:
    """Rows that contradict each other nowhere and speak of no drawn frame, and sentences on what was left out."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def arriving(
    path: Path, found: Found, terms: Terms, frames: FramePack, cast: Sequence[str], drawn: Collection[int]
) -> Arrival:
    """What a file says, as rows for one film.

    Args:
        path: the file, to be named in errors.
        found: what is in it.
        terms: how it is to be understood.
        frames: the sampled frames of the film.
        cast: the characters.
        drawn: the frames that an audit drew, as indices.

    Raises:
        InputError: nothing in it is about this film's cast or frames, or it does not say what `terms` take for granted.
    """
    meaning, notes = _meaning(path, found, terms, cast)
    notes = [*found.notes, *notes]
    rows: list[Row] = []
    if found.looks:
        moments, more = _moments(found.looks, terms, frames)
        notes += more
        offered = list(cast) if found.whole_cast else sorted(set(meaning.values()), key=cast.index)
        for look, time_s in moments:
            rows += _looked(path, look, time_s, meaning, offered, terms)
    if found.stretches or (found.names and not found.looks):
        more_rows, more = _stretched(found, meaning, terms, frames)
        rows += more_rows
        notes += more
    rows, more = _settled(rows, frames, set(drawn))
    return Arrival(tuple(rows), tuple([*notes, *more]))


def _meaning(path: Path, found: Found, terms: Terms, cast: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The character that each name of the file means, without the names that mean none; and a sentence on those."""
    by_name = {name.casefold(): name for name in cast}
    for name, character in terms.names.items():
        if character and character not in cast:
            raise InputError(
                f"--map {name}={character}: '{character}' is not in the cast; {did_you_mean(character, cast)}"
            )
        if name not in found.names:
            raise InputError(
                f"--map {name}={character}: {path} has no name '{name}'; {did_you_mean(name, found.names)}"
            )
    meaning, unknown = {}, []
    for name in sorted(found.names):
        character = terms.names.get(name)
        if character is None:
            character = by_name.get(unicodedata.normalize("NFC", name).strip().casefold())
        if character:
            meaning[name] = character
        elif name not in terms.names:
            unknown.append(name)
    if found.names and not meaning:
        raise InputError(
            f"{path}: {', '.join(sorted(found.names)[:8])} are the names in it, some of the cast ({', '.join(cast)}) were expected; say "
            "what they mean with --map NAME=CHARACTER"
        )
    notes = [f"not in the cast, left out: {', '.join(unknown)}; --map NAME=CHARACTER takes one over"] if unknown else []
    silent = [name for name in cast if name not in meaning.values()]
    if silent and not found.whole_cast:
        notes.append(f"nothing is said of {', '.join(silent)}: the file has no such name")
    return meaning, notes


def _moments(looks: Sequence[Look], terms: Terms, frames: FramePack) -> tuple[list[tuple[Look, float]], list[str]]:
    """The moment of each look that has one in this film, and sentences on the others."""
    lost: Counter[str] = Counter()
    moments, unplaced = [], []
    length_s = frames.facts["length_s"]
    for look in looks:
        name = _file_name(look.image)
        time_s = look.time_s
        if look.video_id and look.video_id != frames.video_id:
            lost["of another film"] += 1
        elif time_s is None and (time_s := time_in_name(name, frames.video_id)) is None:
            unplaced.append((look, name))
        elif not 0 <= (time_s := round(time_s + terms.shift_s, 6)) <= length_s:
            lost[f"at a time outside the film, which is {length_s:g} s long"] += 1
        else:
            moments.append((look, time_s))
    if unplaced and terms.images is None:
        lost["whose name says no time of this film; --images DIR finds their frames by what they show"] += len(unplaced)
    elif unplaced:
        moments += _by_content(unplaced, terms.images, frames, lost)
    notes = [f"{count_text(count, 'picture', 'pictures')} left out: {reason}" for reason, count in sorted(lost.items())]
    return moments, notes


def _by_content(
    unplaced: Sequence[tuple[Look, str]], folder: Path, frames: FramePack, lost: Counter[str]
) -> list[tuple[Look, float]]:
    """The moments of pictures, by the frames they show; why others have none is counted."""
    by_name: dict[str, list[Path]] = {}
    for path in picture_files(folder):
        for name in {path.relative_to(folder).as_posix(), path.name, path.stem}:
            by_name.setdefault(name, []).append(path)
    bar = tqdm(range(len(frames)), desc="frames", unit="frame", disable=None, leave=False)
    of_frames = thumbnails(frames.image(index) for index in bar)
    moments = []
    for look, name in tqdm(unplaced, desc="pictures", unit="picture", disable=None, leave=False):
        paths = by_name.get(look.image) or by_name.get(name, [])
        if len(paths) != 1:
            lost[f"not in {folder}" if not paths else f"several of this name in {folder}"] += 1
            continue
        image = read_picture(paths[0])
        if image is None:
            lost["that cannot be read"] += 1
            continue
        match = matched(thumbnail(image), of_frames)
        if match.frame is None:
            lost[f"by what they show: {match.reason}"] += 1
        else:
            moments.append((look, float(frames.times_s[match.frame])))
    return moments


def _looked(
    path: Path, look: Look, time_s: float, meaning: Mapping[str, str], offered: Sequence[str], terms: Terms
) -> list[Row]:
    """What one look says, a row for each character."""
    said: dict[str, str] = {}
    for name, present in look.said.items():
        if name in meaning:
            character = meaning[name]
            said[character] = max(said.get(character, "0"), present, key="0?1".index)
    if look.complete or terms.complete:
        said |= {character: "0" for character in offered if character not in said}
    at = _instant(look.at)
    if terms.looked and not (look.by and at):
        raise InputError(
            f"{path}: it does not say who looked at {_file_name(look.image)} and when, both were expected for --as manual; import it "
            "without, as `imported`"
        )
    source = "manual" if terms.looked else "imported"
    return [Row(time_s, None, character, present, source, look.by, at) for character, present in said.items()]


def _stretched(
    found: Found, meaning: Mapping[str, str], terms: Terms, frames: FramePack
) -> tuple[list[Row], list[str]]:
    """What stretches say, and sentences on those outside the film."""
    length_s = frames.facts["length_s"]
    shift_s = terms.shift_s - (frames.facts.get("first_frame_time_s", 0.0) if found.of_file else 0.0)
    rows, outside = [], 0
    for one in found.stretches:
        if one.name not in meaning:
            continue
        start_s, end_s = (round(min(max(time_s + shift_s, 0.0), length_s), 6) for time_s in (one.start_s, one.end_s))
        if start_s < end_s:
            rows.append(Row(start_s, end_s, meaning[one.name], one.present, "imported"))
        else:
            outside += 1
    if terms.complete:
        rows += [
            Row(gap.start_s, gap.end_s, name, "0", "imported")
            for name in sorted(set(meaning.values()))
            for gap in _gaps([row for row in rows if row.character == name], length_s)
        ]
    stretches = count_text(outside, "stretch", "stretches")
    return rows, [f"{stretches} left out: outside the film, which is {length_s:g} s long"] if outside else []


def _gaps(rows: Sequence[Row], length_s: float) -> list[Stretch]:
    """What rows leave of the film."""
    gaps, reached = [], 0.0
    for row in sorted(rows, key=lambda row: row.start_s):
        if row.start_s > reached:
            gaps.append(Stretch("", reached, row.start_s))
        reached = max(reached, row.end_s)
    return [*gaps, Stretch("", reached, length_s)] if reached < length_s else gaps


def _settled(rows: Sequence[Row], frames: FramePack, drawn: set[int]) -> tuple[list[Row], list[str]]:
    """The rows without cells of which they say two things, and without drawn frames; and sentences on these."""
    said: dict[Cell, set[str]] = {}
    for row in rows:
        for frame in frames_of(row, frames):
            said.setdefault(Cell(row.blind, frame, row.character), set()).add(row.present)
    two = {cell for cell, answers in said.items() if len(answers) > 1}
    on_drawn = {cell for cell in said if cell.frame in drawn} - two
    notes = []
    unseen = sum(not frames_of(row, frames) for row in rows)
    if unseen:
        notes.append(
            f"{count_text(unseen, 'answer is', 'answers are')} about moments that no sampled frame shows: kept, not used"
        )
    if two:
        first = min(two, key=lambda cell: (cell.frame, cell.character))
        notes.append(
            f"{count_text(len(two), 'answer', 'answers')} left out: the file says two things, first of {first.character} at "
            f"{frames.times_s[first.frame]:g} s"
        )
    if on_drawn:
        notes.append(
            f"{count_text(len(on_drawn), 'answer', 'answers')} left out: on frames that an audit drew, which only a blind look answers"
        )
    return without(list(dict.fromkeys(rows)), two | on_drawn, frames), notes


def _file_name(address: str) -> str:
    """The last part of a path or address."""
    return urllib.parse.unquote(re.split(r"[/\\=]", address)[-1])


def _instant(at: str) -> str:
    """An instant as label files write it; "" where there is none."""
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return ""
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
