"""Stage train: one run. The backbone's last blocks and a head, or a head alone, calibrated out of fold, tracked in MLflow."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas
from tqdm import tqdm

from screentime import augmentation, calibration, command
from screentime.backbones import backbone
from screentime.closure import closure_hash
from screentime.errors import InputError
from screentime.files import new_folder, number, read_json, sha256_of, write_array, write_bytes, write_json
from screentime.inputs import Form
from screentime.params import Params, Train
from screentime.runs import run_key, training_record, versions
from screentime.scorer import FACTS, HEAD, WEIGHTS
from screentime.splits import Fold, folds
from screentime.tables import EPOCHS, INDEX, OUT_OF_FOLD, STILLS_INDEX, read_table, write_table
from screentime.tracking import StoreError, open_store, track

if TYPE_CHECKING:
    from screentime.probe import CrossFit

LIBRARIES = ("ai-edge-litert", "keras", "numpy", "scipy", "tensorflow")


def train(*, arrays: Path, models: Path, metrics: Path, plots: Path, sheet: Path, params: Params) -> None:
    """Train on data/arrays and write the model's folder, the figures of the training, its epochs and a sheet of frames.

    The labelled frames are parted into folds by blocks of time. For each fold a network learns from the others, held-out
    parts may say when to stop, and the fold itself is scored: out of fold. On those scores the calibration is fitted. The
    network that is kept learns from all labelled frames, for as many epochs as the folds needed in the middle.

    Stills learn with them, near copies on one side of every fold. They have no time: their out-of-fold scores are not kept,
    and the calibration, which is for frames, asks them only about characters that too few frames show.

    Filled cells, where the arrays have them, are in no fold: whoever filled them saw the labels that a fold holds out, so
    they would hand it its answers. They train the head that is kept and are no truth for anything: out-of-fold scores,
    calibration, epochs and counts of frames are those of what people have said.
    """
    labelled = read_arrays(arrays)
    settings = params.train
    check_enough(labelled.targets, labelled.cast, list(labelled.index["video_id"]), settings)
    check_method(labelled, settings)
    methods = _methods(labelled, settings)
    parts = {method: _parts(labelled, settings, method) for method in methods}
    from screentime import frozen  # TensorFlow: only when the labels are in order

    frozen.make_deterministic(settings.seed, settings.threads)
    judged = _of_frames(labelled, settings.min_present)
    tried = [CROSS_FIT[method](labelled, parts[method], settings) for method in methods]
    held_out = [
        calibration.cross_fitted_scores(one.crossed.logits, judged, [part.test for part in parts[one.method]])
        for one in tried
    ]
    errors = [_squared_error(scores, judged) for scores in held_out]
    best = int(np.argmin(errors))
    chosen = tried[best]
    with new_folder(models) as folder:
        history = chosen.finish(folder)
        scale, offset = calibration.fit(chosen.crossed.logits, judged)
        scores = pandas.DataFrame(held_out[best][: labelled.n_frames], columns=list(labelled.cast))
        scores.insert(0, "video_id", labelled.index["video_id"])
        scores.insert(1, "time_s", labelled.index["time_s"])
        write_table(folder / "out_of_fold.csv", scores, OUT_OF_FOLD, labelled.cast)
        counts = {"n_frames": labelled.n_frames} | ({"n_stills": labelled.n_stills} if labelled.n_stills else {})
        weights = labelled.form.identity() | _weights_identity(settings)
        data = _identity(arrays, labelled) | weights | counts
        others = {"fine_tune", "probe"} - set(methods)  # what a method would do that is not tried decides nothing
        shown = settings.model_dump(exclude=others)
        libraries = versions(LIBRARIES)
        decides = {"data": data, "params": shown, "code": closure_hash("stages.train"), "libraries": libraries}
        facts = {
            "run_key": run_key(decides),
            "method": chosen.method,
            "form": labelled.form.as_dict(),
            "cast": list(labelled.cast),
            "calibration": {"scale": scale, "offset": offset},
            "params": shown,
            "data": data,
            "libraries": libraries,
            "files": {path.name: sha256_of(path) for path in sorted(folder.iterdir())},
        }
        write_json(folder / FACTS, facts)
    write_table(plots, _epochs(chosen.crossed.history, history), EPOCHS)
    _write_sheet(sheet, labelled, settings, chosen.method)
    squared = {"squared_error": dict(zip(methods, errors, strict=True))}
    write_json(metrics, counts | _figures(chosen, history, labelled) | squared)
    beside = f" and {labelled.n_stills} stills" if labelled.n_stills else ""
    print(
        f"{models}: {labelled.n_frames} frames{beside}, {chosen.method}, {len(parts[chosen.method])} folds, "
        f"{len(history)} epochs; run {facts['run_key'][:7]}"
    )
    if len(tried) > 1:
        told = ", ".join(f"{one.method} {error:.4f}" for one, error in zip(tried, errors, strict=True))
        print(f"squared error of the scores on frames that were held out: {told}")
    _track(models, metrics, plots)


@dataclass(frozen=True)
class Labelled:
    """The arrays of the stage preprocess.

    Attributes:
        form: what the network is shown.
        cast: the characters.
        index: one row per labelled frame.
        inputs: (n_pictures, height, width, 3) float16, normalized, memory-mapped: of all rows but private ones.
        targets: (n_rows, n_characters) float32, frames first and then stills.
        private: (n_rows,) bool: which rows have features instead of a picture.
        features: (n_private, n_features) float16, None where no film is private.
        still_groups, near_copies: of the stills, as `splits.folds` wants them.
        filled: features and targets of the filled frames, None where they do not train.
    """

    form: Form
    cast: tuple[str, ...]
    index: pandas.DataFrame
    inputs: np.ndarray
    targets: np.ndarray
    private: np.ndarray
    features: np.ndarray | None
    still_groups: list[int]
    near_copies: list[list[int]]
    filled: tuple[np.ndarray, np.ndarray] | None

    @property
    def n_frames(self) -> int:
        return len(self.index)

    @property
    def n_stills(self) -> int:
        return len(self.still_groups)


@dataclass(frozen=True)
class Candidate:
    """A method of training, tried on every fold.

    Attributes:
        method: fine_tune or probe.
        crossed: scores out of fold, and the epochs of the folds.
        finish: trains the network that is kept on all that is labelled, writes it into a folder, and returns its epochs.
    """

    method: str
    crossed: "CrossFit"
    finish: Callable[[Path], list[dict[str, float]]]


def read_arrays(arrays: Path) -> Labelled:
    """Read data/arrays; the pictures stay on disk."""
    form = read_json(arrays / "form.json")
    cast, private = tuple(form.pop("cast")), form.pop("private")
    index = read_table(arrays / "index.csv", INDEX)
    stills = read_table(arrays / "stills.csv", STILLS_INDEX) if (arrays / "stills.csv").is_file() else None
    groups = [] if stills is None else list(stills["group"])
    copies = [] if stills is None else [[int(row) for row in cell.split()] for cell in stills["near_copies"]]
    kept = arrays / "features.npy"
    filled = None
    if (arrays / "filled.csv").is_file():
        filled = tuple(np.load(arrays / f"filled_{name}.npy", allow_pickle=False) for name in ("features", "targets"))
    return Labelled(
        Form(**form),
        cast,
        index,
        np.load(arrays / "inputs.npy", mmap_mode="r", allow_pickle=False),
        np.load(arrays / "targets.npy", allow_pickle=False),
        np.append(index["video_id"].isin(private).to_numpy(), np.zeros(len(groups), bool)),
        np.load(kept, allow_pickle=False) if kept.is_file() else None,
        groups,
        copies,
        filled,
    )


def _methods(labelled: Labelled, settings: Train) -> list[str]:
    """Which methods are tried; where some rows have features only, `best` has but one."""
    if settings.method != "best":
        return [settings.method]
    return ["probe"] if labelled.private.any() or labelled.filled is not None else ["fine_tune", "probe"]


def _parts(labelled: Labelled, settings: Train, method: str) -> list[Fold]:
    """The folds: of both methods the same frames are held out, and each has its own that say when to stop."""
    n_validation = 1 if method == "probe" else round(settings.fine_tune.validation * settings.folds)
    if method == "fine_tune" and settings.fine_tune.validation:
        n_validation = max(1, n_validation)
    try:
        return folds(
            list(labelled.index["video_id"]),
            labelled.index["time_s"].to_numpy(),
            settings.folds,
            settings.block_s,
            settings.guard_s,
            labelled.still_groups,
            labelled.near_copies,
            n_validation,
        )
    except ValueError as error:
        raise InputError(f"data/labels: {error}; label frames from more of the film, or lower train.block_s") from None


def _fine_tuned(labelled: Labelled, parts: Sequence[Fold], settings: Train) -> Candidate:
    """The last blocks of the backbone and a head, trained on pictures."""
    from screentime import fine_tuning, network

    tune = settings.fine_tune
    tuning = fine_tuning.Tuning(labelled.form, labelled.inputs, labelled.targets, settings, labelled.cast)
    if tuning.continued:
        print(f"{tune.weights}: goes on from there: {', '.join(tuning.continued)}")
    most = fine_tuning.epochs_of(len(labelled.targets), tune)
    n_batches = sum(-(-len(part.train) // tune.batch_size) for part in parts)
    with tqdm(total=most * n_batches, desc="fine-tuning folds", unit="batch", disable=None) as bar:
        crossed = fine_tuning.cross_fit(tuning, parts, bar.update, settings.tensorboard)
        bar.total = bar.n
    epochs = crossed.usual_epochs

    def finish(folder: Path) -> list[dict[str, float]]:
        every_row, nobody = np.arange(len(labelled.targets)), np.arange(0)
        with tqdm(
            total=epochs * -(-len(every_row) // tune.batch_size), desc="fine-tuning", unit="batch", disable=None
        ) as bar:
            boards = fine_tuning.boards(settings.tensorboard, "final")
            history = tuning.fit(every_row, nobody, epochs, 0, bar.update, boards)
        network.save(network.scorer_model(tuning.model, exclusive=settings.exclusive), folder)
        return [{f"final_{name}": value for name, value in row.items()} for row in history]

    return Candidate("fine_tune", crossed, finish)


def _probed(labelled: Labelled, parts: Sequence[Fold], settings: Train) -> Candidate:
    """A linear head on frozen features, many folds side by side."""
    from screentime import frozen, network, probe

    pooled = frozen.feature_model(labelled.form, settings.probe.pooling)
    features = np.empty((len(labelled.targets), pooled.output_shape[1]), np.float32)
    features[~labelled.private] = frozen.features_of(pooled, labelled.inputs)
    if labelled.private.any():  # embed keeps mean and maximum; a head on the mean alone takes the first half
        features[labelled.private] = labelled.features[:, : features.shape[1]]
    with tqdm(total=settings.probe.epochs, desc="probe, all folds", unit="epoch", disable=None) as bar:
        crossed = probe.cross_fit(features, labelled.targets, parts, settings, lambda *_: bar.update())

    def finish(folder: Path) -> list[dict[str, float]]:
        rows, answers = [features], [labelled.targets]
        if labelled.filled is not None and len(labelled.filled[0]):
            rows.append(labelled.filled[0].astype(np.float32)[:, : features.shape[1]])
            answers.append(labelled.filled[1].astype(np.float32))
        head = probe.fit_head(
            np.concatenate(rows), np.concatenate(answers), crossed.usual_epochs, settings, lambda *_: None
        )
        network.save(probe.scorer_model(pooled, head, exclusive=settings.exclusive), folder)
        write_array(folder / HEAD, np.vstack([head.kernel, head.bias]))
        return head.history

    return Candidate("probe", crossed, finish)


CROSS_FIT = {"fine_tune": _fine_tuned, "probe": _probed}


def _squared_error(scores: np.ndarray, judged: np.ndarray) -> float:
    """How far scores are from the answers, squared: the mean over known cells of each character, then over characters.

    Args:
        scores, judged: (n_rows, n_characters) float64 in [0, 1] or NaN.
    """
    return float(np.nanmean(np.nanmean((scores - judged) ** 2, axis=0)))


def check_method(labelled: Labelled, settings: Train) -> None:
    """Refuse to train on pictures where some rows have features only, and settings that contradict each other.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    tune = settings.fine_tune
    if settings.method == "fine_tune" and labelled.private.any():
        films = ", ".join(sorted(set(labelled.index["video_id"][labelled.private[: labelled.n_frames]])))
        raise InputError(
            f"params.yaml: train.method is fine_tune, private films ({films}) leave features and no pictures; set it to probe, "
            "or leave those films out with `python -m screentime video skip`"
        )
    if settings.method == "fine_tune" and labelled.filled is not None:
        raise InputError(
            "params.yaml: train.method is fine_tune, filled cells (preprocess.filled) have features and no pictures; set it "
            "to probe, or preprocess.filled to false"
        )
    together = np.flatnonzero((labelled.targets == 1).sum(axis=1) > 1)
    if settings.exclusive and len(together):
        first = labelled.targets[together[0]] == 1
        names = " and ".join(name for name, here in zip(labelled.cast, first, strict=True) if here)
        raise InputError(
            f"params.yaml: train.exclusive is true, {names} are labelled visible together ({_place(labelled, together[0])}; "
            f"pictures like that: {len(together)}), one at most was expected; set it to false, or correct the labels"
        )
    if settings.method != "probe" and tune.wanted_accuracy and not tune.validation:
        raise InputError(
            f"params.yaml: train.fine_tune: wanted_accuracy is {tune.wanted_accuracy:g} and validation 0, frames that tell "
            "the accuracy were expected; set validation to 0.25, or wanted_accuracy to 0"
        )


