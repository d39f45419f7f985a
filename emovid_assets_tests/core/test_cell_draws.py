"""Intervals within cells: what the weights sum to, the variance they give, and how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from emovid_assets.core.statistics.cell_draws import cell_weights, mean_interval

CELLS = [(domain, emotion) for domain in range(3) for emotion in range(8) for _ in range(10)]


def test_each_cell_keeps_its_size_in_every_resample():
    weights = cell_weights(CELLS, seed="a", resamples=50)
    assert weights.reshape(50, 24, 10).sum(axis=2) == pytest.approx(np.full((50, 24), 10.0), abs=1e-9)


def test_the_spread_is_that_of_stratified_sampling():
    """Cochran (1977): the variance of a stratified mean is the sum of n_h/n² s_h², whatever lies between the cells."""
    random = np.random.default_rng(0)
    values = random.normal(0, 1, 240) + 20 * np.repeat(np.arange(24), 10)
    expected = sum(10 * values[start : start + 10].var(ddof=1) for start in range(0, 240, 10)) / 240**2
    means = cell_weights(CELLS, seed="a", resamples=20_000) @ values / 240
    assert means.var() == pytest.approx(expected, rel=0.04)


def test_units_alone_in_their_cells_are_drawn_together():
    weights = cell_weights(list(range(40)), seed="a", resamples=2000)
    assert weights.sum(axis=1) == pytest.approx(np.full(2000, 40.0), abs=1e-9)
    assert weights.var(axis=0).min() > 0.5


def test_a_unit_that_is_the_only_one_has_no_interval():
    assert cell_weights(["a"], seed="a", resamples=3).tolist() == [[1.0]] * 3
    assert mean_interval([1.0], [1.0], np.ones((3, 1)), 1) is None


def test_the_interval_holds_the_truth_in_nineteen_of_twenty():
    random = np.random.default_rng(1)
    cells, simulations = [cell for cell in range(8) for _ in range(10)], 600
    weights = cell_weights(cells, seed="a", resamples=1000)
    held = 0
    for _ in range(simulations):
        differences = random.binomial(1, 0.3, 80) - random.binomial(1, 0.2, 80) + 0.0
        low, high = mean_interval(differences, np.ones(80), weights, 8)
        held += low <= 0.1 <= high
    low, high = stats.binom.ppf((0.0005, 0.9995), simulations, 0.95)
    assert low <= held <= high


def test_a_unit_of_several_videos_counts_by_their_number():
    weights = np.array([[1.0, 1.0], [2.0, 0.0]])
    assert mean_interval([6.0, 1.0], [3.0, 1.0], weights, 1) is None
    sums, sizes = np.r_[[6.0], np.ones(19)], np.r_[[3.0], np.ones(19)]
    low, high = mean_interval(sums, sizes, np.ones((5, 20)), 1)
    assert low == high == pytest.approx(25 / 22)
