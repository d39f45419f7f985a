"""Statistics with their intervals, against scikit-learn, statsmodels, and the definitions resampled one by one."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss_kappa

from emovid_assets.core.agreement import kappa_gap, pairwise_kappa
from emovid_assets.core.agreement_statistics import Estimate, agreement_statistics, gap_conclusion, gap_estimate
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.rating_bootstrap import RatingMatrix
from emovid_assets.core.source_draws import SourceDraws
from emovid_assets.core.statistics.rater_counts import fleiss_kappa, krippendorff_alpha
from emovid_assets_tests.core.rating_tables import noisy_table, ratings_of

RATERS = ("ann", "bob", "cem", "vlm")
STATISTICS = (
    *("fleiss_kappa", "krippendorff_alpha", "mean_kappa_human_human", "mean_kappa_human_vlm"),
    *("pooled_kappa_human_human", "pooled_kappa_human_vlm", "kappa_gap"),
)

# Few labels, so that raters agree; missing ratings, a single category and constant raters come up often.
few_labels = st.sampled_from(["fear", "awe", "no_specific_emotion"])
columns = st.integers(1, 12).flatmap(
    lambda size: st.fixed_dictionaries(
        {
            rater: few_labels.map(lambda label: [label] * size)
            | st.lists(few_labels | st.none(), min_size=size, max_size=size)
            for rater in RATERS
        }
    )
)


def values_of(rows):
    return {(row["statistic"], row["emotion"]): row["value"] for row in rows}


def seen_by(table, emotion):
    """The table itself, or with `emotion` against the rest."""
    if emotion == "all":
        return table
    return {r: [None if x is None else x == emotion for x in column] for r, column in table.items()}


def alpha_by_coincidences(units):
    """Krippendorff's alpha from the definition: the coincidence matrix, one ordered pair of ratings after another."""
    coincidences = {}
    for unit in units:
        for x, y in permutations(unit, 2):
            coincidences[x, y] = coincidences.get((x, y), 0) + 1 / (len(unit) - 1)
    totals = {}
    for (x, _), weight in coincidences.items():
        totals[x] = totals.get(x, 0) + weight
    n = sum(totals.values())
    if len(totals) < 2:
        return None
    observed = sum(weight for (x, y), weight in coincidences.items() if x != y) / n
    expected = sum(totals[x] * totals[y] for x, y in permutations(totals, 2)) / (n * (n - 1))
    return 1 - observed / expected


def mean_kappa(table, pairs):
    found = []
    for a, b in pairs:
        both = [(x, y) for x, y in zip(table[a], table[b], strict=True) if x is not None and y is not None]
        if both and len({label for pair in both for label in pair}) > 1:
            left, right = zip(*([str(label) for label in pair] for pair in both), strict=True)
            found.append(cohen_kappa_score(left, right))
    return float(np.mean(found)) if found else None


def pooled_kappa(table, pairs, *, is_ordered):
    both = [
        (str(x), str(y))
        for a, b in pairs
        for x, y in zip(table[a], table[b], strict=True)
        if x is not None and y is not None
    ]
    both += [] if is_ordered else [(y, x) for x, y in both]
    return cohen_kappa_score(*zip(*both, strict=True)) if len({label for pair in both for label in pair}) > 1 else None


def fleiss_of_the_usual_size(units):
    sizes = [len(unit) for unit in units]
    usual = max(sizes, key=lambda size: (sizes.count(size), size), default=0)
    chosen = [unit for unit in units if len(unit) == usual]
    labels = sorted({label for unit in chosen for label in unit})
    if len(labels) < 2:
        return None
    return statsmodels_fleiss_kappa(np.array([[unit.count(label) for label in labels] for unit in chosen]))


@settings(max_examples=60)
@given(columns)
def test_every_statistic_is_that_of_the_libraries_whatever_is_missing_or_constant(table):
    rows = agreement_statistics(ratings_of(table), scope="movie", resamples=20)
    values = values_of(rows)
    if not any(label for column in table.values() for label in column):
        assert rows == []
        return
    assert len(values) == len(rows) == 7 * 10
    for emotion in ("all", *HUMAN_CHOICES):
        seen = seen_by(table, emotion)
        humans = [[x for x in unit if x is not None] for unit in zip(*(seen[r] for r in RATERS[:3]), strict=True)]
        units = [unit for unit in humans if len(unit) > 1]
        human = mean_kappa(seen, combinations(RATERS[:3], 2))
        vlm = mean_kappa(seen, ((r, "vlm") for r in RATERS[:3]))
        people = pooled_kappa(seen, combinations(RATERS[:3], 2), is_ordered=False)
        both = pooled_kappa(seen, ((r, "vlm") for r in RATERS[:3]), is_ordered=True)
        expected = {
            "fleiss_kappa": fleiss_of_the_usual_size(units),
            "krippendorff_alpha": alpha_by_coincidences(units),
            "mean_kappa_human_human": human,
            "mean_kappa_human_vlm": vlm,
            "pooled_kappa_human_human": people,
            "pooled_kappa_human_vlm": both,
            "kappa_gap": None if people is None or both is None else abs(people - both),
        }
        for statistic, value in expected.items():
            assert values[statistic, emotion] == (None if value is None else pytest.approx(value, abs=1e-9)), statistic