def _place(labelled: Labelled, row: int) -> str:
    """Which labelled picture a row is, for a sentence."""
    if row >= labelled.n_frames:
        return "a still"
    frame = labelled.index.iloc[row]
    return f"{frame['video_id']} at {number(frame['time_s'])} s"


def check_enough(targets: np.ndarray, cast: Sequence[str], video_ids: Sequence[str], settings: Train) -> None:
    """Refuse to train on too little, naming what is needed and the next command.

    Raises:
        InputError: fewer labelled frames than train.min_labelled, or a character that is labelled present, or absent, in
            fewer than train.min_present.
    """
    next_step = (
        "label the frames that data/suggestions/<video_id>.csv names in data/labels/<video_id>.csv (docs/labelling.md), "
        "then run `dvc repro`"
    )
    if len(targets) < settings.min_labelled:
        raise InputError(
            f"data/labels: {len(targets)} labelled frames were found, at least {settings.min_labelled} are needed to train; "
            f"{next_step}"
        )
    for column, name in enumerate(cast):
        for value, word in ((1, "present"), (0, "absent")):
            count = int((targets[:, column] == value).sum())
            if count < settings.min_present:
                times = "never" if count == 0 else f"in {count} frames"
                raise InputError(
                    f"data/labels: '{name}' is labelled {word} {times}, at least {settings.min_present} frames are needed to "
                    f"train; {next_step}, or remove '{name}' from the cast in params.yaml"
                )


