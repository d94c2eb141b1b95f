"""The labeller's server: lets in this run's own page and nobody else, and loses nothing when it dies."""

import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from labelled_film import write_project
from labeller_runs import ROOT, Command, served
from namespaces import on_a_disk_of

from screentime.labeller.server import FILES, LARGEST_BODY, PAGE
from screentime.labeller.session import open_desk
from screentime.table_files import read_table
from screentime.tables import LABELS

CAST = ["tom", "jerry"]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    with served(folder, write_project(folder, ["film"], CAST, n_frames=40)) as one:
        yield one


PUT = {"op": "operation-attack", "page": 1, "cells": [["film", 1, 0, "1"]], "how": "look"}
EVIL = "http://evil.example"


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "headers", "status", "sentence"),
    [
        ("no token", "GET", "/api/state", None, {"X_Token": None}, 403, "the token of this run is missing; open the address that the command printed"),
        ("a wrong token", "GET", "/api/state", None, {"X_Token": "guess"}, 403, "the token of this run is missing; open the address that the command printed"),
        ("no token for a picture", "GET", "/picture/frame/film/0", None, {"X_Token": None}, 403, "the token of this run is missing; open the address that the command printed"),
        ("a foreign host", "GET", "/api/state", None, {"Host": "evil.example"}, 421, "this server answers to 127.0.0.1 only"),
        ("a foreign host for the page", "GET", "/", None, {"Host": "evil.example:80"}, 421, "this server answers to 127.0.0.1 only"),
        ("another port as host", "GET", "/api/state", None, {"Host": "127.0.0.1:1"}, 421, "this server answers to 127.0.0.1 only"),
        ("a foreign origin", "POST", "/api/put", PUT, {"Origin": EVIL}, 403, "a request from another page is refused"),
        ("no origin", "POST", "/api/put", PUT, {"Origin": None}, 403, "a request from another page is refused"),
        ("an origin of another port", "POST", "/api/put", PUT, {"Origin": "http://127.0.0.1:1"}, 403, "a request from another page is refused"),
        ("a form", "POST", "/api/put", b"op=1", {"Content_Type": "application/x-www-form-urlencoded"}, 415, "JSON was expected"),
        ("plain text", "POST", "/api/put", PUT, {"Content_Type": "text/plain"}, 415, "JSON was expected"),
        ("not JSON", "POST", "/api/put", b"{", {}, 400, "a JSON object was expected"),
        ("a list", "POST", "/api/put", [1], {}, 400, "a JSON object was expected"),
        ("nothing", "POST", "/api/put", b"", {}, 400, "a JSON object was expected"),
        ("too large", "POST", "/api/put", b" " * (LARGEST_BODY + 1), {}, 413, "the request is too large"),
        ("a formula as a reason", "POST", "/api/skip", {"op": "operation-skip", "video": "film", "first": 1, "last": 2, "reason": "=1+1"}, {}, 409, "data/labels/<video_id>.skip.csv: reason is '=1+1', which a spreadsheet would run as a formula; write it without a leading = + - @"),
        ("no such view", "POST", "/api/page", {"view": "../"}, {}, 409, "there is no view '../'"),
        ("no such film", "POST", "/api/page", {"view": "film", "video": "../../etc/passwd"}, {}, 409, "no film '../../etc/passwd' is open here"),
        ("no such frame", "POST", "/api/put", PUT | {"cells": [["film", 999, 0, "1"]]}, {}, 409, "no such frame, character or answer"),
        ("a negative frame", "POST", "/api/put", PUT | {"cells": [["film", -1, 0, "1"]]}, {}, 409, "no such frame, character or answer"),
        ("no such answer", "POST", "/api/put", PUT | {"cells": [["film", 1, 0, "=1+1"]]}, {}, 409, "no such frame, character or answer"),
        ("a frame that is no number", "POST", "/api/put", PUT | {"cells": [["film", "1", 0, "1"]]}, {}, 400, "the request is not of the expected form"),
        ("no operation id", "POST", "/api/put", PUT | {"op": "1"}, {}, 409, "an operation needs an id"),
        ("traversal in a picture", "GET", "/picture/frame/..%2f..%2fparams.yaml/0", None, {}, 404, "there is nothing here"),
        ("traversal in a film", "GET", "/picture/frame/../../params.yaml/0", None, {}, 404, "there is nothing here"),
        ("no such picture", "GET", "/picture/frame/film/4000", None, {}, 404, "there is no such picture"),
        ("no such kind", "GET", "/picture/secret/film/0", None, {}, 404, "there is no such picture"),
        ("a page's file by another name", "GET", "/server.py", None, {}, 404, "there is nothing here"),
        ("another method", "DELETE", "/api/state", None, {"Content_Length": "0"}, 405, "this is not done here"),
    ],
)  # fmt: skip
def test_an_attack_is_refused_with_a_sentence_and_writes_nothing(
    running, name, method, path, body, headers, status, sentence
):
    if path == "/api/put" and isinstance(body, dict):
        body = body | {"page": running.do("/api/page", view="film")["page"]}
    told = running.ask(method, path, body, **headers)

    assert (told[0], told[2].get("refused")) == (status, sentence)
    assert running.desk.film("film").sheet.rows == ()


