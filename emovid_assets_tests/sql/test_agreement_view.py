"""The views of agreement: rows of the tables, put side by side."""

from typing import Any

import numpy as np
import pytest

from emovid_assets.core.agreement import kappa_gap, pairwise_kappa
from emovid_assets.core.agreement_statistics import agreement_statistics
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets_tests.core.rating_tables import noisy_table, ratings_of
from emovid_assets_tests.sql.conftest import Library

PAIR = {"rater_a": "anna", "rater_b": "ben", "pair_kind": "human_human", "kappa_low": 0.1, "kappa_high": 0.9}


def _statistics(domain: str) -> list[dict[str, Any]]:
    return agreement_statistics(ratings_of(noisy_table(40, seed=len(domain))), scope=domain, resamples=50)


def test_pairs_of_the_domains_come_before_the_pooled_ones(library: Library) -> None:
    library.plant("kappa_validation", [PAIR | {"domain": name, "kappa": 0.5} for name in ("sticker", "movie")])
    library.plant("pooled_kappa", [PAIR | {"kappa": 0.6}])
    rows = library.query("from rater_agreement")
    assert [(row["domain"], row["kappa"], row["kappa_low"], row["kappa_high"]) for row in rows] == [
        ("movie", 0.5, 0.1, 0.9),
        ("sticker", 0.5, 0.1, 0.9),
        ("total", 0.6, 0.1, 0.9),
    ]


def test_each_pair_shows_the_gap_of_its_own_domain_with_its_interval(library: Library) -> None:
    ratings = ratings_of(noisy_table(40, seed=5))
    library.plant("kappa_validation", [{"domain": "movie", **row} for row in pairwise_kappa(ratings)])
    library.plant("pooled_kappa", pairwise_kappa(ratings))
    library.plant("agreement_statistics", [*_statistics("movie"), *_statistics("total")])
    rows = library.query("from rater_agreement")
    assert len(rows) == 12
    for row in rows:
        (gap,) = [
            one for one in _statistics(row["domain"]) if (one["statistic"], one["emotion"]) == ("kappa_gap", "all")
        ]
        assert (row["kappa_gap"], row["kappa_gap_low"], row["kappa_gap_high"]) == (
            gap["value"],
            gap["low"],
            gap["high"],
        )
        assert row["required_clip_count"] == gap["required_clip_count"]


def test_the_pooled_kappas_and_the_means_stand_beside_each_other(library: Library) -> None:
    ratings = ratings_of(noisy_table(40))
    pairs = pairwise_kappa(ratings)
    library.plant("pooled_kappa", pairs)
    library.plant("agreement_statistics", agreement_statistics(ratings, scope="total", resamples=50))
    gap = kappa_gap(ratings)
    assert gap is not None
    means = [
        np.mean([row["kappa"] for row in pairs if row["pair_kind"] == kind]) for kind in ("human_human", "human_vlm")
    ]
    for row in library.query("from rater_agreement"):
        shown = (row["human_human_kappa"], row["human_vlm_kappa"], row["kappa_gap"])
        assert shown == pytest.approx((gap.human_human, gap.human_vlm, gap.gap))
        assert [row["human_human_mean"], row["human_vlm_mean"]] == pytest.approx(means)
        assert (row["human_human_least_clip_count"], row["human_vlm_least_clip_count"]) == (40, 40)
        assert row["kappa_gap_direction"] == gap.direction


def test_pairs_stay_visible_without_statistics_and_without_a_kappa(library: Library) -> None:
    library.plant("kappa_validation", [PAIR | {"domain": "movie", "kappa": None}])
    (row,) = library.query("from rater_agreement")
    assert (row["kappa"], row["kappa_gap"], row["human_human_kappa"]) == (None, None, None)
    assert row["kappa_gap_direction"] is None


def test_the_agreement_by_emotion_has_the_nine_choices_in_order_for_each_group_of_clips(library: Library) -> None:
    statistics = [*_statistics("total"), *_statistics("sticker")]
    library.plant("agreement_statistics", statistics)
    rows = library.query("from agreement_by_emotion")
    assert [(row["domain"], row["emotion"]) for row in rows] == [
        (domain, emotion) for domain in ("sticker", "total") for emotion in HUMAN_CHOICES
    ]
    for row in rows:
        of_row = {
            one["statistic"]: one
            for one in statistics
            if (one["scope"], one["emotion"]) == (row["domain"], row["emotion"])
        }
        alpha = of_row["krippendorff_alpha"]
        assert [row["clip_count"], row["krippendorff_alpha"]] == [alpha["clip_count"], alpha["value"]]
        assert [row["krippendorff_alpha_low"], row["krippendorff_alpha_high"]] == [alpha["low"], alpha["high"]]
        assert row["fleiss_kappa"] == of_row["fleiss_kappa"]["value"]
        assert row["human_human_kappa"] == of_row["pooled_kappa_human_human"]["value"]
        assert row["human_vlm_kappa"] == of_row["pooled_kappa_human_vlm"]["value"]
        gap = of_row["kappa_gap"]
        assert [row["kappa_gap"], row["kappa_gap_low"], row["kappa_gap_high"]] == [
            gap["value"],
            gap["low"],
            gap["high"],
        ]
