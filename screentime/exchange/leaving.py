"""What a label file says, in the forms that other tools take: stretches of one answer, and stills named by their time."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas

from screentime.exchange.found import Stretch
from screentime.files import new_file
from screentime.frames import FramePack
from screentime.label_rows import Row, bounds_s, runs, standing
from screentime.table_files import Column, Table, write_table
from screentime.tables import ANSWERS

STILLS = Table(
    "stills.csv",
    "the stills that `python -m screentime labels export --images DIR` wrote beside it",
    (
        Column("file", "word", "the picture, <video_id>_<time_s>s.jpg"),
        Column("video_id", "word", "the video: the stem of its file name"),
        Column("time_s", "number", "time of the sampled frame, seconds from the first frame"),
        Column("duration_s", "number", "time the frame stands for, seconds, above 0"),
    ),
    ("time_s",),
    Column(
        "answer for the character", "word", "1 visible, 0 not visible, ? cannot tell; empty: nobody has said", False
    ),
)

_STILL = re.compile(r"(?P<video_id>.+)_(?P<time_s>\d+\.\d{6})s\.(?:jpe?g|png)", re.IGNORECASE)


def answers_by_frame(rows: Iterable[Row], frames: FramePack) -> dict[int, dict[str, Row]]:
    """For each frame the rows that stand, by character; blind audit answers stay at home: they only measure."""
    found: dict[int, dict[str, Row]] = {}
    for cell, row in standing((row for row in rows if not row.blind), frames).items():
        found.setdefault(cell.frame, {})[cell.character] = row
    return found


def stretches_of(answers: Mapping[int, Mapping[str, Row]], frames: FramePack, cast: Sequence[str]) -> list[Stretch]:
    """Neighbouring frames of one answer as stretches, character by character, in order of time."""
    found = []
    for name in cast:
        for present in ANSWERS:
            of_answer = sorted(i for i, said in answers.items() if name in said and said[name].present == present)
            found += [Stretch(name, *bounds_s(first, last, frames), present) for first, last in runs(of_answer)]
    return sorted(found, key=lambda one: (cast.index(one.name), one.start_s))


def still_name(video_id: str, time_s: float) -> str:
    """The name of a still, which says the film and the time.

    >>> still_name("e01", 12.5)
    'e01_12.500000s.jpg'
    """
    return f"{video_id}_{time_s:.6f}s.jpg"


def time_in_name(name: str, video_id: str) -> float | None:
    """The time that a still's name says, None where it says none of this film.

    Label Studio puts letters and a hyphen before the name of a file that is uploaded, and replaces blanks.

    >>> time_in_name("e875f554-my_film_12.500000s.jpg", "my film"), time_in_name("frame_12.jpg", "my film")
    (12.5, None)
    """
    found = _STILL.fullmatch(name)
    if not found:
        return None
    plain = (re.sub(r"\W", "_", text) for text in (re.sub(r"^[0-9a-f]{8}-", "", found["video_id"]), video_id))
    return float(found["time_s"]) if len(set(plain)) == 1 else None


def write_stills(
    folder: Path,
    frames: FramePack,
    wanted: Iterable[int],
    answers: Mapping[int, Mapping[str, Row]],
    cast: Sequence[str],
) -> list[str]:
    """Write frames as JPEG files, as they are packed, and stills.csv; the names of the files, in order of time."""
    names, table = [], []
    for frame in sorted(wanted):
        time_s = float(frames.times_s[frame])
        name = still_name(frames.video_id, time_s)
        with new_file(folder / name) as partial:
            partial.write_bytes(frames.jpeg(frame))
        said = {character: row.present for character, row in answers.get(frame, {}).items()}
        table.append(
            (name, frames.video_id, time_s, float(frames.durations_s[frame]), *(said.get(one, "") for one in cast))
        )
        names.append(name)
    columns = [*(column.name for column in STILLS.columns), *cast]
    write_table(folder / "stills.csv", pandas.DataFrame(table, columns=columns), STILLS, cast)
    return names
