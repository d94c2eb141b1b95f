"""What a watch leaves: events.csv, unknown.csv, pictures and clips of events, within a limit."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pandas
from filelock import FileLock, Timeout

from screentime.errors import InputError
from screentime.files import write_bytes
from screentime.frames import encode_jpeg
from screentime.outside.character_folders import folders_of
from screentime.table_files import Column, Table, read_rows, write_table
from screentime.watch_params import Watch
from screentime.watching.clip import FPS, EventClip, Past, stamp
from screentime.watching.source import LiveFrame
from screentime.watching.spells import Event

FILES = "events"  # the folder of pictures and clips
PICTURE_SIDE, PICTURE_QUALITY = 1920, 85
MOST_WAITING = 25  # frames, decoded: two seconds of them may wait for a slow disk
ALERTS = ("sent", "cooldown", "limit", "quiet", "none")

_MOMENT = "UTC, ISO 8601, milliseconds"
EVENTS = Table(
    "events.csv",
    "what `python -m screentime watch` saw: one row for each stretch of more than `watch.total_frames` judged frames in a row that pass",
    (
        Column("start", "word", f"when its first frame came, {_MOMENT}"),
        Column("end", "word", f"when the first frame after it came, {_MOMENT}; empty while it goes on, or where the watch was killed", required=False),
        Column("character", "word", "who, or the class of a model of clips"),
        Column("score", "number", "mean score of its frames, in [0, 1]"),
        Column("n_frames", "count", "judged frames"),
        Column("picture", "word", "its surest frame, beside this table; empty where it made room for newer ones", required=False),
        Column("clip", "word", "its clip, beside this table; empty where there is none (any more)", required=False),
        Column(
            "alert", "word",
            "sent: given to mail, webhook and command; held back: cooldown, limit (of an hour), quiet (time of day); none: no way is set",
            choices=ALERTS,
        ),
    ),
    ("start", "character"),
)  # fmt: skip
UNKNOWN = Table(
    "unknown.csv",
    "when a watch saw nothing because the stream was down: nobody is absent then, it is not known",
    (Column("start", "word", f"from when on, {_MOMENT}"), Column("end", "word", f"until when, {_MOMENT}")),
    ("start",),
)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """A folder for one watch at a time."""
    (folder / FILES).mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".watch.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"{folder}: another watch writes here now, a folder of one's own was expected; name another one with --out"
        ) from None
    try:
        yield
    finally:
        lock.release()


class Record(threading.Thread):
    """Keeps events, in a thread of its own: a slow or full disk does not hold up the judging.

    Args:
        folder: gets events.csv, unknown.csv and events/.
        names: whose events there may be.
        settings: the section `watch`.
        began: is told of each event as it begins, with a JPEG of it; gives one of ALERTS.
        tell: is told a sentence when something cannot be written, once until it can be again.

    Attributes:
        latest: rows of the last events, newest first.
        failure: what ended it too early, which no disk explains; None as long as it is at work.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        settings: Watch,
        began: Callable[[Event, bytes], str],
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(name="record", daemon=True)
        self._folder, self._settings, self._began_elsewhere, self._tell = folder, settings, began, tell
        self._file_names = folders_of(names)
        self._events = read_rows(folder / EVENTS.path, EVENTS).drop(columns="line").to_dict("records")
        self._unknown = read_rows(folder / UNKNOWN.path, UNKNOWN).drop(columns="line").to_dict("records")
        self.n_before = len(self._events)
        self._rows: dict[int, dict] = {}  # of the events of this watch
        self._clips: dict[int, EventClip] = {}
        lead_s = (settings.total_frames + 3) / settings.fps + 2
        self._past = Past(min(settings.before_s + lead_s, settings.longest_s))
        self._to_do: queue.Queue = queue.Queue()
        self._next_s = 0.0
        self._in_trouble = False
        self.latest: list[dict] = []
        self.failure: Exception | None = None

    @property
    def n_events(self) -> int:
        """Events of this watch."""
        return len(self._events) - self.n_before

    def frame(self, frame: LiveFrame) -> None:
        """A frame came; at most FPS of them a second are kept."""
        if frame.shown_s >= self._next_s and self._to_do.qsize() < MOST_WAITING:
            self._next_s = max(self._next_s + 1 / FPS, frame.shown_s)
            self._to_do.put((self._keep, frame))

    def began(self, event: Event) -> None:
        """An event began."""
        self._to_do.put((self._begin, event))

    def ended(self, event: Event) -> None:
        """It ended."""
        self._to_do.put((self._end, event))

    def unknown(self, start: datetime, end: datetime) -> None:
        """The line was down."""
        self._to_do.put((self._not_seen, (start, end)))

    def close(self) -> None:
        """Write what is to be written, and end."""
        self._to_do.put(None)
        self.join()

    def run(self) -> None:
        try:
            self._all()
        except Exception as error:  # a mistake of ours: an eye that keeps nothing shall not look as if it did
            self.failure = error
        finally:
            self._drop_clips()

    def _all(self) -> None:
        while (one := self._to_do.get()) is not None:
            work, subject = one
            self._done(lambda work=work, subject=subject: work(subject))
        for number in list(self._clips):
            self._done(lambda number=number: self._finished(number))
        self._done(self._write)

    def _done(self, work: Callable[[], None]) -> None:
        """Do something; what the disk refuses is told once, and the watch goes on."""
        try:
            work()
        except OSError as error:
            self._drop_clips()
            if not self._in_trouble:
                why = (error.strerror or str(error)).lower()
                self._tell(
                    f"{self._folder}: {why}; the watch goes on, pictures, clips and events are not kept until there is room"
                )
            self._in_trouble = True

    def _drop_clips(self) -> None:
        for clip in self._clips.values():
            clip.discard()
        self._clips.clear()

    def _keep(self, frame: LiveFrame) -> None:
        moment = self._past.add(frame)
        for number in [number for number, clip in self._clips.items() if not clip.add(moment)]:
            self._finished(number)

    def _begin(self, event: Event) -> None:
        name = f"{FILES}/{stamp(event.start)}_{self._file_names[event.character]}"
        jpeg = encode_jpeg(event.surest.image(PICTURE_SIDE), PICTURE_QUALITY)
        row = self._rows[event.number] = {
            "start": moment_text(event.start), "end": "", "character": event.character, "score": event.score,
            "n_frames": event.n_frames, "picture": "", "clip": "", "alert": self._began_elsewhere(event, jpeg),
        }  # fmt: skip
        self._events.append(row)
        self.latest = [row, *self.latest[:19]]
        write_bytes(self._folder / f"{name}.jpg", jpeg)
        row["picture"] = f"{name}.jpg"
        clip = EventClip(self._folder / f"{name}.mp4", self._settings.longest_s)
        self._clips[event.number] = clip
        for moment in list(self._past.moments):
            if moment[0] >= event.start_s - self._settings.before_s and not clip.add(moment):
                self._finished(event.number)
                break
        self._write()

    def _end(self, event: Event) -> None:
        row = self._rows[event.number]
        row.update(end=moment_text(event.end), score=event.score, n_frames=event.n_frames)
        if event.number in self._clips:
            self._clips[event.number].until_s = event.end_s + self._settings.after_s
        self._write()

    def _finished(self, number: int) -> None:
        """A clip has come to its end."""
        clip = self._clips.pop(number)
        clip.finish()
        self._rows[number]["clip"] = f"{FILES}/{clip.path.name}"
        self._make_room()
        self._write()

    def _not_seen(self, stretch: tuple[datetime, datetime]) -> None:
        start, end = stretch
        self._unknown.append({"start": moment_text(start), "end": moment_text(end)})
        write_table(self._folder / UNKNOWN.path, pandas.DataFrame(self._unknown), UNKNOWN)

    def _write(self) -> None:
        if self._events:
            write_table(self._folder / EVENTS.path, pandas.DataFrame(self._events), EVENTS)
            self._in_trouble = False

    def _make_room(self) -> None:
        """Take the oldest pictures and clips away where there are too many; the rows stay."""
        files = (path for path in sorted((self._folder / FILES).iterdir()) if not path.name.startswith("."))
        sizes = {path: path.stat().st_size for path in files}
        over = sum(sizes.values()) - self._settings.limit_gb * 1e9
        gone = set()
        for path, size in sizes.items():
            if over <= 0:
                break
            path.unlink()
            gone.add(f"{FILES}/{path.name}")
            over -= size
        for row in self._events:
            for file in ("picture", "clip"):
                if row[file] in gone:
                    row[file] = ""


def moment_text(at: datetime) -> str:
    """A moment, UTC, as the tables have it.

    >>> moment_text(datetime(2026, 5, 4, 3, 2, 1, 987654))
    '2026-05-04T03:02:01.987Z'
    """
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
