"""Runs stages as commands and disturbs them: `python interrupted.py`, then one JSON list a line on standard input:

    [STAGE, WRITE, BYTES, OPTIONS]

Ctrl-C comes at the WRITE-th write below the current folder (0: never); no file may grow beyond BYTES (0: any size), as on
a full disk. The number of writes goes to the file `writes`; the answer is a line, [EXIT CODE, STANDARD ERROR]. Each run is
a process of its own, forked from this one, which has imported what stages import: once, not in every run.
"""

import gc
import importlib
import json
import os
import resource
import runpy
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from warm import code_of


def serve(stages: Sequence[str]) -> None:
    """Run what each line asks for, until there is no more."""
    sys.path.insert(0, str(Path.cwd()))
    sys.dont_write_bytecode = True
    for stage in stages:
        importlib.import_module(f"stages.{stage}")
        del sys.modules[f"stages.{stage}"]  # a run executes it as the command
    for late in ("screentime.fine_tuning", "mlflow"):
        importlib.import_module(late)
    gc.collect()
    gc.freeze()  # a run that ends does not look through all of it again
    nowhere = os.open(os.devnull, os.O_RDWR)
    for line in sys.stdin:
        said, errors = os.pipe()
        child = os.fork()
        if child == 0:
            for file, place in ((nowhere, 0), (nowhere, 1), (errors, 2)):
                os.dup2(file, place)
            os.close(errors)
            os._exit(code_of(run, *json.loads(line)))
        os.close(errors)
        with open(said, encoding="utf-8") as file:
            text = file.read()
        print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text]), flush=True)


def run(stage: str, write: int, size: int, options: list[str]) -> None:
    """Be the command, and end as it ends."""
    here = f"{Path.cwd()}{os.sep}"
    count = 0

    def at_event(event: str, arguments: tuple) -> None:
        nonlocal count
        writes = event == "os.rename" or (event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
        if not writes or threading.current_thread() is not threading.main_thread():
            return
        if os.path.abspath(str(arguments[0])).startswith(here):
            count += 1
            if count == write:
                os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    sys.argv = [stage, *options]
    sys.addaudithook(at_event)
    if size:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        runpy.run_module(f"stages.{stage}", run_name="__main__", alter_sys=True)
    finally:
        if not write and not size:
            Path("writes").write_text(str(count))


if __name__ == "__main__":
    serve(sys.argv[1:])
