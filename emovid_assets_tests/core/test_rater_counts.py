"""Agreement of many raters against statsmodels, the matrix of coincidences, and published values."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss_kappa

from emovid_assets.core.statistics.rater_counts import fleiss_kappa, krippendorff_alpha, usually_rated

count_tables = st.integers(2, 5).flatmap(
    lambda raters: st.lists(st.lists(st.integers(0, 3), min_size=raters, max_size=raters), min_size=1, max_size=20)
)


def counted(items):
    return np.array([[item.count(category) for category in range(6)] for item in items], np.int64).reshape(-1, 6)


@settings(deadline=None)
@given(count_tables)
def test_fleiss_kappa_is_that_of_statsmodels(items):
    [result] = fleiss_kappa(counted(items))
    if np.isnan(result):
        assert len({category for item in items for category in item}) == 1
    else:
        assert result == pytest.approx(statsmodels_fleiss_kappa(counted(items)), abs=1e-9)
        assert -1 <= result <= 1


def test_the_example_of_fleiss_gives_his_value():
    # Ten subjects, fourteen raters, five categories; kappa = 0.210 (the usual textbook table).
    table = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    assert fleiss_kappa(np.array(table)) == pytest.approx(0.210, abs=5e-4)


def test_fleiss_kappa_takes_the_items_with_the_usual_number_of_ratings_and_the_larger_number_on_a_tie():
    two, three = [[1, 1], [2, 0], [0, 2]], [[3, 0], [0, 3], [1, 2]]
    assert usually_rated(np.array([*two, *three, [1, 0]])).tolist() == [False] * 3 + [True] * 3 + [False]
    assert fleiss_kappa(np.array([*two, *three])) == pytest.approx(statsmodels_fleiss_kappa(np.array(three)))
    assert fleiss_kappa(np.array([*two, three[0]])) == pytest.approx(statsmodels_fleiss_kappa(np.array(two)))


def test_without_two_ratings_of_an_item_nothing_is_defined():
    for counts in (np.zeros((0, 3), np.int64), np.array([[1, 0], [0, 1]]), np.array([[3, 0]])):
        assert np.isnan([fleiss_kappa(counts), krippendorff_alpha(counts)]).all()


def test_alpha_of_krippendorffs_own_example_with_missing_data():
    # "Computing Krippendorff's Alpha-Reliability" (2011), example C: nominal alpha = 0.743.
    a = [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None]
    b = [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]
    c = [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None]
    d = [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]
    assert krippendorff_alpha(counted(zip(a, b, c, d, strict=True))) == pytest.approx(0.743, abs=5e-4)


@settings(deadline=None)
@given(count_tables)
def test_alpha_without_missing_data_follows_from_fleiss_kappa(items):
    [alpha], [kappa] = krippendorff_alpha(counted(items)), fleiss_kappa(counted(items))
    if np.isnan(kappa):
        assert np.isnan(alpha)
    else:
        total = len(items) * len(items[0])
        assert alpha == pytest.approx(1 - (1 - kappa) * (total - 1) / total, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.lists(st.none() | st.integers(0, 3), max_size=5), max_size=15))
def test_alpha_is_that_of_the_coincidence_matrix(units):
    matrix = np.zeros((4, 4))
    for unit in units:
        values = [value for value in unit if value is not None]
        for (i, x), (j, y) in product(enumerate(values), repeat=2):
            if i != j:
                matrix[x, y] += 1 / (len(values) - 1)
    totals, n = matrix.sum(axis=1), matrix.sum()
    unequal = n * n - (totals**2).sum()
    [alpha] = krippendorff_alpha(counted(units))
    if np.count_nonzero(totals) < 2:
        assert np.isnan(alpha)
    else:
        assert alpha == pytest.approx(1 - (n - 1) * (n - np.trace(matrix)) / unequal, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), max_size=4), min_size=1, max_size=10), st.data())
def test_a_weighted_item_counts_as_often_as_it_is_drawn(items, data):
    counts = counted(items)
    weights = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items)), min_size=1))
    )
    fleiss, alpha = fleiss_kappa(counts, weights.astype(float)), krippendorff_alpha(counts, weights.astype(float))
    usual = counts[usually_rated(counts)]
    for draw, weight in enumerate(weights):
        of_usual = np.repeat(usual, weight[usually_rated(counts)], axis=0)
        assert fleiss[draw] == pytest.approx(fleiss_kappa(of_usual)[0], nan_ok=True)
        assert alpha[draw] == pytest.approx(krippendorff_alpha(np.repeat(counts, weight, axis=0))[0], nan_ok=True)
