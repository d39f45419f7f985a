"""Tests of planted generators, judged by statsmodels and SciPy, and what they do where nothing differs."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from emovid_assets.core.generation.comparisons import comparison_rows
from emovid_assets.core.generation.videos import feature_set, scored_videos
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.generation.planted import features_of, real_features, recognising, videos_of


def rows_of(*generators, features=(), seed="a"):
    made = [row for videos, _ in generators for row in videos]
    scores = [row for _, found in generators for row in found]
    found = comparison_rows(scored_videos(scores, made), feature_set(features), seed=seed)
    table = TABLES["generation_tests"].from_rows(found)
    return {
        (row["generator_a"], row["generator_b"], row["scope"], row["asked_emotion"], row["metric"]): row
        for row in table.to_pylist()
    }


def means(seed, middle):
    values = np.random.default_rng(seed).normal(middle, 0.02, 2000).tolist()
    return lambda emotion, number: {"caption_cosine": values[number], "text_scorer_id": "clip"}


def test_shares_are_compared_video_by_video_as_statsmodels_does():
    a, b = recognising(lambda number: number % 10 < 3), recognising(lambda number: number % 10 in (2, 3, 4, 5, 6, 7))
    row = rows_of(videos_of("a", a), videos_of("b", b))["a", "b", "total", "all", "ea8"]
    assert (row["only_a_count"], row["only_b_count"], row["pair_count"]) == (48, 120, 240)
    assert row["difference"] == pytest.approx(72 / 240)
    assert row["method"] == "mcnemar_exact"
    assert row["p"] == pytest.approx(mcnemar([[24, 48], [120, 48]], exact=True).pvalue, rel=1e-9)
    assert row["low"] < row["difference"] < row["high"]


def test_means_are_permuted_as_scipy_does():
    (made_a, a), (made_b, b) = videos_of("a", means(0, 0.3)), videos_of("b", means(1, 0.3028))
    row = rows_of((made_a, a), (made_b, b))["a", "b", "total", "all", "caption_cosine"]
    differences = np.array([y["caption_cosine"] - x["caption_cosine"] for x, y in zip(a, b, strict=True)])
    expected = stats.permutation_test(
        (differences,), lambda values, axis: values.sum(axis), permutation_type="samples", n_resamples=9_999, rng=1
    ).pvalue
    assert 0.005 < expected < 0.5
    assert row["difference"] == pytest.approx(differences.mean())
    assert row["method"] == "paired_permutation"
    assert row["p"] == pytest.approx(expected, abs=0.02)


def test_only_videos_of_the_same_prompt_and_seed_are_compared():
    right, wrong = recognising(lambda number: True), recognising(lambda number: False)
    made, scores = videos_of("b", wrong)
    other_seed = videos_of("c", wrong, seeds=(1,))
    rows = rows_of(videos_of("a", right), (made[:100], scores[:100]), other_seed)
    row = rows["a", "b", "total", "all", "ea8"]
    assert (row["pair_count"], row["only_a_count"], row["difference"]) == (100, 100, -1.0)
    assert not any("c" in key[:2] for key in rows)


def test_a_prompt_that_has_changed_is_no_common_one():
    made, scores = videos_of("b", recognising(lambda number: False))
    for video in made[:40]:
        video["prompt_sha256"] = "another caption"
    row = rows_of(videos_of("a", recognising(lambda number: True)), (made, scores))["a", "b", "total", "all", "ea8"]
    assert row["pair_count"] == 200


def test_seeds_of_a_prompt_are_swapped_together():
    """The difference is in 12 prompts, each with 20 equal videos: McNemar would call it certain."""
    one = videos_of("a", recognising(lambda number: number // 20 >= 12), per_cell=1, seeds=tuple(range(20)))
    two = videos_of("b", recognising(lambda number: number // 20 >= 6), per_cell=1, seeds=tuple(range(20)))
    row = rows_of(one, two)["a", "b", "total", "all", "ea8"]
    assert (row["only_b_count"], row["pair_count"], row["prompt_count"]) == (120, 480, 24)
    assert row["method"] == "paired_permutation"
    assert row["p"] == pytest.approx(2 / 2**6)


def test_each_family_is_corrected_as_statsmodels_does():
    generators = [
        videos_of(name, recognising(lambda number, step=step: number % 10 < step, caption_cosine=0.1))
        for step, name in enumerate("abcd", start=3)
    ]
    rows = rows_of(*generators)
    whole = [row for key, row in rows.items() if key[2:] == ("total", "all", "ea8")]
    single = [row for key, row in rows.items() if key[2] == "total" and key[3] != "all" and key[4] == "ea8"]
    for family, count in ((whole, 6), (single, 48)):
        expected = multipletests([row["p"] for row in family], method="holm")[1]
        assert [row["p_adjusted"] for row in family] == pytest.approx(list(expected), abs=1e-12)
        assert {row["family_count"] for row in family} == {count}


def test_generators_of_two_tasks_are_no_pair():
    score = recognising(lambda number: True)
    assert not rows_of(videos_of("a", score), videos_of("a", score, task="i2v"), videos_of("b", score, task="i2v"))[
        "a", "b", "total", "all", "ea8"
    ]["only_a_count"]
    assert not rows_of(videos_of("a", score), videos_of("b", score, task="i2v"))


def test_a_generator_nearer_to_the_real_clips_is_told_from_a_farther_one_and_equal_ones_are_not():
    near, same, far = (videos_of(name, means(0, 0.3)) for name in ("a", "b", "c"))
    features = [
        *real_features(),
        *features_of(near[0], 0.0, seed=1, noise=0.5),
        *features_of(same[0], 0.0, seed=2, noise=0.5),
        *features_of(far[0], 0.5, seed=3, noise=0.5),
    ]
    rows = rows_of(near, same, far, features=features)
    for metric in ("frechet_distance", "kernel_distance"):
        told, equal = rows["a", "c", "total", "all", metric], rows["a", "b", "total", "all", metric]
        assert told["difference"] > 0
        assert told["p_adjusted"] <= 0.01
        assert equal["p_adjusted"] > 0.05
        assert (told["low"], told["method"], told["pair_count"]) == (None, "paired_permutation", 240)
        assert ("a", "b", "total", "fear", metric) not in rows


def test_where_nothing_differs_one_family_of_twenty_has_a_difference_at_most():
    """Three generators that are alike, 400 times: families in which any pair is called different."""
    simulations, called = 400, {"ea8": 0, "caption_cosine": 0}
    for simulation in range(simulations):
        random = np.random.default_rng(simulation)
        hard = random.random(24)
        generators = []
        for name in "abc":
            right, cosines = random.random(24) < hard, random.normal(0.3 + 0.1 * hard, 0.02)
            score = recognising(lambda number, right=right: bool(right[number]))
            made, scores = videos_of(name, score, per_cell=1)
            for one, cosine in zip(scores, cosines.tolist(), strict=True):
                one["caption_cosine"] = cosine
            generators.append((made, scores))
        videos = scored_videos(
            [s for _, scores in generators for s in scores], [m for made, _ in generators for m in made]
        )
        found = comparison_rows([video for video in videos if video.domain == "movie"], None, seed=str(simulation))
        for metric in called:
            family = [
                row for row in found if (row["scope"], row["asked_emotion"], row["metric"]) == ("movie", "all", metric)
            ]
            called[metric] += min(row["p_adjusted"] for row in family) <= 0.05
    highest = stats.binom.ppf(0.9995, simulations, 0.05)
    assert called["ea8"] <= highest
    assert called["caption_cosine"] <= highest


def test_numbers_of_random_weights_say_so():
    (made, scores), other = (
        videos_of("a", recognising(lambda number: True)),
        videos_of("b", recognising(lambda number: True)),
    )
    made[0]["is_trial"] = True
    rows = rows_of((made, scores), other)
    assert rows["a", "b", "movie", "all", "ea8"]["is_trial"]
    assert not rows["a", "b", "sticker", "all", "ea8"]["is_trial"]
