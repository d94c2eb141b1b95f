"""The labeller's page in a real browser: every key, what stays still, what is saved, what a reader of any screen sees."""

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from urllib.parse import urljoin

import numpy as np
import pytest
import synthetic
from browser import executable
from labelled_film import truth, write_project
from labeller_runs import Command, Running, served
from PIL import Image
from playwright.sync_api import Browser, Page, Route, sync_playwright

from screentime.frames import decode_jpeg
from screentime.labeller import teaching
from screentime.labeller.session import JOURNAL

CAST = ["tom", "jerry", "spike", "butch", "tyke"]
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        yield browser
        browser.close()


class Reader:
    """A person's browser, open at the labeller; whatever its console says, and wherever it goes, is kept."""

    def __init__(
        self, browser: Browser, address: str, *, width: int = 1280, height: int = 860, clock: bool = False, **more
    ) -> None:
        """Open the page; with `clock` its time goes on only as the test says."""
        self.context = browser.new_context(viewport={"width": width, "height": height}, **more)
        self.page: Page = self.context.new_page()
        self.console: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.console.append(f"error: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        if clock:
            self.page.clock.install(time=0)
        self.page.goto(address)
        if clock:
            self.page.clock.pause_at(3_600_000)
        self.until(lambda: self.cells() > 0 or self.page.locator("#empty").is_visible())

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something to hold (the page's policy forbids playwright's own way)."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, (
                f"it did not come to hold; the page says: {self.page.inner_text('body')[:600]}"
            )
            self.page.wait_for_timeout(20)

    def asked(self, expression: str, given: object = None) -> object:
        """What an expression gives in the page, of what the page knows (`now`) and does."""
        return self.page.evaluate(
            """async (given) => {
              const files = ["now", "grid", "wire", "answers"].map((name) => import(`/${name}.js`));
              const [{ now, isOpen }, { markSeen }, { refresh }, { move }] = await Promise.all(files);
              return EXPRESSION;
            }""".replace("EXPRESSION", expression),
            given,
        )

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def places(self, *keys: tuple[str, str]) -> None:
        """Press keys of another keyboard: of each its place on one of the United States, and what is written on it."""
        self.page.evaluate(
            """(keys) => { for (const [code, key] of keys) for (const kind of ["keydown", "keyup"])
              document.dispatchEvent(new KeyboardEvent(kind, {code, key, bubbles: true})); }""",
            keys,
        )

    def tab_to(self, name: str) -> None:
        """Press Tab until the focus is on an element."""
        for _ in range(60):
            self.keys("Tab")
            if self.page.evaluate("(name) => document.activeElement.matches(name)", name):
                return
        raise AssertionError(f"no Tab leads to {name}")

    def cells(self) -> int:
        return self.page.locator(".cell").count()

    def saved(self) -> None:
        self.until(lambda: self.page.inner_text("#saved") == "saved")

    def said(self) -> str:
        return self.page.inner_text("#sentence")

    def open(self, view: str) -> None:
        """Take a new page of a view, also where it is open already."""
        before = self.asked("now.page && now.page.page")
        self.page.click(f"nav button[data-view={view}]")
        self.until(lambda: self.asked("now.page && now.page.page") != before)
        self.until(lambda: self.page.get_attribute(f"nav button[data-view={view}]", "aria-current") == "true")

    def focus(self) -> dict:
        """The item in focus, as the page knows it."""
        return self.asked("now.page.items[now.focus]")

    def items(self) -> list[dict]:
        return self.asked("now.page.items")

    def intercept(self, path: str, handle: Callable[[Route], None]) -> None:
        """Let a handler have all requests of a path; the browser passes requests on only some time after it was asked to."""
        passed = []

        def look(route: Route) -> None:
            if route.request.url.endswith(path):
                handle(route)
            else:
                passed.append(route.request.url)
                route.continue_()

        self.page.route("**/api/**", look)
        self.until(lambda: self.asked("refresh()") or passed)

    def go_to(self, frame: int) -> None:
        self.asked("move(now.page.items.findIndex((item) => item.f === given))", frame)


@pytest.fixture
def open_(tmp_path, chromium):
    """Opens a reader at a labeller; in the end no reader may have seen an error or left this machine."""
    readers, servers = [], []

    def work(cast=CAST, n_frames=96, films=("film",), teach=0, **more) -> tuple[Reader, Running]:
        if not servers:
            server = served(tmp_path, write_project(tmp_path, films, cast, n_frames=n_frames))
            servers.append((server, server.__enter__()))
        running = servers[0][1]
        if teach:
            page = running.desk.page("start")
            there = truth(n_frames, len(cast))
            for item in page["items"][:teach]:
                cells = [[item["v"], item["f"], c, "1" if there[item["f"], c] else "0"] for c in range(len(cast))]
                running.desk.put(f"teach-{item['v']}-{item['f']}", page["page"], cells, "look")
            running.desk.refit()
        readers.append(Reader(chromium, running.address, **more))
        return readers[-1], running

    yield work
    for reader in readers:
        outside = [url for url in reader.requests if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))]
        console = reader.console
        reader.context.close()
        assert outside == []
        assert console == []
    for server, _ in servers:
        server.__exit__(None, None, None)


def answers(running: Running, frame: int, video: str = "film") -> str:
    return "".join(str(one) or "." for one in running.desk.film(video).sheet.present[frame])


# keys


def test_digits_toggle_enter_says_the_rest_and_the_next_frame_comes_by_itself(open_):
    reader, running = open_()
    first = reader.focus()["f"]
    reader.keys("1", "3", "3", "Enter")
    second = reader.focus()["f"]
    reader.keys("0")
    reader.saved()

    assert answers(running, first) == "10000"
    assert answers(running, second) == "00000"
    assert len({first, second, reader.focus()["f"]}) == 3


