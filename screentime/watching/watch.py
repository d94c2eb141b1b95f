"""The watch itself: take the newest frame, judge it, count it, keep and tell what it begins and ends."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from screentime.watch_params import Watch as Settings
from screentime.watching.judge import Judge
from screentime.watching.record import Record
from screentime.watching.source import LiveFrame, Source
from screentime.watching.spells import Spells
from screentime.watching.standing import Standing

LOOK_S = 0.1  # between two looks at whether it shall end
RATE_OVER = 25  # judged frames over which the rate is told
HOLD_S = 1.0  # a judged frame stands for at least so long, where no other comes


@dataclass(frozen=True)
class Judged:
    """A judged frame.

    Attributes:
        frame: the frame.
        scores: (n_names,) float64 in [0, 1].
        took_s: what judging took, seconds.
        waited_s: how old the frame was when its judging began, seconds.
    """

    frame: LiveFrame
    scores: np.ndarray
    took_s: float
    waited_s: float


class Watch:
    """A source, judged until it ends or the watch is stopped.

    Args:
        source: started by `run`.
        judge: the model.
        settings: the section `watch`.
        record: keeps events; started already.
        tell: is told each judged frame.
        started_s: the zero of the watch on `time.monotonic`, the same as the source's.

    Attributes:
        standing: seconds so far, and the last minutes.
        newest: the newest judged frame; None before the first.
    """

    def __init__(
        self,
        source: Source,
        judge: Judge,
        settings: Settings,
        record: Record,
        tell: Callable[[Judged], None],
        started_s: float,
    ) -> None:
        self.source, self.judge, self.settings, self.record = source, judge, settings, record
        self.fps = judge.fps or settings.fps
        self.standing = Standing(judge.names, max(HOLD_S, 2 / self.fps))
        self.newest: Judged | None = None
        self._spells = Spells(judge.names, settings.characters, settings.threshold, settings.total_frames)
        self._tell, self._started_s = tell, started_s
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._moments: deque[float] = deque(maxlen=RATE_OVER)

    @property
    def now_s(self) -> float:
        """Seconds on the clock of the watch."""
        return time.monotonic() - self._started_s

    @property
    def rate(self) -> float:
        """Judged frames a second, lately."""
        moments = list(self._moments)
        return (len(moments) - 1) / (moments[-1] - moments[0]) if len(moments) > 1 else 0.0

    def stop(self) -> None:
        """End soon."""
        self._stopped.set()

    def after(self, number: int, within_s: float) -> Judged | None:
        """The newest judged frame, as soon as its number is above that, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.newest is not None and self.newest.frame.number > number, within_s)
            return self.newest

    def run(self) -> None:
        """Judge until the end.

        Raises:
            InputError: the source could not be opened, or not to its end.
            Exception: what ended the record.
        """
        self.source.start()
        number, line, due_s, lost_at = 0, 0, 0.0, None
        while not self._stopped.is_set() and self.record.failure is None:
            if self._stopped.wait(max(0.0, due_s - self.now_s)):
                break
            frame = self.source.newest.after(number, LOOK_S)
            if frame is None:
                if not self.source.is_alive():
                    break
                if self.source.down and lost_at is None:
                    lost_at = self._lost(*self.source.broke)
                continue
            if frame.line > line:
                self.record.unknown(lost_at or self._lost(*self.source.broke), frame.at)
                lost_at = None
            number, line = frame.number, frame.line
            due_s = max(due_s + 1 / self.fps, self.now_s)
            self._judge(frame)
        self.source.stop()
        end = self._lost(datetime.now(UTC), self.now_s)
        if lost_at is not None:
            self.record.unknown(lost_at, end)
        for failure in (self.record.failure, self.source.failure):
            if failure is not None:
                raise failure

    def _judge(self, frame: LiveFrame) -> None:
        begun_s = self.now_s
        scores = self.judge.scores(frame)
        judged = Judged(frame, scores, self.now_s - begun_s, begun_s - frame.shown_s)
        self.standing.judged(frame.shown_s, scores)
        began, ended = self._spells.judged(frame, scores)
        for event in ended:
            self.record.ended(event)
        for event in began:
            self.record.began(event)
        with self._changed:
            self.newest = judged
            self._moments.append(frame.shown_s)
            self._changed.notify_all()
        self._tell(judged)

    def _lost(self, at: datetime, at_s: float) -> datetime:
        """Nothing is known from that moment on."""
        self.standing.lost(at_s)
        self.judge.forget()
        for event in self._spells.lost(at, at_s):
            self.record.ended(event)
        return at
