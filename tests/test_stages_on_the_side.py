"""The stages preprocess, embed and suggest: from frames and targets to arrays, features and what to label next."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import labelled_film
import numpy as np
import pandas
import pytest
import synthetic

from screentime.errors import InputError
from screentime.files import read_json, write_array
from screentime.frames import open_frames
from screentime.inputs import Form, network_input
from screentime.params import Params, load
from screentime.sections import Video, Window
from screentime.table_files import read_table, write_table
from screentime.tables import AUDIT, INDEX, SKIPPED, SUGGESTIONS, TARGETS
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
    """Two sampled films of 8 seconds, features that stand for what a backbone saw in them, and a folder for targets."""
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
    (tmp_path / "features").mkdir()
    for number, name in enumerate(("one", "two"), start=1):
        write_array(
            tmp_path / "features" / f"{name}.npy", 100 * number + np.arange(16).reshape(8, 2).astype(np.float16)
        )
    return tmp_path


def write_targets(folder: Path, video_id: str, rows: list[tuple]) -> None:
    table = pandas.DataFrame(rows, columns=["time_s", "character", "present", "source"]).assign(at="")
    write_table(folder / "targets" / f"{video_id}.csv", table, TARGETS)


def arrays_of(folder: Path, params: Params) -> dict[str, bytes]:
    preprocess(
        frames=folder / "frames",
        features=folder / "features",
        targets=folder / "targets",
        filled=folder / "filled",
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
    assert form == {
        "backbone": "efficientnet-lite0", "width": 96, "height": 64, "cast": ["ann", "bob"], "private": [],
        "window": {"before": 2, "after": 2}, "sampling": {"fps": 1.0, "jpeg_quality": 72, "max_side": 448},
    }  # fmt: skip


def test_windows_hold_what_was_kept_of_the_frames_around_each_labelled_one(folder):
    params = params_for("one.mp4", "two.mp4")
    wider = params.preprocess.model_copy(update={"window": Window(before=1, after=2)})
    write_targets(folder, "two", [(0.0, "ann", "1", "manual"), (6.0, "bob", "0", "imported")])
    write_targets(folder, "one", [(3.0, "bob", "1", "manual")])

    arrays_of(folder, params.model_copy(update={"preprocess": wider}))

    windows, places = (np.load(folder / "arrays" / f"{name}.npy") for name in ("windows", "window_places"))
    one, two = (np.load(folder / "features" / f"{name}.npy") for name in ("one", "two"))
    assert windows.dtype == np.float16 and windows.shape == (3, 4, 2)
    assert windows[0].tolist() == one[2:6].tolist()
    assert windows[1].tolist() == [*two[:3].tolist(), [0, 0]]  # the film begins there, and the padding is behind
    assert windows[2].tolist() == [*two[5:].tolist(), [0, 0]]
    assert places.tolist() == [[4, 1], [3, 0], [3, 1]]


def test_where_the_features_are_those_of_another_form_there_are_no_windows(folder):
    params = params_for("one.mp4")
    larger = params.preprocess.model_copy(update={"width": 128})
    write_targets(folder, "one", [(3.0, "bob", "1", "manual")])

    arrays = arrays_of(folder, params.model_copy(update={"preprocess": larger}))

    assert not {"windows.npy", "window_places.npy"} & set(arrays)
    assert read_json(folder / "arrays" / "form.json")["window"] is None


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
    from screentime import frozen

    params = params_for("one.mp4", "two.mp4")
    embed(frames=folder / "frames", features=folder / "features", params=params)
    network = (folder / "features" / "network" / "efficientnet-lite0.tflite").stat().st_mtime_ns
    alone = params_for("two.mp4")
    embed(frames=folder / "frames", features=folder / "alone", params=alone)
    embed(frames=folder / "frames", features=folder / "features", params=alone)

    form = Form("efficientnet-lite0", **SMALL)
    pack = open_frames(folder / "frames", "two")
    shown = np.stack([network_input(pack.image(index), form) for index in range(len(pack))])
    wanted = frozen.feature_model(form, "mean_max").predict_on_batch(shown)
    features = np.load(folder / "features" / "two.npy")
    assert np.ptp(wanted, axis=0).max() > 0.5
    assert np.allclose(features, wanted, rtol=4e-3, atol=2e-3)  # 11 bits are kept
    assert (folder / "alone" / "two.npy").read_bytes() == (folder / "features" / "two.npy").read_bytes()
    assert (folder / "features" / "network" / "efficientnet-lite0.tflite").stat().st_mtime_ns == network


def suggested(
    folder: Path, params: Params, video_id: str, waiting: Sequence[float] = (), skips: Sequence[tuple] = ()
) -> pandas.DataFrame:
    """The suggestions for one film, in which drawn frames wait and ranges are skipped."""
    (folder / "audit").mkdir(exist_ok=True)
    (folder / "skipped").mkdir(exist_ok=True)
    drawn = [(time_s, name, "", "audit", "", 1, 0.1, "", "systematic", 70) for time_s in waiting for name in CAST]
    columns = [column.name for column in AUDIT.columns]
    write_table(folder / "audit" / f"{video_id}.csv", pandas.DataFrame(drawn, columns=columns), AUDIT)
    for video in params.videos:
        ranges = skips if video.video_id == video_id else ()
        table = pandas.DataFrame(ranges, columns=["start_s", "end_s", "reason"])
        write_table(folder / "skipped" / f"{video.video_id}.csv", table, SKIPPED)
    suggest(
        frames=folder / "frames", features=folder / "features", targets=folder / "targets", audit=folder / "audit",
        skipped=folder / "skipped", suggestions=folder / "suggestions", params=params,
    )  # fmt: skip
    return read_table(folder / "suggestions" / f"{video_id}.csv", SUGGESTIONS, CAST)


def test_suggestions_leave_out_what_is_labelled_or_drawn_and_need_no_model(folder):
    params = params_for("one.mp4", "two.mp4", suggested=5)
    embed(frames=folder / "frames", features=folder / "features", params=params)
    write_targets(folder, "one", [(0.0, "ann", "1", "manual"), (1.0, "", "", "drawn"), (2.0, "bob", "?", "manual")])

    one = suggested(folder, params, "one", waiting=[1.0], skips=[(3.0, 4.0, "advert")])

    features = np.load(folder / "features" / "one.npy")
    assert (features.shape, features.dtype) == ((8, 2560), np.float16)
    assert one["rank"].tolist() == list(range(1, len(one) + 1))
    first = one[one["purpose"] == "start"]
    assert sorted(first["time_s"]) == [4.0, 5.0, 6.0, 7.0]
    assert one[one["purpose"] == "audit"]["time_s"].tolist() == [1.0]
    assert set(one["purpose"]) == {"start", "audit"}
    assert one[list(CAST)].isna().all(axis=None)
    two = read_table(folder / "suggestions" / "two.csv", SUGGESTIONS, CAST)
    assert len(set(two["time_s"])) == 8 and set(two["purpose"]) == {"start"}  # at least eight, however short the film


def write_features(folder: Path, there: np.ndarray, video_id: str) -> None:
    """Features of shots of four frames in which a backbone sees who is there."""
    random = np.random.default_rng(len(video_id))
    shots = np.repeat(random.normal(size=(-(-len(there) // 4), 30)), 4, axis=0)[: len(there)]
    seen = np.hstack([shots, 8 * there, random.normal(scale=0.1, size=there.shape)])
    np.save(folder / "features" / f"{video_id}.npy", np.hstack([seen, seen]).astype(np.float16))


def test_with_labels_uncertain_frames_and_likely_slips_are_suggested_with_scores_and_drawn_frames_without(tmp_path):
    there = np.zeros((80, 2))
    there[np.arange(80) % 8 < 4, 0] = 1
    there[:, 1] = np.arange(80) % 3 == 0
    labelled_film.write_film(tmp_path, "one", there.astype(bool))
    for name in ("features", "frames"):
        (tmp_path / "data" / name).rename(tmp_path / name)
    (tmp_path / "targets").mkdir()
    write_features(tmp_path, there, "one")
    slip = 20
    rows = [(float(frame), "", "", "drawn") for frame in (5, 33)]
    for frame in range(0, 80, 2):
        said = 1 - there[frame, 0] if frame == slip else there[frame, 0]
        rows.append((float(frame), "ann", f"{said:.0f}", "accepted"))
    write_targets(tmp_path, "one", rows)
    params = params_for("one.mp4")
    several = params.suggest.model_copy(update={"frames": 30, "review": 6, "check": 4})

    table = suggested(tmp_path, params.model_copy(update={"suggest": several}), "one", waiting=[33.0])

    assert table["purpose"].drop_duplicates().tolist() == ["audit", "review", "check"]
    assert table[table["purpose"] == "check"]["time_s"].tolist() == [float(slip)]
    review = table[table["purpose"] == "review"]
    assert len(review) == 6 and not set(review["time_s"]) & {row[0] for row in rows}
    assert (np.diff(np.abs(review["ann"] - 0.5)) >= 0).all()
    assert table[table["purpose"] == "audit"]["time_s"].tolist() == [33.0]  # 5.0 is answered
    assert table[table["purpose"] == "audit"]["ann"].isna().all()
    scored = table[table["purpose"] != "audit"]
    assert scored["ann"].between(0, 1).all() and scored["bob"].isna().all()
    right = (scored["ann"] >= 0.5) == (there[scored["time_s"].astype(int), 0] == 1)
    assert right.mean() >= 0.8


def test_what_is_known_of_one_film_scores_another(tmp_path):
    there = (np.arange(64)[:, None] % 8 < [4, 0]).astype(float)
    for name in ("known", "fresh"):
        labelled_film.write_film(tmp_path, name, there.astype(bool))
    for name in ("features", "frames"):
        (tmp_path / "data" / name).rename(tmp_path / name)
    (tmp_path / "targets").mkdir()
    for name in ("known", "fresh"):
        write_features(tmp_path, there, name)
    write_targets(tmp_path, "known", [(float(frame), "ann", f"{there[frame, 0]:.0f}", "manual") for frame in range(64)])

    fresh = suggested(tmp_path, params_for("fresh.mp4", "known.mp4", suggested=10), "fresh")

    first = fresh[fresh["purpose"] == "start"]
    assert len(first) == 8
    assert (((first["ann"] >= 0.5) == (there[first["time_s"].astype(int), 0] == 1)).mean()) >= 0.9
    known = read_table(tmp_path / "suggestions" / "known.csv", SUGGESTIONS, CAST)
    assert set(known["purpose"]) <= {"check"}
