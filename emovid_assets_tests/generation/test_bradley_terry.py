"""Strengths of what was compared in pairs, beside fits that know nothing of ours, and where there are none."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from emovid_assets.core.generation.bradley_terry import differences

NONE = np.zeros((3, 3))


def drawn_counts(seed: int, n: int = 5, met: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Wins and ties of n things of random strengths, each two of which met some times."""
    random = np.random.default_rng(seed)
    strengths = random.normal(size=n)
    wins, ties = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            count = random.integers(10, met)
            tied = random.binomial(count, 0.2)
            won = random.binomial(count - tied, 1 / (1 + np.exp(strengths[j] - strengths[i])))
            wins[i, j], wins[j, i] = won, count - tied - won
            ties[i, j] = ties[j, i] = tied
    return wins, ties


@pytest.mark.parametrize("seed", range(8))
def test_strengths_are_those_of_a_logistic_regression_without_intercept(seed: int) -> None:
    wins, ties = drawn_counts(seed)
    n = len(wins)
    lines, answers, weights = [], [], []
    for i in range(n):
        for j in range(i + 1, n):
            line = np.zeros(n)
            line[i], line[j] = 1, -1
            for answer, weight in ((1, wins[i, j] + ties[i, j] / 2), (0, wins[j, i] + ties[i, j] / 2)):
                lines.append(line), answers.append(answer), weights.append(weight)
    # The last one is the origin, or a constant could be added to all.
    fit = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-12, max_iter=10_000)
    fit.fit(np.array(lines)[:, :-1], answers, sample_weight=weights)
    strengths = np.append(fit.coef_[0], 0.0)
    np.testing.assert_allclose(differences(wins, ties), strengths[None, :] - strengths[:, None], atol=1e-4)


def test_strengths_are_those_that_a_general_optimiser_finds() -> None:
    wins, ties = drawn_counts(99, n=4)

    def unlikely(strengths: np.ndarray) -> float:
        gaps = strengths[:, None] - strengths[None, :]
        return float(((wins + ties / 2) * np.log1p(np.exp(-gaps))).sum() + 1e-12 * (strengths**2).sum())

    best = minimize(unlikely, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    np.testing.assert_allclose(differences(wins, ties), best[None, :] - best[:, None], atol=1e-4)


def test_of_two_things_the_strength_is_the_logarithm_of_the_odds() -> None:
    wins, ties = np.array([[0, 6], [15, 0]]), np.array([[0, 3], [3, 0]])
    assert differences(wins, ties)[0, 1] == pytest.approx(np.log(16.5 / 7.5), abs=1e-8)


def test_strengths_that_were_planted_are_found_among_many_answers() -> None:
    planted = np.array([0.0, 0.5, 1.2, 2.0])
    chance = 1 / (1 + np.exp(planted[None, :] - planted[:, None]))
    wins = np.round(1e6 * chance) * (1 - np.eye(4))
    np.testing.assert_allclose(differences(wins, np.zeros((4, 4))), planted[None, :] - planted[:, None], atol=1e-4)


def test_what_never_loses_is_above_by_no_number_and_the_others_are_as_without_it() -> None:
    wins = np.array([[0, 3, 0], [5, 0, 0], [4, 4, 0]])
    found = differences(wins, NONE)
    assert found[0, 2] == found[1, 2] == np.inf
    assert found[2, 0] == found[2, 1] == -np.inf
    assert found[0, 1] == pytest.approx(np.log(5 / 3), abs=1e-8)


def test_a_tie_is_enough_to_bound_it() -> None:
    wins, ties = np.array([[0, 0], [9, 0]]), np.array([[0, 1], [1, 0]])
    assert differences(wins, ties)[0, 1] == pytest.approx(np.log(9.5 / 0.5), abs=1e-8)


def test_a_chain_of_answers_bounds_what_never_met() -> None:
    # The first lost to the second and the second to the third, who lost to the first.
    wins = np.array([[0, 0, 2], [4, 0, 0], [0, 4, 0]])
    assert np.isfinite(differences(wins, NONE)).all()


def test_what_no_answer_connects_is_unknown() -> None:
    found = differences(np.zeros((2, 2)), np.zeros((2, 2)))
    assert np.isnan(found[0, 1])
    assert found[0, 0] == 0.0


def test_many_tables_at_once_are_fitted_as_each_by_itself() -> None:
    tables = [drawn_counts(seed, n=4, met=12) for seed in range(20)]
    wins, ties = np.stack([one for one, _ in tables]), np.stack([other for _, other in tables])
    together = differences(wins, ties)
    for place, (one, other) in enumerate(tables):
        np.testing.assert_allclose(together[place], differences(one, other), atol=1e-7)


def test_lopsided_answers_are_fitted_all_the_same() -> None:
    wins = np.array([[0, 1, 0], [1e6, 0, 1], [0, 1e6, 0]])
    assert differences(wins, NONE)[0, 2] == pytest.approx(2 * np.log(1e6), rel=1e-6)
