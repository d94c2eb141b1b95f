"""A model that nobody trained, but that scores as a trained one does, its head drawn by chance; and films it tells apart."""

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import synthetic

from screentime import eight_bit, frozen, network, probe
from screentime.files import read_json, sha256_of, write_array, write_json
from screentime.inputs import Form, network_input
from screentime.scorer import HEAD, LIGHT_MODEL_8_BIT, Scorer

FORM = Form("efficientnet-lite0", width=96, height=64)
CAST = ("ann", "bob", "cleo")
SCALE, OFFSET = [0.5, 2.0, 1.0], [0.25, -1.0, 0.0]
RATE = Fraction(12)  # frames a second of the films
SAMPLING = {"fps": 1.0, "max_side": 160, "jpeg_quality": 80}


def pictures(n: int, seed: int) -> list[np.ndarray]:
    """Smooth blots of colour, (90, 160, 3) uint8 RGB: pictures unlike noise, which JPEG and a network take badly."""
    random = np.random.default_rng(seed)
    blots = random.integers(0, 256, (n, 5, 9, 3)).astype(np.uint8)
    return [np.kron(blot, np.ones((18, 18, 1), np.uint8))[:, 1:161] for blot in blots]


def write_models(folder: Path, seed: int = 0, exclusive: bool = False) -> None:
    """A model whose head was drawn at random, scaled so that its logits spread over several units."""
    features = frozen.feature_model(FORM, "mean_max")
    random = np.random.default_rng(seed)
    shown = np.stack([network_input(picture, FORM) for picture in pictures(20, 99)]).astype(np.float16)
    rows = frozen.features_of(features, shown)
    kernel = random.normal(0, 1, (rows.shape[1], len(CAST) + exclusive))
    kernel *= 2 / (rows @ kernel).std(axis=0)
    bias = -(rows @ kernel).mean(axis=0)
    head = probe.Head(kernel.astype(np.float32), bias.astype(np.float32), [])
    folder.mkdir()
    network.save(probe.scorer_model(features, head, exclusive=exclusive), folder)
    write_array(folder / HEAD, np.vstack([head.kernel, head.bias]))
    facts = {
        "params": {"exclusive": exclusive},
        "form": FORM.as_dict(),
        "sampling": SAMPLING,
        "cast": CAST,
        "calibration": {"scale": SCALE, "offset": OFFSET},
        "files": {path.name: sha256_of(path) for path in folder.iterdir()},
    }
    write_json(folder / "model.json", facts)


def offered(models: Path, folder: Path, images: list[np.ndarray]) -> dict:
    """A copy of a model to which the 8-bit network was offered with some frames; what it costs."""
    shutil.copytree(models, folder)
    whole = Scorer(models, threads=1)
    inputs = np.stack([network_input(image, whole.form) for image in images]).astype(np.float16)
    cost = eight_bit.offer(folder, inputs, whole.calibrated, threads=1)
    facts = read_json(folder / "model.json")
    names = [*facts["files"], *([LIGHT_MODEL_8_BIT] if (folder / LIGHT_MODEL_8_BIT).is_file() else [])]
    write_json(folder / "model.json", facts | {"files": {name: sha256_of(folder / name) for name in names}})
    return cost


def blots(number: int, width: int, height: int) -> np.ndarray:
    """Smooth blots of colour that change every half second: pictures on which the scores differ."""
    random = np.random.default_rng(number // 6)
    cells = random.integers(0, 256, (5, 9, 3)).astype(np.uint8)
    return np.kron(cells, np.ones((18, 18, 1), np.uint8))[:height, :width]


def film(path: Path, length_s: int = 6, shift: int = 0, **more: object) -> Path:
    """A film of blots; with another shift another film."""
    path.parent.mkdir(parents=True, exist_ok=True)
    starts_s = more.pop("starts_s", None) or synthetic.constant_rate(length_s * 12, RATE)
    picture = lambda number, width, height: blots(number + 1000 * shift, width, height)  # noqa: E731
    synthetic.write_film(path, starts_s, width=160, height=90, image_of=picture, **more)
    return path