def test_an_answer_stays_on_the_screen_while_the_one_before_it_is_being_saved(open_):
    reader, running = open_()
    frame = reader.focus()["f"]
    held = []
    reader.intercept("/api/put", lambda route: held.append(route) if len(held) < 2 else route.continue_())
    reader.keys("1", "3")
    reader.until(lambda: held)
    held[0].continue_()
    reader.until(lambda: len(held) == 2)  # the first is saved, the second is under way

    assert reader.focus()["a"] == "1.1.."

    reader.keys("3", "Enter")
    held[1].continue_()
    reader.saved()

    assert answers(running, frame) == "10000"


def test_a_digit_of_another_keyboard_layout_and_the_number_pad_count_by_their_place(open_):
    reader, running = open_()
    frame = reader.focus()["f"]
    reader.places(("Digit2", "é"), ("Numpad4", "4"), ("Numpad1", "End"))
    reader.saved()

    assert answers(running, frame) == ".1.1."


def test_a_letter_counts_by_what_is_written_on_its_key(open_):
    """On a Dvorak keyboard the key at L's place says N, and the one at N's place B."""
    reader, running = open_()
    first = reader.focus()["f"]
    reader.places(("KeyN", "b"), ("Digit2", "2"), ("KeyL", "n"))
    second = reader.focus()["f"]
    reader.keys("b")
    reader.saved()

    assert second != first  # N
    assert [answers(running, frame) for frame in (first, second)] == [".1..."] * 2  # B: the digit paints


def test_a_question_mark_and_a_digit_cannot_be_told_twice_is_the_whole_frame(open_):
    reader, running = open_()
    first = reader.focus()["f"]
    reader.keys("?", "2")
    assert reader.focus()["f"] == first
    reader.keys("ArrowRight")
    second = reader.focus()["f"]
    reader.keys("?", "?")
    reader.saved()

    assert answers(running, first) == ".?..."
    assert answers(running, second) == "?????"


def test_arrows_home_end_and_page_keys_only_move(open_):
    reader, running = open_()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "End", "Home", "PageDown", "PageUp"):
        reader.keys(key)
    reader.saved()

    assert running.desk.film("film").sheet.rows == ()


def test_auto_repeat_never_toggles(open_):
    reader, running = open_()
    frame = reader.focus()["f"]
    reader.page.keyboard.down("1")
    for _ in range(3):
        reader.page.keyboard.down("1")  # what a held key sends
    reader.page.keyboard.up("1")
    reader.saved()

    assert answers(running, frame) == "1...."


def test_undo_and_redo_say_what_they_change_and_jump_to_it(open_):
    reader, running = open_()
    first = reader.focus()["f"]
    reader.keys("1", "Enter", "2")
    reader.saved()
    reader.keys("u")
    reader.until(lambda: reader.said().startswith("taken back: ") and "jerry there" in reader.said())
    reader.keys("u")
    reader.until(lambda: "accepted" in reader.said())
    reader.keys("Control+z")
    reader.until(lambda: "tom there" in reader.said() and reader.said().startswith("taken back"))
    assert reader.focus()["f"] == first
    assert running.desk.film("film").sheet.rows == ()
    reader.keys("r", "Control+Shift+Z")
    reader.until(lambda: answers(running, first) == "10000")


def test_undo_survives_a_reload(open_):
    reader, running = open_()
    frame = reader.focus()["f"]
    reader.keys("1")
    reader.saved()
    reader.page.reload()
    reader.until(lambda: reader.cells() > 0)
    reader.keys("u")
    reader.until(lambda: answers(running, frame) == ".....")
    assert running.desk.film("film").sheet.rows == ()


def test_redo_survives_a_restart(tmp_path, chromium):
    params = write_project(tmp_path, ["film"], CAST)
    with served(tmp_path, params) as running:
        reader = Reader(chromium, running.address)
        frame = reader.focus()["f"]
        reader.keys("1")
        reader.saved()
        reader.keys("u")
        reader.until(lambda: answers(running, frame) == ".....")
        reader.context.close()
    with served(tmp_path, params) as running:
        reader = Reader(chromium, running.address)
        reader.keys("r")
        reader.until(lambda: reader.said().startswith("done again: "))
        assert answers(running, frame) == "1...."
        reader.context.close()


def test_an_undo_whose_answer_was_lost_is_sent_again_and_takes_back_one_thing(open_):
    reader, running = open_()
    first = reader.focus()["f"]
    reader.keys("1", "2")
    reader.saved()
    sent = []

    def lose(route) -> None:
        sent.append(route.request.post_data_json["op"])
        if len(sent) == 1:
            route.fetch()  # the server does it; the page never hears
            route.abort()
        else:
            route.continue_()

    reader.intercept("/api/undo", lose)
    reader.keys("u")
    reader.until(lambda: len(sent) == 2)
    reader.saved()

    assert sent[0] == sent[1]
    assert answers(running, first) == "1...."
    assert reader.focus()["a"] == "1...."
    reader.console.remove("error: Failed to load resource: net::ERR_FAILED")


def test_n_goes_to_the_next_frame_that_nobody_has_answered(open_):
    reader, running = open_()
    frames = [item["f"] for item in reader.items()]
    reader.keys("ArrowRight", "0", "Home", "n")

    assert reader.focus()["f"] == frames[2]
    assert answers(running, frames[0]) == "....."


def test_a_round_drawn_in_another_tab_takes_its_frames_off_the_page_and_the_focus_stays_in_view(open_):
    reader, running = open_(teach=24)
    reader.open("film")
    reader.go_to(60)
    running.desk.draw("draw-a-round", "film", 30)
    drawn = {int(one) for one in running.desk.film("film").drawn.nonzero()[0]}
    reader.until(lambda: not {item["f"] for item in reader.items()} & drawn)
    cell, grid = reader.page.locator(".cell.focus").bounding_box(), reader.page.locator("#grid").bounding_box()

    assert reader.focus()["f"] == min(set(range(60, 96)) - drawn)
    assert grid["y"] - 1 <= cell["y"] and cell["y"] + cell["height"] <= grid["y"] + grid["height"] + 1


