"""What 60 labels of a new film give, with and without a model of other films to begin with, and whether the choice is right.

    python -m benchmarks.few_labels --films DIR --cast tom jerry --new compilation     # as benchmarks.models, 20 draws

A model is fine-tuned on all labelled seconds of the other films. Then, draw by draw, 60 seconds of the new film are labelled,
chosen by chance, and three ways learn from them: the probe, fine-tuning from ImageNet, and fine-tuning from that model, each
cross-fitted as in the stage train. `best` is per draw the way that errs less where frames were held out. Asked are the
frames of the new film that lie 3 s or more from every labelled one; average precision, mean over the characters.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.models import ROOT, inputs_of, sampled
from screentime import calibration, fine_tuning, frozen, network, probe, schedule
from screentime.files import sha256_of, write_json
from screentime.inputs import Form
from screentime.metrics import average_precision
from screentime.params import Params, load
from screentime.sections import Train
from screentime.splits import folds

LABELS, APART_S = 60, 3
WAYS = ("probe", "from ImageNet", "from the model")
SILENT = {"on_step": lambda *_: None}


def base_model(
    folder: Path, inputs: np.ndarray, targets: np.ndarray, form: Form, cast: Sequence[str], params: Params
) -> float:
    """Fine-tune on other films and write what the stage train would; its CPU seconds."""
    began = time.process_time()
    settings = params.train
    tuning = fine_tuning.Tuning(form, inputs, targets, settings, cast)
    every_row = np.arange(len(targets))
    tuning.fit(every_row, every_row[:0], schedule.epochs_of(len(targets), settings.fine_tune), 0, **SILENT)
    folder.mkdir(parents=True, exist_ok=True)
    network.save(network.scorer_model(tuning.model, exclusive=False), folder)
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.name != "model.json"}
    facts = {"form": form.as_dict(), "cast": list(cast), "params": settings.model_dump(), "files": files}
    write_json(folder / "model.json", facts)
    return time.process_time() - began


class NewFilm:
    """A film of which 60 frames are labelled.

    Attributes:
        inputs: (n_frames, height, width, 3) float16.
        truth: (n_frames, n_characters) float32, 1 or 0.
        features: (n_frames, n_features) float32, of the frozen backbone.
    """

    def __init__(self, inputs: np.ndarray, truth: np.ndarray, form: Form, cast: Sequence[str], params: Params) -> None:
        self.inputs, self.truth, self.form, self.cast, self.params = inputs, truth, form, cast, params
        self.features = frozen.features_of(frozen.feature_model(form, params.train.probe.pooling), inputs)

    def drawn(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The frames that are labelled, and those that are asked."""
        rows = np.arange(len(self.truth))
        labelled = np.sort(np.random.default_rng(seed).choice(rows, LABELS, replace=False))
        distance = np.abs(rows[:, None] - labelled).min(axis=1)
        return labelled, rows[distance >= APART_S]

    def measured(self, way: str, seed: int, base: Path) -> tuple[float, float, float]:
        """Average precision, squared error out of fold, and CPU seconds of one way on one draw."""
        labelled, asked = self.drawn(seed)
        targets, settings = self.truth[labelled], self.params.train
        parts = folds(
            ["new"] * LABELS, labelled.astype(float), settings.folds, settings.block_s, settings.guard_s, [], [],
            int(way == "probe"),
        )  # fmt: skip
        began = time.process_time()
        crossed, ask = (
            self._probed(settings, labelled, targets, parts)
            if way == "probe"
            else self._tuned(settings, labelled, targets, parts, str(base) if way == WAYS[2] else "imagenet")
        )
        spent = time.process_time() - began
        logits = ask(asked)
        scores = calibration.cross_fitted_scores(crossed.logits, targets, [part.test for part in parts])
        precision = [average_precision(self.truth[asked, c] == 1, logits[:, c]) for c in range(len(self.cast))]
        return float(np.mean(precision)), float(np.nanmean((scores - targets) ** 2)), spent

    def _probed(self, settings: Train, labelled: np.ndarray, targets: np.ndarray, parts: Sequence) -> tuple:
        crossed = probe.cross_fit(self.features[labelled], targets, parts, settings, SILENT["on_step"])
        head = probe.fit_head(self.features[labelled], targets, crossed.usual_epochs, settings, SILENT["on_step"])
        return crossed, lambda rows: self.features[rows] @ head.kernel + head.bias

    def _tuned(
        self, settings: Train, labelled: np.ndarray, targets: np.ndarray, parts: Sequence, weights: str
    ) -> tuple:
        tune = settings.fine_tune.model_copy(update={"weights": weights})
        settings = settings.model_copy(update={"fine_tune": tune})
        tuning = fine_tuning.Tuning(self.form, self.inputs[labelled], targets, settings, self.cast)
        crossed, kept = fine_tuning.cross_fit(tuning, parts, **SILENT)
        tuning.turn_to(kept)
        tuning.inputs = self.inputs
        return crossed, tuning.logits


