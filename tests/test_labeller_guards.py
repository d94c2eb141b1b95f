"""Every guard of the labeller is what stops its attack: with the guard the attack fails, without it the attack succeeds.

A guard is taken away in this process: its lines are replaced in the source of the function that holds them, or a
constant is. A guard that was moved or worded anew must be named anew here, or its test ends with "is not there".
"""

import atexit
import errno
import http.client
import inspect
import json
import os
import re
import shutil
import socket
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import labeller_runs
import numpy as np
import pytest
import uvicorn
import yaml
from browser import executable
from labelled_film import truth, write_project
from labeller_runs import Running, served
from playwright.sync_api import Browser, sync_playwright
from servers import http_server

from screentime import audit, label_lock, local_page, param_checks, table_files
from screentime.commandline import label
from screentime.errors import InputError
from screentime.files import read_json, write_json
from screentime.labeller import (
    book,
    desk,
    film,
    history,
    journal,
    pages,
    pictures,
    server,
    standing,
    teaching,
    wording,
)
from screentime.labeller.session import JOURNAL, open_desk
from screentime.labels import read_labels
from screentime.params import load
from screentime.skipping import skip

CAST = ["tom", "jerry"]
N_FRAMES = 40
EVIL = "http://evil.example"


@dataclass
class Attacked:
    """A labeller under attack: it answers, its files are in `folder`."""

    folder: Path
    one: Running
    browser: Callable[[], Browser]
    counted: int = 0

    @property
    def film(self):
        return self.one.desk.film("film")

    def operation(self) -> str:
        self.counted += 1
        return f"operation-{self.counted}"

    def page(self, view: str, **more) -> dict:
        return self.one.do("/api/page", view=view, **more)

    def post(self, path: str, **body) -> int:
        """The status of a request as the page sends it."""
        return self.one.ask("POST", path, {"op": self.operation()} | body)[0]

    def say(self, frame: int, values: str, view: str = "film") -> None:
        """Answer a frame by looking."""
        cells = [["film", frame, place, value] for place, value in enumerate(values) if value != "."]
        page = self.page(view)["page"]
        self.one.do("/api/put", op=self.operation(), page=page, cells=cells, how="look")

    def teach(self, n: int = 16) -> None:
        """Label the first frames by the truth and fit the head."""
        there = truth(N_FRAMES, len(CAST))
        for item in self.page("start")["items"][:n]:
            self.say(item["f"], "".join(str(int(one)) for one in there[item["f"]]))
        self.one.desk.refit()

    def draw(self, n: int = 8) -> list[int]:
        """Draw a round; its frames in the order shown."""
        self.one.do("/api/draw", op=self.operation(), video="film", n=n)
        return [item["f"] for item in self.page("audit")["items"]]

    def said(self, frame: int) -> str:
        return "".join(str(one) or "." for one in self.film.sheet.present[frame])

    def csv(self) -> Path:
        return self.folder / "data" / "labels" / "film.csv"


# taking a guard away


