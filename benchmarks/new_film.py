"""From a film nobody labelled to the table of its scores, this project beside the ways of those before it: writes the
figures of docs/performance.md.

    python -m benchmarks.new_film --films data/videos/big_buck_bunny.mp4 --rounds 3 --peers ~/peers

Same network, same size of picture, a frame a second. The others read every frame with OpenCV, or take MoviePy's iter_frames,
and ask Keras, one frame at a time or in batches; ours is `python -m screentime score`, page and all. Each runs in a process of
its own, from its start to its end; wall and CPU seconds and the most memory, as ratios to the first way in the same round;
median and range of all rounds. Then what sampling alone costs (benchmarks.sampling), and the memory of `score` by the length of
a film. Peers whose packages are not there (benchmarks/peers.txt) are left out, and named.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pandas

from benchmarks import sampling
from benchmarks.rounds import in_rounds, ratio_rows

BENCHMARKS = Path(__file__).parent
ROOT = BENCHMARKS.parent
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- new film: begin -->", "<!-- new film: end -->"
OPENCV_1, OPENCV_32, MOVIEPY_1, OURS = (
    "OpenCV reads every frame, Keras predicts one",
    "OpenCV reads every frame, Keras predicts 32",
    "MoviePy, Keras predicts one",
    "`screentime score`",
)
BEFORE = {OPENCV_1: ("opencv", 1), OPENCV_32: ("opencv", 32), MOVIEPY_1: ("moviepy", 1)}
HEAD = ["film", "network", "way", "wall s", "times as fast", "CPU s", "times less CPU", "memory, MB"]
MINUTES = (1, 10, 30, 120)  # lengths of films whose memory is measured


def frame_a_second(path: Path) -> Iterator[np.ndarray]:
    """Every frame is read, every rate-th is kept, (height, width, 3) uint8 RGB."""
    film = cv2.VideoCapture(str(path))
    every, index = round(film.get(cv2.CAP_PROP_FPS)), 0
    while True:
        there, frame = film.read()
        if not there:
            return
        if index % every == 0:
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        index += 1


def by_moviepy(path: Path) -> Iterator[np.ndarray]:
    """MoviePy's frames at each second, (height, width, 3) uint8 RGB."""
    sys.path.append(os.environ["PEERS"])  # behind all else: packages that both have are this project's
    from moviepy import VideoFileClip

    with VideoFileClip(str(path), audio=False) as film:
        yield from film.iter_frames(fps=1)


def as_before(path: Path, models: Path, out: Path, reader: str, batch: int) -> None:
    """The table of scores, by OpenCV or MoviePy and Keras; `batch` frames are predicted at a time."""
    from screentime import calibration, network
    from screentime.files import read_json
    from screentime.inputs import Form, network_input

    facts = read_json(models / "model.json")
    form, whole = Form(**facts["form"]), network.load(models)
    model = network.keras.Model(whole.inputs, next(out for out in whole.outputs if len(out.shape) == 2))
    logits, waiting = [], []
    for image in frame_a_second(path) if reader == "opencv" else by_moviepy(path):
        waiting.append(network_input(image, form))
        if len(waiting) == batch:
            logits.append(model.predict(np.stack(waiting), verbose=0))
            waiting = []
    if waiting:
        logits.append(model.predict(np.stack(waiting), verbose=0))
    scale, offset = (np.array(facts["calibration"][name]) for name in ("scale", "offset"))
    table = pandas.DataFrame(calibration.apply(np.concatenate(logits), scale, offset), columns=facts["cast"])
    out.mkdir(parents=True)
    table.to_csv(out / "timeline.csv", index_label="time_s")


def by_chance(folder: Path, form: str) -> None:
    """A model of another network, `NAME:WIDTHxHEIGHT`, with weights by chance: what it says is nothing, what it costs is true."""
    from screentime import network
    from screentime.files import sha256_of, write_json
    from screentime.inputs import Form
    from screentime.params import load

    name, _, size = form.rpartition(":")
    width, height = map(int, size.split("x"))
    params = load(ROOT / "params.yaml")
    settings = params.train.fine_tune.model_copy(update={"weights": "none"})
    shown = Form(name, width=width, height=height)
    network.save(network.scorer_model(network.build(shown, 2, settings, exclusive=False), exclusive=False), folder)
    facts = {
        "calibration": {"scale": [1.0, 1.0], "offset": [0.0, 0.0]},
        "cast": ["one", "two"],
        "form": shown.as_dict(),
        "params": {"exclusive": False},
        "sampling": params.sample.model_dump(exclude={"workers"}),
        "files": {path.name: sha256_of(path) for path in folder.iterdir()},
    }
    write_json(folder / "model.json", facts)


