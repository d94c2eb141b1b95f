"""Work shared among threads, its results in order."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AHEAD = 4  # items that may wait for each thread: more would only fill the memory

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Iterable[Item], n_threads: int) -> Iterator[Result]:
    """The work on each item, as by `map`, by a few threads at once; items are taken only a little ahead of the results.

    It pays where the work leaves Python's lock: a network, a codec, a file.

    >>> list(in_order(lambda number: number * number, range(5), n_threads=2))
    [0, 1, 4, 9, 16]
    """
    with ThreadPoolExecutor(n_threads) as pool:
        waiting: deque[Future] = deque()
        try:
            for item in items:
                if len(waiting) == AHEAD * n_threads:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(work, item))
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def ahead(items: Generator[Item, None, None], room: int) -> Generator[Item, None, None]:
    """The items of a generator that runs in a thread of its own from the first one asked for; at most `room` of them wait.

    What it raises is raised here. Who ends early ends the thread too.

    >>> list(ahead((number for number in range(5)), room=2))
    [0, 1, 2, 3, 4]
    """
    waiting: queue.Queue[tuple[bool, Item | BaseException | None]] = queue.Queue(room)
    over = threading.Event()

    def put(one: tuple[bool, Item | BaseException | None]) -> bool:
        while not over.is_set():
            try:
                waiting.put(one, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def run() -> None:
        try:
            for item in items:
                if not put((True, item)):
                    return
            put((False, None))
        except BaseException as error:  # whatever it is, whoever asks for the next item gets it
            put((False, error))
        finally:
            items.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while True:
            more, item = waiting.get()
            if more:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        over.set()
        thread.join()
