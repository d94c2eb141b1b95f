"""The stages preprocess, embed and suggest: from frames and targets to arrays, features and what to label next."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
import pytest
import synthetic
from labelled_film import truth, write_film

from screentime.errors import InputError
from screentime.files import read_json
from screentime.frames import open_frames
from screentime.inputs import Form, network_input
from screentime.params import Params, Video, load
from screentime.tables import INDEX, SUGGESTIONS, TARGETS, read_table, write_table
from stages.embed import embed
from stages.preprocess import preprocess
from stages.sample import sample
from stages.suggest import suggest

PROJECT = load(Path(__file__).parents[1] / "params.yaml")
CAST = ("ann", "bob")
SMALL = {"width": 96, "height": 64}


def params_for(*films: str, suggested: int = 3) -> Params:
    return PROJECT.model_copy(
        update={
            "videos": tuple(Video(file=film) for film in films),
            "cast": CAST,
            "sample": PROJECT.sample.model_copy(update={"workers": 1}),
            "preprocess": PROJECT.preprocess.model_copy(update=SMALL),
            "embed": PROJECT.embed.model_copy(update=SMALL | {"threads": 1}),
            "suggest": PROJECT.suggest.model_copy(update={"frames": suggested}),
        }
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two sampled films of 8 seconds, and a folder for targets."""
    (tmp_path / "videos").mkdir()
    for name in ("one.mp4", "two.mp4"):
        synthetic.write_film(
            tmp_path / "videos" / name, synthetic.constant_rate(40, Fraction(5)), width=192, height=128
        )
    sample(
        videos=tmp_path / "videos", frames=tmp_path / "frames", metrics=tmp_path / "m.json",
        params=params_for("one.mp4", "two.mp4"),
    )  # fmt: skip
    (tmp_path / "targets").mkdir()
    return tmp_path


def write_targets(folder: Path, video_id: str, rows: list[tuple]) -> None:
    table = pandas.DataFrame(rows, columns=["time_s", "character", "present", "source"]).assign(at="")
    write_table(folder / "targets" / f"{video_id}.csv", table, TARGETS)


def arrays_of(folder: Path, params: Params) -> dict[str, bytes]:
    preprocess(
        frames=folder / "frames",
        features=folder / "features",
        targets=folder / "targets",
        stills=folder / "stills",
        arrays=folder / "arrays",
        params=params,
    )
    return {path.name: path.read_bytes() for path in (folder / "arrays").iterdir()}


def test_arrays_hold_the_labelled_frames_as_the_network_wants_them(folder):
    write_targets(
        folder, "two", [(3.0, "ann", "1", "manual"), (3.0, "bob", "?", "manual"), (5.0, "bob", "0", "imported")]
    )
    write_targets(folder, "one", [(2.0, "bob", "1", "manual"), (4.0, "", "", "drawn"), (6.0, "ann", "?", "manual")])

    arrays_of(folder, params_for("one.mp4", "two.mp4"))

    index = read_table(folder / "arrays" / "index.csv", INDEX)
    assert index[["video_id", "time_s"]].values.tolist() == [["one", 2.0], ["two", 3.0], ["two", 5.0]]
    targets = np.load(folder / "arrays" / "targets.npy")
    assert np.array_equal(targets, np.array([[np.nan, 1], [1, np.nan], [np.nan, 0]], np.float32), equal_nan=True)
    inputs = np.load(folder / "arrays" / "inputs.npy", mmap_mode="r")
    expected = network_input(open_frames(folder / "frames", "two").image(3), Form("efficientnet-lite0", 96, 64))
    assert inputs.dtype == np.float16
    assert np.array_equal(inputs[1].astype(np.float32), expected)
    form = read_json(folder / "arrays" / "form.json")
    assert form == {"backbone": "efficientnet-lite0", "width": 96, "height": 64, "cast": ["ann", "bob"], "private": []}


def test_frames_of_a_private_film_are_in_the_arrays_as_features_alone(folder):
    params = params_for("one.mp4", "two.mp4")
    videos = (params.videos[0], params.videos[1].model_copy(update={"private": True, "sha256": "ab" * 32}))
    embed(frames=folder / "frames", features=folder / "features", params=params)
    write_targets(folder, "two", [(3.0, "ann", "1", "manual"), (5.0, "bob", "0", "manual")])
    write_targets(folder, "one", [(2.0, "bob", "1", "manual")])

    arrays_of(folder, params.model_copy(update={"videos": videos}))

    assert read_table(folder / "arrays" / "index.csv", INDEX)["video_id"].tolist() == ["one", "two", "two"]
    assert np.load(folder / "arrays" / "inputs.npy").shape == (1, 64, 96, 3)
    assert np.load(folder / "arrays" / "targets.npy").shape == (3, 2)
    kept = np.load(folder / "features" / "two.npy")
    assert np.array_equal(np.load(folder / "arrays" / "features.npy"), kept[[3, 5]])
    assert read_json(folder / "arrays" / "form.json")["private"] == ["two"]


