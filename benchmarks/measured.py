"""Runs Python as it was asked to, and notes what that cost: `python measured.py NOTES WORD...`.

A line of JSON is added to NOTES: the words, exit code, wall and CPU seconds of the process and all it started, and the
most memory that they held at once, megabytes; what processes share (libraries) counts once.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time

import psutil

WATCH_S = 0.2  # seconds between two looks at the memory


def main(notes: str, words: list[str]) -> int:
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words])
    peak = 0.0
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(WATCH_S):
            peak = max(peak, held(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        code = process.wait()
    except KeyboardInterrupt:
        code = process.wait()
    over.set()
    watcher.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = resource.getrusage(resource.RUSAGE_SELF)
    note = {
        "words": words,
        "code": code,
        "wall_s": time.perf_counter() - begin,
        "cpu_s": used.ru_utime + used.ru_stime,
        "watching_s": own.ru_utime + own.ru_stime,
        "peak_mb": peak,
    }
    with open(notes, "a", encoding="utf-8") as file:
        file.write(json.dumps(note) + "\n")
    return code


def held(pid: int) -> float:
    """Memory of a process and all below it, megabytes: what each has for itself, and what the largest shares."""
    try:
        top = psutil.Process(pid)
        memories = [memory for one in [top, *top.children(recursive=True)] if (memory := _memory(one))]
    except psutil.Error:
        return 0.0
    shared = max((memory.rss - memory.uss for memory in memories), default=0)
    return (sum(memory.uss for memory in memories) + shared) / 1e6


def _memory(process: psutil.Process) -> object | None:
    try:
        return process.memory_full_info()
    except psutil.Error:
        return None


if __name__ == "__main__":
    sys.exit(main(os.environ["NOTES"], sys.argv[1:]))
