"""The measured agreement of the simulated annotators lies where their error model puts it (docs/agreement.md)."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from emovid_assets.core.agreement import pairwise_kappa
from emovid_assets.core.agreement_statistics import agreement_statistics
from emovid_assets.core.annotator_quality import annotator_quality
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.demo.annotators import ANNOTATORS, answer, error_rate_of
from emovid_assets_tests.demo.error_model import (
    ERROR_RATES,
    confusion,
    expected_agreement,
    expected_agreement_with_majority,
    kappa_standard_error,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "agreement.md"
PAIRS = list(combinations(ERROR_RATES, 2))


def simulated_ratings(count, seed=11):
    """Rows of `validation_ratings` on clips whose true emotions are equally frequent."""
    return [
        {
            "clip_id": f"movie-{seed}-{number:05d}",
            "domain": "movie",
            "rater_id": person,
            "rater_kind": "human",
            "label": answer(
                person,
                f"movie-{seed}-{number:05d}",
                "validate",
                truth_emotion=EMOTION_NAMES[number % 8],
                intended_emotion=None,
                error_rate=0.15,
                seed=seed,
            ),
        }
        for person in ANNOTATORS
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def many_ratings():
    return simulated_ratings(20_000)


def theory(a, b):
    return expected_agreement(ERROR_RATES[a], ERROR_RATES[b])


def test_the_error_rates_of_the_theory_are_those_of_the_demo():
    assert {person: pytest.approx(error_rate_of(person, 0.15)) for person in ANNOTATORS} == ERROR_RATES
    for rate in ERROR_RATES.values():
        assert confusion(rate).sum(axis=1) == pytest.approx(np.ones(8))


def test_the_closed_forms_of_the_page_are_the_sums_over_the_matrices():
    for (_, a), (_, b) in combinations(ERROR_RATES.items(), 2):
        observed, chance, _ = expected_agreement(a, b)
        assert observed == pytest.approx((1 - a) * (1 - b) + a * b * 33.25 / 14.5**2)
        assert chance == pytest.approx((1 - a * 1.5 / 14.5) * (1 - b * 1.5 / 14.5) / 8 + a * b * (1.5 / 14.5) ** 2)


def test_twenty_thousand_tasks_measure_the_kappas_of_the_theory(many_ratings):
    rows = {(row["rater_a"], row["rater_b"]): row for row in pairwise_kappa(many_ratings, resamples=50)}
    assert set(rows) == set(PAIRS)
    for pair, row in rows.items():
        observed, chance, kappa = theory(*pair)
        error = kappa_standard_error(*(ERROR_RATES[name] for name in pair), 20_000)
        assert row["kappa"] == pytest.approx(kappa, abs=4 * error)
        assert row["observed_agreement"] == pytest.approx(observed, abs=4 * np.sqrt(observed * (1 - observed) / 20_000))
        assert row["expected_agreement"] == pytest.approx(chance, abs=0.002)


def test_twenty_thousand_tasks_measure_the_agreement_with_the_majority_of_the_others(many_ratings):
    answers = [
        {**row, "annotator_id": row["rater_id"], "purpose": "validate", "lead_time_s": None} for row in many_ratings
    ]
    for row in annotator_quality(answers, domain="movie", resamples=20):
        others = [rate for name, rate in ERROR_RATES.items() if name != row["annotator_id"]]
        expected = expected_agreement_with_majority(ERROR_RATES[row["annotator_id"]], *others)
        assert row["agreement"] == pytest.approx(expected, abs=4 * np.sqrt(0.25 / row["compared_count"]))
        observed, _, _ = expected_agreement(*others)
        assert row["compared_count"] / 20_000 == pytest.approx(observed, abs=0.015)


def test_the_bootstrap_has_the_standard_error_of_the_theory():
    rows = pairwise_kappa(simulated_ratings(2000), resamples=600)
    for row in rows:
        error = kappa_standard_error(ERROR_RATES[row["rater_a"]], ERROR_RATES[row["rater_b"]], 2000)
        assert row["kappa_high"] - row["kappa_low"] == pytest.approx(2 * 1.96 * error, rel=0.15)


@pytest.mark.parametrize(("count", "fewest"), [(60, 0.88), (228, 0.90)])
def test_about_19_of_20_intervals_of_a_sample_contain_the_theory(count, fewest):
    held = []
    for seed in range(40):
        for row in pairwise_kappa(simulated_ratings(count, seed), resamples=300, seed=str(seed)):
            *_, kappa = theory(row["rater_a"], row["rater_b"])
            held.append(row["kappa_low"] <= kappa <= row["kappa_high"])
    assert len(held) == 120
    assert np.mean(held) >= fewest


def test_the_mean_of_the_pairs_is_that_of_the_theory(many_ratings):
    rows = agreement_statistics(many_ratings, scope="movie", resamples=20)
    (mean,) = [r for r in rows if (r["statistic"], r["emotion"]) == ("mean_kappa_human_human", "all")]
    assert mean["value"] == pytest.approx(np.mean([theory(*pair)[2] for pair in PAIRS]), abs=0.01)


def test_the_page_shows_the_numbers_of_the_theory():
    page = PAGE.read_text(encoding="utf-8")
    for a, b in PAIRS:
        numbers = [f"{value:.4f}" for value in theory(a, b)]
        errors = [f"{kappa_standard_error(ERROR_RATES[a], ERROR_RATES[b], n):.3f}" for n in (20, 60, 228)]
        assert f"| `{a}`, `{b}` | {' | '.join([*numbers, *errors])} |" in page
    assert f"{np.mean([theory(*pair)[2] for pair in PAIRS]):.4f}" in page
    for name, rate in ERROR_RATES.items():
        others = [other for one, other in ERROR_RATES.items() if one != name]
        assert f"| `{name}` | {expected_agreement_with_majority(rate, *others):.4f} |" in page
