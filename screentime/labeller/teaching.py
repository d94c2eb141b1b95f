"""What the answers teach: the light head, fitted anew again and again, and a network beside the labeller.

Frames that an audit drew never train, answered or not; nor do films that only measure.
"""

from collections.abc import Collection

import numpy as np

from screentime import light_head
from screentime.labeller.film import Film
from screentime.labeller.learner import Ahead, Lesson
from screentime.labeller.study import Study

LEAST_LEARNED = 20  # labelled frames: with fewer a network learns nothing worth having
# so much of a film's first frames are labelled: what is learned from them is there for the first page of guesses
FIRST_LESSON = 2 / 3


class Fit:
    """The light head fitted to the answers of one moment: taken down, learned from, and the scores given to the films.

    Learning takes its time, and needs nothing that changes while people answer; the two others want the films for themselves.
    """

    def __init__(self, films: Collection[Film]) -> None:
        """Take down what is answered now."""
        self._films, self._head = list(films), None
        self._trained: list[tuple[Film, np.ndarray]] = []  # with the frames that train, (n,) int64
        targets = []
        for film in films:
            if not film.test:
                numbers = film.sheet.numbers()
                rows = np.flatnonzero((~np.isnan(numbers)).any(axis=1) & ~film.drawn)
                self._trained.append((film, rows))
                targets.append(numbers[rows])
        self._targets = np.concatenate(targets or [[]])

    def learn(self) -> None:
        """Fit the head and score all films; nothing happens where nothing is answered."""
        if not len(self._targets):
            return
        features = np.concatenate([film.seen()[rows] for film, rows in self._trained])
        times_s = np.concatenate([film.frames.times_s[rows] for film, rows in self._trained])
        videos = [film.video_id for film, rows in self._trained for _ in rows]
        self._head = light_head.fit(features, self._targets, video_ids=videos, times_s=times_s)
        self._scores = []
        for film in self._films:
            seen, at = film.seen(), (film.video_id, film.frames.times_s)
            self._scores.append((self._head.scores(seen, *at), self._head.scores(seen, *at, near=True)))

    def give(self) -> None:
        """Let the films have their scores."""
        if self._head is None:
            return
        for film, (live, near) in zip(self._films, self._scores, strict=True):
            film.take_scores(live)
            film.near, film.held_out = near, np.full_like(film.scores, np.nan)
        done = 0
        for film, rows in self._trained:
            film.held_out[rows] = self._head.held_out[done : done + len(rows)]
            film.near[rows] = self._head.one_out[done : done + len(rows)]
            done += len(rows)


class Teacher:
    """Gives a network its lessons, and the films what it learned.

    A lesson before a film's first round is for its proposals alone, the others are for the round that was drawn.
    """

    def __init__(self, films: Collection[Film], study: Study | None) -> None:
        """Ask again for what an earlier session was learning when it ended; without a study nothing is ever learned."""
        self._films, self._study = {film.video_id: film for film in films}, study
        self._prepared: set[str] = set()
        self._begun_at: int | None = None
        self._trouble: str | None = None
        for film in films:
            answered = film.answered_before(film.rounds_drawn)
            if answered is not None and film.rounds_drawn not in film.of_round:
                self._ask(film, answered)

    @property
    def told(self) -> str | None:
        """What the network is doing, one sentence; None where there is nothing to say."""
        if self._study is None:
            return None
        return (
            self._trouble
            or self._study.trouble
            or ("a network is learning from what you labelled" if self._study.busy else None)
        )

    def teach(self, film: Film, answered: np.ndarray) -> None:
        """Let a network learn for a film's last round, or before the first one for its proposals.

        Args:
            film: the film.
            answered: (n_frames, n_characters) float32, what had been answered in it when the round was drawn, 1, 0 or NaN.
        """
        if self._study is not None and self._kept(film, film.rounds_drawn, answered=answered):
            self._ask(film, answered)

    def begin(self, version: int) -> None:
        """Let a network learn from the first frames of a film, once most of them are labelled.

        It is told of the film as soon as one of them is, to compute what never changes.

        Args:
            version: of the answers; nothing is done twice for one version.
        """
        if self._study is None or version == self._begun_at:
            return
        self._begun_at = version
        for film in self._films.values():
            if film.rounds_drawn or film.test or film.answered_before(0) is not None:
                continue
            labelled = int(film.labelled.sum())
            if labelled and film.video_id not in self._prepared:
                self._prepared.add(film.video_id)
                self._study.prepare(Ahead(film.video_id, len(film.cast)))
            if labelled >= max(FIRST_LESSON * film.wanted, LEAST_LEARNED) and not self._study.busy:
                self.teach(film, film.sheet.numbers().astype(np.float32))

    def hear(self) -> bool:
        """Give the films what was learned since the last time; whether there was anything."""
        done = self._study.done() if self._study is not None else []
        for lesson, learned in done:
            self._kept(self._films[lesson.video_id], lesson.number, **learned._asdict())
        return bool(done)

    def _kept(self, film: Film, number: int, **tables: np.ndarray) -> bool:
        """Keep what belongs to a lesson; where it cannot be, the light head's scores serve, and nothing else stops."""
        try:
            film.keep_of_round(number, **tables)
        except OSError as error:
            self._trouble = f"what a network learns cannot be kept: {error}"
            return False
        self._trouble = None
        return True

    def _ask(self, film: Film, answered: np.ndarray) -> None:
        if self._study is not None and (lesson := lesson_of(film, self._films.values(), answered)) is not None:
            self._study.ask(lesson)


def lesson_of(film: Film, films: Collection[Film], answered: np.ndarray) -> Lesson | None:
    """What a network is to learn for a film's last round: what had been answered when the round was drawn.

    What is answered later may not touch its scores: such frames are to the round what all others are that it did not draw.

    Args:
        film: the film.
        films: all films; the others' answers of now train too.
        answered: (n_frames, n_characters) float32, what had been answered in the film, 1, 0 or NaN.

    Returns:
        The lesson; None where too few frames are labelled.
    """
    labelled = {}
    for one in films:
        answers = answered.copy() if one is film else one.sheet.numbers().astype(np.float32)
        answers[one.drawn] = np.nan
        rows = np.flatnonzero(~np.isnan(answers).all(axis=1))
        if len(rows) and not one.test:
            labelled[one.video_id] = rows, answers[rows]
    enough = sum(len(rows) for rows, _ in labelled.values()) >= LEAST_LEARNED
    return Lesson(film.video_id, film.rounds_drawn, answered, labelled) if enough else None
