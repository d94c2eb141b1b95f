"""Scores by the exported model: those of the Keras model, without TensorFlow, and kept where nothing has changed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from scipy.special import expit
from scored import CAST, FORM, OFFSET, SCALE, pictures, write_models

from screentime import frozen, network
from screentime.errors import InputError
from screentime.files import read_json, sha256_of, write_json
from screentime.frames import encode_jpeg, open_frames
from screentime.inputs import network_input
from screentime.params import Params, load
from screentime.scorer import HeadScorer, Scorer, model_facts
from screentime.sections import Video
from screentime.table_files import read_table, write_table
from screentime.tables import FRAMES, SCORES
from stages.score import score

ROOT = Path(__file__).parents[1]


def params(*films: str, threads: int = 1) -> Params:
    """The project's own parameters with other films, scored in this process."""
    own = load(ROOT / "params.yaml")
    videos = tuple(Video(file=film) for film in films)
    settings = own.score.model_copy(update={"workers": 1, "threads": threads})
    return own.model_copy(update={"videos": videos, "cast": CAST, "score": settings})


def write_frames(folder: Path, video_id: str, n: int, seed: int) -> None:
    """A sampled film of n pictures, one a second."""
    folder.mkdir(exist_ok=True)
    jpegs = [encode_jpeg(picture, 80) for picture in pictures(n, seed)]
    (folder / f"{video_id}.mjpeg").write_bytes(b"".join(jpegs))
    times, sizes = np.arange(n, dtype=float), np.array([len(jpeg) for jpeg in jpegs])
    table = pandas.DataFrame({"time_s": times, "duration_s": 1.0, "frame_time_s": times, "frame_end_s": times + 1})
    write_table(folder / f"{video_id}.csv", table.assign(offset=np.cumsum(sizes) - sizes, size=sizes), FRAMES)
    write_json(folder / f"{video_id}.json", {"video_id": video_id, "fps": 1, "n_frames": n})
    write_json(folder / f"{video_id}.key.json", {"files": {"mjpeg": sha256_of(folder / f"{video_id}.mjpeg")}})


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scorer") / "models"
    write_models(folder)
    return folder


def table(folder: Path, video_id: str) -> pandas.DataFrame:
    return read_table(folder / f"{video_id}.csv", SCORES, CAST)


def test_every_sampled_frame_has_the_calibrated_score_of_the_keras_model(models, tmp_path):
    write_frames(tmp_path / "frames", "film", 12, seed=1)

    score(
        frames=tmp_path / "frames",
        features=tmp_path / "features",
        models=models,
        scores=tmp_path / "scores",
        params=params("film.mp4"),
    )

    pack = open_frames(tmp_path / "frames", "film")
    shown = np.stack([network_input(pack.image(index), FORM) for index in range(len(pack))])
    logits = network.load(models).predict_on_batch(shown)
    wanted = expit(np.array(SCALE) * logits + OFFSET)
    rows = table(tmp_path / "scores", "film")
    assert rows["time_s"].tolist() == pack.times_s.tolist()
    assert np.ptp(wanted, axis=0).min() > 0.3
    assert np.abs(rows[list(CAST)].to_numpy() - wanted).max() < 1e-3


@pytest.mark.parametrize("exclusive", [False, True])
def test_the_head_alone_says_of_features_what_the_network_says_of_pictures(tmp_path, exclusive):
    write_models(tmp_path / "models", exclusive=exclusive)
    images = pictures(12, seed=4)
    shown = np.stack([network_input(image, FORM) for image in images]).astype(np.float16)
    features = frozen.features_of(frozen.feature_model(FORM, "mean_max"), shown).astype(np.float16)

    whole = Scorer(tmp_path / "models", threads=1)
    told = HeadScorer(tmp_path / "models").scores(features)

    wanted = np.array([whole.scores(image) for image in images])
    assert np.ptp(wanted, axis=0).min() > 0.3
    assert np.abs(told - wanted).max() < 0.01  # features and pictures are kept with 11 bits


def test_scoring_imports_no_tensorflow(models, tmp_path):
    write_frames(tmp_path / "frames", "film", 2, seed=1)
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from functools import partial
from pathlib import Path
from stages.score import score_video
score_video(Path("."), lambda share: None, frames=Path("frames"), models=Path({str(models)!r}), video_id="film", threads=1)
print(sorted({{"tensorflow", "keras", "mlflow"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert len(table(tmp_path, "film")) == 2


def test_a_film_that_is_added_is_scored_alone(models, tmp_path, capsys):
    frames, scores = tmp_path / "frames", tmp_path / "scores"
    write_frames(frames, "one", 3, seed=1)
    write_frames(frames, "two", 2, seed=2)
    score(frames=frames, features=tmp_path / "features", models=models, scores=scores, params=params("one.mp4"))
    before = (scores / "one.csv").stat().st_mtime_ns

    score(
        frames=frames, features=tmp_path / "features", models=models, scores=scores, params=params("one.mp4", "two.mp4")
    )

    assert capsys.readouterr().out.splitlines()[-1] == f"{scores}: 1 of 2 films scored now, the others kept"
    assert (scores / "one.csv").stat().st_mtime_ns == before
    assert len(table(scores, "two")) == 2


def test_another_model_scores_every_film_anew(models, tmp_path, capsys):
    frames, scores, other = tmp_path / "frames", tmp_path / "scores", tmp_path / "models"
    write_frames(frames, "film", 3, seed=1)
    score(frames=frames, features=tmp_path / "features", models=models, scores=scores, params=params("film.mp4"))
    first = table(scores, "film")
    write_models(other, seed=1)

    score(frames=frames, features=tmp_path / "features", models=other, scores=scores, params=params("film.mp4"))

    assert capsys.readouterr().out.splitlines()[-1] == f"{scores}: 1 of 1 films scored now, the others kept"
    assert not table(scores, "film").equals(first)


def test_a_picture_of_another_size_is_scored_as_its_resized_self(models):
    scorer = Scorer(models, threads=1)
    small = pictures(1, 5)[0]
    large = np.kron(small, np.ones((4, 4, 1), np.uint8))

    assert np.abs(scorer.scores(large) - scorer.scores(small)).max() < 1e-6


def test_the_scorer_knows_its_cast_and_its_form(models):
    scorer = Scorer(models, threads=1)

    assert (scorer.cast, scorer.form) == (CAST, FORM)


def test_no_model_is_a_sentence(tmp_path):
    with pytest.raises(InputError) as failure:
        model_facts(tmp_path)

    assert str(failure.value) == (
        f"{tmp_path / 'model.json'}: no such file was found, a trained model was expected; run `dvc repro train`, or fetch "
        "the models with `dvc pull train`"
    )


def test_a_model_that_lacks_a_file_is_a_sentence(models, tmp_path):
    write_json(tmp_path / "model.json", read_json(models / "model.json"))

    with pytest.raises(InputError) as failure:
        Scorer(tmp_path, threads=1)

    assert str(failure.value) == (
        f"{tmp_path / 'architecture.json'}: no such file was found, model.json names it; run `dvc repro train`, or fetch "
        "the models with `dvc pull train`"
    )
