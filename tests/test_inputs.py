"""From a decoded frame to what a network is shown."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentime.backbones import BACKBONES, normalize
from screentime.errors import InputError
from screentime.inputs import Form, network_input

LITE0 = BACKBONES["efficientnet-lite0"]


def flat(colour: tuple[int, int, int], height: int, width: int) -> np.ndarray:
    """A picture of one colour."""
    return np.broadcast_to(np.array(colour, np.uint8), (height, width, 3)).copy()


def grey_levels(pixels: np.ndarray) -> np.ndarray:
    """The whole grey levels that EfficientNet-Lite0's input stands for."""
    return pixels * 128 + 127


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(1, 300), st.integers(1, 300))
def test_a_picture_of_one_colour_stays_of_that_colour_at_every_size(colour, height, width):
    shown = network_input(flat(colour, height, width), Form("efficientnet-lite0", width=112, height=64))

    assert shown.shape == (64, 112, 3)
    assert shown.dtype == np.float32
    assert np.array_equal(grey_levels(shown), flat(colour, 64, 112))


def test_red_stays_first():
    shown = network_input(flat((255, 127, 0), 9, 16), Form("efficientnet-lite0", width=64, height=64))

    assert shown[0, 0].tolist() == [1.0, 0.0, -127 / 128]


def test_shrinking_averages_all_pixels():
    """Black and white lines, one pixel each: a method that skips pixels would show only one of the two."""
    stripes = flat((0, 0, 0), 128, 128)
    stripes[:, ::2] = 255

    shown = grey_levels(network_input(stripes, Form("efficientnet-lite0", width=64, height=64)))

    assert set(shown.ravel()) <= {127.0, 128.0}


def test_enlarging_goes_smoothly_from_pixel_to_pixel():
    edge = flat((0, 0, 0), 64, 2)
    edge[:, 1] = 200

    row = grey_levels(network_input(edge, Form("efficientnet-lite0", width=64, height=64)))[0, :, 0]

    assert np.all(np.diff(row) >= 0)
    assert len(set(row)) > 20


def test_a_picture_of_the_right_size_is_not_touched():
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)

    assert np.array_equal(grey_levels(network_input(image, Form("efficientnet-lite0", width=48, height=32))), image)


def test_every_value_is_exact_in_half_precision():
    image = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    shown = network_input(image, Form("efficientnet-lite0", width=112, height=64))

    assert np.array_equal(shown.astype(np.float16).astype(np.float32), shown)


def test_a_network_that_was_trained_on_blue_first_is_shown_blue_first():
    facts = replace(LITE0, colour_order="BGR", mean=(1.0, 2.0, 3.0), scale=(1.0, 1.0, 2.0))

    assert normalize(flat((10, 20, 30), 1, 1), facts)[0, 0].tolist() == [29.0, 18.0, 3.5]


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_another_shape_or_type_is_refused(image):
    with pytest.raises(ValueError, match=r"^an image \(height, width, 3\) uint8 is needed, not "):
        network_input(image, Form("efficientnet-lite0", width=64, height=64))


def test_a_form_goes_through_plain_values():
    form = Form("efficientnet-lite0", width=448, height=256)

    assert Form(**form.as_dict()) == form


def test_a_form_of_an_unknown_backbone_is_refused():
    with pytest.raises(InputError, match=r"^params.yaml: backbone 'resnet' is not known; "):
        Form("resnet", width=64, height=64)


def test_a_picture_that_the_backbone_cannot_take_is_refused_before_anything_is_made():
    with pytest.raises(InputError) as failure:
        Form("InceptionV3", width=96, height=64)

    assert str(failure.value) == (
        "params.yaml: 96x64 is too small for InceptionV3, at least 75x75 pixels were expected; raise width and height"
    )
