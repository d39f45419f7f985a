"""Agreement of pairs of raters against scikit-learn and published values."""

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss_kappa

from emovid_assets.core.agreement import (
    LESS,
    MORE,
    cohen_kappa,
    direction_of,
    human_agreement,
    kappa_gap,
    pairwise_kappa,
)
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets_tests.core.rating_tables import noisy_table, ratings_of

labels = st.sampled_from(HUMAN_CHOICES)
two_raters = st.lists(st.tuples(labels, labels), min_size=1, max_size=40)


@settings(deadline=None)
@given(two_raters)
def test_cohens_kappa_is_that_of_scikit_learn(pairs):
    a, b = map(list, zip(*pairs, strict=True))
    result = cohen_kappa(a, b)
    assert result.n == len(a)
    assert result.observed == pytest.approx(np.mean([x == y for x, y in pairs]))
    if result.kappa is None:
        assert len(set(a) | set(b)) == 1
    else:
        assert result.kappa == pytest.approx(cohen_kappa_score(a, b, labels=list(HUMAN_CHOICES)), abs=1e-12)
        assert result.kappa == pytest.approx((result.observed - result.expected) / (1 - result.expected), abs=1e-9)


@settings(deadline=None)
@given(two_raters, st.permutations(HUMAN_CHOICES), st.randoms())
def test_kappa_is_bounded_symmetric_and_blind_to_names_and_order(pairs, renamed, random):
    a, b = map(list, zip(*pairs, strict=True))
    result = cohen_kappa(a, b)
    assert result.kappa is None or -1 <= result.kappa <= 1
    assert cohen_kappa(b, a) == result
    names = dict(zip(HUMAN_CHOICES, renamed, strict=True))
    assert cohen_kappa([names[x] for x in a], [names[x] for x in b]) == result
    random.shuffle(pairs)
    assert cohen_kappa(*map(list, zip(*pairs, strict=True))) == result


@settings(deadline=None)
@given(st.lists(labels, min_size=1))
def test_perfect_agreement_is_one_and_undefined_with_a_single_category(a):
    assert cohen_kappa(a, a).kappa == (None if len(set(a)) == 1 else 1.0)


def test_a_rater_who_always_says_the_same_agrees_by_chance_only():
    assert cohen_kappa(["fear"] * 4, ["fear", "fear", "awe", "anger"]).kappa == 0.0
    assert cohen_kappa(["fear"] * 4, ["awe"] * 4).kappa == 0.0


def test_a_worked_example_of_kappa():
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p_o = 0.7, p_e = 0.5, kappa = 0.4.
    a = ["y"] * 25 + ["n"] * 25
    b = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    result = cohen_kappa(a, b, labels=("y", "n"))
    assert (result.n, result.observed, result.expected, result.kappa) == (50, 0.7, 0.5, pytest.approx(0.4))


@pytest.mark.parametrize(("a", "b"), [([], []), (["awe"], []), (["awe"], ["joy"])])
def test_kappa_refuses_what_cannot_be_compared(a, b):
    with pytest.raises(ValueError, match=r"same items|not among"):
        cohen_kappa(a, b)


def test_every_pair_gets_a_row_with_its_kind_and_an_interval_around_kappa():
    table = noisy_table(120)
    rows = pairwise_kappa(ratings_of(table))
    assert [(row["rater_a"], row["rater_b"], row["pair_kind"]) for row in rows] == [
        ("ann", "bob", "human_human"),
        ("ann", "cem", "human_human"),
        ("ann", "vlm", "human_vlm"),
        ("bob", "cem", "human_human"),
        ("bob", "vlm", "human_vlm"),
        ("cem", "vlm", "human_vlm"),
    ]
    for row in rows:
        a, b = table[row["rater_a"]], table[row["rater_b"]]
        assert row["clip_count"] == 120
        assert row["kappa"] == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)
        assert -1 <= row["kappa_low"] < row["kappa"] < row["kappa_high"] <= 1


def test_the_interval_is_that_of_a_plain_bootstrap_with_scikit_learn():
    table = noisy_table(60, raters=("ann", "bob"))
    (row,) = pairwise_kappa(ratings_of(table), resamples=4000)
    random = np.random.default_rng(5)
    a, b = np.array(table["ann"]), np.array(table["bob"])
    plain = []
    for _ in range(600):
        drawn = random.integers(60, size=60)
        plain.append(cohen_kappa_score(a[drawn], b[drawn]))
    # 60 sources instead of endlessly many: a little wider than the percentiles.
    assert [row["kappa_low"], row["kappa_high"]] == pytest.approx(np.quantile(plain, [0.0217, 0.9783]), abs=0.03)


def test_six_pairs_over_the_papers_validation_set_take_under_a_second():
    ratings = ratings_of(noisy_table(228))
    begin = time.perf_counter()
    assert len(pairwise_kappa(ratings, resamples=1000)) == 6
    assert time.perf_counter() - begin < 1


def test_the_interval_depends_on_the_seed_only():
    ratings = ratings_of(noisy_table(40))
    first = pairwise_kappa(ratings, seed="one")
    assert pairwise_kappa(list(reversed(ratings)), seed="one") == first
    assert pairwise_kappa(ratings, seed="two") != first


def test_pairs_are_compared_over_their_common_clips_and_left_out_without_any():
    rows = pairwise_kappa(
        ratings_of({"ann": ["fear", "awe", None], "bob": ["fear", "awe", "awe"], "cem": [None, None, "awe"]})
    )
    assert [(row["rater_a"], row["rater_b"], row["clip_count"], row["kappa"]) for row in rows] == [
        ("ann", "bob", 2, 1.0),
        ("bob", "cem", 1, None),
    ]


