"""How far the work on many videos has come: a bar with the time left in a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Self, TextIO

from tqdm import tqdm

REDRAW_S = 0.1  # seconds between two drawings of the bar, at least
LINE_S = 30.0  # seconds between two lines in a log, at least; a hundredth of the work, at least, lies between them too


class Progress:
    """Told the share of each video that is done, it tells the share of all the work and the time left.

    Videos count by their size, so that a feature film next to a short one does not mislead. The time left is what the
    work so far took, for the work that is left.

    >>> from itertools import count
    >>> with Progress("sampling", [60.0, 20.0], stream=sys.stdout, clock=count(0, 40).__next__) as progress:
    ...     for shares in ([0.5, 0.0], [1.0, 0.0], [1.0, 0.5], [1.0, 1.0]):
    ...         progress.show(shares)
    sampling: 38 %, 0 of 2 videos done, about 70 s left
    sampling: 75 %, 1 of 2 videos done, about 30 s left
    sampling: 88 %, 1 of 2 videos done, about 20 s left
    """

    def __init__(
        self,
        verb: str,
        sizes: Sequence[float],
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            verb: what is done, e.g. "sampling".
            sizes: how much work each video is, in any unit; 0 where it is not known: then as much as the others.
            stream: where to write; standard error unless told.
            clock: seconds, never going back.
        """
        known = [size for size in sizes if size > 0]
        usual = sum(known) / len(known) if known else 1.0
        self._verb, self._sizes = verb, [size if size > 0 else usual for size in sizes]
        self._stream, self._clock = stream or sys.stderr, clock
        self._begin_s = self._told_s = clock()
        self._told = 0.0
        self._bar = None
        if sizes and self._stream.isatty():
            form = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"
            self._bar = tqdm(total=sum(self._sizes), desc=self._words(0), bar_format=form, file=self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, shares: Sequence[float]) -> None:
        """Tell it where it is time to.

        Args:
            shares: the part of each video that is done, in [0, 1], in the order of the sizes.
        """
        now_s = self._clock()
        n_done = sum(share >= 1 for share in shares)
        done = sum(size * min(share, 1.0) for size, share in zip(self._sizes, shares, strict=True))
        part = done / sum(self._sizes)
        if self._bar is not None:
            if n_done == len(shares) or now_s - self._told_s >= REDRAW_S:
                self._told_s, self._bar.n = now_s, done
                self._bar.set_description_str(self._words(n_done))
        elif part < 1 and now_s - self._told_s >= LINE_S and part - self._told >= 0.01:
            self._told_s, self._told = now_s, part
            left_s = (now_s - self._begin_s) * (1 - part) / part
            words = f"{self._verb}: {part:.0%}".replace("%", " %")
            print(
                f"{words}, {n_done} of {len(shares)} videos done, about {_duration(left_s)} left",
                file=self._stream,
                flush=True,
            )

    def _words(self, n_done: int) -> str:
        return f"{self._verb}, {n_done:{len(str(len(self._sizes)))}} of {len(self._sizes)} videos done"


def _duration(seconds: float) -> str:
    """A length of time in one unit, about.

    >>> _duration(31.4), _duration(800), _duration(9000)
    ('30 s', '13 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
