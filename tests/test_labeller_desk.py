"""What a person does at the labeller: pages that hold still, accepting what is shown, the blind audit, shots, groups."""

import json
from itertools import pairwise

import numpy as np
import pytest
from labelled_film import truth, write_project
from scipy.special import stdtrit

from screentime.audit import draw
from screentime.labeller.errors import Refused
from screentime.labeller.session import open_desk

CAST = ["tom", "jerry", "spike"]


@pytest.fixture
def opened(tmp_path):
    params = write_project(tmp_path, ["one"], CAST)
    desk, _ = open_desk(tmp_path, params, params.videos, "ann")
    return desk


def answer_frames(desk, page, frames, video="one", prefix="answer"):
    """Say the truth of some frames of a page."""
    there = truth(96, len(CAST))
    for frame in frames:
        cells = [[video, frame, place, "1" if there[frame, place] else "0"] for place in range(len(CAST))]
        desk.put(f"{prefix}-{page['page']}-{frame}", page["page"], cells, "look")


def taught(desk, count=24):
    """Label the first frames and fit the head."""
    page = desk.page("start")
    answer_frames(desk, page, [item["f"] for item in page["items"]][:count])
    desk.refit()
    return desk


def drawn(desk, n=20, video="one"):
    desk.draw(f"draw-{n}-{desk.version}", video, n)
    return desk.page("audit", video)


# pages


def test_the_start_shows_frames_that_differ_and_no_guess(opened):
    page = opened.page("start")

    assert len(page["items"]) == 24
    assert all("p" not in item and item["a"] == "..." for item in page["items"])


def test_what_is_on_a_page_does_not_change_when_the_head_is_fitted_anew(opened):
    taught(opened)
    page = opened.page("review")
    before = [(item["v"], item["f"], item["p"]) for item in page["items"]]
    film = opened.page("film", "one")
    answer_frames(opened, film, [item["f"] for item in film["items"] if item["a"] == "..."][:20])
    opened.refit()

    assert [(item["v"], item["f"], item["p"]) for item in opened.look(page["page"])["items"]] == before
    assert opened.page("review")["items"] != page["items"]


def test_a_review_holds_at_most_one_frame_a_shot_and_none_that_is_answered(opened):
    page = taught(opened).page("review")
    film = opened.film("one")
    shots = [film.shot_of(item["f"]) for item in page["items"]]

    assert len(shots) == len(set(shots)) > 0
    assert all(item["a"] == "..." for item in page["items"])


def test_look_alikes_are_the_frames_on_the_page_and_no_others(opened):
    page = taught(opened).page("group", "one", 40)
    items = [["one", item["f"], item["p"].replace(".", "0")] for item in page["items"]]
    told = opened.accept("accept-group", page["page"], items)

    assert 40 in [item["f"] for item in page["items"]]
    assert len(page["items"]) <= 24
    assert told["wrote"] == len(page["items"])


# accepting


def test_accepting_writes_the_values_that_were_shown_and_a_corrected_frame_counts_as_looked_at(opened):
    page = taught(opened).page("review")
    corrected, let_be = page["items"][:2]
    flipped = "0" if corrected["p"][0] == "1" else "1"
    opened.put("correct-1", page["page"], [["one", corrected["f"], 0, flipped]], "look")
    items = [["one", corrected["f"], flipped + corrected["p"][1:]], ["one", let_be["f"], let_be["p"]]]
    opened.accept("accept-1", page["page"], items)

    sheet = opened.film("one").sheet
    assert "".join(sheet.present[corrected["f"]]) == flipped + corrected["p"][1:]
    assert sheet.source[corrected["f"]].tolist() == ["manual"] * 3
    assert sheet.source[let_be["f"]].tolist() == ["accepted"] * 3


def test_correcting_an_accepted_frame_is_a_look_at_all_of_it_except_where_one_character_was_asked_about(opened):
    page = taught(opened).page("review")
    items = sorted(page["items"], key=lambda item: "1" in item["p"])[-2:]
    opened.accept("accept-1", page["page"], [["one", item["f"], item["p"]] for item in items])
    whole, one = (item["f"] for item in items)
    flipped = {frame: "0" if item["p"][0] == "1" else "1" for frame, item in zip((whole, one), items, strict=True)}
    opened.put("correct-1", opened.page("film", "one")["page"], [["one", whole, 0, flipped[whole]]], "look")
    sheet = opened.film("one").sheet
    assert sheet.source[whole].tolist() == ["manual"] * 3

    opened.undo("undo-1")
    assert sheet.source[whole].tolist() == ["accepted"] * 3

    there = items[1]["p"].index("1")
    page = opened.page("same", "one", character=there)
    opened.put("correct-2", page["page"], [["one", one, there, "0"]], "look")
    assert sheet.source[one].tolist() == ["manual" if place == there else "accepted" for place in range(3)]


