"""What the page does besides being read, in a real browser: the moment played, the filter, the table of films, print."""

import io
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from browser import ARGUMENTS, executable
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from report_data import FilmPlan, report_params, write_data
from synthetic import constant_rate, number_of, number_on_screen, write_film

from screentime.sections import Video
from screentime.table_files import read_table
from screentime.tables import APPEARANCES, SCREEN_TIME
from stages.report import report

CAST = ("ada", "bob", "cid")
RATE, LATE_S = Fraction(5), Fraction(21, 20)
STARTS = {"plain": constant_rate(100, RATE), "late": constant_rate(100, RATE, LATE_S)}
NASTY = ('</script><b>"x"', "o'hara & <i>", "50% of them, no: 5")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Two films that can be played, the second late in its file; one that is no film; one that is not there."""
    root = tmp_path_factory.mktemp("page")
    facts = {"plain": {}, "late": {"first_frame_time_s": float(LATE_S)}, "broken": {}, "gone": {}}
    films = {name: FilmPlan(20, "count", facts=facts[name]) for name in facts}
    paths = write_data(root, CAST, films)
    paths["videos"].mkdir(parents=True)
    for name, starts_s in STARTS.items():
        write_film(
            paths["videos"] / f"{name}.webm", starts_s, time_base=Fraction(1, 1000), codec="libvpx-vp9",
            codec_options={"deadline": "realtime", "cpu-used": "8"}, width=256, height=144,
        )  # fmt: skip
    (paths["videos"] / "broken.webm").write_bytes(b"\x1aE\xdf\xa3 and no more")
    params = report_params(CAST, [], groups={"both": ["ada", "bob"]})
    params = params.model_copy(update={"videos": tuple(Video(file=f"{name}.webm") for name in films)})
    report(**paths, reports=root / "reports", params=params)
    return root


class Reader:
    """A person's browser, open at the page; what its console says, and what it asks for, is kept."""

    def __init__(self, browser: Browser, page: Path, place: str = "", **more) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **more})
        self.page: Page = self.context.new_page()
        self.console: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: self.console.append(dialog.message))
        self.page.goto(page.as_uri() + place)

    def until(self, holds: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for something to hold (the page's policy forbids playwright's own way)."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, (
                f"it did not come to hold; the player says {self.video('[v.currentTime, v.error && v.error.message]')}"
            )
            self.page.wait_for_timeout(20)

    def video(self, of: str) -> object:
        return self.page.locator("video").evaluate(f"(v) => {of}")

    def told(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def seen(self, selector: str) -> list[str]:
        """The texts of what is visible."""
        return [one.inner_text() for one in self.page.locator(selector).all() if one.is_visible()]

    def appearances(self, film: str) -> None:
        """Open the list of appearances of a film."""
        timeline = self.page.locator("details.film", has=self.page.locator(f"summary :text-is('{film}')"))
        timeline.locator(".appearances summary").click()
        self.until(lambda: timeline.locator(".spans").count() == len(CAST))


@pytest.fixture
def reader(chromium, project) -> Iterator[Callable[..., Reader]]:
    opened: list[Reader] = []

    def read(place: str = "", page: Path | None = None, **more) -> Reader:
        opened.append(Reader(chromium, page or project / "reports" / "index.html", place, **more))
        return opened[-1]

    yield read
    for one in opened:
        one.context.close()


def spans_of(project: Path, film: str, character: str) -> list[tuple[float, float]]:
    table = read_table(project / "reports" / film / "appearances.csv", APPEARANCES)
    rows = table[table["character"] == character]
    return list(zip(rows["start_s"], rows["end_s"], strict=True))


@pytest.mark.parametrize("film", STARTS)
def test_a_moment_begins_with_the_frame_on_screen_then_also_where_a_film_begins_late(reader, project, film):
    one = reader()
    one.page.evaluate("HTMLMediaElement.prototype.play = async () => {}")  # held where it was wound to
    one.appearances(film)
    shown = one.page.locator("details.film", has=one.page.locator(f"summary :text-is('{film}')"))
    said = [(name, *span) for name in CAST for span in spans_of(project, film, name)]
    buttons = shown.locator(".spans button")
    assert buttons.count() == len(said) > 2

    for button, (name, start_s, _) in zip(buttons.all(), said, strict=True):
        button.click()
        one.until(lambda: one.video("v.readyState > 1 && !v.seeking") and one.page.evaluate("wanted === null"))
        assert one.told("#player-title") == name
        one.page.locator("video").evaluate("(v) => { v.controls = false; }")
        picture = np.array(Image.open(io.BytesIO(one.page.locator("video").screenshot())).convert("RGB"))
        assert number_of(picture) == number_on_screen(STARTS[film], Fraction(str(start_s)))
        one.page.keyboard.press("Escape")
        assert not one.page.locator("#player").is_visible()


def test_the_stretch_is_played_to_its_end_and_no_further(reader):
    one = reader()
    one.page.evaluate("play([{film: 1, character: 'ada', from: 3, to: 4}], 0)")

    one.until(lambda: one.video("v.currentTime") > 4.5 and one.video("v.paused"))

    assert one.video("v.currentTime") == pytest.approx(float(LATE_S) + 4, abs=0.45)
    assert one.video("v.videoWidth") == 256


def test_a_film_that_is_not_there_or_cannot_be_played_is_said_and_one_can_be_chosen(reader, project):
    one = reader()
    for place, name in ((2, "broken"), (3, "gone")):
        one.page.evaluate(f"play([{{film: {place}, character: \"o'hara\", from: 2, to: 3, score: '0.90'}}], 0)")
        one.until(lambda: one.page.locator(".absent").is_visible())

        assert not one.page.locator("video").is_visible()
        assert one.told("#player-about") == f"0:02 to 0:03, score 0.90, {name}"
        assert "does not lie beside this page, or this browser cannot play it" in one.told(".absent")
        assert one.told("#player-command") == (
            f"python -m screentime extract data/videos/{name}.webm --character 'o'\\''hara' --as clips --model models/trained --out clips"
        )

    one.page.set_input_files("#player input", project / "data" / "videos" / "plain.webm")

    one.until(lambda: one.page.locator("video").is_visible() and one.video("v.currentTime") >= 2)
    assert not one.page.locator(".absent").is_visible()
    assert one.video("v.src").startswith("blob:")


def test_pictures_and_ribbons_open_the_player_by_keyboard_and_escape_gives_the_focus_back(reader, project):
    one = reader()
    one.page.locator("button.shown").first.focus()
    one.page.keyboard.press("Enter")
    assert one.page.locator("#player").is_visible()
    one.page.keyboard.press("Escape")
    assert not one.page.locator("#player").is_visible()
    assert one.page.evaluate("document.activeElement.className") == "shown"

    start_s, end_s = spans_of(project, "plain", "ada")[0]
    ribbon = one.page.locator(".ribbon").first
    ribbon.focus()
    for key in ["Home", *["ArrowRight"] * int(start_s), "Enter"]:
        one.page.keyboard.press(key)
    assert one.told("#player-about").startswith(f"0:{int(start_s):02} to 0:{int(end_s):02}")
    assert one.page.locator("#player-before").is_disabled()


def test_the_filter_stands_in_the_address_and_shows_the_chosen_everywhere(reader, project):
    one = reader()
    assert one.told("#chosen").startswith("All 3 characters, ")
    one.page.locator("#everyone").focus()
    for key in ("Tab", "Tab", "Enter"):  # the second character
        one.page.keyboard.press(key)

    n = sum(len(spans_of(project, film, "bob")) for film in ("plain", "late", "broken", "gone"))
    assert one.told("#chosen") == f"1 of 3 characters, {n} appearances"
    assert one.page.get_attribute("#chosen", "role") == "status"
    assert one.page.evaluate("location.hash") == "#show=bob"
    assert set(one.seen(".time tbody th")) == set(one.seen(".row[data-of] b")) == {"bob"}
    assert one.seen("section#together > .scroll .together tbody th") == ["bob"]
    assert one.seen(".character h3") == ["bob"]
    assert [title.strip() for title in one.seen(".films thead th")] == ["Film", "bob", "Length", "Rests on"]
    one.page.click("nav a[href='#evidence']")
    one.until(lambda: one.page.evaluate("location.hash") == "#evidence&show=bob")

    other = reader(one.page.evaluate("location.hash"))
    assert other.told("#chosen") == one.told("#chosen")
    other.until(lambda: other.page.evaluate("scrollY") > 500)
    other.appearances("plain")
    assert [line.split("\n")[0] for line in other.seen(".spans .who")] == ["bob"]
    other.page.click("#everyone")
    assert other.page.evaluate("location.hash") == "#evidence"
    assert other.seen(".character h3") == list(CAST)
    assert one.console == other.console == []


def test_an_address_that_names_nobody_of_the_cast_shows_everyone(reader):
    for place in ("#show=zoe", "#show=%E0%A4%A", "#nowhere"):
        one = reader(place)
        assert one.told("#chosen").startswith("All 3 characters")
        assert one.console == []


def test_the_table_of_films_has_the_totals_and_is_sorted_by_any_title(reader, project):
    one = reader()
    table = read_table(project / "reports" / "screen_time.csv", SCREEN_TIME)
    seconds = table[table["character"] == "ada"].set_index("video_id")["seconds"]
    first = one.seen(".films tbody th")
    assert first == ["All 4 films", "plain", "late", "broken", "gone"]
    title = one.page.locator(".films thead th", has_text="ada")

    title.locator("button").press("Enter")

    assert title.get_attribute("aria-sort") == "descending"
    assert one.seen(".films tbody th") == [
        "All 4 films",
        *seconds.drop("*").sort_values(ascending=False, kind="stable").index,
    ]
    title.locator("button").click()
    title.locator("button").click()
    assert title.get_attribute("aria-sort") == "none"
    assert one.seen(".films tbody th") == first


def test_the_paragraph_is_copied(reader):
    one = reader()

    one.page.click("button[data-copy=cite]")

    one.until(lambda: one.told(".cite [role=status]") == "Copied.")
    one.page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'pasted'}))")
    one.page.focus("#pasted")
    one.page.keyboard.press("Control+V")
    assert one.page.input_value("#pasted") == one.page.locator("#cite").text_content()


