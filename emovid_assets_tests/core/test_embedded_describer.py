"""The describer says what was measured, in words that follow the numbers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.embedded_describer import (
    BRIGHTNESS,
    HUES,
    LOUDNESS,
    MOTION,
    PITCH,
    SATURATION,
    EmbeddedDescriber,
    describe,
    word,
)
from emovid_assets_tests.core.evidence import evidence, silent


def palette(*shares):
    """A histogram with the given (hue bin, share) pairs."""
    hues = [0.0] * 12
    for bin_, share in shares:
        hues[bin_] = share
    return hues + [0.125] * 16


def test_a_whole_caption():
    assert describe(evidence()) == (
        "A clip of 4 seconds with steady motion. "
        "The picture is medium-bright with moderately saturated colours, mostly red tones. "
        "The sound is moderately loud, mid-pitched and steady."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"motion_mean": 0.0}, "almost still"),
        ({"motion_mean": 0.2}, "very fast"),
        ({"brightness_mean": 0.1}, "very dark"),
        ({"brightness_mean": 1.0}, "very bright"),
        ({"colorfulness_mean": 0.9}, "vivid colours"),
        ({"colour_histogram": palette((8, 0.9), (2, 0.1))}, "mostly blue tones"),
        ({"colour_histogram": palette((8, 0.6), (2, 0.4))}, "mostly blue and yellow tones"),
        ({"loudness_db": -5.0}, "The sound is loud"),
        ({"loudness_db": -70.0}, "barely audible"),
        ({"spectral_centroid_hz": 100.0}, "deep"),
        ({"spectral_centroid_hz": 6000.0}, "shrill"),
        ({"loudness_sd_db": 12.0}, "changing"),
        ({"silence_share": 0.5}, "with pauses"),
        ({"silence_share": 1.0, "loudness_db": -80.0}, "Its sound track is silent."),
        ({"duration_s": 12.34}, "A clip of 12.3 seconds"),
        ({"duration_s": 20.0}, "A clip of 20 seconds"),
    ],
)
def test_words_follow_the_numbers(change, words):
    assert words in describe(evidence(**change))
    assert describe(evidence()) != describe(evidence(**change))


def test_a_clip_without_sound_says_so():
    assert describe(silent()).endswith("It has no sound.")


def test_sound_that_could_not_be_measured_counts_as_silent():
    assert describe(silent(has_audio=True)).endswith("Its sound track is silent.")


def test_a_grey_picture_has_no_tones():
    text = describe(evidence(colorfulness_mean=0.0, colour_histogram=palette()))
    assert "medium-bright and nearly colourless" in text
    assert not any(f"{hue} " in text for hue in HUES)


@pytest.mark.parametrize("steps", [MOTION, BRIGHTNESS, SATURATION, LOUDNESS, PITCH])
def test_the_steps_ascend_and_have_no_gap(steps):
    assert all(low[0] < high[0] for low, high in pairwise(steps))
    assert steps[-1][0] == float("inf")
    for (limit, below), (_, above) in pairwise(steps):
        assert (word(limit - 1e-9, steps), word(limit, steps)) == (below, above)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(-80, 0), st.floats(0, 8000), st.floats(0.2, 30))
def test_any_measurement_gives_three_sentences(motion, light, saturation, level, pitch, seconds):
    text = describe(
        evidence(
            motion_mean=motion,
            brightness_mean=light,
            colorfulness_mean=saturation,
            loudness_db=level,
            spectral_centroid_hz=pitch,
            duration_s=seconds,
        )
    )
    assert text.count(". ") == 2
    assert text.endswith(".")
    assert "None" not in text


def test_captions_come_one_per_clip_with_the_frames_that_were_seen():
    describer = EmbeddedDescriber()
    captions = describer.caption([evidence(), silent()])
    assert [caption.caption for caption in captions] == [describe(evidence()), describe(silent())]
    assert captions[0].frame_pts_s == [0.0, 0.8, 1.6]
    assert (describer.prompt_sha256, len(describer.revision)) == (None, 16)