@pytest.mark.parametrize("what", ["another value", "another page's frame", "an old page"])
def test_accepting_what_was_not_shown_is_refused(opened, what):
    page = taught(opened).page("review")
    item = page["items"][0]
    values, number, frame = item["p"], page["page"], item["f"]
    if what == "another value":
        values = ("0" if values[0] == "1" else "1") + values[1:]
    elif what == "another page's frame":
        frame = next(one for one in range(96) if ("one", one) not in {(i["v"], i["f"]) for i in page["items"]})
    else:
        for _ in range(25):
            opened.page("start")
    before = opened.film("one").sheet.rows

    with pytest.raises(Refused):
        opened.accept("accept-1", number, [["one", frame, values]])
    assert opened.film("one").sheet.rows == before


def test_what_changed_since_the_page_was_made_is_not_accepted_over(opened):
    page = taught(opened).page("review")
    item = page["items"][0]
    other = opened.page("film", "one")  # a second tab
    opened.put("tab-2-says", other["page"], [["one", item["f"], 0, "?"]], "look")

    with pytest.raises(Refused, match="what is shown is not what is there any more; look again"):
        opened.accept("accept-1", page["page"], [["one", item["f"], item["p"]]])


# shots


def test_a_shot_takes_the_values_of_one_frame_and_leaves_answers_and_drawn_frames(opened):
    taught(opened)
    film = opened.film("one")
    first = next(
        int(one) for one in film.shots
        if not film.changing(range(one, film.shot_of(one)[1] + 1)) and film.shot_of(one)[1] - one >= 4
    )  # fmt: skip
    film.drawn[first + 1] = True
    film.book.redrawn(film.drawn)
    page = opened.page("film", "one")
    values = "".join(film.proposals()[first])
    values = "".join(str(said) or value for said, value in zip(film.sheet.present[first], values, strict=True))
    about = opened.shot(page["page"], "one", first)
    told = opened.take_shot("take-shot-1", page["page"], "one", first, values)

    assert about["left_out"] == 1 and str(told["said"]).endswith("(1 left out: it waits for the audit)")
    assert (film.sheet.present[first + 1] == "").all()
    assert all("".join(film.sheet.present[one]) for one in range(first + 2, film.shot_of(first)[1] + 1))


def test_a_shot_inside_which_the_proposal_changes_cannot_be_taken_whole(opened):
    taught(opened)
    film = opened.film("one")
    film.scores[40:44, 0], film.scores[44:48, 0] = 0.9, 0.1
    film.shots = np.array([0, 40, 48])
    page = opened.page("film", "one")

    assert opened.shot(page["page"], "one", 41)["changing"] == [0]
    with pytest.raises(
        Refused, match="tom: this changes inside the shot, so it cannot be taken whole; go frame by frame"
    ):
        opened.take_shot("take-shot-1", page["page"], "one", 41, "100")


# the audit


def test_the_record_is_kept_before_anything_is_shown(opened, tmp_path):
    record = tmp_path / "data" / "labels" / "one.audit.csv"
    assert not record.exists()
    drawn(opened)

    assert len(record.read_text().splitlines()) == 21


def test_drawn_frames_come_in_an_order_that_tells_nothing_of_time_and_stay_in_it(opened, tmp_path):
    frames = [item["f"] for item in drawn(opened)["items"]]
    answer_frames(opened, opened.page("audit"), frames[:5])

    assert sorted(frames) != frames
    assert [item["f"] for item in opened.page("audit")["items"]] == frames


def test_until_answered_no_answer_of_the_desk_shows_a_drawn_frame_or_its_score(opened):
    taught(opened)
    page = drawn(opened)
    hidden = {item["f"] for item in page["items"]}

    assert all("p" not in item for item in page["items"])
    for view, more in (("start", {}), ("review", {}), ("check", {}), ("film", {}), ("one", {"character": 0}),
                       ("same", {"character": 0}), ("group", {"frame": min(set(range(96)) - hidden)})):  # fmt: skip
        shown = {item["f"] for item in opened.page(view, "one", **more)["items"]}
        assert not shown & hidden, view
    overview = opened.overview("one")
    for frame in hidden:
        assert [column[frame] for column in overview["scores"]] == [None] * len(CAST)
        assert [column[frame] for column in overview["answers"]] == ["."] * len(CAST)
    assert all("scores" not in json.dumps(opened.page("audit")) for _ in range(1))
    with pytest.raises(Refused):
        opened.page("group", "one", min(hidden))


