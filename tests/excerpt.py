"""A short excerpt of the demo film with the labels that people gave its seconds.

The fixture `demo_excerpt` is the path of one that all test files share, the seconds START_S to END_S.
"""

import csv
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from project import Project
from stores import empty_store

from screentime.files import sha256_of
from screentime.params import load
from stages.demo import demo

ROOT = Path(__file__).parents[1]
RATE = Fraction(8)
START_S, END_S = 100, 240


def demo_film(folder: Path) -> Path:
    """The demo film: the one in data/videos where it is whole, else fetched as the pipeline fetches it."""
    params = load(ROOT / "params.yaml")
    present = ROOT / "data" / "videos" / "big_buck_bunny.mp4"
    if present.is_file() and sha256_of(present) == params.demo.video_sha256:
        return present
    path = folder / "big_buck_bunny.mp4"
    if not path.is_file():
        demo(video=path, params=params)
    return path


def write_excerpt(film: Path, path: Path, start_s: int, end_s: int) -> None:
    """The seconds [start_s, end_s) of the film, 8 frames a second, 640 pixels wide; frame at start_s first."""
    with av.open(str(film)) as source, av.open(str(path), "w") as container:
        stream = source.streams.video[0]
        stream.thread_type = "AUTO"
        source.seek(int(start_s / stream.time_base), stream=stream)
        encoder = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20"})
        encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
        index = 0
        for frame in source.decode(stream):
            if frame.pts * stream.time_base >= end_s:
                break
            if frame.pts * stream.time_base >= start_s + index / RATE:
                small = frame.reformat(640, 360, "yuv420p")
                small.pts, small.time_base = index, 1 / RATE
                container.mux(encoder.encode(small))
                index += 1
        container.mux(encoder.encode(None))


def labels_between(start_s: int, end_s: int) -> list[dict]:
    """The demo's labels in [start_s, end_s) as rows of a label file for the excerpt, all of them made by looking."""
    with open(ROOT / "data" / "labels" / "big_buck_bunny.csv", encoding="utf-8", newline="") as file:
        return [
            row | {"start_s": float(row["start_s"]) - start_s, "source": "manual"}
            for row in csv.DictReader(file)
            if start_s <= float(row["start_s"]) < end_s
        ]


def write_labels(path: Path, rows: list[dict]) -> None:
    """Write rows as a label file."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        columns = ["start_s", "end_s", "character", "present", "source", "annotator", "at"]
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def put_into(project: Project, film: Path, cast: Sequence[str], name: str = "excerpt") -> list[dict]:
    """Make the shared excerpt the only film of a project, with this cast and an empty store; the labels of its characters."""
    shutil.copy(film, project.folder / "data" / "videos" / f"{name}.mp4")
    rows = [row for row in labels_between(START_S, END_S) if row["character"] in cast]
    write_labels(project.folder / "data" / "labels" / f"{name}.csv", rows)
    project.own_films(f"{name}.mp4")
    project.set_params(cast=list(cast))
    empty_store(project.folder)
    return rows
