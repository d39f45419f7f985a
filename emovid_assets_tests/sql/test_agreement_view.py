"""Agreement of raters, against scikit-learn and statsmodels."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets_tests.sql.conftest import Library

RATERS = {"anna": "human", "ben": "human", "cleo": "human", "labeller": "vlm"}


def _plant_ratings(library: Library, ratings: dict[str, dict[str, str]]) -> None:
    """Rater → clip → label; a clip's id begins with its domain."""
    rows = [
        {
            "domain": clip.split("-")[0],
            "clip_id": clip,
            "rater_id": rater,
            "rater_kind": RATERS[rater],
            "label": choice,
        }
        for rater, choices in ratings.items()
        for clip, choice in choices.items()
    ]
    library.plant("validation_ratings", rows)


def _random_ratings(seed: int, count: int) -> dict[str, dict[str, str]]:
    random = np.random.default_rng(seed)
    truth = {f"{('movie', 'sticker')[i % 2]}-{i}": random.choice(HUMAN_CHOICES) for i in range(count)}
    return {
        rater: {
            clip: str(label if random.random() < 0.6 else random.choice(HUMAN_CHOICES))
            for clip, label in truth.items()
            if random.random() < 0.9
        }
        for rater in RATERS
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_pooled_kappa_and_its_interval_are_those_of_the_libraries(library: Library, seed: int) -> None:
    ratings = _random_ratings(seed, 60)
    _plant_ratings(library, ratings)
    rows = {(row["rater_a"], row["rater_b"]): row for row in library.query("from rater_agreement")}
    assert set(rows) == set(combinations(RATERS, 2))
    for (a, b), row in rows.items():
        shared = sorted(ratings[a].keys() & ratings[b].keys())
        left, right = [ratings[a][clip] for clip in shared], [ratings[b][clip] for clip in shared]
        assert (row["domain"], row["clip_count"]) == ("pooled", len(shared))
        assert row["pair_kind"] == ("human_vlm" if b == "labeller" else "human_human")
        assert row["observed_agreement"] == pytest.approx(np.mean([x == y for x, y in zip(left, right, strict=True)]))
        assert row["kappa"] == pytest.approx(cohen_kappa_score(left, right))
        table = np.zeros((9, 9))
        for x, y in zip(left, right, strict=True):
            table[HUMAN_CHOICES.index(x), HUMAN_CHOICES.index(y)] += 1
        oracle = cohens_kappa(table)
        assert (row["kappa_low"], row["kappa_high"]) == pytest.approx((oracle.kappa_low, oracle.kappa_upp), abs=1e-6)
        assert row["interval_method"] == "asymptotic"


def test_the_gap_is_that_of_the_means_over_all_pairs(library: Library) -> None:
    _plant_ratings(library, _random_ratings(7, 40))
    rows = library.query("from rater_agreement")
    human = np.mean([row["kappa"] for row in rows if row["pair_kind"] == "human_human"])
    vlm = np.mean([row["kappa"] for row in rows if row["pair_kind"] == "human_vlm"])
    assert len(rows) == 6
    for row in rows:
        assert (row["human_human_mean"], row["human_vlm_mean"]) == pytest.approx((human, vlm))
        assert row["kappa_gap"] == pytest.approx(abs(human - vlm))


def test_raters_who_use_one_label_only_have_no_kappa(library: Library) -> None:
    _plant_ratings(library, {rater: {"movie-1": "fear", "movie-2": "fear"} for rater in ("anna", "ben")})
    (row,) = library.query("from rater_agreement")
    assert (row["observed_agreement"], row["expected_agreement"]) == (1.0, 1.0)
    assert (row["kappa"], row["kappa_low"], row["kappa_high"]) == (None, None, None)
    assert (row["human_human_mean"], row["human_vlm_mean"], row["kappa_gap"]) == (None, None, None)


def test_perfect_agreement_is_one_without_width(library: Library) -> None:
    choices = {"movie-1": "fear", "movie-2": "awe", "movie-3": "awe"}
    _plant_ratings(library, {"anna": choices, "ben": choices})
    (row,) = library.query("from rater_agreement")
    assert (row["kappa"], row["kappa_low"], row["kappa_high"]) == pytest.approx((1, 1, 1))


def test_raters_without_a_common_label_are_compared_too(library: Library) -> None:
    _plant_ratings(library, {"anna": {"movie-1": "fear"}, "ben": {"movie-1": "awe"}})
    (row,) = library.query("from rater_agreement")
    assert (row["observed_agreement"], row["expected_agreement"], row["kappa"]) == (0, 0, 0)


def test_two_models_are_no_pair(library: Library) -> None:
    library.plant(
        "validation_ratings",
        [
            {"domain": "movie", "clip_id": "movie-1", "rater_id": rater, "rater_kind": "vlm", "label": "fear"}
            for rater in ("labeller-1", "labeller-2")
        ],
    )
    assert library.query("from rater_agreement") == []


def test_a_domain_takes_its_pairs_and_intervals_from_the_table(library: Library) -> None:
    pair = {"domain": "sticker", "rater_a": "anna", "clip_count": 20, "kappa_low": 0.2, "kappa_high": 0.8}
    library.plant(
        "kappa_validation",
        [
            pair | {"rater_b": "ben", "pair_kind": "human_human", "kappa": 0.5},
            pair | {"rater_b": "cleo", "pair_kind": "human_human", "kappa": 0.7},
            pair | {"rater_b": "labeller", "pair_kind": "human_vlm", "kappa": 0.55},
            # A pair without a kappa stays visible and out of the mean.
            pair | {"rater_b": "nobody", "pair_kind": "human_vlm", "kappa": None},
        ],
    )
    rows = library.query("from rater_agreement")
    assert [(row["rater_b"], row["kappa"]) for row in rows] == [
        ("ben", 0.5),
        ("cleo", 0.7),
        ("labeller", 0.55),
        ("nobody", None),
    ]
    assert {(row["domain"], row["kappa_low"], row["kappa_high"], row["interval_method"]) for row in rows} == {
        ("sticker", 0.2, 0.8, "bootstrap")
    }
    assert [row["kappa_gap"] for row in rows] == pytest.approx([0.05] * 4)


def test_domains_do_not_mix_their_means(library: Library) -> None:
    pair = {"rater_a": "anna", "rater_b": "ben", "pair_kind": "human_human"}
    library.plant(
        "kappa_validation", [pair | {"domain": "movie", "kappa": 0.2}, pair | {"domain": "sticker", "kappa": 0.6}]
    )
    rows = library.query("from rater_agreement")
    assert [(row["domain"], row["human_human_mean"]) for row in rows] == [("movie", 0.2), ("sticker", 0.6)]
