"""Colour and emotion, against SciPy, statsmodels and complex numbers."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq
from scipy.special import i0e, i1e
from statsmodels.api import OLS, Logit, add_constant
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.oneway import anova_oneway
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
    chosen = [clip for clip in clips if domain in ("total", clip["domain"])]
    groups = ([float(c[column]) for c in chosen if c["emotion"] == e] for e in EMOTION_NAMES)
    return [group for group in groups if group]


@pytest.mark.parametrize("seed", range(5))
def test_the_analysis_of_variance_is_that_of_scipy(library: Library, seed: int) -> None:
    clips = _random_clips(seed)
    _plant(library, clips)
    for attribute in ("brightness", "colorfulness"):
        for domain in ("movie", "animation", "total"):
            groups = _groups(clips, f"{attribute}_mean", domain)
            everything = np.concatenate(groups)
            total = float(((everything - everything.mean()) ** 2).sum())
            within = float(sum(((np.array(group) - np.mean(group)) ** 2).sum() for group in groups))
            row = library.find("colour_anova", attribute=attribute, domain=domain)
            assert (row["clip_count"], row["emotion_count"]) == (len(everything), len(groups))
            assert (row["df_between"], row["df_within"]) == (len(groups) - 1, len(everything) - len(groups))
            assert row["f_statistic"] == pytest.approx(stats.f_oneway(*groups).statistic, rel=1e-9)
            assert row["p_value"] == pytest.approx(stats.f_oneway(*groups).pvalue, rel=1e-6)
            assert row["eta_squared"] == pytest.approx((total - within) / total, rel=1e-9)
            error = within / row["df_within"]
            omega = (total - within - row["df_between"] * error) / (total + error)
            assert row["omega_squared"] == pytest.approx(omega, rel=1e-9)
            welch = anova_oneway(groups, use_var="unequal")
            assert (row["welch_f"], row["welch_df_within"]) == pytest.approx(
                (welch.statistic, welch.df_denom), rel=1e-9
            )
            assert row["welch_p_value"] == pytest.approx(welch.pvalue, rel=1e-6)
            levene = stats.levene(*groups)
            assert row["levene_f"] == pytest.approx(levene.statistic, rel=1e-6)
            assert row["levene_p_value"] == pytest.approx(levene.pvalue, rel=1e-6)


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
    sums = {"attribute", "domain", "clip_count", "emotion_count", "ss_between", "ss_within", "df_between", "df_within"}
    assert {name for name, value in row.items() if value is not None} == sums


@pytest.mark.parametrize(("shift", "eta_squared"), [(0.0, 0.0), (0.02, 0.01), (0.1, 0.2)])
def test_a_planted_effect_is_found_with_its_interval(library: Library, shift: float, eta_squared: float) -> None:
    # Half of the clips are brighter by 2 × shift at a spread of 0.2: η² = shift² / (shift² + 0.2²).
    random = np.random.default_rng(1)
    clips = [
        {"emotion": emotion, "brightness_mean": 0.5 + side * shift + float(random.normal(0, 0.2))}
        for emotion, side in (("awe", 1), ("fear", -1))
        for _ in range(2_000)
    ]
    _plant(library, clips)
    row = library.find("colour_anova", attribute="brightness", domain="total")
    assert row["eta_squared_low"] <= eta_squared <= row["eta_squared_high"]
    assert row["eta_squared_low"] <= row["eta_squared"]
    assert row["eta_squared_high"] - row["eta_squared_low"] < 0.05
    assert (row["p_value"] < 1e-6) == (shift > 0)
    assert row["levene_p_value"] > 0.001


def test_variances_that_differ_are_noticed_and_welch_allows_for_them(library: Library) -> None:
    # A small emotion with a large spread: the classical test cries wolf, Welch's does not.
    random = np.random.default_rng(2)
    wide = random.normal(0, 0.3, 20)
    narrow = random.normal(0, 0.01, 400)
    wide += 0.5 + 0.04 - wide.mean()
    narrow += 0.5 - narrow.mean()
    _plant(
        library,
        [{"emotion": "awe", "brightness_mean": float(v)} for v in wide]
        + [{"emotion": "fear", "brightness_mean": float(v)} for v in narrow],
    )
    row = library.find("colour_anova", attribute="brightness", domain="movie")
    assert row["levene_p_value"] < 1e-6
    assert row["p_value"] < 0.05 < row["welch_p_value"]


def test_an_emotion_with_a_single_clip_leaves_the_classical_test_only(library: Library) -> None:
    values = [("awe", 0.2), ("awe", 0.4), ("fear", 0.5), ("fear", 0.8), ("anger", 0.9)]
    _plant(library, [{"emotion": emotion, "brightness_mean": value} for emotion, value in values])
    row = library.find("colour_anova", attribute="brightness", domain="movie")
    assert row["p_value"] is not None
    assert (row["welch_f"], row["welch_df_within"], row["welch_p_value"]) == (None, None, None)


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
        angles = [clip["hue_mean_deg"] for clip in hued]
        assert row["hue_sd_deg"] == pytest.approx(stats.circstd(angles, high=360))


@pytest.mark.parametrize("seed", range(2))
def test_intervals_and_effects_are_those_of_scipy_and_statsmodels(library: Library, seed: int) -> None:
    clips = _random_clips(seed)
    _plant(library, clips)
    for row in library.query("from colour_by_emotion"):
        for attribute in ("brightness", "colorfulness"):
            mine, others = (
                np.array(
                    [clip[f"{attribute}_mean"] for clip in clips if (clip["emotion"] == row["emotion"]) == is_mine]
                )
                for is_mine in (True, False)
            )
            low, high = stats.t.interval(0.95, len(mine) - 1, mine.mean(), stats.sem(mine))
            assert (row[f"{attribute}_low"], row[f"{attribute}_high"]) == pytest.approx((low, high), rel=1e-9)
            effect, variance = effectsize_smd(
                mine.mean(), mine.std(ddof=1), len(mine), others.mean(), others.std(ddof=1), len(others)
            )
            assert row[f"{attribute}_effect"] == pytest.approx(effect, rel=1e-9)
            bounds = (row[f"{attribute}_effect_low"], row[f"{attribute}_effect_high"])
            margin = 1.959964 * math.sqrt(variance)
            assert bounds == pytest.approx((effect - margin, effect + margin), rel=1e-9)


def test_the_margin_of_a_hue_covers_the_true_direction_and_shrinks_with_clips(library: Library) -> None:
    random = np.random.default_rng(3)
    margins = []
    for count in (30, 3_000):
        hues = np.degrees(random.vonmises(math.radians(-2), 2, count)) % 360
        _plant(library, [{"emotion": "anger", "hue_mean_deg": float(hue), "hue_resultant": 1.0} for hue in hues])
        row = library.find("colour_by_emotion", emotion="anger")
        distance = (row["hue_mean_deg"] - 358 + 180) % 360 - 180
        assert abs(distance) < 1.5 * row["hue_margin_deg"]
        margins.append(row["hue_margin_deg"])
    assert margins[1] == pytest.approx(margins[0] / 10, rel=0.4)


def test_an_only_emotion_has_nothing_to_be_compared_with(library: Library) -> None:
    _plant(library, [{"emotion": "fear", "brightness_mean": value} for value in (0.1, 0.2, 0.3)])
    row = library.find("colour_by_emotion", emotion="fear")
    assert (row["brightness_effect"], row["brightness_effect_low"]) == (None, None)
    assert row["brightness_low"] == pytest.approx(0.2 - stats.t.ppf(0.975, 2) * 0.1 / math.sqrt(3))


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


def _levels(clips: list[dict[str, object]], attribute: str, domain: str) -> tuple[np.ndarray, np.ndarray]:
    chosen = [clip for clip in clips if domain in ("total", clip["domain"])]
    x = np.array([float(clip[attribute]) for clip in chosen])
    y = np.array([float(EMOTION_BY_NAME[str(clip["emotion"])].polarity == "positive") for clip in chosen])
    return x, y


def _trending_clips(seed: int, slope: float, count: int = 400) -> list[dict[str, object]]:
    random = np.random.default_rng(seed)
    clips = []
    for _ in range(count):
        level = round(float(random.random()), 1)
        is_positive = random.random() < 0.5 + slope * (level - 0.5)
        names = [name for name in EMOTION_NAMES if (EMOTION_BY_NAME[name].polarity == "positive") == is_positive]
        clips.append(
            {
                "domain": ["movie", "sticker"][int(random.integers(2))],
                "emotion": str(random.choice(names)),
                "brightness": level,
                "colorfulness": round(float(random.random()), 1),
            }
        )
    return clips


@pytest.mark.parametrize(("seed", "slope"), [(1, 0.0), (2, 0.6), (3, -0.8)])
def test_the_trend_is_that_of_statsmodels(library: Library, seed: int, slope: float) -> None:
    clips = _trending_clips(seed, slope)
    _plant(library, clips)
    for attribute in ("brightness", "colorfulness"):
        for domain in ("movie", "sticker", "total"):
            row = library.find("polarity_trend", attribute=attribute, domain=domain)
            x, y = _levels(clips, attribute, domain)
            assert (row["clip_count"], row["positive_share"]) == (len(x), pytest.approx(y.mean()))
            linear = OLS(y, add_constant(x)).fit(cov_type="HC1")
            assert (row["slope"], row["slope_standard_error"]) == pytest.approx((linear.params[1], linear.bse[1]))
            assert (row["slope_low"], row["slope_high"]) == pytest.approx(tuple(linear.conf_int()[1]), rel=1e-6)
            assert (row["slope_z"], row["slope_p_value"]) == pytest.approx((linear.tvalues[1], linear.pvalues[1]))
            counts = [[((x == level) & (y == side)).sum() for level in np.unique(x)] for side in (0, 1)]
            # statsmodels takes the margins for fixed, which is (n - 1) / n of the variance of Cochran and Armitage.
            trend = Table(np.array(counts), shift_zeros=False).test_ordinal_association(
                row_scores=np.array([0, 1]), col_scores=np.unique(x)
            )
            expected = trend.zscore * math.sqrt(len(x) / (len(x) - 1))
            assert row["trend_z"] == pytest.approx(expected)
            assert row["trend_p_value"] == pytest.approx(2 * stats.norm.sf(abs(expected)))
            logistic = Logit(y, add_constant(x)).fit(disp=0)
            computed = (row["logistic_slope"], row["logistic_standard_error"], row["logistic_p_value"])
            assert computed == pytest.approx((logistic.params[1], logistic.bse[1], logistic.pvalues[1]), rel=1e-5)


def test_a_planted_trend_lies_in_its_interval(library: Library) -> None:
    _plant(library, _trending_clips(4, 0.5, count=3_000))
    row = library.find("polarity_trend", attribute="brightness", domain="total")
    assert row["slope_low"] < 0.5 < row["slope_high"]
    assert row["trend_p_value"] < 1e-9
    assert library.find("polarity_trend", attribute="colorfulness", domain="total")["trend_p_value"] > 0.001


@pytest.mark.parametrize(
    "clips",
    [
        [(0.1, "fear"), (0.2, "awe")],  # no degree of freedom
        [(0.1, "fear"), (0.1, "awe"), (0.1, "awe")],  # a single level
        [(0.1, "fear"), (0.2, "anger"), (0.3, "anger")],  # a single polarity
    ],
)
def test_a_trend_that_does_not_exist_is_null(library: Library, clips: list[tuple[float, str]]) -> None:
    _plant(library, [{"brightness": level, "emotion": emotion} for level, emotion in clips])
    row = library.find("polarity_trend", attribute="brightness", domain="movie")
    known = {"attribute", "domain", "clip_count", "positive_share"}
    assert {name for name, value in row.items() if value is not None} == known


def test_levels_that_separate_the_polarities_have_no_logistic_slope(library: Library) -> None:
    clips = [(0.1, "fear"), (0.2, "fear"), (0.3, "fear"), (0.3, "awe"), (0.8, "awe"), (0.9, "awe")]
    _plant(library, [{"brightness": level, "emotion": emotion} for level, emotion in clips])
    row = library.find("polarity_trend", attribute="brightness", domain="movie")
    assert row["slope"] > 0
    assert (row["logistic_slope"], row["logistic_standard_error"], row["logistic_p_value"]) == (None, None, None)


def _von_mises_clips(directions: dict[str, float], concentration: float, count: int) -> list[dict[str, object]]:
    random = np.random.default_rng(5)
    return [
        {"emotion": emotion, "hue_mean_deg": float(math.degrees(angle) % 360), "hue_resultant": 1.0}
        for emotion, direction in directions.items()
        for angle in random.vonmises(math.radians(direction), concentration, count)
    ]


def _watson_williams(groups: list[np.ndarray]) -> tuple[float, float]:
    """F and p with the maximum-likelihood concentration of von Mises' distribution."""
    lengths = [abs(np.exp(1j * group).sum()) for group in groups]
    total = abs(np.exp(1j * np.concatenate(groups)).sum())
    n, k = sum(map(len, groups)), len(groups)
    concentration = brentq(lambda kappa: i1e(kappa) / i0e(kappa) - sum(lengths) / n, 1e-6, 1e6)
    f = (1 + 3 / 8 / concentration) * (n - k) * (sum(lengths) - total) / (k - 1) / (n - sum(lengths))
    return f, float(stats.f.sf(f, k - 1, n - k))


