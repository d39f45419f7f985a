"""How each person answers beside the others: small cases by hand, random ones recounted."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score, confusion_matrix, precision_score, recall_score

from emovid_assets.core.annotator_quality import annotator_choices, annotator_confusion, annotator_quality, majority_of
from emovid_assets.core.emotions import HUMAN_CHOICES, VERIFY_CHOICES

PEOPLE = ("ann", "bob", "cem", "dan")
few_labels = st.sampled_from(["fear", "awe", "no_specific_emotion"])
tables = st.lists(st.dictionaries(st.sampled_from(PEOPLE), few_labels, min_size=1), min_size=1, max_size=15)


def annotations_of(table, purpose="label", lead_time_s=None):
    """Rows from one {person: label} a clip."""
    return [
        {
            "clip_id": f"movie-{n:03d}",
            "domain": "movie",
            "purpose": purpose,
            "annotator_id": person,
            "label": label,
            "lead_time_s": lead_time_s,
        }
        for n, answers in enumerate(table)
        for person, label in answers.items()
    ]


def compared(table, person):
    """(majority of the others, own label), recounted."""
    pairs = []
    for answers in table:
        others = Counter(label for name, label in answers.items() if name != person).most_common()
        if person in answers and others and others[0][1] > 1 and (len(others) == 1 or others[0][1] > others[1][1]):
            pairs.append((others[0][0], answers[person]))
    return pairs


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], None),
        (["awe"], None),
        (["awe", "fear"], None),
        (["awe", "awe"], "awe"),
        (["awe", "awe", "fear"], "awe"),
        (["awe", "awe", "fear", "fear"], None),
        (["no_specific_emotion"] * 2, "no_specific_emotion"),
        (["reject", "reject", "accept"], "reject"),
    ],
)
def test_a_majority_is_two_people_or_more_without_a_tie(labels, expected):
    assert majority_of(labels) == expected


def test_a_person_is_compared_with_the_others_not_with_a_majority_that_includes_the_person():
    table = [
        {"ann": "awe", "bob": "awe", "cem": "fear"},  # only cem faces two others who agree
        {"ann": "fear", "bob": "fear", "cem": "fear"},
        {"ann": "anger", "bob": "fear", "cem": "awe"},
    ]
    rows = {row["annotator_id"]: row for row in annotator_quality(annotations_of(table), domain="movie")}
    counts = {name: (row["answer_count"], row["compared_count"], row["agree_count"]) for name, row in rows.items()}
    assert counts == {"ann": (3, 1, 1), "bob": (3, 1, 1), "cem": (3, 2, 1)}
    assert (rows["ann"]["agreement"], rows["cem"]["agreement"]) == (1.0, 0.5)


@settings(max_examples=60)
@given(tables)
def test_agreement_and_kappa_with_the_others_are_those_of_a_recount(table):
    for row in annotator_quality(annotations_of(table), domain="movie", resamples=30):
        pairs = compared(table, row["annotator_id"])
        assert row["answer_count"] == sum(row["annotator_id"] in answers for answers in table)
        assert row["compared_count"] == len(pairs)
        if not pairs:
            assert (row["agreement"], row["kappa"]) == (None, None)
            continue
        majority, own = zip(*pairs, strict=True)
        assert row["agreement"] == sum(x == y for x, y in pairs) / len(pairs)
        if len({*majority, *own}) == 1:
            assert (row["kappa"], row["kappa_low"], row["kappa_high"]) == (None, None, None)
        else:
            assert row["kappa"] == pytest.approx(cohen_kappa_score(majority, own), abs=1e-9)


@settings(max_examples=60)
@given(tables)
def test_recall_precision_and_confusion_are_those_of_scikit_learn(table):
    annotations = annotations_of(table)
    cells = {
        (row["annotator_id"], row["majority_label"], row["label"]): row["clip_count"]
        for row in annotator_confusion(annotations, domain="movie")
    }
    for row in annotator_choices(annotations, domain="movie"):
        pairs = compared(table, row["annotator_id"])
        majority, own = ([pair[side] for pair in pairs] for side in (0, 1))
        assert row["majority_count"] == majority.count(row["label"])
        assert row["compared_answer_count"] == own.count(row["label"])
        for name, score, whole in (("recall", recall_score, majority), ("precision", precision_score, own)):
            if row["label"] in whole:
                expected = score(majority, own, labels=[row["label"]], average="macro", zero_division=0)
                assert row[name] == pytest.approx(expected)
            else:
                assert row[name] is None
    for person in PEOPLE:
        pairs = compared(table, person)
        if pairs:
            majority, own = zip(*pairs, strict=True)
            matrix = confusion_matrix(majority, own, labels=list(HUMAN_CHOICES))
            found = [[cells.get((person, row, column), 0) for column in HUMAN_CHOICES] for row in HUMAN_CHOICES]
            assert found == matrix.tolist()
        else:
            assert not any(key[0] == person for key in cells)


@settings(max_examples=60)
@given(tables)
def test_bias_is_the_share_beyond_the_others_and_sums_to_zero(table):
    rows = annotator_choices(annotations_of(table), domain="movie")
    for person in {row["annotator_id"] for row in rows}:
        own = [row for row in rows if row["annotator_id"] == person]
        assert [row["label"] for row in own] == list(HUMAN_CHOICES)
        shared = [answers for answers in table if person in answers and len(answers) > 1]
        assert {row["shared_clip_count"] for row in own} == {len(shared)}
        for row in own:
            if not shared:
                assert (row["answer_share"], row["others_share"], row["bias"]) == (None, None, None)
                continue
            others = [[x for name, x in answers.items() if name != person] for answers in shared]
            expected = sum(labels.count(row["label"]) / len(labels) for labels in others) / len(shared)
            assert row["others_share"] == pytest.approx(expected)
            assert row["answer_share"] == sum(answers[person] == row["label"] for answers in shared) / len(shared)
        assert sum(row["bias"] or 0 for row in own) == pytest.approx(0, abs=1e-9)


def test_two_people_who_always_differ_are_biased_to_opposite_sides():
    rows = annotator_choices(annotations_of([{"ann": "awe", "bob": "fear"}] * 4), domain="movie")
    bias = {(row["annotator_id"], row["label"]): row["bias"] for row in rows if row["bias"]}
    assert bias == {("ann", "awe"): 1, ("ann", "fear"): -1, ("bob", "awe"): -1, ("bob", "fear"): 1}


def test_the_median_time_is_over_the_answers_that_have_one():
    rows = [
        {**annotations_of([{"ann": "awe"}])[0], "clip_id": f"movie-{n}", "lead_time_s": seconds}
        for n, seconds in enumerate([4.0, None, 10.0, 3.0])
    ]
    (row,) = annotator_quality(rows, domain="movie")
    assert (row["answer_count"], row["timed_answer_count"], row["lead_time_median_s"]) == (4, 3, 4.0)


def test_verifications_have_their_own_choices_and_purposes_do_not_mix():
    verified = annotations_of([{"ann": "accept", "bob": "reject", "cem": "reject"}], "verify")
    labelled = annotations_of([{"ann": "awe", "bob": "awe"}])
    rows = annotator_quality(verified + labelled, domain="sticker")
    assert [(row["annotator_id"], row["purpose"], row["compared_count"]) for row in rows] == [
        ("ann", "label", 0),
        ("ann", "verify", 1),
        ("bob", "label", 0),
        ("bob", "verify", 0),
        ("cem", "verify", 0),
    ]
    choices = annotator_choices(verified, domain="sticker")
    assert [row["label"] for row in choices if row["annotator_id"] == "ann"] == list(VERIFY_CHOICES)
    (cell,) = annotator_confusion(verified, domain="sticker")
    assert (cell["annotator_id"], cell["majority_label"], cell["label"]) == ("ann", "reject", "accept")


def excesses(table):
    """Person → of each clip with three answers: alone against two who agree, less the share of the others who are."""
    found = {}
    for answers in table:
        if len(answers) < 3:
            continue
        alone = {
            name: bool(pairs) and pairs[0][0] != pairs[0][1]
            for name in answers
            for pairs in [compared([answers], name)]
        }
        for name, is_alone in alone.items():
            others = [alone[other] for other in answers if other != name]
            found.setdefault(name, []).append(is_alone - sum(others) / len(others))
    return found


def random_table(seed, count, careless=None):
    chance = random.Random(seed)
    table = []
    for _ in range(count):
        truth = chance.choice(HUMAN_CHOICES[:8])
        rate = {name: 0.7 if name == careless else 0.25 for name in PEOPLE[:3]}
        table.append({name: chance.choice(HUMAN_CHOICES) if chance.random() < rate[name] else truth for name in rate})
    return table


def test_a_deviation_is_judged_as_by_a_t_test_of_scipy_where_each_source_has_one_clip():
    table = random_table(1, 40)
    expected = excesses(table)
    for row in annotator_quality(annotations_of(table), domain="movie", resamples=2):
        values = expected[row["annotator_id"]]
        assert row["deviation"] == pytest.approx(np.mean(values))
        test = stats.ttest_1samp(values, 0, alternative="greater")
        assert row["deviation_p_value"] == pytest.approx(test.pvalue, rel=1e-9)
    assert sum(np.sum(values) for values in expected.values()) == pytest.approx(0, abs=1e-9)


def test_somebody_who_answers_carelessly_deviates_and_the_others_do_not():
    rows = annotator_quality(annotations_of(random_table(2, 120, careless="bob")), domain="movie", resamples=2)
    p_values = {row["annotator_id"]: row["deviation_p_value"] for row in rows}
    assert p_values["bob"] < 1e-4
    assert min(p_values["ann"], p_values["cem"]) > 0.5


def test_clips_of_few_sources_accuse_nobody_and_two_answers_are_no_majority_to_stand_against():
    table = random_table(3, 60, careless="bob")
    rows = annotations_of(table)
    for number, row in enumerate(rows):
        row["clip_id"] = f"movie-{number // 3 % 7}-{number // 3:08d}-{number // 3 + 1:08d}"
    found = annotator_quality(rows, domain="movie", resamples=2)
    assert all(row["deviation"] is not None and row["deviation_p_value"] is None for row in found)
    assert all(row["kappa"] is not None and row["kappa_low"] is None for row in found)
    pairs = annotator_quality(annotations_of([{"ann": "awe", "bob": "fear"}] * 20), domain="movie")
    assert all(row["deviation"] is None for row in pairs)


def test_who_is_never_alone_does_not_deviate():
    (row, *_) = annotator_quality(annotations_of([dict.fromkeys(PEOPLE[:3], "awe")] * 10), domain="movie")
    assert (row["deviation"], row["deviation_p_value"]) == (0, 1)


def test_no_answers_give_no_rows():
    assert annotator_quality([], domain="movie") == []
    assert annotator_choices([], domain="movie") == []
    assert annotator_confusion([], domain="movie") == []