def test_an_edit_outside_is_asked_about_with_its_picture(open_, tmp_path):
    reader, running = open_()
    frame = reader.focus()["f"]
    reader.keys("1")
    reader.saved()
    running.desk.write()
    path = tmp_path / "data" / "labels" / "film.csv"
    with running.desk.lock:  # before the file is written in the background
        running.desk.put("operation-here", running.desk.page("film")["page"], [["film", frame, 0, "0"]], "look")
        path.write_text(path.read_text().replace(f"{frame},,tom,1", f"{frame},,tom,?"))
        running.desk.write()
    reader.until(lambda: reader.page.locator("#questions").is_visible())
    asked = reader.page.inner_text("#questions span")
    assert asked.endswith("tom: the file says “cannot be told”, here it was “not there”. Which stands?")
    assert f"/picture/frame/film/{frame}?" in reader.page.get_attribute("#questions img", "src")
    reader.page.click("text=What was said here")
    reader.until(lambda: not reader.page.locator("#questions").is_visible())

    assert answers(running, frame) == "0...."


def test_holding_a_digit_and_stepping_paints_what_the_first_frame_got(open_):
    reader, running = open_()
    reader.open("film")
    reader.page.keyboard.down("2")
    for _ in range(4):
        reader.keys("ArrowRight")
    reader.page.keyboard.up("2")
    reader.saved()
    reader.keys("ArrowRight")
    reader.saved()

    assert [answers(running, frame)[1] for frame in range(6)] == ["1", "1", "1", "1", "1", "."]
    assert running.desk.film("film").sheet.source[:5, 1].tolist() == ["manual"] + ["propagated"] * 4
    assert reader.said() == "4 frames: jerry there"


def test_a_second_digit_while_one_is_held_begins_another_stretch_and_loses_none(open_):
    reader, running = open_()
    reader.open("film")
    for key in ("Digit1", "Digit2"):
        reader.page.keyboard.down(key)
        reader.keys("ArrowRight", "ArrowRight")
    reader.page.keyboard.up("Digit1")
    reader.page.keyboard.up("Digit2")
    reader.saved()

    assert [answers(running, frame) for frame in range(5)] == ["1....", "1....", "11...", ".1...", ".1..."]


def test_painting_ends_when_the_window_loses_the_keyboard(open_):
    reader, running = open_()
    reader.open("film")
    reader.page.keyboard.down("1")
    reader.keys("ArrowRight")
    reader.page.evaluate("window.dispatchEvent(new Event('blur'))")
    reader.keys("ArrowRight", "ArrowRight")
    reader.page.keyboard.up("1")
    reader.saved()

    assert [answers(running, frame)[0] for frame in range(4)] == ["1", "1", ".", "."]


def test_a_brush_paints_without_holding(open_):
    reader, running = open_()
    reader.open("film")
    reader.keys("b", "3", "ArrowRight", "ArrowRight", "b", "ArrowRight")
    reader.saved()

    assert [answers(running, frame)[2] for frame in range(4)] == ["1", "1", "1", "."]


def test_painting_over_a_frame_of_the_audit_leaves_it_out(open_):
    reader, running = open_()
    running.desk.draw("draw-a-round", "film", 30)
    drawn = [int(one) for one in running.desk.film("film").drawn.nonzero()[0]]
    reader.open("film")
    shown = [item["f"] for item in reader.items()]
    reader.page.keyboard.down("1")
    for _ in range(5):
        reader.keys("ArrowRight")
    reader.page.keyboard.up("1")
    reader.saved()

    assert not set(shown) & set(drawn)
    assert all(answers(running, frame) == "....." for frame in drawn)


def test_shift_and_arrows_select_and_one_digit_answers_all_of_them(open_):
    reader, running = open_()
    reader.open("film")
    reader.keys("Shift+ArrowRight", "Shift+ArrowRight", "4")
    reader.saved()
    reader.keys("Escape", "ArrowRight", "0")
    reader.saved()

    assert [answers(running, frame)[3] for frame in range(4)] == ["1", "1", "1", "0"]
    assert running.desk.film("film").sheet.source[0, 3] == "propagated"


def test_control_click_selects_single_frames(open_):
    reader, running = open_()
    reader.open("film")
    cells = reader.page.locator(".cell")
    cells.nth(0).click()
    cells.nth(2).click(modifiers=["Control"])
    reader.keys("1")
    reader.saved()

    assert [answers(running, frame)[0] for frame in range(3)] == ["1", ".", "1"]


def test_dragging_selects_also_while_the_frames_scroll(open_):
    reader, _ = open_()
    reader.open("film")
    box = reader.page.locator("#grid").bounding_box()
    reader.page.mouse.move(box["x"] + 60, box["y"] + 60)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 80, box["y"] + box["height"] - 5, steps=4)
    reader.until(lambda: reader.page.evaluate("document.getElementById('grid').scrollTop") > 200)
    reader.page.mouse.up()
    chosen = sorted(reader.asked("[...now.chosen]"))

    assert chosen == list(range(len(chosen)))
    assert len(chosen) > 20


def test_s_shows_three_frames_and_takes_the_whole_shot(open_):
    reader, running = open_(teach=24)
    film = running.desk.film("film")
    first = next(int(one) for one in film.shots if not film.changing(range(one, film.shot_of(one)[1] + 1)))
    last = film.shot_of(first)[1]
    reader.open("film")
    reader.go_to(first)
    reader.keys("s")
    reader.until(lambda: reader.page.locator("dialog .three img").count() >= 2)
    reader.keys("Enter")
    reader.saved()
    reader.until(lambda: all("." not in answers(running, frame) for frame in range(first, last + 1)))

    assert "shot at" in reader.said()


def frozen(monkeypatch) -> None:
    """From now on no head that is fitted in the background changes the scores that a test makes up."""
    monkeypatch.setattr(teaching.Fit, "give", lambda fit: None)


