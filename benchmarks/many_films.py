"""What many films cost: `python benchmarks/many_films.py` (or `make benchmark`) writes the figures of docs/performance.md.

Draws 201 short films, runs the pipeline as a user would, `dvc repro` in a project of its own, and notes for each stage
the CPU seconds and the most memory held: for one film, for 200, with nothing to do, with one film more. Then samples and
embeds the demo film, and any films named on the command line, for the size of packed frames and the cost of an hour.
"""

# ruff: noqa: E402 - the project's own modules are found first
import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import av
import cv2
import excerpt
import numpy as np
import psutil
from project import Project

from screentime.files import read_json

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SECONDS, RATE, WIDTH, HEIGHT = 12, 12, 480, 270
CAST = ("disc", "cross")
# little is labelled: the first film wholly, of the others one frame each
PARAMS = {
    "cast": list(CAST),
    "train": {"method": "probe", "min_labelled": 8, "min_present": 2, "folds": 3, "block_s": 1, "guard_s": 0},
    "report": {"credits": []},
}


@dataclass(frozen=True)
class Run:
    """What one `dvc repro` cost.

    Attributes:
        wall_s, cpu_s: the whole of it, seconds; cpu_s with all processes.
        stages: for each stage that ran, {"cpu_s", "peak_mb"}.
    """

    wall_s: float
    cpu_s: float
    stages: dict[str, dict]

    @property
    def dvc_s(self) -> float:
        """CPU seconds of DVC itself."""
        return self.cpu_s - sum(stage["cpu_s"] + stage["watching_s"] for stage in self.stages.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=200, metavar="N", help="how many films (default: 200)")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="where the figures go")
    parser.add_argument("real", type=Path, nargs="*", metavar="FILM", help="real films to measure beside the demo film")
    arguments = parser.parse_args()
    n = arguments.films
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one, many = project(folder / "one"), project(folder / "many")
        runs = {}
        set_films(one, 1, n_labelled=1)
        runs["one"] = repro(one, "1 film")
        some = project(folder / "some")
        set_films(some, n // 5, n_labelled=n // 5)
        runs["some"] = repro(some, f"{n // 5} films")
        set_films(many, n, n_labelled=n)
        runs["many"] = repro(many, f"{n} films")
        runs["nothing"] = repro(many, "nothing to do")
        set_films(many, n + 1, n_labelled=n)
        runs["added"] = repro(many, "one film more")
        page_mb = (many.folder / "reports" / "index.html").stat().st_size / 1e6
        films = [real_film(folder, film) for film in (excerpt.demo_film(folder), *arguments.real)]
    write_figures(arguments.page, figures(n, runs, page_mb, films))


def project(folder: Path) -> Project:
    """A project without films whose `python` notes what it costs."""
    folder.mkdir()
    made = Project(folder)
    made.set_params(**PARAMS)
    tools = folder / ".tools"
    tools.mkdir()
    python = tools / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/benchmarks/measured.py" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return made


def set_films(made: Project, n: int, n_labelled: int) -> None:
    """The project's films are the first n; those that are not there yet are drawn."""
    films = [f"film_{number:03d}" for number in range(1, n + 1)]
    for number, film in enumerate(films, 1):
        path = made.folder / "data" / "videos" / f"{film}.mp4"
        if not path.exists():
            write_film(path, number)
            if number <= n_labelled:
                write_labels(made.folder / "data" / "labels" / f"{film}.csv", number)
    made.own_films(*(f"{film}.mp4" for film in films))


def present(film: int, second: int) -> tuple[bool, bool]:
    """Who is on screen in a second of a film, in the order of the cast."""
    disc, cross = np.random.default_rng([film, second]).random(2) < (0.5, 0.35)
    return bool(disc), bool(cross)


def picture(film: int, number: int) -> np.ndarray:
    """One frame, (HEIGHT, WIDTH, 3) uint8 RGB: another ground every second, and whoever is there moves across it."""
    second, step = divmod(number, RATE)
    random = np.random.default_rng([film, second, 1])
    coarse = random.integers(60, 180, (9, 16, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    x, y = (int(place) for place in random.integers(60, 180, 2))
    disc, cross = present(film, second)
    if disc:
        cv2.circle(image, (x + 2 * step, y), 45, (230, 30, 30), -1)
    if cross:
        for rise in (-40, 40):
            cv2.line(image, (x + 160 - step, y - rise), (x + 250 - step, y + rise), (30, 30, 230), 22)
    return image


def write_film(path: Path, film: int) -> None:
    """SECONDS of H.264 in MP4; equal bytes for an equal number."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "26"})
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = WIDTH, HEIGHT, "yuv420p", 1
        for number in range(SECONDS * RATE):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(film, number), format="rgb24")))
        container.mux(stream.encode(None))


def write_labels(path: Path, film: int) -> None:
    """The truth about all seconds of the first film, about one of every other."""
    seconds = range(SECONDS) if film == 1 else [film % SECONDS]
    rows = [
        f"{second},,{name},{int(there)}"
        for second in seconds
        for name, there in zip(CAST, present(film, second), strict=True)
    ]
    path.write_text("\n".join(["start_s,end_s,character,present", *rows, ""]), encoding="utf-8")


def repro(made: Project, what: str, *targets: str) -> Run:
    """Run `dvc repro` and tell what it cost."""
    notes = made.folder / ".tools" / "notes.jsonl"
    notes.write_text("", encoding="utf-8")
    path = os.pathsep.join([str(made.folder / ".tools"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "NOTES": str(notes)}
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME"):
        environment.pop(name, None)
    before, begin_s = cpu_s_of_children(), time.perf_counter()
    words = [sys.executable, "-m", "dvc", "repro", *targets]
    with open(made.folder / ".tools" / "said.txt", "w", encoding="utf-8") as said:
        done = subprocess.run(words, cwd=made.folder, env=environment, stdout=said, stderr=said, check=False)
    if done.returncode:
        sys.exit((made.folder / ".tools" / "said.txt").read_text(encoding="utf-8"))
    lines = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
    stages = {note["words"][1].removeprefix("stages."): note for note in lines}
    run = Run(time.perf_counter() - begin_s, cpu_s_of_children() - before, stages)
    print(f"{what}: {run.cpu_s:.0f} CPU s, {run.wall_s:.0f} s", flush=True)
    return run


def cpu_s_of_children() -> float:
    """CPU seconds of all processes that this one has started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def real_film(folder: Path, film: Path) -> dict:
    """Sample and embed one film: its name, hours, megabytes of packed frames, and what the two stages cost."""
    made = project(folder / f"of_{film.stem}")
    (made.folder / "data" / "videos" / film.name).symlink_to(film.resolve())
    made.own_films(film.name)
    run = repro(made, film.stem, "embed")
    hours = read_json(made.folder / "data" / "frames" / f"{film.stem}.json")["length_s"] / 3600
    packed = sum(path.stat().st_size for path in (made.folder / "data" / "frames").iterdir())
    return {"name": film.stem, "hours": hours, "packed_mb": packed / 1e6, "stages": run.stages}


def figures(n: int, runs: dict[str, Run], page_mb: float, films: list[dict]) -> str:
    """The tables of the page."""
    one, some, many, nothing, added = (runs[name] for name in ("one", "some", "many", "nothing", "added"))
    memory_gb = psutil.virtual_memory().total / 1e9
    lines = [
        f"Measured on {os.cpu_count()} cores with {memory_gb:.0f} GB of memory, {platform.system()}, Python "
        f"{platform.python_version()}; {n} films of {SECONDS} s, {WIDTH} by {HEIGHT} pixels, {RATE} frames a second.",
        "",
        f"| stage | CPU s: 1 film | {n} films | one more | memory, MB: 1 film | {n // 5} films | {n} films |",
        "|---|---|---|---|---|---|---|",
    ]
    for stage in many.stages:
        lines.append(
            f"| `{stage}` | {one.stages[stage]['cpu_s']:.1f} | {many.stages[stage]['cpu_s']:.1f} | "
            + (f"{added.stages[stage]['cpu_s']:.1f}" if stage in added.stages else "not run")
            + "".join(f" | {run.stages[stage]['peak_mb']:.0f}" for run in (one, some, many))
            + " |"
        )
    lines += [
        f"| DVC itself | {one.dvc_s:.1f} | {many.dvc_s:.1f} | {added.dvc_s:.1f} | | | |",
        f"| all | {one.cpu_s:.0f} | {many.cpu_s:.0f} | {added.cpu_s:.0f} | | | |",
        "",
        f"Nothing to do with {n} films: {nothing.cpu_s:.1f} CPU s. The report of {n} films: {page_mb:.1f} MB.",
        "",
        "| film | length, min | packed frames, MB | MB an hour | sample: CPU s an hour | embed: CPU s an hour |",
        "|---|---|---|---|---|---|",
    ]
    for film in films:
        hours = film["hours"]
        lines.append(
            f"| {film['name']} | {60 * hours:.1f} | {film['packed_mb']:.1f} | {film['packed_mb'] / hours:.0f} | "
            + " | ".join(f"{film['stages'][stage]['cpu_s'] / hours:.0f}" for stage in ("sample", "embed"))
            + " |"
        )
    return "\n".join(lines)


def write_figures(page: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Put the figures between two marks of the page."""
    old = page.read_text(encoding="utf-8")
    marked = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    page.write_text(marked.sub(lambda _: f"{begin}\n{text}\n{end}", old), encoding="utf-8")
    print(f"{page}: the figures are new")


if __name__ == "__main__":
    main()
