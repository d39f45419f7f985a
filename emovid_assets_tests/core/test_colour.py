"""The paper's colour attributes against their float64 definition."""

import colorsys
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emovid_assets.core.colour import ColourCounter, _sum_in_place, colour_attributes, mean_colour, round_half_up
from emovid_assets_tests.media.reference import differences, hsv, reference_of

PIXEL_VALUES = st.integers(0, 255)
IMAGES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)))
FLAT = st.tuples(PIXEL_VALUES, PIXEL_VALUES, PIXEL_VALUES).map(lambda rgb: flat(*rgb))


def flat(red, green, blue, height=2, width=3):
    return np.full((height, width, 3), (red, green, blue), np.uint8)


def measured(*frames):
    counter = ColourCounter()
    for frame in frames:
        counter.add(frame)
    return colour_attributes(counter.sums())


@given(st.lists(IMAGES, min_size=1, max_size=4))
def test_any_frames_give_what_the_definition_gives(frames):
    assert differences(measured(*frames), reference_of(frames)) == {}


@given(st.data(), st.sampled_from([3 << 16, 1 << 16]), st.integers(0, 400))
def test_sums_over_the_filled_bins_are_those_of_numpy_over_all_of_them_to_the_bit(data, length, count):
    random = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    places = np.sort(random.choice(length, count, replace=False))
    values = random.normal(size=count) * 10.0 ** random.integers(-3, 7, count)
    whole = np.zeros(length)
    whole[places] = values
    assert _sum_in_place(places, values, length) == float(whole.sum())


def test_frames_that_are_counted_after_a_look_count_as_well():
    frames = [np.random.default_rng(number).integers(0, 256, (9, 11, 3), np.uint8) for number in range(3)]
    looked_at, at_once = ColourCounter(), ColourCounter()
    for frame in frames:
        looked_at.add(frame)
        looked_at.sums()
        looked_at.palette()
        at_once.add(frame)
    assert looked_at.sums() == at_once.sums()
    assert looked_at.palette() == at_once.palette()


def test_nothing_counted_sums_to_nothing():
    assert ColourCounter().sums().as_tuple() == (0, 0, 0.0, 0.0, 0.0, 0.0, 0)
    assert ColourCounter().palette() == [0.0] * 28


@given(FLAT)
def test_flat_frames_give_what_the_definition_gives(frame):
    assert differences(measured(frame), reference_of([frame])) == {}


@given(IMAGES)
def test_brightness_and_colorfulness_round_the_exact_fractions(frame):
    tops, lows = frame.max(axis=2).ravel().tolist(), frame.min(axis=2).ravel().tolist()
    value = sum(Fraction(top, 255) for top in tops) / len(tops)
    saturation = sum(Fraction(top - low, top) if top else 0 for top, low in zip(tops, lows, strict=True)) / len(tops)
    row = measured(frame)
    assert row["brightness"] == math.floor(value * 10 + Fraction(1, 2)) / 10
    assert row["colorfulness"] == math.floor(saturation * 10 + Fraction(1, 2)) / 10
    assert row["brightness_mean"] == pytest.approx(float(value), abs=1e-12)


@given(PIXEL_VALUES, PIXEL_VALUES, PIXEL_VALUES)
def test_the_reference_itself_agrees_with_the_standard_library(red, green, blue):
    hue, saturation, value = (part[0] for part in hsv(flat(red, green, blue, 1, 1)))
    expected = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    assert math.cos(math.radians(hue) - 2 * math.pi * expected[0]) == pytest.approx(1)
    assert (saturation, value) == pytest.approx(expected[1:])


@pytest.mark.parametrize(
    ("colour", "hue"),
    [
        ((255, 0, 0), 0),
        ((255, 255, 0), 60),
        ((0, 255, 0), 120),
        ((0, 255, 255), 180),
        ((0, 0, 255), 240),
        ((255, 0, 255), 300),
        ((255, 0, 1), 0),  # 359.76° rounds to 360, and the modulo comes after the rounding
        ((255, 0, 4), 359),
        ((160, 20, 0), 8),  # 7.5° rounds half up
        ((160, 0, 20), 353),  # -7.5° rounds half up to -7
        ((255, 254, 255), 300),
    ],
)
def test_hue_of_flat_colours(colour, hue):
    assert measured(flat(*colour))["hue"] == hue


def test_a_saturation_of_a_quarter_rounds_up_in_any_number_of_pixels():
    for count in (1, 7, 1000, 99_991):
        row = measured(flat(100, 75, 75, 1, count))
        assert (row["colorfulness"], row["colorfulness_mean"]) == (0.3, 0.25)


def test_rounding_goes_half_up_and_forgives_the_noise_of_sums_only():
    assert [round_half_up(x, 1) for x in (0.25, 0.25 - 1e-12, 0.2499, 0.35, 0.05, 0.95, 0.94999)] == [
        0.3, 0.3, 0.2, 0.4, 0.1, 1.0, 0.9,
    ]  # fmt: skip
    assert [round_half_up(x) for x in (7.5, -7.5, 8.5, 359.5)] == [8, -7, 9, 360]


