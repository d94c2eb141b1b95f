"""Folders with one result per video that outlive a run: what is still valid is kept, only the rest is made.

Beside a video's files lies `<video_id>.key.json`, written last: the key (a hash of everything that decides the bytes)
and the sha256 of each file. A video is kept when its key is unchanged and its files still have those hashes: every byte
is read again, because size and time of change say nothing of a damaged disk. A run that was ended at any moment, even
with no chance to clean up, leaves files that no key names; the next run removes them.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from screentime.closure import closure_hash
from screentime.errors import InputError
from screentime.files import PARTIAL, read_json, sha256_of, write_json
from screentime.progress import Progress

Tell = Callable[[float], None]
SKIP_FILM = "give them a reason in params.yaml, `videos: - {file: ..., skip: reason}`"  # how to go on without some


@dataclass(frozen=True)
class Task:
    """The work on one video.

    Attributes:
        video_id: the video.
        inputs: everything that decides the bytes of the result, as plain values (hashes of files, parameters).
        work: writes files named `<video_id>.*` into the folder it is given and tells its progress in [0, 1]; it knows
            nothing of other videos, and travels to a worker process, so it is a module's function or a partial of one.
        size: how much work that is, in a unit that all tasks share (seconds of film, frames), 0 where it cannot be told;
            asked only of videos that are to be made.
        may_lack: names of its files that this machine need not have; where one is here, it must be right.
    """

    video_id: str
    inputs: dict
    work: Callable[[Path, Tell], None]
    size: Callable[[], float]
    may_lack: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workers:
    """How many processes may work at once.

    Attributes:
        asked: so many; 0: as many as the cores and the work are worth.
        threads: processor threads that each of them uses.
        worth: the least work, in the unit of the tasks' sizes, for which starting one more process pays.
    """

    asked: int
    threads: int
    worth: float

    def count(self, sizes: Sequence[float]) -> int:
        """How many processes for tasks of these sizes; 1: the work is done in the process that asks.

        >>> Workers(asked=0, threads=1, worth=100).count([30.0, 20.0]), Workers(3, 1, 100).count([30.0, 20.0])
        (1, 2)
        """
        worth_starting = max(1, min(n_cores() // self.threads, int(sum(sizes) // self.worth)))
        return min(self.asked or worth_starting, len(sizes))


def n_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(function: Callable[[Any], Any], items: Iterable[Any]) -> list:
    """The function of every item, in order; many at once, which pays where it reads files or hashes."""
    with ThreadPoolExecutor(n_cores()) as pool:
        return list(pool.map(function, items))


def step_inputs(module: str, libraries: Sequence[str], params: dict) -> dict:
    """What decides the bytes of every video alike: the code of a stage, its libraries' versions, its parameters."""
    return {
        "code": closure_hash(module),
        "libraries": {library: version(library) for library in libraries},
        "params": params,
    }


def stale_tasks(folder: Path, tasks: Sequence[Task]) -> list[Task]:
    """The tasks whose results are missing, made from something else, or not the bytes that were written."""
    valid = side_by_side(lambda task: _is_valid(folder, task), tasks)
    return [task for task, is_valid in zip(tasks, valid, strict=True) if not is_valid]


def update_folder(
    folder: Path,
    tasks: Sequence[Task],
    stale: Sequence[Task],
    workers: Workers,
    verb: str,
    leave_out: str = SKIP_FILM,
) -> None:
    """Bring a folder up to date: keep what is valid, make what is not, remove what belongs to no task.

    Args:
        folder: the folder; made where it is missing.
        tasks: one for each video that shall have a result.
        stale: those of them that are to be made, from `stale_tasks`.
        workers: how many processes may work at once. The result does not depend on it.
        verb: what is done, for the progress, e.g. "sampling".
        leave_out: what a person does who wants to go on without the videos that failed.

    Raises:
        InputError: some videos failed; the others are finished and kept. The sentence names each of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove_all_but(folder, {task.video_id for task in tasks} - {task.video_id for task in stale})
    failures = _make_all(folder, stale, workers, verb, leave_out)
    if failures:
        raise InputError(
            "\n".join(failures)
            + f"\n{len(failures)} of {len(tasks)} videos failed while {verb}, the others are done; repair them, or "
            f"{leave_out}, and run again"
        )


def key_of(task: Task) -> str:
    """The sha256 of everything that decides the bytes of a video's result."""
    return hashlib.sha256(json.dumps(task.inputs, sort_keys=True).encode()).hexdigest()


