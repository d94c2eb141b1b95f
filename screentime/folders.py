"""Folders with one result per video that outlive a run: what is still valid is kept, only the rest is made.

Beside a video's files lies `<video_id>.key.json`, written last: the key (a hash of everything that decides the bytes)
and the sha256 of each file. A video is kept when its key is unchanged and its files still have those hashes.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from screentime.closure import closure_hash
from screentime.errors import InputError
from screentime.files import PARTIAL, read_json, sha256_of, write_json

Tell = Callable[[float], None]


@dataclass(frozen=True)
class Task:
    """The work on one video.

    Attributes:
        video_id: the video.
        inputs: everything that decides the bytes of the result, as plain values (hashes of files, parameters).
        work: writes files named `<video_id>.*` into the folder it is given and tells its progress in [0, 1]; it knows
            nothing of other videos, and travels to a worker process, so it is a module's function or a partial of one.
    """

    video_id: str
    inputs: dict
    work: Callable[[Path, Tell], None]


def step_inputs(module: str, libraries: Sequence[str], params: dict) -> dict:
    """What decides the bytes of every video alike: the code of a stage, its libraries' versions, its parameters."""
    return {
        "code": closure_hash(module),
        "libraries": {library: version(library) for library in libraries},
        "params": params,
    }


def update_folder(folder: Path, tasks: Sequence[Task], workers: int, verb: str) -> list[str]:
    """Bring a folder up to date: keep what is valid, make what is not, remove what belongs to no task.

    Args:
        folder: the folder; made where it is missing.
        tasks: one for each video that shall have a result.
        workers: processes at work at once; 1 works in this process, 0 means one for each core.
        verb: what is done, for the progress bar, e.g. "sampling".

    Returns:
        The video_ids that were made now, in the order of the tasks.

    Raises:
        InputError: some videos failed; the others are finished and kept. The sentence names each of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stale = [task for task in tasks if not _is_valid(folder, task)]
    _remove_all_but(folder, {task.video_id for task in tasks} - {task.video_id for task in stale}, tasks)
    failures = _make_all(folder, stale, min(workers or os.cpu_count(), len(stale)), verb)
    if failures:
        raise InputError(
            "\n".join(failures)
            + f"\n{len(failures)} of {len(tasks)} videos failed while {verb}, the others are done; repair them, or "
            "give them a reason in params.yaml, `videos: - {file: ..., skip: reason}`, and run again"
        )
    return [task.video_id for task in stale]


def key_of(task: Task) -> str:
    """The sha256 of everything that decides the bytes of a video's result."""
    return hashlib.sha256(json.dumps(task.inputs, sort_keys=True).encode()).hexdigest()


def files_hash(folder: Path, video_id: str) -> str:
    """The sha256 over the names and contents of a video's files, from its key file: what a later step depends on."""
    files = read_json(folder / f"{video_id}.key.json")["files"]
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _is_valid(folder: Path, task: Task) -> bool:
    key_file = folder / f"{task.video_id}.key.json"
    try:
        key = read_json(key_file)
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return key.get("key") == key_of(task) and all(
        (folder / name).is_file() and sha256_of(folder / name) == digest for name, digest in key["files"].items()
    )


def _remove_all_but(folder: Path, kept: set[str], tasks: Sequence[Task]) -> None:
    """Remove what an interrupted run left, and the files of every video that is gone or stale."""
    video_ids = {task.video_id for task in tasks}
    for path in folder.iterdir():
        if path.is_dir() and path.name.endswith(PARTIAL):
            shutil.rmtree(path)
        elif path.is_file() and path.name != ".gitignore" and _owner(path.name, video_ids) not in kept:
            path.unlink()


def _remove_unfinished(folder: Path, tasks: Sequence[Task]) -> None:
    """Remove what workers left that were ended at work: partial folders, and files that no key file vouches for."""
    for task in tasks:
        shutil.rmtree(folder / f".{task.video_id}{PARTIAL}", ignore_errors=True)
    finished = {task.video_id for task in tasks if (folder / f"{task.video_id}.key.json").is_file()}
    unfinished = {task.video_id for task in tasks} - finished
    for path in folder.iterdir():
        if _owner(path.name, finished | unfinished) in unfinished:
            path.unlink()


def _owner(name: str, video_ids: set[str]) -> str | None:
    """The video a file belongs to: the longest video_id that is its name up to a point."""
    parts = name.split(".")
    stems = (".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
    return next((stem for stem in stems if stem in video_ids), None)


def _make_all(folder: Path, tasks: Sequence[Task], workers: int, verb: str) -> list[str]:
    """Make the results of some videos, with one progress bar over all; the sentences of those that failed."""
    shares = multiprocessing.get_context("spawn").Array("d", len(tasks) or 1, lock=False)
    failures = []
    form = "{l_bar}{bar}| {n:.1f}/{total} videos [{elapsed}<{remaining}]"
    with tqdm(total=len(tasks), desc=verb, bar_format=form, disable=None if tasks else True) as bar:

        def advance() -> None:
            bar.n = sum(shares)
            bar.refresh()

        if workers <= 1:
            for number, task in enumerate(tasks):

                def tell(share: float, number: int = number) -> None:
                    shares[number] = share
                    advance()

                failures += _sentence_of_failure(folder, task, tell)
                tell(1.0)
            return failures
        with ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), initializer=_receive_shares, initargs=(shares,)
        ) as pool:
            futures = [pool.submit(_make_in_worker, folder, task, number) for number, task in enumerate(tasks)]
            waiting: set[Future] = set(futures)
            try:
                while waiting:
                    _, waiting = wait(waiting, timeout=0.2)
                    advance()
            except KeyboardInterrupt:
                for worker in multiprocessing.active_children():
                    worker.terminate()
                pool.shutdown(cancel_futures=True)
                _remove_unfinished(folder, tasks)
                raise
            return [sentence for future in futures for sentence in future.result()]


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


def _receive_shares(shares: object) -> None:
    global _shares
    _shares = shares
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process: the first one ends the workers


def _make_in_worker(folder: Path, task: Task, number: int) -> list[str]:
    def tell(share: float) -> None:
        _shares[number] = share

    failures = _sentence_of_failure(folder, task, tell)
    tell(1.0)
    return failures
