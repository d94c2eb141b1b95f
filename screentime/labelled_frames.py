"""What the stage train learns from: the arrays of preprocess, and whether they are enough and fit the parameters."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from screentime.errors import InputError
from screentime.files import number, read_json
from screentime.frames import Sampling
from screentime.inputs import Form
from screentime.sections import Train
from screentime.table_files import read_table
from screentime.tables import INDEX, STILLS_INDEX
from screentime.windows import Around, Windows


@dataclass(frozen=True)
class LabelledFrames:
    """The arrays of the stage preprocess.

    Attributes:
        form: what the network is shown.
        sampling: how the frames were taken out of their films.
        cast: the characters.
        index: one row per labelled frame.
        inputs: (n_pictures, height, width, 3) float16, normalized, memory-mapped: of all rows but private ones.
        targets: (n_rows, n_characters) float32, frames first and then stills.
        private: (n_rows,) bool: which rows have features instead of a picture.
        features: (n_private, n_features) float16, None where no film is private.
        still_groups, near_copies: of the stills, as `splits.folds` wants them.
        filled: features and targets of the filled frames, None where they do not train.
        windows: around every labelled frame, None where there are none.
        places: (n_frames,) int64: which frame of its window the labelled one is.
        around: how far the windows reach.
    """

    form: Form
    sampling: Sampling
    cast: tuple[str, ...]
    index: pandas.DataFrame
    inputs: np.ndarray
    targets: np.ndarray
    private: np.ndarray
    features: np.ndarray | None
    still_groups: list[int]
    near_copies: list[list[int]]
    filled: tuple[np.ndarray, np.ndarray] | None
    windows: Windows | None
    places: np.ndarray | None
    around: Around | None

    @property
    def n_frames(self) -> int:
        return len(self.index)

    @property
    def n_stills(self) -> int:
        return len(self.still_groups)

    def judged(self, enough: int) -> np.ndarray:
        """The targets that calibration and comparison ask: without stills where frames alone show a character often enough.

        Who made a set chose how many of its pictures show a character; the film chose it for its frames.

        Args:
            enough: so many frames that show a character, and so many that do not.

        Returns:
            (n_rows, n_characters) float32, 1, 0 or NaN.
        """
        judged = self.targets.copy()
        known = [(judged[: self.n_frames] == value).sum(axis=0) >= enough for value in (0, 1)]
        judged[self.n_frames :, known[0] & known[1]] = np.nan
        return judged


def read_arrays(arrays: Path) -> LabelledFrames:
    """Read data/arrays; the pictures stay on disk."""
    form = read_json(arrays / "form.json")
    cast, private, around = tuple(form.pop("cast")), form.pop("private"), form.pop("window")
    sampling = Sampling(**form.pop("sampling"))
    index = read_table(arrays / "index.csv", INDEX)
    stills = read_table(arrays / "stills.csv", STILLS_INDEX) if (arrays / "stills.csv").is_file() else None
    groups = [] if stills is None else list(stills["group"])
    copies = [] if stills is None else [[int(row) for row in cell.split()] for cell in stills["near_copies"]]
    kept = arrays / "features.npy"
    filled = None
    if (arrays / "filled.csv").is_file():
        filled = tuple(np.load(arrays / f"filled_{name}.npy", allow_pickle=False) for name in ("features", "targets"))
    windows = places = None
    if around is not None:
        rows = np.load(arrays / "windows.npy", mmap_mode="r", allow_pickle=False)
        lengths, places = np.load(arrays / "window_places.npy", allow_pickle=False).T
        windows = Windows(rows, np.arange(rows.shape[1]) < lengths[:, None])
    return LabelledFrames(
        Form(**form),
        sampling,
        cast,
        index,
        np.load(arrays / "inputs.npy", mmap_mode="r", allow_pickle=False),
        np.load(arrays / "targets.npy", allow_pickle=False),
        np.append(index["video_id"].isin(private).to_numpy(), np.zeros(len(groups), bool)),
        np.load(kept, allow_pickle=False) if kept.is_file() else None,
        groups,
        copies,
        filled,
        windows,
        places,
        Around(**around) if around is not None else None,
    )


def check_enough(labelled: LabelledFrames, settings: Train) -> None:
    """Refuse to train on too little, naming what is needed and the next command.

    Raises:
        InputError: fewer labelled frames than train.min_labelled, or a character that is labelled present, or absent, in
            fewer than train.min_present.
    """
    targets = labelled.targets
    next_step = (
        "label the frames that data/suggestions/<video_id>.csv names in data/labels/<video_id>.csv (docs/labelling.md), "
        "then run `dvc repro`"
    )
    if len(targets) < settings.min_labelled:
        raise InputError(
            f"data/labels: {len(targets)} labelled frames were found, at least {settings.min_labelled} are needed to train; "
            f"{next_step}"
        )
    for column, name in enumerate(labelled.cast):
        for value, word in ((1, "present"), (0, "absent")):
            count = int((targets[:, column] == value).sum())
            if count < settings.min_present:
                times = "never" if count == 0 else f"in {count} frames"
                raise InputError(
                    f"data/labels: '{name}' is labelled {word} {times}, at least {settings.min_present} frames are needed to "
                    f"train; {next_step}, or remove '{name}' from the cast in params.yaml"
                )


def check_method(labelled: LabelledFrames, settings: Train) -> None:
    """Refuse to train on pictures where some rows have features only, and settings that contradict each other.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    tune = settings.fine_tune
    if settings.method == "fine_tune" and labelled.private.any():
        films = ", ".join(sorted(set(labelled.index["video_id"][labelled.private[: labelled.n_frames]])))
        raise InputError(
            f"params.yaml: train.method is fine_tune, private films ({films}) leave features and no pictures; set it to probe or "
            "sequence, or leave those films out with `python -m screentime video skip`"
        )
    if settings.method in ("fine_tune", "sequence") and labelled.filled is not None:
        lack = "no pictures" if settings.method == "fine_tune" else "no frames around them"
        raise InputError(
            f"params.yaml: train.method is {settings.method}, filled cells (preprocess.filled) have features and {lack}; set it "
            "to probe, or preprocess.filled to false"
        )
    if settings.method == "sequence" and labelled.windows is None:
        raise InputError(
            "params.yaml: train.method is sequence, embed and preprocess differ in backbone, width or height; the same was "
            "expected, as the frames around a labelled one are as embed has kept them: make both the same"
        )
    together = np.flatnonzero((labelled.targets == 1).sum(axis=1) > 1)
    if settings.exclusive and len(together):
        first = labelled.targets[together[0]] == 1
        names = " and ".join(name for name, here in zip(labelled.cast, first, strict=True) if here)
        raise InputError(
            f"params.yaml: train.exclusive is true, {names} are labelled visible together ({_place(labelled, together[0])}; "
            f"pictures like that: {len(together)}), one at most was expected; set it to false, or correct the labels"
        )
    if settings.method in ("fine_tune", "best") and tune.wanted_accuracy and not tune.validation:
        raise InputError(
            f"params.yaml: train.fine_tune: wanted_accuracy is {tune.wanted_accuracy:g} and validation 0, frames that tell "
            "the accuracy were expected; set validation to 0.25, or wanted_accuracy to 0"
        )


def _place(labelled: LabelledFrames, row: int) -> str:
    """Which labelled picture a row is, for a sentence."""
    if row >= labelled.n_frames:
        return "a still"
    frame = labelled.index.iloc[row]
    return f"{frame['video_id']} at {number(frame['time_s'])} s"
