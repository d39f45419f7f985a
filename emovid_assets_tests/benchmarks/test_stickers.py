"""The judge of sticker clips by what SSIM is known to be, and the table by hand."""

import av
import numpy as np
import pytest

from benchmarks.stickers import Pass, clip_likeness, costs_table, differing, likeness, steps_table
from emovid_assets_tests.media.making import scenery, write_animation
from emovid_assets_tests.media.scanning import clip_of


def test_a_picture_is_like_itself_and_less_so_the_more_it_is_changed():
    picture = scenery(0, 0, 64, 64)
    noise = np.random.default_rng(0).normal(size=picture.shape)
    noisy = [np.clip(picture + strength * noise, 0, 255).astype(np.uint8) for strength in (3, 12, 40)]
    found = [likeness(picture, other) for other in (picture, *noisy)]
    assert found[0] == pytest.approx(1, abs=1e-6)
    assert found == sorted(found, reverse=True)


def test_the_likeness_of_flat_pictures_is_that_of_their_means():
    # (2·m·n + c) / (m² + n² + c) with c = (0.01 · 255)²; there is nothing to vary.
    c = (0.01 * 255) ** 2
    one, other = np.full((32, 32, 3), 100, np.uint8), np.full((32, 32, 3), 150, np.uint8)
    assert likeness(one, other) == pytest.approx((2 * 100 * 150 + c) / (100**2 + 150**2 + c), abs=1e-4)


def test_a_clip_is_compared_with_its_sticker_over_white_without_the_sides_that_were_added(tmp_path):
    pictures = [np.dstack([scenery(0, index, 47, 63), np.full((47, 63), 255, np.uint8)]) for index in range(8)]
    for picture in pictures:
        picture[:, :20] = 0
    path = write_animation(tmp_path / "sticker.gif", pictures, 50)
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (64, 48)
    assert 0.85 < clip_likeness(path, tmp_path / "clip.mp4") <= 1


def passed(factor, found):
    spent = {"probe": 0.001, "decoding": 0.01, "scan": 0.03, "clip": 0.05, "conversion": 0.02}
    return Pass({step: factor * value for step, value in spent.items()}, 2_000_000, 0.95, 10_000, found)


def test_steps_are_shown_for_both_trees_a_sticker_and_a_million_pixels():
    before, now = {"a.gif": passed(2, 1), "b.gif": passed(4, 1)}, {"a.gif": passed(1, 1), "b.gif": passed(1, 1)}
    rows = steps_table(before, now).splitlines()
    assert rows[3] == "| scan: decoding | 30.0 | 15.00 | 10.0 | 5.00 |"
    assert rows[4] == "| scan: everything else | 60.0 | 30.00 | 20.0 | 10.00 |"
    assert rows[-1] == "| all | 243.0 | 121.50 | 81.0 | 40.50 |"
    costs = costs_table(before, now).splitlines()
    assert costs[-1] == "| mean | 2.0 | 10.0 | 1.0 | 30.0 | 50.0 | 243.0 | 81.0 | 0.9500 | 0.9500 | 10 | 10 |"


def test_what_two_trees_find_differently_is_named():
    before = {"probe": {"fps": 25.0}, "scan": {"segments": [1], "frame_count": 3}}
    now = {"probe": {"fps": 25.0}, "scan": {"segments": [2], "frame_count": 3}}
    assert differing(before, before) == []
    assert differing(before, now) == ["/scan/segments"]
