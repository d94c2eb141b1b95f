"""The timeline of one character as a light drawing: scores to columns, columns to an SVG path, times to ticks."""

import math

import numpy as np

WIDTH = 2000
HEIGHT = 24
MAX_COLUMNS = 1000

_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 18000, 36000)


def nice_ticks(end_s: float, most: int) -> tuple[list[float], float]:
    """Round times for an axis from 0 to the end, and their step.

    Args:
        end_s: end of the axis, seconds, > 0.
        most: the most steps the axis may have; >= 1.

    Returns:
        The times, seconds, from 0 in equal steps up to the end; the step, seconds.

    >>> nice_ticks(596.5, most=6)
    ([0, 120, 240, 360, 480], 120)
    """
    step = next((step for step in _STEPS_S if end_s / step <= most), None)
    if step is None:
        step = 36000 * math.ceil(end_s / 36000 / most)
    return [index * step for index in range(math.floor(end_s / step + 1e-9) + 1)], step


def columns(
    times_s: np.ndarray, durations_s: np.ndarray, scores: np.ndarray, passing: np.ndarray, most: int = MAX_COLUMNS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbouring frames joined into at most `most` columns of equal numbers of frames.

    The area of all columns is the sum of duration times score, whatever their number: nothing brief is lost or blown
    up.

    Args:
        times_s: (n_frames,) float64, seconds, increasing; n_frames >= 1.
        durations_s: (n_frames,) float64, seconds, > 0: the time each frame stands for.
        scores: (n_frames,) float64 in [0, 1].
        passing: (n_frames,) bool: the frames that count as visible.
        most: the most columns.

    Returns:
        edges_s (n_columns + 1,) float64, seconds; heights (n_columns,) float64 in [0, 1], the mean score; solid
        (n_columns,) float64 in [0, 1], the part of it that passing frames carry.

    >>> ones = np.ones(4)
    >>> scores = np.array([1.0, 0.5, 0.25, 0.0])
    >>> columns(np.arange(4.0), ones, scores, scores >= 0.5, most=2)[1:]
    (array([0.75 , 0.125]), array([0.75, 0.  ]))
    """
    size = math.ceil(len(times_s) / most)
    firsts = np.arange(0, len(times_s), size)
    edges = np.append(times_s[firsts], times_s[-1] + durations_s[-1])
    seconds = np.add.reduceat(durations_s, firsts)
    heights = np.add.reduceat(durations_s * scores, firsts) / seconds
    solid = np.add.reduceat(durations_s * np.where(passing, scores, 0), firsts) / seconds
    return edges, heights, solid


def step_path(edges_s: np.ndarray, heights: np.ndarray, length_s: float) -> str:
    """Columns as one filled SVG path in a box of WIDTH by HEIGHT, equal neighbours merged, empty where nothing shows.

    Args:
        edges_s: (n + 1,) float64, seconds in [0, length_s].
        heights: (n,) float64 in [0, 1]; drawn from the bottom, in HEIGHT levels.
        length_s: what WIDTH stands for, seconds.

    >>> step_path(np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 0.5, 0.5]), length_s=4.0)
    'M500 24V12H2000V24Z'
    """
    x = np.rint(edges_s * (WIDTH / length_s)).astype(int).tolist()
    levels = np.rint(heights * HEIGHT).astype(int).tolist()
    parts = []
    before = 0
    for left, level in zip(x[:-1], levels, strict=True):
        if level == before:
            continue
        start = "" if before else f"M{left} {HEIGHT}"
        across = f"H{left}" if before else ""
        parts.append(f"{start}{across}V{HEIGHT - level}" + ("" if level else "Z"))
        before = level
    if before:
        parts.append(f"H{x[-1]}V{HEIGHT}Z")
    return "".join(parts)


def tick_path(times_s: np.ndarray, length_s: float) -> str:
    """Moments as one SVG path of upright strokes, equal positions once.

    Args:
        times_s: (n,) float64, seconds.
        length_s: what WIDTH stands for, seconds.

    >>> tick_path(np.array([1.0, 2.0, 2.0001]), length_s=4.0)
    'M500 0V24M1000 0V24'
    """
    positions = np.unique(np.rint(times_s * (WIDTH / length_s)).astype(int)).tolist()
    return "".join(f"M{x} 0V{HEIGHT}" for x in positions)


def packed_scores(scores: np.ndarray) -> str:
    """Scores as text for the page's script: thousandths, two base-36 digits each; `--` where there is none.

    Args:
        scores: (n,) float64 in [0, 1], NaN where the frame is left out.

    >>> packed_scores(np.array([0.0, 0.5, np.nan, 1.0]))
    '00dw--rs'
    """
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    values = np.rint(np.nan_to_num(scores, nan=-1) * 1000).astype(int).tolist()
    return "".join("--" if value < 0 else digits[value // 36] + digits[value % 36] for value in values)
