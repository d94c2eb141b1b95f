"""Stage train: one run. A head on the frozen backbone, calibrated on scores made out of fold, tracked in MLflow."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
from tqdm import tqdm

from screentime import calibration, command
from screentime.closure import closure_hash
from screentime.errors import InputError
from screentime.files import new_folder, read_json, sha256_of, write_array, write_json
from screentime.inputs import Form
from screentime.params import Params, Train
from screentime.runs import run_key, training_record, versions
from screentime.scorer import FACTS, HEAD
from screentime.splits import folds
from screentime.tables import EPOCHS, INDEX, OUT_OF_FOLD, STILLS_INDEX, read_table, write_table
from screentime.tracking import StoreError, open_store, track

LIBRARIES = ("ai-edge-litert", "keras", "numpy", "scipy", "tensorflow")


def train(*, arrays: Path, models: Path, metrics: Path, plots: Path, params: Params) -> None:
    """Train on data/arrays and write the model's folder, the figures of the training and its epochs.

    The labelled frames are parted into folds by blocks of time. For each fold a head learns from the others, the next
    fold says when to stop, and the fold itself is scored: out of fold. On those scores the calibration is fitted. The head
    that is kept learns from all labelled frames, for as many epochs as the folds needed in the middle.

    Stills learn with them, near copies on one side of every fold. They have no time: their out-of-fold scores are not kept,
    and the calibration, which is for frames, asks them only about characters that too few frames show.

    Filled cells, where the arrays have them, are in no fold: whoever filled them saw the labels that a fold holds out, so
    they would hand it its answers. They train the head that is kept and are no truth for anything: out-of-fold scores,
    calibration, epochs and counts of frames are those of what people have said.
    """
    index = read_table(arrays / "index.csv", INDEX)
    stills = read_table(arrays / "stills.csv", STILLS_INDEX) if (arrays / "stills.csv").is_file() else None
    still_groups = [] if stills is None else list(stills["group"])
    near_copies = [] if stills is None else [[int(row) for row in cell.split()] for cell in stills["near_copies"]]
    n_frames, n_stills = len(index), len(still_groups)
    form = read_json(arrays / "form.json")
    cast = tuple(form.pop("cast"))
    private = index["video_id"].isin(form.pop("private")).to_numpy()
    form = Form(**form)
    targets = np.load(arrays / "targets.npy", allow_pickle=False)
    check_enough(targets, cast, list(index["video_id"]), params.train)
    try:
        parts = folds(
            list(index["video_id"]),
            index["time_s"].to_numpy(),
            params.train.folds,
            params.train.block_s,
            params.train.guard_s,
            still_groups,
            near_copies,
        )
    except ValueError as error:
        raise InputError(f"data/labels: {error}; label frames from more of the film, or lower train.block_s") from None
    from screentime import model as networks  # TensorFlow: only when the labels are in order

    networks.make_deterministic(params.train.seed, params.train.threads)
    pooled = networks.feature_model(form, params.train.pooling)
    features = np.empty((len(targets), pooled.output_shape[1]), np.float32)
    private = np.append(private, np.zeros(n_stills, bool))
    features[~private] = networks.features_of(pooled, np.load(arrays / "inputs.npy", mmap_mode="r", allow_pickle=False))
    if private.any():  # embed keeps mean and maximum; a head on the mean alone takes the first half
        features[private] = np.load(arrays / "features.npy", allow_pickle=False)[:, : features.shape[1]]
    with tqdm(total=params.train.epochs, desc="training folds", unit="epoch", disable=None) as bar:
        crossed = networks.cross_fit(features, targets, parts, params.train, lambda *_: bar.update())
    epochs = max(1, round(float(np.median(crossed.best_epochs))))
    extra, answers = _filled(arrays, features.shape[1], len(cast))
    head = networks.fit_head(
        np.concatenate([features, extra]), np.concatenate([targets, answers]), epochs, params.train, lambda *_: None
    )
    judged = _of_frames(targets, n_frames, params.train.min_present)
    scale, offset = calibration.fit(crossed.logits, judged)
    held_out = calibration.cross_fitted_scores(crossed.logits, judged, [fold.test for fold in parts])[:n_frames]

    counts = {"n_frames": n_frames} | ({"n_stills": n_stills} if n_stills else {})
    with new_folder(models) as folder:
        networks.save(networks.scorer_model(pooled, head, exclusive=params.train.exclusive), folder)
        write_array(folder / HEAD, np.vstack([head.kernel, head.bias]))
        scores = pandas.DataFrame(held_out, columns=list(cast))
        scores.insert(0, "video_id", index["video_id"])
        scores.insert(1, "time_s", index["time_s"])
        write_table(folder / "out_of_fold.csv", scores, OUT_OF_FOLD, cast)
        data = _identity(arrays, targets, cast) | counts
        settings = params.train.model_dump()
        libraries = versions(LIBRARIES)
        decides = {"data": data, "params": settings, "code": closure_hash("stages.train"), "libraries": libraries}
        facts = {
            "run_key": run_key(decides),
            "form": form.as_dict(),
            "cast": list(cast),
            "calibration": {"scale": scale, "offset": offset},
            "params": settings,
            "data": data,
            "libraries": libraries,
            "files": {path.name: sha256_of(path) for path in sorted(folder.iterdir())},
        }
        write_json(folder / FACTS, facts)
    write_table(plots, _epochs(crossed.history, head.history), EPOCHS)
    write_json(metrics, counts | _figures(crossed, head, epochs, targets, cast))
    beside = f" and {n_stills} stills" if n_stills else ""
    print(f"{models}: {n_frames} frames{beside}, {len(parts)} folds, {epochs} epochs; run {facts['run_key'][:7]}")
    _track(models, metrics, plots)


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


def _filled(arrays: Path, n_features: int, n_characters: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames with filled cells: features (n_filled, n_features) and targets (n_filled, n_characters); none unless asked for."""
    if not (arrays / "filled.csv").is_file():
        return np.empty((0, n_features), np.float32), np.empty((0, n_characters), np.float32)
    features, targets = (
        np.load(arrays / f"filled_{name}.npy", allow_pickle=False).astype(np.float32)
        for name in ("features", "targets")
    )
    return features[:, :n_features].reshape(-1, n_features), targets