def test_s_refuses_a_shot_that_changes_inside_and_offers_to_go_through_it(open_, monkeypatch):
    reader, running = open_(teach=24)
    film = running.desk.film("film")
    frozen(monkeypatch)
    film.shots = film.shots[film.shots != 16]
    film.scores[8:16, 0], film.scores[16:24, 0] = 0.9, 0.1
    reader.open("film")
    reader.go_to(12)
    reader.keys("s")
    reader.until(lambda: reader.page.locator("dialog").is_visible())

    assert "it cannot be taken whole" in reader.page.inner_text("dialog")
    reader.keys("Escape")


def test_a_shows_look_alikes_and_control_enter_accepts_the_page(open_):
    reader, running = open_(teach=24)
    reader.open("review")
    reader.keys("a")
    reader.until(lambda: reader.asked("now.page.view") == "group")
    shown = reader.items()
    reader.asked("now.seen = new Set(now.page.items.keys())")
    reader.keys("Control+Enter")
    reader.until(lambda: reader.asked("now.page.view") == "review")

    assert all("." not in answers(running, item["f"]) for item in shown)


def test_look_alikes_say_how_many_frames_they_leave_to_the_audit(open_):
    reader, running = open_()
    film = running.desk.film("film")
    running.desk.draw("draw-a-round", "film", 30)
    frame = int(np.flatnonzero(~film.drawn)[0])
    seen = film.features.astype(np.float64)
    alike = seen @ seen[frame] / np.linalg.norm(seen, axis=1)
    left_out = int(film.drawn[np.argsort(-alike)[:24]].sum())
    reader.open("film")
    reader.go_to(frame)
    reader.keys("a")
    reader.until(lambda: reader.asked("now.page.view") == "group")

    assert left_out > 1
    assert reader.page.inner_text("#what") == (
        f"frames that look most like the one at 0:{frame:02d} ({left_out} left out: they wait for the audit)"
    )


def test_f_shows_the_frame_large_p_plays_and_brackets_show_the_seconds_around(open_):
    reader, _ = open_()
    reader.keys("]")
    reader.until(lambda: reader.page.locator("#around img").count() == 2)
    reader.keys("[")
    reader.until(lambda: not reader.page.locator("#around").is_visible())
    reader.keys("p")
    reader.until(lambda: "/motion/" in (reader.page.get_attribute("#picture", "src") or ""))
    reader.keys("p", "f")
    reader.until(lambda: reader.page.locator("dialog .zoom img").is_visible())
    assert "/native/" in reader.page.get_attribute("dialog .zoom img", "src")
    before = reader.page.locator("dialog .zoom img").bounding_box()["width"]
    reader.page.locator("dialog .zoom img").click()
    reader.until(lambda: reader.page.locator("dialog .zoom img").bounding_box()["width"] > 1.9 * before)
    reader.keys("Escape")


def test_the_seconds_around_end_with_the_film_and_show_nothing_that_an_audit_drew(open_):
    reader, running = open_()
    reader.open("film")
    running.desk.draw("draw-some", "film", 12)
    drawn = int(np.flatnonzero(running.desk.film("film").drawn)[1])
    reader.until(lambda: drawn not in [item["f"] for item in reader.items()])

    def beside(frame: int) -> list[tuple[str, str]]:
        reader.go_to(frame)
        reader.keys("]")
        reader.until(lambda: reader.page.locator("#around div").count() == 2)
        parts = reader.page.locator("#around div").all()
        return [
            (part.inner_text(), (part.locator("img").get_attribute("src") or "").split("?")[0].rpartition("/")[2])
            for part in parts
        ]

    assert beside(drawn - 1) == [("1 s before", str(drawn - 2)), ("1 s after: of the audit", "")]
    assert beside(95) == [("1 s before", "94"), ("after the film", "")]


def test_a_thumb_says_where_its_shot_changes(open_, monkeypatch):
    reader, running = open_(teach=24)
    film = running.desk.film("film")
    frozen(monkeypatch)
    film.shots = film.shots[film.shots != 16]
    film.scores[8:16, 0], film.scores[16:24, 0] = 0.9, 0.1
    film.scores[12] = 0.51
    reader.open("review")
    turns = {item["f"]: item["s"] for item in reader.items()}
    shot = next(frame for frame in turns if 8 <= frame < 24)
    place = [*turns].index(shot)
    reader.go_to(shot)

    assert turns[shot] and not all(turns.values())
    assert reader.page.locator(f".cell[data-place='{place}'] .note").is_visible()
    assert "changes inside its shot" in reader.page.get_attribute(f".cell[data-place='{place}']", "aria-label")


def test_f_and_p_show_the_film_itself_at_its_size_and_time(open_, tmp_path):
    reader, _ = open_(n_frames=24)
    rate = 12
    (tmp_path / "data" / "videos").mkdir()
    film = tmp_path / "data" / "videos" / "film.mp4"
    synthetic.write_film(film, synthetic.constant_rate(24 * rate, Fraction(rate)), width=192, height=108)
    reader.open("film")
    reader.go_to(7)

    def picture(address: str) -> np.ndarray:
        return decode_jpeg(reader.context.request.get(urljoin(reader.page.url, address)).body())

    reader.keys("f")
    reader.until(lambda: reader.page.evaluate("document.querySelector('dialog .zoom img').naturalWidth") == 192)
    native = picture(reader.page.get_attribute("dialog .zoom img", "src"))
    assert native.shape == (108, 192, 3) and synthetic.number_of(native) == 7 * rate
    reader.keys("Escape", "p")
    shown = set()
    reader.until(lambda: len(shown.add(reader.page.get_attribute("#picture", "src")) or shown) > 4)
    motion = dict.fromkeys(url for url in reader.requests if "/motion/" in url)
    numbers = [synthetic.number_of(picture(url)) for url in motion]

    assert numbers == list(range(6 * rate + 1, 8 * rate, 2))  # a second before, a second behind
    assert len(shown & motion.keys()) > 2


