"""Stage train: one run. The backbone's last blocks and a head, or a head alone, calibrated out of fold, tracked in MLflow."""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pandas

from screentime import augmentation, calibration, command, eight_bit
from screentime.backbones import backbone
from screentime.closure import closure_hash
from screentime.files import new_folder, sha256_of, write_bytes, write_json
from screentime.labelled_frames import LabelledFrames, check_enough, check_method, read_arrays
from screentime.methods import CROSS_FIT, Candidate, candidates
from screentime.params import Params
from screentime.runs import run_key, training_record, versions
from screentime.scorer import FACTS, WEIGHTS
from screentime.sections import Train
from screentime.table_files import write_table
from screentime.tables import EPOCHS, OUT_OF_FOLD
from screentime.tracking import StoreError, open_store, track

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
    check_enough(labelled, settings)
    check_method(labelled, settings)
    tried = candidates(labelled, settings)
    chosen = min(tried, key=lambda one: one.squared_error)
    methods = [one.method for one in tried]
    with new_folder(models) as folder:
        history = chosen.finish(folder)
        scale, offset = calibration.fit(chosen.crossed.logits, labelled.judged(settings.min_present))
        scores = pandas.DataFrame(chosen.held_out[: labelled.n_frames], columns=list(labelled.cast))
        scores.insert(0, "video_id", labelled.index["video_id"])
        scores.insert(1, "time_s", labelled.index["time_s"])
        write_table(folder / "out_of_fold.csv", scores, OUT_OF_FOLD, labelled.cast)
        of_eight_bit = _eight_bit(folder, labelled, settings, chosen.method, scale, offset)
        counts = {"n_frames": labelled.n_frames} | ({"n_stills": labelled.n_stills} if labelled.n_stills else {})
        weights = labelled.form.identity() | _weights_identity(settings)
        data = _identity(arrays, labelled) | weights | counts
        others = CROSS_FIT.keys() - set(methods)  # what a method would do that is not tried decides nothing
        shown = settings.model_dump(exclude=others)
        libraries = versions(LIBRARIES)
        decides = {"data": data, "params": shown, "code": closure_hash("stages.train"), "libraries": libraries}
        facts = {
            "run_key": run_key(decides),
            "method": chosen.method,
            "form": labelled.form.as_dict(),
            "sampling": asdict(labelled.sampling),
            "cast": list(labelled.cast),
            "calibration": {"scale": scale, "offset": offset},
            **({"window": asdict(labelled.around)} if chosen.method == "sequence" else {}),
            "params": shown,
            "data": data,
            "libraries": libraries,
            "files": {path.name: sha256_of(path) for path in sorted(folder.iterdir())},
        }
        write_json(folder / FACTS, facts)
    write_table(plots, _epochs(chosen.crossed.history, history), EPOCHS)
    _write_sheet(sheet, labelled, settings, chosen.method)
    squared = {"squared_error": {one.method: one.squared_error for one in tried}}
    write_json(metrics, counts | _figures(chosen, history, labelled) | squared | of_eight_bit)
    beside = f" and {labelled.n_stills} stills" if labelled.n_stills else ""
    print(
        f"{models}: {labelled.n_frames} frames{beside}, {chosen.method}, {len(chosen.crossed.best_epochs)} folds, "
        f"{len(history)} epochs; run {facts['run_key'][:7]}"
    )
    if len(tried) > 1:
        told = ", ".join(f"{one.method} {one.squared_error:.4f}" for one in tried)
        print(f"squared error of the scores on frames that were held out: {told}")
    _track(models, metrics, plots)


def _eight_bit(
    folder: Path, labelled: LabelledFrames, settings: Train, method: str, scale: np.ndarray, offset: np.ndarray
) -> dict:
    """What an 8-bit network costs, where one is asked for; where it costs too much there is none."""
    if not settings.eight_bit or method == "sequence":
        return {}
    if len(labelled.inputs) < eight_bit.LEAST:
        here = f"{len(labelled.inputs)} found"
        print(f"8-bit network: none, what it costs is measured on {eight_bit.LEAST} labelled pictures or more; {here}")
        return {}
    cost = eight_bit.offer(
        folder, labelled.inputs, lambda logits: calibration.apply(logits, scale, offset), settings.threads
    )
    told = f"its scores differ by {cost['difference']:.4f} in the mean on {cost['n_frames']} labelled frames"
    print(f"8-bit network: {told}" + ("" if cost["kept"] else f", more than {eight_bit.ALLOWED:g}: it is not kept"))
    return {"eight_bit": cost}


def _identity(arrays: Path, labelled: LabelledFrames) -> dict:
    """What was learned from: hashes and counts."""
    names = sorted(path.name for path in arrays.iterdir())
    present = (labelled.targets == 1).sum(axis=0)
    counts = {f"present_{name}": int(present[column]) for column, name in enumerate(labelled.cast)}
    return {f"sha256_{name}": sha256_of(arrays / name) for name in names} | counts


def _weights_identity(settings: Train) -> dict:
    """The hash of the weights that the network began with, where they are a file of the user's or a model of other films."""
    weights = settings.fine_tune.weights
    if settings.method not in ("fine_tune", "best") or weights in ("imagenet", "none"):
        return {}
    path = Path(weights) / WEIGHTS if Path(weights).is_dir() else Path(weights)
    return {"sha256_weights": sha256_of(path)}


def _write_sheet(path: Path, labelled: LabelledFrames, settings: Train, method: str) -> None:
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


def _figures(chosen: Candidate, history: Sequence[dict], labelled: LabelledFrames) -> dict:
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
