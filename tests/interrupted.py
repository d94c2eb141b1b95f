"""Runs a stage as a command and disturbs it: `python interrupted.py STAGE WRITE BYTES OPTION...`.

Ctrl-C comes at the WRITE-th write below the current folder (0: never); no file may grow beyond BYTES (0: any size), as on
a full disk. The number of writes goes to the file `writes`.
"""

import os
import resource
import runpy
import signal
import sys
import threading
from pathlib import Path


def main(stage: str, write: int, size: int, options: list[str]) -> None:
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
    sys.path.insert(0, str(Path.cwd()))
    sys.argv = [stage, *options]
    sys.dont_write_bytecode = True
    sys.addaudithook(at_event)
    if size:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        runpy.run_module(f"stages.{stage}", run_name="__main__", alter_sys=True)
    finally:
        if not write and not size:
            Path("writes").write_text(str(count))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