def test_what_the_page_itself_sends_is_let_in(running):
    """The attacks above are refused for what they lack, not because everything is."""
    page = running.do("/api/page", view="film")["page"]
    running.do("/api/put", op="operation-good", page=page, cells=[["film", 1, 0, "1"]], how="look")
    running.do("/api/undo", op="operation-back")

    assert running.ask("GET", "/picture/frame/film/0")[0] == 200


@pytest.mark.parametrize("path", sorted(FILES))
def test_the_page_holds_no_data_and_a_strict_policy(running, path):
    status, headers, _ = running.ask("GET", path, X_Token=None)

    assert status == 200
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri "
        "'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


def test_the_page_names_all_its_files_in_its_head_so_that_none_waits_for_another():
    named = re.findall(r'(?:href|src)="(/.+?)"', (PAGE / "page.html").read_text(encoding="utf-8"))

    assert sorted(["/", *named]) == sorted(FILES)


def test_the_imports_of_the_scripts_go_one_way():
    imports = {
        path.name: re.findall(r'^(?:import|}).*"\./(.+)";$', path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in PAGE.glob("*.js")
    }
    order = list(TopologicalSorter(imports).static_order())  # refuses a circle

    assert (order[0], order[-1]) == ("now.js", "labeller.js")
    assert set(order) == set(imports)


# the command


@pytest.fixture
def folder(tmp_path):
    write_project(tmp_path, ["film"], CAST, n_frames=40)
    return tmp_path


def answers(folder) -> set[tuple]:
    table = read_table(folder / "data" / "labels" / "film.csv", LABELS)
    return {(row.start_s, row.character, row.present) for row in table.itertuples()}


def until(holds) -> None:
    """Wait for something to hold."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.05)


def test_ctrl_c_writes_everything_and_says_what_to_do_next(folder):
    command = Command(folder, "--annotator", "ann")
    one = command.running()
    page = one.do("/api/page", view="start")
    frame = page["items"][0]["f"]
    one.do("/api/put", op="operation-1", page=page["page"], cells=[["film", frame, 0, "1"]], how="look", active_s=6.0)
    command.kill(signal.SIGINT)
    code, said = command.ended()

    assert code == 0
    assert said.endswith("0 frames labelled by looking; 0.1 active minutes\nnext: dvc repro\n")
    assert answers(folder) == {(frame, "tom", "1")}


def test_a_second_labeller_is_refused_and_told_where_the_first_is(folder):
    first = Command(folder)
    one = first.running()
    code, said = Command(folder).ended()

    assert code == 1
    assert said.splitlines()[-1].startswith(
        f"data/labels: the labeller at http://127.0.0.1:{one.port} (process {first.process.pid}, since "
    )
    first.kill(signal.SIGINT)
    assert first.ended()[0] == 0


def test_an_interrupt_while_the_server_starts_is_not_lost(folder):
    program = """
import runpy, signal, sys, uvicorn
run = uvicorn.Server.run
class Gone:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)  # what is raised here is printed and forgotten
def interrupted(self, **more):
    Gone()
    run(self, **more)
uvicorn.Server.run = interrupted
sys.argv = ["screentime", "label", "--no-browser"]
runpy.run_module("screentime", run_name="__main__")
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("next: dvc repro\n")


