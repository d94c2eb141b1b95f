"""Second looks: answers that look like slips, the audit's among as many others, asked about once."""

import numpy as np
import pytest
from labelled_film import truth, write_project

from screentime.labeller.errors import Refused
from screentime.labeller.pages import DOUBTED_PAGE
from screentime.labeller.session import open_desk

CAST = ["tom", "jerry", "spike"]
N_FRAMES = 96
THERE = truth(N_FRAMES, len(CAST))


@pytest.fixture
def project(tmp_path):
    return tmp_path, write_project(tmp_path, ["one"], CAST, n_frames=N_FRAMES)


def opened(project):
    folder, params = project
    return open_desk(folder, params, params.videos, "ann")[0]


def values(frame, slip=None):
    """The truth of a frame, but for one character."""
    return "".join(str(int(there) ^ (place == slip)) for place, there in enumerate(THERE[frame]))


def say(desk, page, frame, said):
    cells = [["one", frame, place, value] for place, value in enumerate(said)]
    desk.put(f"say-{page['page']}-{frame}-{said}", page["page"], cells, "look")


def audited(desk, slips, n=30, left=0):
    """Label some frames, draw a round and answer all but `left` of it, some with a slip; the drawn frames."""
    page = desk.page("start")
    for item in page["items"]:
        say(desk, page, item["f"], values(item["f"]))
    desk.draw(f"draw-{n}", "one", n)
    page = desk.page("audit", "one")
    drawn = [item["f"] for item in page["items"]]
    for place, frame in enumerate(drawn[: n - left]):
        say(desk, page, frame, values(frame, slip=place % 3 if place < slips else None))
    knows_better(desk)
    return drawn


def knows_better(desk):
    """Scores that know the truth, as a network's that never saw a drawn frame."""
    desk.refit()
    film = desk.film("one")
    film.near[:], film.held_out[:] = np.clip(THERE, 0.05, 0.95), np.clip(THERE, 0.05, 0.95)


def frames_of(page):
    return [item["f"] for item in page["items"]]


def test_slips_of_the_audit_come_with_as_many_others_and_without_a_guess(project):
    desk = opened(project)
    drawn = audited(desk, slips=4)
    page = desk.page("check")
    frames = frames_of(page)

    assert set(drawn[:4]) < set(frames) <= set(drawn) and len(frames) == 8
    assert frames == sorted(frames)
    assert all("p" not in item or set(item["p"]) == {"."} for item in page["items"])


def test_what_was_looked_at_again_is_not_asked_about_again_also_after_a_restart(project):
    desk = opened(project)
    drawn = audited(desk, slips=3)
    page = desk.page("check")
    corrected, kept = drawn[0], drawn[1]
    desk.put("correct", page["page"], [["one", corrected, 0, values(corrected)[0]]], "look")
    said = next(item["a"] for item in page["items"] if item["f"] == kept)
    desk.accept("confirm", page["page"], [["one", kept, said]])
    desk.write()

    film = desk.film("one")
    assert film.letters(corrected) == values(corrected)
    assert set(film.sheet.source[corrected]) == {"audit"}
    assert film.letters(kept) == said
    assert [film.is_confirmed(item["f"]) for item in desk.look(page["page"])["items"]].count(True) == 2
    assert film.doubted() == [drawn[2]]
    again = opened(project)
    knows_better(again)
    assert again.film("one").doubted() == [drawn[2]]


def test_a_correction_moves_the_figure_and_undo_takes_it_back(project):
    desk = opened(project)
    frame = audited(desk, slips=1)[0]
    before = desk.film("one").screen_times()[0].middle
    page = desk.page("check")
    desk.put("correct", page["page"], [["one", frame, 0, values(frame)[0]]], "look")
    after = desk.film("one").screen_times()[0].middle
    desk.undo("take-back")

    assert after != before
    assert desk.film("one").screen_times()[0].middle == before
    assert desk.film("one").doubted() == [frame]


def test_a_round_that_is_not_complete_is_not_looked_at_again(project):
    desk = opened(project)
    drawn = audited(desk, slips=4, left=1)

    assert not set(drawn) & set(frames_of(desk.page("check")))


def test_a_page_of_second_looks_from_before_a_draw_shows_and_takes_nothing_of_it(project):
    desk = opened(project)
    audited(desk, slips=3)
    film = desk.film("one")
    page = desk.page("review")
    frame = page["items"][0]["f"]
    desk.accept("accept", page["page"], [["one", frame, page["items"][0]["p"]]])
    knows_better(desk)
    film.held_out[frame] = 1 - film.sheet.numbers()[frame]
    page = desk.page("check")
    assert frame in frames_of(page)
    desk.draw("draw-all", "one", int((~film.drawn & ~film.looked.all(axis=1)).sum()))
    assert film.drawn[frame]

    assert frame not in frames_of(desk.look(page["page"]))
    with pytest.raises(Refused):
        desk.accept("confirm", page["page"], [["one", frame, film.letters(frame)]])
    told = desk.put("correct", page["page"], [["one", frame, 0, "1"]], "look")
    assert "left out" in told["said"]


def test_painting_there_leaves_the_audit_out(project):
    desk = opened(project)
    drawn = audited(desk, slips=4)
    page = desk.page("check")
    before = [desk.film("one").letters(frame) for frame in drawn]
    told = desk.put("paint", page["page"], [["one", frame, 0, "?"] for frame in frames_of(page)], "many")

    assert told["said"] == "nothing written (8 left out: they wait for the audit)"
    assert [desk.film("one").letters(frame) for frame in drawn] == before


def test_a_page_of_it_is_proposed_behind_the_first_round_and_two_behind_a_later_one(project):
    desk = opened(project)
    audited(desk, slips=15)
    pages = looked_again(desk)
    assert pages == [DOUBTED_PAGE]

    desk.draw("draw-more", "one", 15)
    page = desk.page("audit", "one")
    for item in page["items"]:
        if "." in item["a"]:
            say(desk, page, item["f"], values(item["f"], slip=0))
    knows_better(desk)
    pages = looked_again(desk)
    assert pages == [DOUBTED_PAGE, DOUBTED_PAGE]
    assert desk.film("one").doubted()


def looked_again(desk):
    """Go over the pages of second looks that are proposed and let everything stand; how many frames each has."""
    sizes = []
    while desk.plan().view == "check":
        page = desk.page(None)
        assert page["view"] == "check"
        sizes.append(len(page["items"]))
        for item in page["items"]:
            desk.accept(f"confirm-{page['page']}-{item['f']}", page["page"], [["one", item["f"], item["a"]]])
    return sizes


def test_a_round_of_every_film_is_sized_when_the_first_of_them_is_drawn(tmp_path):
    params = write_project(tmp_path, ["one", "two"], CAST, n_frames=N_FRAMES)
    desk = open_desk(tmp_path, params, params.videos, "ann")[0]
    sizes = [film["next"] for film in desk.state()["films"]]
    desk.draw("draw-one", "one", 10)
    desk.active(200.0)

    assert sizes == [95, 95]
    assert [film["next"] for film in desk.state()["films"]][1] == 95
    assert desk.state()["films"][0]["next"] < 95
