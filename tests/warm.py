"""Commands of the project without the seconds in which each of its processes imports the same libraries.

A server imports them once for all test workers of a run and forks for each command: libraries alone, never the project's
own code, which every command imports anew from where it is called. `commands` is a folder with a `python` and a `dvc`
for the front of PATH that hand `python -m MODULE`, `python -c CODE` and `dvc` over to it: words, folder, environment and the
three open files; signals and the exit code go back and forth. Whatever else `python` is asked is done by the real one.

Not for tests of what a process imports, of what it has from its parent beside that (limits, say), nor of two processes
that must agree by chance: forks share their hash seed.
"""

import atexit
import gc
import importlib
import json
import os
import re
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LIBRARIES = (
    "multiprocessing.spawn",  # remembers the real Python, which workers are begun with
    "ai_edge_litert.interpreter", "av", "cv2", "jinja2", "numpy", "pandas", "pydantic", "scipy.optimize", "scipy.special",
    "sklearn.cluster", "tqdm", "yaml", "keras", "tensorflow", "git", "mlflow.pyfunc", "mlflow.server", "alembic.command",
    "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store",
    "filelock", "pyarrow.pandas_compat", "sqlalchemy.dialects.sqlite", "xml.etree.ElementTree", "mlflow.telemetry.track",
    "dvc.cli.parser", "dvc.repo", "dvc.repo.reproduce", "dvc.repo.commit", "dvc.stage.run", "dvc.stage.cache", "dvc.dvcfile",
    "dvc.repo.experiments", "dvc.repo.index", "dvc.repo.open_repo", "dvc.repo.plots", "dvc.repo.stage", "dvc.repo.artifacts",
    "dvc.repo.datasets", "dvc.cachemgr", "dvc.data_cloud", "dvc.utils.strictyaml", "dvc_data.hashfile.build",
    "dvc_data.hashfile.db.local", "dvc_objects.fs.local", "dulwich.ignore", "networkx", "ruamel.yaml",
)  # fmt: skip
FORWARDED = (signal.SIGINT, signal.SIGTERM)
_kept: dict[Path, tuple] = {}  # what this process holds of each server that it uses


def commands(folder: Path) -> Path:
    """The folder of `python` and `dvc` for a test that works in `folder`; the real ones where that is of no run of pytest."""
    run = next((one for one in folder.parents if re.fullmatch(r"pytest-\d+", one.name)), None)
    if run is None:
        return Path(sys.executable).parent
    if run not in _kept:
        from filelock import FileLock

        place = run / "warm"
        place.mkdir(exist_ok=True)
        with FileLock(place / "lock"):
            try:
                _kept[run] = (_stay(place),)
            except (FileNotFoundError, ConnectionRefusedError):
                _kept[run] = _started(place)
    return run / "warm" / "bin"


def _stay(place: Path) -> socket.socket:
    """A connection that keeps the server at work for as long as this process has it."""
    guest = socket.socket(socket.AF_UNIX)
    guest.connect(str(place / "door"))
    socket.send_fds(guest, [b"\n"], [])
    return guest


def _started(place: Path) -> tuple:
    """A server, and a guest who keeps it at work."""
    here = Path(__file__)
    (place / "bin").mkdir(exist_ok=True)
    for name, real in (("python", sys.executable), ("dvc", Path(sys.executable).with_name("dvc"))):
        script = place / "bin" / name
        client = f'exec "{sys.executable}" -I -S "{here}" "{place}" "{real}" {name} "$@"'
        script.write_text(f"#!/bin/sh\n{client}\n", encoding="utf-8")
        script.chmod(0o755)
    (place / "door").unlink(missing_ok=True)
    with open(place / "errors", "wb") as errors:
        server = subprocess.Popen(
            [sys.executable, str(here), str(place)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
        )  # fmt: skip
    assert server.stdout.readline() == b"ready\n", (place / "errors").read_text(encoding="utf-8")
    return _stay(place), server


def ask(place: str, real: str, name: str, words: list[str]) -> int:
    """Be the command for whoever called it; its exit code."""
    if name == "python" and words[:1] not in (["-m"], ["-c"]):
        os.execv(real, [real, *words])
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.path.join(place, "door"))
        request = json.dumps([name, words, os.getcwd(), dict(os.environ)])
        socket.send_fds(server, [f"{request}\n".encode()[:1]], [0, 1, 2])
        server.sendall(f"{request}\n".encode()[1:])
        answers = server.makefile()
        child = int(answers.readline())
        for one in FORWARDED:
            signal.signal(one, lambda number, _: os.kill(child, number))
        code = int(answers.readline())
    if code < 0:
        with suppress(OSError):  # nobody hears SIGKILL
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def serve(place: Path) -> None:
    """Import what commands need, then fork for every one that is asked for, until the last guest has gone."""
    sys.path.pop(0)  # the folder of this file
    for name in LIBRARIES:
        importlib.import_module(name)
    requirements = sys.modules["mlflow.utils.requirements_utils"]
    requirements._init_packages_to_modules_map()  # it looks through all that is installed
    gc.collect()
    gc.freeze()  # a command that ends does not look through all of it again
    Server(place).work()


