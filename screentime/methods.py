"""The ways to train: each tried on every fold, so that the one that errs least where it has not looked can be kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from screentime import calibration
from screentime.cross_fit import CrossFit
from screentime.errors import InputError
from screentime.files import write_array
from screentime.labelled_frames import LabelledFrames
from screentime.scorer import HEAD, LIGHT_SEQUENCE
from screentime.sections import Train
from screentime.splits import Fold, folds, parts_of_share

Finish = Callable[[Path], list[dict[str, float]]]


@dataclass(frozen=True)
class Candidate:
    """A method of training, tried on every fold.

    Attributes:
        method: fine_tune, probe or sequence.
        crossed: logits out of fold, and the epochs of the folds.
        finish: writes the network that has learned from all that is labelled into a folder, and returns its epochs.
        held_out: (n_rows, n_characters) float64: scores of every frame, network and calibration without it.
        squared_error: of these scores.
    """

    method: str
    crossed: CrossFit
    finish: Finish
    held_out: np.ndarray
    squared_error: float


def candidates(labelled: LabelledFrames, settings: Train) -> list[Candidate]:
    """Try every method that train.method allows on the same folds; the order says nothing.

    Raises:
        InputError: the labels are too few or too close together for so many folds, or a network cannot be trained.
    """
    parts = {method: _parts(labelled, settings, method) for method in _allowed(labelled, settings)}
    from screentime import frozen  # TensorFlow: only when the labels are in order

    frozen.make_deterministic(settings.seed, settings.threads)
    tried, judged = [], labelled.judged(settings.min_present)
    for method, own in parts.items():
        crossed, finish = CROSS_FIT[method](labelled, own, settings)
        scores = calibration.cross_fitted_scores(crossed.logits, judged, [part.test for part in own])
        tried.append(Candidate(method, crossed, finish, scores, _squared_error(scores, judged)))
    return tried


def _allowed(labelled: LabelledFrames, settings: Train) -> list[str]:
    """Which methods are tried; where some rows have features only, `best` has but one."""
    if settings.method != "best":
        return [settings.method]
    return ["probe"] if labelled.private.any() or labelled.filled is not None else ["fine_tune", "probe"]


def _parts(labelled: LabelledFrames, settings: Train, method: str) -> list[Fold]:
    """The folds: of both methods the same frames are held out, and each has its own that say when to stop."""
    n_validation = parts_of_share(settings.fine_tune.validation, settings.folds) if method == "fine_tune" else 1
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


def _fine_tuned(labelled: LabelledFrames, parts: Sequence[Fold], settings: Train) -> tuple[CrossFit, Finish]:
    """The last blocks of the backbone and a head, trained on pictures."""
    from screentime import fine_tuning, network, schedule

    tune = settings.fine_tune
    tuning = fine_tuning.Tuning(labelled.form, labelled.inputs, labelled.targets, settings, labelled.cast)
    if tuning.continued:
        print(f"{tune.weights}: goes on from there: {', '.join(tuning.continued)}")
    most = schedule.epochs_of(len(labelled.targets), tune)
    n_batches = sum(
        -(-n_rows // tune.batch_size) for n_rows in (len(labelled.targets), *(len(one.train) for one in parts))
    )
    with tqdm(total=most * n_batches, desc="fine-tuning", unit="batch", disable=None) as bar:
        crossed, kept = fine_tuning.cross_fit(tuning, parts, bar.update, settings.tensorboard)
        bar.total = bar.n

    def finish(folder: Path) -> list[dict[str, float]]:
        tuning.turn_to(kept)
        network.save(network.scorer_model(tuning.model, exclusive=settings.exclusive), folder)
        return [{f"final_{name}": value for name, value in row.items()} for row in kept.history]

    return crossed, finish


def _probed(labelled: LabelledFrames, parts: Sequence[Fold], settings: Train) -> tuple[CrossFit, Finish]:
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

    return crossed, finish


def _sequenced(labelled: LabelledFrames, parts: Sequence[Fold], settings: Train) -> tuple[CrossFit, Finish]:
    """A head over the frames around each frame, on frozen features; a still has nothing around it."""
    from screentime import frozen, network, sequence, sequence_fitting

    seen = frozen.feature_model(labelled.form, "mean_max")
    windows, places = labelled.windows, labelled.places
    if labelled.n_stills:
        stills = frozen.features_of(seen, labelled.inputs[-labelled.n_stills :]).astype(np.float16)
        windows = windows.and_alone(stills)
        places = np.append(places, np.zeros(labelled.n_stills, np.int64))
    fitting = sequence_fitting.SequenceFitting(windows, places, labelled.targets, settings)
    with tqdm(
        total=len(parts) * settings.sequence.epochs, desc="heads, fold by fold", unit="epoch", disable=None
    ) as bar:
        crossed = fitting.cross_fit(parts, lambda *_: bar.update())
        bar.total = bar.n

    def finish(folder: Path) -> list[dict[str, float]]:
        head, history = fitting.fit_kept(crossed.usual_epochs)
        network.save(seen, folder)
        (folder / "sequence.json").write_bytes(head.to_json(indent=1).encode("utf-8") + b"\n")
        head.save_weights(folder / "sequence.weights.h5")
        (folder / LIGHT_SEQUENCE).write_bytes(sequence.light_head(head, labelled.around.n_frames))
        return history

    return crossed, finish


CROSS_FIT = {"fine_tune": _fine_tuned, "probe": _probed, "sequence": _sequenced}


def _squared_error(scores: np.ndarray, judged: np.ndarray) -> float:
    """How far scores are from the answers, squared: the mean over known cells of each character, then over characters.

    Args:
        scores, judged: (n_rows, n_characters) float64 in [0, 1] or NaN.
    """
    return float(np.nanmean(np.nanmean((scores - judged) ** 2, axis=0)))
