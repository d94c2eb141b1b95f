"""What a model says of a cartoon that it has never seen: part by part, trained on all the others.

    python -m benchmarks.unseen_parts --films DIR --cast tom jerry --parts benchmarks/tom_and_jerry_parts.csv     # DIR as benchmarks.models

A file of a compilation is no film: its cartoons come back in pieces, so that one half of it knows the other. So --parts says
which seconds are of one make (a CSV of video, begin_s, end_s, part; seconds in none of them are left out), and each part is
scored by a network that all other parts of all films have trained. Scores are calibrated on the other parts. Printed for every
part and character: average precision, accuracy, and the seconds that were said beside those of the labels.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas

from benchmarks.models import ROOT, WAYS, inputs_of, sampled, settings_of
from screentime import calibration, frozen, probe, schedule
from screentime.fine_tuning import Learner, Tuning
from screentime.inputs import Form
from screentime.metrics import accuracy, average_precision
from screentime.params import Params, load
from screentime.sections import Train


class Parts:
    """The frames of all films that are of some part, one film behind the other.

    Attributes:
        truth: (n_frames, n_characters) float32, 1, 0 or NaN.
        rows: of each part, its frames among these.
    """

    def __init__(self, path: Path, truth: Mapping[str, np.ndarray], work: Path) -> None:
        table = pandas.read_csv(path)
        named = {film: np.full(len(answers), "", object) for film, answers in truth.items()}
        for one in table.itertuples():
            named[one.video][one.begin_s : one.end_s] = one.part
        self._taken = {film: np.flatnonzero(names != "") for film, names in named.items()}
        self._work = work
        every_name = np.concatenate([named[film][rows] for film, rows in self._taken.items()])
        self.truth = np.concatenate([truth[film][rows] for film, rows in self._taken.items()])
        self.rows = {str(name): np.flatnonzero(every_name == name) for name in dict.fromkeys(table["part"])}

    def inputs(self, form: Form) -> np.ndarray:
        """(n_frames, height, width, 3) float16: of 1,600 frames 1.1 GB at 448x256."""
        return np.concatenate([inputs_of(film, form, self._work)[rows] for film, rows in self._taken.items()])

    def others(self, part: str) -> np.ndarray:
        """The frames of all other parts."""
        return np.setdiff1d(np.arange(len(self.truth)), self.rows[part])


def asked(way: Mapping[str, object], parts: Parts, params: Params) -> tuple[np.ndarray, float]:
    """(n_frames, n_characters) logits, each of a network that has not seen the frame's part; CPU seconds of a training."""
    form, settings = settings_of(way, params)
    inputs = parts.inputs(form)
    began = time.process_time()
    logits = (_probed if settings.method == "probe" else _tuned)(form, settings, inputs, parts)
    return logits, (time.process_time() - began) / len(parts.rows)


def _probed(form: Form, settings: Train, inputs: np.ndarray, parts: Parts) -> np.ndarray:
    features = frozen.features_of(frozen.feature_model(form, settings.probe.pooling), inputs)
    logits = np.zeros(parts.truth.shape)
    for part, rows in parts.rows.items():
        trains = parts.others(part)
        head = probe.fit_head(
            features[trains], parts.truth[trains], settings.probe.epochs // 2, settings, lambda *_: None
        )
        logits[rows] = features[rows] @ head.kernel + head.bias
    return logits


def _tuned(form: Form, settings: Train, inputs: np.ndarray, parts: Parts) -> np.ndarray:
    tuning = Tuning(form, inputs, parts.truth, settings)
    logits = np.zeros(parts.truth.shape)
    for part, rows in parts.rows.items():
        trains = parts.others(part)
        one = Learner(trains, trains[:0])
        tuning.fit_beside([one], schedule.epochs_of(len(trains), settings.fine_tune), 0, lambda: None)
        logits[rows] = tuning.logits(rows)
        tuning.let_go(one)
    return logits


def table_of(logits: np.ndarray, parts: Parts, cast: Sequence[str]) -> str:
    """A row for each part and their mean: average precision, accuracy, seconds said and seconds of the labels."""
    scores = calibration.cross_fitted_scores(logits, parts.truth, list(parts.rows.values()))
    said = 1 / (1 + np.exp(-logits)) > 0.5
    names = " / ".join(cast)
    lines = [f"| part | s | average precision: {names} | accuracy | seconds said, labelled |", "|---|---|---|---|---|"]
    every = []
    for part, rows in parts.rows.items():
        truth = parts.truth[rows]
        columns = range(len(cast))
        precision = [average_precision(truth[:, c], logits[rows, c]) for c in columns]
        right = [accuracy(truth[:, c], said[rows, c]) for c in columns]
        seconds = [
            f"{scores[rows, c][~np.isnan(truth[:, c])].sum():.0f}, {np.nansum(truth[:, c]):.0f}" for c in columns
        ]
        every.append([precision, right])
        lines.append(f"| {part} | {len(rows)} | {_pair(precision)} | {_pair(right)} | {' / '.join(seconds)} |")
    mean = np.nanmean(every, axis=0)
    lines.append(f"| mean | {len(parts.truth)} | {_pair(mean[0])} | {_pair(mean[1])} | |")
    return "\n".join(lines)


def _pair(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.2f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True, metavar="DIR", help="films, and a CSV beside each")
    parser.add_argument("--cast", nargs="+", required=True, metavar="NAME", help="columns of the CSVs")
    parser.add_argument("--parts", type=Path, required=True, metavar="FILE", help="which seconds are of one make")
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS, default=["probe", "default"], metavar="WAY", help=", ".join(WAYS)
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="where frames are kept for the next time")
    arguments = parser.parse_args()
    params = load(ROOT / "params.yaml")
    frozen.make_deterministic(params.train.seed, params.train.threads)
    work = arguments.work or Path(tempfile.mkdtemp())
    parts = Parts(arguments.parts, sampled(arguments.films, arguments.cast, work, params), work)
    for way in arguments.ways:
        logits, spent = asked(WAYS[way], parts, params)
        print(f"{way}, {spent:.0f} CPU s a part\n\n{table_of(logits, parts, arguments.cast)}\n", flush=True)


if __name__ == "__main__":
    main()
