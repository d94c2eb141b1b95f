"""The labeller running for a test: in this process, or as the command a person types."""

import atexit
import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from screentime.labeller.server import application
from screentime.labeller.session import open_desk
from screentime.local_page import listening_socket, new_token

ROOT = Path(__file__).parents[1]


@dataclass
class Running:
    """A labeller that answers.

    Attributes:
        port, token: of this run.
        desk: the desk behind it; None where it runs in another process.
    """

    port: int
    token: str
    desk: object = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/#token={self.token}"

    def ask(self, method: str, path: str, body: object = None, **headers: str | None) -> tuple[int, dict, dict]:
        """Send a request as the page sends it, but for the headers named: status, headers, JSON."""
        sent = {
            "Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}", "X-Token": self.token,
            "Content-Type": "application/json",
        }  # fmt: skip
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode("utf-8")
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if data is not None and "Content-Length" not in sent:
            sent["Content-Length"] = str(len(data))
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(data)
        answer = connection.getresponse()
        text = answer.read()
        try:
            value = json.loads(text)
        except ValueError:
            value = {"bytes": len(text)}
        return answer.status, dict(answer.getheaders()), value

    def do(self, path: str, **body: object) -> dict:
        """A request that must be answered."""
        status, _, value = self.ask("POST", path, body)
        assert status == 200, value
        return value


@contextmanager
def served(folder: Path, params) -> Iterator[Running]:
    """The labeller in a thread of this process; its head is fitted and its files written as in the command."""
    listening = listening_socket(0)
    desk, pictures = open_desk(folder, params, params.shown_videos, "ann")
    running = Running(listening.getsockname()[1], new_token(), desk)
    app = application(desk, pictures, token=running.token, port=running.port, project={"cast": list(params.cast)})
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(0.1):
            desk.tick()

    threads = [threading.Thread(target=server.run, args=([listening],), daemon=True), threading.Thread(target=work)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        server.should_exit = True
        stopped.set()
        for thread in threads:
            thread.join(10)


class Command:
    """`python -m screentime label` in a process of its own."""

    def __init__(
        self, folder: Path, *words: str, browser: str = "", before: Sequence[str] = (), code: Path = ROOT
    ) -> None:
        """Begin it, in a terminal of its own.

        Args:
            folder: the project.
            words: of the command line.
            browser: what it opens its page with; "": it opens none.
            before: words before the command.
            code: the folder of the program.
        """
        command = [*before, sys.executable, "-m", "screentime", "label", *([] if browser else ["--no-browser"]), *words]
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # for the commands that it runs
        environment = {"PYTHONPATH": str(code), "PYTHONUNBUFFERED": "1", "PATH": path, "BROWSER": browser or "false"}
        outer, inner = os.openpty()
        termios.tcsetwinsize(inner, (40, 160))
        self.process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=inner, stderr=inner, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        os.close(inner)
        atexit.register(self._end)  # where a test failed
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.said: list[str] = []
        threading.Thread(target=self._read, args=(outer,), daemon=True).start()

    def _end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def _read(self, terminal: int) -> None:
        with open(terminal, encoding="utf-8") as lines, suppress(OSError):  # Linux: the other end is closed
            for line in lines:
                self.lines.put(line)
        self.lines.put(None)

    def running(self) -> Running:
        """Wait until it answers."""
        while (line := self.lines.get(timeout=120)) is not None:
            self.said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/#token=(\S+)", line):
                return Running(int(found[1]), found[2])
        raise AssertionError("it ended: " + "".join(self.said))

    def ended(self) -> tuple[int, str]:
        """Wait for its end: exit code and everything it said."""
        while (line := self.lines.get(timeout=120)) is not None:
            self.said.append(line)
        return self.process.wait(60), "".join(self.said)

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