def table_of(found: Mapping[str, Sequence[tuple[float, float, float]]]) -> str:
    """A row for each way and one for the choice: mean average precision with its standard error, and CPU seconds."""
    figures = {way: np.array(rows) for way, rows in found.items()}
    for name, ways in (("best of probe and ImageNet", WAYS[:2]), ("best of probe and model", (WAYS[0], WAYS[2]))):
        if not set(ways) <= set(found):
            continue
        tried = np.stack([figures[way] for way in ways])
        chosen = tried[tried[:, :, 1].argmin(axis=0), np.arange(tried.shape[1])]
        chosen[:, 2] = tried[:, :, 2].sum(axis=0)
        figures[name] = chosen
    probed = figures["probe"][:, 0]
    lines = ["| way | average precision | above the probe, mean and standard error | CPU s |", "|---|---|---|---|"]
    for way, rows in figures.items():
        above = rows[:, 0] - probed
        error = above.std(ddof=1) / np.sqrt(len(above)) if len(above) > 1 else np.nan
        lines.append(
            f"| {way} | {rows[:, 0].mean():.3f} | {above.mean():+.3f}, {error:.3f} | {rows[:, 2].mean():.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True, metavar="DIR", help="films, and a CSV beside each")
    parser.add_argument("--cast", nargs="+", required=True, metavar="NAME", help="columns of the CSVs")
    parser.add_argument("--new", required=True, metavar="FILM", help="the film that is new; all others make the model")
    parser.add_argument(
        "--ways",
        nargs="+",
        choices=WAYS,
        default=list(WAYS),
        metavar="WAY",
        help=", ".join(WAYS) + "; the probe is always one",
    )
    parser.add_argument("--draws", type=int, default=20, help="default: %(default)s")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="where frames and the model are kept for the next time"
    )
    arguments = parser.parse_args()
    params = load(ROOT / "params.yaml")
    frozen.make_deterministic(params.train.seed, params.train.threads)
    work = arguments.work or Path(tempfile.mkdtemp())
    truth = sampled(arguments.films, arguments.cast, work, params)
    form = Form(**params.preprocess.form)
    others = [name for name in truth if name != arguments.new]
    base = work / f"model-for-{arguments.new}"
    if not (base / "model.json").is_file():
        inputs = np.concatenate([inputs_of(name, form, work) for name in others])
        spent = base_model(base, inputs, np.concatenate([truth[name] for name in others]), form, arguments.cast, params)
        print(f"the model of {', '.join(others)}: {len(inputs)} frames, {spent:.0f} CPU seconds")
    film = NewFilm(inputs_of(arguments.new, form, work), truth[arguments.new], form, arguments.cast, params)
    found = {way: [] for way in WAYS if way in ("probe", *arguments.ways)}
    for seed in range(arguments.draws):
        for way, rows in found.items():
            rows.append(film.measured(way, seed, base))
        told = "; ".join(
            f"{way} {rows[-1][0]:.3f} ({rows[-1][1]:.3f}, {rows[-1][2]:.0f} s)" for way, rows in found.items()
        )
        print(f"draw {seed}: {told}", flush=True)
    print(table_of(found))


if __name__ == "__main__":
    main()