@pytest.mark.parametrize("directions", [{"anger": 355.0, "fear": 355.0, "awe": 355.0}, {"anger": 350, "fear": 20}])
def test_watson_and_williams_test_is_that_of_the_formula(library: Library, directions: dict[str, float]) -> None:
    clips = _von_mises_clips(directions, 3, 40)
    _plant(library, clips)
    groups = [np.radians([c["hue_mean_deg"] for c in clips if c["emotion"] == name]) for name in directions]
    f, p = _watson_williams(groups)
    row = library.find("hue_tests", domain="movie", test="watson_williams")
    assert (row["df1"], row["df2"], row["is_applicable"]) == (len(groups) - 1, 40 * len(groups) - len(groups), True)
    # The concentration is Fisher's approximation.
    assert (row["statistic"], row["p_value"]) == pytest.approx((f, p), rel=0.02)
    assert (row["p_value"] < 1e-3) == (len(set(directions.values())) > 1)


def test_emotions_on_both_sides_of_zero_do_not_differ_where_they_do_not(library: Library) -> None:
    # Hues of 350° to 10° in all emotions: an ordinary analysis of variance would see numbers from 0 to 360.
    clips = _von_mises_clips({"anger": 0, "fear": 0, "awe": 0, "disgust": 0}, 20, 60)
    _plant(library, clips)
    for test in ("watson_williams", "watson_large_sample"):
        row = library.find("hue_tests", domain="total", test=test)
        assert row["p_value"] > 0.01
        assert min(row["hue_mean_deg"], 360 - row["hue_mean_deg"]) < 3
        assert row["is_applicable"]


