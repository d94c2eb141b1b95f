"""Who trains and who judges: rows apart in folds that never part neighbours. Pure functions of videos, times and looks.

Frames of one shot are near copies of each other, so a split frame by frame lets a model judge what it has learned by
heart (twenty points too good on cartoons). Here whole videos are apart where there are many of them, else blocks of
time, with a guard gap around what is held out. Stills have no time: near copies stay together, and with the frames that
they are near copies of.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE_S = 1e-9
NO_VIDEO = ""  # where a video's name stands in the groups of frames

Group = tuple[str, int]


@dataclass(frozen=True)
class Fold:
    """Three sets of rows, none of which shares a row with another; each (n,) int64, increasing.

    Attributes:
        train: what the model learns from.
        validation: what says when to stop; may be empty.
        test: what is scored; every row is the test of exactly one fold.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def folds(
    video_ids: Sequence[str],
    times_s: np.ndarray,
    n_folds: int,
    block_s: float,
    guard_s: float,
    still_groups: Sequence[int] = (),
    near_copies: Sequence[Sequence[int]] = (),
    n_validation: int = 1,
) -> list[Fold]:
    """Part the rows, frames first and then stills, into folds: each part is the test of one fold, and the parts after it are
    its validation.

    Groups that stay together are videos where there are at least n_folds of them, else blocks of block_s seconds of each
    video; and near copies among stills, with the groups of all frames that any of them is a near copy of. Where there are
    fewer groups than n_folds, there is one fold for each group.

    Args:
        video_ids: (n_frames,) the video of each frame.
        times_s: (n_frames,) float64, seconds in its video.
        n_folds: >= 3.
        block_s: seconds, > 0.
        guard_s: seconds, >= 0; no training row is nearer than this to a validation or test row of its video, no
            validation row nearer to a test row. Rows in between are left out of that fold.
        still_groups: (n_stills,) near copies among stills have one number.
        near_copies: (n_stills,) the frames, as rows, that each still is a near copy of.
        n_validation: parts that say when to stop in each fold, >= 0; at least one is left to train on.

    Raises:
        ValueError: fewer than three groups, or the guard gap leaves a fold nothing to train on or to stop by.

    >>> [fold.test.tolist() for fold in folds(["film"] * 6, np.arange(6.0), n_folds=3, block_s=2, guard_s=0)]
    [[0, 1], [2, 3], [4, 5]]
    """
    video_ids, times_s = np.asarray(video_ids), np.asarray(times_s, dtype=np.float64)
    groups = _joined(groups_of(video_ids, times_s, n_folds, block_s), still_groups, near_copies)
    n_stills = len(still_groups)
    n_parts = min(n_folds, len(set(groups)))
    if n_parts < 3 and n_stills:
        raise ValueError(
            f"the labelled frames and stills make {n_parts} {'group' if n_parts == 1 else 'groups'} of what was seen within {block_s:g} s or "
            "is a near copy, at least 3 are needed"
        )
    if n_parts < 3:
        raise ValueError(
            f"the labelled frames lie in {n_parts} {'block' if n_parts == 1 else 'blocks'} of {block_s:g} s, at least 3 "
            "are needed"
        )
    parts = _balanced_parts(groups, n_parts)

    def near(held_out: np.ndarray) -> np.ndarray:
        frames = _near(video_ids, times_s, held_out[: len(times_s)], guard_s)
        return np.append(frames, np.zeros(n_stills, bool))

    n_validation = min(n_validation, n_parts - 2)
    result = []
    for number in range(n_parts):
        test = parts == number
        behind = (parts - number - 1) % n_parts  # 0: the part after the test, n_parts - 1: the test itself
        validation = (behind < n_validation) & ~near(test)
        train = ~test & (behind >= n_validation) & ~near(test | validation)
        if not train.any() or (n_validation and not validation.any()):
            raise ValueError(f"a guard gap of {guard_s:g} s leaves no frame between the blocks of {block_s:g} s")
        result.append(Fold(*(np.flatnonzero(rows) for rows in (train, validation, test))))
    return result


def parts_of_share(share: float, n_parts: int) -> int:
    """How many of the parts are nearest to a share of them; at least one, where it is not 0.

    >>> [parts_of_share(share, n_parts=4) for share in (0, 0.05, 0.25, 0.4, 0.5)]
    [0, 1, 1, 2, 2]
    """
    return max(round(share * n_parts), 1) if share else 0


def groups_of(video_ids: np.ndarray, times_s: np.ndarray, n_folds: int, block_s: float) -> list[Group]:
    """What each row stays together with: its video where there are n_folds of them, else its block of time in it.

    Returns:
        (n_rows,) pairs of video and number of the block, 0 where the whole video stays together.

    >>> groups_of(np.array(["a", "a", "b"]), np.array([0.0, 25.0, 5.0]), n_folds=3, block_s=20)
    [('a', 0), ('a', 1), ('b', 0)]
    """
    if len(set(video_ids)) >= n_folds:
        return [(str(video_id), 0) for video_id in video_ids]
    blocks = np.floor((times_s + TOLERANCE_S) / block_s).astype(int)
    return [(str(video_id), int(block)) for video_id, block in zip(video_ids, blocks, strict=True)]


def _joined(groups: list[Group], still_groups: Sequence[int], near_copies: Sequence[Sequence[int]]) -> list[Group]:
    """The group of each row, stills after frames; what a still ties together goes by the name of its first group."""
    leads_to: dict[Group, Group] = {}

    def first(group: Group) -> Group:
        while group in leads_to:
            group = leads_to[group]
        return group

    of_stills = [(NO_VIDEO, int(number)) for number in still_groups]
    for own, rows in zip(of_stills, near_copies, strict=bool(len(near_copies))):
        for row in rows:
            one, other = sorted((first(own), first(groups[row])))
            if one != other:
                leads_to[other] = one
    return [first(group) for group in [*groups, *of_stills]]


def _balanced_parts(groups: list[Group], n_parts: int) -> np.ndarray:
    """(n_rows,) int64: the part of each row; the largest group first, each into the part with the fewest rows yet."""
    sizes = Counter(groups)
    filled = [0] * n_parts
    part_of = {}
    for group in sorted(sizes, key=lambda group: (-sizes[group], group)):
        part_of[group] = int(np.argmin(filled))
        filled[part_of[group]] += sizes[group]
    return np.array([part_of[group] for group in groups])


def _near(video_ids: np.ndarray, times_s: np.ndarray, held_out: np.ndarray, guard_s: float) -> np.ndarray:
    """(n_rows,) bool: which rows lie nearer than guard_s to a held-out row of their video."""
    near = np.zeros(len(times_s), bool)
    for video_id in set(video_ids[held_out]):
        rows = video_ids == video_id
        others = np.sort(times_s[rows & held_out])
        after = np.searchsorted(others, times_s[rows])
        to_next = np.append(others, np.inf)[after] - times_s[rows]
        since_last = times_s[rows] - np.insert(others, 0, -np.inf)[after]
        near[rows] = np.minimum(to_next, since_last) < guard_s - TOLERANCE_S
    return near
