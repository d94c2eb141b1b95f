"""The stage estimate: seconds that hold what people said, intervals where an audit measured, and nothing made up."""

import json

import numpy as np
import pandas
import pytest
from film_tables import CAST, held_out, params, sampled, scored, written

from screentime.audit import draw, random_start, systematic
from screentime.film_figures import bridged
from screentime.sections import Video
from screentime.table_files import read_table
from screentime.tables import APPEARANCES, SCREEN_TIME, TIMELINE
from stages.estimate import estimate
from stages.label import label

TARGETS = "time_s,character,present,source,at"
AUDIT = "time_s,character,present,source,at,round,probability,stratum,design,n_population"
FOLDERS = ("frames", "scores", "targets", "audit", "skipped", "models")


@pytest.fixture
def run(tmp_path):
    """Runs the stage; gives its screen_time table, the rows by (video, character)."""

    def one(*videos, **settings):
        out = tmp_path / "out"
        paths = {name: tmp_path / name for name in FOLDERS}
        own = params(*videos)
        own = own.model_copy(update={"estimate": own.estimate.model_copy(update=settings)})
        estimate(**paths, estimates=out, metrics=tmp_path / "estimate.json", params=own)
        table = read_table(out / "screen_time.csv", SCREEN_TIME)
        return {(row.video_id, row.character): row for row in table.itertuples()}

    return one


def film(folder, scores, video_id="film", length_s=None):
    """A film whose scores are these, (n_frames, 2)."""
    frames = sampled(folder / "frames", video_id, length_s=length_s or float(len(scores)))
    scored(folder / "scores" / f"{video_id}.csv", frames.times_s, np.asarray(scores, float))
    return frames


def labels(folder, answers, source="manual", video_id="film", more=()):
    """Targets: {(time_s, character): present}."""
    rows = (f"{time_s},{name},{present},{source}," for (time_s, name), present in answers.items())
    written(folder / "targets" / f"{video_id}.csv", TARGETS, *rows, *more)


def audited(folder, truth, times, population, video_id="film"):
    """One complete round; truth is (n_frames, 2)."""
    rows = (
        f"{t},{name},{int(truth[t, number])},audit,,1,{len(times) / population:.12f},,systematic,{population}"
        for t in times
        for number, name in enumerate(CAST)
    )
    written(folder / "audit" / f"{video_id}.csv", AUDIT, *rows)


def made_up(n=300, seed=1):
    """Truth and scores of two characters in stretches, the second rare."""
    random = np.random.default_rng(seed)
    shot = np.cumsum(random.random(n) < 0.25)
    truth = np.stack([(random.random(shot[-1] + 1) < share)[shot] for share in (0.4, 0.05)], axis=1)
    return truth, np.clip(truth * 0.7 + 0.15 + random.normal(0, 0.2, truth.shape), 0.01, 0.99)


def test_without_an_audit_seconds_are_answers_and_scores_and_there_is_no_interval(tmp_path, run, capsys):
    film(tmp_path, np.full((10, 2), [0.25, 0.75]))
    labels(tmp_path, {(0, "ann"): "1", (1, "ann"): "0", (2, "ann"): "?"})
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", np.array([0.0, 1.0]), np.full((2, 2), 0.5))
    rows = run()

    ann, bob = rows["film", "ann"], rows["film", "bob"]
    assert (ann.seconds, ann.basis, ann.n_labelled, ann.n_audit) == (1 + 0 + 8 * 0.25, "count", 3, 0)
    assert np.isnan([ann.low, ann.high, rows["*", "ann"].low]).all()
    assert (bob.seconds, bob.share) == (2 * 0.5 + 8 * 0.75, 0.7)
    assert (ann.counted_s, bob.counted_s) == (0, 10)
    assert capsys.readouterr().out == (
        "film: not audited, so nothing says how wrong the seconds are, for ann, bob; next: `python -m screentime "
        "audit draw film --n 80`\n"
    )


def test_answers_that_were_not_looked_at_are_predictions_never_truth(tmp_path, run):
    film(tmp_path, np.full((4, 2), 0.25))
    labels(tmp_path, {(time_s, "ann"): "1" for time_s in range(4)}, source="propagated")
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", np.arange(4.0), np.full((4, 2), 0.5))
    ann = run()["film", "ann"]

    assert (ann.seconds, ann.basis, ann.n_labelled) == (2.0, "count", 0)