def test_h_shows_every_key_and_fits_on_a_narrow_page(open_):
    reader, _ = open_(width=720, height=700)
    reader.keys("h")
    box = reader.page.locator("dialog").bounding_box()
    top = reader.page.locator("dialog h2").bounding_box()
    assert top["y"] >= box["y"]  # it begins at its begin
    told = reader.page.inner_text("dialog")

    assert box["x"] >= 0 and box["x"] + box["width"] <= 720 and box["y"] >= 0 and box["y"] + box["height"] <= 700
    assert all(word in told for word in ("Ctrl Enter", "look-alikes", "undo", "jump to a time"))
    reader.keys("Escape")


def test_t_picks_a_characters_picture_c_lays_its_frames_side_by_side_o_asks_for_one(open_):
    reader, running = open_()
    alone = reader.focus()["f"]
    reader.keys("2", "ArrowRight", "1", "2")
    reader.saved()
    picked = reader.focus()["f"]
    assert running.desk.state()["portraits"][1] == ["film", alone]  # where nobody picks one
    reader.keys("t", "2")
    reader.until(lambda: running.desk.state()["portraits"][1] == ["film", picked])
    portrait = reader.page.locator("#cast li").nth(1).locator("img.portrait")
    reader.until(lambda: (portrait.get_attribute("src") or "").startswith(f"/picture/frame/film/{picked}?"))
    assert portrait.is_visible()
    reader.keys("c", "2")
    reader.until(lambda: reader.asked("now.page.view") == "same")
    assert [item["f"] for item in reader.items()] == sorted([alone, picked])
    reader.keys("o", "4")
    reader.until(lambda: reader.asked("now.page.view") == "one" and page_count(reader) == 2)
    frame = reader.focus()["f"]
    reader.keys("y")
    reader.until(lambda: answers(running, frame)[3:] == "1.")
    reader.keys("o", "5")
    reader.until(lambda: reader.asked("now.page.character") == 4 and page_count(reader) == 2)
    frame = reader.focus()["f"]
    before = answers(running, frame)[:4]
    reader.keys("?", "?")
    reader.until(lambda: answers(running, frame) == before + "?")  # of the frame it asks about one character alone


def test_a_character_added_later_is_offered_and_one_key_leads_to_it(open_):
    reader, running = open_()
    page = running.desk.page("start")
    frames = [item["f"] for item in page["items"]][:5]
    for frame in frames:
        cells = [["film", frame, place, "0"] for place in range(4)]
        running.desk.put(f"earlier-{frame}", page["page"], cells, "look")
    reader.until(lambda: reader.page.locator("#next").is_visible())
    offer = " ".join(reader.page.inner_text("#next").split())
    assert offer == "next: 5 frames are labelled, but not for tyke: Y there, N not W"
    reader.open("film")
    reader.keys("w")
    reader.until(lambda: reader.asked("now.page.view") == "one" and page_count(reader) == 5)
    assert not reader.page.locator("#next").is_visible()
    for key in ("y", "n", "n", "y", "n"):
        reader.keys(key)
    reader.until(lambda: reader.asked("now.page.view") == "start")

    assert [answers(running, frame) for frame in sorted(frames)] == ["00001", "00000", "00000", "00001", "00000"]


def page_count(reader: Reader) -> int:
    return len(reader.items())


def test_x_leaves_a_selected_stretch_out_of_the_film(open_, tmp_path):
    reader, _ = open_()
    reader.open("film")
    reader.keys("Shift+ArrowRight", "Shift+ArrowRight", "x")
    reader.until(lambda: reader.page.locator("dialog input").is_visible())
    reader.page.keyboard.press("Enter")
    reader.page.locator("dialog button.first").click()
    reader.until(lambda: (tmp_path / "data/labels/film.skip.csv").exists())

    skips = tmp_path / "data/labels/film.skip.csv"
    assert skips.read_text() == "start_s,end_s,reason\n0,3,credits\n"
    reader.until(lambda: "3 frames are not part of the film" in reader.said())
    reader.until(lambda: "not part of the film" in reader.page.get_attribute(".cell[data-place='2']", "aria-label"))
    assert "not part of the film" not in reader.page.get_attribute(".cell[data-place='3']", "aria-label")
    reader.page.click("#takeback")
    reader.until(lambda: skips.read_text() == "start_s,end_s,reason\n")
    reader.until(lambda: "not part of the film" not in reader.page.get_attribute(".cell[data-place='2']", "aria-label"))
    reader.keys("r")
    reader.until(lambda: skips.read_text() == "start_s,end_s,reason\n0,3,credits\n")


def test_j_jumps_to_a_time_and_a_click_on_the_timeline_too(open_):
    reader, _ = open_()
    reader.until(lambda: bool(reader.asked("now.films.get('film')")))
    reader.keys("j")
    reader.page.keyboard.type("1:05")
    reader.keys("Enter")
    reader.until(lambda: reader.asked("now.page.view") == "film" and reader.focus()["f"] == 65)
    box = reader.page.locator("#timeline").bounding_box()
    reader.page.mouse.click(box["x"] + 76 + (box["width"] - 78) * 0.1, box["y"] + 8)
    reader.until(lambda: reader.focus()["f"] != 65)
    assert 8 <= reader.focus()["f"] <= 11


# what is on the screen


def test_nobody_does_not_look_like_not_reviewed_and_a_guess_like_neither(open_):
    reader, _ = open_(teach=24)
    reader.open("review")
    texts = {}
    reader.keys("0")
    reader.saved()
    cell = reader.page.locator(".cell").first
    texts["nobody"] = (cell.inner_text(), cell.get_attribute("aria-label"))
    reader.open("start")
    guess = None
    reader.open("review")
    for one in reader.page.locator(".cell").all():
        if one.locator(".badge.guess").count():
            guess = (one.inner_text(), one.get_attribute("aria-label"))
            break

    assert "nobody" in texts["nobody"][0] and "not there" in texts["nobody"][1]
    assert guess is not None and "proposed" in guess[1]
    assert reader.page.evaluate("getComputedStyle(document.querySelector('.badge.guess')).borderTopStyle") == "dashed"


