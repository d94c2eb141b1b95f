"""Training method sequence: the frames around a frame count, folds are honest, pictures and features are scored alike."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from stores import empty_store
from trained import FORM, drawn_frame, params_with, truth, write_arrays
from watched import live

from screentime import frozen, sequence
from screentime.errors import InputError
from screentime.files import read_json
from screentime.frames import decode_jpeg, encode_jpeg
from screentime.inputs import network_input
from screentime.scorer import open_features_scorer, open_scorer, sampling_of
from screentime.sequence_fitting import SequenceFitting
from screentime.splits import folds
from screentime.watching.judge import opened_judge
from screentime.windows import Around, places_in_windows, windows_around
from stages.train import train

TESTS = Path(__file__).parent
AROUND = Around(before=1, after=1)
SMALL = {
    "units": [16],
    "dense": [16],
    "learning_rate": 0.02,
    "epochs": 25,
    "patience": 25,
    "batch_size": 15,
    "dropout": 0.0,
}


def rising(n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames of one number each, and whether it rises from the frame before to the frame behind: what no frame alone says.

    The second character is there where the number itself is above 0.
    """
    level = np.random.default_rng(0).normal(0, 1, n_frames)
    rises = np.append(np.append(0, level[2:] > level[:-2]), 0)
    return level[:, None].astype(np.float32), np.column_stack([rises, level > 0]).astype(np.float32)


def right_out_of_fold(around: Around, head: str, exclusive: bool = False) -> np.ndarray:
    """(2,) the share of frames that heads which have not seen them get right."""
    features, targets = rising(180)
    targets[::9, 1] = np.nan
    if exclusive:
        targets = targets[:, 1:]
    rows = np.arange(len(features))
    settings = params_with(method="sequence", head=head, exclusive=exclusive, **SMALL).train
    fitting = SequenceFitting(
        windows_around(features, rows, around), places_in_windows(rows, around), targets, settings
    )
    parts = folds(["film"] * len(rows), rows.astype(float), 3, 10.0, 2.0, [], [], 1)

    crossed = fitting.cross_fit(parts, lambda *_: None)

    right = (expit(crossed.logits) > 0.5) == targets
    return np.array([right[~np.isnan(targets[:, column]), column].mean() for column in range(targets.shape[1])])


def test_a_head_over_windows_sees_what_no_frame_alone_shows():
    alone, around = right_out_of_fold(Around(0, 0), "mean"), right_out_of_fold(AROUND, "gru")

    assert alone[0] < 0.65 and alone[1] > 0.9
    assert around.min() > 0.9


def test_characters_that_exclude_each_other_are_told_apart_too():
    assert right_out_of_fold(Around(0, 0), "mean", exclusive=True)[0] > 0.85


def test_the_rolling_head_learns_from_the_labelled_frame_of_each_window_alone():
    """The level is learned; averaged over three frames, of which two say nothing of it, it is told less often."""
    right = right_out_of_fold(AROUND, "rolling")

    assert right[0] < 0.65 and 0.6 < right[1] < 0.95


