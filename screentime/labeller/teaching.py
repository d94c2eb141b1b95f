"""What the answers teach: the light head, fitted anew again and again, and a network beside the labeller.

Frames that an audit drew never train, answered or not; nor do films that only measure.
"""

from collections.abc import Collection

import numpy as np

from screentime import light_head
from screentime.labeller.film import Film
from screentime.labeller.learner import Lesson

LEAST_LEARNED = 20  # labelled frames: with fewer a network learns nothing worth having


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
