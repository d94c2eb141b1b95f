"""The stage evaluate: figures by hand and by scikit-learn, and on which frames they were measured is said."""

import json

import numpy as np
import pandas
import pytest
from film_tables import CAST, held_out, params, sampled, scored, written

from screentime.audit import systematic
from screentime.sections import Video
from screentime.table_files import read_table
from screentime.tables import MEASURED
from stages.evaluate import NOTHING, SPLITS, evaluate

TARGETS = "time_s,character,present,source,at"
AUDIT = "time_s,character,present,source,at,round,probability,stratum,design,n_population"
FOLDERS = ("scores", "audit", "targets", "skipped", "frames", "models")
N = 200


@pytest.fixture
def run(tmp_path):
    """Runs the stage; gives its metrics."""

    def one(*videos):
        paths = {name: tmp_path / name for name in (*FOLDERS, "measured")}
        evaluate(**paths, metrics=tmp_path / "evaluate.json", plots=tmp_path / "plots", params=params(*videos))
        return json.loads((tmp_path / "evaluate.json").read_text())

    return one


def film(folder, scores, video_id="film"):
    frames = sampled(folder / "frames", video_id, length_s=float(len(scores)))
    scored(folder / "scores" / f"{video_id}.csv", frames.times_s, scores)


def measured(folder, truth, places, population=None, video_id="film", present=None):
    """Audit rows of one round, or of a test film where there is no population; `present` overrides single answers."""
    design = f"1,{len(places) / population:.12f},,systematic,{population}" if population else ",,,,"
    source = "audit" if population else "manual"
    rows = (
        f"{t},{name},{(present or {}).get((t, name), int(truth[t, number]))},{source},,{design}"
        for t in places
        for number, name in enumerate(CAST)
    )
    written(folder / "audit" / f"{video_id}.csv", AUDIT, *rows)


def trained(folder, truth, places, scores, video_id="film", source="manual"):
    """Targets of frames that trained, and their out-of-fold scores."""
    rows = (f"{t},{name},{int(truth[t, k])},{source}," for t in places for k, name in enumerate(CAST))
    written(folder / "targets" / f"{video_id}.csv", TARGETS, *rows)
    held_out(folder / "models" / "out_of_fold.csv", video_id, np.array(places, float), scores[places])


@pytest.fixture
def made_up():
    random = np.random.default_rng(3)
    truth = random.random((N, 2)) < [0.5, 0.2]
    return truth, np.clip(truth * 0.5 + random.normal(0.25, 0.25, truth.shape), 0, 1).round(6)


def test_an_audit_is_measured_on_its_frames_alone(tmp_path, run, made_up):
    reference = pytest.importorskip("sklearn.metrics")
    truth, scores = made_up
    film(tmp_path, scores)
    places = systematic(N, 50, 0.5)
    measured(tmp_path, truth, places, N)
    metrics = run()

    assert list(metrics) == ["audit"]
    for number, name in enumerate(CAST):
        figures = metrics["audit"]["characters"][name]
        y, s = truth[places, number], scores[places, number]
        assert figures["average_precision"] == pytest.approx(reference.average_precision_score(y, s), abs=1e-6)
        assert figures["accuracy"] == pytest.approx((y == (s >= 0.5)).mean(), abs=1e-6)
        assert figures["commoner_accuracy"] == pytest.approx(max(y.mean(), 1 - y.mean()), abs=1e-6)
        assert figures["f1"] == pytest.approx(reference.f1_score(y, s >= 0.5), abs=1e-6)
        assert figures["accuracy_low"] < figures["accuracy"] < figures["accuracy_high"]
        assert (figures["n_frames"], figures["n_present"], figures["n_cannot_tell"]) == (50, y.sum(), 0)
        assert figures["seconds_error"] == pytest.approx(4 * (s - y).sum(), abs=1e-5)
        assert figures["counted_seconds_error"] == pytest.approx(4 * ((s >= 0.5).sum() - y.sum()), abs=1e-5)
        assert (
            figures["seconds_error_low"]
            < scores[:, number].sum() - truth[:, number].sum()
            < figures["seconds_error_high"]
        )
    both = [metrics["audit"]["characters"][name] for name in CAST]
    for figure in ("accuracy", "commoner_accuracy", "average_precision", "f1", "seconds_error"):
        assert metrics["audit"]["macro"][figure] == pytest.approx(np.mean([one[figure] for one in both]), abs=1e-6)
    assert metrics["audit"]["split"] == SPLITS["audit"]