def test_the_large_sample_test_is_that_of_complex_numbers_and_finds_a_planted_shift(library: Library) -> None:
    clips = _von_mises_clips({"anger": 355.0}, 8, 200) + _von_mises_clips({"fear": 4.0, "awe": 4.0}, 1, 300)
    _plant(library, clips)
    vectors, weights = [], []
    for emotion in ("anger", "fear", "awe"):
        angles = np.radians([clip["hue_mean_deg"] for clip in clips if clip["emotion"] == emotion])
        mean = np.exp(1j * angles).mean()
        second = np.cos(2 * (angles - np.angle(mean))).mean()
        weights.append(len(angles) * 2 * abs(mean) ** 2 / (1 - second))
        vectors.append(weights[-1] * mean / abs(mean))
    expected = 2 * (sum(weights) - abs(sum(vectors)))
    row = library.find("hue_tests", domain="movie", test="watson_large_sample")
    assert (row["statistic"], row["df1"]) == (pytest.approx(expected), 2)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(expected, 2))


def test_rayleighs_test_tells_a_direction_from_none(library: Library) -> None:
    uniform = [{"emotion": "fear", "hue_mean_deg": float(hue), "hue_resultant": 1.0} for hue in range(0, 360, 3)]
    _plant(library, uniform + _von_mises_clips({"anger": 0.0}, 0.5, 120))
    anger, fear = (library.find("hue_tests", domain="movie", test="rayleigh", emotion=e) for e in ("anger", "fear"))
    assert (fear["hue_mean_deg"], fear["p_value"]) == (None, pytest.approx(1))
    assert anger["statistic"] == pytest.approx(120 * anger["hue_resultant"] ** 2)
    # Without any direction, n R² is as large with about exp(-n R²).
    assert anger["p_value"] == pytest.approx(math.exp(-anger["statistic"]), rel=0.3)
    assert anger["p_value"] < 0.001


