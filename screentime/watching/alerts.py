"""Who is told of an event, and when not: cooldown, so many an hour, quiet hours. Each way has a thread and its own patience."""

import base64
import json
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from screentime.watch_params import Alert as AlertSettings
from screentime.watching.spells import Event

WAITING = 20  # alerts that may wait for a slow receiver; the oldest are dropped, and counted
AGAIN_AFTER_S = (5.0, 30.0)  # a receiver that is away is asked again after so long, then no more


@dataclass(frozen=True)
class Message:
    """What is said of an event.

    Attributes:
        character: who.
        start: when it began, UTC.
        score: mean over its frames, in [0, 1].
        n_frames: judged frames in a row.
        source: what is watched, without any password.
        picture: JPEG.
    """

    character: str
    start: datetime
    score: float
    n_frames: int
    source: str
    picture: bytes

    @property
    def sentence(self) -> str:
        """One line, local time."""
        at = self.start.astimezone()
        return f"{self.character} is on screen since {at:%H:%M:%S} ({self.score:.2f} over {self.n_frames} frames), {self.source}"

    def as_json(self) -> bytes:
        """For webhooks and programs; `text` and `content` are what chat services show."""
        data = {
            "text": self.sentence, "content": self.sentence, "character": self.character,
            "start": self.start.astimezone(UTC).isoformat(timespec="milliseconds"), "score": round(self.score, 4),
            "n_frames": self.n_frames, "source": self.source, "picture_jpeg_base64": base64.b64encode(self.picture).decode(),
        }  # fmt: skip
        return json.dumps(data, ensure_ascii=False).encode()


class Refused(Exception):
    """A receiver did not take a message; the sentence says why, and holds no secret.

    Attributes:
        for_good: trying again is of no use.
    """

    def __init__(self, sentence: str, *, for_good: bool = False) -> None:
        super().__init__(sentence)
        self.for_good = for_good


class Way(Protocol):
    """How messages reach somebody."""

    name: str

    def send(self, message: Message) -> None:
        """Deliver one, or raise `Refused`."""


class Limits:
    """Which events are told.

    Args:
        settings: cooldown_s, per_hour, quiet.
    """

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings
        self._last: dict[str, datetime] = {}
        self._sent: deque[datetime] = deque()

    def judged(self, character: str, now: datetime) -> str:
        """ "sent", and it counts; else "quiet", "cooldown" or "limit". `now` has a time zone; quiet hours are of that zone."""
        if any(_within(now.time(), *stretch.split("-")) for stretch in self._settings.quiet):
            return "quiet"
        last = self._last.get(character)
        if last is not None and now - last < timedelta(seconds=self._settings.cooldown_s):
            return "cooldown"
        while self._sent and now - self._sent[0] >= timedelta(hours=1):
            self._sent.popleft()
        if len(self._sent) >= self._settings.per_hour:
            return "limit"
        self._last[character] = now
        self._sent.append(now)
        return "sent"


class Sender(threading.Thread):
    """Delivers messages one way, and says what fails: once, until one gets through again.

    Args:
        way: how.
        tell: is told a sentence.
        again_after_s: a receiver that is away is asked again after each of these.

    Attributes:
        n_sent, n_failed, n_dropped: messages that got through, that did not, and that made room for newer ones.
    """

    def __init__(self, way: Way, tell: Callable[[str], None], again_after_s: Sequence[float] = AGAIN_AFTER_S) -> None:
        super().__init__(name=way.name, daemon=True)
        self._way, self._tell, self._again_after_s = way, tell, tuple(again_after_s)
        self._messages: queue.Queue[Message | None] = queue.Queue()
        self._closing = threading.Event()
        self._said: str | None = None
        self.n_sent = self.n_failed = self.n_dropped = 0

    def hand(self, message: Message) -> None:
        """Take a message to be sent; returns at once."""
        with suppress(queue.Empty):  # the sender may have taken the last one meanwhile
            while self._messages.qsize() >= WAITING:
                self._messages.get_nowait()
                self.n_dropped += 1
        self._messages.put(message)

    def close(self, within_s: float) -> None:
        """Send what waits, once each, and give up after so many seconds; what was dropped is told."""
        self._closing.set()
        self._messages.put(None)
        self.join(within_s)
        if self.n_dropped:
            self._tell(f"alerts by {self._way.name}: {self.n_dropped} were never sent, newer ones took their place")

    def run(self) -> None:
        while (message := self._messages.get()) is not None:
            why = self._tried(message)
            if why is None:
                self.n_sent += 1
                if self._said is not None:
                    self._tell(f"alerts by {self._way.name} get through again")
                self._said = None
                continue
            self.n_failed += 1
            if why != self._said:
                self._tell(f"alerts by {self._way.name}: {why}; the watch goes on")
            self._said = why

    def _tried(self, message: Message) -> str | None:
        """Send a message; why it could not be sent, else None."""
        for wait_s in (*self._again_after_s, None):
            try:
                self._way.send(message)
                return None
            except Refused as error:
                if error.for_good or wait_s is None or self._closing.wait(wait_s):
                    return str(error)
        return None


class Alerts:
    """Tells the world of events, as far as it may.

    Args:
        settings: the section `watch.alert`.
        ways: how.
        source: what is watched, as messages say it.
        tell: is told what fails.
    """

    def __init__(
        self, settings: AlertSettings, ways: Sequence[Way], source: str, tell: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._limits, self._source = Limits(settings), source
        self.senders = [Sender(way, tell) for way in ways]
        for sender in self.senders:
            sender.start()

    def began(self, event: Event, picture: bytes) -> str:
        """An event began; what became of it: one of record.ALERTS. Returns at once."""
        if not self.senders:
            return "none"
        verdict = self._limits.judged(event.character, datetime.now().astimezone())
        if verdict == "sent":
            message = Message(event.character, event.start, event.score, event.n_frames, self._source, picture)
            for sender in self.senders:
                sender.hand(message)
        return verdict

    def close(self, within_s: float) -> None:
        """Send what waits, and give up after so many seconds for each way."""
        for sender in self.senders:
            sender.close(within_s)


def _within(now: time, start: str, end: str) -> bool:
    """Whether a time of day lies in a stretch that may go over midnight; one that ends as it begins is the whole day."""
    first, last = time.fromisoformat(start), time.fromisoformat(end)
    return first <= now < last if first < last else now >= first or now < last
