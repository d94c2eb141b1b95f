"""A watch run in a test: real sources and a real record, and a judge whose scores are the numbers that pictures carry."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import synthetic

from screentime.params import load
from screentime.watch_params import Watch as Settings
from screentime.watching.alerts import Alerts
from screentime.watching.place import place_of
from screentime.watching.record import Record, held
from screentime.watching.source import LiveFrame, Source
from screentime.watching.watch import Judged, Watch

ROOT = Path(__file__).parents[1]


def settings(**changed: object) -> Settings:
    """The section `watch` of the project's own params.yaml, with changes; those of `alert` as alert={..}."""
    own = load(ROOT / "params.yaml").watch.model_dump()
    own["alert"] |= changed.pop("alert", {})
    return Settings.model_validate(own | changed)


def live(image: np.ndarray, number: int = 1, at_s: float = 0.0) -> LiveFrame:
    """A frame that came at a moment of a made-up day."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=at_s)
    return LiveFrame(number, at_s, at, 0, lambda max_side: image)


class Numbers:
    """A judge of numbered pictures.

    Args:
        shows: from a number to the scores of "even" and "odd".
        slow_s: so long it takes.
    """

    names, fps = ("even", "odd"), None

    def __init__(self, shows: Callable[[int], tuple[float, float]], slow_s: float = 0.0) -> None:
        self.shows, self.slow_s = shows, slow_s
        self.numbers: list[int] = []
        self.forgotten = 0

    def scores(self, frame: LiveFrame) -> np.ndarray:
        number = synthetic.number_of(frame.image(128))
        self.numbers.append(number)
        if self.slow_s:
            time.sleep(self.slow_s)
        return np.array(self.shows(number))

    def forget(self) -> None:
        self.forgotten += 1


class Watching:
    """One watch, as the command wires it.

    Args:
        word: the source.
        judge: the model.
        out: the folder of results.
        ways: of alerts.
        each: is told every judged frame.
        speed: films go so many times as fast.
        changed: of the section `watch`.
    """

    def __init__(self, word, judge, out, *, ways=(), each=lambda judged: None, speed=1.0, **changed) -> None:
        self.said: list[str] = []
        self.out, place = Path(out), place_of(str(word))
        self.settings = settings(**changed)
        self.alerts = Alerts(self.settings.alert, ways, place.name, self.said.append)
        self._held = held(self.out)
        self._held.__enter__()
        self.record = Record(self.out, judge.names, self.settings, self.alerts.began, self.said.append)
        started_s = time.monotonic()
        self.source = Source(
            place, silence_s=self.settings.silence_s, each=self.record.frame, tell=self.said.append, started_s=started_s, speed=speed
        )  # fmt: skip
        self.judged: list[Judged] = []

        def told(judged: Judged) -> None:
            self.judged.append(judged)
            each(judged)

        self.watch = Watch(self.source, judge, self.settings, self.record, told, started_s)

    def run(self) -> "Watching":
        """To the end."""
        self.record.start()
        try:
            self.watch.run()
        finally:
            self.record.close()
            self.alerts.close(30)
            self._held.__exit__(None, None, None)
        return self