def files_hash(folder: Path, video_id: str) -> str:
    """The sha256 over the names and contents of a video's files, from its key file: what a later step depends on."""
    files = read_json(folder / f"{video_id}.key.json")["files"]
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def update_single(folder: Path, task: Task) -> None:
    """Bring a folder up to date that holds the result of one task and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    stale = stale_tasks(folder, [task])
    _remove_all_but(folder, set() if stale else {task.video_id})
    if stale:
        _make(folder, task, lambda share: None)


def _is_valid(folder: Path, task: Task) -> bool:
    key = _key(folder, task.video_id)
    return key.get("key") == key_of(task) and all(
        sha256_of(folder / name) == digest if (folder / name).is_file() else name in task.may_lack
        for name, digest in key["files"].items()
    )


def _key(folder: Path, video_id: str) -> dict:
    """What the key file of a video says; empty where there is none, or none that a run wrote to the last byte."""
    try:
        text = (folder / f"{video_id}.key.json").read_text(encoding="utf-8")
        key = json.loads(text)
    except (FileNotFoundError, ValueError):
        return {}
    as_written = json.dumps(key, indent=1, sort_keys=True, ensure_ascii=False) + "\n" == text
    return key if as_written and isinstance(key, dict) and isinstance(key.get("files"), dict) else {}


def _remove_all_but(folder: Path, video_ids: set[str]) -> None:
    """Leave the files that the keys of these videos name; remove all others, and what interrupted runs left."""
    kept = {".gitignore"}
    for video_id in video_ids:
        if key := _key(folder, video_id):
            kept |= {f"{video_id}.key.json", *key["files"]}
    for path in folder.iterdir():
        if not path.is_dir():
            if path.name not in kept:
                path.unlink()
        elif path.name.endswith(PARTIAL):
            shutil.rmtree(path)


def _make_all(folder: Path, tasks: Sequence[Task], workers: Workers, verb: str, leave_out: str) -> list[str]:
    """Make the results of some videos; the sentences of those that failed, in the order of the tasks."""
    if not tasks:
        return []
    sizes = [task.size() for task in tasks]
    shares = multiprocessing.get_context("spawn").Array("d", len(tasks), lock=False)
    with Progress(verb, sizes) as progress:
        count = workers.count(sizes)
        if count > 1:
            return _make_in_workers(folder, tasks, sizes, count, shares, progress, leave_out)
        failures = []
        for number, task in enumerate(tasks):

            def tell(share: float, number: int = number) -> None:
                shares[number] = share
                progress.show(shares)

            failures += _sentence_of_failure(folder, task, tell)
            tell(1.0)
        return failures


def _make_in_workers(
    folder: Path,
    tasks: Sequence[Task],
    sizes: Sequence[float],
    count: int,
    shares: Any,
    progress: Progress,
    leave_out: str,
) -> list[str]:
    """The same in processes of their own, the longest work first, so that no core waits long for the last one."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_begin_worker, initargs=(shares,)) as pool:
        order = sorted(range(len(tasks)), key=lambda number: -sizes[number])
        futures = {number: pool.submit(_make_in_worker, folder, tasks[number], number) for number in order}
        try:
            waiting = set(futures.values())
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_EXCEPTION)
                progress.show(shares)
                for future in done:
                    future.result()
        except BaseException as error:
            for worker in multiprocessing.active_children():
                worker.terminate()
            pool.shutdown(cancel_futures=True)
            _remove_all_but(folder, {path.name.removesuffix(".key.json") for path in folder.glob("*.key.json")})
            if isinstance(error, BrokenProcessPool):
                at_work = [task.video_id for task, share in zip(tasks, shares, strict=True) if 0 < share < 1]
                raise InputError(
                    f"{folder}: the system ended a process that worked on {' or '.join(at_work) or 'a video'}, often for "
                    "want of memory; what was done is kept: run again with fewer `workers`, or "
                    f"{leave_out}"
                ) from None
            raise
    return [sentence for number in range(len(tasks)) for sentence in futures[number].result()]


def _sentence_of_failure(folder: Path, task: Task, tell: Tell) -> list[str]:
    try:
        _make(folder, task, tell)
    except InputError as error:
        return [str(error)]
    return []


def _make(folder: Path, task: Task, tell: Tell) -> None:
    partial = folder / f".{task.video_id}{PARTIAL}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    placed: list[Path] = []
    try:
        task.work(partial, tell)
        paths = sorted(partial.iterdir())
        key = {"key": key_of(task), "files": {path.name: sha256_of(path) for path in paths}}
        for path in paths:
            placed.append(folder / path.name)
            os.replace(path, placed[-1])
        write_json(folder / f"{task.video_id}.key.json", key)
    except BaseException:  # a video's files are all there or none is
        for path in placed:
            path.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


_shares = None


def _begin_worker(shares: Any) -> None:
    global _shares
    _shares = shares
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process: the first one ends the workers
    threading.Thread(target=_end_with_the_first_process, daemon=True).start()


def _end_with_the_first_process() -> None:
    """Whoever was left alone must not write into a folder that the next run is at work on."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _make_in_worker(folder: Path, task: Task, number: int) -> list[str]:
    def tell(share: float) -> None:
        _shares[number] = share

    tell(1e-6)  # so that it is known who was at work, should this process be ended
    failures = _sentence_of_failure(folder, task, tell)
    tell(1.0)
    return failures