def test_not_reviewed_says_so_in_words(open_):
    reader, _ = open_()
    assert "not reviewed" in reader.page.locator(".cell").first.inner_text()


def test_who_is_there_stands_on_the_frame_in_letters_not_in_colour_alone(open_):
    reader, _ = open_()
    reader.keys("1", "5", "?", "4")
    reader.saved()
    cell = reader.page.locator(".cell.focus")

    assert cell.locator(".badge.yes").all_inner_texts() == ["to", "ty"]  # as short as tells them apart
    assert cell.locator(".badge.ask").all_inner_texts() == ["b?"]
    assert all(one.bounding_box()["width"] > 8 for one in cell.locator(".badge").all())


def test_a_stretch_that_is_not_part_of_the_film_is_hatched_on_the_timeline(open_):
    reader, running = open_()
    reader.open("film")  # the line of the frame in focus is at the begin
    running.desk.skip("skip-a-stretch", "film", 40, 59, "advert")

    def colours(first: int, last: int) -> int:
        """How many colours the first character's row has between two seconds."""
        with Image.open(io.BytesIO(reader.page.locator("#timeline").screenshot())) as picture:
            left, right = (76 + (picture.width - 78) * time_s / 96 for time_s in (first, last))
            return len(picture.crop((int(left), 3, int(right), 8)).getcolors())

    reader.until(lambda: colours(41, 59) > 1)
    assert colours(10, 39) == colours(61, 90) == 1
    assert "hatched not part of the film" in reader.page.get_attribute("#timeline", "aria-label")


def test_it_opens_on_what_is_most_useful_now_and_says_how_far_the_work_is(open_):
    n_frames = 400
    reader, running = open_(n_frames=n_frames, teach=24)

    def numbers() -> str:
        return reader.page.inner_text("#numbers")

    assert reader.asked("now.page.view") == running.desk.plan().view == "review"
    assert numbers() == "24 of 400 frames labelled · audit none yet · 0.0 min active"
    before = r"widest: \w+: \d+ s, and nothing says yet how sure; 190 audit frames are expected to give about ±\d+ s"
    assert re.fullmatch(before, reader.page.inner_text("#sure"))
    reader.keys("0")
    reader.until(lambda: numbers().startswith("25 of 400 frames labelled"))

    running.desk.draw("draw-a-round", "film", 12)
    page, there = running.desk.page("audit"), truth(n_frames, len(CAST))
    for item in page["items"]:
        cells = [["film", item["f"], c, str(int(there[item["f"], c]))] for c in range(len(CAST))]
        running.desk.put(f"audit-{item['f']}", page["page"], cells, "look")
    running.desk.refit()
    reader.until(lambda: " · audit 12 of 12 · " in numbers())
    after = r"widest: \w+: \d+ s, \d+ to \d+ s; \d+ more audit frames would make that about ±\d+ s"
    reader.until(lambda: bool(re.fullmatch(after, reader.page.inner_text("#sure"))))
    assert reader.page.locator("#sure").is_visible()


def test_active_minutes_are_counted_without_longer_pauses_sent_kept_and_shown(open_, tmp_path):
    reader, running = open_(clock=True)

    def kept() -> float:
        lines = (tmp_path / ".screentime" / "journal.jsonl").read_text().splitlines()
        return sum(json.loads(line).get("active_s", 0.0) for line in lines)

    reader.keys("ArrowRight")
    for pause_s in (20, 45, 29):  # the second is longer than half a minute
        reader.page.clock.fast_forward(1000 * pause_s)
        reader.keys("ArrowRight")
    reader.keys("1")
    reader.until(lambda: kept() == 49)
    reader.until(lambda: reader.page.inner_text("#numbers").endswith(" · 0.8 min active"))
    reader.page.clock.fast_forward(11_000)
    reader.keys("ArrowRight")
    reader.page.clock.fast_forward(15_000)  # now and then it is sent without any answer
    reader.until(lambda: kept() == 60)
    assert running.desk.state()["active_s"] == 60


def test_nobody_over_visible_guesses_shows_and_says_what_it_did(open_):
    reader, running = open_(teach=24)
    reader.open("review")
    place = next(at for at, item in enumerate(reader.items()) if "1" in item["p"])
    frame = reader.items()[place]["f"]
    reader.asked("move(given)", place)
    reader.keys("0")
    reader.until(lambda: reader.said().endswith(": nobody"))

    assert answers(running, frame) == "00000"
    assert reader.page.locator("#takeback").is_visible()
    assert reader.page.locator(f".cell[data-place='{place}'] .badge").count() == 0


def test_the_large_picture_marks_where_the_network_saw_whom_it_guesses(open_):
    reader, running = open_(teach=24)
    running.desk.film("film")._saw = [np.tile(np.float32([0.25, 0.5]), (96, len(CAST), 1))]
    reader.open("review")
    place = reader.asked("now.page.items.findIndex((item) => item.p.includes('1'))")
    reader.asked("move(given)", place)
    guessed = [name[0] for name, guess in zip(CAST, reader.focus()["p"], strict=True) if guess == "1"]
    marks = reader.page.locator(".mark")
    reader.until(lambda: marks.count() == len(guessed))
    mark, picture = marks.first.bounding_box(), reader.page.locator("#picture").bounding_box()
    seen_at = (mark["x"] + mark["width"] / 2 - picture["x"]) / picture["width"]
    first = CAST.index(next(name for name, guess in zip(CAST, reader.focus()["p"], strict=True) if guess == "1"))
    reader.keys(str(first + 1))

    assert seen_at == pytest.approx(0.25, abs=0.02)
    reader.until(lambda: marks.count() == len(guessed) - 1)  # who was answered is no guess any more