def test_the_answers_that_measured_are_kept_and_add_up_to_the_figures(tmp_path, run, made_up):
    truth, scores = made_up
    film(tmp_path, scores)
    places = systematic(N, 50, 0.5)
    measured(tmp_path, truth, places, N, present={(places[0], CAST[0]): "?"})
    figures = run()["audit"]["characters"]

    table = read_table(tmp_path / "measured" / "answers.csv", MEASURED)
    assert set(table["measured_on"]) == {"audit"}
    assert set(table["video_id"]) == {"film"}
    for number, name in enumerate(CAST):
        rows = table[table["character"] == name]
        assert rows["time_s"].tolist() == list(places)
        assert rows["score"].tolist() == scores[places, number].tolist()
        assert rows["n_frames"].sum() == rows["seconds"].sum() == N
        told = rows[rows["present"] != "?"]
        assert len(told) == figures[name]["n_frames"]
        errors = told["seconds"] * (told["score"] - told["present"].astype(int))
        assert errors.sum() == pytest.approx(figures[name]["seconds_error"], abs=1e-5)


def test_frames_that_trained_say_nothing_where_there_is_an_audit(tmp_path, run, made_up):
    truth, scores = made_up
    film(tmp_path, scores)
    measured(tmp_path, truth, systematic(N, 50, 0.5), N)
    before = run()
    rest = [t for t in range(N) if t not in systematic(N, 50, 0.5)]
    trained(tmp_path, truth, rest[:40], 1.0 - scores)

    assert run()["audit"]["macro"]["average_precision"] == before["audit"]["macro"]["average_precision"]


def test_a_question_mark_is_left_out_and_counted(tmp_path, run, made_up):
    truth, scores = made_up
    film(tmp_path, scores)
    places = systematic(N, 50, 0.5)
    measured(tmp_path, truth, places, N, present={(places[0], "ann"): "?", (places[1], "ann"): "?"})
    ann = run()["audit"]["characters"]["ann"]

    y, s = truth[places[2:], 0], scores[places[2:], 0]
    assert (ann["n_frames"], ann["n_cannot_tell"]) == (48, 2)
    assert ann["accuracy"] == pytest.approx((y == (s >= 0.5)).mean(), abs=1e-6)
    assert ann["seconds_error"] == pytest.approx(4 * (s - y).sum(), abs=1e-5)


def test_without_an_audit_chosen_frames_are_measured_out_of_fold_and_said_not_to_speak_for_the_film(
    tmp_path, run, made_up, capsys
):
    truth, scores = made_up
    film(tmp_path, np.zeros((N, 2)))  # what the model says of its own training frames is not looked at
    places = list(range(0, N, 5))
    trained(tmp_path, truth, places, scores)
    metrics = run()

    assert list(metrics) == ["out_of_fold"]
    assert "do not speak for the film" in metrics["out_of_fold"]["split"]
    ann = metrics["out_of_fold"]["characters"]["ann"]
    assert ann["accuracy"] == pytest.approx((truth[places, 0] == (scores[places, 0] >= 0.5)).mean(), abs=1e-6)
    assert ann["seconds_error"] == pytest.approx((scores[places, 0] - truth[places, 0]).sum(), abs=1e-5)
    assert "accuracy_low" not in ann, "frames near each other are no independent sample"
    assert capsys.readouterr().out.endswith(": chosen frames, which do not speak for the film\n")


