"""What a person does at the labeller: pages of frames, answers, undo, audit rounds. Knows nothing of the web.

Everything that is written goes through `_did`: applied, kept in the journal, then acknowledged; where the journal cannot
be written, nothing was done. What a page shows stays as it is: proposals are those of the moment when it was made.
"""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from screentime import light_head
from screentime.agenda import LEAST_DRAWN, Plan, Standing, plan, round_size
from screentime.audit import draw
from screentime.estimates import total
from screentime.labeller.book import change_of
from screentime.labeller.film import Film
from screentime.labeller.journal import Journal
from screentime.labeller.learner import Lesson
from screentime.labeller.sheet import UNKNOWN, Cell, Change, letters
from screentime.labeller.study import Study
from screentime.select import shared, uncertain_frames
from screentime.stop_rule import sentence
from screentime.wording import clock

PAGE = 24  # frames on a page of proposals
KEPT_PAGES = 20  # of which accepting is possible
PAUSE_S = 30.0  # longer pauses are not active time
WRITE_AFTER_S = 0.5  # the label file follows the last answer by so much, and the first unwritten one by a second
LEAST_LEARNED = 20  # labelled frames: with fewer a network learns nothing worth having
BLIND = "audit"
VIEWS = ("start", "review", "audit", "check", "film", "one", "group", "same")
GUESSING = ("review", "check", "film", "group")  # views that show what the head would say


class Refused(Exception):
    """Something that cannot be done as asked; its text says why, to the person at the labeller."""


