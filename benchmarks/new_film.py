"""From a film nobody labelled to the table of its scores: this project beside the way of those before it.

    python -m benchmarks.new_film data/videos/big_buck_bunny.mp4 --model models/trained --rounds 3

Same network, same size of picture, a frame a second. The others read every frame with OpenCV and ask Keras, one frame at a time
or in batches; ours is `python -m screentime score`, page and all. Each runs in a process of its own, from its start to its
end; wall and CPU seconds and the most memory, as ratios to the first way in the same round; median and range of all rounds.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas

BENCHMARKS = Path(__file__).parent
ROOT = BENCHMARKS.parent
FRAME_BY_FRAME, IN_BATCHES, OURS = (
    "OpenCV reads every frame, Keras predicts one",
    "OpenCV reads every frame, Keras predicts 32",
    "`screentime score`",
)


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


def as_before(path: Path, models: Path, out: Path, batch: int) -> None:
    """The table of scores, by OpenCV and Keras; `batch` frames are predicted at a time."""
    from screentime import calibration, network
    from screentime.files import read_json
    from screentime.inputs import Form, network_input

    facts = read_json(models / "model.json")
    form, whole = Form(**facts["form"]), network.load(models)
    model = network.keras.Model(whole.inputs, next(out for out in whole.outputs if len(out.shape) == 2))
    logits, waiting = [], []
    for image in frame_a_second(path):
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


def spent(words: list[str]) -> dict:
    """What Python cost as it was asked to: wall and CPU seconds, megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.json"
        environment = os.environ | {"NOTES": str(notes), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, str(BENCHMARKS / "measured.py"), *words]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        return json.loads(notes.read_text(encoding="utf-8"))


def agreement(one: Path, other: Path) -> float:
    """Mean difference of the scores of two tables, over the frames that both have."""
    first, second = (
        pandas.read_csv(path).drop(columns=["time_s", "duration_s"], errors="ignore") for path in (one, other)
    )
    n_frames = min(len(first), len(second))
    return float((first[:n_frames] - second[:n_frames]).abs().to_numpy().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM")
    parser.add_argument(
        "--model", type=Path, default=Path("models/trained"), metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument(
        "--network", metavar="NAME:WIDTHxHEIGHT", help="another network instead, with weights by chance"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)  # one run of a way before, into --out
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    models = arguments.model.resolve()
    if arguments.network:
        models = Path(tempfile.mkdtemp())
        subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; "
             f"from benchmarks.new_film import by_chance; by_chance(Path({str(models)!r}), {arguments.network!r})"],
            check=True, cwd=ROOT,
        )  # fmt: skip
    if arguments.batch:
        as_before(arguments.films[0], models, arguments.out, arguments.batch)
        return
    print("| film | way | wall s | times as fast | CPU s | times less CPU | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for film in [film.resolve() for film in arguments.films]:
        rounds = []
        for _ in range(arguments.rounds):
            with tempfile.TemporaryDirectory() as folder:
                outs = {
                    name: Path(folder) / str(place) for place, name in enumerate((FRAME_BY_FRAME, IN_BATCHES, OURS))
                }
                before = ["-m", "benchmarks.new_film", str(film), "--model", str(models)]
                rounds.append(
                    {
                        FRAME_BY_FRAME: spent([*before, "--batch", "1", "--out", str(outs[FRAME_BY_FRAME])]),
                        IN_BATCHES: spent([*before, "--batch", "32", "--out", str(outs[IN_BATCHES])]),
                        OURS: spent(
                            ["-m", "screentime", "score", str(film), "--model", str(models), "--out", str(outs[OURS])]
                        ),
                    }
                )
                ours = next(outs[OURS].glob("*/timeline.csv"))
                apart = agreement(ours, outs[FRAME_BY_FRAME] / "timeline.csv")
        for name in rounds[0]:
            cells = [film.stem, name]
            for figure in ("wall_s", "cpu_s"):
                spent_s = np.array([one[name][figure] for one in rounds])
                times = np.array([one[FRAME_BY_FRAME][figure] for one in rounds]) / spent_s
                cells += [
                    f"{np.median(spent_s):.1f}",
                    f"{np.median(times):.1f} ({times.min():.1f} to {times.max():.1f})",
                ]
            cells.append(f"{np.median([one[name]['peak_mb'] for one in rounds]):.0f}")
            print(f"| {' | '.join(cells)} |", flush=True)
        print(f"scores of the two ways differ by {apart:.4f} in the mean: {film.stem}", file=sys.stderr)


if __name__ == "__main__":
    main()
