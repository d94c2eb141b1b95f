"""A network learns beside the labeller: what it may see, what its scores are for, what becomes of them."""

import multiprocessing
import os
import resource
import shutil
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from echo import Echo
from labelled_film import truth, write_project
from labeller_runs import Command

from screentime.inputs import Form
from screentime.labeller.learner import SLIP, Ahead, Learned, Learner, changed
from screentime.labeller.session import open_desk
from screentime.labeller.study import Study

CAST = ["tom", "jerry", "spike"]
N_FRAMES = 96
FORM = Form("efficientnet-lite0", 96, 64)


class Listening:
    """A study that keeps the lessons it was asked for and answers when told to."""

    busy, trouble = False, None

    def __init__(self):
        self.told, self.lessons, self.ready = [], [], []

    def prepare(self, ahead):
        self.told.append(ahead)

    def ask(self, lesson):
        self.lessons.append(lesson)

    def done(self):
        ready, self.ready = self.ready, []
        return ready

    def answer(self, scores):
        self.ready.append((self.lessons[-1], Learned(scores, *np.full((2, *scores.shape), 0.25, np.float32))))


@pytest.fixture
def project(tmp_path):
    return tmp_path, write_project(tmp_path, ["one"], CAST, n_frames=N_FRAMES)


def opened(project, study):
    """A desk whose clock goes a second further with each answer."""
    folder, params = project
    ticks = count(int(time.time()))

    def now():
        return datetime.fromtimestamp(next(ticks), UTC)

    return open_desk(folder, params, params.videos, "ann", now=now, study=study)[0]


def say(desk, frames, page, video="one"):
    there = truth(N_FRAMES, len(CAST))
    for frame in frames:
        cells = [[video, frame, place, "1" if there[frame, place] else "0"] for place in range(len(CAST))]
        desk.put(f"answer-{page['page']}-{frame}", page["page"], cells, "look")


def labelled_and_drawn(desk, n=20):
    """The first frames labelled, a page accepted, a round drawn."""
    page = desk.page("start")
    say(desk, [item["f"] for item in page["items"]], page)
    desk.refit()
    page = desk.page("review")
    shown = [[item["v"], item["f"], item["p"].replace(".", "0")] for item in page["items"]]
    desk.accept("accept-the-page", page["page"], shown)
    desk.draw(f"draw-{n}-frames", "one", n)
    return {frame for _, frame, _ in shown}


def finished(desk):
    """Every drawn frame answered."""
    page = desk.page("audit", "one")
    say(desk, [item["f"] for item in page["items"]], page)


def test_it_learns_what_had_been_answered_before_the_draw_and_no_drawn_frame(project):
    study = Listening()
    desk = opened(project, study)
    accepted = labelled_and_drawn(desk)
    film, (lesson,) = desk.film("one"), study.lessons
    rows, _ = lesson.labelled["one"]

    assert (lesson.video_id, lesson.number) == ("one", 1)
    assert not film.drawn[rows].any()
    assert set(np.flatnonzero(~np.isnan(lesson.answered).any(axis=1))) >= accepted
    assert accepted & set(np.flatnonzero(film.drawn)), "no accepted frame was drawn: the test shows nothing"
    assert set(rows) == set(np.flatnonzero(~np.isnan(lesson.answered).any(axis=1))) - set(np.flatnonzero(film.drawn))


def test_with_few_labels_nothing_is_learned(project):
    study = Listening()
    desk = opened(project, study)
    page = desk.page("start")
    say(desk, [item["f"] for item in page["items"]][:19], page)
    desk.draw("draw-early", "one", 20)

    assert not study.lessons


@pytest.mark.parametrize(("wanted", "enough"), [(48, 32), (24, 20)])
def test_before_any_round_it_learns_from_two_thirds_of_the_first_frames_and_once(project, wanted, enough):
    folder, params = project
    params = params.model_copy(update={"suggest": params.suggest.model_copy(update={"frames": wanted})})
    study = Listening()
    desk = opened((folder, params), study)
    page = desk.page("start")
    first = [item["f"] for item in page["items"]]
    desk.hear()
    assert not study.told
    asked = []
    for frame in first:
        say(desk, [frame], page)
        desk.hear()
        asked.append((len(study.told), len(study.lessons)))

    assert asked == [(1, int(done >= enough)) for done in range(1, wanted + 1)]
    (lesson,) = study.lessons
    assert study.told == [("one", len(CAST))]
    assert (lesson.video_id, lesson.number) == ("one", 0)
    assert sorted(first[:enough]) == lesson.labelled["one"][0].tolist()


