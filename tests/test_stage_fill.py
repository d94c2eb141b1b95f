"""The stage fill, and training with what it filled: sure cells beside people's labels, which no figure ever counts."""

from pathlib import Path

import labelled_film
import numpy as np
import pandas
import pytest
import trained

from screentime import frozen, light_head
from screentime.errors import InputError
from screentime.files import read_json
from screentime.params import Params, load
from screentime.sections import Video
from screentime.shots import in_context, shot_starts
from screentime.table_files import read_table, write_table
from screentime.tables import FILLED, FILLED_INDEX, SKIPPED, TARGETS
from stages.fill import fill
from stages.preprocess import preprocess
from stages.train import train

PROJECT = load(Path(__file__).parents[1] / "params.yaml")
CAST = ("ann", "bob", "cat")
N_FRAMES = 160
DRAWN, UNSURE, HALF = 5, 9, 13  # an audit drew it; nobody can tell bob; of bob alone something is known
SKIPPED_S = (40.0, 48.0)


def params_for(*films: Video, above: float = 0.9, below: float = 0.1, **settings: object) -> Params:
    small = {"width": 96, "height": 64}
    return PROJECT.model_copy(
        update={
            "videos": films,
            "cast": CAST,
            "fill": PROJECT.fill.model_copy(update={"above": above, "below": below}),
            "embed": PROJECT.embed.model_copy(update=small),
            "preprocess": PROJECT.preprocess.model_copy(update=small | settings),
        }
    )


