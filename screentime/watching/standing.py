"""How a watch stands: running seconds, the last minutes, what was not seen. The judging thread writes, pages read."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RIBBON_S = 300.0  # of the past are kept for the page


@dataclass(frozen=True)
class Stretch:
    """A stretch of the watch that one judged frame stands for.

    Attributes:
        number: from 1.
        start_s, end_s: seconds on the clock of the watch.
        scores: (n_names,) float64; None: nothing is known of it.
    """

    number: int
    start_s: float
    end_s: float
    scores: np.ndarray | None


class Standing:
    """Seconds on screen so far: the sum over judged frames of score times the time each stands for.

    A frame stands for the time until the next one, but never longer than `hold_s`: what is not covered is unknown, not absent.

    Args:
        names: whose scores these are, in order.
        hold_s: above 0.
    """

    def __init__(self, names: Sequence[str], hold_s: float) -> None:
        self.names = tuple(names)
        self._hold_s = hold_s
        self._lock = threading.Lock()
        self._seconds = np.zeros(len(names))
        self._known_s = self._unknown_s = 0.0
        self._stretches: deque[Stretch] = deque()
        self._n_stretches = 0
        self._until_s: float | None = None  # up to here all is counted
        self._scores: np.ndarray | None = None  # of the frame on screen

    def judged(self, shown_s: float, scores: np.ndarray) -> None:
        """A frame was judged that came at that moment; scores: (n_names,) float64 in [0, 1]."""
        with self._lock:
            self._count(shown_s)
            self._until_s, self._scores = shown_s, scores

    def lost(self, at_s: float) -> None:
        """The line is down, or the watch is over: the last frame stands for no more than until now."""
        with self._lock:
            self._count(at_s)
            self._scores = None

    def told(self, now_s: float, after: int = 0) -> dict:
        """Figures as JSON takes them: seconds of each name, seconds known and unknown, the stretches after one number."""
        with self._lock:
            scores, seconds = self._scores, self._seconds.copy()
            since_s = 0.0 if self._until_s is None else max(0.0, now_s - self._until_s)
            if scores is not None:
                seconds += min(since_s, self._hold_s) * scores
            return {
                "seconds": seconds.round(3).tolist(),
                "scores": None if scores is None or since_s > self._hold_s else scores.round(4).tolist(),
                "known_s": round(self._known_s, 3),
                "unknown_s": round(self._unknown_s, 3),
                "now_s": round(now_s, 3),
                "stretches": [
                    [one.number, round(one.start_s, 3), round(one.end_s, 3), one.scores if one.scores is None else one.scores.round(3).tolist()]
                    for one in self._stretches
                    if one.number > after
                ],
            }  # fmt: skip

    def _count(self, until_s: float) -> None:
        """Count the time from where it was counted to."""
        if self._until_s is None:
            self._until_s = until_s
            return
        held_s = self._until_s
        if self._scores is not None:
            held_s = min(until_s, self._until_s + self._hold_s)
            self._seconds += (held_s - self._until_s) * self._scores
            self._known_s += held_s - self._until_s
            self._keep(self._until_s, held_s, self._scores)
        if until_s > held_s:
            self._unknown_s += until_s - held_s
            self._keep(held_s, until_s, None)
        self._until_s = until_s

    def _keep(self, start_s: float, end_s: float, scores: np.ndarray | None) -> None:
        self._n_stretches += 1
        self._stretches.append(Stretch(self._n_stretches, start_s, end_s, scores))
        while self._stretches[0].end_s < end_s - RIBBON_S:
            self._stretches.popleft()