def test_a_page_holds_still_while_the_head_is_fitted_anew(open_):
    reader, running = open_(teach=20)
    reader.open("review")
    before = [(item["f"], item["p"]) for item in reader.items()]
    reader.keys("1", "Enter")
    reader.saved()
    scores = running.desk.film("film").scores
    reader.until(lambda: running.desk.film("film").scores is not scores)

    assert [(item["f"], item["p"]) for item in reader.items()] == before


def test_accepting_the_page_asks_first_where_a_frame_was_never_on_the_screen(open_):
    reader, running = open_(teach=24, height=420)
    reader.open("review")
    unseen = reader.asked(
        "(markSeen(), now.page.items.filter((item, place) => isOpen(item) && !now.seen.has(place)).length)"
    )
    reader.keys("Control+Enter")
    reader.until(lambda: reader.page.locator("dialog").is_visible())

    assert unseen > 0
    assert f"{unseen} of these" in reader.page.inner_text("dialog")
    rows = len(running.desk.film("film").sheet.rows)
    reader.keys("Escape")
    reader.saved()
    assert len(running.desk.film("film").sheet.rows) == rows


def test_a_second_tab_sees_what_the_first_says(open_):
    first, running = open_()
    second, _ = open_()
    frame = first.focus()["f"]
    first.keys("1")
    first.saved()
    second.until(lambda: second.focus()["f"] == frame and second.focus()["a"] == "1....")
    second.keys("2")
    first.until(lambda: first.focus()["a"] == "11...")

    assert answers(running, frame) == "11..."


def test_five_thousand_frames_need_at_most_a_hundred_cells_in_the_document(open_):
    reader, _ = open_(n_frames=5000)
    reader.open("film")
    counts = [reader.cells()]
    for share in (0.3, 0.7, 1.0):
        reader.page.evaluate(
            "(share) => { const grid = document.getElementById('grid'); grid.scrollTop = share * grid.scrollHeight; }",
            share,
        )
        reader.page.wait_for_timeout(60)
        counts.append(reader.cells())
    reader.keys("End")

    assert reader.focus()["f"] == 4999
    assert min(counts) > 0 and max(counts) <= 100


def test_the_focus_stays_in_view_when_the_window_changes(open_):
    reader, _ = open_()
    reader.open("film")
    reader.keys("End")
    reader.page.set_viewport_size({"width": 720, "height": 620})
    reader.page.wait_for_timeout(200)
    cell, grid = reader.page.locator(".cell.focus").bounding_box(), reader.page.locator("#grid").bounding_box()

    assert grid["y"] - 1 <= cell["y"] and cell["y"] + cell["height"] <= grid["y"] + grid["height"] + 1


def test_more_than_nine_characters_by_shift(open_):
    cast = [f"number {place}" for place in range(1, 19)]
    reader, running = open_(cast=cast)
    frame = reader.focus()["f"]
    reader.keys("9", "Shift+1", "Shift+9")
    reader.saved()

    assert answers(running, frame) == "........11.......1"
    assert reader.page.locator("#cast li").count() == 18


def test_strange_names_reach_the_page_as_text_only(open_):
    cast = ["<img src=x onerror=document.title=1>", "O'Brien & co", "شخصية", "🐱🐭", 'Jim "the knife" Ü']
    reader, running = open_(cast=cast)
    frame = reader.focus()["f"]
    reader.keys("1", "3", "4")
    reader.saved()

    assert [
        one.evaluate("node => node.firstChild.textContent") for one in reader.page.locator("#cast .name").all()
    ] == cast
    assert reader.page.locator("#cast img[src='x']").count() == 0
    assert answers(running, frame) == "1.11."
    assert reader.page.title() == "Label · screentime"


@pytest.mark.parametrize(("width", "height", "scale"), [(720, 800, 1), (1280, 800, 1), (700, 420, 2)])
def test_nothing_falls_off_the_page(open_, width, height, scale):
    reader, _ = open_(
        cast=[f"character {place}" for place in range(1, 19)], width=width, height=height, device_scale_factor=scale
    )
    wide = reader.page.evaluate("document.documentElement.scrollWidth")
    grid = reader.page.locator("#grid").bounding_box()

    assert wide <= width
    assert grid["height"] >= 110
    for name in ("#saved", "#undo", "#help"):
        box = reader.page.locator(name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_the_keyboard_alone_reaches_everything_and_states_are_spoken(open_):
    reader, _ = open_()
    for _ in range(3):
        reader.keys("Tab")
    named = reader.page.evaluate(
        "document.activeElement.tagName + ' ' + getComputedStyle(document.activeElement).outlineStyle"
    )
    assert named == "BUTTON solid"
    reader.open("film")
    cell = reader.page.locator(".cell.focus")
    reader.keys("1")
    reader.saved()

    assert cell.get_attribute("role") == "option" and cell.get_attribute("tabindex") == "0"
    assert "tom there" in cell.get_attribute("aria-label")
    assert reader.page.locator("#cast button").first.get_attribute("aria-pressed") == "true"
    assert reader.page.locator("#cast button").nth(1).get_attribute("aria-pressed") == "mixed"
    assert reader.page.get_attribute("#said", "aria-live") == "polite"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_, scheme):
    reader, _ = open_(teach=10, color_scheme=scheme)
    reader.open("film")
    ratios = reader.page.evaluate("""() => {
      const parts = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map((one) => one / 255).map((one) => one <= .03928 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4).reduce((sum, one, at) => sum + one * [.2126, .7152, .0722][at], 0);
      const ground = (node) => { while (node) { const back = parts(getComputedStyle(node).backgroundColor); if (back.length < 4 || back[3] > .5) return back; node = node.parentElement; } return [255, 255, 255]; };
      return ["#why", "#numbers", ".state", ".badge.yes", "#cast .value", "#cast small", "button.first", "nav button[aria-current=true]"].map((name) => {
        const node = document.querySelector(name);
        if (!node) return [name, 99];
        const [one, other] = [light(parts(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
        return [name, (one + .05) / (other + .05)];
      });
    }""")

    assert {name: round(ratio, 1) for name, ratio in ratios if ratio < 4.5} == {}


