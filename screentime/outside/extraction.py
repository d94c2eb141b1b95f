"""The frames of a film in which characters are seen, each a picture of the film's own size whose name carries the time."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pandas

from screentime.files import write_text
from screentime.in_order import in_order
from screentime.ledger import Ledger
from screentime.outside.character_folders import folders_of
from screentime.outside.films import Film
from screentime.outside.frame_scores import Model, frame_scores
from screentime.outside.journal import Journal
from screentime.table_files import Column, Table, read_rows, write_table
from screentime.timeline import microseconds
from screentime.video import NativeFrame, NativeFrames, image_at

JPEG_QUALITY = 95
TRIED = 5  # pictures that are encoded to tell how large they will be

EXTRACTED = Table(
    "<video_id>/frames.csv",
    "what `python -m screentime extract` writes: the pictures of one film",
    (
        Column("character", "word", "who is seen in it"),
        Column("time_s", "number", "when the frame comes on screen, seconds from the first frame"),
        Column("score", "number", "calibrated score in [0, 1]"),
        Column("file", "word", "the picture, beside this table"),
    ),
    ("character", "time_s"),
)


@dataclass(frozen=True)
class Wanted:
    """Which frames are taken out.

    Attributes:
        characters: whose, and where each is in the scores.
        threshold: in (0, 1): a frame with at least this score.
        every: every so-manieth frame of the film is looked at.
        fps: or the frame on screen at every k/fps; None: by `every`.
        picture: png or jpg.
    """

    characters: dict[str, int]
    threshold: float
    every: int
    fps: Fraction | None
    picture: str

    def passing(self, scores: np.ndarray) -> list[str]:
        """The characters that pass in a frame, (n_characters,) float64."""
        return [name for name, place in self.characters.items() if scores[place] >= self.threshold]


@dataclass(frozen=True)
class Extracted:
    """What came of a film: pictures by character, bytes in all, and when the limit was reached, None where it was not."""

    n_pictures: dict[str, int]
    n_bytes: int
    stopped_s: float | None


def expected(film: Film, facts: dict, ledger: Ledger, wanted: Wanted) -> tuple[int, int]:
    """About how many pictures a film will give, and bytes: by its sampled scores and a few of its pictures."""
    places = list(wanted.characters.values())
    passes = ledger.model_scores[:, places] >= wanted.threshold
    usual_fps = facts["frames_decoded"] / facts["length_s"] if facts["length_s"] else 0.0
    fps = usual_fps / wanted.every if wanted.fps is None else min(float(wanted.fps), usual_fps)
    n_pictures = round(float((ledger.durations_s @ passes).sum()) * fps)
    times = ledger.times_s[passes.any(axis=1)]
    tried = times[np.unique(np.linspace(0, len(times) - 1, TRIED).astype(int))] if len(times) else []
    first_s = Fraction(str(facts["first_frame_time_s"]))
    sizes = [len(encoded(image_at(film.path, first_s, Fraction(str(time_s))), wanted.picture)) for time_s in tried]
    return n_pictures, round(n_pictures * float(np.mean(sizes))) if sizes else 0


def extract(
    folder: Path,
    tell: Callable[[float], None],
    *,
    film: Film,
    model: Model,
    wanted: Wanted,
    journal: Path,
    most_bytes: int,
) -> Extracted:
    """Write the pictures of one film, and their table.

    Args:
        folder: gets <character>/<video_id>_<time>.png or .jpg, and frames.csv; pictures of an earlier run, killed or whole,
            that are not wanted any more are removed.
        tell: is told the share of the film that is done.
        film: the film.
        model: one that judges frames alone.
        wanted: which frames.
        journal: keeps the scores; beside it lies, until the table is whole, a list of the pictures that were begun.
        most_bytes: no more than this is written; what was written until then stays.
    """
    frames, folders = NativeFrames(film.path), folders_of(model.cast)
    rows, n_bytes, stopped_s = [], 0, None
    begun = journal.with_suffix(".pictures")
    earlier = _begun(begun).union(read_rows(folder / "frames.csv", EXTRACTED)["file"])
    write_text(begun, "".join(f"{file}\n" for file in sorted(earlier)))
    (folder / "frames.csv").unlink(missing_ok=True)
    with Journal(journal, model.key(film.path)) as known, open(begun, "a", encoding="utf-8") as beginning:
        passing = _passing(frame_scores(model, _told(_chosen(frames, wanted), frames, tell), known), wanted)
        for frame, scores, names, picture in in_order(lambda one: _picture(*one, wanted), passing, model.at_once):
            cost = len(picture) * len(names)
            if n_bytes + cost > most_bytes:
                stopped_s = float(frame.start_s)
                break
            n_bytes += cost
            files = [f"{folders[name]}/{film.video_id}_{time_text(frame.start_s)}.{wanted.picture}" for name in names]
            beginning.write("".join(f"{file}\n" for file in files))
            beginning.flush()  # a run that is killed knows of each of its pictures
            _place(folder, files, picture)
            rows += [
                (name, float(frame.start_s), scores[wanted.characters[name]], file)
                for name, file in zip(names, files, strict=True)
            ]
    table = pandas.DataFrame(rows, columns=[column.name for column in EXTRACTED.columns])
    for file in _begun(begun) - set(table["file"]):
        (folder / file).unlink(missing_ok=True)
    write_table(folder / "frames.csv", table, EXTRACTED)
    begun.unlink()
    counts = table["character"].value_counts()
    return Extracted({name: int(counts.get(name, 0)) for name in wanted.characters}, n_bytes, stopped_s)


def time_text(time_s: Fraction) -> str:
    """A time as file names carry it, to the millisecond, in an order that sorts.

    >>> time_text(Fraction(3723480, 1000))
    '01h02m03.480s'
    """
    whole_ms = microseconds(time_s) // 1000
    seconds, milliseconds = divmod(whole_ms, 1000)
    return f"{seconds // 3600:02}h{seconds // 60 % 60:02}m{seconds % 60:02}.{milliseconds:03}s"


def encoded(image: np.ndarray, picture: str) -> bytes:
    """A picture, (height, width, 3) uint8 RGB, as the bytes of a png or jpg file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if picture == "jpg" else []
    done, content = cv2.imencode(f".{picture}", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be encoded as {picture}")
    return content.tobytes()


def _chosen(frames: NativeFrames, wanted: Wanted) -> Iterator[NativeFrame]:
    """The frames that are looked at."""
    index = 0
    for number, frame in enumerate(frames):
        if wanted.fps is None:
            if number % wanted.every == 0:
                yield frame
        elif microseconds(index / wanted.fps) < microseconds(frame.end_s):
            yield frame
            while microseconds(index / wanted.fps) < microseconds(frame.end_s):
                index += 1


def _told(frames: Iterator[NativeFrame], film: NativeFrames, tell: Callable[[float], None]) -> Iterator[NativeFrame]:
    for frame in frames:
        yield frame
        tell(float(frame.start_s / film.claimed_s) if film.claimed_s else 0.0)


def _passing(
    scored: Iterator[tuple[NativeFrame, np.ndarray]], wanted: Wanted
) -> Iterator[tuple[NativeFrame, np.ndarray, list[str], np.ndarray]]:
    """The frames that pass, with their scores, the characters and the image."""
    for frame, scores in scored:
        if names := wanted.passing(scores):
            yield frame, scores, names, frame.image()


def _picture(
    frame: NativeFrame, scores: np.ndarray, names: list[str], image: np.ndarray, wanted: Wanted
) -> tuple[NativeFrame, np.ndarray, list[str], bytes]:
    return frame, scores, names, encoded(image, wanted.picture)


def _begun(path: Path) -> set[str]:
    """The pictures that a run began and no table lists; a last line without an end is of none yet."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    return {line[:-1] for line in lines if line.endswith("\n")}


def _place(folder: Path, files: Sequence[str], picture: bytes) -> None:
    """Write a picture whole or not at all, under each of its names."""
    first = folder / files[0]
    first.parent.mkdir(parents=True, exist_ok=True)
    partial = first.with_name(f".{first.name}.partial")
    try:
        partial.write_bytes(picture)
        os.replace(partial, first)
    finally:
        partial.unlink(missing_ok=True)
    for file in files[1:]:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(first, folder / file)