class Server:
    """Who is connected, and which children work for whom.

    Whoever sends open files with a first byte asks for a command: the rest of the line says which. Whoever sends none is a
    guest. A command that somebody asks for who is killed is killed too.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.guests: set[socket.socket] = set()
        self.asking: dict[socket.socket, int] = {}  # and the child that works for them
        self.events = selectors.DefaultSelector()
        self.ended, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake)
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(str(place / "door"))
        self.door.listen()
        self.events.register(self.ended, selectors.EVENT_READ)
        self.events.register(self.door, selectors.EVENT_READ)

    def work(self) -> None:
        print("ready", flush=True)
        while True:
            for event, _ in self.events.select():
                if event.fileobj is self.door:
                    self._let_in(self.door.accept()[0])
                elif event.fileobj == self.ended:
                    os.read(self.ended, 4096)
                    self._answer()
                elif event.fileobj in self.asking:
                    os.kill(self.asking[event.fileobj], signal.SIGKILL)
                    self.events.unregister(event.fileobj)
                elif event.fileobj in self.guests:
                    self.guests.remove(event.fileobj)
                    self.events.unregister(event.fileobj)
                    if not self.guests:
                        return

    def _let_in(self, client: socket.socket) -> None:
        first, files, _, _ = socket.recv_fds(client, 1, 3)
        request = first.decode() + (client.makefile().readline() if files else "")
        if not request.endswith("\n"):  # whoever asked was killed half-way
            client.close()
            return
        self.events.register(client, selectors.EVENT_READ)
        if not files:
            self.guests.add(client)
            return
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for one in (client, self.door, *self.asking, *self.guests):
                one.close()
            os._exit(code_of(be, self.place, files, *json.loads(request)))
        for file in files:
            os.close(file)
        self.asking[client] = child
        with suppress(OSError):
            client.sendall(f"{child}\n".encode())

    def _answer(self) -> None:
        """Tell whoever waits for a child that has ended its exit code."""
        for client, child in list(self.asking.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                del self.asking[client]
                with suppress(KeyError):  # whoever asked was killed before
                    self.events.unregister(client)
                with suppress(OSError):  # or just now
                    client.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                client.close()


def code_of(command: Callable[..., None], *arguments: object) -> int:
    """Run a command to its end; its exit code. What Python does at an end is done, but for taking every library apart:

    in a fork that alone costs a third of a second. Whoever calls this leaves with `os._exit`.
    """
    code = 0
    try:
        command(*arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    return code


def be(place: Path, files: list[int], name: str, words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be the command, in the place of the process that asked, and end as it ends."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    sys.executable = str(place / "bin" / "python")  # for the commands that a command runs
    if name == "dvc":
        sys.argv = ["dvc", *words]
        sys.exit(importlib.import_module("dvc.cli").main())
    sys.argv = [words[0], *words[2:]]
    sys.path[:0] = [folder, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    if words[0] == "-c":
        exec(words[1], {"__name__": "__main__"})
    else:
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(ask(*sys.argv[1:4], sys.argv[4:]))
    serve(Path(sys.argv[1]))
