"""Changed frames: each part does what it says and nothing else, and everything off gives the frames back."""

import numpy as np
import pytest
from trained import ROOT, drawn_frame

from screentime.augmentation import augmented, sheet
from screentime.backbones import backbone, normalize
from screentime.params import load
from screentime.sections import Augment

FACTS = backbone("efficientnet-lite0")
NOTHING = {
    "flip": False, "rotation": 0.0, "shift": 0.0, "shear": 0.0, "zoom": 0.0, "brightness": 0.0, "contrast": 0.0,
    "saturation": 0.0,
}  # fmt: skip


def pictures(n: int) -> np.ndarray:
    return np.stack([normalize(drawn_frame(True, bool(i % 2), seed=i), FACTS) for i in range(n)])


def changed(shown: np.ndarray, seed: int = 0, facts=FACTS, **parts: float) -> np.ndarray:
    return augmented(shown, Augment(**NOTHING | parts), facts, np.random.default_rng(seed))


def levels(shown: np.ndarray) -> np.ndarray:
    return shown * np.float32(FACTS.scale) + np.float32(FACTS.mean)


def red_middle(picture: np.ndarray) -> np.ndarray:
    """(x, y) of the middle of the red disc, and its area in pixels."""
    red = (picture[..., 0] > 0.5) & (picture[..., 1] < -0.2)
    down, across = np.nonzero(red)
    return np.array([across.mean(), down.mean(), red.sum()])


def test_with_everything_off_the_frames_come_back():
    shown = pictures(3)

    assert np.array_equal(changed(shown), shown)


def test_half_the_frames_are_mirrored_exactly():
    shown = pictures(60)

    made = changed(shown, flip=True)

    mirrored = [np.allclose(one, other[:, ::-1], atol=1e-4) for one, other in zip(made, shown, strict=True)]
    as_before = [np.allclose(one, other, atol=1e-4) for one, other in zip(made, shown, strict=True)]
    assert [sum(pair) for pair in zip(mirrored, as_before, strict=True)] == [1] * 60
    assert 18 <= sum(mirrored) <= 42


def test_a_shift_moves_what_is_shown_by_at_most_its_share_and_keeps_its_size():
    shown = pictures(40)

    moves = [red_middle(one) - red_middle(other) for one, other in zip(changed(shown, shift=0.1), shown, strict=True)]

    across, down, grown = np.abs(moves).T
    assert 0.05 * 96 < across.max() <= 0.1 * 96 + 1
    assert 0.05 * 64 < down.max() <= 0.1 * 64 + 1
    assert np.median(grown) < 40  # of some 530 pixels


def test_zoom_makes_what_is_shown_larger_and_smaller_by_at_most_its_factor():
    shown = pictures(40)

    areas = [
        red_middle(one)[2] / red_middle(other)[2] for one, other in zip(changed(shown, zoom=0.25), shown, strict=True)
    ]

    assert 1 / 1.25**2 - 0.1 < min(areas) < 0.8 and 1.2 < max(areas) < 1.25**2 + 0.1


@pytest.mark.parametrize("part", ["rotation", "shear"])
def test_turning_and_shearing_keep_the_middle_and_the_area(part):
    square = np.full((1, 64, 96, 3), -1, np.float32)
    square[:, 22:42, 38:58] = 1

    made = np.concatenate([changed(square, seed, **{part: 20.0}) for seed in range(10)])

    places = [np.argwhere(one[..., 0] > 0) for one in made]
    assert np.abs([place.mean(axis=0) - (31.5, 47.5) for place in places]).max() < 1
    assert [len(place) for place in places] == pytest.approx([400] * 10, abs=30)
    assert max(np.abs(one - square[0]).max() for one in made) > 1


def test_light_changes_within_its_bounds_and_grey_keeps_no_colour():
    shown = pictures(30)

    brighter = levels(changed(shown, brightness=0.1)) - levels(shown)
    inside = (levels(shown) > 30) & (levels(shown) < 225)
    assert 10 < np.abs(brighter[inside]).max() <= 25.6
    grey = np.repeat(shown[..., :1], 3, axis=-1)
    assert np.allclose(changed(grey, saturation=0.9), grey, atol=1e-5)
    flat = np.full((5, 8, 8, 3), (127.5 - 127) / 128, np.float32)
    assert np.allclose(changed(flat, contrast=0.9), flat, atol=1e-5)
    assert np.ptp(changed(shown, contrast=0.5), axis=(1, 2, 3)).std() > 0


def test_the_same_seed_changes_alike_and_values_stay_those_of_pictures():
    everything = {"flip": True, "rotation": 30.0, "shift": 0.2, "shear": 10.0, "zoom": 0.5}
    light = {"brightness": 0.5, "contrast": 0.5, "saturation": 1.0}
    shown = pictures(8)

    one, two, other = (changed(shown, seed, **everything, **light) for seed in (1, 1, 2))

    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert one.dtype == np.float32 and one.shape == shown.shape
    assert levels(one).min() >= -1e-3 and levels(one).max() <= 255 + 1e-3


def test_a_sheet_shows_frames_and_their_variants_in_the_colours_of_the_film():
    settings = load(ROOT / "params.yaml").train.fine_tune.augment
    red = np.zeros((20, 64, 96, 3), np.uint8)
    red[..., 0] = 250
    for name in ("efficientnet-lite0", "VGG16"):  # VGG16 takes blue first
        facts = backbone(name)
        normalized = np.stack([normalize(picture, facts) for picture in red])

        shown = sheet(normalized, settings, facts, seed=0)

        assert shown.shape == (8 * 132, 6 * 196, 3)
        assert shown[66, 98].tolist() == [250, 0, 0]
    assert sheet(normalized, None, facts, seed=0).shape == (8 * 132, 196, 3)
    assert sheet(normalized[:0], settings, facts, seed=0).shape == (1, 1, 3)