def test_what_it_learned_first_makes_guesses_and_touches_no_figure(project):
    study = Listening()
    desk = opened(project, study)
    page, film = desk.page("start"), desk.film("one")
    say(desk, [item["f"] for item in page["items"]], page)
    desk.hear()
    desk.refit()
    proposed = film.scores.copy()
    study.answer(np.clip(truth(N_FRAMES, len(CAST)), 0.01, 0.99).astype(np.float32))
    desk.hear()
    desk.refit()
    free, there = film.free(), truth(N_FRAMES, len(CAST))
    assert np.abs(film.scores - there)[free].mean() < np.abs(proposed - there)[free].mean()
    assert any(item["w"] != [None] * len(CAST) for item in desk.page("review")["items"])

    desk.draw("draw-20-frames", "one", 20)
    finished(desk)
    with_it = [time.middle for time in film.screen_times()]
    film.of_round.pop(0)
    assert [time.middle for time in film.screen_times()] == with_it
    assert [lesson.number for lesson in study.lessons] == [0, 1]


def test_a_session_that_ended_before_it_had_learned_first_learns_that_again(project):
    folder, _ = project
    study, again, later = Listening(), Listening(), Listening()
    desk = opened(project, study)
    page = desk.page("start")
    say(desk, [item["f"] for item in page["items"]], page)
    desk.hear()
    desk.write()
    taught = opened(project, again)
    again.answer(np.full((N_FRAMES, len(CAST)), 0.3, np.float32))
    taught.hear()

    assert [lesson.number for lesson in again.lessons] == [0]
    assert (opened(project, later).film("one").of_round[0] == np.float32(0.3)).all()
    assert not later.lessons
    path = folder / ".screentime/scores/one.0.npz"
    with np.load(path) as kept:
        tables = dict(kept) | {"film": np.array("another film")}
    np.savez(path, **tables)
    assert not opened(project, later).film("one").of_round, "the scores of another film were used"


def test_its_scores_are_for_its_round_and_make_the_proposals(project):
    study = Listening()
    desk = opened(project, study)
    labelled_and_drawn(desk)
    finished(desk)
    desk.refit()
    film = desk.film("one")
    before, proposed = [time.middle for time in film.screen_times()], film.scores.copy()
    study.answer(np.clip(truth(N_FRAMES, len(CAST)), 0.01, 0.99).astype(np.float32))
    desk.hear()
    desk.refit()

    assert [time.middle for time in film.screen_times()] != before
    assert all(time.high - time.low < 30 for time in film.screen_times())
    free = film.free()
    assert np.abs(film.scores - truth(N_FRAMES, 3))[free].mean() < np.abs(proposed - truth(N_FRAMES, 3))[free].mean()


def test_a_page_of_guesses_tells_where_the_network_saw_whom_and_nothing_of_a_drawn_frame(project):
    study = Listening()
    desk = opened(project, study)
    labelled_and_drawn(desk)
    assert all(set(item["w"]) == {None} for item in desk.page("review")["items"])
    study.answer(np.clip(truth(N_FRAMES, len(CAST)), 0.01, 0.99).astype(np.float32))
    desk.hear()
    desk.refit()
    items = desk.page("review")["items"]

    assert any([0.25, 0.25] in item["w"] for item in items)
    assert all(
        (where is not None) == (guess == "1")
        for item in items
        for where, guess in zip(item["w"], item["p"], strict=True)
    )
    assert all("w" not in item for item in desk.page("audit", "one")["items"])


def test_what_is_labelled_after_the_draw_does_not_touch_the_scores_of_the_round(project):
    study = Listening()
    desk = opened(project, study)
    labelled_and_drawn(desk)
    study.answer(np.full((N_FRAMES, len(CAST)), 0.3, np.float32))
    desk.hear()
    finished(desk)
    film = desk.film("one")
    before = [time.middle for time in film.screen_times()]
    page = desk.page("film", "one")
    say(desk, [item["f"] for item in page["items"] if item["a"] == "..."][:15], page)
    desk.refit()

    assert [time.middle for time in film.screen_times()] == before


def test_another_session_has_the_scores_and_one_that_ended_too_soon_learns_again(project):
    study, again, later = Listening(), Listening(), Listening()
    desk = opened(project, study)
    labelled_and_drawn(desk)
    desk.write()
    taught = opened(project, again)  # the first session ended before its network had learned
    scores = np.random.default_rng(0).random((N_FRAMES, len(CAST))).astype(np.float32)
    again.answer(scores)
    taught.hear()

    (first,), (second,) = study.lessons, again.lessons
    assert np.array_equal(first.answered, second.answered, equal_nan=True)
    assert np.array_equal(first.labelled["one"][0], second.labelled["one"][0])
    assert np.array_equal(opened(project, later).film("one").of_round[1], scores)
    assert not later.lessons