def test_black_and_white_and_grey_have_hue_zero_and_no_chromatic_hue():
    for level, brightness in ((0, 0.0), (128, 0.5), (255, 1.0)):
        row = measured(flat(level, level, level))
        assert (row["brightness"], row["colorfulness"], row["hue"]) == (brightness, 0.0, 0)
        assert (row["chromatic_share"], row["hue_chromatic_deg"], row["hue_resultant"]) == (0.0, None, 1.0)


def test_opposite_hues_cancel_to_no_hue_at_all():
    row = measured(flat(255, 0, 0), flat(0, 255, 255))
    assert row["hue"] is None
    assert row["hue_mean_deg"] is None
    assert row["hue_chromatic_deg"] is None
    assert row["hue_resultant"] == pytest.approx(0, abs=1e-12)
    three = measured(flat(255, 0, 0), flat(0, 255, 0), flat(0, 0, 255))
    assert three["hue"] is None


def test_the_mean_of_hues_on_both_sides_of_red_is_red_and_not_cyan():
    row = measured(flat(255, 0, 43), flat(255, 43, 0))
    assert row["hue"] == 0
    assert row["hue_resultant"] == pytest.approx(math.cos(math.radians(60 * 43 / 255)))


def test_grey_pixels_pull_the_hue_to_zero_but_not_the_chromatic_hue():
    row = measured(flat(0, 255, 0), flat(90, 90, 90))
    assert row["hue"] == 60
    assert row["hue_chromatic_deg"] == pytest.approx(120)
    assert row["chromatic_share"] == 0.5


def test_frames_are_pooled_by_pixels_and_not_by_frames():
    row = measured(flat(255, 255, 255, 1, 1), flat(0, 0, 0, 3, 3))
    assert row["brightness_mean"] == pytest.approx(0.1)
    assert (row["sampled_frame_count"], row["sampled_pixel_count"]) == (2, 10)


@settings(max_examples=30)
@given(st.lists(IMAGES, min_size=2, max_size=4))
def test_sums_of_frames_add_up_to_the_sums_of_all(frames):
    parts = []
    for frame in frames:
        counter = ColourCounter()
        counter.add(frame)
        parts.append(counter.sums())
    total = sum(parts[1:], parts[0])
    assert differences(colour_attributes(total), measured(*frames)) == {}


@given(st.lists(IMAGES, min_size=1, max_size=3))
def test_the_mean_colour_is_made_of_the_means_over_all_pixels(frames):
    hues, saturations, values = (np.concatenate(part) for part in zip(*map(hsv, frames), strict=True))
    angles = np.deg2rad(hues)[(saturations > 0) & (values > 0)]
    weight = saturations.mean() * values.mean()
    expected = [values.mean(), weight, *(weight * np.array([np.cos(angles).sum(), np.sin(angles).sum()]) / len(hues))]
    assert mean_colour(measured(*frames)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("height", [267, 269])
def test_pixels_of_one_colour_are_counted_one_by_one_however_many_they_are(height):
    # More than 2^24, behind which single-precision numbers leave out every other one.
    counter = ColourCounter()
    counter.add(flat(10, 10, 10, height, 63_001))
    assert counter.sums().pixel_count == height * 63_001


@given(st.lists(IMAGES, min_size=1, max_size=3))
@example([flat(255, 0, 0)])
@example([flat(0, 0, 0)])
def test_a_palette_is_the_share_of_each_twelfth_of_hue_by_chroma_and_each_eighth_of_the_rest(frames):
    counter = ColourCounter()
    for frame in frames:
        counter.add(frame)
    pixels = np.concatenate([frame.reshape(-1, 3) for frame in frames]).astype(int).tolist()
    hues, saturations, values = [0.0] * 12, [0.0] * 8, [0.0] * 8
    for red, green, blue in pixels:
        top, chroma = max(red, green, blue), max(red, green, blue) - min(red, green, blue)
        hue = colorsys.rgb_to_hsv(*(Fraction(part) for part in (red, green, blue)))[0]
        hues[math.floor(hue * 12)] += chroma
        saturations[min(7, 8 * chroma // max(top, 1))] += 1 / len(pixels)
        values[min(7, 8 * top // 255)] += 1 / len(pixels)
    hues = [weight / max(sum(hues), 1) for weight in hues]
    assert counter.palette() == pytest.approx(hues + saturations + values)


def test_pure_colours_lie_far_apart_and_the_hue_of_a_grey_is_no_colour():
    grey = mean_colour(measured(flat(128, 128, 128)))
    assert mean_colour(measured(flat(128, 127, 128))) == pytest.approx(grey, abs=0.01)
    red, green = (mean_colour(measured(flat(*rgb))) for rgb in ((250, 10, 10), (10, 250, 10)))
    assert max(abs(a - b) for a, b in zip(red, green, strict=True)) > 1
