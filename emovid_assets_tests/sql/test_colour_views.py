"""Colour and emotion, against SciPy, statsmodels and complex numbers."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import f_oneway
from statsmodels.stats.proportion import proportion_confint

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import label

SHARED_LIBRARY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _plant(library: Library, clips: list[dict[str, object]]) -> None:
    """Clips with `emotion`, `domain` (movie unless said) and any colour columns."""
    library.clear()
    colours, labels = {}, {}
    for i, clip in enumerate(clips):
        values = {"domain": "movie"} | clip
        domain, emotion = str(values["domain"]), str(values.pop("emotion"))
        colours.setdefault(domain, []).append(values | {"clip_id": f"clip-{i}"})
        labels.setdefault(domain, []).append(label(f"clip-{i}", domain, emotion))
    for domain in colours:
        library.plant("colour_attributes", colours[domain])
        library.plant("emotion_labels", labels[domain])


def _random_clips(seed: int, count: int = 200) -> list[dict[str, object]]:
    random = np.random.default_rng(seed)
    return [
        {
            "domain": ["movie", "animation"][int(random.integers(2))],
            "emotion": str(emotion),
            "brightness_mean": float(np.clip(random.normal(0.3 + 0.04 * EMOTION_NAMES.index(emotion), 0.1), 0, 1)),
            "colorfulness_mean": float(random.random()),
            "hue_mean_deg": None if random.random() < 0.1 else float(random.random() * 360),
            "hue_resultant": float(random.random()),
        }
        for emotion in random.choice(EMOTION_NAMES, count)
    ]


def _groups(clips: list[dict[str, object]], column: str, domain: str) -> list[list[float]]:
    chosen = [clip for clip in clips if domain in ("all", clip["domain"])]
    groups = ([float(c[column]) for c in chosen if c["emotion"] == e] for e in EMOTION_NAMES)
    return [group for group in groups if group]


@pytest.mark.parametrize("seed", range(5))
def test_the_analysis_of_variance_is_that_of_scipy(library: Library, seed: int) -> None:
    clips = _random_clips(seed)
    _plant(library, clips)
    for attribute in ("brightness", "colorfulness"):
        for domain in ("movie", "animation", "all"):
            groups = _groups(clips, f"{attribute}_mean", domain)
            everything = np.concatenate(groups)
            total = float(((everything - everything.mean()) ** 2).sum())
            within = float(sum(((np.array(group) - np.mean(group)) ** 2).sum() for group in groups))
            row = library.find("colour_anova", attribute=attribute, domain=domain)
            assert (row["clip_count"], row["emotion_count"]) == (len(everything), len(groups))
            assert (row["df_between"], row["df_within"]) == (len(groups) - 1, len(everything) - len(groups))
            assert row["f_statistic"] == pytest.approx(f_oneway(*groups).statistic, rel=1e-9)
            assert row["eta_squared"] == pytest.approx((total - within) / total, rel=1e-9)
            error = within / row["df_within"]
            omega = (total - within - row["df_between"] * error) / (total + error)
            assert row["omega_squared"] == pytest.approx(omega, rel=1e-9)


@pytest.mark.parametrize(
    "clips",
    [
        [("fear", 0.1), ("fear", 0.2)],  # a single emotion
        [("fear", 0.1), ("awe", 0.2)],  # no degree of freedom within
        [("fear", 0.1), ("fear", 0.1), ("awe", 0.2), ("awe", 0.2)],  # no variance within
    ],
)
def test_a_variance_ratio_that_does_not_exist_is_null(library: Library, clips: list[tuple[str, float]]) -> None:
    _plant(library, [{"emotion": emotion, "brightness_mean": value} for emotion, value in clips])
    row = library.find("colour_anova", attribute="brightness", domain="movie")
    assert row["clip_count"] == len(clips)
    assert (row["f_statistic"], row["eta_squared"], row["omega_squared"]) == (None, None, None)


def test_a_domain_without_clips_has_no_sums(library: Library) -> None:
    _plant(library, [{"emotion": "fear"}, {"emotion": "awe"}])
    row = library.find("colour_anova", attribute="brightness", domain="sticker")
    assert (row["clip_count"], row["ss_within"], row["df_within"], row["f_statistic"]) == (0, None, None, None)


@pytest.mark.parametrize("seed", range(3))
def test_means_per_emotion_are_those_of_numpy_and_complex_numbers(library: Library, seed: int) -> None:
    clips = _random_clips(seed)
    _plant(library, clips)
    for row in library.query("from colour_by_emotion"):
        mine = [clip for clip in clips if clip["emotion"] == row["emotion"]]
        for attribute in ("brightness", "colorfulness"):
            values = [clip[f"{attribute}_mean"] for clip in mine]
            assert row[f"{attribute}_mean"] == pytest.approx(np.mean(values))
            assert row[f"{attribute}_sd"] == pytest.approx(np.std(values, ddof=1))
        hued = [clip for clip in mine if clip["hue_mean_deg"] is not None]
        units = [cmath.exp(1j * math.radians(clip["hue_mean_deg"])) for clip in hued]
        mean = sum(units) / len(units)
        weighted = sum(unit * clip["hue_resultant"] for unit, clip in zip(units, hued, strict=True))
        assert (row["clip_count"], row["hue_clip_count"]) == (len(mine), len(hued))
        assert row["hue_resultant"] == pytest.approx(abs(mean))
        assert row["hue_mean_deg"] == pytest.approx(math.degrees(cmath.phase(mean)) % 360)
        assert row["hue_weighted_deg"] == pytest.approx(math.degrees(cmath.phase(weighted)) % 360)


def test_reds_on_both_sides_of_zero_have_a_red_mean(library: Library) -> None:
    hues = [350.0, 20.0]
    _plant(library, [{"emotion": "anger", "hue_mean_deg": hue, "hue_resultant": 1.0} for hue in hues])
    assert library.find("colour_by_emotion", emotion="anger")["hue_mean_deg"] == pytest.approx(5.0)


def test_hues_that_cancel_have_no_mean(library: Library) -> None:
    hues = [0.0, 180.0]
    _plant(library, [{"emotion": "anger", "hue_mean_deg": hue, "hue_resultant": 1.0} for hue in hues])
    row = library.find("colour_by_emotion", emotion="anger")
    assert (row["hue_mean_deg"], row["hue_weighted_deg"]) == (None, None)
    assert row["hue_resultant"] == pytest.approx(0, abs=1e-12)


def test_an_emotion_without_clips_is_a_row_of_nulls(library: Library) -> None:
    _plant(library, [{"emotion": "fear"}])
    row = library.find("colour_by_emotion", emotion="awe")
    assert (row["clip_count"], row["hue_clip_count"], row["brightness_mean"], row["hue_mean_deg"]) == (0, 0, None, None)


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10), st.sampled_from(EMOTION_NAMES)), min_size=1, max_size=40)
)
@SHARED_LIBRARY
def test_bins_hold_every_clip_once_with_its_polarity(library: Library, clips: list[tuple[int, int, str]]) -> None:
    _plant(
        library,
        [{"brightness": v * 0.1, "colorfulness": round(s / 10, 1), "emotion": emotion} for v, s, emotion in clips],
    )
    rows = library.query("from polarity_by_colour")
    assert [(row["attribute"], row["bin"]) for row in rows] == [
        (attribute, tenths / 10) for attribute in ("brightness", "colorfulness") for tenths in range(11)
    ]
    for row in rows:
        position = ("brightness", "colorfulness").index(row["attribute"])
        emotions = [clip[2] for clip in clips if clip[position] == round(row["bin"] * 10)]
        positive = sum(EMOTION_BY_NAME[emotion].polarity == "positive" for emotion in emotions)
        assert (row["clip_count"], row["positive_count"]) == (len(emotions), positive)
        bounds = (row["positive_share"], row["positive_share_low"], row["positive_share_high"])
        if not emotions:
            assert bounds == (None, None, None)
            continue
        low, high = proportion_confint(positive, len(emotions), method="wilson")
        assert bounds == pytest.approx((positive / len(emotions), low, high), abs=1e-6)