def test_painting_over_a_drawn_frame_leaves_it_out_and_says_so(opened):
    page = drawn(opened)
    hidden = min(item["f"] for item in page["items"])
    film = opened.page("film", "one")
    cells = [["one", frame, 0, "1"] for frame in range(hidden - 1 if hidden else 0, hidden + 2)]
    told = opened.put("paint-over", film["page"], cells, "many")

    assert str(told["said"]).endswith("(1 left out: it waits for the audit)")
    assert opened.film("one").sheet.present[hidden, 0] == ""


def test_a_drawn_frame_is_answered_in_the_audit_only_and_by_looking_only(opened):
    page = drawn(opened)
    frame = page["items"][0]["f"]
    with pytest.raises(Refused, match="in an audit every frame is looked at by itself"):
        opened.put("many-audit", page["page"], [["one", frame, 0, "1"]], "many")
    opened.put("one-audit", page["page"], [["one", frame, 0, "1"]], "look")

    assert opened.film("one").sheet.source[frame, 0] == "audit"


def test_a_round_counts_only_when_it_is_complete(opened):
    taught(opened)
    page = drawn(opened)
    frames = [item["f"] for item in page["items"]]
    answer_frames(opened, page, frames[:-1])
    assert {time.basis for time in opened.film("one").screen_times()} == {"count"}

    answer_frames(opened, page, frames[-1:])
    assert {time.basis for time in opened.film("one").screen_times()} == {"audit"}


def test_drawn_frames_never_train_answered_or_not(opened):
    taught(opened)
    before = opened.film("one").scores.copy()
    page = drawn(opened)
    answer_frames(opened, page, [item["f"] for item in page["items"]])
    opened.refit()

    assert np.array_equal(opened.film("one").scores, before)


def test_undo_does_not_reach_behind_a_draw(opened):
    taught(opened, 3)
    drawn(opened)

    with pytest.raises(Refused, match="was said before an audit round was drawn, and the draw counts on it"):
        opened.undo("undo-1234")


def test_every_character_is_told_its_seconds_over_all_films_and_what_the_next_round_would_give(tmp_path):
    """By hand: nothing but the audit is known, so that every score is 0 and every error is the answer itself."""
    films, n_frames, n = ["one", "two"], 200, 20
    params = write_project(tmp_path, films, CAST, n_frames=n_frames)
    desk, _ = open_desk(tmp_path, params, params.videos, "ann")
    there = {"tom": lambda place: place % 2, "jerry": lambda place: place < 8, "spike": lambda place: 0 < place < 4}
    for video in films:
        page = drawn(desk, n, video)
        for place, frame in enumerate(sorted(item["f"] for item in page["items"])):
            cells = [[video, frame, c, str(int(there[name](place)))] for c, name in enumerate(CAST)]
            desk.put(f"answer-{video}-{frame}", page["page"], cells, "look")
    desk.refit()
    told = desk.state()["standing"]

    left, more = n_frames - n, 95  # 190 frames are a round's most, half of them each film's
    now, after = {}, {}
    for c, name in enumerate(CAST):
        errors = [int(there[name](place)) for place in range(n)]
        spread = (sum((one - other) ** 2 for one, other in pairwise(errors)) / 2 + 2) / (n - 1 + 2)
        half = stdtrit(n - 1, 0.975) * (spread / (n / (n_frames * left))) ** 0.5
        then = stdtrit(n + more - 2, 0.975) * (spread / (n / (n_frames * left) + more / (left * (left - more)))) ** 0.5
        assert [desk.film(video).after_another_round(c, more) for video in films] == pytest.approx([then] * 2)
        seconds = len(films) * n_frames * sum(errors) / n
        least = len(films) * sum(errors)  # they were seen
        now[name] = seconds, max(least, seconds - 2**0.5 * half), seconds + 2**0.5 * half
        after[name] = 2**0.5 * then
    sentences = {
        name: f"{name}: {seconds:.0f} s, {low:.0f} to {high:.0f} s; 190 more audit frames would make that about ±{after[name]:.0f} s"
        for name, (seconds, low, high) in now.items()
    }
    assert told["characters"] == [
        {"now": f"{seconds:.0f} s ({low:.0f} to {high:.0f})", "next": sentences[name]}
        for name, (seconds, low, high) in now.items()
    ]
    assert told["sentence"] == f"widest: {sentences['tom']}"
    assert all(after[name] < (high - low) / 3 for name, (_, low, high) in now.items())


# one character more, ranges, films


