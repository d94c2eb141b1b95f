"""Time code, against two implementations that are not ours."""

from fractions import Fraction

import opentimelineio as otio
import pytest
import timecode
from hypothesis import given
from hypothesis import strategies as st

from screentime.editors.timecode import Counting, counting_of, frame_at, time_code

NAMES = {  # as the package timecode calls them
    "23.976": Fraction(24000, 1001), "24": Fraction(24), "25": Fraction(25), "29.97": Fraction(30000, 1001), "30": Fraction(30),
    "48": Fraction(48), "50": Fraction(50), "59.94": Fraction(60000, 1001), "60": Fraction(60),
}  # fmt: skip
DROPPING = {"29.97", "59.94"}
MOST = 24 * 3600 * 24  # frames: 24 hours at the slowest rate


def theirs(name: str, frame: int, drop: bool) -> str:
    """By the package timecode, whose frames begin at 1."""
    return str(timecode.Timecode(name, frames=frame + 1, force_non_drop_frame=not drop))


@given(st.sampled_from(sorted(NAMES)), st.integers(0, MOST - 1))
def test_every_frame_has_the_time_code_that_the_package_timecode_gives_it(name, frame):
    counting = counting_of(NAMES[name])

    assert counting.drop == (name in DROPPING)
    assert time_code(frame, counting) == theirs(name, frame, counting.drop)


@given(st.sampled_from(sorted(NAMES)), st.integers(0, MOST - 1), st.booleans())
def test_every_frame_has_the_time_code_that_opentimelineio_gives_it(name, frame, dropping):
    drop = dropping and name in DROPPING
    rate = float(NAMES[name])

    ours = time_code(frame, Counting(round(NAMES[name]), drop))

    assert ours == otio.opentime.to_timecode(otio.opentime.RationalTime(frame, rate), rate, drop)


@given(st.sampled_from(sorted(NAMES)), st.integers(0, MOST - 1))
def test_a_time_code_leads_back_to_its_frame(name, frame):
    counting = counting_of(NAMES[name])

    assert frame_at(time_code(frame, counting), NAMES[name]) == (frame, counting)


@given(st.sampled_from(sorted(DROPPING)), st.integers(0, MOST - 1))
def test_drop_frame_time_code_keeps_to_the_clock(name, frame):
    rate = NAMES[name]
    hours, minutes, rest = time_code(frame, counting_of(rate)).split(":")
    seconds, frames = rest.split(";")
    said_s = 3600 * int(hours) + 60 * int(minutes) + int(seconds) + int(frames) / round(rate)

    assert abs(said_s - frame / rate) < 0.15  # a day's end is 86 ms off, a minute's up to 67


@pytest.mark.parametrize(
    "text", ["00:01:00;00", "00:59:00;01", "24:00:00;00", "00:60:00;02", "00:00:60;00", "00:00:00;30", "1:00:00;00", ""]
)
def test_what_is_no_time_code_at_29_97_is_none(text):
    assert frame_at(text, Fraction(30000, 1001)) is None


def test_after_24_hours_time_code_begins_anew():
    for rate in NAMES.values():
        counting = counting_of(rate)
        assert time_code(counting.day, counting) == time_code(0, counting)
        assert time_code(counting.day - 1, counting)[:8] == "23:59:59"