ONE, HELD = Video(file="one.mp4"), Video(file="held.mp4", split="test")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two films that differ in who is there; every third frame of the first is labelled for ann and bob, never for cat."""
    for seed, video_id in enumerate(("one", "held")):
        labelled_film.write_film(tmp_path, video_id, labelled_film.truth(N_FRAMES, 2, seed), seed)
    data = tmp_path / "data"
    there = labelled_film.truth(N_FRAMES, 2)
    rows = [(float(DRAWN), "", "", "drawn"), (float(UNSURE), "bob", "?", "manual")]
    rows += [(float(HALF), "bob", f"{there[HALF, 1]:d}", "manual")]
    for frame in range(0, N_FRAMES, 3):
        if frame not in (DRAWN, UNSURE, HALF):
            rows += [
                (float(frame), name, f"{there[frame, column]:d}", "manual") for column, name in enumerate(CAST[:2])
            ]
    table = pandas.DataFrame(rows, columns=["time_s", "character", "present", "source"]).assign(at="")
    write_table(data / "targets" / "one.csv", table, TARGETS)
    for video_id, ranges in (("one", [(*SKIPPED_S, "advert")]), ("held", [])):
        table = pandas.DataFrame(ranges, columns=["start_s", "end_s", "reason"])
        write_table(data / "skipped" / f"{video_id}.csv", table, SKIPPED)
    return data


def filled(folder: Path, params: Params) -> pandas.DataFrame:
    fill(
        frames=folder / "frames", features=folder / "features", targets=folder / "targets",
        skipped=folder / "skipped", filled=folder / "filled", metrics=folder / "fill.json", params=params,
    )  # fmt: skip
    return read_table(folder / "filled" / "one.csv", FILLED)


def answers_of(folder: Path) -> np.ndarray:
    """(n_frames, n_characters): what the targets of the film one say; drawn frames and `?` are NaN."""
    answers = np.full((N_FRAMES, len(CAST)), np.nan)
    rows = read_table(folder / "targets" / "one.csv", TARGETS)
    for row in rows[rows["present"].isin(["0", "1"])].itertuples():
        answers[int(row.time_s), CAST.index(row.character)] = float(row.present)
    return answers


def scores_of(folder: Path) -> tuple[light_head.LightHead, np.ndarray]:
    """The light head of the film one and its score of every cell, made without the stage."""
    seen = np.load(folder / "features" / "one.npy")
    shown = in_context(seen, shot_starts(seen, np.arange(float(N_FRAMES))))
    answers = answers_of(folder)
    taught = np.flatnonzero(~np.isnan(answers).all(axis=1))
    head = light_head.fit(shown[taught], answers[taught], video_ids=["one"] * len(taught), times_s=taught.astype(float))
    return head, head.scores(shown, "one", np.arange(float(N_FRAMES)))


def test_a_row_for_each_cell_that_is_open_and_sure_and_for_no_other(folder, capsys):
    found = filled(folder, params_for(ONE, HELD))

    _, scores = scores_of(folder)
    open_cells = np.isnan(answers_of(folder))
    open_cells[DRAWN] = open_cells[UNSURE, 1] = open_cells[40:48] = False
    open_cells[:, 2] = False
    sure = open_cells & ((scores >= 0.9) | (scores <= 0.1))
    expected = [(float(frame), CAST[column]) for frame, column in zip(*np.nonzero(sure), strict=True)]
    assert list(zip(found["time_s"], found["character"], strict=True)) == expected
    assert len(expected) > 40 and (float(HALF), "ann") in expected
    cells = found["time_s"].astype(int).to_numpy(), [CAST.index(name) for name in found["character"]]
    assert found["score"].to_numpy() == pytest.approx(scores[cells], abs=1e-6)
    assert (found["present"] == np.where(scores[cells] >= 0.9, "1", "0")).all()
    assert (labelled_film.truth(N_FRAMES, 2)[cells] == (found["present"] == "1")).mean() > 0.95
    assert [path.name for path in (folder / "filled").iterdir()] == ["one.csv"]
    told = capsys.readouterr().out.splitlines()
    n_open = int(open_cells[:, :2].sum()) + N_FRAMES - 1 - 8  # cat is open too, but in drawn and skipped frames
    n_present = int((found["present"] == "1").sum())
    assert told[0] == (
        f"{folder}/filled/one.csv: {len(found)} of {n_open} open cells filled ({n_present} present, "
        f"{len(found) - n_present} absent)"
    )
    assert told[2:] == [
        "held: nothing filled, the labels of these films only measure",
        "cat: nothing filled; labelled present, and absent, in at least 3 frames, a character has a calibrated score",
    ]


def test_stricter_thresholds_fill_less_and_never_a_score_between_them(folder):
    loose = filled(folder, params_for(ONE))
    strict = filled(folder, params_for(ONE, above=0.95, below=0.05))

    def cells(table: pandas.DataFrame) -> set:
        return set(zip(table["time_s"], table["character"], table["present"], strict=True))

    assert cells(strict) < cells(loose)
    assert strict["score"].min() >= 0 and strict["score"].max() <= 1
    assert not strict["score"].between(0.0501, 0.9499).any()
    assert ((strict["score"] > 0.5) == (strict["present"] == "1")).all()


def test_the_figures_say_how_often_people_had_said_the_same_of_frames_that_were_held_out(folder, capsys):
    params = params_for(ONE)
    wrong = read_table(folder / "targets" / "one.csv", TARGETS)
    bob = wrong[(wrong["character"] == "bob") & (wrong["present"] == "0")]
    taught = np.flatnonzero(~np.isnan(answers_of(folder)).all(axis=1))
    surest = scores_of(folder)[0].held_out[np.searchsorted(taught, bob["time_s"]), 1].argmin()
    slip = bob.index[surest]
    wrong.loc[slip, "present"] = "1"
    write_table(folder / "targets" / "one.csv", wrong, TARGETS)

    found = filled(folder, params)

    figures = read_json(folder / "fill.json")
    head, _ = scores_of(folder)
    answers = answers_of(folder)
    answers = answers[~np.isnan(answers).all(axis=1)]
    for column, name in enumerate(CAST[:2]):
        known = ~np.isnan(answers[:, column])
        held_out, said = head.held_out[known, column], answers[known, column]
        for side, past, value in (("present", held_out >= 0.9, 1), ("absent", held_out <= 0.1, 0)):
            n_filled = int(((found["character"] == name) & (found["present"] == str(value))).sum())
            expected = {"filled": n_filled, "labelled": int(past.sum()), "right": int((said[past] == value).sum())}
            assert figures["characters"][name][side] == expected
    bob = figures["characters"]["bob"]["absent"]
    assert bob["right"] < bob["labelled"]  # the slip is past a threshold and not hidden
    nobody = {"filled": 0, "labelled": 0, "right": 0}
    assert figures["characters"]["cat"] == {"present": nobody, "absent": nobody}
    pairs = [[figures["characters"][name][side] for name in CAST] for side in ("present", "absent")]
    (present, present_right), (absent, absent_right) = (
        [sum(one[what] for one in side) for what in ("labelled", "right")] for side in pairs
    )
    assert capsys.readouterr().out.splitlines()[1] == (
        f"held out: of {present} labelled cells with a score of 0.9 or more {present_right} are labelled present, of {absent} "
        f"with 0.1 or less {absent_right} absent"
    )


def test_without_any_label_nothing_is_filled(folder, capsys):
    (folder / "targets" / "one.csv").unlink()

    assert len(filled(folder, params_for(ONE, HELD))) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("ann, bob, cat: nothing filled; ")


def arrays_of(folder: Path, params: Params) -> dict[str, bytes]:
    preprocess(
        frames=folder / "frames", features=folder / "features", targets=folder / "targets", filled=folder / "filled",
        stills=folder / "stills", arrays=folder / "arrays", params=params,
    )  # fmt: skip
    return {path.name: path.read_bytes() for path in (folder / "arrays").iterdir()}


def test_the_arrays_hold_filled_cells_on_request_alone_and_apart_from_answers(folder):
    without = arrays_of(folder, params_for(ONE, HELD))
    found = filled(folder, params_for(ONE, HELD))
    assert arrays_of(folder, params_for(ONE, HELD)) == without

    asked = arrays_of(folder, params_for(ONE, HELD, filled=True))

    assert {name: asked[name] for name in without} == without
    assert set(asked) - set(without) == {"filled.csv", "filled_features.npy", "filled_targets.npy"}
    index = read_table(folder / "arrays" / "filled.csv", FILLED_INDEX)
    targets = np.load(folder / "arrays" / "filled_targets.npy")
    assert index["time_s"].tolist() == sorted(set(found["time_s"]))
    assert (index["video_id"].unique().tolist(), index["duration_s"].unique().tolist()) == (["one"], [1.0])
    frame, column = np.nonzero(~np.isnan(targets))
    cells = [
        (index["time_s"][row], CAST[place], f"{targets[row, place]:.0f}")
        for row, place in zip(frame, column, strict=True)
    ]
    assert cells == list(zip(found["time_s"], found["character"], found["present"], strict=True))
    kept = np.load(folder / "features" / "one.npy")
    assert np.array_equal(np.load(folder / "arrays" / "filled_features.npy"), kept[index["time_s"].astype(int)])


def test_filled_cells_train_only_where_their_features_are_those_of_the_network(folder):
    with pytest.raises(InputError) as failure:
        arrays_of(folder, params_for(ONE, filled=True, width=128))

    assert str(failure.value) == (
        "params.yaml: embed is efficientnet-lite0 at 96x64, preprocess efficientnet-lite0 at 128x64; the same was expected, as "
        "filled cells train from what embed has kept: make both the same, or set preprocess.filled to false"
    )
    assert not (folder / "arrays").exists()


def models_of(name: str) -> dict[str, bytes]:
    """The files of a training on the arrays of this folder."""
    train(
        arrays=Path("arrays"), models=Path(name), metrics=Path(name, "train.json"), plots=Path(name, "epochs.csv"),
        sheet=Path(name, "sheet.jpg"),
        params=trained.params_with(epochs=40),
    )  # fmt: skip
    return {path.name: path.read_bytes() for path in Path(name).iterdir()}


def test_filled_cells_teach_the_head_that_is_kept_and_have_no_say_in_folds_calibration_or_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # no store: a sentence
    targets = trained.truth(60)
    trained.write_arrays(Path("arrays"), targets)
    without = models_of("without")

    # in the frames between the labelled ones the disc is said to be there where it is not, and the other way round
    pictures = np.load("arrays/inputs.npy")
    features = frozen.features_of(frozen.feature_model(trained.FORM, "mean_max"), pictures)
    index = pandas.DataFrame({"video_id": "film", "time_s": 5.0 * np.arange(60) + 1, "duration_s": 1.0})
    write_table(Path("arrays/filled.csv"), index, FILLED_INDEX)
    np.save("arrays/filled_features.npy", features.astype(np.float16))
    np.save("arrays/filled_targets.npy", np.column_stack([1 - targets[:, 0], np.full(60, np.nan)]).astype(np.float32))
    with_lies = models_of("with")

    assert with_lies["out_of_fold.csv"] == without["out_of_fold.csv"]
    before, after = (read_json(Path(name, "model.json")) for name in ("without", "with"))
    assert after["calibration"] == before["calibration"]
    assert after["data"]["n_frames"] == 60 and after["data"]["sha256_filled.csv"]
    assert after["run_key"] != before["run_key"]
    figures = [read_json(Path(name, "train.json")) for name in ("without", "with")]
    assert {name for name in figures[0] if figures[0][name] != figures[1][name]} == {"loss"}
    heads = [np.load(Path(name, "head.npy")) for name in ("without", "with")]
    scores = [features @ head[:-1] + head[-1] for head in heads]
    disc, cross = ([np.ptp(one[:, column]) for one in scores] for column in (0, 1))
    assert disc[1] < disc[0] / 5  # as many lies as labels: nothing is left to learn
    assert cross[1] > cross[0] / 2