def _identity(arrays: Path, labelled: Labelled) -> dict:
    """What was learned from: hashes and counts."""
    names = sorted(path.name for path in arrays.iterdir())
    present = (labelled.targets == 1).sum(axis=0)
    counts = {f"present_{name}": int(present[column]) for column, name in enumerate(labelled.cast)}
    return {f"sha256_{name}": sha256_of(arrays / name) for name in names} | counts


def _weights_identity(settings: Train) -> dict:
    """The hash of the weights that the network began with, where they are a file of the user's or a model of other films."""
    weights = settings.fine_tune.weights
    if settings.method == "probe" or weights in ("imagenet", "none"):
        return {}
    path = Path(weights) / WEIGHTS if Path(weights).is_dir() else Path(weights)
    return {"sha256_weights": sha256_of(path)}


def _of_frames(labelled: Labelled, enough: int) -> np.ndarray:
    """The targets, without stills where frames alone show a character often enough, and often enough do not.

    Who made a set chose how many of its pictures show a character; the film chose it for its frames.
    """
    judged, n_frames = labelled.targets.copy(), labelled.n_frames
    known = [(judged[:n_frames] == value).sum(axis=0) >= enough for value in (0, 1)]
    judged[n_frames:, known[0] & known[1]] = np.nan
    return judged


