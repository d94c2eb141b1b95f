"""What each way of training gives on frames it has not seen, and what it costs.

    python -m benchmarks.models --films DIR --cast tom jerry       # films DIR/<video>.mp4 with DIR/<video>.csv: time_s and
                                                                   # a column of 0 and 1 for each of the cast
    python -m benchmarks.models --films DIR --cast tom jerry --ways probe default --protocols within

Three protocols, all fixed. **within**: of one film every 15th second trains, the frames that are 5 s or more away from all of
those are asked. **half**: all labelled seconds of one half of a film train, those of the other are asked that are 5 s or more
away. **across**: all labelled seconds of one film train, all of another are asked. Nothing of what is asked says when to stop
or which way is better. Each way is the parameters of params.yaml with a few changed.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas

from screentime import fine_tuning, frozen, network, probe, schedule
from screentime.frames import open_frames
from screentime.inputs import Form, network_input
from screentime.light_network import LightNetwork
from screentime.metrics import average_precision
from screentime.params import Params, load
from screentime.sections import Train, Video
from stages.sample import sample

ROOT = Path(__file__).parents[1]
EVERY_S, APART_S = 15, 5
WAYS = {
    "probe": {"method": "probe"},
    "default": {},
    "8 epochs": {"epochs": 8},
    "head alone": {"open": "none", "epochs": 30, "learning_rate": 0.003},
    "top_k": {"pooling": "top_k"},
    "mean_max": {"pooling": "mean_max"},
    "blocks:10": {"open": "blocks:10"},
    "all": {"open": "all"},
    "all, 5 epochs": {"open": "all", "epochs": 5, "least_steps": 0},
    "no augmentation": {"augment": None},
    "rate .001": {"learning_rate": 0.001},
    "336x192": {"width": 336, "height": 192},
    "lite1": {"backbone": "efficientnet-lite1"},
    "lite2": {"backbone": "efficientnet-lite2"},
}  # fmt: skip

Film = tuple[str, np.ndarray]


def sampled(films: Path, cast: Sequence[str], work: Path, params: Params) -> dict[str, np.ndarray]:
    """Sample every film; of each (n_frames, n_characters) float32, its truth."""
    names = sorted(path.stem for path in films.glob("*.mp4"))
    videos = tuple(Video(file=f"{name}.mp4") for name in names)
    sample(
        videos=films,
        frames=work / "frames",
        metrics=work / "sample.json",
        params=params.model_copy(update={"videos": videos}),
    )
    truth = {}
    for name in names:
        told = pandas.read_csv(films / f"{name}.csv").set_index("time_s")[list(cast)]
        truth[name] = told.reindex(np.round(open_frames(work / "frames", name).times_s)).to_numpy(np.float32)
    return truth


def inputs_of(video_id: str, form: Form, work: Path) -> np.ndarray:
    """(n_frames, height, width, 3) float16 of a film, kept on disk."""
    path = work / f"{video_id}-{form.stem}-{form.width}x{form.height}.npy"
    if not path.is_file():
        pack = open_frames(work / "frames", video_id)
        kept = np.lib.format.open_memmap(path, "w+", np.float16, (len(pack), form.height, form.width, 3))
        for place in range(len(pack)):
            kept[place] = network_input(pack.image(place), form)
    return np.load(path, mmap_mode="r")


def protocols(truth: Mapping[str, np.ndarray]) -> dict[str, tuple[str, np.ndarray, str, np.ndarray]]:
    """Of each protocol the film and rows that train, the film and rows that are asked."""
    found = {}
    for name, answers in truth.items():
        rows = np.arange(len(answers))
        trains = rows % EVERY_S == EVERY_S // 2
        distance = np.abs(rows[:, None] - rows[trains]).min(axis=1)
        found[f"within {name}"] = (name, rows[trains], name, rows[distance >= APART_S])
        middle = len(rows) // 2
        found[f"half {name}, first to second"] = (name, rows[:middle], name, rows[middle + APART_S - 1 :])
        found[f"half {name}, second to first"] = (name, rows[middle:], name, rows[: middle - APART_S + 1])
        for other in truth:
            if other != name:
                found[f"across {name} to {other}"] = (name, rows, other, np.arange(len(truth[other])))
    return found


def settings_of(way: Mapping[str, object], params: Params) -> tuple[Form, Train]:
    """The form and the section `train` of a way."""
    form = {name: way.get(name, own) for name, own in params.preprocess.form.items()}
    own = {name: value for name, value in way.items() if name not in ("method", *form)}
    tune = params.train.fine_tune
    if "augment" in own:
        off = {name: type(value)(0) for name, value in tune.augment.model_dump().items()}
        own["augment"] = tune.augment.model_copy(update=off)
    method = way.get("method", "fine_tune")
    return Form(**form), params.train.model_copy(update={"method": method, "fine_tune": tune.model_copy(update=own)})


def measured(way: Mapping[str, object], rows: tuple, truth: Mapping, work: Path, params: Params) -> dict[str, object]:
    """Train and ask: average precision and accuracy of each character, CPU seconds, milliseconds a frame, megabytes."""
    form, settings = settings_of(way, params)
    film, trains, other, asked = rows
    inputs, targets = inputs_of(film, form, work), truth[film]
    began = time.process_time()
    if settings.method == "probe":
        pooled = frozen.feature_model(form, settings.probe.pooling)
        head = probe.fit_head(
            frozen.features_of(pooled, inputs[trains]),
            targets[trains],
            params.train.probe.epochs // 2,
            settings,
            lambda *_: None,
        )
        scorer = probe.scorer_model(pooled, head, exclusive=False)
    else:
        tuning = fine_tuning.Tuning(form, inputs, targets, settings)
        epochs = schedule.epochs_of(len(trains), settings.fine_tune)
        tuning.fit(trains, np.arange(0), epochs, 0, lambda *_: None)
        scorer = network.scorer_model(tuning.model, exclusive=False)
    cpu_s = time.process_time() - began
    with tempfile.TemporaryDirectory() as folder:
        network.save(scorer, Path(folder))
        light = LightNetwork(Path(folder) / network.LIGHT_MODEL, threads=1)
        megabytes = (Path(folder) / network.LIGHT_MODEL).stat().st_size / 1e6
    shown = inputs_of(other, form, work)
    began = time.process_time()
    logits = np.array([light.row(shown[place].astype(np.float32)) for place in asked])
    frame_ms = (time.process_time() - began) / len(asked) * 1000
    answers = truth[other][asked]
    known = ~np.isnan(answers)
    columns = range(answers.shape[1])
    return {
        "average_precision": [average_precision(answers[known[:, c], c] == 1, logits[known[:, c], c]) for c in columns],
        "accuracy": [float(((logits[known[:, c], c] > 0) == answers[known[:, c], c]).mean()) for c in columns],
        "cpu_s": cpu_s,
        "frame_ms": frame_ms,
        "megabytes": megabytes,
    }


def line(way: str, protocol: str, found: Mapping) -> str:
    """A row of the table."""
    figures = [" / ".join(f"{value:.2f}" for value in found[name]) for name in ("average_precision", "accuracy")]
    costs = f"{found['cpu_s']:.0f} | {found['frame_ms']:.0f} | {found['megabytes']:.0f}"
    return f"| {protocol} | {way} | {figures[0]} | {figures[1]} | {costs} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True, metavar="DIR", help="films, and a CSV beside each")
    parser.add_argument("--cast", nargs="+", required=True, metavar="NAME", help="columns of the CSVs")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY", help=", ".join(WAYS))
    parser.add_argument("--protocols", nargs="+", default=[""], metavar="BEGIN", help="only those that begin so")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where frames are kept for the next time")
    arguments = parser.parse_args()
    params = load(ROOT / "params.yaml")
    frozen.make_deterministic(params.train.seed, params.train.threads)
    work = arguments.work or Path(tempfile.mkdtemp())
    truth = sampled(arguments.films, arguments.cast, work, params)
    print(
        f"| protocol | way | average precision: {' / '.join(arguments.cast)} | accuracy | training, CPU s | a frame, CPU ms | MB |"
    )
    print("|---|---|---|---|---|---|---|")
    for protocol, rows in protocols(truth).items():
        for way in arguments.ways:
            if protocol.startswith(tuple(arguments.protocols)):
                print(line(way, protocol, measured(WAYS[way], rows, truth, work, params)), flush=True)


if __name__ == "__main__":
    main()
