"""The stage: what it writes, whose pictures it shows, and the page in a real browser."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import browser
import cv2
import numpy as np
import pytest
from report_data import FilmPlan, place_of, report_params, write_data
from synthetic import number_of, numbered_image

from screentime.errors import InputError
from screentime.frames import decode_jpeg, encode_jpeg
from screentime.table_files import read_table
from screentime.tables import TIMELINE
from stages.report import report

LONG_NAMES = ('a name that is "much" longer than most of the others', "Supercalifragilisticexpialidocious")
CAST = ("ada", "bob", *LONG_NAMES, "دارين")
WIDTHS = (360, 500, 720, 960, 1280, 1600)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """The page over two made-up films, one of them audited and partly left out."""
    root = tmp_path_factory.mktemp("report")
    films = {
        "first film": FilmPlan(400, skipped=[(380, 400, "end credits")]),
        "averyveryveryveryverylongnameofafilmwithoutanyspace": FilmPlan(90, "count"),
    }
    paths = write_data(root, CAST, films)
    report(**paths, reports=root / "reports", params=report_params(CAST, list(films), {"third": "broken"}))
    return root / "reports" / "index.html"


def test_the_tables_are_copied_as_they_are_and_nothing_else_is_written(page):
    estimates = page.parents[1] / "data" / "estimates"
    tables = sorted(path.relative_to(estimates) for path in estimates.rglob("*.csv"))

    assert len(tables) == 5
    assert sorted(path.relative_to(page.parent) for path in page.parent.rglob("*") if path.is_file()) == sorted(
        [*tables, Path("index.html"), Path("together.csv")]
    )
    assert all((page.parent / table).read_bytes() == (estimates / table).read_bytes() for table in tables)


def test_the_pictures_are_the_frames_they_are_said_to_be(tmp_path):
    def numbered(_: str, index: int, present: np.ndarray) -> bytes:
        return encode_jpeg(numbered_image(index), 90)

    paths = write_data(tmp_path, ["ada"], {"film": FilmPlan(90)}, frame=numbered)

    report(**paths, reports=tmp_path / "reports", params=report_params(["ada"], ["film"]))

    html = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    found = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)".*?<b>0?(\d+):(\d\d)</b>', html, re.DOTALL)
    assert len(found) > 4
    for data, minutes, seconds in found:
        assert number_of(decode_jpeg(base64.b64decode(data))) == 60 * int(minutes) + int(seconds)


def test_a_ring_marks_where_the_evidence_is_strongest_and_only_where_the_model_tells(page, tmp_path):
    html = page.read_text(encoding="utf-8")
    rings = re.findall(r'viewBox="0 0 (\d+) (\d+)"><circle class="edge" cx="([\d.]+)" cy="([\d.]+)"', html)
    shares = {(round(float(x) / int(width), 2), round(float(y) / int(height), 2)) for width, height, x, y in rings}
    assert len(rings) == html.count("<figure>") > 20
    assert shares == {place_of(number) for number in range(len(CAST))}
    assert "A ring marks where" in html

    paths = write_data(tmp_path, ["ada"], {"film": FilmPlan(60)})
    for told in paths["scores"].iterdir():
        told.unlink()
    report(**paths, reports=tmp_path / "reports", params=report_params(["ada"], ["film"]))
    html = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "<figure>" in html and "<circle" not in html.partition('id="evidence"')[2] and "A ring marks" not in html


def test_pictures_are_small_and_upright_ones_stay_upright(tmp_path):
    tall = encode_jpeg(np.full((300, 150, 3), 120, np.uint8), 80)
    paths = write_data(tmp_path, ["ada"], {"film": FilmPlan(60)}, frame=lambda *_: tall)

    report(**paths, reports=tmp_path / "reports", params=report_params(["ada"], ["film"], thumbnail_width=100))

    html = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'width="(\d+)" height="(\d+)" decoding', html)) == {("50", "100")}


def test_earlier_results_are_replaced_and_kept_where_the_stage_fails(tmp_path):
    paths = write_data(tmp_path, ["ada"], {"film": FilmPlan(60)})
    reports = tmp_path / "reports"
    (reports / "gone").mkdir(parents=True)
    params = report_params(["ada"], ["film"])
    report(**paths, reports=reports, params=params)
    before = {path: path.read_bytes() for path in reports.rglob("*") if path.is_file()}
    timeline = paths["estimates"] / "film" / "timeline.csv"
    timeline.unlink()

    with pytest.raises(InputError) as error:
        report(**paths, reports=reports, params=params)

    assert str(error.value) == f"{timeline}: no such file was found, a table was expected; run the stage that writes it"
    assert not (reports / "gone").exists()
    assert {path: path.read_bytes() for path in reports.rglob("*") if path.is_file()} == before


def test_the_stage_does_not_import_tensorflow():
    script = "import sys, stages.report; print(*({'tensorflow', 'keras', 'mlflow'} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )

    assert done.stdout == "\n"


def test_the_browser_has_nothing_to_complain_about_and_runs_the_script(page):
    visit = browser.visit(page)

    assert visit.console == []
    assert visit.dom.count('role="slider"') == 2 * len(CAST)


def test_the_policy_refuses_a_script_that_is_not_the_page_s_own(page, tmp_path):
    changed = tmp_path / "index.html"
    html = page.read_text(encoding="utf-8")
    changed.write_text(html.replace("</body>", "<script>document.title = 1</script></body>"), encoding="utf-8")

    visit = browser.visit(changed)

    assert any("Content Security Policy" in line for line in visit.console)


PROBE = """<script>
const over = [...document.body.querySelectorAll("*")]
  .filter((element) => !element.closest(".scroll, .hidden, thead, svg"))
  .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((element) => element.className || element.tagName);
