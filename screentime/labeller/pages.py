"""Pages of frames: what each view shows, and what an answer there says. Nothing here writes.

What a page shows stays as it is: proposals are those of the moment when it was made. A frame that an audit drew is shown
there, without any guess, and once its round is complete in second looks; nowhere else.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from screentime.labeller.errors import Refused
from screentime.labeller.film import Film
from screentime.labeller.sheet import UNKNOWN, Cell, letters
from screentime.labeller.wording import left_out_text
from screentime.select import uncertain_frames, uncertainty

PAGE, DOUBTED_PAGE = 24, 8  # frames on a page of proposals, and on one of second looks
VIEWS = ("start", "review", "audit", "check", "film", "one", "group", "same")
GUESSING = ("review", "check", "film", "group")  # views that show what the head would say
BLIND = "audit"  # the source of an answer that was given in an audit

Item = tuple[str, int]  # a film and one of its frames


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
    items: tuple[Item, ...]
    proposals: dict[str, np.ndarray]
    places: dict[str, np.ndarray]
    why: str
    character: int | None = None
    members: frozenset = field(default_factory=frozenset)
    corrected: set = field(default_factory=set)

    def admits(self, film: Film, frame: int) -> bool:
        """Whether a frame may be shown and answered here: one that an audit drew in the audit, then in second looks."""
        if self.view == "check" and film.drawn[frame]:
            return (film.video_id, frame) in self.members and bool(film.measured()[frame])
        return bool(film.drawn[frame]) == (self.view == "audit")

    def accepted(self, film: Film, frame: int, values: str) -> dict[str, dict[Cell, str]]:
        """What is new when a frame is accepted as it was shown: per source the answers of its cells.

        Args:
            film, frame: what is accepted.
            values: those that the person saw, one letter for each character.

        Raises:
            Refused: a value that is not the one that is shown.
        """
        if len(values) != len(film.cast):
            raise Refused(f"{len(film.cast)} values were expected for a frame")
        proposed = self.proposals.get(film.video_id)
        by_source: dict[str, dict[Cell, str]] = defaultdict(dict)
        for place, value in enumerate(values):
            if self.character not in (None, place):
                continue
            there = str(film.sheet.present[frame, place])
            guess = UNKNOWN if proposed is None else str(proposed[frame, place])
            if value != (there or guess or "0"):
                raise Refused("what is shown is not what is there any more; look again")
            if there == UNKNOWN:
                guessed = guess != UNKNOWN and (film.video_id, frame) not in self.corrected
                source = BLIND if self.view == "audit" else "accepted" if guessed else "manual"
                by_source[source][Cell(frame, place)] = value
        return by_source

    def let_stand(self, film: Film, cells: Mapping[Cell, str]) -> dict[Cell, str]:
        """What else of the frames of some answered cells has been looked at with them: the answers that the person lets
        stand. From now on these frames are corrected ones.
        """
        if self.character is not None or self.view == "same":
            return {}
        frames = {cell.frame for cell in cells}
        self.corrected.update((film.video_id, frame) for frame in frames)
        others = (Cell(frame, place) for frame in frames for place in range(len(film.cast)))
        return {cell: answer for cell in others if cell not in cells and (answer := str(film.sheet.present[cell]))}

    def shown(self, films: Mapping[str, Film]) -> dict:
        """The page as it is sent: its frames, with the proposals it was made with and the answers of now."""
        return {
            "page": self.number,
            "view": self.view,
            "why": self.why,
            "character": self.character,
            "items": [
                self._item(films[video], frame)
                for video, frame in self.items
                if self.admits(films[video], frame)  # a round may have been drawn since
            ],
        }

    def _item(self, film: Film, frame: int) -> dict:
        item = item_of(film, frame)
        if self.view == "check":
            item["c"] = film.is_confirmed(frame)
        if self.view == "film":
            item["x"] = bool(film.weights_s[frame] == 0)
        if self.view == "review":
            item["s"] = bool(film.changing(film.shot_frames(frame), self.proposals[film.video_id]))
        if film.video_id in self.proposals:
            item["p"] = letters(self.proposals[film.video_id][frame])
            item["w"] = [
                [round(float(x), 3), round(float(y), 3)] if guess == "1" and not np.isnan(x) else None
                for guess, (x, y) in zip(item["p"], self.places[film.video_id][frame], strict=True)
            ]
        return item


def item_of(film: Film, frame: int) -> dict:
    """A frame, its time and its answers."""
    return {"v": film.video_id, "f": frame, "t": film.clock(frame)} | cells_of(film, frame)


def cells_of(film: Film, frame: int) -> dict:
    """A frame's answers and how they were made, one letter for each character."""
    return {"a": film.letters(frame), "m": "".join(s[:1] or "." for s in film.sheet.source[frame])}