def test_nothing_is_asked_of_any_other_machine(reader, project):
    one = reader()
    for button in one.page.locator("button.shown").all()[:3]:
        button.click()
        one.page.keyboard.press("Escape")

    assert one.requests[0] == (project / "reports" / "index.html").as_uri()
    outside = [
        request for request in one.requests[1:] if not request.startswith(((project / "data").as_uri(), "data:"))
    ]
    assert outside == []


def test_names_are_text_in_everything_that_the_script_makes(chromium, tmp_path):
    films = {"<img src=x onerror=alert(1)>": FilmPlan(40, "count")}
    paths = write_data(tmp_path, NASTY, films)
    params = report_params(NASTY, list(films), groups={"<u>all</u>": list(NASTY)})
    report(**paths, reports=tmp_path / "reports", params=params)
    one = Reader(chromium, tmp_path / "reports" / "index.html")

    one.page.locator(".appearances summary").click()
    one.page.locator("[data-choose]").first.click()
    one.page.locator(".spans button").first.click()

    assert one.told("#player-title") == NASTY[0]
    assert one.told("#player-about").endswith(next(iter(films)))
    one.page.keyboard.press("Escape")
    again = Reader(chromium, tmp_path / "reports" / "index.html", one.page.evaluate("location.hash"))
    assert again.told("#chosen").startswith("1 of 3 characters")
    assert again.seen(".character h3") == [NASTY[0]]
    injected = "document.querySelectorAll('h3 b, bdi > *, .spans i, td u, th u, img[src=x]').length"
    assert [page.evaluate(injected) for page in (one.page, again.page)] == [0, 0]
    assert [line for line in one.console + again.console if "ERR_FILE_NOT_FOUND" not in line] == []
    one.context.close()
    again.context.close()


def test_print_is_light_whole_and_without_controls(reader):
    one = reader(
        "#show=ada,bob", color_scheme="dark", viewport={"width": 680, "height": 960}
    )  # about A4 within margins
    one.page.emulate_media(media="print", color_scheme="dark")
    one.page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert one.seen("nav, .controls, .tip, .appearances, dialog, #filter button") == []
    assert one.told("#chosen").startswith("2 of 3 characters")
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 680
    clipped = "[...document.querySelectorAll('.scroll, .timeline, .ribbon')].filter((e) => e.clientHeight && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible').length"
    assert one.page.evaluate(clipped) == 0
    assert len(one.seen(".timeline")) == 4  # also those of the films that were folded
    assert one.page.pdf(format="A4").startswith(b"%PDF")