def test_where_nothing_can_be_kept_labelling_goes_on_and_the_page_says_so(project):
    folder, _ = project
    study = Listening()
    desk = opened(project, study)
    scores = folder / ".screentime/scores"
    scores.write_bytes(b"in the way")
    labelled_and_drawn(desk)
    desk.hear()
    finished(desk)
    desk.tick()
    assert not study.lessons
    assert desk.state()["study"].startswith("what a network learns cannot be kept: ")
    assert all(time.basis == "audit" for time in desk.film("one").screen_times())

    scores.unlink()
    desk.draw("draw-more-frames", "one", 20)
    assert [lesson.number for lesson in study.lessons] == [2]
    assert desk.state()["study"] is None


@pytest.mark.parametrize("spoil", ["another draw", "a torn file", "another cast"])
def test_scores_that_are_not_of_this_round_are_not_used(project, spoil):
    folder, params = project
    study = Listening()
    desk = opened(project, study)
    labelled_and_drawn(desk)
    study.answer(np.full((N_FRAMES, len(CAST)), 0.3, np.float32))
    desk.hear()
    desk.write()
    kept, record = folder / ".screentime/scores/one.1.npz", folder / "data/labels/one.audit.csv"
    if spoil == "another draw":
        record.unlink()
        (folder / ".screentime/journal.jsonl").unlink()
        opened(project, None).draw("draw-another", "one", 20)
    elif spoil == "a torn file":
        kept.write_bytes(kept.read_bytes()[:300])
    else:
        params = params.model_copy(update={"cast": ["tom", "anna", "spike"]})
        text = (folder / "data/labels/one.csv").read_text().replace("jerry", "anna")
        (folder / "data/labels/one.csv").write_text(text)
        (folder / ".screentime/journal.jsonl").unlink()
    desk = opened((folder, params), Listening())
    found = desk.film("one").of_round

    if spoil == "another cast":
        assert np.isnan(found[1][:, 1]).all()
        assert (found[1][:, [0, 2]] == np.float32(0.3)).all()
    else:
        assert found == {}


# the real network, on real pictures


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """The folder and the learner after its first lesson, that lesson, what came of it, and the frames accepted before."""
    folder = tmp_path_factory.mktemp("taught")
    study = Listening()
    accepted = labelled_and_drawn(opened((folder, write_project(folder, ["one"], CAST, n_frames=N_FRAMES)), study))
    learner = Learner(folder / "data", FORM, folder / "kept", threads=1)
    return folder, learner, study.lessons[0], learner.learn(study.lessons[0]), accepted


def test_a_network_learns_who_is_there_and_scores_answered_frames_as_answered(taught):
    folder, learner, lesson, (scores, across, down), accepted = taught
    there, answered = truth(N_FRAMES, len(CAST)), ~np.isnan(lesson.answered)

    assert scores.shape == there.shape
    assert np.allclose(scores[answered], np.where(lesson.answered[answered] == 1, 1 - SLIP, SLIP))
    assert accepted <= set(np.flatnonzero(answered.any(axis=1)))
    other = ~answered
    assert ((scores[other] - there[other]) ** 2).mean() < 0.5 * (there[other].mean() * (1 - there[other].mean()))
    assert np.array_equal(learner.learn(lesson).scores, scores)
    assert set(np.unique(across * 6).round()) <= {1, 3, 5} and set(np.unique(down * 4).round()) <= {1, 3}
    assert down[there].mean() < down[~there].mean()  # the figures are drawn in the upper half
    assert np.load(folder / "kept/one.npy", mmap_mode="r").shape[0] == N_FRAMES


@pytest.mark.parametrize("lack", ["the disk is full", "labels would lack room"])
def test_what_cannot_be_kept_is_computed_anew_each_time(taught, lack, monkeypatch):
    folder, learner, *_ = taught
    rows, path = np.arange(5), folder / "kept/one.npy"
    wanted = learner._seam("one", rows)
    away, limits = path.rename(folder / "away.npy"), resource.getrlimit(resource.RLIMIT_FSIZE)
    if lack == "the disk is full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (away.stat().st_size // 2, limits[1]))
    else:
        size = away.stat().st_size
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=size))
    try:
        found = learner._seam("one", rows)
        left = list(path.parent.iterdir())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        away.rename(path)

    assert left == []
    assert np.allclose(found, wanted, atol=0.02, rtol=0.01)  # it was kept with half the digits