def _write_sheet(path: Path, labelled: Labelled, settings: Train, method: str) -> None:
    """A sheet of training frames, with fine-tuning as they are changed from epoch to epoch."""
    changes = settings.fine_tune.augment if method == "fine_tune" else None
    picture = augmentation.sheet(labelled.inputs, changes, backbone(labelled.form.backbone), settings.seed)
    _, content = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    write_bytes(path, content.tobytes())


def _epochs(folds_history: Sequence[dict], final_history: Sequence[dict]) -> pandas.DataFrame:
    """Every epoch: what the folds lost and got right, and what the network that is kept did."""
    table = pandas.DataFrame(folds_history).join(pandas.DataFrame(final_history), how="outer")
    table.insert(0, "epoch", np.arange(1, len(table) + 1))
    return table.reindex(columns=[column.name for column in EPOCHS.columns])


def _figures(chosen: Candidate, history: Sequence[dict], labelled: Labelled) -> dict:
    targets, cast, crossed = labelled.targets, labelled.cast, chosen.crossed
    judged = [epoch["validation_loss"] for epoch in crossed.history if "validation_loss" in epoch]
    return {
        "method": chosen.method,
        "folds": len(crossed.best_epochs),
        "epochs": len(history),
        "loss": history[-1]["final_loss"],
        **({"validation_loss": min(judged)} if judged else {}),
        "present": {name: int((targets[:, column] == 1).sum()) for column, name in enumerate(cast)},
        "absent": {name: int((targets[:, column] == 0).sum()) for column, name in enumerate(cast)},
    }


def _track(models: Path, metrics: Path, plots: Path) -> None:
    """Put the training into MLflow; a store that is away costs a sentence, not the model."""
    import mlflow

    record = training_record(models=models, metrics=metrics, plots=plots, environment=os.environ)
    try:
        with open_store(mlflow, os.environ, Path.cwd()) as client:
            run = track(mlflow, client, record, models, Path(__file__).with_name("serving.py"))
    except StoreError as error:
        print(f"{error}; the model is kept, `python -m stages.publish` adds the run later", file=sys.stderr)
    else:
        print(f"MLflow: run '{run.info.run_name}' in experiment '{record.experiment}'; `mlflow ui` shows it")


if __name__ == "__main__":
    command.run(train)