def make_page(
    number: int, view: str, films: Sequence[Film], cast: Sequence[str], *,
    frame: int | None, character: int | None, chance: random.Random,
) -> Page:  # fmt: skip
    """Make a page.

    Args:
        number: of the page.
        view: which of VIEWS.
        films: those that it shows.
        cast: the characters.
        frame: the group view shows its look-alikes.
        character: the views `one` and `same` are of this one only.
        chance: picks the frames that second looks show beside those that look like slips.

    Raises:
        Refused: there is no such view, or it needs a frame or a character and has none that it can show.
    """
    make = {
        "start": lambda: _start_items(films),
        "review": lambda: _review_items(films),
        "audit": lambda: _audit_items(films),
        "check": lambda: _check_items(films, chance),
        "film": lambda: _film_items(films),
        "one": lambda: _one_items(films, cast, character),
        "group": lambda: _group_items(films, frame),
        "same": lambda: _same_items(films, cast, character),
    }.get(view)
    if make is None:
        raise Refused(f"there is no view '{view}'")
    items, why = make()
    guessing = films if view in GUESSING else ()
    proposals = {film.video_id: film.proposals() for film in guessing}
    places = {film.video_id: film.places() for film in guessing}
    return Page(number, view, tuple(items), proposals, places, why, character, frozenset(items))


def _start_items(films: Sequence[Film]) -> tuple[list[Item], str]:
    lists = []
    for film in films:
        free = film.free()
        lists.append(_items(film, (one for one in film.firsts if free[one])))
    items = interleaved(lists)
    return items, f"{len(items)} frames that differ most from each other: who is there?"


def _review_items(films: Sequence[Film]) -> tuple[list[Item], str]:
    found = []
    for film in films:
        free = film.free()
        chosen = uncertain_frames(film.scores, film.shots, free, PAGE)
        unsure = uncertainty(film.scores, free)[chosen]
        found += [(-float(one), *item) for one, item in zip(unsure, _items(film, chosen), strict=True)]
    items = [(video, one) for _, video, one in sorted(found)[:PAGE]]
    return items, "the least certain frames, one a shot; dashed is a guess: correct it, Enter accepts"


def _audit_items(films: Sequence[Film]) -> tuple[list[Item], str]:
    for film in films:
        if film.waiting():
            last = film.record["round"].max()
            mine = set(film.record.loc[film.record["round"] == last, "frame"])
            items = [(film.video_id, one) for one in film.audit_order() if one in mine or one in film.waiting()]
            return items, f"{film.video_id}: drawn at random, shown without any guess; every frame counts"
    return [], "no drawn frame waits for an answer"