def test_a_lesson_before_leaves_nothing_behind_in_the_next(taught):
    _, learner, lesson, first, _ = taught
    rows, targets = lesson.labelled["one"]
    other = learner.learn(replace(lesson, labelled={"one": (rows[::2], 1 - targets[::2])})).scores

    assert not np.array_equal(other, first.scores)
    assert np.array_equal(learner.learn(lesson).scores, first.scores)


def test_a_changed_map_is_mirrored_or_moved_by_a_place_and_little_else():
    maps = np.zeros((64, 5, 7, 2), np.float32)
    maps[:, 2, 1, 0] = 1.0
    found = changed(maps, np.float32([0.0, 0.5]), np.random.default_rng(0))

    places = {tuple(place) for place in np.argwhere(found[..., 0] == 1.0)[:, 1:]}
    assert places <= {(row, column) for row in (1, 2, 3) for column in (0, 1, 2, 4, 5, 6)}
    assert len(places) > 9
    assert (found[..., 0].sum(axis=(1, 2)) == 1.0).all()
    assert 0.05 < found[..., 1].std() < 0.2


def test_the_labeller_learns_beside_the_person_and_ends_with_them(project):
    folder, _ = project
    command = Command(folder)
    one = command.running()
    there = truth(N_FRAMES, len(CAST))
    page = one.do("/api/page", view="start")
    for item in page["items"]:
        cells = [[item["v"], item["f"], place, str(int(is_there))] for place, is_there in enumerate(there[item["f"]])]
        one.do("/api/put", op=f"operation-{item['f']}", page=page["page"], cells=cells, how="look")
    first, _ = learned_by(one, folder / ".screentime/scores/one.0.npz")
    one.do("/api/draw", op="operation-draw", video="one", n=20)
    scores, told = learned_by(one, folder / ".screentime/scores/one.1.npz")
    learned = [study for study in told if study]  # nothing is said any more from the moment that scores are being kept
    command.kill(signal.SIGINT)
    code, said = command.ended()

    assert set(learned) == {"a network is learning from what you labelled"}
    assert told[: len(learned)] == learned
    assert all(((of - there) ** 2).mean() < 0.5 * there.mean() * (1 - there.mean()) for of in (first, scores))
    assert (code, "Traceback" in said) == (0, False), said
    assert not (folder / ".screentime/kept").exists()


def learned_by(one, kept):
    """The scores of a lesson, and what the page was told of the network until they were there."""
    told, end = [], time.monotonic() + 900  # it gives way to all else on a busy machine
    while time.monotonic() < end and "scores" not in (np.load(kept).files if kept.is_file() else ()):
        told.append(one.ask("GET", "/api/state")[2]["study"])
        time.sleep(0.2)
    return np.load(kept)["scores"], told


# the process it learns in


def waited_for(study, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (done := study.done()) or study.trouble:
            return done
        time.sleep(0.05)
    raise AssertionError("nothing came back")


@pytest.fixture
def study():
    one = Study(Echo)
    yield one
    one.close()


def test_lessons_are_learned_in_another_process_one_after_the_other(study):
    study.ask("first")
    study.ask("second")
    assert study.busy
    found = waited_for(study)
    while study.busy:
        found += waited_for(study)

    assert [lesson for lesson, _ in found] == ["first", "second"]
    assert found[0][1] == found[1][1] != os.getpid()


def test_films_are_prepared_before_their_lessons_and_one_that_cannot_be_stops_nothing(study):
    for video_id in ("one", "refuse", "two"):
        study.prepare(Ahead(video_id, 3))
    assert not study.busy
    study.ask("prepared")

    assert waited_for(study) == [("prepared", ["one", "refuse", "two"])]
    assert study.trouble is None


def test_whoever_asks_does_not_wait_for_what_was_asked_before(study, tmp_path):
    study.ask("first")
    waited_for(study)
    study.prepare(Ahead(f"until {tmp_path / 'asked'}", 3))
    large, begin = "a lesson larger than a pipe" * 100_000, time.monotonic()
    study.ask(large)

    assert time.monotonic() - begin < 30  # it would be the sixty that the process waits to be told
    (tmp_path / "asked").touch()
    assert waited_for(study) == [(large, len(large))]


@pytest.mark.parametrize(("lesson", "words"), [("refuse", "no such file"), ("die", "ended by itself")])
def test_where_it_cannot_learn_the_labeller_goes_on_and_says_so(study, lesson, words):
    study.ask(lesson)

    assert waited_for(study) == []
    assert words in study.trouble
    assert not study.busy
    study.ask("more")
    assert not study.busy


def test_closing_ends_the_process_whatever_it_does(study):
    study.ask("sleep")
    (process,) = multiprocessing.active_children()
    study.close()

    assert not process.is_alive()
