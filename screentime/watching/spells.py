"""When somebody is there long enough to be an event: more than so many judged frames in a row that pass."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from screentime.watching.source import LiveFrame


@dataclass(frozen=True)
class Event:
    """A character seen for long enough.

    Attributes:
        number: from 1, in the order of their being found.
        character: who.
        start, start_s: when the first of its frames came, UTC, and seconds on the clock of the watch.
        end, end_s: when the first frame after it came, or the line broke; None while it goes on.
        score: mean over its frames, in [0, 1].
        n_frames: judged frames, so far.
        surest: the frame with the largest score, so far.
    """

    number: int
    character: str
    start: datetime
    start_s: float
    score: float
    n_frames: int
    surest: LiveFrame
    end: datetime | None = None
    end_s: float | None = None


@dataclass
class _Run:
    """Frames in a row that pass."""

    first: LiveFrame
    surest: LiveFrame
    largest: float
    total: float = 0.0
    n_frames: int = 0
    number: int = 0  # of its event; 0: it is none yet


class Spells:
    """Events, found as frames are judged.

    Args:
        names: whose scores these are, in order.
        wanted: whose events are asked for; empty: everybody's.
        threshold: from here on a frame passes.
        total_frames: more than so many in a row are an event.
    """

    def __init__(
        self, names: Sequence[str], wanted: Collection[str], threshold: float, total_frames: int
    ) -> None:  # fmt: skip
        self._places = [(place, name) for place, name in enumerate(names) if name in wanted or not wanted]
        self._threshold, self._total_frames = threshold, total_frames
        self._runs: dict[str, _Run] = {}
        self._n_events = 0

    def judged(self, frame: LiveFrame, scores: np.ndarray) -> tuple[list[Event], list[Event]]:
        """What a judged frame begins and ends; scores: (n_names,) float64."""
        began, ended = [], []
        for place, name in self._places:
            score = float(scores[place])
            if score < self._threshold:
                ended += self._ended(name, frame.at, frame.shown_s)
                continue
            run = self._runs.setdefault(name, _Run(frame, frame, score))
            if score > run.largest:
                run.surest, run.largest = frame, score
            run.total += score
            run.n_frames += 1
            if run.n_frames > self._total_frames and not run.number:
                self._n_events += 1
                run.number = self._n_events
                began.append(_event(name, run))
        return began, ended

    def lost(self, at: datetime, at_s: float) -> list[Event]:
        """What ends because nothing is known from now on."""
        return [event for _, name in self._places for event in self._ended(name, at, at_s)]

    def _ended(self, name: str, at: datetime, at_s: float) -> list[Event]:
        run = self._runs.pop(name, None)
        return [replace(_event(name, run), end=at, end_s=at_s)] if run is not None and run.number else []


def _event(name: str, run: _Run) -> Event:
    return Event(
        run.number, name, run.first.at, run.first.shown_s, run.total / run.n_frames, run.n_frames, run.surest
    )  # fmt: skip
