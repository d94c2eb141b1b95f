"""What a person does at the labeller: pages of frames, answers, undo, audit rounds. Knows nothing of the web.

Every answer goes through `_did`: applied, kept in the journal, then acknowledged; where the journal cannot be written,
nothing was done.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path

import numpy as np

from screentime.agenda import Plan, plan
from screentime.audit import draw
from screentime.files import sync_folder
from screentime.label_rows import bounds_s
from screentime.labeller import standing
from screentime.labeller.book import change_of
from screentime.labeller.errors import Refused
from screentime.labeller.film import Film
from screentime.labeller.history import History
from screentime.labeller.journal import Journal
from screentime.labeller.pages import BLIND, VIEWS, Page, cells_of, make_page, shot_items, timeline
from screentime.labeller.sheet import UNKNOWN, Cell, Change
from screentime.labeller.study import Study
from screentime.labeller.teaching import Fit, Teacher
from screentime.labeller.wording import answers_said, left_out_text

KEPT_PAGES = 20  # of which accepting is possible
PAUSE_S = 30.0  # longer pauses are not active time
WRITE_AFTER_S = 0.5  # the label file follows the last answer by so much, and the first unwritten one by a second


def once(work: Callable[..., dict]) -> Callable[..., dict]:
    """What a request does, by the id of its operation: sent again it does nothing, and is told the same."""

    @wraps(work)
    def done(self: "Desk", operation: str, *words: object) -> dict:
        with self.lock:
            entry = self._history.of_operation(operation)
            return self._reply(entry) if entry is not None else work(self, operation, *words)

    return done


class Desk:
    """All films of a project, one cast, one journal."""

    def __init__(
        self,
        films: Sequence[Film],
        cast: Sequence[str],
        journal: Journal,
        *,
        labels: Path,
        annotator: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        study: Study | None = None,
    ) -> None:
        self.films = {film.video_id: film for film in films}
        self.cast = list(cast)
        self.lock = threading.RLock()
        self._labels, self._annotator, self._now = labels, annotator, now
        self._pages: dict[int, Page] = {}
        self._page_count = 0
        self._stale_head, self._fitting = True, threading.Lock()
        self._unwritten_since: float | None = None
        self._last_answer = 0.0
        self.version = 0
        self._seconds: dict = {}
        self._history = History(journal, self.films)
        self._history.notice_rounds()
        self._teacher = Teacher(self.films.values(), study)

    # what there is

    def film(self, video_id: str) -> Film:
        try:
            return self.films[video_id]
        except KeyError:
            raise Refused(f"no film '{video_id}' is open here") from None

    def state(self) -> dict:
        """Where the work stands; small, asked for often."""
        with self.lock:
            self._look()
            next_, films, shares = self.plan(), self.films.values(), self._shares()
            to_undo, to_redo = self._history.last("undid"), self._history.last("redid")
            return {
                "version": self.version,
                "agenda": {
                    "view": next_.view,
                    "why": next_.why,
                    "video": next_.video,
                    "n": next_.n,
                    "character": self._place(next_.character),
                },
                "films": [standing.film_state(film, shares[film.video_id]) for film in films],
                "active_s": round(self._history.active_s, 1),
                "undo": to_undo and to_undo["said"],
                "redo": to_redo and to_redo["said"],
                "trouble": next((film.trouble for film in films if film.trouble), None),
                "questions": standing.questions(films),
                "unwritten": self._unwritten_since is not None,
                "standing": self._seconds,
                "study": self._teacher.told,
                "portraits": standing.portraits(self.films, self.cast, self._history.portraits),
                "counts": standing.counts(films, self.cast),
            }

    def plan(self) -> Plan:
        """What is most useful now."""
        again, shares = self._history.looked_again, self._shares()
        return plan([standing.film_standing(film, shares[video], again[video]) for video, film in self.films.items()])

    def _shares(self) -> dict[str, int]:
        """Per film how many frames its next round should have."""
        return standing.shares(self.films.values(), self._history.begun_at)

    def _place(self, character: str | None) -> int | None:
        return None if character is None else self.cast.index(character)

    # pages

    def page(
        self, view: str | None, video: str | None = None, frame: int | None = None, character: int | None = None
    ) -> dict:
        """Make a page.

        Args:
            view: which of VIEWS; None: what is most useful now.
            video: of this film only; None: of all.
            frame: the film view begins here; the group view shows its look-alikes.
            character: the view `one` asks about this one only.
        """
        with self.lock:
            self._look()
            if view is None:
                next_ = self.plan()
                view, video = (next_.view, next_.video) if next_.view in VIEWS else ("film", video)
                character = self._place(next_.character)
            films = [self.film(video)] if video is not None else list(self.films.values())
            chance = random.Random(self._page_count)
            page = make_page(
                self._page_count + 1, view, films, self.cast, frame=frame, character=character, chance=chance
            )
            self._page_count += 1
            self._pages[page.number] = page
            self._pages.pop(page.number - KEPT_PAGES, None)
            return self._page_shown(page)

    def look(self, page: int) -> dict:
        """A page once more: the same frames and proposals, with the answers of now."""
        with self.lock:
            self._look()
            return self._page_shown(self._page(page))

    def overview(self, video: str) -> dict:
        """A whole film for the timeline: times, answers, scores in percent; nothing of the frames that an audit drew."""
        with self.lock:
            return timeline(self.film(video))

    # what a person says

    @once
    def put(self, operation: str, page: int, cells: Sequence[Sequence], how: str, active_s: float = 0.0) -> dict:
        """Answer cells: by looking at a frame (how: look), or over many at once (how: many).

        Whoever corrects a character in a frame has looked at that frame: where the page asks about all characters, what
        the person lets stand there counts as looked at too, at once or when the page is accepted. So a frame is known
        for all characters or for none, and an audit drawn later has no frames of which only a part is known.

        Args:
            operation: the request's own id; the same one is done once.
            page: the page they are on.
            cells: film, frame, character, answer.
            how: look or many.
        """
        shown = self._page(page)
        self._look()
        wanted: dict[str, dict[Cell, str]] = defaultdict(dict)
        left_out = set()
        for video, frame, character, answer in cells:
            film = self._checked(video, frame, character, answer)
            alone = how == "look" or not film.drawn[frame]
            if shown.admits(film, frame) and alone:
                wanted[video][Cell(frame, character)] = answer
            else:
                left_out.add((video, frame))
        if how == "look" and any((v, c.frame) not in shown.members for v, of in wanted.items() for c in of):
            raise Refused("that frame is not on this page")
        if shown.view == "audit" and how != "look":
            raise Refused("in an audit every frame is looked at by itself")
        by_source: dict[tuple[str, str], dict[Cell, str]] = defaultdict(dict)
        for video, of in wanted.items():
            film = self.films[video]
            for cell, answer in of.items():
                source = BLIND if film.drawn[cell.frame] else "manual" if how == "look" else "propagated"
                by_source[video, source][cell] = answer
        for (video, source), of in by_source.items():
            if source == "manual":
                of |= shown.let_stand(self.films[video], of)
        alone = shown.view == "check" and how == "look"
        again = {(video, cell.frame) for video, of in wanted.items() for cell in of} if alone else ()
        said = answers_said(wanted, self.films, self.cast, len(left_out))
        return self._did(operation, self._changes(by_source), said, active_s, again=again)

    @once
    def accept(self, operation: str, page: int, items: Sequence[Sequence], active_s: float = 0.0) -> dict:
        """Confirm frames as they are shown: every character gets the value that the person saw.

        Args:
            operation: the request's own id.
            page: the page they are on.
            items: film, frame, and the values shown, one letter for each character.

        Raises:
            Refused: a frame that is not on the page, or a value that is not the one that was shown.
        """
        shown = self._page(page)
        self._look()
        by_source: dict[tuple[str, str], dict[Cell, str]] = defaultdict(dict)
        for video, frame, values in items:
            if (video, frame) not in shown.members:
                raise Refused("a frame that is not on the screen cannot be accepted")
            film = self.film(video)
            if not shown.admits(film, frame):
                raise Refused("this frame has been drawn for the audit since; take the next page")
            for source, of in shown.accepted(film, frame, values).items():
                by_source[video, source] |= of
        told = [(video, frame) for video, frame, _ in items]
        done = "confirmed" if shown.view == "check" else "accepted"
        said = f"{film.clock(frame)}: {done}" if len(told) == 1 else f"{len(told)} frames {done}"
        again = told if shown.view == "check" else ()
        jump = told[0] if told else None
        return self._did(operation, self._changes(by_source), said, active_s, jump=jump, again=again)

    def _changes(self, by_source: Mapping[tuple[str, str], Mapping[Cell, str]]) -> dict[str, Change]:
        """Per film what has to change for its cells to have these answers."""
        changes: dict[str, Change] = {}
        for (video, source), cells in by_source.items():
            one = self._change(video, cells, source)
            before = changes.get(video, Change((), ()))
            changes[video] = Change(before.removed + one.removed, before.added + one.added)
        return changes

    def shot(self, page: int, video: str, frame: int) -> dict:
        """The shot of a frame: its first, middle and last frame, and which characters change inside it."""
        with self.lock:
            shown, film = self._page(page), self.film(video)
            if shown.view == "audit" or film.drawn[frame]:
                raise Refused("a shot cannot be taken in an audit")
            return shot_items(film, frame)

    @once
    def take_shot(self, operation: str, page: int, video: str, frame: int, values: str, active_s: float = 0.0) -> dict:
        """Give every frame of a shot the values of one of its frames.

        Raises:
            Refused: labels or proposals change inside the shot.
        """
        about = self.shot(page, video, frame)
        film = self.film(video)
        self._look()
        if len(values) != len(self.cast) or not set(values) <= set("01?"):
            raise Refused("every character needs a value before a whole shot can have it")
        if about["changing"]:
            names = ", ".join(self.cast[place] for place in about["changing"])
            raise Refused(f"{names}: this changes inside the shot, so it cannot be taken whole; go frame by frame")
        frames = [one for one in range(about["first"], about["last"] + 1) if not film.drawn[one]]
        cells = {
            Cell(one, place): value
            for one in frames
            for place, value in enumerate(values)
            if film.sheet.present[one, place] == UNKNOWN
        }
        changes = {video: self._change(video, cells, "propagated")}
        said = f"shot at {film.clock(about['first'])}: {len({cell.frame for cell in cells})} frames"
        said += left_out_text(about["left_out"])
        return self._did(operation, changes, said, active_s, jump=(video, frame))

    # undo, redo, audit, questions

    def undo(self, operation: str, active_s: float = 0.0) -> dict:
        """Take back what was done last."""
        return self._turned(operation, "undid", active_s)

    def redo(self, operation: str, active_s: float = 0.0) -> dict:
        """Do again what was taken back last."""
        return self._turned(operation, "redid", active_s)

    @once
    def _turned(self, operation: str, kind: str, active_s: float) -> dict:
        self._look()
        self._history.notice_rounds()  # there was no room to note the last one, perhaps
        entry = self._history.last(kind)
        if entry is None:
            raise Refused("nothing is left to take back" if kind == "undid" else "nothing was taken back")
        changes = {}
        for part in entry["parts"]:
            film = self._to_turn(entry, part["video"])
            change = change_of(part)
            changes[part["video"]] = change.reversed() if kind == "undid" else change
            if not film.sheet.holds(changes[part["video"]].removed):
                self._history.pass_over(kind)
                raise Refused(f"'{entry['said']}' was changed elsewhere since; it stays as it is")
        said = f"{'taken back' if kind == 'undid' else 'done again'}: {entry['said']}"
        if "skip" in entry:
            video, start_s, end_s, _ = entry["skip"]
            if ((start_s, end_s) in self._to_turn(entry, video).skips) != (kind == "undid"):
                self._history.pass_over(kind)
                raise Refused(f"'{entry['said']}' was changed elsewhere since; it stays as it is")
        with self._skipping(entry, out=kind == "redid") if "skip" in entry else nullcontext():
            return self._did(operation, changes, said, active_s, kind=kind, of=entry["n"], jump=entry.get("jump"))

    @contextmanager
    def _skipping(self, entry: dict, *, out: bool) -> Iterator[None]:
        """Leave the stretch of an entry out of its film, or take it in again; where that cannot be kept, nothing was done."""
        video, *stretch = entry["skip"]
        self.films[video].set_skip(*stretch, out=out)
        try:
            yield
        except Refused:
            self.films[video].set_skip(*stretch, out=not out)
            raise
        self._changed()

    def _to_turn(self, entry: dict, video: str) -> Film:
        """The film that an entry changed, where that may be taken back."""
        film = self.films.get(video)
        if film is None:
            raise Refused(f"{video} is not open here, so '{entry['said']}' stays")
        if self._history.drawn_since(entry, video):
            raise Refused(
                f"'{entry['said']}' was said before an audit round was drawn, and the draw counts on it; answer "
                "the frame anew instead"
            )
        return film

    @once
    def draw(self, operation: str, video: str, n: int) -> dict:
        """Draw the next round of a film's audit."""
        film = self.film(video)
        self._look()
        film.book.write()
        if film.trouble:
            raise Refused(film.trouble)
        answered = film.sheet.numbers().astype(np.float32)
        seed = int.from_bytes(operation.encode("utf-8")[:6], "big")
        drawn = draw(self._labels, film.frames, self.cast, n=n, seed=seed)
        sync_folder(self._labels)
        film.read_beside()
        entry = {
            "kind": "drew", "of": video, "round": int(drawn["round"].iloc[0]), "op": operation,
            "said": f"{video}: {len(drawn)} frames drawn", "parts": [], "at": self._instant(),
        }  # fmt: skip
        self._history.keep(entry)
        self._teacher.teach(film, answered)
        self._changed()
        return self._reply(entry)

    @once
    def settle(self, operation: str, question: int, keep: str) -> dict:
        """Answer a question: the file's answer stays, or the one that was said here."""
        film = next((one for one in self.films.values() if question in one.book.questions), None)
        if film is None:
            raise Refused("this question has been answered")
        if keep not in ("file", "mine"):
            raise Refused("which of the two shall stand?")
        one = film.book.questions[question]
        cells = {Cell(one.frame, one.character): one.said}
        changes = {film.video_id: self._change(film.video_id, cells, one.source)} if keep == "mine" else {}
        stands = one.said if keep == "mine" else one.file or "open"
        said = f"{film.clock(one.frame)}: {self.cast[one.character]} is {stands}"
        reply = self._did(operation, changes, said, 0.0, jump=(film.video_id, one.frame))
        self._history.keep({"kind": "settled", "question": question, "keep": keep})
        del film.book.questions[question]
        return reply

    @once
    def portrait(self, operation: str, character: int, video: str, frame: int) -> dict:
        """Take a frame as a character's picture."""
        with self.lock:
            film = self._checked(video, frame, character, "1")
            if film.drawn[frame]:
                raise Refused("a frame of the audit is no picture of a character")
            name = self.cast[character]
            entry = {
                "kind": "portrait", "op": operation, "of": video, "character": name,
                "time_s": float(film.frames.times_s[frame]), "parts": [], "said": f"this is the picture of {name} now",
            }  # fmt: skip
            self._history.keep(entry)
            return self._reply(entry)

    @once
    def skip(self, operation: str, video: str, first: int, last: int, reason: str) -> dict:
        """Say that a stretch is not part of the film: left out of every total, and shown as such."""
        film = self._checked(video, first, 0, "1")
        self._checked(video, last, 0, "1")
        if last < first or not reason.strip() or len(reason) > 200:
            raise Refused("a stretch from first to last, and a reason, were expected")
        reason = " ".join(reason.split())
        start_s, end_s = bounds_s(first, last, film.frames)
        if (start_s, end_s) in film.skips:
            raise Refused("this stretch is left out already")
        n_frames, where = last - first + 1, f"{film.clock(first)} to {film.clock(last)}"
        entry = {
            "kind": "skipped", "op": operation, "parts": [], "skip": [video, start_s, end_s, reason], "wrote": n_frames,
            "said": f"{where}: {n_frames} frames are not part of the film ({reason})", "jump": [video, first],
        }  # fmt: skip
        with self._skipping(entry, out=True):
            self._history.keep(entry)
        return self._reply(entry)

    def active(self, active_s: float) -> None:
        """Count time that a person was busy without answering anything."""
        with self.lock:
            if active_s > 0:
                self._history.keep({"kind": "active", "active_s": round(min(active_s, 10 * PAUSE_S), 1)})

    def summary(self) -> str:
        """One line on the session, for the terminal."""
        with self.lock:
            return standing.summary(self.films.values(), self._history.active_s)

    # in the background

    def tick(self) -> None:
        """Write label files that are behind, and fit the head anew where answers came in."""
        with self.lock:
            late = self._unwritten_since is not None and time.monotonic() - self._unwritten_since > 1.0
            calm = time.monotonic() - self._last_answer > WRITE_AFTER_S
            if self._unwritten_since is not None and (late or calm):
                self.write()
        self.hear()
        if late or calm:  # a fit beside every single answer would keep the answers waiting
            self.refit()

    def write(self) -> None:
        """Write every label file that is behind."""
        with self.lock:
            for film in self.films.values():
                film.book.write()
            if not any(film.book.trouble for film in self.films.values()):
                self._unwritten_since = None

    def refit(self) -> None:
        """Fit the light head to the answers, and score all films with it; what is on the screen stays as it is."""
        with self._fitting:  # one at a time: whoever asks meanwhile waits for what is being fitted
            with self.lock:
                if not self._stale_head:
                    return
                self._stale_head = False
                fit = Fit(self.films.values())
            fit.learn()
            with self.lock:
                fit.give()
                self._seconds = standing.seconds(self.films.values(), self.cast, self._shares())

    def hear(self) -> None:
        """Take what a network has learned, and let it learn what it may by now."""
        with self.lock:
            self._stale_head |= self._teacher.hear()
            self._teacher.begin(self.version)

    # the parts of that

    def _look(self) -> None:
        """Notice files that somebody changed outside."""
        if any([film.look() for film in self.films.values()]):
            self._history.notice_rounds()
            self._changed()

    def _page(self, number: int) -> Page:
        try:
            return self._pages[number]
        except KeyError:
            raise Refused("this page is too old; take the next one") from None

    def _page_shown(self, page: Page) -> dict:
        return page.shown(self.films) | {"version": self.version}

    def _checked(self, video: str, frame: int, character: int, answer: str) -> Film:
        film = self.film(video)
        if not 0 <= frame < len(film.frames) or not 0 <= character < len(self.cast) or answer not in ("1", "0", "?"):
            raise Refused("no such frame, character or answer")
        return film

    def _change(self, video: str, cells: Mapping[Cell, str], source: str) -> Change:
        return self.film(video).sheet.change(cells, source=source, annotator=self._annotator, at=self._instant())

    def _did(
        self, operation: str, changes: Mapping[str, Change], said: str, active_s: float, *, kind: str = "did",
        of: int | None = None, jump: Sequence | None = None, again: Iterable[tuple[str, int]] = (),
    ) -> dict:  # fmt: skip
        """Apply changes, keep them in the journal with the frames that had a second look, acknowledge them."""
        parts, applied = [], []
        for video, change in changes.items():
            if change.removed or change.added:
                book = self.films[video].book
                effect = book.sheet.apply(change)
                applied.append((book, change))
                parts.append(book.part(change, effect))
        entry = {
            "kind": kind, "op": operation, "at": self._instant(), "said": said, "parts": parts,
            "active_s": round(max(0.0, min(active_s, 10 * PAUSE_S)), 1),
        }  # fmt: skip
        if of is not None:
            entry["of"] = of
        if again:
            entry["confirmed"] = [
                (video, float(self.films[video].frames.times_s[frame]), self.films[video].letters(frame))
                for video, frame in sorted(again)
            ]
        if jump is None and parts and parts[0]["cells"]:
            film = self.films[parts[0]["video"]]
            jump = (film.video_id, film.frame_at(parts[0]["cells"][0][0]))
        if jump is not None:
            entry["jump"] = list(jump)
        try:
            self._history.keep(entry)
        except Refused:
            for book, change in reversed(applied):
                book.sheet.apply(change.reversed())
            raise
        if parts:
            self._last_answer = time.monotonic()
            self._unwritten_since = self._unwritten_since or self._last_answer
            self._changed()
        return self._reply(entry)

    def _reply(self, entry: dict) -> dict:
        """What a request is told: also the second time, so that one that was sent twice does no harm."""
        cells: dict[str, dict[int, dict]] = defaultdict(dict)
        for part in entry["parts"]:
            film = self.films.get(part["video"])
            if film is not None:
                for time_s, *_ in part["cells"]:
                    frame = film.frame_at(time_s)
                    cells[film.video_id][frame] = cells_of(film, frame)
        return {
            "n": entry["n"], "said": entry["said"], "cells": cells, "jump": entry.get("jump"),
            "version": self.version, "wrote": entry.get("wrote", sum(len(frames) for frames in cells.values())),
        }  # fmt: skip

    def _changed(self) -> None:
        self.version += 1
        self._stale_head = True

    def _instant(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