def test_emotions_whose_hues_do_not_differ_have_no_large_sample_test(library: Library) -> None:
    hues = {"anger": 27.3, "fear": 101.9, "awe": 211.7}
    _plant(library, [{"emotion": name, "hue_mean_deg": hue, "hue_resultant": 1.0} for name, hue in hues.items()])
    row = library.find("hue_tests", domain="movie", test="watson_large_sample")
    assert (row["clip_count"], row["statistic"], row["p_value"]) == (3, None, None)


def test_a_single_emotion_cannot_differ_in_hue(library: Library) -> None:
    _plant(library, _von_mises_clips({"anger": 0.0}, 5, 30))
    for test in ("watson_williams", "watson_large_sample"):
        row = library.find("hue_tests", domain="movie", test=test)
        assert (row["clip_count"], row["emotion_count"]) == (30, 1)
        assert (row["statistic"], row["p_value"]) == (None, None)


def test_the_large_sample_test_needs_a_dispersion_in_every_emotion(library: Library) -> None:
    # Of one clip, and of clips of one hue, the dispersion is rounding: what is divided by it is any number.
    _plant(library, _von_mises_clips({"anger": 40.0}, 5, 30) + _von_mises_clips({"fear": 213.7}, 5, 1))
    row = library.find("hue_tests", domain="movie", test="watson_large_sample")
    assert (row["statistic"], row["p_value"], row["is_applicable"]) == (None, None, False)
    same = [{"emotion": "awe", "hue_mean_deg": 117.3, "hue_resultant": 1.0} for _ in range(30)]
    _plant(library, _von_mises_clips({"anger": 40.0}, 5, 30) + same)
    row = library.find("hue_tests", domain="movie", test="watson_large_sample")
    assert (row["statistic"], row["p_value"], row["is_applicable"]) == (None, None, False)