def test_kill_9_in_bursts_loses_nothing_that_was_acknowledged(folder):
    said: dict[tuple[int, str], str] = {}
    for life in range(4):
        command = Command(folder)
        one = command.running()
        page = one.do("/api/page", view="film")["page"]

        def put(number, one=one, page=page, life=life):
            frame, value = number % 40, "01?"[(number + life) % 3]
            body = {"op": f"life-{life}-{number}", "page": page, "cells": [["film", frame, 0, value]], "how": "look"}
            try:
                status, _, _ = one.ask("POST", "/api/put", body)
            except OSError:
                return frame, value, False
            return frame, value, status == 200

        with concurrent.futures.ThreadPoolExecutor(1) as pool:  # in order, while it is killed
            burst = [pool.submit(put, number) for number in range(30 + 7 * life)]
            burst[10 + 5 * life].result()
            command.kill()
            for future in burst:
                frame, value, acknowledged = future.result()
                if acknowledged:
                    said[frame, "tom"] = value
                else:  # it may have been kept all the same
                    said.pop((frame, "tom"), None)
        command.ended()
    command = Command(folder)
    command.running()
    command.kill(signal.SIGINT)
    assert command.ended()[0] == 0
    found = {(time_s, character): present for time_s, character, present in answers(folder)}

    assert len(said) > 10
    assert {cell: found.get(cell) for cell in said} == said


def test_on_a_full_disk_what_was_acknowledged_is_kept_and_written_when_there_is_room(tmp_path):
    """Labels and journal lie on a small disk that fills up: first the label file cannot be written, then nothing is taken."""
    source, place = tmp_path / "source", tmp_path / "project"
    params = write_project(source, ["film"], CAST, n_frames=40)
    place.mkdir()
    into = ["sh", "-c", 'cp -r "$0/." "$1" && cd "$1" && shift && exec "$@"', str(source), str(place)]
    command = Command(tmp_path, before=[*on_a_disk_of("1m", place, then=":"), *into])
    one = command.running()
    disk = Path(f"/proc/{command.process.pid}/root{place}")  # as the labeller sees it
    page = one.do("/api/page", view="film")["page"]

    def put(number) -> tuple[int, str | None]:
        body = {"op": f"operation-{number}", "page": page, "cells": [["film", number, 0, "0"]], "how": "look"}
        answer = one.ask("POST", "/api/put", body)
        return answer[0], answer[2].get("refused")

    def state() -> dict:
        return one.ask("GET", "/api/state")[2]

    assert put(0) == (200, None)
    until(lambda: not state()["unwritten"])
    with open(disk / "filler", "wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))
    acknowledged = 1
    while (answer := put(acknowledged))[0] == 200:
        acknowledged += 1
    trouble = (
        "data/labels/film.csv: no space left on device, room to write was expected; what is shown as saved is safe in the "
        "journal: make room or give access, it is written then"
    )
    assert acknowledged > 1 and answer == (409, "not saved: no space left on device; make room on the disk")
    until(lambda: state()["trouble"] == trouble)
    assert state()["unwritten"] and answers(disk) == {(0, "tom", "0")}
    shutil.copytree(disk, tmp_path / "died", ignore=shutil.ignore_patterns("filler"))

    (disk / "filler").unlink()
    until(lambda: state()["trouble"] is None and not state()["unwritten"])
    kept = {(frame, "tom", "0") for frame in range(acknowledged)}
    assert answers(disk) == kept
    assert put(acknowledged) == (200, None)
    os.killpg(command.process.pid, signal.SIGKILL)
    command.ended()
    desk, _ = open_desk(tmp_path / "died", params, params.videos, "ann")  # the machine died while the disk was full
    desk.write()
    assert answers(tmp_path / "died") == kept


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nosuch.mp4"], "nosuch.mp4: no film in params.yaml has this video_id or file name; known are film"),
        (["--annotator", "=1+1"], "--annotator: '=1+1' begins as what a spreadsheet would run as a formula, a name was expected; give one without a leading = + - @"),
        (["--port", "70000"], "--port: 70000 cannot be listened on (bind(): port must be 0-65535.), a free port was expected; choose another or leave it out"),
    ],
)  # fmt: skip
def test_bad_words_are_refused_with_one_sentence(folder, words, sentence):
    assert Command(folder, *words).ended() == (1, sentence + "\n")


def test_a_label_file_that_is_not_one_is_refused_at_the_begin(folder):
    (folder / "data" / "labels" / "film.csv").write_text("start_s,end_s,character,present\n1,,cat,1\n")
    code, said = Command(folder).ended()

    assert (code, said.splitlines()[-1]) == (
        1,
        "data/labels/film.csv: line 2: character 'cat' is not in the cast ['tom', 'jerry']; add it there or correct the file",
    )


def test_the_help_names_every_option(folder):
    done = subprocess.run(
        Command.__init__.__globals__["sys"].executable + " -m screentime label --help", shell=True, cwd=Command.__init__.__globals__["ROOT"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(word in done.stdout for word in ("--annotator", "--port", "--no-browser", "example:"))
