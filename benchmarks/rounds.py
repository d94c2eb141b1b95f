"""Ways side by side in several rounds, and their figures as ratios to the first way of the same round."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np


def in_rounds(ways: Mapping[str, Callable[[], dict | None]], n_rounds: int) -> list[dict[str, dict]]:
    """What each way cost in each round; one that gives None is left out from then on."""
    rounds, left = [], dict(ways)
    for number in range(n_rounds):
        found = {}
        for name, way in list(left.items()):
            began = time.perf_counter()
            one = way()
            print(f"round {number + 1} of {n_rounds}: {name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
            if one is None:
                del left[name]
            else:
                found[name] = one
        rounds.append(found)
    return [{name: one[name] for name in left} for one in rounds]


def ratio_rows(rounds: Sequence[Mapping[str, dict]], figures: Sequence[str]) -> dict[str, list[str]]:
    """For each way and figure two cells: the median of what it cost, and how many times less than the first way.

    >>> rounds = [{"a": {"cpu_s": 4.0}, "b": {"cpu_s": 2.0}}, {"a": {"cpu_s": 6.0}, "b": {"cpu_s": 2.0}}]
    >>> ratio_rows(rounds, ["cpu_s"])
    {'a': ['5.0', '1'], 'b': ['2.0', '2.5 (2.0 to 3.0)']}
    """
    first = next(iter(rounds[0]))
    rows = {}
    for name in rounds[0]:
        cells = []
        for figure in figures:
            spent = np.array([one[name][figure] for one in rounds])
            times = np.array([one[first][figure] for one in rounds]) / spent
            ratio = "1" if name == first else f"{np.median(times):.1f} ({times.min():.1f} to {times.max():.1f})"
            cells += [f"{np.median(spent):.1f}", ratio]
        rows[name] = cells
    return rows
