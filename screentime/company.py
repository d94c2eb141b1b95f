"""Who is on screen with whom, and how long groups of characters are: counted over frames whose scores pass the threshold.

A count like `counted_s` of reports/screen_time.csv, and no more: an audit measures the error of one character's seconds, never
that of two at once, so there is no interval. The product of two scores would be no better: frames that are hard to tell are
hard for both. The scores themselves are counted and not the appearances, which are smoothed to be read (docs/appearances.md).
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas

from screentime.reported_video import ReportedVideo
from screentime.tables import ALL_VIDEOS, GROUPS, TOGETHER
from screentime.wording import clock, seconds_text, share_text

TINTS = 5

Groups = Mapping[str, Sequence[str]]


def together_s(scores: np.ndarray, weights_s: np.ndarray, threshold: float) -> np.ndarray:
    """How long each pair of characters is on screen at once, counted over frames whose scores pass the threshold.

    Args:
        scores: (n_frames, n_cast) float64 in [0, 1].
        weights_s: (n_frames,) float64, seconds each frame counts.
        threshold: in (0, 1).

    Returns:
        (n_cast, n_cast) float64, seconds, symmetric; on the diagonal each character's own counted seconds.

    >>> together_s(np.array([[0.9, 0.2], [0.9, 0.7]]), np.ones(2), threshold=0.5)
    array([[2., 1.],
           [1., 1.]])
    """
    present = (scores >= threshold).astype(float)
    return present.T @ (present * weights_s[:, None])


def group_s(scores: np.ndarray, weights_s: np.ndarray, threshold: float) -> tuple[float, float]:
    """How long at least one of some characters is on screen, and how long all of them are at once.

    Args:
        scores: (n_frames, n_members) float64 in [0, 1]; n_members >= 1.
        weights_s: (n_frames,) float64, seconds each frame counts.
        threshold: in (0, 1).

    Returns:
        Seconds with any of them, and with all; any >= all.

    >>> group_s(np.array([[0.9, 0.2], [0.9, 0.7], [0.1, 0.1]]), np.ones(3), threshold=0.5)
    (2.0, 1.0)
    """
    present = scores >= threshold
    return float(weights_s[present.any(axis=1)].sum()), float(weights_s[present.all(axis=1)].sum())


def together_table(videos: Sequence[ReportedVideo], cast: Sequence[str], threshold: float) -> pandas.DataFrame:
    """The table TOGETHER: each pair once, in the order of the cast, film by film, then over all of them."""
    rows = [
        (video_id, character, cast[j], matrix[i, j], _share(matrix[i, j], length_s))
        for video_id, matrix, length_s in _matrices(videos, cast, threshold)
        for i, character in enumerate(cast)
        for j in range(i + 1, len(cast))
    ]
    return pandas.DataFrame(rows, columns=[column.name for column in TOGETHER.columns])


def groups_table(videos: Sequence[ReportedVideo], groups: Groups, threshold: float) -> pandas.DataFrame:
    """The table GROUPS: every group film by film, then over all films.

    Args:
        videos: the films.
        groups: the members of each group, all of them in the cast.
        threshold: the score from which a character is taken to be visible.
    """
    found: list[tuple[str, float, dict[str, tuple[float, float]]]] = []
    for video in videos:
        weights_s, timeline = video.weights_s, video.timeline
        seconds = {
            name: group_s(timeline[list(members)].to_numpy(), weights_s, threshold) for name, members in groups.items()
        }
        found.append((video.video_id, float(weights_s.sum()), seconds))
    if found:
        sums = {name: tuple(sum(one[2][name][kind] for one in found) for kind in (0, 1)) for name in groups}
        found.append((ALL_VIDEOS, sum(length_s for _, length_s, _ in found), sums))
    rows = [
        (video_id, name, ",".join(members), any_s, _share(any_s, length_s), all_s, _share(all_s, length_s), "count")
        for video_id, length_s, seconds in found
        for name, members in groups.items()
        for any_s, all_s in [seconds[name]]
    ]
    return pandas.DataFrame(rows, columns=[column.name for column in GROUPS.columns])


def together_views(videos: Sequence[ReportedVideo], cast: Sequence[str], threshold: float) -> list[dict]:
    """What the page shows of pairs: one matrix over all films, and one for each where there are several."""
    matrices = [(video_id, matrix) for video_id, matrix, _ in _matrices(videos, cast, threshold)]
    shown = [matrices[-1], *matrices[:-1]] if len(videos) > 1 else matrices[:1]
    return [{"video_id": video_id, "rows": _matrix_rows(matrix, cast)} for video_id, matrix in shown]


def group_views(videos: Sequence[ReportedVideo], groups: Groups, threshold: float) -> list[dict]:
    """What the page shows of groups: one table over all films, and one for each where there are several."""
    table = groups_table(videos, groups, threshold)
    ids = [video.video_id for video in videos]
    return [
        {
            "video_id": video_id,
            "rows": [
                {
                    "group": row.group,
                    "members": groups[row.group],
                    "any": clock(row.any_s),
                    "any_share": share_text(row.any_share),
                    "all": clock(row.all_s),
                    "all_share": share_text(row.all_share),
                }
                for row in table[table["video_id"] == video_id].itertuples()
            ],
        }
        for video_id in ([ALL_VIDEOS, *ids] if len(ids) > 1 else ids)
        if groups
    ]


def _matrices(
    videos: Sequence[ReportedVideo], cast: Sequence[str], threshold: float
) -> Iterator[tuple[str, np.ndarray, float]]:
    """Of each film, and then of all, the seconds of every pair and the length, seconds."""
    total, total_s = np.zeros((len(cast), len(cast))), 0.0
    for video in videos:
        weights_s = video.weights_s
        matrix = together_s(video.timeline[list(cast)].to_numpy(), weights_s, threshold)
        total, total_s = total + matrix, total_s + float(weights_s.sum())
        yield video.video_id, matrix, float(weights_s.sum())
    if videos:
        yield ALL_VIDEOS, total, total_s


def _share(seconds: float, length_s: float) -> float:
    return seconds / length_s if length_s > 0 else 0.0


def _matrix_rows(matrix: np.ndarray, cast: Sequence[str]) -> list[dict]:
    most = max((matrix[i, j] for i in range(len(cast)) for j in range(i)), default=0.0)
    return [
        {
            "character": character,
            "cells": [
                {"text": seconds_text(matrix[i, j]), "own": i == j, "tint": 0 if i == j else tint(matrix[i, j], most)}
                for j in range(len(cast))
            ],
        }
        for i, character in enumerate(cast)
    ]


def tint(value: float, most: float) -> int:
    """How dark a cell is: 0 for nothing, then 1 to TINTS.

    >>> tint(0, 10), tint(0.1, 10), tint(10, 10)
    (0, 1, 5)
    """
    return 0 if value == 0 else max(1, round(TINTS * value / most))