def stretches(n_frames: int, seed: int) -> np.ndarray:
    """(n_frames, 2) float32: who is there; four frames in a row show the same."""
    return np.repeat(truth(n_frames // 4, seed), 4, axis=0)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A head over windows of drawn frames, trained by the stage."""
    folder = tmp_path_factory.mktemp("sequence")
    seen = frozen.feature_model(FORM, "mean_max")
    write_arrays(
        folder / "arrays", stretches(96, 0), features_of=lambda inputs: frozen.features_of(seen, inputs), around=AROUND
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        empty_store(folder)
        learn(folder)
    return folder


def learn(folder, out="", **changes):
    settings = params_with(
        method="sequence", folds=3, head="gru", units=[16], learning_rate=0.003, epochs=10, patience=10, **changes
    )
    train(
        arrays=folder / "arrays", models=folder / out / "models", metrics=folder / out / "metrics.json",
        plots=folder / out / "epochs.csv", sheet=folder / out / "augmented.jpg", params=settings,
    )  # fmt: skip


def test_another_process_writes_the_same_bytes(workplace):
    code = "import sys; from pathlib import Path; sys.path[:0] = sys.argv[1:]; import test_sequence_method as here; here.learn(Path(), 'two')"
    subprocess.run([sys.executable, "-c", code, str(TESTS.parent), str(TESTS)], cwd=workplace, check=True)

    files = {path.relative_to(workplace / "two") for path in (workplace / "two").rglob("*") if path.is_file()}
    assert {path.name for path in files} >= {
        "sequence.tflite",
        "sequence.weights.h5",
        "scorer.tflite",
        "model.json",
        "metrics.json",
    }
    assert [path for path in files if (workplace / path).read_bytes() != (workplace / "two" / path).read_bytes()] == []


def images(n_frames: int) -> list[np.ndarray]:
    return [
        drawn_frame(bool(disc), bool(cross), 7000 + row) for row, (disc, cross) in enumerate(stretches(n_frames, 5))
    ]


def test_frames_it_has_not_seen_are_told_apart(workplace):
    scorer = open_scorer(workplace / "models", threads=1)
    scores, places = scorer.film(map(scorer.row, images(60)))

    assert places is None
    assert ((scores > 0.5) == stretches(60, 5)).mean(axis=0).min() > 0.8


def test_scores_from_pictures_are_those_from_kept_features_and_those_of_keras(workplace):
    shown = images(40)
    scorer = open_scorer(workplace / "models", threads=1)
    features = np.stack([scorer.row(image) for image in shown])
    scores, _ = scorer.film(map(scorer.row, shown))
    head = sequence.keras.models.model_from_json((workplace / "models" / "sequence.json").read_text())
    head.load_weights(workplace / "models" / "sequence.weights.h5")
    backbone = frozen.features_of(
        frozen.feature_model(FORM, "mean_max"), np.stack([network_input(one, FORM) for one in shown])
    )
    facts = read_json(workplace / "models" / "model.json")

    logits = sequence.logits_of(head, windows_around(backbone, np.arange(40), AROUND)).astype(np.float64)

    expected = expit(np.array(facts["calibration"]["scale"]) * logits + facts["calibration"]["offset"])
    assert facts["window"] == {"before": 1, "after": 1}
    assert np.ptp(scores, axis=0).min() > 0.5
    np.testing.assert_array_equal(open_features_scorer(workplace / "models", threads=1).scores(features), scores)
    np.testing.assert_allclose(scores, expected, atol=2e-3)


def test_watched_live_each_frame_is_judged_as_the_last_one_of_a_film(workplace):
    judge = opened_judge(workplace / "models", threads=1)
    scorer = open_scorer(workplace / "models", threads=1)
    sampling = sampling_of(workplace / "models", scorer.facts)
    shown = images(6)
    features = [scorer.row(decode_jpeg(encode_jpeg(image, sampling.jpeg_quality))) for image in shown]

    judge.scores(live(images(8)[7]))
    judge.forget()  # the line broke: what follows has nothing before it
    scores = [judge.scores(live(image)) for image in shown]

    assert (judge.names, judge.fps) == (scorer.cast, sampling.fps)
    for index, one in enumerate(scores):
        np.testing.assert_array_equal(one, scorer.scores(np.stack(features[: index + 1]))[-1])


def test_the_order_of_the_frames_counts(workplace):
    scorer = open_scorer(workplace / "models", threads=1)
    features = np.stack([scorer.row(image) for image in images(12)])

    assert np.abs(scorer.scores(features[::-1])[::-1] - scorer.scores(features)).max() > 1e-3


def test_without_windows_the_stage_says_why_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_arrays(tmp_path / "arrays", truth(48))

    with pytest.raises(InputError, match="embed and preprocess differ in backbone, width or height"):
        learn(tmp_path)


def test_a_loss_that_is_no_number_stops_the_stage_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_arrays(
        tmp_path / "arrays", truth(48), around=AROUND,
        features_of=lambda inputs: np.full((len(inputs), 6), np.nan, np.float32),
    )  # fmt: skip

    with pytest.raises(InputError) as error:
        learn(tmp_path)

    assert "params.yaml: train.sequence: epoch 1: the loss is no longer a finite number" in str(error.value)
    assert "lower learning_rate, now 0.003" in str(error.value)
    assert not (tmp_path / "models").exists()
