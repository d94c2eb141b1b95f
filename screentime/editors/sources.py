"""Where appearances come from, the project's report or a folder of `score`, and the films that they are of."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from screentime.editors.clock import FilmClock, clock_of
from screentime.editors.listing import Listing, appearances_of, exact_s, in_one_line
from screentime.errors import InputError, did_you_mean
from screentime.files import read_json, sha256_of
from screentime.outside.kept import FOLDER, PATHS
from screentime.params import Params
from screentime.table_files import read_table
from screentime.tables import ALL_VIDEOS, APPEARANCES, SCREEN_TIME, TIMELINE
from screentime.timeline import rounded_s


@dataclass(frozen=True)
class Source:
    """A film of which there are tables.

    Attributes:
        video_id: what it is called.
        folder: holds its timeline.csv and appearances.csv.
        cast: the characters, in report order.
        path: its file; None where nothing tells where that is.
        facts: what sampling found out about it; empty where that is not kept.
    """

    video_id: str
    folder: Path
    cast: tuple[str, ...]
    path: Path | None
    facts: Mapping


def reported(reports: Path, frames: Path, params: Params) -> list[Source]:
    """The films of the project's last report, in its order.

    Raises:
        InputError: there is no report.
    """
    files = {video.video_id: Path("data", "videos", video.file) for video in params.videos}
    return _sources(reports, "make it with `dvc repro`", files, frames)


def scored(results: Path) -> list[Source]:
    """The films of a folder that `score` wrote, in its order.

    Raises:
        InputError: it is no such folder.
    """
    known = _facts(results / PATHS)
    files = {video_id: Path(path) for video_id, path in known.items() if isinstance(path, str)}
    return _sources(results, "name the folder that `score` wrote", files, results / FOLDER)


def _sources(folder: Path, repair: str, files: Mapping[str, Path], facts: Path) -> list[Source]:
    table = folder / "screen_time.csv"
    if not table.is_file():
        raise InputError(f"{folder}: no screen_time.csv was found, a report was expected; {repair}")
    casts: dict[str, list[str]] = {}
    for row in read_table(table, SCREEN_TIME).itertuples():
        if row.video_id != ALL_VIDEOS:
            casts.setdefault(row.video_id, []).append(row.character)
    return [
        Source(video_id, folder / video_id, tuple(cast), files.get(video_id), _facts(facts / f"{video_id}.json"))
        for video_id, cast in casts.items()
    ]


def _facts(path: Path) -> dict:
    """What a file of facts holds; nothing where it is gone or damaged: it is of help, no more."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def chosen(sources: Sequence[Source], words: Sequence[str]) -> list[Source]:
    """The films that words mean, all where there is no word.

    A word is a video_id, or the file of a film, which says too where the film lies now.

    Raises:
        InputError: a word is neither.
    """
    if not words:
        return list(sources)
    found: dict[str, Source] = {}
    for word in words:
        one = _named(sources, word)
        found[one.video_id] = one
    return list(found.values())


def _named(sources: Sequence[Source], word: str) -> Source:
    name = unicodedata.normalize("NFC", word)
    for one in sources:
        if one.video_id == name:
            return one
    path = Path(word)
    if not path.is_file():
        raise InputError(
            f"{word}: no film of this name was found, one of the report's or a film's file was expected; "
            f"{did_you_mean(name, [one.video_id for one in sources])}"
        )
    for one in sources:
        if one.path is not None and one.path.resolve() == path.resolve():
            return one
    digest = sha256_of(path)
    for one in sources:
        if one.facts.get("video_sha256") == digest:
            return replace(one, path=path)
    stem = unicodedata.normalize("NFC", path.stem)
    for one in sources:
        if one.video_id == stem and "video_sha256" not in one.facts:
            return replace(one, path=path)
    raise InputError(
        f"{path}: this film is none of those in the report ({', '.join(one.video_id for one in sources)}), the very file that was "
        "scored was expected; score it first"
    )


def listing_of(source: Source, characters: Sequence[str], *, from_start: bool) -> Listing:
    """What is told of a film.

    Args:
        source: the film.
        characters: whom to tell of; the whole cast where it is empty.
        from_start: count from where the file begins, not from the zero of its own clock.

    Raises:
        InputError: an unknown character; tables are gone; the film is gone, cannot be read or is another one.
    """
    for name in characters:
        if name not in source.cast:
            raise InputError(
                f"--character: '{name}' is not in the cast of {source.video_id}; {did_you_mean(name, source.cast)}"
            )
    cast = [name for name in source.cast if not characters or name in characters]
    timeline = read_table(source.folder / "timeline.csv", TIMELINE, source.cast)
    table = read_table(source.folder / "appearances.csv", APPEARANCES)
    clock = _clock(source)
    if from_start:
        clock = replace(clock, first_s=clock.first_s - clock.begin_s)
    last = timeline.iloc[-1]
    return Listing(
        video_id=in_one_line(source.video_id),
        path=source.path,
        clock=clock,
        length_s=exact_s(last["time_s"]) + exact_s(last["duration_s"]),
        cast=tuple(in_one_line(name) for name in cast),
        appearances=appearances_of(table, cast),
    )


def _clock(source: Source) -> FilmClock:
    """The clock of a film, once it is known that it is the film that was scored."""
    repair = "bring it back, or name the file where it is now"
    if source.path is None:
        raise InputError(
            f"{source.video_id}: nothing tells where this film is, its file was expected, for its rate and its first frame; name "
            "the file itself"
        )
    if not source.path.is_file():
        raise InputError(
            f"{source.path}: the film {source.video_id} is not there any more, its file was expected, for its rate and its first frame; "
            f"{repair}"
        )
    clock = clock_of(source.path)
    now = {"first_frame_time_s": clock.first_s, "claimed_s": clock.claimed_s}
    for name, value in now.items():
        before = source.facts.get(name)
        if before is not None and value is not None and abs(rounded_s(value) - before) > 1.5e-6:
            raise InputError(
                f"{source.path}: this is another film than the one that was scored as {source.video_id}, the same file was expected; "
                f"{repair}, or score it anew"
            )
    return clock
