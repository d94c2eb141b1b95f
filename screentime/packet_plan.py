"""Which packets of a film have to be decoded so that a few of its frames can be shown. Pure.

A decoder can begin at a key frame. From there to the next one it needs whatever other frames refer to, and nothing that comes
behind the last frame that is wanted. So of each group of packets those behind the last wanted one are left out; among the
others the decoder itself passes over frames that no other refers to.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Packets:
    """What the packets of a film say of the frames in them, one frame in each, in the order of the file.

    Attributes:
        stamps: (n,) int64, ticks, when the frame comes on screen; all different.
        durations: (n,) int64, ticks, how long it lasts, 0 where that is not said.
        keys: (n,) bool, a decoder can begin here; the first is one.
        fresh: (n,) bool, those of them that need nothing of what comes before: no frame behind one refers to it. A picture that
            is renewed strip by strip, say, has keys that are not.
    """

    stamps: np.ndarray
    durations: np.ndarray
    keys: np.ndarray
    fresh: np.ndarray


def needed(packets: Packets, wanted: np.ndarray) -> np.ndarray:
    """The packets that a decoder must be given.

    Frames that are shown before a key frame and stored behind it may refer to the group before: that group is kept whole.

    Args:
        packets: n of them.
        wanted: (n,) bool, the frames that shall come out.

    Returns:
        (n,) bool; every wanted one is among them.

    >>> packets = Packets(np.arange(8), np.ones(8), *[np.arange(8) % 4 == 0] * 2)
    >>> needed(packets, np.arange(8) == 1).astype(int).tolist()
    [1, 1, 0, 0, 0, 0, 0, 0]
    """
    result = np.zeros(len(wanted), bool)
    starts = [*np.flatnonzero(packets.keys).tolist(), len(wanted), len(wanted)]
    for (start, end), (_, after) in pairwise(pairwise(starts)):
        behind = packets.stamps[end:after]
        whole = end < len(wanted) and (not packets.fresh[end] or bool((behind < behind[0]).any()))
        of_group = np.flatnonzero(wanted[start:end])
        last = end if whole else start + int(of_group[-1]) + 1 if len(of_group) else start
        result[start:last] = True
    return result


def parts(packets: Packets, wanted: np.ndarray, least: int) -> list[slice]:
    """The film in parts, one after the other, that can be decoded apart and are shown one after the other.

    A part begins at a key frame that needs nothing of what comes before, and behind which nothing is shown earlier.

    Args:
        packets: n of them.
        wanted: (n,) bool, the frames that shall come out.
        least: so many wanted frames are in a part, but for the last; >= 1.

    Returns:
        Slices of the packets that cover all of them.

    >>> packets = Packets(np.arange(12), np.ones(12), *[np.arange(12) % 4 == 0] * 2)
    >>> [(part.start, part.stop) for part in parts(packets, np.arange(12) % 2 == 0, least=3)]
    [(0, 8), (8, 12)]
    """
    earliest_from = np.minimum.accumulate(packets.stamps[::-1])[::-1]
    possible = np.flatnonzero(packets.keys & packets.fresh & (earliest_from == packets.stamps))
    so_far = np.concatenate([[0], np.cumsum(wanted)])
    starts = [0]
    for start in possible.tolist():
        if so_far[start] - so_far[starts[-1]] >= least:
            starts.append(start)
    return [slice(start, end) for start, end in pairwise([*starts, len(wanted)])]