def test_a_film_that_was_looked_at_whole_is_exact(tmp_path, run):
    film(tmp_path, np.full((4, 2), 0.3), length_s=3.5)
    labels(tmp_path, {(t, "ann"): p for t, p in enumerate("1101")} | {(t, "bob"): p for t, p in enumerate("00?1")})
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", np.arange(4.0), np.full((4, 2), 0.5))
    rows = run()

    ann, bob = rows["film", "ann"], rows["film", "bob"]
    assert (ann.seconds, ann.low, ann.high, ann.basis) == (2.5, 2.5, 2.5, "labels")
    assert (bob.seconds, bob.low, bob.high, bob.basis) == (1.0, 0.5, 1.5, "labels")


def test_an_audit_gives_an_interval_around_the_difference_estimate(tmp_path, run):
    truth, scores = made_up()
    film(tmp_path, scores)
    places = systematic(300, 60, random_start(1, "film", 1))
    audited(tmp_path, truth, places, 300)
    rows = run()

    for number, name in enumerate(CAST):
        row = rows["film", name]
        expected = scores[:, number].sum() + 5 * (truth[places, number] - scores[places, number]).sum()
        assert row.seconds == pytest.approx(expected, abs=1e-3)
        assert row.low <= truth[:, number].sum() <= row.high
        assert (row.basis, row.n_labelled, row.n_audit) == ("audit", 0, 60)
        assert (rows["*", name].seconds, rows["*", name].low) == (row.seconds, row.low)


def test_a_frame_labelled_after_the_draw_keeps_its_out_of_fold_score(tmp_path, run):
    """Its truth in the sum and the audit weighted as before would count its error twice."""
    truth, scores = made_up()
    film(tmp_path, scores)
    places = systematic(300, 60, 0.5)
    audited(tmp_path, truth, places, 300)
    before = run()["film", "ann"]
    reviewed = [t for t in range(300) if t not in places][:100]
    labels(tmp_path, {(t, name): int(truth[t, k]) for t in reviewed for k, name in enumerate(CAST)})
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", np.array(reviewed, float), scores[reviewed])
    after = run()["film", "ann"]

    assert (after.seconds, after.n_labelled) == (before.seconds, 100)
    assert before.low <= after.low <= after.high <= before.high  # answers only narrow what is possible


def test_frames_known_before_the_draw_enter_with_their_truth(tmp_path, run):
    truth, scores = made_up()
    film(tmp_path, scores)
    known = list(range(0, 300, 3))
    rest = np.setdiff1d(np.arange(300), known)
    places = rest[systematic(200, 50, 0.5)]
    audited(tmp_path, truth, places, 200)
    labels(tmp_path, {(t, name): int(truth[t, k]) for t in known for k, name in enumerate(CAST)})
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", np.array(known, float), np.full((100, 2), 0.99))
    row = run()["film", "ann"]

    expected = truth[known, 0].sum() + scores[rest, 0].sum() + 4 * (truth[places, 0] - scores[places, 0]).sum()
    assert row.seconds == pytest.approx(expected, abs=1e-3)


def test_an_incomplete_round_does_not_count_and_says_so(tmp_path, run, capsys):
    truth, scores = made_up()
    film(tmp_path, scores)
    audited(tmp_path, truth, [5, 105, 205], 300)
    path = tmp_path / "audit" / "film.csv"
    path.write_text(
        path.read_text().replace("105,bob,0,audit", "105,bob,,audit").replace("105,bob,1,audit", "105,bob,,audit")
    )
    rows = run()

    assert [rows["film", name].basis for name in CAST] == ["audit", "count"]
    assert rows["film", "bob"].n_audit == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "film: audit round 1 counts when it is complete: 1 of its 3 frames are not yet labelled for every character"
    )


def test_an_audit_that_hardly_met_a_character_is_said(tmp_path, run, capsys):
    film(tmp_path, np.full((100, 2), 0.1))
    truth = np.zeros((100, 2))
    truth[::2, 0] = 1
    audited(tmp_path, truth, systematic(100, 33, 0.5), 100)
    run()

    assert capsys.readouterr().out == (
        "film: the audit met few frames of one kind, the interval is wide or one-sided for: bob (present in 0, absent "
        "in 33)\n"
    )


def test_skipped_ranges_are_in_no_total(tmp_path, run):
    film(tmp_path, np.full((10, 2), 1.0))
    written(tmp_path / "skipped" / "film.csv", "start_s,end_s,reason", "6.5,10,credits")
    rows = run()

    assert (rows["film", "ann"].seconds, rows["film", "ann"].counted_s, rows["film", "ann"].share) == (6.5, 6.5, 1.0)
    found = read_table(tmp_path / "out" / "film" / "appearances.csv", APPEARANCES)
    assert found[["character", "start_s", "end_s"]].values.tolist() == [["ann", 0, 7], ["bob", 0, 7]]