def _identity(arrays: Path, targets: np.ndarray, cast: Sequence[str]) -> dict:
    """What was learned from: hashes and counts."""
    names = sorted(path.name for path in arrays.iterdir())
    counts = {f"present_{name}": int((targets[:, column] == 1).sum()) for column, name in enumerate(cast)}
    return {f"sha256_{name}": sha256_of(arrays / name) for name in names} | counts


def _of_frames(targets: np.ndarray, n_frames: int, enough: int) -> np.ndarray:
    """The targets, without stills where frames alone show a character often enough, and often enough do not.

    Who made a set chose how many of its pictures show a character; the film chose it for its frames.
    """
    judged = targets.copy()
    known = [(targets[:n_frames] == value).sum(axis=0) >= enough for value in (0, 1)]
    judged[n_frames:, known[0] & known[1]] = np.nan
    return judged


def _epochs(folds_history: Sequence[dict], final_history: Sequence[dict]) -> pandas.DataFrame:
    """Every epoch: what the folds lost and what the head that is kept lost."""
    table = pandas.DataFrame(folds_history).join(pandas.DataFrame(final_history), how="outer")
    table.insert(0, "epoch", np.arange(1, len(table) + 1))
    return table


def _figures(crossed, head, epochs: int, targets: np.ndarray, cast: Sequence[str]) -> dict:
    return {
        "folds": len(crossed.best_epochs),
        "epochs": epochs,
        "loss": head.history[-1]["final_loss"],
        "validation_loss": min(epoch["validation_loss"] for epoch in crossed.history),
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