const ribbon = document.querySelector(".ribbon"), key = (name) =>
  ribbon.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
ribbon.focus();
key("ArrowRight"); key("ArrowRight");
const second = ribbon.getAttribute("aria-valuetext");
key("End");
const last = ribbon.getAttribute("aria-valuetext"), box = ribbon.getBoundingClientRect();
ribbon.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + box.width / 4}));
const tip = ribbon.querySelector(".tip"), edge = tip.getBoundingClientRect();
parent.postMessage([innerWidth, document.documentElement.scrollWidth, over.join(" "), second, last, tip.textContent,
  tip.hidden, edge.left >= 0 && edge.right <= innerWidth].join("|"), "*");
</script>"""


def test_the_page_fits_every_width_and_its_ribbons_answer_keys_and_pointer(page, tmp_path):
    html = page.read_text(encoding="utf-8")
    probed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).replace("</body>", PROBE + "</body>")
    (tmp_path / "index.html").write_text(probed, encoding="utf-8")
    frames = "".join(f'<iframe src="index.html" width="{width}" height="700"></iframe>' for width in WIDTHS)
    listener = "addEventListener('message', (event) => { document.querySelector('pre').append(event.data + '\\n'); })"
    head = f"<meta charset=utf-8><style>iframe {{ border: 0 }}</style><pre></pre><script>{listener}</script>"
    (tmp_path / "all.html").write_text(head + frames, encoding="utf-8")

    said = re.search(r"<pre>(.*?)</pre>", browser.visit(tmp_path / "all.html").dom, re.DOTALL).group(1)

    answers = {int(line.split("|")[0]): line.split("|")[1:] for line in said.strip().splitlines()}
    scores = read_table(page.parent / "first film" / "timeline.csv", TIMELINE, CAST)["ada"]
    words = [f"score {scores[i]:.2f}, {'visible' if scores[i] >= 0.5 else 'not visible'}" for i in (2, 100)]
    for width in WIDTHS:
        assert answers[width] == [
            *(f"{width}", ""),  # as wide as its window, nothing sticks out
            *(f"0:02, {words[0]}", "6:39, left out"),  # two steps from the start; the end
            *(f"1:40, {words[1]}", "false", "true"),  # under the pointer, shown, inside the window
        ]


def test_a_dark_screen_gets_a_dark_page(page, tmp_path):
    browser.screenshot(page, tmp_path / "light.png")
    browser.screenshot(page, tmp_path / "dark.png", dark=True)

    corners = [cv2.imread(str(tmp_path / f"{name}.png"))[5, 5].mean() for name in ("light", "dark")]
    assert corners[0] > 230
    assert corners[1] < 40