@dataclass(frozen=True)
class Page:
    """What is on the screen.

    Attributes:
        number: of the page.
        view: which of VIEWS.
        items: film and frame, in the order shown.
        proposals: per film (n_frames, n_characters) of "1", "0" and "", as they were when the page was made; empty where
            the view shows none.
        places: per film (n_frames, n_characters, 2), where the network saw whom, as it was when the page was made.
        why: one sentence on what is shown.
        character: the only character asked about, None for all.
        members: the items.
        corrected: those of them in which the person answered something, so that they have been looked at.
    """

    number: int
    view: str
    items: tuple[tuple[str, int], ...]
    proposals: dict[str, np.ndarray]
    places: dict[str, np.ndarray]
    why: str
    character: int | None = None
    members: frozenset = field(default_factory=frozenset)
    corrected: set = field(default_factory=set)


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
        self._journal, self._labels, self._annotator, self._now = journal, labels, annotator, now
        self._pages: dict[int, Page] = {}
        self._page_count = 0
        self._head: light_head.LightHead | None = None
        self._stale_head = True
        self._unwritten_since: float | None = None
        self._last_answer = 0.0
        self.version = 0
        self._done: list[dict] = []
        self._undone: list[dict] = []
        self._by_operation: dict[str, dict] = {}
        self._looked_again: Counter[str] = Counter()  # frames, since the last draw
        self._begun_at: dict[int, float] = {}  # active seconds when the first film drew its round of that number
        self._active_s = 0.0
        self._standing: dict = {}
        self._portraits: dict[str, tuple[str, float]] = {}
        self._study = study
        for entry in journal.entries:
            self._remember(entry)
        self._notice_rounds()
        for film in self.films.values():  # what an earlier session was learning when it ended
            answered = film.answered_before(film.rounds_drawn)
            if answered is not None and film.rounds_drawn not in film.of_round:
                self._teach(film, answered)

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
            next_ = self.plan()
            return {
                "version": self.version,
                "agenda": {
                    "view": next_.view,
                    "why": next_.why,
                    "video": next_.video,
                    "n": next_.n,
                    "character": self._place(next_.character),
                },
                "films": [self._film_state(film) for film in self.films.values()],
                "active_s": round(self._active_s, 1),
                "undo": self._done[-1]["said"] if self._done else None,
                "redo": self._undone[-1]["said"] if self._undone else None,
                "trouble": next((film.book.trouble for film in self.films.values() if film.book.trouble), None),
                "questions": self._questions(),
                "unwritten": self._unwritten_since is not None,
                "standing": self._standing,
                "study": self._study_told(),
                "portraits": self._portrait_frames(),
                "counts": self._counts(),
            }

    def _film_state(self, film: Film) -> dict:
        waiting, drawn = len(film.waiting()), len(film.audit_order())
        return {
            "video": film.video_id,
            "n": len(film.frames),
            "labelled": int(film.labelled.sum()),
            "drawn": drawn,
            "waiting": waiting,
            "rounds": film.rounds_drawn,
            "next": min(self._next_round(film), max(int(film.free().sum()), 1)),
        }

    def _counts(self) -> list[dict]:
        """For every character in how many frames a person saw it, saw that it is absent, could not tell."""
        counts = []
        for place in range(len(self.cast)):
            found = {"1": 0, "0": 0, "?": 0}
            for film in self.films.values():
                said = film.sheet.present[film.looked[:, place] & ~film.drawn, place]
                for answer in found:
                    found[answer] += int((said == answer).sum())
            counts.append({"present": found["1"], "absent": found["0"], "cannot_tell": found["?"]})
        return counts

    def _questions(self) -> list[dict]:
        return [
            {
                "question": one.number, "video": film.video_id, "frame": one.frame, "character": one.character,
                "clock": clock(float(film.frames.times_s[one.frame])), "file": one.file, "said": one.said,
            }
            for film in self.films.values()
            for one in film.book.questions.values()
        ]  # fmt: skip

    def plan(self) -> Plan:
        """What is most useful now."""
        return plan([self._film_standing(film) for film in self.films.values()])

    def _next_round(self, film: Film) -> int:
        """How many frames of a film its next round should have."""
        films = list(self.films.values())
        active_s = self._begun_at.get(film.rounds_drawn + 1, self._active_s)
        shares = shared(round_size(film.rounds_drawn, active_s), [len(one.frames) for one in films], LEAST_DRAWN)
        return shares[films.index(film)]

    def _film_standing(self, film: Film) -> Standing:
        free, shown = film.free(), ~film.drawn & (film.weights_s > 0)
        return Standing(
            video_id=film.video_id,
            labelled=int(film.labelled.sum()),
            wanted=film.wanted,
            first=int(free[film.firsts].sum()),
            share=self._next_round(film),
            rounds=film.rounds_drawn,
            drawn=len(film.audit_order()),
            waiting=len(film.waiting()),
            answered=int((shown & ~free).sum()),
            unanswered=int(free.sum()),
            guessed=int((free & ~np.isnan(film.scores).all(axis=1)).sum()),
            doubted=len(film.doubted()),
            looked_again=self._looked_again[film.video_id],
            lacking=self._lacking(film),
        )

    def _lacking(self, film: Film) -> dict[str, int]:
        """Per character the frames of which nobody has said whether it is there, though half of the others were answered."""
        answered = film.looked.sum(axis=1)[:, None] - film.looked
        open_ = (film.sheet.present == UNKNOWN) & ~film.drawn[:, None] & (film.weights_s > 0)[:, None]
        counts = (open_ & (2 * answered >= max(1, len(self.cast) - 1)) & (answered > 0)).sum(axis=0)
        return {name: int(n) for name, n in zip(self.cast, counts, strict=True) if n}

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
            make = {
                "start": self._start_items, "review": self._review_items, "audit": self._audit_items,
                "check": self._check_items, "film": self._film_items, "one": self._one_items,
                "group": self._group_items, "same": self._same_items,
            }.get(view)  # fmt: skip
            if make is None:
                raise Refused(f"there is no view '{view}'")
            items, why = make(films, frame, character)
            shown = view in GUESSING
            self._page_count += 1
            page = Page(
                self._page_count, view, tuple(items),
                {film.video_id: film.proposals() for film in films} if shown else {},
                {film.video_id: film.places() for film in films} if shown else {},
                why, character, frozenset(items),
            )  # fmt: skip
            self._pages[page.number] = page
            self._pages.pop(page.number - KEPT_PAGES, None)
            return self._page_state(page)

    def look(self, page: int) -> dict:
        """A page once more: the same frames and proposals, with the answers of now."""
        with self.lock:
            self._look()
            return self._page_state(self._page(page))

    def _page_state(self, page: Page) -> dict:
        return {
            "page": page.number,
            "view": page.view,
            "why": page.why,
            "character": page.character,
            "version": self.version,
            "items": [
                self._item(page, video, frame)
                for video, frame in page.items
                if self._belongs(page, self.films[video], frame)  # a round may have been drawn since
            ],
        }

    def _item(self, page: Page, video: str, frame: int) -> dict:
        film = self.films[video]
        item = {"v": video, "f": frame, "t": clock(float(film.frames.times_s[frame]))} | self._cells(film, frame)
        if page.view == "check":
            item["c"] = film.is_confirmed(frame)
        if video in page.proposals:
            item["p"] = letters(page.proposals[video][frame])
            item["w"] = [
                [round(float(x), 3), round(float(y), 3)] if guess == "1" and not np.isnan(x) else None
                for guess, (x, y) in zip(item["p"], page.places[video][frame], strict=True)
            ]
        return item

    def _cells(self, film: Film, frame: int) -> dict:
        """A frame's answers and how they were made, one letter for each character."""
        return {"a": film.letters(frame), "m": "".join(s[:1] or "." for s in film.sheet.source[frame])}

    def _start_items(self, films: Sequence[Film], frame: int | None, character: int | None) -> tuple[list, str]:
        lists = []
        for film in films:
            free = film.free()
            lists.append([(film.video_id, int(one)) for one in film.firsts if free[one]])
        items = interleaved(lists)
        return items, f"{len(items)} frames that differ most from each other: who is there?"

    def _review_items(self, films: Sequence[Film], frame: int | None, character: int | None) -> tuple[list, str]:
        found = []
        for film in films:
            chosen = uncertain_frames(film.scores, film.shots, film.free(), PAGE)
            margins = np.nanmin(np.abs(film.scores[chosen] - 0.5), axis=1) if len(chosen) else []
            found += [(float(margin), film.video_id, int(one)) for margin, one in zip(margins, chosen, strict=True)]
        items = [(video, one) for _, video, one in sorted(found)[:PAGE]]
        return items, "the least certain frames, one a shot; dashed is a guess: correct it, Enter accepts"

    def _audit_items(self, films: Sequence[Film], frame: int | None, character: int | None) -> tuple[list, str]:
        for film in films:
            if film.waiting():
                last = film.record["round"].max()
                mine = set(film.record.loc[film.record["round"] == last, "frame"])
                items = [(film.video_id, one) for one in film.audit_order() if one in mine or one in film.waiting()]
                return items, f"{film.video_id}: drawn at random, shown without any guess; every frame counts"
        return [], "no drawn frame waits for an answer"

    def _check_items(self, films: Sequence[Film], frame: int | None, character: int | None) -> tuple[list, str]:
        """Answers that look like slips. For each that an audit was given there is another of the audit that nothing speaks
        against, so that being asked twice says nothing of the answer.
        """
        chance, groups = random.Random(self._page_count), []
        for film in films:
            doubted = film.doubted()
            others = film.measured() & ~np.isin(np.arange(len(film.frames)), [*doubted, *film.confirmed])
            beside = [(film.video_id, int(one)) for one in np.flatnonzero(others)]
            chance.shuffle(beside)
            groups.append(
                [
                    [(film.video_id, one)] + (beside[k : k + 1] if film.drawn[one] else [])
                    for k, one in enumerate(doubted)
                ]
            )
        items = [one for group in interleaved(groups) for one in group]
        return sorted(items[:PAGE]), "answers that look like slips, and others of the audit among them: look once more"

    def _film_items(self, films: Sequence[Film], frame: int | None, character: int | None) -> tuple[list, str]:
        items = [(film.video_id, int(one)) for film in films for one in np.flatnonzero(~film.drawn)]
        return items, "every frame, in order of time"

    def _one_items(self, films: Sequence[Film], frame: int | None, character: int | None) -> tuple[list, str]:
        if character is None or not 0 <= character < len(self.cast):
            raise Refused("which character is asked about?")
        items = []
        for film in films:
            others = film.looked.any(axis=1) & ~film.drawn & (film.weights_s > 0)
            missing = film.sheet.present[:, character] == UNKNOWN
            items += [(film.video_id, int(one)) for one in np.flatnonzero(others & missing)]
        return items, f"{self.cast[character]}: there, yes or no, in the frames that are labelled for others?"

    def _same_items(self, films: Sequence[Film], frame: int | None, character: int | None) -> tuple[list, str]:
        if character is None or not 0 <= character < len(self.cast):
            raise Refused("frames with which character?")
        items = [
            (film.video_id, int(one))
            for film in films
            for one in np.flatnonzero((film.sheet.present[:, character] == "1") & ~film.drawn)
        ]
        return items, f"every frame in which {self.cast[character]} was said to be there"

    def _group_items(self, films: Sequence[Film], frame: int | None, character: int | None) -> tuple[list, str]:
        if len(films) != 1 or frame is None or not 0 <= frame < len(films[0].frames):
            raise Refused("look-alikes of which frame?")
        film = films[0]
        if film.drawn[frame]:
            raise Refused("a frame of the audit has no look-alikes here")
        free = film.free()
        free[frame] = True
        seen = np.asarray(film.features, np.float32)
        seen = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
        alike = np.where(free, seen @ seen[frame], -np.inf)
        alike[frame] = np.inf
        order = np.argsort(-alike, kind="stable")[:PAGE]
        items = [(film.video_id, int(one)) for one in order if np.isfinite(alike[one]) or one == frame]
        left_out = int(film.drawn[np.argsort(-(seen @ seen[frame]), kind="stable")[:PAGE]].sum())
        why = f"frames that look most like the one at {clock(float(film.frames.times_s[frame]))}"
        return items, why + _left_out_text(left_out)

    def overview(self, video: str) -> dict:
        """A whole film for the timeline: times, answers, scores in percent; nothing of the frames that an audit drew."""
        with self.lock:
            film = self.film(video)
            said = np.where(film.drawn[:, None], UNKNOWN, film.sheet.present)
            percent = np.round(np.where(film.drawn[:, None], np.nan, film.scores) * 100)
            return {
                "times": film.frames.times_s.tolist(),
                "end_s": float(film.frames.times_s[-1] + film.frames.durations_s[-1]),
                "answers": [letters(column) for column in said.T],
                "scores": [[None if np.isnan(one) else int(one) for one in column] for column in percent.T],
                "skips": [list(skip) for skip in film.skips],
            }

    # what a person says

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
        with self.lock:
            if operation in self._by_operation:
                return self._reply(self._by_operation[operation])
            shown = self._page(page)
            self._look()
            wanted: dict[str, dict[Cell, str]] = defaultdict(dict)
            left_out = set()
            for video, frame, character, answer in cells:
                film = self._checked(video, frame, character, answer)
                alone = how == "look" or not film.drawn[frame]
                if self._belongs(shown, film, frame) and alone:
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
                    of |= self._let_stand(shown, self.films[video], of)
            alone = shown.view == "check" and how == "look"
            again = {(video, cell.frame) for video, of in wanted.items() for cell in of} if alone else ()
            return self._did(operation, self._changes(by_source), self._said(wanted, left_out), active_s, again=again)

    def accept(self, operation: str, page: int, items: Sequence[Sequence], active_s: float = 0.0) -> dict:
        """Confirm frames as they are shown: every character gets the value that the person saw.

        Args:
            operation: the request's own id.
            page: the page they are on.
            items: film, frame, and the values shown, one letter for each character.

        Raises:
            Refused: a frame that is not on the page, or a value that is not the one that was shown.
        """
        with self.lock:
            if operation in self._by_operation:
                return self._reply(self._by_operation[operation])
            shown = self._page(page)
            self._look()
            by_source: dict[tuple[str, str], dict[Cell, str]] = defaultdict(dict)
            for video, frame, values in items:
                if (video, frame) not in shown.members:
                    raise Refused("a frame that is not on the screen cannot be accepted")
                film = self.film(video)
                if not self._belongs(shown, film, frame):
                    raise Refused("this frame has been drawn for the audit since; take the next page")
                self._accept_frame(shown, film, frame, values, by_source)
            told = [(video, frame) for video, frame, _ in items]
            done = "confirmed" if shown.view == "check" else "accepted"
            said = f"{self._clock(*told[0])}: {done}" if len(told) == 1 else f"{len(told)} frames {done}"
            again = told if shown.view == "check" else ()
            jump = told[0] if told else None
            return self._did(operation, self._changes(by_source), said, active_s, jump=jump, again=again)

    def _accept_frame(self, shown: Page, film: Film, frame: int, values: str, by_source: dict) -> None:
        """The cells of one frame that are new when it is accepted as it was shown."""
        if len(values) != len(self.cast):
            raise Refused(f"{len(self.cast)} values were expected for a frame")
        proposed = shown.proposals.get(film.video_id)
        for place, value in enumerate(values):
            if shown.character not in (None, place):
                continue
            there = str(film.sheet.present[frame, place])
            guess = UNKNOWN if proposed is None else str(proposed[frame, place])
            if value != (there or guess or "0"):
                raise Refused("what is shown is not what is there any more; look again")
            if there == UNKNOWN:
                guessed = guess != UNKNOWN and (film.video_id, frame) not in shown.corrected
                source = BLIND if shown.view == "audit" else "accepted" if guessed else "manual"
                by_source[film.video_id, source][Cell(frame, place)] = value

    def _belongs(self, page: Page, film: Film, frame: int) -> bool:
        """Whether a frame may be shown and answered on a page: one that an audit drew in the audit, then in second looks."""
        if page.view == "check" and film.drawn[frame]:
            return (film.video_id, frame) in page.members and bool(film.measured()[frame])
        return bool(film.drawn[frame]) == (page.view == "audit")

    def _changes(self, by_source: Mapping[tuple[str, str], Mapping[Cell, str]]) -> dict[str, Change]:
        """Per film what has to change for its cells to have these answers."""
        changes: dict[str, Change] = {}
        for (video, source), cells in by_source.items():
            one = self._change(video, cells, source)
            before = changes.get(video, Change((), ()))
            changes[video] = Change(before.removed + one.removed, before.added + one.added)
        return changes

    def _let_stand(self, shown: Page, film: Film, cells: Mapping[Cell, str]) -> dict[Cell, str]:
        """What else of the frames of some cells has been looked at with them: the answers that the person lets stand."""
        if shown.character is not None or shown.view == "same":
            return {}
        frames = {cell.frame for cell in cells}
        shown.corrected.update((film.video_id, frame) for frame in frames)
        others = (Cell(frame, place) for frame in frames for place in range(len(self.cast)))
        return {cell: answer for cell in others if cell not in cells and (answer := str(film.sheet.present[cell]))}

    def shot(self, page: int, video: str, frame: int) -> dict:
        """The shot of a frame: its first, middle and last frame, and which characters change inside it."""
        with self.lock:
            shown, film = self._page(page), self.film(video)
            if shown.view == "audit" or film.drawn[frame]:
                raise Refused("a shot cannot be taken in an audit")
            first, last = film.shot_of(frame)
            frames = [one for one in range(first, last + 1) if not film.drawn[one]]
            ends = list(dict.fromkeys([frames[0], frames[len(frames) // 2], frames[-1]]))
            changing = self._changing(film, frames)
            return {
                "video": video, "first": first, "last": last, "n": len(frames), "left_out": last - first + 1 - len(frames),
                "items": [
                    {"v": video, "f": one, "t": clock(float(film.frames.times_s[one]))} | self._cells(film, one)
                    for one in ends
                ],
                "changing": changing,
            }  # fmt: skip

    def take_shot(self, operation: str, page: int, video: str, frame: int, values: str, active_s: float = 0.0) -> dict:
        """Give every frame of a shot the values of one of its frames.

        Raises:
            Refused: labels or proposals change inside the shot.
        """
        with self.lock:
            if operation in self._by_operation:
                return self._reply(self._by_operation[operation])
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
            said = f"shot at {self._clock(video, about['first'])}: {len({cell.frame for cell in cells})} frames"
            said += _left_out_text(about["left_out"])
            return self._did(operation, changes, said, active_s, jump=(video, frame))

    def _changing(self, film: Film, frames: Sequence[int]) -> list[int]:
        """The characters that are not the same all through some frames, by what was said or else proposed."""
        values = np.where(film.sheet.present == UNKNOWN, film.proposals(), film.sheet.present)[frames]
        return [place for place in range(len(self.cast)) if len(set(values[:, place]) - {UNKNOWN}) > 1]

    # undo, redo, audit, questions

    def undo(self, operation: str, active_s: float = 0.0) -> dict:
        """Take back what was done last."""
        return self._turned(operation, self._done, "undid", active_s)

    def redo(self, operation: str, active_s: float = 0.0) -> dict:
        """Do again what was taken back last."""
        return self._turned(operation, self._undone, "redid", active_s)

    def _turned(self, operation: str, stack: list[dict], kind: str, active_s: float) -> dict:
        with self.lock:
            if operation in self._by_operation:
                return self._reply(self._by_operation[operation])
            self._look()
            self._notice_rounds()  # there was no room to note the last one, perhaps
            if not stack:
                raise Refused("nothing is left to take back" if kind == "undid" else "nothing was taken back")
            entry = stack[-1]
            changes = {}
            for part in entry["parts"]:
                film = self.films.get(part["video"])
                if film is None:
                    raise Refused(f"{part['video']} is not open here, so '{entry['said']}' stays")
                if any(
                    one["kind"] == "drew" and one["of"] == part["video"] for one in self._journal.entries[entry["n"] :]
                ):
                    raise Refused(
                        f"'{entry['said']}' was said before an audit round was drawn, and the draw counts on it; answer "
                        "the frame anew instead"
                    )
                change = change_of(part)
                changes[part["video"]] = change.reversed() if kind == "undid" else change
                if not film.sheet.holds(changes[part["video"]].removed):
                    stack.pop()
                    raise Refused(f"'{entry['said']}' was changed elsewhere since; it stays as it is")
            said = f"{'taken back' if kind == 'undid' else 'done again'}: {entry['said']}"
            return self._did(operation, changes, said, active_s, kind=kind, of=entry["n"], jump=entry.get("jump"))

    def draw(self, operation: str, video: str, n: int) -> dict:
        """Draw the next round of a film's audit."""
        with self.lock:
            if operation in self._by_operation:
                return self._reply(self._by_operation[operation])
            film = self.film(video)
            self._look()
            film.book.write()
            if film.book.trouble:
                raise Refused(film.book.trouble)
            answered = film.sheet.numbers().astype(np.float32)
            seed = int.from_bytes(operation.encode("utf-8")[:6], "big")
            drawn = draw(self._labels, film.frames, self.cast, n=n, seed=seed)
            film.redrawn()
            entry = {
                "kind": "drew", "of": video, "round": int(drawn["round"].iloc[0]), "op": operation, "said": f"{video}: {len(drawn)} frames drawn",
                "parts": [], "at": self._instant(),
            }  # fmt: skip
            self._keep(entry)
            self._remember(entry)
            if self._study is not None:
                film.keep_of_round(film.rounds_drawn, answered=answered)
                self._teach(film, answered)
            self._changed()
            return self._reply(entry)

    def settle(self, operation: str, question: int, keep: str) -> dict:
        """Answer a question: the file's answer stays, or the one that was said here."""
        with self.lock:
            if operation in self._by_operation:
                return self._reply(self._by_operation[operation])
            film = next((one for one in self.films.values() if question in one.book.questions), None)
            if film is None:
                raise Refused("this question has been answered")
            if keep not in ("file", "mine"):
                raise Refused("which of the two shall stand?")
            one = film.book.questions[question]
            cell = Cell(one.frame, one.character)
            changes = {}
            if keep == "mine":
                at = self._instant()
                changes = {
                    film.video_id: film.sheet.change(
                        {cell: one.said}, source=one.source, annotator=self._annotator, at=at
                    )
                }
            said = f"{self._clock(film.video_id, one.frame)}: {self.cast[one.character]} is {one.said if keep == 'mine' else one.file or 'open'}"
            reply = self._did(operation, changes, said, 0.0, jump=(film.video_id, one.frame))
            self._keep({"kind": "settled", "question": question, "keep": keep})
            del film.book.questions[question]
            return reply

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
            self._keep(entry)
            self._remember(entry)
            return self._reply(entry)

    def skip(self, operation: str, video: str, first: int, last: int, reason: str) -> dict:
        """Say that a stretch is not part of the film: left out of every total, and shown as such."""
        with self.lock:
            if operation in self._by_operation:
                return self._reply(self._by_operation[operation])
            film = self._checked(video, first, 0, "1")
            self._checked(video, last, 0, "1")
            if last < first or not reason.strip() or len(reason) > 200:
                raise Refused("a stretch from first to last, and a reason, were expected")
            if reason.strip()[0] in "=+-@":
                raise Refused("a reason that begins with = + - or @ is a formula to a spreadsheet; write it otherwise")
            film.leave_out(first, last, " ".join(reason.split()))
            where = f"{self._clock(video, first)} to {self._clock(video, last)}"
            entry = {
                "kind": "skipped",
                "op": operation,
                "parts": [],
                "said": f"{where} is not part of the film ({reason.strip()})",
            }
            self._keep(entry)
            self._remember(entry)
            self._changed()
            return self._reply(entry)

    def active(self, active_s: float) -> None:
        """Count time that a person was busy without answering anything."""
        with self.lock:
            if active_s > 0:
                entry = {"kind": "active", "active_s": round(min(active_s, 10 * PAUSE_S), 1)}
                self._keep(entry)
                self._remember(entry)

    def summary(self) -> str:
        """One line on the session, for the terminal."""
        with self.lock:
            labelled = sum(int(film.labelled.sum()) for film in self.films.values())
            drawn = sum(len(film.audit_order()) for film in self.films.values())
            waiting = sum(len(film.waiting()) for film in self.films.values())
            audit = f"; audit: {drawn - waiting} of {drawn} drawn frames answered" if drawn else ""
            return f"{labelled} frames labelled by looking{audit}; {self._active_s / 60:.1f} active minutes"

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
        with self.lock:
            if not self._stale_head:
                return
            self._stale_head = False
            films = [film for film in self.films.values() if not film.test]
            rows = [np.flatnonzero((~np.isnan(film.sheet.numbers())).any(axis=1) & ~film.drawn) for film in films]
            targets = np.concatenate([film.sheet.numbers()[of] for film, of in zip(films, rows, strict=True)] or [[]])
        if len(targets):
            features = np.concatenate([film.seen()[of] for film, of in zip(films, rows, strict=True)])
            times_s = np.concatenate([film.frames.times_s[of] for film, of in zip(films, rows, strict=True)])
            videos = [film.video_id for film, of in zip(films, rows, strict=True) for _ in of]
            head = light_head.fit(features, targets, video_ids=videos, times_s=times_s)
            scored = {}
            for film in self.films.values():
                seen, at = film.seen(), (film.video_id, film.frames.times_s)
                scored[film.video_id] = head.scores(seen, *at), head.scores(seen, *at, near=True)
        with self.lock:
            if len(targets):
                self._head = head
                for film in self.films.values():
                    live, film.near = scored[film.video_id]
                    film.take_scores(live)
                    film.held_out = np.full_like(film.scores, np.nan)
                done = 0
                for film, of in zip(films, rows, strict=True):
                    film.held_out[of] = head.held_out[done : done + len(of)]
                    film.near[of] = head.one_out[done : done + len(of)]
                    done += len(of)
            self._standing = self._stands()

    def hear(self) -> None:
        """Take the scores of a network that has learned."""
        for lesson, learned in self._study.done() if self._study else []:
            with self.lock:
                self.films[lesson.video_id].keep_of_round(lesson.number, **learned._asdict())
                self._stale_head = True

    def _teach(self, film: Film, answered: np.ndarray) -> None:
        """Let a network learn what had been answered when a film's last round was drawn: its scores are for that round.

        What is answered later may not touch them: such frames are to the round what all others are that it did not draw.
        Frames that were drawn do not train.
        """
        if self._study is None:
            return
        labelled = {}
        for one in self.films.values():
            answers = answered.copy() if one is film else one.sheet.numbers().astype(np.float32)
            answers[one.drawn] = np.nan
            rows = np.flatnonzero(~np.isnan(answers).all(axis=1))
            if len(rows) and not one.test:
                labelled[one.video_id] = rows, answers[rows]
        if sum(len(rows) for rows, _ in labelled.values()) >= LEAST_LEARNED:
            self._study.ask(Lesson(film.video_id, film.rounds_drawn, answered, labelled))

    def _study_told(self) -> str | None:
        """What the network is doing, one sentence; None where there is nothing to say."""
        if self._study is None:
            return None
        return self._study.trouble or ("a network is learning from what you labelled" if self._study.busy else None)

    def _stands(self) -> dict:
        """The seconds of every character with their intervals, and what the next round would give."""
        films = list(self.films.values())
        times = [film.screen_times() for film in films]
        sizes = [film.begun() or min(self._next_round(film), int(film.free().sum())) for film in films]
        n = sum(sizes)
        characters, widest = [], None
        for place, name in enumerate(self.cast):
            whole = total([of[place] for of in times])
            after = (
                sum(film.after_another_round(place, size) ** 2 for film, size in zip(films, sizes, strict=True)) ** 0.5
            )
            told = sentence(name, whole.seconds, whole.low, whole.high, n, after)
            interval = "" if whole.low is None else f" ({whole.low:.0f} to {whole.high:.0f})"
            characters.append({"now": f"{whole.seconds:.0f} s{interval}", "next": told})
            width = after if whole.low is None else whole.high - whole.low
            if widest is None or width > widest[0]:
                widest = width, told
        return {"characters": characters, "sentence": f"widest: {widest[1]}" if widest else ""}

    # the parts of that

    def _look(self) -> None:
        """Notice label files that somebody changed outside."""
        if any([film.book.look() for film in self.films.values()]):
            self._changed()

    def _page(self, number: int) -> Page:
        try:
            return self._pages[number]
        except KeyError:
            raise Refused("this page is too old; take the next one") from None

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
            jump = (film.video_id, int(np.argmin(np.abs(film.frames.times_s - parts[0]["cells"][0][0]))))
        if jump is not None:
            entry["jump"] = list(jump)
        try:
            self._keep(entry)
        except Refused:
            for book, change in reversed(applied):
                book.sheet.apply(change.reversed())
            raise
        self._remember(entry)
        if parts:
            self._last_answer = time.monotonic()
            self._unwritten_since = self._unwritten_since or self._last_answer
            self._changed()
        return self._reply(entry)

    def _keep(self, entry: dict) -> None:
        """Add an entry to the journal; where there is no room, say so, and nothing was added."""
        try:
            self._journal.append(entry)
        except OSError as error:
            raise Refused(f"not saved: {(error.strerror or str(error)).lower()}; make room on the disk") from None

    def _remember(self, entry: dict) -> None:
        """Take an entry of the journal into the stacks."""
        self._active_s += entry.get("active_s", 0.0)
        if entry["kind"] == "drew":
            self._looked_again[entry["of"]] = 0
            self._begun_at.setdefault(entry["round"], self._active_s)
        for video, time_s, values in entry.get("confirmed", ()):
            film = self.films.get(video)
            if film is not None:
                film.confirmed[int(np.argmin(np.abs(film.frames.times_s - time_s)))] = values
                self._looked_again[video] += 1
        if entry["kind"] == "portrait":
            self._portraits[entry["character"]] = entry["of"], entry["time_s"]
        if "op" in entry:
            self._by_operation[entry["op"]] = entry
        if entry["kind"] == "did" and entry["parts"]:
            self._done.append(entry)
            self._undone.clear()
        elif entry["kind"] in ("undid", "redid"):
            taken, given = (self._done, self._undone) if entry["kind"] == "undid" else (self._undone, self._done)
            place = next((i for i, one in enumerate(taken) if one["n"] == entry["of"]), None)
            if place is not None:
                given.append(taken.pop(place))

    def _reply(self, entry: dict) -> dict:
        """What a request is told: also the second time, so that one that was sent twice does no harm."""
        cells: dict[str, dict[int, dict]] = defaultdict(dict)
        for part in entry["parts"]:
            film = self.films.get(part["video"])
            if film is not None:
                for time_s, *_ in part["cells"]:
                    frame = int(np.argmin(np.abs(film.frames.times_s - time_s)))
                    cells[film.video_id][frame] = self._cells(film, frame)
        return {
            "n": entry["n"], "said": entry["said"], "cells": cells, "jump": entry.get("jump"),
            "version": self.version, "wrote": sum(len(frames) for frames in cells.values()),
        }  # fmt: skip

    def _notice_rounds(self) -> None:
        """Keep in the journal what was drawn while the labeller was not open: undo does not reach behind a draw."""
        for film in self.films.values():
            known = max(
                (e["round"] for e in self._journal.entries if e["kind"] == "drew" and e["of"] == film.video_id),
                default=0,
            )
            if film.rounds_drawn > known:
                entry = {"kind": "drew", "of": film.video_id, "round": film.rounds_drawn, "parts": []}
                self._keep(entry)
                self._remember(entry)

    def _portrait_frames(self) -> list:
        """For every character the film and frame of its picture: the one that was picked, else one it is alone in."""
        found = []
        for place, name in enumerate(self.cast):
            video, time_s = self._portraits.get(name, (None, 0.0))
            film = self.films.get(video)
            picked = int(np.argmin(np.abs(film.frames.times_s - time_s))) if film is not None else 0
            if film is not None and not film.drawn[picked]:  # an audit may have drawn it since
                found.append([video, picked])
                continue
            best = None
            for film in self.films.values():
                there = (film.sheet.present[:, place] == "1") & ~film.drawn
                for frame in np.flatnonzero(there):
                    others = int((film.sheet.present[frame] == "1").sum())
                    best = min(best or (99, "", 0), (others, film.video_id, int(frame)))
            found.append(list(best[1:]) if best else None)
        return found

    def _changed(self) -> None:
        self.version += 1
        self._stale_head = True

    def _instant(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _clock(self, video: str, frame: int) -> str:
        return clock(float(self.films[video].frames.times_s[frame]))

    def _said(self, wanted: Mapping[str, Mapping[Cell, str]], left_out: set) -> str:
        """One sentence on answers."""
        cells = [(video, cell, answer) for video, of in wanted.items() for cell, answer in of.items()]
        if not cells:
            return "nothing written" + _left_out_text(len(left_out))
        frames = {(video, cell.frame) for video, cell, _ in cells}
        by_character: dict[int, set[str]] = defaultdict(set)
        for _, cell, answer in cells:
            by_character[cell.character].add(answer)
        if len(by_character) == len(self.cast) > 1 and all(found == {"0"} for found in by_character.values()):
            what = "nobody"
        else:
            what = ", ".join(
                f"{self.cast[place]} {'/'.join(WORDS[answer] for answer in sorted(found))}"
                for place, found in sorted(by_character.items())
            )
        video, cell, _ = cells[0]
        where = self._clock(video, cell.frame) if len(frames) == 1 else f"{len(frames)} frames"
        return f"{where}: {what}{_left_out_text(len(left_out))}"


WORDS = {"1": "there", "0": "not there", "?": "cannot be told"}


def _left_out_text(count: int) -> str:
    return f" ({count} left out: {'they wait' if count > 1 else 'it waits'} for the audit)" if count else ""


def interleaved(lists: Sequence[Sequence]) -> list:
    """One of each list in turn.

    >>> interleaved([[1, 2, 3], [7]])
    [1, 7, 2, 3]
    """
    longest = max((len(one) for one in lists), default=0)
    return [one[place] for place in range(longest) for one in lists if place < len(one)]
