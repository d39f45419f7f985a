"""Temperatures and calibration errors, judged by scipy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from sklearn.metrics import brier_score_loss, log_loss

from emovid_assets.core.calibration import (
    BOUNDS,
    MIN_CLIPS,
    Bin,
    bins_of,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
)


def answers(count, seed, *, sharpness=1.0, classes=8):
    """Truths drawn from known distributions, and logarithms that claim `sharpness` times their certainty."""
    random = np.random.default_rng(seed)
    honest = random.normal(scale=1.5, size=(count, classes))
    truth = (random.random((count, 1)) > softmax(honest, axis=1).cumsum(axis=1)).sum(axis=1).clip(max=classes - 1)
    return honest * sharpness, truth


def smoothed_loss(logarithms, truth, temperature):
    """What `fit_temperature` minimises, written down anew: one clip's weight of even answers beside the truth."""
    log_p = logarithms / temperature - logsumexp(logarithms / temperature, axis=1, keepdims=True)
    return -log_p[np.arange(len(truth)), truth].sum() - log_p.mean()


@settings(max_examples=40, deadline=None)
@given(st.integers(MIN_CLIPS, 300), st.integers(0, 10_000), st.floats(0.3, 5))
def test_the_temperature_is_the_minimum_that_scipy_finds(count, seed, sharpness):
    logarithms, truth = answers(count, seed, sharpness=sharpness)
    found = fit_temperature(logarithms, truth)
    best = minimize_scalar(lambda value: smoothed_loss(logarithms, truth, value), bounds=BOUNDS, method="bounded")
    assert smoothed_loss(logarithms, truth, found) <= best.fun + 1e-6 * abs(best.fun)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_overstated_certainty_is_divided_away_again(sharpness):
    logarithms, truth = answers(20_000, 1, sharpness=sharpness)
    temperature = fit_temperature(logarithms, truth)
    assert temperature == pytest.approx(sharpness, rel=0.05)
    before = expected_calibration_error(bins_of(softmax(logarithms, axis=1), truth))
    after = expected_calibration_error(bins_of(softmax(logarithms / temperature, axis=1), truth))
    assert after < 0.015
    assert before == pytest.approx(after, abs=0.01) if sharpness == 1 else before > 5 * after


def test_few_clips_leave_the_probabilities_as_they_are():
    logarithms, truth = answers(MIN_CLIPS - 1, 2, sharpness=4.0)
    assert fit_temperature(logarithms, truth) == 1.0
    more, right = answers(MIN_CLIPS, 2, sharpness=4.0)
    assert fit_temperature(more, right) != 1.0
    assert fit_temperature(np.zeros((0, 8)), np.zeros(0)) == 1.0


def test_a_model_that_is_always_right_does_not_become_endlessly_sure():
    truth = np.arange(40) % 8
    logarithms = np.log(np.where(np.eye(8)[truth] == 1, 0.65, 0.05))
    temperature = fit_temperature(logarithms, truth)
    assert BOUNDS[0] < temperature < 1
    assert 0.9 < softmax(logarithms / temperature, axis=1).max() < 0.999


def test_a_model_that_is_always_wrong_is_brought_to_the_bound_and_no_further():
    truth = np.arange(40) % 8
    logarithms = np.log(np.where(np.eye(8)[(truth + 1) % 8] == 1, 0.93, 0.01))
    assert fit_temperature(logarithms, truth) == BOUNDS[1]


def test_a_zero_probability_is_refused_with_what_to_do():
    logarithms, truth = answers(40, 3)
    logarithms[3, 2] = -np.inf
    with pytest.raises(ValueError, match="floor under probabilities of 0"):
        fit_temperature(logarithms, truth)
    with pytest.raises(ValueError, match="a row of logarithms per clip"):
        fit_temperature(logarithms[:5], truth)


def test_likelihood_and_brier_score_are_those_of_scikit_learn():
    logarithms, truth = answers(200, 4)
    shares = softmax(logarithms / 1.7, axis=1)
    labels = list(range(8))
    assert negative_log_likelihood(shares, truth).mean() == pytest.approx(log_loss(truth, shares, labels=labels))
    expected = brier_score_loss(truth, shares, labels=labels, scale_by_half=False)
    assert brier_score(shares, truth).mean() == pytest.approx(expected)


def test_bins_hold_equally_many_clips_and_say_how_many():
    logarithms, truth = answers(400, 5)
    bins = bins_of(softmax(logarithms, axis=1), truth)
    assert max(one.clip_count for one in bins) - min(one.clip_count for one in bins) <= 1
    assert sum(one.clip_count for one in bins) == 400
    assert [one.confidence for one in bins] == sorted(one.confidence for one in bins)
    assert len(bins_of(softmax(logarithms[:45], axis=1), truth[:45])) == 2


def test_the_calibration_error_is_the_one_counted_by_hand():
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.6, 0.4]])
    truth = np.array([0, 1, 0, 1])
    bins = bins_of(shares, truth, bin_count=2)
    assert bins == [Bin(2, 0.6, 0.5), Bin(2, pytest.approx(0.85), 0.5)]
    assert expected_calibration_error(bins) == pytest.approx((2 * 0.1 + 2 * 0.35) / 4)
    assert expected_calibration_error(bins_of(np.zeros((0, 2)), np.zeros(0, int))) is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.9]), min_size=1, max_size=60), st.integers(1, 8), st.randoms())
def test_clips_of_equal_confidence_share_a_bin_whatever_their_order(confidences, bin_count, random):
    pairs = [(value, index % 2) for index, value in enumerate(confidences)]
    shuffled = random.sample(pairs, len(pairs))

    def bins(given_pairs):
        shares = np.array([[value, 1 - value] for value, _ in given_pairs])
        return bins_of(shares, np.array([right for _, right in given_pairs]), bin_count=bin_count)

    one, other = bins(pairs), bins(shuffled)
    assert [(b.clip_count, pytest.approx(b.accuracy)) for b in one] == [(b.clip_count, b.accuracy) for b in other]
