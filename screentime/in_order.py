"""Work shared among threads, its results in the order in which it was asked for."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

AHEAD = 4  # pieces of work that may wait for each thread: more would only fill the memory


class InOrder:
    """A few threads that do one kind of work; who asks waits where they cannot follow.

    >>> with InOrder(lambda number: number * number, n_threads=2) as squares:
    ...     for number in range(5):
    ...         squares.ask(number)
    ...     squares.results()
    [0, 1, 4, 9, 16]
    """

    def __init__(self, work: Callable[[Any], Any], n_threads: int) -> None:
        """Begin; the threads end with the `with` block."""
        self._work, self._most = work, AHEAD * n_threads
        self._pool = ThreadPoolExecutor(n_threads)
        self._waiting: deque[Future] = deque()
        self._done: list = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def ask(self, item: Any) -> None:
        """Have a piece of work done; what an earlier one raised is raised here."""
        if len(self._waiting) == self._most:
            self._done.append(self._waiting.popleft().result())
        self._waiting.append(self._pool.submit(self._work, item))

    def results(self) -> list:
        """The results of all work asked for so far."""
        while self._waiting:
            self._done.append(self._waiting.popleft().result())
        return self._done