def spent(words: list[str], peers: Path | None = None) -> dict | None:
    """What Python cost as it was asked to: wall and CPU seconds, megabytes; None where it could not."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.json"
        environment = os.environ | {"NOTES": str(notes), "TF_CPP_MIN_LOG_LEVEL": "3", "PEERS": str(peers or "")}
        command = [sys.executable, str(BENCHMARKS / "measured.py"), *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            return None
        return json.loads(notes.read_text(encoding="utf-8"))


def agreement(one: Path, other: Path) -> float:
    """Mean difference of the scores of two tables, over the frames that both have."""
    first, second = (
        pandas.read_csv(path).drop(columns=["time_s", "duration_s"], errors="ignore") for path in (one, other)
    )
    n_frames = min(len(first), len(second))
    return float((first[:n_frames] - second[:n_frames]).abs().to_numpy().mean())


def of_film(film: Path, models: Path, n_rounds: int, peers: Path | None) -> dict[str, list[str]]:
    """The cells of each way, on one film with one network."""
    with tempfile.TemporaryDirectory() as folder:
        outs = {name: Path(folder) / str(place) for place, name in enumerate([*BEFORE, OURS])}

        def way(name: str) -> dict | None:
            shutil.rmtree(outs[name], ignore_errors=True)
            if name == OURS:
                return spent(["-m", "screentime", "score", str(film), "--model", str(models), "--out", str(outs[OURS])])
            own = [str(film), str(models), str(outs[name]), *map(str, BEFORE[name])]
            call = f"from benchmarks.new_film import one_before; one_before(*{own!r})"
            return spent(["-c", call], peers)

        rounds = in_rounds({name: lambda name=name: way(name) for name in outs}, n_rounds)
        ours = next(outs[OURS].glob("*/timeline.csv"))
        apart = agreement(ours, outs[OPENCV_1] / "timeline.csv")
    print(f"scores of the two ways differ by {apart:.4f} in the mean: {film.stem}", file=sys.stderr)
    rows = ratio_rows(rounds, ("wall_s", "cpu_s"))
    for name, cells in rows.items():
        cells.append(f"{np.median([one[name]['peak_mb'] for one in rounds]):.0f}")
    return rows


def one_before(film: str, models: str, out: str, reader: str, batch: str) -> None:
    """One run of a way before."""
    as_before(Path(film), Path(models), Path(out), reader, int(batch))


def memory_by_length(models: Path) -> list[list[str]]:
    """The most memory of `score`, and its CPU, for drawn films of several lengths."""
    rows = []
    for minutes in MINUTES:
        with tempfile.TemporaryDirectory() as folder:
            film = Path(folder) / f"{minutes}_minutes.mp4"
            drawn_film(film, 60 * minutes)
            note = spent(
                ["-m", "screentime", "score", str(film), "--model", str(models), "--out", str(Path(folder) / "out")]
            )
            rows.append([str(minutes), f"{note['cpu_s']:.0f}", f"{note['peak_mb']:.0f}"])
    return rows


def drawn_film(path: Path, seconds: int) -> None:
    """A film of 640 by 360 pixels, five frames a second, key frames every ten seconds, that shows something else every second."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast", "g": "50"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(5 * seconds):
            if number % 5 == 0:
                image = np.kron(random.integers(0, 256, (9, 16, 3), np.uint8), np.ones((40, 40, 1), np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode(None))


def written(lines: list[str]) -> None:
    """Put the figures where the page has its old ones."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text("\n".join([before + BEGIN, *lines, END]) + rest.partition(END)[2], encoding="utf-8")


def rows_of(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--films", nargs="+", type=Path, default=[ROOT / "data" / "videos" / "big_buck_bunny.mp4"], metavar="FILM"
    )
    parser.add_argument(
        "--model", type=Path, default=ROOT / "models" / "trained", metavar="DIR", help="default: models/trained"
    )
    parser.add_argument(
        "--networks", nargs="*", default=["MobileNetV2:224x224"], metavar="NAME:WIDTHxHEIGHT", help="others, with weights by chance"
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="where the packages of benchmarks/peers.txt lie")
    arguments = parser.parse_args()
    peers = arguments.peers and arguments.peers.resolve()
    films = [film.resolve() for film in arguments.films]
    form = json.loads((arguments.model / "model.json").read_text(encoding="utf-8"))["form"]
    models = {f"{form['backbone']}, {form['width']}x{form['height']}": arguments.model.resolve()}
    for network in arguments.networks:
        folder = Path(tempfile.mkdtemp())
        call = f"from pathlib import Path; from benchmarks.new_film import by_chance; by_chance(Path({str(folder)!r}), {network!r})"
        subprocess.run([sys.executable, "-c", call], check=True, cwd=ROOT)
        models[network.replace(":", ", ")] = folder
    rows = [
        [film.stem, name, way, *cells]
        for film in films
        for name, folder in models.items()
        for way, cells in of_film(film, folder, arguments.rounds, peers).items()
    ]
    lines = [
        f"Measured on {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}; {arguments.rounds} rounds, median and range.",
        "", *rows_of(HEAD, rows), "", "Reading alone, a picture a second, the long side 448 pixels:", "",
        *rows_of(sampling.HEAD, sampling.table(films, arguments.rounds, peers)), "",
        "Memory of `score` by the length of a film (drawn, 640 by 360 pixels, 5 frames a second):", "",
        *rows_of(["minutes", "CPU s", "memory, MB"], memory_by_length(arguments.model.resolve())),
    ]  # fmt: skip
    written(lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
