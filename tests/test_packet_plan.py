"""Facts about which packets a decoder must be given: all that a wanted frame leans on, and nothing behind it."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from screentime.packet_plan import Packets, needed, parts


@st.composite
def streams(draw: st.DrawFn) -> tuple[Packets, list[set[int]], np.ndarray]:
    """A stream of groups, the packets each packet refers to, and which frames are wanted.

    Packets of a group refer to any before them in it. A key that is not fresh has packets behind it that refer to the group
    before, and on to the last key that is fresh; so have packets that are shown before their key.
    """
    stamps, keys, fresh, refers, reach = [], [], [], [], 0
    for number in range(draw(st.integers(1, 5))):
        start, size = len(stamps), draw(st.integers(1, 6))
        is_fresh = number == 0 or draw(st.booleans())
        n_early = draw(st.integers(0, size - 1)) if number else 0
        for place in range(size):
            early = 1 <= place <= n_early
            stamps.append(100 * number + (place - 90 if early else place))
            keys.append(place == 0)
            fresh.append(place == 0 and is_fresh)
            first = start if place == 0 else draw(st.integers(start, start + place - 1))
            own = {first} - {start + place}
            before = draw(st.integers(reach, start - 1)) if start and (early or (place and not is_fresh)) else None
            refers.append(own if before is None else own | {before})
        reach = start if is_fresh else reach
    wanted = draw(st.lists(st.booleans(), min_size=len(stamps), max_size=len(stamps)))
    return (
        Packets(np.array(stamps), np.ones(len(stamps), int), np.array(keys), np.array(fresh)),
        refers,
        np.array(wanted),
    )


def leans_on(refers: list[set[int]], groups: np.ndarray, place: int) -> set[int]:
    """All packets that one refers to, and they refer to; references into an earlier group reach its key."""
    found, left = set(), {place}
    while left:
        one = left.pop()
        found.add(one)
        left |= (refers[one] | {int(np.flatnonzero(groups == groups[one])[0])}) - found
    return found


@given(streams())
def test_whatever_a_wanted_frame_leans_on_is_given_to_the_decoder(stream):
    packets, refers, wanted = stream
    groups = np.cumsum(packets.keys)

    given_ = needed(packets, wanted)

    for place in np.flatnonzero(wanted):
        assert given_[sorted(leans_on(refers, groups, int(place)))].all()


@given(streams())
def test_a_group_is_given_from_its_key_on_without_a_gap(stream):
    packets, _, wanted = stream

    given_ = needed(packets, wanted)

    for group in np.split(given_, np.flatnonzero(packets.keys)[1:]):
        assert not np.any(~group[:-1] & group[1:])


def test_behind_the_last_wanted_frame_of_a_closed_group_nothing_is_given():
    keys = np.arange(12) % 4 == 0
    wanted = np.isin(np.arange(12), [2, 9])

    given_ = needed(Packets(np.arange(12), np.ones(12, int), keys, keys), wanted)

    assert np.flatnonzero(given_).tolist() == [0, 1, 2, 8, 9]


def test_where_every_frame_is_a_key_only_the_wanted_ones_are_given():
    wanted = np.arange(50) % 25 == 0

    assert np.array_equal(
        needed(Packets(np.arange(50), np.ones(50, int), np.ones(50, bool), np.ones(50, bool)), wanted), wanted
    )


@given(streams(), st.integers(1, 4))
def test_parts_of_a_film_are_decoded_apart_and_shown_one_after_the_other(stream, least):
    packets, refers, wanted = stream
    groups = np.cumsum(packets.keys)

    parted = parts(packets, wanted, least)

    assert [part.start for part in parted] == [0, *(part.stop for part in parted[:-1])]
    assert parted[-1].stop == len(wanted)
    assert all(int(wanted[part].sum()) >= least for part in parted[:-1])
    shown = [packets.stamps[part] for part in parted]
    assert all(one.max() < other.min() for one, other in pairwise(shown))
    for part in parted:
        for place in np.flatnonzero(wanted[part]) + part.start:
            assert all(part.start <= other < part.stop for other in leans_on(refers, groups, int(place)))


def test_a_film_of_closed_groups_is_parted():
    keys = np.arange(40) % 10 == 0
    packets = Packets(np.arange(40), np.ones(40), keys, keys)

    assert len(parts(packets, np.arange(40) % 5 == 0, least=2)) == 4