@settings(max_examples=40)
@given(columns)
def test_an_undefined_statistic_has_no_interval_and_a_defined_one_is_finite(table):
    for row in agreement_statistics(ratings_of(table), scope="movie", resamples=50):
        assert row["scope"] == "movie"
        interval = (row["low"], row["high"])
        if row["value"] is None:
            assert interval == (None, None)
        elif interval != (None, None):
            assert row["low"] <= row["high"]
            assert np.isfinite(interval).all()
        assert row["required_clip_count"] is None or row["standard_error"] > 0


@settings(max_examples=40)
@given(columns)
def test_the_resampled_coefficients_are_those_of_the_drawn_clips(table):
    matrix = RatingMatrix.of(ratings_of(table))
    counts = matrix.human_counts()
    sizes = [size for size in counts.sum(axis=1) if size > 1]
    usual = max(sizes, key=lambda size: (sizes.count(size), size), default=0)
    weights = SourceDraws.of_clips(matrix.clip_ids, resamples=15, seed="some seed").weights
    fleiss, alpha = fleiss_kappa(counts, weights), krippendorff_alpha(counts, weights)
    for draw, weight in enumerate(weights.astype(int)):
        drawn = [[k for k in range(9) for _ in range(row[k])] for row in np.repeat(counts, weight, axis=0)]
        expected = [
            fleiss_of_the_usual_size([unit for unit in drawn if len(unit) == usual and usual > 1]),
            alpha_by_coincidences([unit for unit in drawn if len(unit) > 1]),
        ]
        for value, found in zip(expected, (fleiss[draw], alpha[draw]), strict=True):
            assert found == pytest.approx(np.nan if value is None else value, abs=1e-9, nan_ok=True)


def test_nearly_every_interval_contains_its_estimate():
    outside = total = 0
    for seed in range(30):
        table = noisy_table(30, seed=seed, noise=0.1 + 0.02 * seed)
        for row in agreement_statistics(ratings_of(table), scope="movie", resamples=200):
            if row["value"] is not None and row["low"] is not None:
                total += 1
                outside += not row["low"] <= row["value"] <= row["high"]
    assert total > 1000
    assert outside / total < 0.01


def test_the_standard_error_is_near_the_analytic_one_where_there_are_many_clips():
    table = noisy_table(4000, raters=("ann", "bob"), noise=0.3)
    rows = agreement_statistics(ratings_of(table), scope="movie", resamples=400)
    (row,) = [r for r in rows if (r["statistic"], r["emotion"]) == ("mean_kappa_human_human", "all")]
    (pair,) = pairwise_kappa(ratings_of(table), resamples=400)
    observed, expected = pair["observed_agreement"], pair["expected_agreement"]
    # Cohen (1960), which takes chance agreement as given: close where the nine labels are about equally frequent.
    analytic = np.sqrt(observed * (1 - observed) / 4000) / (1 - expected)
    assert row["standard_error"] == pytest.approx(analytic, rel=0.12)
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * analytic, rel=0.15)


def test_the_interval_narrows_with_the_root_of_the_clips_so_that_the_required_number_hardly_moves():
    few, many = (gap_estimate(ratings_of(noisy_table(count))) for count in (200, 3200))
    assert many.standard_error == pytest.approx(few.standard_error / 4, rel=0.25)
    assert many.required_clip_count == pytest.approx(few.required_clip_count, rel=0.5)


def test_with_the_required_clips_the_half_width_is_four_hundredths():
    needed = gap_estimate(ratings_of(noisy_table(400))).required_clip_count
    measured = gap_estimate(ratings_of(noisy_table(needed, seed=3)))
    assert 1.96 * measured.standard_error == pytest.approx(0.04, rel=0.2)


def test_the_gap_is_the_same_alone_in_the_table_and_from_the_pairs():
    ratings = ratings_of(noisy_table(60))
    estimate = gap_estimate(ratings, seed="one")
    rows = agreement_statistics(ratings, scope="movie", seed="one")
    (row,) = [r for r in rows if (r["statistic"], r["emotion"]) == ("kappa_gap", "all")]
    shown = ("value", "low", "high", "standard_error", "clip_count", "source_count", "least_pair_clip_count")
    assert Estimate(*(row[name] for name in shown), direction=kappa_gap(ratings).direction) == estimate
    assert estimate.value == pytest.approx(kappa_gap(ratings).gap, abs=1e-12)
    assert (estimate.source_count, estimate.least_pair_clip_count) == (60, 60)
    assert gap_estimate(list(reversed(ratings)), seed="one") == estimate
    assert gap_estimate(ratings, seed="two") != estimate


