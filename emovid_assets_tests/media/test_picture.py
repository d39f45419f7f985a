"""Whether a picture shows anything."""

import numpy as np
import pytest

from emovid_assets.core.video.picture import is_one_colour

HEIGHT, WIDTH = 120, 200


def ground(value, spread=0, seed=0):
    noise = np.random.default_rng(seed).integers(-spread, spread + 1, (HEIGHT, WIDTH, 3))
    return np.clip(np.array(value) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("value", [(0, 0, 0), (255, 255, 255), (16, 16, 16), (200, 60, 40)])
@pytest.mark.parametrize("spread", [0, 3, 8])
def test_black_white_and_one_hue_are_one_colour_with_the_grain_of_a_codec(value, spread):
    assert is_one_colour(ground(value, spread))


@pytest.mark.parametrize("pixels", [24, 25])
def test_a_pixel_in_a_thousand_is_no_picture_and_more_are_one(pixels):
    picture = ground((0, 0, 0))
    picture.reshape(-1, 3)[100 : 100 + pixels] = 255
    assert is_one_colour(picture) == (pixels <= HEIGHT * WIDTH / 1000)


def test_a_slope_a_text_and_a_dark_scene_are_pictures():
    slope = np.broadcast_to(np.linspace(0, 60, WIDTH)[None, :, None], (HEIGHT, WIDTH, 3)).astype(np.uint8)
    text = ground((250, 250, 250), 2)
    text[50:56, 40:140] = 10
    dark = ground((4, 4, 4), 2)
    dark[:, :80] = (20, 14, 10)
    assert not any(is_one_colour(picture) for picture in (slope, text, dark))


def test_hues_of_one_brightness_are_a_picture():
    picture = ground((120, 60, 60))
    picture[:, WIDTH // 2 :] = (60, 120, 60)
    assert not is_one_colour(picture)
