"""Metrics of planted generators, judged by SciPy, statsmodels and by counting."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from emovid_assets.core.generation.distances import frechet_distance, kernel_distance
from emovid_assets.core.generation.metrics import metric_rows
from emovid_assets.core.generation.videos import feature_set, scored_videos
from emovid_assets.core.statistics.wilson import grouped_wilson, wilson
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.generation.planted import feature, features_of, real_features, recognising, videos_of


def rows_of(made, scores, features=(), seed="a"):
    found = metric_rows(scored_videos(scores, made), feature_set(features), seed=seed)
    table = TABLES["generation_metrics"].from_rows(found)
    return {(row["generator"], row["scope"], row["asked_emotion"], row["metric"]): row for row in table.to_pylist()}


def noisy(seed, middle=0.3):
    values = np.random.default_rng(seed).normal(middle, 0.02, 1000).tolist()
    return lambda emotion, number: {"caption_cosine": values[number], "text_scorer_id": "clip"}


def test_shares_are_counted_per_domain_and_emotion_with_the_intervals_of_statsmodels():
    rows = rows_of(*videos_of("a", recognising(lambda number: number % 10 < 3)))
    for place, videos, right in (
        (("a", "total", "all", "ea8"), 240, 72),
        (("a", "movie", "all", "ea8"), 80, 24),
        (("a", "total", "fear", "ea8"), 30, 9),
        (("a", "sticker", "awe", "ea8"), 10, 3),
    ):
        row = rows[place]
        low, high = proportion_confint(right, videos, method="wilson")
        assert (row["video_count"], row["right_count"], row["value"]) == (videos, right, right / videos)
        assert (row["low"], row["high"]) == pytest.approx((low, high), abs=1e-9)
        assert row["scorer"] == "some/labeller@1"


def test_the_polarity_is_right_where_the_next_emotion_is_of_it():
    """Of the eight, only the successors of excitement and of sadness are of the other polarity."""
    rows = rows_of(*videos_of("a", recognising(lambda number: False)))
    assert {
        emotion: rows["a", "total", emotion, "ea2"]["value"] for emotion in ("amusement", "excitement", "sadness")
    } == {
        "amusement": 1.0,
        "excitement": 0.0,
        "sadness": 0.0,
    }
    assert rows["a", "total", "all", "ea2"]["right_count"] == 180


def test_a_mean_has_an_interval_over_prompts_as_wide_as_theory_says():
    made, scores = videos_of("a", noisy(0))
    row = rows_of(made, scores)["a", "total", "all", "caption_cosine"]
    values = np.array([one["caption_cosine"] for one in scores])
    cells = values.reshape(24, 10)
    half = 1.96 * np.sqrt((10 * cells.var(axis=1, ddof=1)).sum()) / 240
    assert row["value"] == pytest.approx(values.mean())
    assert (row["low"], row["high"]) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_seeds_of_a_prompt_are_no_findings_of_their_own():
    """Five equal videos a prompt: the intervals are those of one video a prompt, not of five times as many."""
    once = rows_of(*videos_of("a", recognising(lambda number: number % 3 == 0, flicker_native=0.5)))
    five = rows_of(
        *videos_of("a", recognising(lambda number: number // 5 % 3 == 0, flicker_native=0.5), seeds=(0, 1, 2, 3, 4))
    )
    one, other = once["a", "total", "all", "ea8"], five["a", "total", "all", "ea8"]
    assert (other["video_count"], other["prompt_count"]) == (1200, 240)
    assert (other["low"], other["high"]) == pytest.approx((one["low"], one["high"]), abs=0.002)


def test_groups_of_one_have_wilsons_interval_and_independent_ones_nearly_so():
    assert grouped_wilson([1, 0, 1, 1], [1, 1, 1, 1]) == pytest.approx(wilson(3, 4), abs=0.1)
    assert grouped_wilson([], []) is None
    assert grouped_wilson([0, 0], [5, 5]) == wilson(0, 2)
    right = np.random.default_rng(0).binomial(5, 0.3, 400)
    low, high = grouped_wilson(right.tolist(), [5] * 400)
    plain = wilson(int(right.sum()), 2000)
    assert high - low == pytest.approx(plain[1] - plain[0], rel=0.12)


def test_nothing_is_said_of_a_metric_without_values_and_no_interval_of_few_prompts():
    rows = rows_of(*videos_of("a", lambda emotion, number: {"caption_cosine": 0.2 + number / 1000}, per_cell=1))
    assert {metric for *_, metric in rows} == {"caption_cosine"}
    assert rows["a", "movie", "fear", "caption_cosine"]["low"] is None
    assert rows["a", "total", "all", "caption_cosine"]["low"] is not None


def test_flicker_of_videos_that_are_all_too_short_is_null_and_says_why():
    rows = rows_of(*videos_of("a", lambda emotion, number: {"flicker_native": 0.02}))
    row = rows["a", "total", "all", "flicker_common"]
    assert (row["value"], row["reason"]) == (None, "none of 240 videos is as long as generation.common_s")
    assert {(scope, emotion) for _, scope, emotion, metric in rows if metric == "flicker_common"} == {
        (scope, "all") for scope in ("total", "movie", "animation", "sticker")
    }


def test_values_of_two_scorers_are_not_averaged():
    made, scores = videos_of("a", lambda emotion, number: {"caption_cosine": 0.2, "text_scorer_id": "clip"})
    for score in scores[:40]:
        score |= {"caption_cosine": 0.9, "text_scorer_id": "siglip"}
    row = rows_of(made, scores)["a", "total", "all", "caption_cosine"]
    assert (row["value"], row["video_count"], row["scorer"]) == (pytest.approx(0.2), 200, "clip@None")


def test_videos_that_are_gone_have_no_part_in_it():
    made, scores = videos_of("a", lambda emotion, number: {"flicker_native": float(number >= 120)})
    row = rows_of(made[120:], scores)["a", "total", "all", "flicker_native"]
    assert (row["value"], row["video_count"]) == (1.0, 120)


def test_distances_are_of_all_domains_and_each_with_what_a_perfect_generator_would_get():
    made, scores = videos_of("a", noisy(0))
    features = real_features() + features_of(made, 0.0, seed=1)
    rows = rows_of(made, scores, features)
    real = np.array([one["features"] for one in features[:240]])
    own = np.array([one["features"] for one in features[240:]])
    total, movie = rows["a", "total", "all", "frechet_distance"], rows["a", "movie", "all", "frechet_distance"]
    assert total["value"] == pytest.approx(frechet_distance(real, own))
    assert movie["value"] == pytest.approx(frechet_distance(real[:80], own[:80]))
    assert rows["a", "total", "all", "kernel_distance"]["value"] == pytest.approx(kernel_distance(real, own))
    assert (total["real_count"], movie["real_count"], total["scorer"]) == (240, 80, "some/encoder@1")
    assert movie["floor"] > total["floor"] > 0
    assert ("a", "total", "fear", "frechet_distance") not in rows


def test_a_distance_of_too_few_is_null_and_says_why():
    made, scores = videos_of("a", noisy(0), per_cell=2)
    rows = rows_of(made, scores, real_features(2) + features_of(made, 0.0, seed=1))
    movie = rows["a", "movie", "all", "frechet_distance"]
    assert (movie["value"], movie["floor"]) == (None, None)
    assert movie["reason"] == "16 videos and 16 real clips: a distance needs 30 of each"
    assert rows["a", "total", "all", "frechet_distance"]["reason"] is None


def test_features_that_are_no_numbers_are_left_out_and_leave_no_nan():
    made, scores = videos_of("a", noisy(0))
    features = real_features() + features_of(made, 0.0, seed=1)
    features[300]["features"][3] = float("nan")
    row = rows_of(made, scores, features)["a", "total", "all", "frechet_distance"]
    assert row["video_count"] == 239
    assert all(np.isfinite(row[name]) for name in ("value", "floor", "half_value"))


def test_a_video_encoder_comes_before_measured_features_which_are_named_as_such():
    made, scores = videos_of("a", noisy(0))
    measured = [
        feature(one["item_id"], one["domain"], one["kind"], one["features"], "embedded/measured")
        for one in real_features() + features_of(made, 0.0, seed=1)
    ]
    encoded = real_features() + features_of(made, 0.0, seed=1)
    assert rows_of(made, scores, measured)["a", "total", "all", "frechet_distance"]["scorer"] == "embedded/measured@1"
    both = rows_of(made, scores, [*measured, *encoded])
    assert both["a", "total", "all", "frechet_distance"]["scorer"] == "some/encoder@1"


def test_videos_of_characters_have_no_real_clips_to_be_held_against():
    made, scores = videos_of("a", noisy(0))
    for video, score in zip(made[160:], scores[160:], strict=True):
        video |= {"clip_id": None, "character": "cat.png"}
        score["clip_id"] = None
    features = (
        real_features()
        + features_of(made[:160], 0.0, seed=1)
        + [feature(one["video_id"], "sticker", "generated", np.zeros(12)) for one in made[160:]]
    )
    row = rows_of(made, scores, features)["a", "total", "all", "frechet_distance"]
    assert (row["video_count"], row["real_count"]) == (160, 160)


def test_numbers_of_random_weights_say_so():
    made, scores = videos_of("a", noisy(0))
    scores[7]["is_trial"] = True
    rows = rows_of(made, scores)
    assert rows["a", "total", "all", "caption_cosine"]["is_trial"]
    assert rows["a", "movie", "all", "caption_cosine"]["is_trial"]
    assert not rows["a", "sticker", "all", "caption_cosine"]["is_trial"]


def test_the_same_seed_gives_the_same_rows():
    made, scores = videos_of("a", noisy(0))
    features = real_features() + features_of(made, 0.2, seed=1)
    assert rows_of(made, scores, features) == rows_of(
        list(reversed(made)), list(reversed(scores)), list(reversed(features))
    )
