"""How long a person waits at the labeller: `python benchmarks/labeller_first_view.py` writes its part of docs/performance.md.

One film of 5,000 sampled frames, with 5 characters and with 18. `python -m screentime label` is started as a person
starts it; Chromium opens its address. A view counts as drawn when all pictures on the screen are loaded. The light head
is fitted as the labeller fits it behind the page. A busy machine is slower: look at `uptime` first.
"""

# ruff: noqa: E402 - the project's own modules are found first
import argparse
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import browser
import labelled_film
import many_films
import numpy as np
import pandas
from labeller_runs import Command
from playwright.sync_api import Page, sync_playwright
from threadpoolctl import threadpool_limits

from screentime.files import read_json, write_array, write_json
from screentime.frames import encode_jpeg
from screentime.labeller.session import open_desk
from screentime.params import load
from screentime.table_files import write_table
from screentime.tables import FRAMES

BEGIN, END = "<!-- labeller: begin -->", "<!-- labeller: end -->"
N_FRAMES, N_PICTURES, N_FEATURES = 5000, 300, 2560
LABELLED = (80, 400)
ROUNDS = 7
DRAWN = """() => {
  const grid = document.getElementById("grid").getBoundingClientRect(), images = [...document.querySelectorAll(".cell img")].filter((image) => {
    const box = image.getBoundingClientRect();
    return box.bottom > grid.top && box.top < grid.bottom;
  });
  return images.length > 0 && images.every((image) => image.complete && image.naturalWidth > 0) && document.getElementById("picture").complete;
}"""
# what happens in the page itself, so that the measuring's own way to the browser does not count
TURN = """(done) => new Promise((resolve) => {
  const begin = performance.now(), grid = document.getElementById("grid");
  grid.scrollTop += grid.clientHeight;
  const drawn = DRAWN;
  const look = () => (drawn() ? resolve(performance.now() - begin) : requestAnimationFrame(look));
  requestAnimationFrame(() => requestAnimationFrame(look));
})""".replace("DRAWN", DRAWN)
TOGGLE = """async () => { const { now } = await import("/now.js"); return new Promise((resolve) => {
  const begin = performance.now();
  document.dispatchEvent(new KeyboardEvent("keydown", { code: "Digit1", key: "1", bubbles: true }));
  document.dispatchEvent(new KeyboardEvent("keyup", { code: "Digit1", key: "1", bubbles: true }));
  const channel = new MessageChannel();
  channel.port1.onmessage = () => (now.queue.length ? channel.port2.postMessage(0) : resolve(performance.now() - begin));
  channel.port2.postMessage(0);
}); }"""
MOVE = "async (place) => (await import('/answers.js')).move(place)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"how often (default: {ROUNDS})")
    parser.add_argument("--page", type=Path, default=many_films.PAGE, metavar="FILE", help="where the figures go")
    arguments = parser.parse_args()
    measured = {}
    with tempfile.TemporaryDirectory() as name:
        for n_characters in (5, 18):
            folder = Path(name) / str(n_characters)
            write_project(folder, n_characters)
            measured[n_characters] = visits(folder, arguments.rounds) | fits(folder, arguments.rounds)
    many_films.write_figures(arguments.page, figures(measured, arguments.rounds), BEGIN, END)


