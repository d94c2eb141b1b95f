"""The watch as its user starts it: page in a real browser, lines in the terminal, Ctrl-C, a full disk, what is refused."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import executable
from namespaces import on_a_disk_of
from playwright.sync_api import sync_playwright
from scored import CAST, film, write_models

from screentime.__main__ import main
from screentime.frames import decode_jpeg, encode_jpeg
from screentime.scorer import Scorer
from screentime.table_files import read_table
from screentime.tables import TIMELINE
from screentime.video import NativeFrames
from screentime.watching.judge import opened_judge
from screentime.watching.record import EVENTS

ROOT = Path(__file__).parents[1]
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
)
EAGER = {
    "  threshold: 0.5    # score from which a frame passes": "  threshold: 0.01  #",
    "total_frames: 10 ": "total_frames: 2 ",
}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("watch") / "models"
    write_models(folder)
    return folder


@pytest.fixture(scope="module")
def eager(tmp_path_factory) -> Path:
    """Parameters by which everybody is soon an event."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    for old, new in EAGER.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("params") / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


class Command:
    """`watch` as a process of its own; its output line by line."""

    def __init__(self, *words: object, before: tuple[str, ...] = ()) -> None:
        self.lines: list[str] = []
        command = [*before, sys.executable, "-m", "screentime", "watch", *map(str, words)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
            env=os.environ | {"COLUMNS": "200"}, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip

    def until(self, pattern: str) -> re.Match:
        """Read on until a line matches."""
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern} never came: {''.join(self.lines)}")

    def end(self) -> str:
        """Ctrl-C; all it has said."""
        self.process.send_signal(signal.SIGINT)
        self.lines += self.process.stdout
        self.process.wait(60)
        return "".join(self.lines)


@pytest.fixture(scope="module")
def running(models, eager, tmp_path_factory) -> Iterator[tuple[Command, str, Path]]:
    """A watch of a film that goes on, its address, its folder."""
    folder = tmp_path_factory.mktemp("running")
    path = film(folder / 'f<i>lm & "co".mp4', length_s=120)
    command = Command(path, "--model", models, "--out", folder / "out", "--params", eager, "--no-browser")
    try:
        yield command, command.until(r"the watch is at (\S+)")[1], folder / "out"
    finally:
        command.process.kill()


def test_the_page_shows_picture_scores_seconds_past_and_events(running):
    _, address, _ = running
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        troubles: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.locator("#status[data-state=live]").wait_for(timeout=20_000)
        loaded = "document.querySelector('#events img')?.naturalWidth"  # 0 until it is
        width = page.wait_for_function(loaded, timeout=20_000).json_value()
        events = page.evaluate(
            "() => { const one = document.getElementById('events'); one.querySelector('img').dataset.first = 'yes'; return one.innerText; }"
        )
        page.wait_for_function("text => document.getElementById('events').innerText !== text", arg=events)
        n_kept = page.locator("#events img[data-first]").count()
        page.locator("#picture[src]").wait_for(timeout=20_000)
        names = [row.split("\t")[0].strip() for row in page.locator("#scores tr").all_inner_texts()]
        first = page.inner_text("#figures")
        drawn = page.evaluate(
            "() => { const c = document.getElementById('ribbon'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " const seen = new Set(); for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);"
            " return [0xe69f00, 0x56b4e9, 0x009e73].map((one) => seen.has(one)); }"
        )
        title = page.inner_text("#name")
        page.wait_for_function("text => document.getElementById('figures').innerText !== text", arg=first)
        browser.close()

    assert names == list(CAST)
    assert title.endswith('f<i>lm & "co".mp4')
    assert width == 160
    assert n_kept == 1  # what else happens loads no picture anew
    assert any(drawn)
    assert troubles == []
    assert {re.match(r"http://127\.0\.0\.1:\d+", url)[0] for url in asked} == {address.split("/#")[0]}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/api/state", {}, 403),
        ("/picture", {"X-Token": "guess"}, 403),
        ("/event/..%2f..%2fevents.csv?token={token}", {}, 404),
        ("/event/nothing.jpg?token={token}", {}, 404),
        ("/api/state?frame=x&token={token}", {}, 400),
        ("/api/state?token={token}", {"Host": "example.org"}, 421),
        ("/nowhere?token={token}", {}, 404),
    ],
)
def test_only_its_own_page_is_answered(running, path, headers, status):
    _, address, _ = running
    host, token = re.fullmatch(r"http://(.+)/#token=(.+)", address).groups()
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", path.format(token=token), headers=headers)
    answer = connection.getresponse()
    assert answer.status == status
    assert "default-src 'none'" in answer.getheader("Content-Security-Policy")
    connection.close()


