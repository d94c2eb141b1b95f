"""Which frames of a clip are taken: native ones, by their own times, whatever the rate; cut square from the middle."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import constant_rate, number_of, write_film

from screentime.clip_frames import chosen_frames, square
from screentime.video import NativeFrames

NTSC = Fraction(30000, 1001)


def numbers(path, n_frames: int, choose: str) -> list[int]:
    return [number_of(frame.image()) for frame in chosen_frames(NativeFrames(path), n_frames, choose)]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_film(path, constant_rate(24, NTSC))
    return path


def test_the_first_frames_come_one_after_the_other_at_the_clips_own_rate(film):
    assert numbers(film, 5, "first") == [0, 1, 2, 3, 4]
    times_s = [frame.start_s for frame in chosen_frames(NativeFrames(film), 3, "first")]
    assert times_s == [0, 1 / NTSC, 2 / NTSC]


def test_spread_frames_lie_in_the_middle_of_equal_stretches(film):
    assert numbers(film, 4, "spread") == [3, 9, 15, 21]


@pytest.mark.parametrize("choose", ["first", "spread"])
def test_a_clip_with_fewer_frames_gives_all_of_them(film, choose):
    assert numbers(film, 24, choose) == numbers(film, 50, choose) == list(range(24))


def test_frames_are_spread_over_time_and_not_over_their_numbers(tmp_path):
    """Twenty frames in the first second, ten seconds for the last four."""
    starts_s = [Fraction(number, 20) for number in range(20)] + [Fraction(one) for one in (1, 4, 6, 9)]
    write_film(tmp_path / "variable.mkv", starts_s, Fraction(11), time_base=Fraction(1, 20))

    assert numbers(tmp_path / "variable.mkv", 4, "spread") == [20, 21, 22, 23]
    assert numbers(tmp_path / "variable.mkv", 2, "spread") == [20, 22]


@given(height=st.integers(1, 40), width=st.integers(1, 40), size=st.integers(1, 50))
def test_the_square_is_the_middle_of_the_picture_and_never_enlarged(height, width, size):
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :, 0], image[:, :, 1] = np.arange(height)[:, None], np.arange(width)

    cut = square(image, size)

    side = min(height, width)
    assert cut.shape == (min(side, size), min(side, size), 3)
    if side <= size:
        assert cut[0, 0, 0] == (height - side) // 2 and cut[0, 0, 1] == (width - side) // 2


def test_a_picture_is_rgb_and_upright(tmp_path):
    quarter_turn = (0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824)
    write_film(tmp_path / "turned.mp4", constant_rate(3, Fraction(25)), display_matrix=quarter_turn)

    image = next(iter(chosen_frames(NativeFrames(tmp_path / "turned.mp4"), 1, "first"))).image()

    assert image.shape == (128, 64, 3)
    assert number_of(np.rot90(image)) == 0  # turned back: the corners are red, green, blue and grey where they belong