def test_totals_over_films_have_an_interval_only_where_every_film_has_one(tmp_path, run):
    truth, scores = made_up()
    for video_id, length in (("one", 300), ("two", 200)):
        film(tmp_path, scores[:length], video_id)
        audited(tmp_path, truth, systematic(length, 50, 0.5), length, video_id)
    both = run(Video(file="one.mp4"), Video(file="two.mp4"))
    film(tmp_path, scores[:100], "three")
    all_three = run(Video(file="one.mp4"), Video(file="two.mp4"), Video(file="three.mp4"))

    one, two, total = both["one", "ann"], both["two", "ann"], both["*", "ann"]
    assert total.seconds == pytest.approx(one.seconds + two.seconds, abs=1e-5)
    assert total.high - total.seconds == pytest.approx(
        np.hypot(one.high - one.seconds, two.high - two.seconds), abs=1e-5
    )
    assert total.share == pytest.approx(total.seconds / 500, abs=1e-6)
    assert total.n_audit == 100
    assert all_three["*", "ann"].basis == "count"
    assert np.isnan(all_three["*", "ann"].low)
    assert list(both) == [(v, c) for v in ("one", "two", "*") for c in CAST]


def test_a_skipped_film_is_in_nothing(tmp_path, run):
    film(tmp_path, np.full((4, 2), 0.5))

    assert list(run(Video(file="film.mp4"), Video(file="gone.mp4", skip="broken"))) == [
        (v, c) for v in ("film", "*") for c in CAST
    ]


def test_the_timeline_holds_what_the_model_says_also_of_frames_that_trained(tmp_path, run):
    film(tmp_path, np.full((4, 2), 0.25), length_s=3.5)
    labels(tmp_path, {(1, "ann"): "1"})
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", np.array([1.0]), np.full((1, 2), 0.5))
    run()

    rows = read_table(tmp_path / "out" / "film" / "timeline.csv", TIMELINE, CAST)
    assert rows[["time_s", "duration_s", "ann"]].values.tolist() == [
        [0, 1, 0.25],
        [1, 1, 0.25],
        [2, 1, 0.25],
        [3, 0.5, 0.25],
    ]


def listed(folder):
    rows = read_table(folder / "out" / "film" / "appearances.csv", APPEARANCES)
    return [tuple(row) for row in rows[["character", "start_s", "end_s"]].itertuples(index=False)]


def test_appearances_by_the_threshold_follow_what_people_said_and_else_the_score(tmp_path, run):
    film(tmp_path, np.array([[0.9, 0.1]] * 3 + [[0.1, 0.1]] + [[0.8, 0.1]] * 2 + [[0.1, 0.1]] * 2 + [[0.9, 0.1]]))
    labels(tmp_path, {(0, "ann"): "0", (2, "bob"): "1"})
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", np.array([0.0, 2.0]), np.array([[0.9, 0.1]] * 2))
    run(appearances="threshold", bridge_s=1.5)

    assert listed(tmp_path) == [
        ("ann", 1, 6),  # the gap of one second is bridged, the one of two is not; frame 0 was seen to be without her
        ("ann", 8, 9),
        ("bob", 2, 3),
    ]


def test_appearances_by_two_states_follow_what_people_said_and_the_likeliest_course(tmp_path, run):
    film(
        tmp_path,
        np.array([[0.9, 0.1]] * 3 + [[0.4, 0.1]] + [[0.9, 0.1]] * 2 + [[0.1, 0.1]] * 3 + [[0.6, 0.1], [0.1, 0.1]]),
    )
    labels(tmp_path, {(0, "ann"): "0", (2, "bob"): "1"})
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", np.array([0.0, 2.0]), np.array([[0.9, 0.1]] * 2))
    run(appearances="two_states", appearance_s=1.0)
    first = listed(tmp_path)
    run(appearances="two_states", appearance_s=1.0, shortest_s=2)

    assert first == [("ann", 1, 6), ("bob", 2, 3)]  # the weak gap is closed, the weak flicker at 9 s is none
    assert listed(tmp_path) == [("ann", 1, 6)]


