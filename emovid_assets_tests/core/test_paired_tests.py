"""Tests of pairs, judged by statsmodels and SciPy, by counting, and by what they do where nothing differs."""

import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from emovid_assets.core.statistics.paired_tests import EXACT_UNITS, holm, mcnemar_exact, paired_permutation

SIMULATIONS = 1000


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 0), (0, 1), (3, 3), (5, 15), (15, 5), (0, 12), (40, 61), (400, 500)]
)
def test_mcnemar_is_that_of_statsmodels(only_a, only_b):
    expected = mcnemar([[10, only_a], [only_b, 10]], exact=True).pvalue if only_a + only_b else 1.0
    assert mcnemar_exact(only_a, only_b) == pytest.approx(expected, abs=1e-12)


def test_mcnemar_of_more_discordant_pairs_than_a_float_can_count():
    assert mcnemar_exact(2000, 2200) == pytest.approx(stats.binomtest(2000, 4200).pvalue, rel=1e-9)


@pytest.mark.parametrize("count", [2, 5, EXACT_UNITS])
def test_few_pairs_are_permuted_as_scipy_permutes_all_of_them(count):
    differences = np.random.default_rng(count).normal(0.4, 1, count)
    expected = stats.permutation_test(
        (differences,), lambda values: values.sum(), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert float(paired_permutation(differences, seed="a")) == pytest.approx(expected, abs=1e-12)


def test_pairs_that_are_equal_do_not_count_as_pairs():
    differences = [0.25, 0.5, 0.75]
    everything = [abs(sum(signs)) >= 1.5 for signs in itertools.product(*((-one, one) for one in differences))]
    assert float(paired_permutation([*differences, *[0.0] * 200], seed="a")) == np.mean(everything) == 0.25


def test_ties_that_rounding_would_part_are_ties():
    """The small ones add up to 0.6, 0.4, 0.2, twice to 0, and the same below 0: beside the 1 five of eight reach 1."""
    assert float(paired_permutation([-0.1, -0.2, 0.3, 1.0], seed="a")) == 5 / 8


def test_many_pairs_are_permuted_as_scipy_does_within_the_error_of_the_draws():
    differences = np.random.default_rng(3).normal(0.12, 1, 240)
    expected = stats.permutation_test(
        (differences,), lambda values, axis: values.sum(axis), permutation_type="samples", n_resamples=9_999, rng=1
    ).pvalue
    drawn = float(paired_permutation(differences, seed="a"))
    assert 0.01 < expected < 0.2
    assert drawn == pytest.approx(expected, abs=4 * np.sqrt(2 * expected * (1 - expected) / 9999))


def test_no_p_is_zero_and_the_seed_decides_which_it_is():
    differences = np.ones(100)
    assert float(paired_permutation(differences, seed="a", permutations=999)) == 0.001
    noise = np.random.default_rng(0).normal(0.1, 1, 100)
    assert paired_permutation(noise, seed="a") == paired_permutation(noise, seed="a")
    assert paired_permutation(noise, seed="a") != paired_permutation(noise, seed="b")


def test_columns_have_the_p_that_each_has_alone():
    table = np.random.default_rng(5).normal(0.1, 1, (60, 3))
    table[5:, 1] = 0
    together = paired_permutation(table, seed="a")
    alone = [float(paired_permutation(column, seed="a")) for column in table.T]
    assert together.tolist() == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize("p_values", [[0.01], [0.04, 0.01, 0.03], [0.5, 0.001, 0.02, 0.02, 0.9, 1.0], [0.2] * 4, []])
def test_holm_is_that_of_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1] if p_values else []
    assert holm(p_values) == pytest.approx(list(expected), abs=1e-12)


def rejections(p_values):
    return int(np.sum(np.array(p_values) <= 0.05))


def limits(chance=0.05):
    return stats.binom.ppf((0.0005, 0.9995), SIMULATIONS, chance)


def test_where_nothing_differs_the_permutation_rejects_one_in_twenty():
    random = np.random.default_rng(17)
    skewed = random.exponential(1, (60, SIMULATIONS)) * random.choice((-1, 1), (60, SIMULATIONS))
    low, high = limits()
    assert low <= rejections(paired_permutation(skewed, seed="a", permutations=999)) <= high


def test_where_nothing_differs_mcnemar_rejects_at_most_one_in_twenty():
    """The exact test keeps its level for every number of discordant pairs, and so rejects less often."""
    random = np.random.default_rng(18)
    discordant = random.binomial(240, 0.2, SIMULATIONS)
    only_a = random.binomial(discordant, 0.5)
    found = rejections([mcnemar_exact(int(a), int(n - a)) for a, n in zip(only_a, discordant, strict=True)])
    assert limits(0.025)[0] <= found <= limits()[1]


def test_a_planted_difference_is_found_as_often_as_theory_says():
    """The power of the t test, by the noncentral t distribution; a permutation has nearly the same."""
    random = np.random.default_rng(19)
    shifted = random.normal(0.5, 1, (60, SIMULATIONS))
    t = stats.t.ppf(0.975, 59)
    power = stats.nct.sf(t, 59, 0.5 * np.sqrt(60)) + stats.nct.cdf(-t, 59, 0.5 * np.sqrt(60))
    found = rejections(paired_permutation(shifted, seed="a", permutations=999)) / SIMULATIONS
    assert found == pytest.approx(power, abs=0.02)


def test_holm_over_ten_pairs_without_a_difference_rejects_in_one_family_of_twenty_at_most():
    random = np.random.default_rng(20)
    families = random.uniform(size=(SIMULATIONS, 10))
    found = sum(min(holm(family)) <= 0.05 for family in families.tolist())
    assert found <= limits()[1]
