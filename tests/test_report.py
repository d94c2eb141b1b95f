"""The page: what stands on it, that names stay text, that it needs nothing from outside, that everyone can read it."""

import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from report_data import FilmPlan, report_params, write_data

from screentime.company import together_s
from screentime.frames import encode_jpeg
from screentime.table_files import read_table, write_table
from screentime.tables import AUDIT
from stages.report import report

CAST = ("ada", "bob", "cid")
NASTY = ("<script>alert(1)</script>", "\"quoted\" & 'single'", "Zoë 🦊", "دارين", "&lt;b&gt;")
VOID = {"meta", "link", "img", "input"}


class Page(HTMLParser):
    """A page read back: its elements with their attributes, and its text without style and script."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.drawings: list[tuple[dict, list[dict]]] = []
        self._open: list[tuple[str, dict]] = []
        self.feed(html)
        self.text = re.sub(r"\s+", " ", "".join(self.texts))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "svg":
            self.drawings.append((dict(attributes), [one for _, one in self._open]))
        if tag not in VOID:
            self._open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        if not {"style", "script", "title"} & {tag for tag, _ in self._open}:
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def written(root: Path, cast=CAST, films=None, *, skipped=None, frame=None, quiet=(), **settings) -> str:
    """The page over made-up films."""
    films = {"film": FilmPlan(120)} if films is None else films
    paths = write_data(root, cast, films, frame=frame, quiet=quiet)
    report(**paths, reports=root / "reports", params=report_params(cast, list(films), skipped, **settings))
    return (root / "reports" / "index.html").read_text(encoding="utf-8")


def test_the_page_says_who_is_on_screen_how_long_and_how_sure_that_is(tmp_path):
    html = written(tmp_path, credits=["(c) the makers, CC BY"])

    page = Page(html)
    row = (tmp_path / "reports/screen_time.csv").read_text().splitlines()[1].split(",")
    seconds, low, high = (math.floor(float(cell) + 0.5) for cell in row[2:5])
    clocks = [f"{value // 60}:{value % 60:02}" for value in (seconds, low, high)]
    interval = f"{clocks[1]} to {clocks[2]} {low} to {high} s"
    share = f"{100 * float(row[5]):.0f} %"
    assert f" ada {clocks[0]} {seconds} s {interval} {share} {row[6]} s audit of 80 frames" in page.text
    assert f"on screen longest: {clocks[0]}, and the true figure lies between {clocks[1]} and {clocks[2]}" in page.text
    assert "Length2:00" in page.text
    assert "Frames sampled120 one a second" in page.text
    assert "(c) the makers, CC BY" in page.text


def test_what_is_not_audited_is_said_with_the_command_that_changes_it(tmp_path):
    page = Page(written(tmp_path, films={"a film": FilmPlan(60, "count")}))

    assert "not audited" in page.text
    assert "python -m screentime audit draw 'a film' --n 80" in page.text
    assert "as the model counts. Nothing has measured yet how far that may be off." in page.text


def test_an_audited_film_is_not_told_to_audit(tmp_path):
    assert "audit draw" not in written(tmp_path)


def test_a_film_looked_at_frame_by_frame_is_called_exact(tmp_path):
    page = Page(written(tmp_path, films={"film": FilmPlan(60, "labels")}))

    assert "every frame looked at" in page.text
    assert "and that is exact." in page.text
    assert not re.findall(r"\d:\d\d to \d:\d\d", page.text)


def test_totals_of_several_films_come_first(tmp_path):
    films = {"one": FilmPlan(60), "two": FilmPlan(90, "count"), "three": FilmPlan(40, "model")}

    page = Page(written(tmp_path, films=films))

    titles = re.findall(r"(\S+(?: 3 films)?) ?Character Bar", page.text)
    assert titles == ["All 3 films", "one", "two", "three"]
    assert "by other films" in page.text
    assert "two: not audited" in page.text


def test_losses_and_skipped_films_are_listed(tmp_path):
    facts = {"bad_packets": 3, "missing_s": 12.5, "claimed_s": 132.5, "repaired_timestamps": 1}
    films = {"film": FilmPlan(120, skipped=[(100, 120, "end credits")], facts=facts)}

    page = Page(written(tmp_path, films=films, skipped={"broken": "no frame could be decoded"}))

    assert "3 packets could not be decoded; the picture before each hole was held." in page.text
    assert "The file claims 2:13; its last 12.5 s could not be read and are in no figure." in page.text
    assert "1 timestamp was missing or out of order and worked out from the neighbours." in page.text
    assert "0:20 (20 frames) is marked as not part of the film and left out of every total." in page.text
    assert "Left out: 1:40–2:00 end credits." in page.text  # noqa: RUF001
    assert "The whole film is skipped: no frame could be decoded" in page.text


def test_a_whole_film_is_said_to_be_whole(tmp_path):
    assert "Nothing: every packet was read." in Page(written(tmp_path)).text


def test_names_are_shown_as_text(tmp_path):
    films = {"film <b>&'\"": FilmPlan(60, "count", skipped=[(0, 5, "<img src=x onerror=alert(2)>")])}

    html = written(tmp_path, NASTY, films, skipped={"other": "</title><script>"}, credits=["<i>makers</i>"])

    page = Page(html)
    for name in (*NASTY, *films, "<img src=x onerror=alert(2)>", "</title><script>", "<i>makers</i>"):
        assert name in page.text
    assert len(page.all("script")) == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.all("bdi")


def test_the_page_asks_for_nothing_from_outside(tmp_path):
    page = Page(written(tmp_path, films={"film one": FilmPlan(60)}))

    targets = [a[key] for _, a in page.elements for key in ("src", "href", "data", "action", "srcset") if a.get(key)]
    outside = [target for target in targets if not target.startswith(("data:", "#"))]
    assert outside == ["screen_time.csv", "together.csv", "film%20one/timeline.csv", "film%20one/appearances.csv"]
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; media-src 'self' file: blob:; style-src 'sha256-")


def test_equal_input_gives_equal_bytes(tmp_path):
    assert written(tmp_path / "a") == written(tmp_path / "b")


def silent_drawings(page: Page) -> list[dict]:
    """Drawings that neither say what they show nor stand inside, or are, something that does or is hidden."""
    return [
        attributes
        for attributes, ancestors in page.drawings
        if not any(one.get("aria-hidden") == "true" or one.get("aria-label") for one in (attributes, *ancestors))
    ]


def test_every_table_and_picture_and_drawing_speaks(tmp_path):
    films = {"one": FilmPlan(60, skipped=[(0, 9, "titles")]), "two": FilmPlan(60, "count")}

    page = Page(written(tmp_path, films=films, quiet=["cid"]))

    assert len(page.all("caption")) == len(page.all("table"))
    assert all(header.get("scope") in ("col", "row") for header in page.all("th"))
    assert all(picture["alt"] for picture in page.all("img"))
    assert silent_drawings(page) == []
    assert all(element.get("aria-label") for _, element in page.elements if element.get("role") in ("img", "region"))
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    assert set(links) <= set(ids)


def test_a_project_without_films_has_a_page(tmp_path):
    page = Page(written(tmp_path, films={}, skipped={"only": "too dark"}))

    assert "No film yet" in page.text
    assert "The whole film is skipped: too dark" in page.text
    assert "Nothing has measured the model yet" in page.text


def test_a_frame_still_to_be_audited_is_not_shown_with_its_score(tmp_path):
    paths = write_data(tmp_path, CAST, {"film": FilmPlan(120)})
    audit = read_table(paths["audit"] / "film.csv", AUDIT)
    params = report_params(CAST, ["film"], thumbnails=24, thumbnail_gap_s=0)
    pages = []
    for answer in ("1", ""):
        write_table(paths["audit"] / "film.csv", audit.assign(present=answer), AUDIT)
        report(**paths, reports=tmp_path / "reports", params=params)
        pages.append(Page((tmp_path / "reports/index.html").read_text(encoding="utf-8")))

    drawn = {f"the frame at {int(time) // 60}:{int(time) % 60:02}" for time in audit["time_s"]}
    shown = [{picture["alt"].split(": ")[1] for picture in page.all("img")} for page in pages]
    assert shown[0] & drawn
    assert not shown[1] & drawn
    assert shown[1]


def test_a_person_s_answer_stands_beside_the_picture(tmp_path):
    page = Page(written(tmp_path, thumbnails=24, thumbnail_gap_s=0))

    assert "labelled visible" in page.text


def test_accuracy_stands_beside_guessing_and_the_unknown_is_a_dash(tmp_path):
    page = Page(written(tmp_path, ("a1", "b1", "c1", "d1", "e1", "f1")))

    assert re.search(r"a1 ?80 ?40 ?0\.96 ?0\.89 to 0\.98 ?0\.60 ?0\.97 ?0\.93", page.text)
    assert re.search(r"f1 ?80 ?30 ?0\.92 ?0\.85 to 0\.94 ?0\.70 ?– ?0\.87", page.text)  # noqa: RUF001
    assert "they never trained the model" in page.text


def test_a_feature_film_with_18_characters_stays_light(tmp_path):
    random = np.random.default_rng(0)
    busy = [  # heavier than real pictures of that size
        encode_jpeg(random.normal(128, 40, (126, 224, 3)).clip(0, 255).astype(np.uint8), 80) for _ in range(8)
    ]
    cast = [f"character {i:02}" for i in range(18)]

    html = written(tmp_path, cast, {"feature": FilmPlan(10_000)}, frame=lambda _, i, present: busy[i % 8])

    assert len(html.encode()) < 5_000_000
    assert len(Page(html).elements) < 5_000


def test_together_is_symmetric_and_counts_each_one_s_own_on_the_diagonal():
    random = np.random.default_rng(1)
    scores, weights = random.random((50, 4)), random.uniform(0, 2, 50)

    matrix = together_s(scores, weights, threshold=0.5)

    assert np.array_equal(matrix, matrix.T)
    assert np.diag(matrix) == pytest.approx([weights[scores[:, i] >= 0.5].sum() for i in range(4)])
    assert matrix[0, 1] == pytest.approx(weights[(scores[:, 0] >= 0.5) & (scores[:, 1] >= 0.5)].sum())


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_have_enough_contrast(theme):
    style = (Path(__file__).parents[1] / "screentime/templates/report.css").read_text(encoding="utf-8")
    colour = dict(re.findall(r"--(\w+): (#\w{6})", re.findall(r":root \{(.*?)\}", style, re.DOTALL)[theme]))

    texts = [("ink", "paper"), ("ink", "raised"), ("quiet", "paper"), ("quiet", "raised"), ("strong", "paper")]
    texts += [("mark", "paper"), *(("ink", f"tint{i}") for i in range(1, 6))]
    low = [pair for pair in texts if contrast(colour[pair[0]], colour[pair[1]]) < 4.5]
    marks = [("strong", "paper"), ("strong", "raised"), ("focus", "paper"), ("mark", "paper"), ("ink", "soft")]
    faint = [pair for pair in marks if contrast(colour[pair[0]], colour[pair[1]]) < 3]
    assert (low, faint) == ([], [])