def test_the_interval_of_the_gap_contains_it_and_reaches_zero_where_the_sign_is_open():
    alike = gap_estimate(ratings_of(noisy_table(228)))
    assert alike.low == 0.0
    assert alike.value <= alike.high < 0.15
    # The number that SPEC and HOUSE give for the paper's validation set, with raters of middling agreement.
    assert 0.03 < 1.96 * alike.standard_error < 0.09

    table = noisy_table(228, noise=0.2) | {"vlm": noisy_table(228, seed=9)["vlm"]}
    apart = gap_estimate(ratings_of(table))
    assert 0.3 < apart.low < apart.value < apart.high < 1


def test_clips_are_counted_where_they_enter():
    table = {
        "ann": ["awe", "fear", "fear", None, "awe"],
        "bob": ["awe", "fear", None, None, None],
        "cem": ["awe", "awe", None, None, None],
        "vlm": ["awe", "fear", "awe", "awe", None],
    }
    rows = agreement_statistics(ratings_of(table), scope="movie", resamples=20)
    counts = {row["statistic"]: row["clip_count"] for row in rows if row["emotion"] == "all"}
    assert counts == dict(zip(STATISTICS, (2, 2, 2, 3, 2, 3, 3), strict=True))


def test_no_ratings_give_no_statistics():
    assert agreement_statistics([], scope="movie") == []
    assert gap_estimate([]) is None


def test_without_a_model_there_are_human_statistics_and_no_gap():
    rows = agreement_statistics(ratings_of(noisy_table(30, raters=RATERS[:3])), scope="movie")
    values = values_of(rows)
    assert values["fleiss_kappa", "all"] is not None
    assert values["mean_kappa_human_vlm", "all"] is values["pooled_kappa_human_vlm", "all"] is None
    assert values["kappa_gap", "all"] is None


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (
            Estimate(0.016, 0.0, 0.2, 0.0632, 52),
            "The gap is 0.016 with a 95 % interval of 0.000 to 0.200 on 52 clips: below 0.04 as measured, but the "
            "interval also allows larger gaps; about 499 clips would be needed for an interval of ± 0.04.",
        ),
        (
            Estimate(0.012, 0.0, 0.039, 0.01, 5000),
            "The gap is 0.012 with a 95 % interval of 0.000 to 0.039 on 5000 clips: clearly below 0.04.",
        ),
        (
            Estimate(0.3, 0.2, 0.4, 0.05, 100),
            "The gap is 0.300 with a 95 % interval of 0.200 to 0.400 on 100 clips: clearly not below 0.04.",
        ),
        (
            Estimate(0.06, 0.0, 0.4, 0.1, 1),
            "The gap is 0.060 with a 95 % interval of 0.000 to 0.400 on 1 clip: not below 0.04 as measured, but the "
            "interval also allows smaller gaps; about 25 clips would be needed for an interval of ± 0.04.",
        ),
        (
            Estimate(0.0, 0.0, 0.0, 0.0, 4),
            "The gap is 0.000 with a 95 % interval of 0.000 to 0.000 on 4 clips: nothing can be concluded, because "
            "the resamples do not differ. More clips are needed.",
        ),
        (
            Estimate(0.5, None, None, None, 2),
            "The gap is 0.500 on 2 clips: not below 0.04 as measured, but it has no interval, which needs clips of 8 "
            "source videos or more.",
        ),
        (
            Estimate(0.3, 0.2, 0.4, 0.05, 100, direction="model_agrees_less"),
            "The gap is 0.300 with a 95 % interval of 0.200 to 0.400 on 100 clips; the model agrees with people less "
            "than they do with each other: clearly not below 0.04.",
        ),
        (
            Estimate(0.3, 0.2, 0.4, 0.05, 100, direction="model_agrees_more"),
            "The gap is 0.300 with a 95 % interval of 0.200 to 0.400 on 100 clips; the model agrees with people more "
            "than they do with each other: which is no fault of it, however large.",
        ),
        (
            Estimate(0.06, 0.0, 0.2, 0.05, 100, direction="model_agrees_more"),
            "The gap is 0.060 with a 95 % interval of 0.000 to 0.200 on 100 clips; the model agrees with people more "
            "than they do with each other: which is no fault of it, however large, but the interval leaves the "
            "direction open.",
        ),
        (
            Estimate(None, None, None, None, 0),
            "There is no gap to judge: kappas of human pairs and of pairs of a human and the labeller are needed.",
        ),
    ],
)
def test_the_conclusion_says_no_more_than_the_interval_allows(estimate, words):
    assert gap_conclusion(estimate) == words