def _check_items(films: Sequence[Film], chance: random.Random) -> tuple[list[Item], str]:
    """Answers that look like slips. For each that an audit was given there is another of the audit that nothing speaks
    against, so that being asked twice says nothing of the answer.
    """
    groups = []
    for film in films:
        doubted = film.doubted()
        others = film.measured() & ~np.isin(np.arange(len(film.frames)), [*doubted, *film.confirmed])
        beside = _items(film, np.flatnonzero(others))
        chance.shuffle(beside)
        groups.append(
            [[(film.video_id, one)] + (beside[k : k + 1] if film.drawn[one] else []) for k, one in enumerate(doubted)]
        )
    items = [one for group in interleaved(groups) for one in group]
    why = "answers that look like slips, and others of the audit among them: look once more"
    return sorted(items[:DOUBTED_PAGE]), why


def _film_items(films: Sequence[Film]) -> tuple[list[Item], str]:
    items = [item for film in films for item in _items(film, np.flatnonzero(~film.drawn))]
    return items, "every frame, in order of time"


def _one_items(films: Sequence[Film], cast: Sequence[str], character: int | None) -> tuple[list[Item], str]:
    if character is None or not 0 <= character < len(cast):
        raise Refused("which character is asked about?")
    items = []
    for film in films:
        others = film.told.any(axis=1) & ~film.drawn & (film.weights_s > 0)
        missing = film.sheet.present[:, character] == UNKNOWN
        items += _items(film, np.flatnonzero(others & missing))
    return items, f"{cast[character]}: there, yes or no, in the frames that are labelled for others?"


def _same_items(films: Sequence[Film], cast: Sequence[str], character: int | None) -> tuple[list[Item], str]:
    if character is None or not 0 <= character < len(cast):
        raise Refused("frames with which character?")
    items = []
    for film in films:
        items += _items(film, np.flatnonzero((film.sheet.present[:, character] == "1") & ~film.drawn))
    return items, f"every frame in which {cast[character]} was said to be there"


def _group_items(films: Sequence[Film], frame: int | None) -> tuple[list[Item], str]:
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
    items = _items(film, (one for one in order if np.isfinite(alike[one]) or one == frame))
    left_out = int(film.drawn[np.argsort(-(seen @ seen[frame]), kind="stable")[:PAGE]].sum())
    return items, f"frames that look most like the one at {film.clock(frame)}" + left_out_text(left_out)


def _items(film: Film, frames: Iterable[int]) -> list[Item]:
    return [(film.video_id, int(one)) for one in frames]


def interleaved(lists: Sequence[Sequence]) -> list:
    """One of each list in turn.

    >>> interleaved([[1, 2, 3], [7]])
    [1, 7, 2, 3]
    """
    longest = max((len(one) for one in lists), default=0)
    return [one[place] for place in range(longest) for one in lists if place < len(one)]


def timeline(film: Film) -> dict:
    """A whole film for the timeline: times and its end in seconds, per character answers, one letter for each frame, and
    scores in whole percent, None where there is none; of the frames that an audit drew only which they are.
    """
    said = np.where(film.drawn[:, None], UNKNOWN, film.sheet.present)
    percent = np.round(np.where(film.drawn[:, None], np.nan, film.scores) * 100)
    return {
        "times": film.frames.times_s.tolist(),
        "end_s": float(film.frames.times_s[-1] + film.frames.durations_s[-1]),
        "answers": [letters(column) for column in said.T],
        "scores": [[None if np.isnan(one) else int(one) for one in column] for column in percent.T],
        "skips": [list(skip) for skip in film.skips],
        "drawn": np.flatnonzero(film.drawn).tolist(),
    }


def shot_items(film: Film, frame: int) -> dict:
    """The shot of a frame: its first, middle and last frame, and which characters change inside it; drawn frames left out."""
    first, last = film.shot_of(frame)
    frames = film.shot_frames(frame)
    ends = list(dict.fromkeys([frames[0], frames[len(frames) // 2], frames[-1]]))
    return {
        "video": film.video_id, "first": first, "last": last, "n": len(frames),
        "left_out": last - first + 1 - len(frames), "items": [item_of(film, one) for one in ends],
        "changing": film.changing(frames),
    }  # fmt: skip