def test_private_films_train_only_where_their_features_are_those_of_the_network(folder):
    params = params_for("one.mp4")
    private = params.videos[0].model_copy(update={"private": True, "sha256": "ab" * 32})
    larger = params.preprocess.model_copy(update={"width": 128})
    write_targets(folder, "one", [(2.0, "bob", "1", "manual")])

    with pytest.raises(InputError) as failure:
        arrays_of(folder, params.model_copy(update={"videos": (private,), "preprocess": larger}))

    assert str(failure.value) == (
        "params.yaml: embed is efficientnet-lite0 at 96x64, preprocess efficientnet-lite0 at 128x64; the same was expected, as "
        "private films (one) train from what embed has kept: make both the same, or leave those films out with `python -m "
        "screentime video skip`"
    )
    assert not (folder / "arrays").exists()


def test_a_film_without_labels_or_a_new_draw_leaves_the_arrays_as_they_were(folder):
    write_targets(folder, "one", [(2.0, "bob", "1", "manual")])
    before = arrays_of(folder, params_for("one.mp4"))

    assert arrays_of(folder, params_for("one.mp4", "two.mp4")) == before
    write_targets(folder, "one", [(2.0, "bob", "1", "manual"), (4.0, "", "", "drawn")])
    assert arrays_of(folder, params_for("one.mp4", "two.mp4")) == before


def test_no_labels_at_all_are_empty_arrays(folder):
    arrays_of(folder, params_for("one.mp4"))

    assert np.load(folder / "arrays" / "inputs.npy").shape == (0, 64, 96, 3)
    assert np.load(folder / "arrays" / "targets.npy").shape == (0, 2)


def test_features_are_what_the_frozen_backbone_sees_and_depend_on_nothing_else(folder):
    from screentime import model as networks

    params = params_for("one.mp4", "two.mp4")
    embed(frames=folder / "frames", features=folder / "features", params=params)
    network = (folder / "features" / "network" / "efficientnet-lite0.tflite").stat().st_mtime_ns
    alone = params_for("two.mp4")
    embed(frames=folder / "frames", features=folder / "alone", params=alone)
    embed(frames=folder / "frames", features=folder / "features", params=alone)

    form = Form("efficientnet-lite0", **SMALL)
    pack = open_frames(folder / "frames", "two")
    shown = np.stack([network_input(pack.image(index), form) for index in range(len(pack))])
    wanted = networks.feature_model(form, "mean_max").predict_on_batch(shown)
    features = np.load(folder / "features" / "two.npy")
    assert np.ptp(wanted, axis=0).max() > 0.5
    assert np.allclose(features, wanted, rtol=4e-3, atol=2e-3)  # 11 bits are kept
    assert (folder / "alone" / "two.npy").read_bytes() == (folder / "features" / "two.npy").read_bytes()
    assert (folder / "features" / "network" / "efficientnet-lite0.tflite").stat().st_mtime_ns == network


def test_suggestions_leave_out_what_is_labelled_or_drawn_and_need_no_model(folder):
    params = params_for("one.mp4", "two.mp4", suggested=5)
    embed(frames=folder / "frames", features=folder / "features", params=params)
    write_targets(folder, "one", [(0.0, "ann", "1", "manual"), (1.0, "", "", "drawn"), (2.0, "bob", "?", "manual")])

    suggest(
        frames=folder / "frames", features=folder / "features", targets=folder / "targets",
        suggestions=folder / "suggestions", params=params,
    )  # fmt: skip

    features = np.load(folder / "features" / "one.npy")
    assert (features.shape, features.dtype) == ((8, 2560), np.float16)
    one = read_table(folder / "suggestions" / "one.csv", SUGGESTIONS, CAST)
    assert len(one) == 4  # five in all: one frame has an answer that can be learned from
    assert set(one["time_s"]) < {3.0, 4.0, 5.0, 6.0, 7.0}
    assert one["rank"].tolist() == [1, 2, 3, 4]
    assert set(one["purpose"]) == {"start"}
    assert one["ann"].isna().all()
    two = read_table(folder / "suggestions" / "two.csv", SUGGESTIONS, CAST)
    assert len(set(two["time_s"])) == 5


def test_with_labels_the_least_certain_frames_and_likely_slips_are_suggested_with_scores(tmp_path):
    there = truth(160, 2)
    write_film(tmp_path, "one", there)
    targets = tmp_path / "targets"
    targets.mkdir()
    slip = 40
    said = [(frame, name, there[frame, place] != (frame == slip and place == 0))
            for frame in range(0, 160, 2) for place, name in enumerate(CAST)]  # fmt: skip
    rows = [(float(frame), name, "1" if present else "0", "manual", "") for frame, name, present in said]
    rows += [(float(frame), "", "", "drawn", "") for frame in (1, 3, 5)]
    write_table(targets / "one.csv", pandas.DataFrame(rows, columns=[c.name for c in TARGETS.columns]), TARGETS)
    suggest(
        frames=tmp_path / "data" / "frames", features=tmp_path / "data" / "features", targets=targets,
        suggestions=tmp_path / "suggestions", params=params_for("one.mp4", suggested=10),
    )  # fmt: skip
    found = read_table(tmp_path / "suggestions" / "one.csv", SUGGESTIONS, CAST)
    review, check = (found[found["purpose"] == purpose] for purpose in ("review", "check"))

    assert set(found["purpose"]) == {"review", "check"}
    assert not set(review["time_s"]) & ({1.0, 3.0, 5.0} | {float(frame) for frame in range(0, 160, 2)})
    assert float(slip) in check["time_s"].tolist()  # ten of eighty labels
    assert found["ann"].between(0, 1).all()
    margins = (review[list(CAST)] - 0.5).abs().min(axis=1)
    assert margins.is_monotonic_increasing