def replaced(owner: object, name: str, *lines: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Takes a guard away from a function: in its source the first of each two texts is replaced by the second."""

    def take_away(patch: pytest.MonkeyPatch) -> None:
        found = inspect.getattr_static(owner, name)
        function = found.fget if isinstance(found, property) else found
        source = textwrap.dedent(inspect.getsource(function))
        for guard, instead in zip(lines[::2], lines[1::2], strict=True):
            assert source.count(guard) == 1, f"the guard {guard!r} is not there, or twice, in {name}"
            source = source.replace(guard, instead)
        made: dict = {}
        exec(compile(source, f"{name} without its guard", "exec"), inspect.unwrap(function).__globals__, made)
        patch.setattr(owner, name, made[name])

    return take_away


def nothing(*_: object) -> None:
    """Finds no fault."""


def constant(owner: object, name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    """Takes a guard away that is a constant."""
    return lambda patch: patch.setattr(owner, name, value)


def header(value: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Takes the content policy away."""
    return lambda patch: patch.setitem(server.HEADERS, "Content-Security-Policy", value)


def script(name: str, guard: str, instead: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Takes a guard away from a script of the page: a copy of the page is served."""

    def take_away(patch: pytest.MonkeyPatch) -> None:
        text = (server.PAGE / name).read_text(encoding="utf-8")
        assert text.count(guard) == 1, f"the guard {guard!r} is not there, or twice, in {name}"
        (Path.cwd() / "page").mkdir()
        for path in server.PAGE.iterdir():
            shutil.copy(path, Path.cwd() / "page" / path.name)
        (Path.cwd() / "page" / name).write_text(text.replace(guard, instead), encoding="utf-8")
        patch.setattr(server, "PAGE", Path.cwd() / "page")

    return take_away


def shown_in(choice: Callable[[pytest.MonkeyPatch], None]) -> Callable[[pytest.MonkeyPatch], None]:
    """Takes both guards of a view away: how its frames are chosen, and what leaves a page when a round is drawn."""

    def take_away(patch: pytest.MonkeyPatch) -> None:
        choice(patch)
        replaced(pages.Page, "shown", "self.admits(films[video], frame)", "True")(patch)

    return take_away


# the attacks: each tells whether it succeeded


def put_as(at: Attacked, body: bytes | None = None, **headers: str | None) -> bool:
    """Write from somewhere that is not the page."""
    good = {"op": "operation-attack", "page": at.page("film")["page"], "cells": [["film", 1, 0, "1"]], "how": "look"}
    at.one.ask("POST", "/api/put", (body or b"") + json.dumps(good).encode(), **headers)
    return at.said(1) == "1."


def read_without_token(at: Attacked) -> bool:
    return at.one.ask("GET", "/api/state", X_Token=None)[0] == 200


def read_by_another_name(at: Attacked) -> bool:
    """What a foreign name that was made to point here (DNS rebinding) asks."""
    return at.one.ask("GET", "/", Host="evil.example")[0] == 200


def unbounded(at: Attacked) -> bool:
    """A body that does not say how long it is, and is longer than any of the page's."""
    connection = http.client.HTTPConnection("127.0.0.1", at.one.port, timeout=30)
    page = at.page("film")["page"]
    good = {"op": "operation-attack", "page": page, "cells": [["film", 1, 0, "1"]], "how": "look"}
    pieces = [b" " * server_limit, json.dumps(good).encode()]
    headers = {
        "Origin": f"http://127.0.0.1:{at.one.port}", "X-Token": at.one.token, "Content-Type": "application/json",
    }  # fmt: skip
    try:
        connection.request("POST", "/api/put", iter(pieces), headers, encode_chunked=True)
        connection.getresponse().read()
    except OSError:  # it was shut while it was sending
        pass
    return at.said(1) == "1."


server_limit, kept_pages = server.LARGEST_BODY, desk.KEPT_PAGES  # as they are before they are taken away


def from_another_machine(at: Attacked) -> bool:
    """Reach the server by another of this machine's addresses."""
    with socket.socket() as caller:
        caller.settimeout(5)
        return caller.connect_ex(("127.0.0.2", at.one.port)) == 0


@contextmanager
def visited(at: Attacked) -> Iterator:
    """The page in a browser."""
    context = at.browser().new_context()
    try:
        page = context.new_page()
        page.goto(at.one.address)
        page.wait_for_selector(".cell")
        yield page
    finally:
        context.close()


def foreign_script(at: Attacked) -> bool:
    """A script that somehow came to stand in the page."""
    with visited(at) as page:
        page.evaluate("""() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'taken'";
          document.body.append(script);
        }""")
        return page.title() == "taken"


def framed(at: Attacked) -> bool:
    """Another page shows this one in a frame, to have it clicked."""
    (at.folder / "trap").mkdir()
    (at.folder / "trap" / "index.html").write_text(f"<iframe src='http://127.0.0.1:{at.one.port}/'></iframe>")
    with http_server(at.folder / "trap") as address:
        page = at.browser().new_page()
        page.goto(address)
        inside = page.frames[1].locator("#views").count()
        page.close()
    return inside == 1


def markup(at: Attacked) -> bool:
    """A name that is markup."""
    with visited(at) as page:
        return page.locator("b.taken").count() > 0


def folder_beside(at: Attacked) -> bool:
    """A picture from a folder that is not this project's."""
    other = at.folder / "beside"
    write_project(other, ["secret"], CAST, n_frames=2)
    return at.one.ask("GET", "/picture/frame/..%2f..%2fbeside%2fdata%2fframes%2fsecret/0")[0] == 200


def by_path(patch: pytest.MonkeyPatch) -> None:
    """Takes the manifest away: a picture is asked for by the path of its film."""
    replaced(
        pictures.Pictures, "get", "self._frames.get(video)",
        "__import__('screentime.frames').frames.open_frames((p := __import__('pathlib').Path('data/frames') / video).parent, p.name)",
    )(patch)  # fmt: skip
    replaced(labeller_runs, "application", "/picture/{kind}/{video}/", "/picture/{kind}/{video:path}/")(patch)


def last_frame_from_behind(at: Attacked) -> bool:
    """A frame that is counted from the end."""
    at.post("/api/put", page=at.page("film")["page"], cells=[["film", -1, 0, "1"]], how="many")
    return at.film.sheet.rows != ()


def formula_as_answer(at: Attacked) -> bool:
    at.post("/api/put", page=at.page("film")["page"], cells=[["film", 1, 0, "="]], how="look")
    return at.said(1) == "=."


def formula_as_name(at: Attacked) -> bool:
    return loads(at, cast=["=HYPERLINK(1)"])


def formula_as_film(at: Attacked) -> bool:
    return loads(at, videos=["=HYPERLINK(1).mp4"])


def loads(at: Attacked, **changed: object) -> bool:
    """Whether params.yaml is taken with other values."""
    changed = yaml.safe_load((at.folder / "params.yaml").read_text(encoding="utf-8")) | changed
    (at.folder / "other.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    return taken(lambda: load(at.folder / "other.yaml"))


def taken(work: Callable[[], object]) -> bool:
    """Whether something is done and not refused."""
    try:
        work()
    except InputError:
        return False
    return True


def formula_as_reason_of_the_command(at: Attacked) -> bool:
    return taken(lambda: skip(at.folder / "other.skip.csv", 0.0, 1.0, "=HYPERLINK(1)", 12.0))


def formula_in_a_file(at: Attacked) -> bool:
    path = at.folder / "other.csv"
    path.write_text(
        "start_s,end_s,character,present,source,annotator,at\n1,,tom,1,manual,=HYPERLINK(1),\n", encoding="utf-8"
    )
    return taken(lambda: read_labels(path, ["tom"], 12.0))


def formula_as_reason(at: Attacked) -> bool:
    return at.post("/api/skip", video="film", first=1, last=2, reason="=HYPERLINK(1)") == 200


def formula_as_annotator(at: Attacked) -> bool:
    return ran(lambda: label._label(label_words("--annotator", "=HYPERLINK(1)")))


def label_words(*words: str):
    import argparse

    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    label.add(commands)
    return parser.parse_args(["label", "--no-browser", *words])


def ran(work: Callable[[], None]) -> bool:
    """Whether a labeller came to serve; it then ends at once."""
    begun = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.Server, "run", lambda self, sockets: [begun.append(1), *(one.close() for one in sockets)])
        try:
            work()
        except InputError:
            return False
    return bool(begun)


def any_answer(patch: pytest.MonkeyPatch) -> None:
    """Takes the check of answers away, and the table that would stumble over one after it."""
    replaced(desk.Desk, "_checked", 'answer not in ("1", "0", "?")', "False")(patch)
    patch.setitem(wording.WORDS, "=", "there")


# blind


def score_in_the_timeline(at: Attacked) -> bool:
    at.teach()
    drawn = at.draw()
    at.one.desk.refit()
    scores = at.one.ask("GET", "/api/film/film")[2]["scores"]
    return any(column[frame] is not None for column in scores for frame in drawn)


def answer_in_the_timeline(at: Attacked) -> bool:
    drawn = at.draw()
    at.say(drawn[0], "10", "audit")
    return at.one.ask("GET", "/api/film/film")[2]["answers"][0][drawn[0]] == "1"


def guess_in_the_audit(at: Attacked) -> bool:
    at.teach()
    at.draw()
    at.one.desk.refit()
    return any(set(item.get("p", "")) & set("01") for item in at.page("audit")["items"])


def drawn_in(view: str, at: Attacked, **more) -> bool:
    """A drawn frame on a page of another view."""
    at.teach(10)
    drawn = set(at.draw(12))
    for frame in sorted(drawn)[:6]:
        at.say(frame, "10" if view == "check" else "1.", "audit")
    at.one.desk.refit()
    if view == "group":
        more["frame"] = min(set(range(N_FRAMES)) - drawn)
    if view == "check":
        at.film.near[:] = np.where(at.film.sheet.numbers() == 1, 0.1, 0.9)
    return any(item["f"] in drawn for item in at.page(view, video="film", **more)["items"])


def drawn_on_an_old_page(at: Attacked) -> bool:
    """Another tab shows guesses from before the draw."""
    at.teach()
    page = at.page("film")["page"]
    drawn = set(at.draw())
    items = at.one.do("/api/look", page=page)["items"]
    return any(set(item.get("p", "")) & set("01") for item in items if item["f"] in drawn)


def drawn_as_portrait(at: Attacked) -> bool:
    at.one.do("/api/portrait", op=at.operation(), character=0, video="film", frame=5)
    at.draw(N_FRAMES - 1)
    if not at.film.drawn[5]:
        at.film.drawn[5] = True
    return at.one.ask("GET", "/api/state")[2]["portraits"][0] == ["film", 5]


def covered(at: Attacked, frames: list[int]) -> bool:
    """Whether a row of the label file speaks of one of some frames."""
    return any(row.start_s <= frame < (row.end_s or row.start_s + 1) for row in at.film.sheet.rows for frame in frames)


def painted_over(at: Attacked) -> bool:
    frame = min(at.draw())
    at.post("/api/put", page=at.page("film")["page"], cells=[["film", frame, 0, "1"]], how="many")
    return covered(at, [frame])


def accepted_since(at: Attacked) -> bool:
    """Accept, on a page from before the draw, a frame that was drawn since."""
    at.teach()
    page = at.page("film")
    frame = next(one for one in at.draw(20) if at.said(one) == "..")
    at.post("/api/accept", page=page["page"], items=[["film", frame, page["items"][frame]["p"]]])
    return covered(at, [frame])


def shot_over(at: Attacked) -> bool:
    drawn = at.draw(12)
    first, last = next(at.film.shot_of(one) for one in drawn if not all(at.film.drawn[slice(*at.film.shot_of(one))]))
    frame = next(one for one in range(first, last + 1) if not at.film.drawn[one])
    at.post("/api/take-shot", page=at.page("film")["page"], video="film", frame=frame, values="10")
    return covered(at, drawn)


def shot_in_an_audit(at: Attacked) -> bool:
    """Take a whole shot on the page of an audit: where the frame is one that was not drawn."""
    drawn = at.draw()
    frame = next(one for one in range(N_FRAMES) if one not in drawn)
    page = at.page("audit")["page"]
    return at.post("/api/take-shot", page=page, video="film", frame=frame, values="10") == 200


def shot_of_a_drawn_frame(at: Attacked) -> bool:
    """Ask for the shot of a frame that waits, on another page."""
    frame = next(one for one in at.draw() if not at.film.drawn[slice(*at.film.shot_of(one))].all())
    page = at.page("film")["page"]
    return at.post("/api/shot", page=page, video="film", frame=frame) == 200


def drawn_as_new_portrait(at: Attacked) -> bool:
    frame = at.draw()[0]
    return at.post("/api/portrait", character=0, video="film", frame=frame) == 200


def drawn_while_the_file_lags(at: Attacked) -> bool:
    """Draw a round while the label file cannot be written: what it lacks would be taken for not labelled."""
    (at.csv().parent / f".{at.csv().name}.partial").mkdir()
    at.say(1, "10")
    at.post("/api/draw", video="film", n=N_FRAMES)
    return bool(at.film.drawn[1])


def many_in_an_audit(at: Attacked) -> bool:
    drawn = at.draw()
    cells = [["film", frame, 0, "1"] for frame in drawn]
    return at.post("/api/put", page=at.page("audit")["page"], cells=cells, how="many") == 200


def many_again(at: Attacked) -> bool:
    """Paint over frames of a complete round that are looked at again."""
    at.teach()
    for frame in at.draw():
        at.say(frame, "10", "audit")
    at.one.desk.refit()
    at.film.near[:] = np.where(at.film.sheet.numbers() == 1, 0.1, 0.9)
    page = at.page("check")
    cells = [["film", item["f"], 0, "?"] for item in page["items"] if at.film.drawn[item["f"]]]
    at.post("/api/put", page=page["page"], cells=cells, how="many")
    return any("?" in at.said(frame) for _, frame, *_ in cells)


def in_order_of_time(at: Attacked) -> bool:
    drawn = at.draw()
    return drawn == sorted(drawn)


def figure_that_moves(at: Attacked) -> bool:
    """Watch the seconds while a round is answered, to stop when they please."""
    at.teach()
    drawn = at.draw()
    at.one.desk.refit()
    before = [(time.seconds, time.basis) for time in at.film.screen_times()]
    for frame in drawn[:-1]:
        at.say(frame, "11", "audit")
    return [(time.seconds, time.basis) for time in at.film.screen_times()] != before


def round_that_is_not_complete(at: Attacked) -> bool:
    at.teach()
    for frame in at.draw()[:-1]:
        at.say(frame, "11", "audit")
    return {time.basis for time in at.film.screen_times()} != {"count"}


def trained_by_the_audit(at: Attacked) -> bool:
    at.teach()
    at.one.desk.refit()
    before = at.film.scores.copy()
    for frame in at.draw():
        at.say(frame, "10", "audit")
    at.one.desk.refit()
    return not np.array_equal(at.film.scores, before)


def undone_behind_a_draw(at: Attacked) -> bool:
    """Take back an answer that decided what could be drawn."""
    at.say(1, "10")
    at.draw()
    return at.post("/api/undo") == 200


def other_rate(at: Attacked) -> bool:
    """Sample the film anew at another rate and use the audit that was drawn at the first."""
    at.draw()
    facts = at.folder / "data" / "frames" / "film.json"
    write_json(facts, read_json(facts) | {"fps": 2})
    try:
        settings = load(at.folder / "params.yaml")
        open_desk(at.folder, settings, settings.videos, "ann")
    except InputError:
        return False
    return True


# accepting, sending twice


def not_on_the_screen(at: Attacked) -> bool:
    at.teach()
    page = at.page("review")
    frame = next(
        one for one in range(N_FRAMES) if one not in {item["f"] for item in page["items"]} and at.said(one) == ".."
    )
    at.post("/api/accept", page=page["page"], items=[["film", frame, "".join(at.film.proposals()[frame])]])
    return at.said(frame) != ".."


def looked_at_elsewhere(at: Attacked) -> bool:
    """Say to have looked at a frame that the page does not show."""
    page = at.page("group", video="film", frame=0)
    frame = next(one for one in range(N_FRAMES) if one not in {item["f"] for item in page["items"]})
    at.post("/api/put", page=page["page"], cells=[["film", frame, 0, "1"]], how="look")
    return at.said(frame) == "1."


def not_as_shown(at: Attacked) -> bool:
    at.teach()
    page = at.page("review")
    item = page["items"][0]
    other = item["p"].translate(str.maketrans("01", "10"))
    at.post("/api/accept", page=page["page"], items=[["film", item["f"], other]])
    return at.said(item["f"]) == other


def old_page(at: Attacked) -> bool:
    page = at.page("start")
    for _ in range(kept_pages):
        at.page("start")
    return at.post("/api/accept", page=page["page"], items=[["film", page["items"][0]["f"], "00"]]) == 200


def undo_sent_again(at: Attacked) -> bool:
    """The answer to an undo was lost on the way, and the page sends it again."""
    at.say(1, "1.")
    at.say(2, "1.")
    for _ in range(2):
        at.one.do("/api/undo", op="operation-undo")
    return at.said(1) == ".."


# the files


def synced(at: Attacked) -> bool:
    """A power cut after an answer was acknowledged: what was not synced is gone."""
    kept: dict[str, bytes] = {}
    real = os.fsync

    def fsync(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        if path.is_file():
            kept[path.name] = path.read_bytes()
        real(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        at.post("/api/put", op="operation-cut", page=at.page("film")["page"], cells=[["film", 1, 0, "1"]], how="look")
    return b"operation-cut" not in kept.get(JOURNAL.name, b"")


def overwritten(at: Attacked) -> bool:
    """A second hand at the journal, which was opened before the last line was written."""
    other = journal.Journal(at.folder / JOURNAL)
    at.say(1, "1.")
    lines = (at.folder / JOURNAL).read_bytes()
    other.append({"kind": "active", "active_s": 1.0})
    other.close()
    return not (at.folder / JOURNAL).read_bytes().startswith(lines)


def half_written(at: Attacked) -> bool:
    """The machine dies while the label file is written."""
    at.say(1, "1.")
    at.one.desk.write()
    before = at.csv().read_bytes()
    at.say(2, "1.")
    real = Path.write_bytes

    def dies(path: Path, data: bytes) -> int:
        real(path, data[: len(data) // 2])
        raise OSError(errno.EIO, "Input/output error")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", dies)
        at.one.desk.write()
    return not at.csv().read_bytes().startswith(before)


def written_for_nothing(at: Attacked) -> bool:
    """A file whose time changes although nothing in it does makes every stage behind it stale."""
    at.say(1, "1.")
    at.one.desk.write()
    before = at.csv().stat()
    at.one.desk.write()
    return at.csv().stat().st_ino != before.st_ino


def edit_outside(at: Attacked, *, same_cell: bool) -> bool:
    """Somebody else's edit of the label file while an answer is not yet in it; whether it was overwritten unasked."""
    at.say(1, "1.")
    at.one.desk.write()
    with at.one.desk.lock:  # before the file is written in the background
        at.one.desk.put("operation-here", at.one.desk.page("film")["page"], [["film", 1, 0, "0"]], "look")
        text = at.csv().read_text(encoding="utf-8")
        edited = text.replace("1,,tom,1", "1,,tom,?") if same_cell else text + "5,,jerry,1,manual,bea,\n"
        at.csv().write_text(edited, encoding="utf-8")
        at.one.desk.write()
    now = at.csv().read_text(encoding="utf-8")
    return ("1,,tom,?" if same_cell else "5,,jerry,1,manual,bea") not in now


def unreadable(at: Attacked) -> bool:
    """A label file that somebody broke is overwritten."""
    at.say(1, "1.")
    at.one.desk.write()
    with at.one.desk.lock:
        at.one.desk.put("operation-here", at.one.desk.page("film")["page"], [["film", 2, 0, "1"]], "look")
        at.csv().write_text(at.csv().read_text(encoding="utf-8") + "5,,nobody,1,manual,,\n", encoding="utf-8")
        at.one.desk.write()
    return "nobody" not in at.csv().read_text(encoding="utf-8")


def second_server(at: Attacked) -> bool:
    """Another labeller, or a command that merges, on the same files."""
    settings = load(at.folder / "params.yaml")
    with label_lock.label_lock(at.folder, "the labeller"):
        return ran(lambda: label._serve(at.folder, settings, list(settings.videos), "bea", 0, browser=False))


@dataclass
class Guard:
    """What stops an attack, and how it is taken away."""

    name: str
    attack: Callable[[Attacked], bool]
    without: Callable[[pytest.MonkeyPatch], None]
    cast: list = field(default_factory=lambda: CAST)


MARKUP = ["<b class=taken>x</b>", "jerry"]
GUARDS = [
    Guard("token", read_without_token, replaced(local_page.Gate, "_refusal", "not hmac.compare_digest(given.encode(), self._token.encode())", "False")),
    Guard("host", read_by_another_name, replaced(local_page.Gate, "_refusal", "host not in self._hosts", "False")),
    Guard("origin", partial(put_as, Origin=EVIL), replaced(local_page.Gate, "_refusal", 'request.headers.get("origin") != f"http://{host}"', "False")),
    Guard("JSON only", partial(put_as, Content_Type="text/plain"), replaced(local_page.Gate, "_refusal", '!= "application/json"', "== 0")),
    Guard("size of a body", partial(put_as, body=b" " * server.LARGEST_BODY), constant(server, "LARGEST_BODY", 10**12)),
    Guard("size of a body without a length", unbounded, replaced(server, "bounded", "len(body) > LARGEST_BODY", "False")),
    Guard("this machine only", from_another_machine, lambda patch: patch.setattr(labeller_runs, "listening_socket", everywhere)),
    Guard("policy: scripts", foreign_script, header("default-src * 'unsafe-inline'")),
    Guard("policy: frames", framed, header("default-src 'self'")),
    Guard("names as text", markup, script('side.js', 'text.append(name)', 'text.innerHTML = name'), cast=MARKUP),
    Guard("frames through the manifest", folder_beside, by_path),
    Guard("frames in range", last_frame_from_behind, replaced(desk.Desk, "_checked", "not 0 <= frame < len(film.frames)", "False")),
    Guard("answers are 1, 0, ?", formula_as_answer, any_answer),
    Guard("formula as a character", formula_as_name, constant(param_checks, "is_formula", nothing)),
    Guard("formula as a reason", formula_as_reason, constant(table_files, "is_formula", nothing)),
    Guard("formula as a reason of the command", formula_as_reason_of_the_command, constant(table_files, "is_formula", nothing)),
    Guard("formula in a label file", formula_in_a_file, constant(table_files, "is_formula", nothing)),
    Guard("formula as a film", formula_as_film, constant(param_checks, "is_formula", nothing)),
    Guard("formula as an annotator", formula_as_annotator, constant(label, "is_formula", nothing)),
    Guard("blind: timeline, scores", score_in_the_timeline, replaced(desk, "timeline", "np.where(film.drawn[:, None], np.nan, film.scores)", "film.scores")),
    Guard("blind: timeline, answers", answer_in_the_timeline, replaced(desk, "timeline", "np.where(film.drawn[:, None], UNKNOWN, film.sheet.present)", "film.sheet.present")),
    Guard("blind: no guess of a drawn frame", guess_in_the_audit, lambda patch: [constant(pages, "GUESSING", pages.VIEWS)(patch), replaced(film.Film, "proposals", "proposed[self.drawn] = UNKNOWN", "pass")(patch)]),
    Guard("blind: start", partial(drawn_in, "start"), shown_in(replaced(film.Film, "free", "~self.drawn & ", ""))),
    Guard("blind: review", partial(drawn_in, "review"), shown_in(replaced(film.Film, "free", "~self.drawn & ", ""))),
    Guard("blind: look-alikes", partial(drawn_in, "group"), shown_in(replaced(film.Film, "free", "~self.drawn & ", ""))),
    Guard("blind: check", partial(drawn_in, "check"), shown_in(replaced(film.Film, "measured", '~self.record["round"].isin(incomplete)', 'self.record["round"] > 0'))),
    Guard("blind: film", partial(drawn_in, "film"), shown_in(replaced(pages, "_film_items", "np.flatnonzero(~film.drawn)", "range(len(film.frames))"))),
    Guard("blind: one character", partial(drawn_in, "one", character=1), shown_in(replaced(pages, "_one_items", "& ~film.drawn ", ""))),
    Guard("blind: side by side", partial(drawn_in, "same", character=0), shown_in(replaced(pages, "_same_items", " & ~film.drawn", ""))),
    Guard("blind: pages from before the draw", drawn_on_an_old_page, replaced(pages.Page, "shown", "self.admits(films[video], frame)", "True")),
    Guard("blind: pictures of characters", drawn_as_portrait, replaced(standing, "portraits", "films[video].drawn[frame]", "False")),
    Guard("painting leaves out", painted_over, replaced(desk.Desk, "put", "shown.admits(film, frame) and alone", "True")),
    Guard("accepting leaves out", accepted_since, replaced(desk.Desk, "accept", "not shown.admits(film, frame)", "False")),
    Guard("shots leave out", shot_over, replaced(desk.Desk, "take_shot", " if not film.drawn[one]]", "]")),
    Guard("no shot in an audit", shot_in_an_audit, replaced(desk.Desk, "shot", 'shown.view == "audit"', "False")),
    Guard("no shot of a drawn frame", shot_of_a_drawn_frame, replaced(desk.Desk, "shot", "film.drawn[frame]", "False")),
    Guard("a drawn frame is no picture of a character", drawn_as_new_portrait, replaced(desk.Desk, "portrait", "film.drawn[frame]", "False")),
    Guard("no draw while the label file lags", drawn_while_the_file_lags, replaced(desk.Desk, "draw", "if film.trouble:", "if False:")),
    Guard("an audit is looked at frame by frame", many_in_an_audit, replaced(desk.Desk, "put", 'shown.view == "audit" and how != "look"', "False")),
    Guard("a second look is one frame's", many_again, replaced(desk.Desk, "put", " and alone", "")),
    Guard("an audit comes in random order", in_order_of_time, replaced(film.Film, "audit_order", "random.Random(f\"{self.video_id} {number}\").shuffle(frames)", "pass")),
    Guard("no figure moves while a round is answered", figure_that_moves, replaced(film.Film, "answers", "self.looked & counted", "self.looked")),
    Guard("a round counts when it is complete", round_that_is_not_complete, replaced(film, "complete_rounds", "told[needed].all(axis=0)", "told[needed].any(axis=0)")),
    Guard("drawn frames never train", trained_by_the_audit, replaced(teaching.Fit, "__init__", " & ~film.drawn)", ")")),
    Guard("undo ends at a draw", undone_behind_a_draw, replaced(history.History, "drawn_since", 'one["kind"] == "drew" and', "False and")),
    Guard("an audit holds at its own rate", other_rate, constant(audit, "_check_origin", lambda *_: None)),
    Guard("accept what is on the screen", not_on_the_screen, replaced(desk.Desk, "accept", "(video, frame) not in shown.members", "False")),
    Guard("look at what is on the screen", looked_at_elsewhere, replaced(desk.Desk, "put", 'how == "look" and any', "False and any")),
    Guard("accept what was shown", not_as_shown, replaced(pages.Page, "accepted", 'value != (there or guess or "0")', "False")),
    Guard("no page for ever", old_page, constant(desk, "KEPT_PAGES", 10**9)),
    Guard("an operation is done once", undo_sent_again, replaced(history.History, "of_operation", "self._by_operation.get(operation)", "None")),
    Guard("the journal is synced", synced, replaced(journal.Journal, "append", "os.fsync(self._file)", "pass")),
    Guard("the journal is appended to", overwritten, replaced(journal.Journal, "__init__", " | os.O_APPEND", "")),
    Guard("the file is renamed into place", half_written, replaced(book.Book, "write", "with new_file(self.path) as partial:", "for partial in [self.path]:")),
    Guard("the file is written where it differs", written_for_nothing, replaced(book.Book, "write", "digest == self._digest", "False")),
    Guard("an edit outside is noticed", partial(edit_outside, same_cell=False), constant(book.Book, "look", lambda self: False)),
    Guard("a differing cell is asked about", partial(edit_outside, same_cell=True), replaced(book.Book, "_merge", "there == before[cell]", "True")),
    Guard("a broken file is left alone", unreadable, replaced(book.Book, "write", "self._unreadable is not None or ", "")),
    Guard("one labeller at a time", second_server, lambda patch: patch.setattr(label_lock, "label_lock", lambda *_: nullcontext())),
]  # fmt: skip


def everywhere(port: int) -> socket.socket:
    """A socket that any machine reaches."""
    listening = socket.socket()
    listening.bind(("0.0.0.0", port))
    listening.listen()
    return listening


@pytest.fixture(scope="module")
def browser() -> Iterator[Callable[[], Browser]]:
    """Chromium, started when the first attack needs it."""
    running: list = []

    def chromium() -> Browser:
        if not running:
            running.append(sync_playwright().start())
            flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"]
            running.append(running[0].chromium.launch(executable_path=executable(), args=flags))
        return running[1]

    yield chromium
    if running:
        running[1].close()
        running[0].stop()


@cache
def written(cast: tuple[str, ...]) -> Path:
    """A project to copy."""
    folder = Path(tempfile.mkdtemp()) / "project"
    write_project(folder, ["film"], cast, n_frames=N_FRAMES)
    atexit.register(shutil.rmtree, folder.parent)
    return folder


def attacked(guard: Guard, folder: Path, browser, patch: pytest.MonkeyPatch) -> bool:
    """Whether the attack succeeds against a labeller of its own."""
    shutil.copytree(written(tuple(guard.cast)), folder, dirs_exist_ok=True)
    settings = load(folder / "params.yaml")
    patch.chdir(folder)
    with served(folder, settings) as one:
        return guard.attack(Attacked(folder, one, browser))


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_is_what_stops_its_attack(guard, tmp_path, browser, monkeypatch):
    with monkeypatch.context() as patch:
        assert not attacked(guard, tmp_path / "guarded", browser, patch)
    (tmp_path / "open").mkdir()
    monkeypatch.chdir(tmp_path / "open")
    guard.without(monkeypatch)

    assert attacked(guard, tmp_path / "open", browser, monkeypatch)


def test_the_page_makes_no_markup_of_text():
    """The guard above is one place of many; none of the page's scripts may turn text into markup."""
    text = "".join(path.read_text(encoding="utf-8") for path in server.PAGE.glob("*.js"))

    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser", text)
        == []
    )
