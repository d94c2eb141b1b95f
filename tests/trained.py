"""A small training set whose truth is known, and a model trained on it: drawn frames, two characters."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pandas

from screentime.files import write_json
from screentime.inputs import Form, network_input
from screentime.params import Params, load
from screentime.table_files import write_table
from screentime.tables import INDEX
from screentime.windows import Around, places_in_windows, windows_around

ROOT = Path(__file__).parents[1]
FORM = Form("efficientnet-lite0", width=96, height=64)
CAST = ("disc", "cross")


def drawn_frame(disc: bool, cross: bool, seed: int) -> np.ndarray:
    """A noisy picture, (64, 96, 3) uint8 RGB, with a red disc, a blue cross, both or neither."""
    random = np.random.default_rng(seed)
    image = np.ascontiguousarray(random.integers(90, 150, (64, 96, 3)).astype(np.uint8))
    x, y = (int(value) for value in random.integers(16, 34, 2))
    if disc:
        cv2.circle(image, (x, y), 13, (230, 30, 30), -1)
    if cross:
        cv2.line(image, (x + 28, y - 12), (x + 52, y + 12), (30, 30, 230), 7)
        cv2.line(image, (x + 28, y + 12), (x + 52, y - 12), (30, 30, 230), 7)
    return image


def truth(n_frames: int, seed: int = 0) -> np.ndarray:
    """(n_frames, 2) float32: who is there, frame by frame."""
    return (np.random.default_rng(seed).random((n_frames, 2)) < (0.5, 0.3)).astype(np.float32)


def write_arrays(
    arrays: Path,
    targets: np.ndarray,
    cast: tuple[str, ...] = CAST,
    features_of: Callable | None = None,
    around: Around | None = None,
) -> None:
    """The output of the stage preprocess for frames of one video, 5 s apart.

    With `features_of`, from inputs to features, every third frame is of a private film; with `around` too there is no such
    film, but windows.
    """
    arrays.mkdir(parents=True)
    answers = np.nan_to_num(targets[:, :2])
    images = [drawn_frame(bool(disc), bool(cross), seed) for seed, (disc, cross) in enumerate(answers)]
    inputs = np.array([network_input(image, FORM) for image in images], np.float16)
    inputs = inputs.reshape(-1, FORM.height, FORM.width, 3)
    private = (np.arange(len(targets)) % 3 == 0) & (features_of is not None and around is None)
    order = np.argsort(private, kind="stable")
    inputs, targets, private = inputs[order], targets[order], private[order]
    np.save(arrays / "inputs.npy", inputs[~private])
    if private.any():
        np.save(arrays / "features.npy", features_of(inputs[private]).astype(np.float16))
    if around:
        windows = windows_around(features_of(inputs).astype(np.float16), np.arange(len(inputs)), around)
        places = places_in_windows(np.arange(len(inputs)), around)
        np.save(arrays / "windows.npy", windows.features)
        np.save(arrays / "window_places.npy", np.column_stack([windows.mask.sum(axis=1), places]))
    np.save(arrays / "targets.npy", targets)
    video_ids = np.where(private, "private", "film")
    index = pandas.DataFrame({"video_id": video_ids, "time_s": 5.0 * np.arange(len(targets))[order], "duration_s": 1.0})
    write_table(arrays / "index.csv", index, INDEX)
    form = FORM.as_dict() | {
        "cast": list(cast),
        "private": ["private"] if private.any() else [],
        "window": asdict(around) if around else None,
        "sampling": {"fps": 1.0, "max_side": 96, "jpeg_quality": 72},
    }
    write_json(arrays / "form.json", form)


def params_with(**train: object) -> Params:
    """The project's parameters with a quick training of the probe; what a method has is changed in its section."""
    project = load(ROOT / "params.yaml")
    settings = {"method": "probe", "epochs": 80, "patience": 20, "folds": 4, "block_s": 20.0, "threads": 1} | train
    for method in ("fine_tune", "probe") if settings["method"] == "best" else (settings["method"],):
        section = getattr(project.train, method)
        own = {
            name: settings.pop(name) for name in [*settings] if name in type(section).model_fields and name != "epochs"
        }
        own |= settings.pop(method, {})
        if method == "fine_tune":  # as many epochs as a test asks for
            own = {"least_steps": 0} | own
        settings[method] = section.model_copy(update=own | {"epochs": own.get("epochs", settings["epochs"])})
    settings.pop("epochs")
    return project.model_copy(update={"train": project.train.model_copy(update=settings), "cast": CAST})
