"""A process beside the labeller in which a network learns, so that the person never waits for it."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from screentime.errors import InputError
from screentime.inputs import Form
from screentime.labeller.learner import Ahead, Learned, Learner, Lesson
from screentime.params import Params

KEPT = Path(".screentime") / "kept"  # goes with the process
PATIENT = 10  # added to the process's niceness: pages come first


class Study:
    """Takes lessons, gives what was learned.

    Attributes:
        trouble: why no network learns any more, one sentence; None while all is well.
    """

    def __init__(self, make: Callable[[], Learner], kept: Path | None = None) -> None:
        """Nothing is started before something is asked.

        Args:
            make: makes the learner, over there.
            kept: its folder, which goes when this is closed.
        """
        self._make, self._kept, self.trouble = make, kept, None
        self._process: multiprocessing.Process | None = None
        self._asked: list[Lesson] = []

    @property
    def busy(self) -> bool:
        """Whether a lesson is being learned."""
        return bool(self._asked)

    def ask(self, lesson: Lesson) -> None:
        """Learn a lesson after those asked before."""
        if not self.trouble:
            self._asked.append(lesson)
            self._send(lesson)

    def prepare(self, ahead: Ahead) -> None:
        """Compute what lessons of a film will need, after what was asked before."""
        if not self.trouble:
            self._send(ahead)

    def _send(self, asked: Lesson | Ahead) -> None:
        """To the process, which is started for the first."""
        if self._process is None:
            spawn = multiprocessing.get_context("spawn")  # a fork would take the server's threads and sockets along
            self._end, other = spawn.Pipe()
            self._process = spawn.Process(target=_learn, args=(other, self._make), daemon=True)
            self._process.start()
            other.close()
        try:
            self._end.send(asked)
        except OSError:
            self._stopped()

    def done(self) -> list[tuple[Lesson, Learned]]:
        """The lessons learned since the last time; never waits."""
        found = []
        try:
            while self._asked and self._end.poll():
                learned = self._end.recv()
                lesson = self._asked.pop(0)
                if isinstance(learned, str):
                    self.trouble, self._asked = learned, []
                else:
                    found.append((lesson, learned))
        except (EOFError, OSError):
            self._stopped()
        return found

    def close(self) -> None:
        """Stop, whatever is being learned."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        self._asked = []
        if self._kept is not None:
            shutil.rmtree(self._kept, ignore_errors=True)

    def _stopped(self) -> None:
        self.trouble, self._asked = "the network's process ended by itself (out of memory?)", []


def study_of(folder: Path, params: Params) -> Study:
    """What learns from a project's films; what one that was killed had kept is removed."""
    kept = folder.resolve() / KEPT
    shutil.rmtree(kept, ignore_errors=True)
    form = Form(params.embed.backbone, params.embed.width, params.embed.height)
    return Study(partial(Learner, folder.resolve() / "data", form, kept, params.embed.threads), kept)


def _learn(end: Connection, make: Callable[[], Learner]) -> None:
    """Learn what comes until nobody is at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the labeller, which then stops this
    os.nice(PATIENT)
    waiting: SimpleQueue[Lesson | Ahead | None] = SimpleQueue()
    Thread(target=_receive, args=(end, waiting), daemon=True).start()
    learner = make()
    while (asked := waiting.get()) is not None:
        if isinstance(asked, Ahead):
            with suppress(InputError, MemoryError, OSError):  # the lesson that needs it says what is wrong
                learner.prepare(asked)
            continue
        try:
            answer = learner.learn(asked)
        except (InputError, MemoryError, OSError) as error:
            answer = f"no network learns along: {error}"
        try:
            end.send(answer)
        except OSError:
            return


def _receive(end: Connection, waiting: SimpleQueue) -> None:
    """Take what is sent at once: a lesson is larger than a pipe, and its sender would wait until the one before is learned."""
    try:
        while True:
            waiting.put(end.recv())
    except (EOFError, OSError):
        waiting.put(None)