def test_two_states_pass_over_a_skipped_range_which_is_in_no_appearance(tmp_path, run):
    film(tmp_path, np.full((12, 2), [0.9, 0.9]))
    written(tmp_path / "skipped" / "film.csv", "start_s,end_s,reason", "4,6,advert", "9.5,12,credits")
    run(appearances="two_states", appearance_s=1.0)

    assert listed(tmp_path) == [(name, *times) for name in CAST for times in ((0, 4), (6, 10))]


def test_the_way_to_list_appearances_changes_no_second(tmp_path, run):
    truth, scores = made_up()
    film(tmp_path, scores)
    audited(tmp_path, truth, systematic(300, 60, 0.5), 300)

    def figures(way):
        run(appearances=way)
        out = tmp_path / "out"
        return [(out / name).read_bytes() for name in ("screen_time.csv", "film/timeline.csv")], listed(tmp_path)

    (seconds, two_states), (others, threshold) = figures("two_states"), figures("threshold")
    assert seconds == others
    assert two_states != threshold


def test_a_gap_is_bridged_up_to_its_length_unless_a_frame_in_it_is_known_to_be_empty():
    present = np.array([True, False, False, True, False, True])
    durations = np.array([1, 0.5, 0.5, 1, 1, 1])
    free = np.ones(6, bool)

    assert bridged(present, durations, free, 1.0).tolist() == [True] * 6
    assert bridged(present, durations, free, 0.9).tolist() == present.tolist()
    assert bridged(present, durations, ~np.eye(6, dtype=bool)[4], 1.0).tolist() == [True, True, True, True, False, True]


def test_from_the_draw_over_the_answers_to_the_interval(tmp_path, run):
    """The audit command, the stage label and the stage estimate understand each other."""
    truth, scores = made_up()
    frames = film(tmp_path, scores)
    folder = tmp_path / "labels"

    def said(times, source, at):
        return [f"{t},,{name},{int(truth[int(t), k])},{source},,{at}" for t in times for k, name in enumerate(CAST)]

    header, at = "start_s,end_s,character,present,source,annotator,at", "2026-11-2{}T10:00:00Z"
    before = said(range(0, 300, 10), "manual", at.format(1))
    written(folder / "film.csv", header, *before)
    drawn = draw(folder, frames, CAST, n=90, seed=4)["time_s"].tolist()
    reviewed = [t for t in range(5, 300, 10) if t not in drawn]
    lines = [*before, *said(drawn, "audit", at.format(2)), *said(reviewed, "manual", at.format(3))]
    written(folder / "film.csv", header, *lines)
    outputs = {name: tmp_path / name for name in ("frames", "targets", "audit", "skipped")}
    label(labels=folder, **outputs, metrics=tmp_path / "label.json", params=params())
    chosen = np.array(sorted([*range(0, 300, 10), *reviewed]))
    held_out(tmp_path / "models" / "out_of_fold.csv", "film", chosen.astype(float), scores[chosen])
    rows = run()

    known = np.isin(np.arange(300), range(0, 300, 10))
    asked = np.isin(np.arange(300), drawn)
    for number, name in enumerate(CAST):
        y, f = truth[:, number].astype(float), scores[:, number]
        row = rows["film", name]
        assert (row.basis, row.n_labelled, row.n_audit) == ("audit", len(chosen), 90)
        assert row.seconds == pytest.approx(y[known].sum() + f[~known].sum() + 3 * (y - f)[asked].sum(), abs=1e-3)
        assert row.low <= y.sum() <= row.high


def test_the_metrics_hold_seconds_interval_and_width(tmp_path, run):
    truth, scores = made_up()
    film(tmp_path, scores)
    audited(tmp_path, truth, systematic(300, 60, 0.5), 300)
    row = run()["film", "ann"]
    metrics = json.loads((tmp_path / "estimate.json").read_text())

    assert metrics["videos"]["film"]["ann"] == {
        "seconds": row.seconds,
        "low": row.low,
        "high": row.high,
        "width": pytest.approx(row.high - row.low, abs=2e-6),
        "basis": "audit",
    }
    assert metrics["total"]["ann"] == metrics["videos"]["film"]["ann"]


def test_two_runs_give_the_same_bytes(tmp_path, run):
    truth, scores = made_up()
    film(tmp_path, scores)
    audited(tmp_path, truth, systematic(300, 60, 0.5), 300)

    def everything():
        run()
        return {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.csv")}

    first = everything()
    assert len(first) == 3
    assert everything() == first
    assert pandas.read_csv(tmp_path / "out" / "screen_time.csv").shape == (4, 10)