def test_kappa_and_interval_are_null_where_both_always_say_the_same():
    (row,) = pairwise_kappa(ratings_of({"ann": ["fear"] * 5, "bob": ["fear"] * 5}))
    assert (row["kappa"], row["kappa_low"], row["kappa_high"]) == (None, None, None)
    assert (row["observed_agreement"], row["expected_agreement"]) == (1.0, 1.0)


def test_no_ratings_give_no_pairs_and_no_gap():
    assert pairwise_kappa([]) == []
    assert kappa_gap([]) is None


def test_two_models_are_not_compared():
    ratings = [{**row, "rater_kind": "vlm"} for row in ratings_of({"m1": ["awe", "fear"], "m2": ["awe", "fear"]})]
    assert pairwise_kappa(ratings) == []


def test_ratings_that_make_no_sense_are_refused():
    ratings = ratings_of({"ann": ["awe", "fear"]})
    with pytest.raises(ValueError, match="both human and VLM"):
        pairwise_kappa([*ratings, {**ratings[0], "rater_kind": "vlm"}])
    with pytest.raises(ValueError, match="no label"):
        pairwise_kappa([{**ratings[0], "label": "joy"}])


def pooled_by_hand(pairs, *, is_ordered):
    """Kappa of all pairs of answers to one clip: the share of equal ones, chance from all answers in them."""
    both = pairs if is_ordered else [*pairs, *((y, x) for x, y in pairs)]
    return cohen_kappa_score(*zip(*both, strict=True), labels=list(HUMAN_CHOICES))


# Some clips have two answers, some three and one none; the raters share different numbers of clips.
UNEVEN = {
    "ann": ["awe", "fear", "fear", "awe", None, "anger", "fear", None],
    "bob": ["awe", "fear", "awe", None, "awe", "anger", None, None],
    "cem": ["awe", "awe", "fear", "fear", "awe", None, None, None],
    "vlm": ["awe", "fear", "fear", "fear", "anger", "anger", "fear", "awe"],
}


def test_the_gap_is_that_of_kappas_over_all_pairs_of_answers_at_once():
    units = list(zip(*UNEVEN.values(), strict=True))
    people = [pair for *humans, _ in units for pair in combinations([one for one in humans if one], 2)]
    with_model = [(one, model) for *humans, model in units for one in humans if one]
    gap = kappa_gap(ratings_of(UNEVEN))
    assert gap.human_human == pytest.approx(pooled_by_hand(people, is_ordered=False), abs=1e-12)
    assert gap.human_vlm == pytest.approx(pooled_by_hand(with_model, is_ordered=True), abs=1e-12)
    assert gap.gap == pytest.approx(abs(gap.human_human - gap.human_vlm))
    assert gap.direction == direction_of(gap.human_human, gap.human_vlm)


def test_the_pooled_kappa_of_people_is_fleiss_where_clips_have_equally_many_ratings():
    table = noisy_table(60)
    counts = [[unit.count(name) for name in HUMAN_CHOICES] for unit in zip(*list(table.values())[:3], strict=True)]
    used = np.array(counts)[:, np.sum(counts, axis=0) > 0]
    assert kappa_gap(ratings_of(table)).human_human == pytest.approx(statsmodels_fleiss_kappa(used), abs=1e-12)


def test_the_names_of_people_do_not_move_the_gap():
    names = dict(zip(("ann", "bob", "cem", "vlm"), ("zoe", "ann", "mia", "vlm"), strict=True))
    renamed = kappa_gap(ratings_of({names[rater]: labels for rater, labels in UNEVEN.items()}))
    assert renamed == kappa_gap(ratings_of(UNEVEN))


def test_the_gap_says_who_agrees_more():
    people = noisy_table(200, raters=("ann", "bob", "cem"), noise=0.4)
    truth = noisy_table(200, raters=("vlm",), noise=0.0)
    guesses = noisy_table(200, raters=("vlm",), noise=0.9, seed=5)
    assert kappa_gap(ratings_of(people | truth)).direction == MORE
    assert kappa_gap(ratings_of(people | guesses)).direction == LESS
    assert kappa_gap(ratings_of(people)) is None


def test_the_humans_agreement_leaves_the_model_and_lonely_ratings_out():
    table = {
        "ann": ["awe", "fear", "fear", "awe", "awe"],
        "bob": ["awe", "fear", "awe", "fear", None],
        "cem": ["awe", "fear", "fear", None, None],
        "vlm": ["anger"] * 5,
    }
    result = human_agreement(ratings_of(table))
    assert (result.fleiss_clip_count, result.krippendorff_clip_count) == (3, 4)
    # Of the three clips with three ratings: 14 of 18 ordered pairs agree, 41 of 81 by chance.
    assert result.fleiss_kappa == pytest.approx((14 / 18 - 41 / 81) / (1 - 41 / 81))
    # Four unequal pairs (two of them of a clip with three ratings, halved), 60 of 110 by chance.
    assert result.krippendorff_alpha == pytest.approx(1 - (4 / 11) / (60 / 110))


def test_without_humans_there_is_no_human_agreement():
    result = human_agreement(ratings_of({"vlm": ["awe", "fear"]}))
    assert (result.fleiss_kappa, result.krippendorff_alpha) == (None, None)
    assert (result.fleiss_clip_count, result.krippendorff_clip_count) == (0, 0)
