"""Private films: others get features, scores and labels, never pictures, and rebuild the rest from what they have."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
import pytest
import synthetic
from project import Project
from test_scorer import write_models

from screentime.errors import InputError
from screentime.files import read_json, sha256_of, write_json
from screentime.frames import open_frames
from screentime.params import Params, load
from screentime.sections import Video
from screentime.table_files import read_table, write_table
from screentime.tables import SCORES, TARGETS
from stages.embed import embed
from stages.preprocess import preprocess
from stages.sample import sample
from stages.score import score

PROJECT = load(Path(__file__).parents[1] / "params.yaml")
CAST = ("ann", "bob", "cleo")
SMALL = {"width": 96, "height": 64}


def params_for(folder: Path, *, private: bool = True, fps: float = 1.0) -> Params:
    secret = Video(file="secret.mp4", private=private, sha256=sha256_of(folder / "secret.mp4"))
    return PROJECT.model_copy(
        update={
            "videos": (Video(file="open.mp4"), secret),
            "cast": CAST,
            "sample": PROJECT.sample.model_copy(update={"workers": 1, "fps": fps}),
            "preprocess": PROJECT.preprocess.model_copy(update=SMALL),
            "embed": PROJECT.embed.model_copy(update=SMALL | {"workers": 1, "threads": 1}),
            "score": PROJECT.score.model_copy(update={"workers": 1}),
        }
    )


def run(folder: Path, params: Params) -> None:
    """The stages that touch pictures."""
    data = folder / "data"
    sample(videos=folder / "videos", frames=data / "frames", metrics=folder / "m.json", params=params)
    embed(frames=data / "frames", features=data / "features", params=params)
    preprocess(
        frames=data / "frames", features=data / "features", targets=folder / "targets", stills=data / "stills",
        filled=data / "filled", arrays=data / "arrays", params=params,
    )  # fmt: skip
    score(
        frames=data / "frames", features=data / "features", models=folder / "models", scores=data / "scores",
        params=params,
    )  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted((folder / "data").rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if ".private." not in path.name}


@pytest.fixture(scope="module")
def owner(tmp_path_factory) -> Path:
    """The machine that has both films, with a model and labels of both."""
    folder = tmp_path_factory.mktemp("owner")
    (folder / "videos").mkdir()
    for number, name in enumerate(("open", "secret")):
        starts_s = synthetic.constant_rate(40 + 5 * number, Fraction(5))
        synthetic.write_film(folder / "videos" / f"{name}.mp4", starts_s, width=192, height=128)
        rows = [(2.0, "ann", "1", "manual", ""), (4.0, "bob", "0", "manual", "")]
        table = pandas.DataFrame(rows, columns=["time_s", "character", "present", "source", "at"])
        write_table(folder / "targets" / f"{name}.csv", table, TARGETS)
    write_models(folder / "models")
    facts = read_json(folder / "models" / "model.json")
    write_json(folder / "models" / "model.json", facts | {"form": facts["form"] | SMALL})
    run(folder, params_for(folder / "videos"))
    return folder


@pytest.fixture
def other(owner, tmp_path) -> Path:
    """A machine that has all that is shared, and the open film."""
    shutil.copytree(owner, tmp_path / "other", ignore=shutil.ignore_patterns("*.private.mjpeg", "secret.mp4"))
    return tmp_path / "other"


def test_the_pictures_lie_in_a_file_of_their_own_and_the_scores_are_those_of_the_pictures(owner, tmp_path):
    frames = owner / "data" / "frames"
    assert (frames / "secret.private.mjpeg").is_file() and not (frames / "secret.mjpeg").exists()
    assert open_frames(frames, "secret").image(3).shape == (128, 192, 3)
    shutil.copytree(owner, tmp_path / "plain", ignore=shutil.ignore_patterns("data"))
    run(tmp_path / "plain", params_for(owner / "videos", private=False))

    of_features, of_pictures = (
        read_table(folder / "data" / "scores" / "secret.csv", SCORES, CAST)[list(CAST)].to_numpy()
        for folder in (owner, tmp_path / "plain")
    )
    assert np.abs(of_features - of_pictures).max() < 0.02


def test_who_has_no_pictures_keeps_everything_and_rebuilds_from_it_to_the_same_bytes(owner, other):
    before = contents(other)
    run(other, params_for(owner / "videos"))
    assert contents(other) == before == contents(owner)

    for name in ("arrays", "scores"):
        shutil.rmtree(other / "data" / name)
    run(other, params_for(owner / "videos"))
    assert contents(other) == before


def test_what_needs_the_pictures_is_refused_before_anything_is_touched(owner, other):
    before = contents(other)
    with pytest.raises(InputError) as failure:
        run(other, params_for(owner / "videos", fps=2.0))

    assert str(failure.value) == (
        f"{other}/videos/secret.mp4: this private film was expected here, as its frames are missing or were made with other "
        "parameters or code; add the film itself with `python -m screentime video add --private`, put the parameters back, "
        "or leave it out with `python -m screentime video skip secret --reason ...`"
    )
    assert contents(other) == before
    with pytest.raises(InputError) as failure:
        open_frames(other / "data" / "frames", "secret").image(0)
    assert str(failure.value) == (
        f"{other}/data/frames/secret.private.mjpeg: the pictures of a private film were expected, they are not on this "
        "machine; run this where the film is, or leave it out with `python -m screentime video skip secret --reason ...`"
    )


def test_pictures_that_are_lost_where_the_film_is_are_made_again(owner):
    pack = owner / "data" / "frames" / "secret.private.mjpeg"
    before = pack.read_bytes()
    pack.unlink()
    run(owner, params_for(owner / "videos"))

    assert pack.read_bytes() == before


def test_another_film_that_took_the_name_is_refused(owner, tmp_path):
    shutil.copytree(owner, tmp_path / "swapped")
    params = params_for(owner / "videos")
    shutil.copy(owner / "videos" / "open.mp4", tmp_path / "swapped" / "videos" / "secret.mp4")

    with pytest.raises(InputError) as failure:
        run(tmp_path / "swapped", params)

    assert str(failure.value).splitlines()[0] == (
        f"{tmp_path}/swapped/videos/secret.mp4: sha256 {sha256_of(owner / 'videos' / 'open.mp4')[:12]}... was found, "
        f"params.yaml names a film with {params.videos[1].sha256[:12]}..., on which labels may rest; bring that film back, or "
        "add this one under another name with `python -m screentime video add --name`"
    )


def test_private_scores_need_the_features_of_the_network_that_was_trained(owner):
    params = params_for(owner / "videos")
    larger = params.model_copy(update={"embed": params.embed.model_copy(update={"width": 128})})
    data = owner / "data"

    with pytest.raises(InputError) as failure:
        score(
            frames=data / "frames", features=data / "features", models=owner / "models", scores=data / "scores",
            params=larger,
        )  # fmt: skip

    assert str(failure.value) == (
        "params.yaml: embed is efficientnet-lite0 at 128x64, the model was trained with efficientnet-lite0 at 96x64; the same "
        "was expected, as private films are scored from what embed has kept: make both the same, or leave those films (secret) "
        "out with `python -m screentime video skip`"
    )


def test_dvc_keeps_the_index_of_a_private_film_and_passes_over_its_pictures(owner, tmp_path):
    project = Project(tmp_path)
    project.own_films("open.mp4")
    shutil.copy(owner / "videos" / "open.mp4", tmp_path / "data" / "videos")
    project.set_params(cast=list(CAST))
    project.run("python", "-m", "screentime", "video", "add", "--private", str(owner / "videos" / "secret.mp4"))
    project.run("dvc", "repro", "sample")

    listing = next((tmp_path / ".dvc" / "cache" / "files" / "md5").rglob("*.dir"))
    kept = {entry["relpath"] for entry in json.loads(listing.read_text())}
    assert "secret.csv" in kept and "open.mjpeg" in kept and "secret.private.mjpeg" not in kept
    assert (tmp_path / "data" / "frames" / "secret.private.mjpeg").is_file()
    cached = {path.stat().st_size for path in (tmp_path / ".dvc" / "cache").rglob("*") if path.is_file()}
    assert (owner / "videos" / "secret.mp4").stat().st_size not in cached