def write_project(folder: Path, n_characters: int) -> None:
    """A project with one film as the stages sample and embed it: 320 by 180 pixels, 2 x 1280 features."""
    cast = [f"character {place}" for place in range(1, n_characters + 1)]
    labelled_film.write_project(folder, ["film"], cast, n_frames=16)
    random = np.random.default_rng(7)
    there = labelled_film.truth(N_FRAMES, n_characters)
    pictures = []
    for _ in range(N_PICTURES):
        coarse = random.integers(30, 226, (12, 20, 3)).astype(np.uint8)
        pictures.append(encode_jpeg(np.kron(coarse, np.ones((15, 16, 1), np.uint8)), 72))
    sizes = np.array([len(pictures[frame % N_PICTURES]) for frame in range(N_FRAMES)])
    frames = folder / "data" / "frames"
    (frames / "film.mjpeg").write_bytes(b"".join(pictures[frame % N_PICTURES] for frame in range(N_FRAMES)))
    times_s = np.arange(N_FRAMES, dtype=float)
    index = {
        "time_s": times_s, "duration_s": 1.0, "frame_time_s": times_s, "frame_end_s": times_s + 1,
        "offset": np.concatenate([[0], np.cumsum(sizes)[:-1]]), "size": sizes,
    }  # fmt: skip
    write_table(frames / "film.csv", pandas.DataFrame(index), FRAMES)
    size = {"n_frames": N_FRAMES, "length_s": N_FRAMES, "width": 320, "height": 180}
    write_json(frames / "film.json", read_json(frames / "film.json") | size)
    n_shots = -(-N_FRAMES // labelled_film.SHOT)
    shots = np.repeat(random.normal(size=(n_shots, N_FEATURES // 2)), labelled_film.SHOT, axis=0)[:N_FRAMES]
    means = shots + there @ random.normal(size=(n_characters, N_FEATURES // 2))
    means += random.normal(scale=0.2, size=means.shape)
    write_array(folder / "data" / "features" / "film.npy", np.hstack([means, np.abs(means)]).astype(np.float16))


def visits(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Start, visit, turn pages, press keys: seconds of each, and the cells in the document."""
    found: dict[str, list[float]] = {"start": [], "first": [], "cells": [], "turn": [], "toggle": []}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser.executable(), args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        for _ in range(rounds):
            begin = time.perf_counter()
            command = Command(folder)
            running = command.running()
            context = chromium.new_context(viewport={"width": 1280, "height": 860})
            page = context.new_page()
            went = time.perf_counter()
            page.goto(running.address)
            until_drawn(page)
            found["first"].append(time.perf_counter() - went)
            found["start"].append(time.perf_counter() - begin)
            page.click("nav button[data-view=film]")
            page.wait_for_timeout(500)
            until_drawn(page)
            found["cells"].append(page.locator(".cell").count())
            for _ in range(10):
                found["turn"].append(page.evaluate(TURN) / 1000)
                found["cells"].append(page.locator(".cell").count())
            page.evaluate(MOVE, 0)
            for place in range(10):
                page.evaluate(MOVE, place * 40)
                found["toggle"].append(page.evaluate(TOGGLE) / 1000)
            context.close()
            command.kill(signal.SIGINT)
            command.ended()
        chromium.close()
    return found


def until_drawn(page: Page) -> None:
    """Wait until every picture on the screen is there."""
    while not page.evaluate(f"({DRAWN})()"):
        page.wait_for_timeout(5)


def fits(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Fit the light head to so many labelled frames and score the film, as the labeller does after a batch."""
    found = {}
    threadpool_limits(1, user_api="blas")  # as the command does
    for n in LABELLED:
        params = load(folder / "params.yaml")
        for path in (folder / "data" / "labels").iterdir():
            path.unlink()
        (folder / ".screentime" / "journal.jsonl").unlink(missing_ok=True)
        desk, _ = open_desk(folder, params, params.videos, "ann")
        there = labelled_film.truth(N_FRAMES, len(params.cast))
        page = desk.page("film")["page"]
        frames = np.linspace(0, N_FRAMES - 1, n).astype(int)
        cells = [["film", int(f), c, str(int(one))] for f in frames for c, one in enumerate(there[f])]
        desk.put("operation-teach", page, cells, "look")
        found[f"fit {n}"] = []
        for _ in range(rounds):
            desk._stale_head = True
            begin = time.perf_counter()
            desk.refit()
            found[f"fit {n}"].append(time.perf_counter() - begin)
    return found


ROWS = (
    ("first", "address opened to first view drawn", 2.0),
    ("start", "command typed to first view drawn", None),
    ("turn", "a page further, drawn", 0.1),
    ("toggle", "a key pressed to its answer safe on the disk", 0.1),
    (f"fit {LABELLED[0]}", f"light head fitted anew, {LABELLED[0]} labelled frames", 2.0),
    (f"fit {LABELLED[1]}", f"light head fitted anew, {LABELLED[1]} labelled frames", 2.0),
)


def figures(measured: dict[int, dict[str, list[float]]], rounds: int) -> str:
    """The table of the page."""
    lines = [
        f"Measured on {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}; one film of "
        f"{N_FRAMES:,} frames, {rounds} starts; seconds, median (worst); load average "
        f"{os.getloadavg()[0]:.1f} at the end, 1 to 2 of it the measuring itself.",
        "",
        "| what | 5 characters | 18 characters | goal |",
        "|---|---|---|---|",
    ]
    for key, text, goal in ROWS:
        cells = [f"{statistics.median(of[key]):.2f} ({max(of[key]):.2f})" for of in measured.values()]
        lines.append(f"| {text} | {' | '.join(cells)} | {'' if goal is None else f'{goal:g}'} |")
    most = " | ".join(f"{max(of['cells']):.0f}" for of in measured.values())
    return "\n".join([*lines, f"| most cells in the document | {most} | 100 |"])


if __name__ == "__main__":
    main()