def test_a_character_added_later_is_asked_about_in_the_frames_that_are_labelled(tmp_path):
    params = write_project(tmp_path, ["one"], CAST[:2])
    desk, _ = open_desk(tmp_path, params, params.videos, "ann")
    page = desk.page("start")
    frames = [item["f"] for item in page["items"]][:3]
    for frame in frames:
        desk.put(f"answer-{frame}", page["page"], [["one", frame, 0, "1"], ["one", frame, 1, "0"]], "look")
    desk.refit()
    guessed = desk.page("film", "one")
    item = next(item for item in guessed["items"] if item["f"] not in frames)
    desk.accept("accept-two", guessed["page"], [["one", item["f"], item["p"].replace(".", "0")]])
    frames.append(item["f"])  # accepted with its page, not looked at
    desk.write()
    params = write_project(tmp_path, ["one"], CAST)
    desk, _ = open_desk(tmp_path, params, params.videos, "ann")

    asked = desk.page("one", character=2)
    assert sorted(item["f"] for item in asked["items"]) == sorted(frames)
    desk.accept("accept-one", asked["page"], [["one", frames[0], desk.look(asked["page"])["items"][0]["a"][:2] + "0"]])
    assert len(desk.page("one", character=2)["items"]) == 3


def test_a_stretch_that_is_not_part_of_the_film_is_left_out_of_totals_and_pages(opened, tmp_path):
    opened.skip("skip-credits", "one", 80, 95, "credits")
    film = opened.film("one")

    assert (tmp_path / "data/labels/one.skip.csv").read_text() == "start_s,end_s,reason\n80,96,credits\n"
    assert film.weights_s.sum() == 80
    assert not {item["f"] for item in opened.page("start")["items"]} & set(range(80, 96))


def test_all_films_are_one_queue_with_one_cast(tmp_path):
    params = write_project(tmp_path, ["one", "two"], CAST)
    desk, _ = open_desk(tmp_path, params, params.videos, "ann")
    page = desk.page("start")

    assert [item["v"] for item in page["items"][:4]] == ["one", "two", "one", "two"]
    desk.put(
        "both-films", page["page"], [[v, page["items"][n]["f"], 0, "1"] for n, v in ((0, "one"), (1, "two"))], "look"
    )
    assert desk.undo("undo-both")["said"] == "taken back: 2 frames: tom there"


def test_active_time_counts_what_the_page_counted_and_survives_a_restart(tmp_path):
    params = write_project(tmp_path, ["one"], CAST)
    desk, _ = open_desk(tmp_path, params, params.videos, "ann")
    page = desk.page("start")
    desk.put("a-minute", page["page"], [["one", page["items"][0]["f"], 0, "1"]], "look", 42.5)
    desk.active(17.5)
    desk, _ = open_desk(tmp_path, params, params.videos, "ann")

    assert desk.state()["active_s"] == 60


def test_a_stretch_left_out_can_be_taken_back_but_not_behind_a_draw(opened):
    film = opened.film("one")
    opened.skip("skip-1", "one", 8, 9, "advert")
    with pytest.raises(Refused, match="left out already"):
        opened.skip("skip-2", "one", 8, 9, "credits")
    assert opened.undo("undo-1")["said"] == "taken back: 0:08 to 0:09: 2 frames are not part of the film (advert)"
    assert film.skips == [] and film.weights_s[8:10].tolist() == [1, 1]
    opened.redo("redo-1")
    assert film.skips == [(8.0, 10.0)]
    drawn(opened)

    with pytest.raises(Refused, match="before an audit round was drawn"):
        opened.undo("undo-2")
    assert film.skips == [(8.0, 10.0)]


def test_a_round_and_a_skip_that_come_from_outside_are_noticed(opened, tmp_path):
    """A pull while the labeller is open: the frames that were drawn elsewhere leave every other view at once."""
    labels, film = tmp_path / "data" / "labels", opened.film("one")
    page = opened.page("film", "one")
    opened.put("answer-1", page["page"], [["one", 4, 0, "1"]], "look")
    opened.write()
    draw(labels, film.frames, CAST, n=5, seed=1)
    (labels / "one.skip.csv").write_text("start_s,end_s,reason\n0,2,titles\n")
    shown = {item["f"] for item in opened.look(page["page"])["items"]}

    assert film.drawn.sum() == 5 and film.skips == [(0.0, 2.0)]
    assert shown == set(np.flatnonzero(~film.drawn).tolist())
    with pytest.raises(Refused, match="before an audit round was drawn"):
        opened.undo("undo-1")
    (labels / "one.audit.csv").write_text("nonsense\n")
    assert "one.audit.csv: line 1: unknown column 'nonsense'" in opened.state()["trouble"]
    assert film.drawn.sum() == 5