def test_answers_that_were_not_looked_at_measure_nothing(tmp_path, run, made_up, capsys):
    truth, scores = made_up
    film(tmp_path, scores)
    trained(tmp_path, truth, [1, 2, 3], scores, source="accepted")

    assert run() == {"split": NOTHING}
    assert capsys.readouterr().out == f"{NOTHING}\n"
    assert (
        tmp_path / "plots" / "precision_recall.csv"
    ).read_text() == "measured_on,character,threshold,recall,precision\n"


def test_a_test_film_is_measured_whole_with_its_true_error_in_seconds(tmp_path, run, made_up):
    truth, scores = made_up
    film(tmp_path, scores, "unseen")
    measured(tmp_path, truth, range(N), video_id="unseen")
    film(tmp_path, scores)
    measured(tmp_path, truth, systematic(N, 50, 0.5), N)
    metrics = run(Video(file="film.mp4"), Video(file="unseen.mp4", split="test"))

    assert list(metrics) == ["audit", "test"]
    for number, name in enumerate(CAST):
        figures = metrics["test"]["characters"][name]
        assert figures["seconds_error"] == pytest.approx(scores[:, number].sum() - truth[:, number].sum(), abs=1e-4)
        assert figures["counted_seconds_error"] == (scores[:, number] >= 0.5).sum() - truth[:, number].sum()
        assert figures["n_frames"] == N
    errors = [metrics["test"]["characters"][name]["seconds_error"] for name in CAST]
    assert metrics["test"]["macro"]["absolute_seconds_error"] == pytest.approx(np.abs(errors).mean(), abs=1e-6)


def test_films_are_pooled_and_named(tmp_path, run, made_up):
    truth, scores = made_up
    for video_id in ("one", "two"):
        film(tmp_path, scores, video_id)
    measured(tmp_path, truth, systematic(N, 50, 0.5), N, video_id="one")
    measured(tmp_path, truth, systematic(N, 20, 0.5), N, video_id="two")
    metrics = run(Video(file="one.mp4"), Video(file="two.mp4"))["audit"]

    assert set(metrics["videos"]) == {"one", "two"}
    ann = metrics["characters"]["ann"]
    assert ann["n_frames"] == 70
    one, two = (metrics["videos"][video_id]["accuracy"] for video_id in ("one", "two"))
    assert metrics["macro"]["accuracy"] == pytest.approx((one + two) / 2, abs=1e-6)  # both films are equally long


def test_frames_in_skipped_ranges_measure_nothing(tmp_path, run, made_up):
    truth, scores = made_up
    film(tmp_path, scores)
    measured(tmp_path, truth, systematic(N, 50, 0.5), N)
    written(tmp_path / "skipped" / "film.csv", "start_s,end_s,reason", "100,200,credits")

    assert run()["audit"]["characters"]["ann"]["n_frames"] == 25


def test_a_character_that_is_never_present_has_no_average_precision_and_leaves_the_mean_alone(tmp_path, run, made_up):
    truth, scores = made_up
    truth[:, 1] = False
    film(tmp_path, scores)
    measured(tmp_path, truth, systematic(N, 50, 0.5), N)
    metrics = run()["audit"]

    assert metrics["characters"]["bob"]["average_precision"] is None
    assert metrics["macro"]["average_precision"] == metrics["characters"]["ann"]["average_precision"]


def test_the_plots_are_tables_of_points(tmp_path, run, made_up):
    truth, scores = made_up
    film(tmp_path, scores)
    measured(tmp_path, truth, systematic(N, 50, 0.5), N)
    metrics = run()
    curve = pandas.read_csv(tmp_path / "plots" / "precision_recall.csv")
    bins = pandas.read_csv(tmp_path / "plots" / "calibration.csv")

    for name in CAST:
        points = curve[curve["character"] == name]
        area = (points["recall"].diff().fillna(points["recall"]) * points["precision"]).sum()
        assert area == pytest.approx(metrics["audit"]["characters"][name]["average_precision"], abs=1e-4)
        assert bins.loc[bins["character"] == name, "n_frames"].sum() == 50
    assert set(curve["measured_on"]) == {"audit"}
    assert bins[["score", "present"]].stack().between(0, 1).all()