# the audit


def test_an_audit_is_drawn_and_answered_blind_on_the_page(open_):
    reader, running = open_(teach=24)
    reader.open("audit")
    reader.page.fill("#round-size", "12")
    reader.page.click("text=Draw the round")
    reader.until(lambda: reader.asked("now.page.view === 'audit' && now.page.items.length === 12"))
    assert not reader.page.locator("#strip").is_visible()
    assert reader.page.locator(".badge.guess").count() == 0
    for _ in range(12):
        reader.keys("Enter")
    reader.saved()
    reader.until(lambda: running.desk.film("film").waiting() == [])

    assert (running.desk.film("film").sheet.source[running.desk.film("film").drawn] == "audit").all()
    reader.until(lambda: " to " in reader.page.inner_text("#cast"))


def test_the_keyboard_alone_draws_a_round_and_answers_it(open_):
    reader, running = open_()
    reader.tab_to("nav button[data-view=audit]")
    reader.keys("Enter")
    reader.until(lambda: reader.page.locator("#round-size").is_visible())
    reader.tab_to("#round-size")
    reader.keys("Control+a", "1", "2")
    reader.tab_to("#empty button")
    reader.keys("Enter")
    reader.until(lambda: reader.asked("now.page.view === 'audit' && now.page.items.length === 12"))
    drawn = [item["f"] for item in reader.items()]
    for place in range(12):
        assert reader.focus()["f"] == drawn[place]
        reader.keys(*(["0"] if place % 3 == 0 else ["2", "Enter"] if place % 3 == 1 else ["?", "?"]))
    reader.until(lambda: running.desk.film("film").waiting() == [])

    assert [answers(running, frame) for frame in drawn] == ["00000", "01000", "?????"] * 4
    assert (running.desk.film("film").sheet.source[drawn] == "audit").all()


# the server goes


def test_check_keeps_what_enter_lets_stand_corrects_by_a_digit_and_leads_on(open_, monkeypatch):
    reader, running = open_(teach=24)
    film, there = running.desk.film("film"), truth(96, len(CAST))
    running.desk.draw("draw-twenty", "film", 20)
    page = running.desk.page("audit", "film")
    for place, item in enumerate(page["items"]):
        said = [int(one) ^ (place < 3 and c == 0) for c, one in enumerate(there[item["f"]])]
        cells = [["film", item["f"], c, str(one)] for c, one in enumerate(said)]
        running.desk.put(f"audit-{item['f']}", page["page"], cells, "look")
    frozen(monkeypatch)
    film.near[:], film.held_out[:] = there, there  # as of a network that never saw a drawn frame
    slips = {item["f"] for item in page["items"][:3]}
    reader.open("check")
    assert slips < {item["f"] for item in reader.items()} and len(reader.items()) == 6
    for _ in range(6):
        if reader.focus()["f"] in slips:
            reader.keys("1")
        reader.keys("Enter")
    reader.saved()
    reader.until(lambda: reader.page.get_attribute("nav button[data-view=check]", "aria-current") != "true")

    assert len(film.confirmed) == 6 and not set(film.confirmed) & set(film.doubted())
    assert all(film.letters(frame) == "".join(str(int(one)) for one in there[frame]) for frame in slips)


def test_a_label_file_that_cannot_be_written_is_told_until_it_can(open_, tmp_path):
    reader, _ = open_()
    in_the_way = tmp_path / "data" / "labels" / ".film.csv.partial"
    in_the_way.mkdir()
    reader.keys("1")
    trouble = reader.page.locator("#trouble")
    reader.until(trouble.is_visible)
    assert re.fullmatch(
        r".*film\.csv: .*; what is shown as saved is safe in the journal: make room or give access, it is written then",
        trouble.inner_text(),
    )
    assert reader.page.inner_text("#saved") == "saved in the journal"

    in_the_way.rmdir()
    reader.until(lambda: not trouble.is_visible())
    assert reader.page.inner_text("#saved") == "saved"
    assert f"{reader.focus()['f']},,tom,1" in (tmp_path / "data" / "labels" / "film.csv").read_text()


def test_without_the_server_the_page_says_not_saved_keeps_the_answer_and_sends_it_later(tmp_path, chromium):
    write_project(tmp_path, ["film"], CAST)
    first = Command(tmp_path)
    running = first.running()
    reader = Reader(chromium, running.address)
    frame = reader.focus()["f"]
    first.kill()
    first.ended()
    reader.keys("1")
    reader.until(lambda: reader.page.inner_text("#saved").startswith("not saved"))
    assert "bad" in reader.page.get_attribute("#saved", "class")
    leaving = []
    reader.page.on("dialog", lambda dialog: (leaving.append(dialog.type), dialog.dismiss()))
    reader.page.evaluate("location.reload()")
    reader.until(lambda: leaving == ["beforeunload"])
    assert reader.asked("now.queue.length") == 1

    second = Command(tmp_path, "--port", str(running.port))  # another token: the page must be opened anew
    again = Reader(chromium, second.running().address)
    reader.until(lambda: "open the address that the command printed" in reader.page.inner_text("#saved"))
    assert reader.page.inner_text("#saved").startswith("not saved") and reader.asked("now.queue.length") == 1
    assert again.items()[0]["f"] == frame

    again.context.set_offline(True)
    again.keys("2")
    again.until(lambda: again.page.inner_text("#saved").startswith("not saved"))
    again.context.set_offline(False)
    again.saved()
    assert again.asked("now.queue.length") == 0
    assert '"said":"0:' in (tmp_path / JOURNAL).read_text(encoding="utf-8").splitlines()[-1]
    reader.context.close()
    again.context.close()
    second.kill()
    second.ended()