def test_ctrl_c_ends_the_watch_with_its_figures_and_whole_files(running):
    command, _, out = running
    command.until("is on screen: ")

    said = command.end()

    assert command.process.returncode == 0
    assert re.search(
        r"^\d\d:\d\d:\d\d\.\d{3}  ann \d\.\d\d[* ]  bob \d\.\d\d[* ]  cleo \d\.\d\d[* ]  \d+ ms$", said, re.MULTILINE
    )
    assert re.search(
        r"\nwatched 0:\d\d\n  ann +0:\d\d\n  bob +0:\d\d\n  cleo +0:\d\d\n\d events?, with pictures and clips: ", said
    )
    rows = read_table(out / "events.csv", EVENTS)
    assert rows["end"].all()
    for column in ("picture", "clip"):
        for file in rows[column]:
            assert (out / file).is_file()
    assert not list((out / "events").glob(".*"))


def test_a_frame_is_scored_live_as_the_pipeline_scores_it(models, tmp_path):
    path = film(tmp_path / "film.mp4", length_s=2)
    main(["score", str(path), "--model", str(models), "--out", str(tmp_path / "out")])
    timeline = read_table(tmp_path / "out" / "film" / "timeline.csv", TIMELINE, CAST)
    judge = opened_judge(models, threads=1)

    frames = {
        float(frame.start_s): judge.scores(frame) for frame in NativeFrames(path) if frame.start_s.denominator == 1
    }

    for row in timeline.itertuples():
        assert [getattr(row, name) for name in CAST] == pytest.approx(list(frames[row.time_s]), abs=1e-6)
    assert Scorer(models, threads=1).cast == judge.names
    assert decode_jpeg(encode_jpeg(next(iter(NativeFrames(path))).image(160), 80)).shape == (90, 160, 3)


def test_a_full_disk_is_said_once_and_the_watch_goes_on(models, eager, tmp_path):
    out = tmp_path / "small"
    out.mkdir()
    path = film(tmp_path / "film.mp4", length_s=8)
    before = on_a_disk_of("64k", out, then=f'echo code $code; ls -A "{out}/events"')
    command = Command(
        path, "--model", models, "--out", out, "--params", eager, "--no-page", "--quiet", before=tuple(before)
    )  # fmt: skip

    said = "".join([*command.lines, *command.process.stdout])

    assert said.count("no space left on device") == 1
    assert (
        f"{out}: no space left on device; the watch goes on, pictures, clips and events are not kept until there is room"
        in said
    )
    assert re.search(r"watched 0:(08|09|1\d)\n", said) and "code 0" in said  # a busy machine shows a film a little late
    assert ".partial" not in said


def refused(capsys, *words: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["watch", *map(str, words)])
    assert ended.value.code == 1
    return capsys.readouterr().err.strip()


def test_what_it_cannot_do_is_a_sentence(models, eager, tmp_path, capsys):
    own = ("--params", eager, "--no-page")
    assert (
        refused(capsys, *own)
        == "watch: SOURCE was not given, it was expected; `python -m screentime watch --help` explains it"
    )
    assert refused(capsys, "no.mp4", "--model", models, "--out", tmp_path / "out", *own).startswith(
        "no.mp4: there is no such film"
    )
    assert refused(capsys, "camera:9", "--model", tmp_path, "--out", tmp_path / "out", *own) == (
        f"{tmp_path / 'model.json'}: no such file was found, a trained model was expected; run `dvc repro train`, or fetch the models with "
        "`dvc pull train`"
    )
    params = tmp_path / "params.yaml"
    params.write_text(
        eager.read_text(encoding="utf-8").replace("characters: [] ", "characters: [an] "), encoding="utf-8"
    )
    assert refused(
        capsys, "camera:9", "--model", models, "--out", tmp_path / "out", "--params", params, "--no-page"
    ) == (f"{params}: watch: characters: 'an' is not known to {models}; did you mean 'ann'?")
    assert "no camera could be opened" in refused(
        capsys, "camera:9", "--model", models, "--out", tmp_path / "out", *own
    )
