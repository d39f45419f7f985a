"""Labellers and people on the same clips, judged by scikit-learn and by counting."""

import random
import time
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from emovid_assets.core.annotator_quality import majority_of
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES, NO_SPECIFIC_EMOTION
from emovid_assets.core.labeller_comparison import accuracy_gain, labeller_comparison

PEOPLE = ("ada", "bo", "cy")


def row(clip_id, rater, kind, label, majority, others=None, shares=None, **more):
    return {
        "clip_id": clip_id,
        "domain": clip_id.partition("-")[0],
        "rater_id": rater,
        "rater_kind": kind,
        "label": label,
        "people_majority": majority,
        "others_majority": others,
        **{f"p_{name}": None if shares is None else shares[name] for name in EMOTION_NAMES},
        "model_s": None,
        "prompt_token_count": None,
        **more,
    }


def answers(count=60, seed=0, *, models=("tuned", "plain"), people=PEOPLE):
    """Three people who agree more or less, and models that are right sometimes and say how sure they are."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        clip_id = f"{('movie', 'sticker')[number % 2]}-{number:03d}"
        truth = chance.choice(EMOTION_NAMES)
        given = {name: truth if chance.random() < 0.7 else chance.choice(HUMAN_CHOICES) for name in people}
        majority = majority_of(given.values())
        if majority is None:
            continue
        for name, label in given.items():
            others = majority_of([other for person, other in given.items() if person != name])
            rows.append(row(clip_id, name, "person", label, majority, others))
        for model in models:
            raw = [chance.random() ** 3 for _ in EMOTION_NAMES]
            shares = dict(zip(EMOTION_NAMES, (value / sum(raw) for value in raw), strict=True))
            kind = {"tuned": "fine_tuned", "plain": "zero_shot"}[model]
            best = max(shares, key=shares.__getitem__)
            seconds = {"model_s": 0.25, "prompt_token_count": 100 + number}
            rows.append(row(clip_id, model, kind, best, majority, shares=shares, **seconds))
    return rows


def found(rows, scope, truth, rater):
    (one,) = [r for r in rows if (r["scope"], r["truth"], r["rater_id"]) == (scope, truth, rater)]
    return one


def test_a_model_is_measured_as_scikit_learn_measures_it():
    given = answers(200)
    one = found(labeller_comparison(given), "total", "majority", "tuned")
    pairs = [
        (r["people_majority"], r["label"])
        for r in given
        if r["rater_id"] == "tuned" and r["people_majority"] != NO_SPECIFIC_EMOTION
    ]
    truth, label = zip(*pairs, strict=True)
    assert one["clip_count"] == one["pair_count"] == len(pairs)
    assert one["accuracy"] == pytest.approx(accuracy_score(truth, label))
    assert one["macro_f1"] == pytest.approx(f1_score(truth, label, average="macro", labels=sorted(set(truth))))
    assert one["kappa"] == pytest.approx(cohen_kappa_score(truth, label, labels=HUMAN_CHOICES))
    p = np.array(
        [
            [r[f"p_{name}"] for name in EMOTION_NAMES]
            for r in given
            if r["rater_id"] == "tuned" and r["people_majority"] != NO_SPECIFIC_EMOTION
        ]
    )
    right = p[np.arange(len(p)), [EMOTION_NAMES.index(name) for name in truth]]
    assert one["nll"] == pytest.approx(-np.log(np.maximum(right, 1e-4)).mean())
    assert one["brier"] == pytest.approx(((p**2).sum(axis=1) - 2 * right + 1).mean())
    assert 0 <= one["ece"] <= 1
    assert one["model_s_per_clip"] == 0.25
    assert 100 < one["prompt_tokens_per_clip"] < 300


def test_a_person_is_measured_against_the_majority_of_the_others():
    given = answers(200, 1)
    rows = labeller_comparison(given)
    for name in PEOPLE:
        one = found(rows, "total", "others", name)
        pairs = [
            (r["others_majority"], r["label"])
            for r in given
            if r["rater_id"] == name and r["others_majority"] in EMOTION_NAMES
        ]
        truth, label = zip(*pairs, strict=True)
        assert one["clip_count"] == one["pair_count"] == len(pairs)
        assert one["accuracy"] == pytest.approx(accuracy_score(truth, label))
        assert one["kappa"] == pytest.approx(cohen_kappa_score(truth, label, labels=HUMAN_CHOICES))
        assert one["ece"] is one["nll"] is one["brier"] is one["model_s_per_clip"] is None


def test_models_and_all_people_are_held_against_the_very_same_pairs():
    given = answers(150, 2)
    rows = labeller_comparison(given)
    pairs = Counter(
        (r["clip_id"], r["others_majority"])
        for r in given
        if r["rater_kind"] == "person" and r["others_majority"] in EMOTION_NAMES
    )
    for rater in ("people", "tuned", "plain"):
        one = found(rows, "total", "others", rater)
        assert one["pair_count"] == pairs.total()
        assert one["clip_count"] == len({clip_id for clip_id, _ in pairs})
    own = {r["clip_id"]: r["label"] for r in given if r["rater_id"] == "tuned"}
    right = sum(count for (clip_id, truth), count in pairs.items() if own[clip_id] == truth)
    assert found(rows, "total", "others", "tuned")["accuracy"] == pytest.approx(right / pairs.total())


def test_clips_that_one_labeller_did_not_answer_count_for_none():
    given = answers(80, 3)
    missing = {"movie-000", "movie-002", "sticker-001"}
    some = [r for r in given if not (r["rater_id"] == "plain" and r["clip_id"] in missing)]
    without = [r for r in given if r["clip_id"] not in missing]
    assert labeller_comparison(some) == labeller_comparison(without)


def test_people_alone_are_compared_with_each_other():
    rows = labeller_comparison(answers(40, 4, models=()))
    assert {r["rater_kind"] for r in rows} == {"person", "people"}
    assert {r["truth"] for r in rows} == {"others"}


def test_two_people_have_no_majority_of_others_but_models_are_judged():
    given = [r for r in answers(60, 5, people=("ada", "bo")) if r["people_majority"] is not None]
    rows = labeller_comparison(given)
    assert {(r["rater_id"], r["truth"]) for r in rows} == {("tuned", "majority"), ("plain", "majority")}


def test_nothing_gives_nothing():
    assert labeller_comparison([]) == []
    assert accuracy_gain([], "a", "b") is None


def test_each_domain_has_its_own_rows_and_the_pool_holds_them_all():
    given = answers(90, 6)
    rows = labeller_comparison(given)
    sizes = {scope: found(rows, scope, "majority", "plain")["clip_count"] for scope in ("movie", "sticker", "total")}
    assert sizes["movie"] + sizes["sticker"] == sizes["total"]
    assert not any(r["scope"] == "animation" for r in rows)


def test_the_interval_is_that_of_resampled_clips():
    given = answers(120, 7)
    one = found(labeller_comparison(given, resamples=4000), "total", "majority", "tuned")
    right = np.array(
        [
            r["label"] == r["people_majority"]
            for r in given
            if r["rater_id"] == "tuned" and r["people_majority"] != NO_SPECIFIC_EMOTION
        ]
    )
    drawn = np.random.default_rng(1).choice(right, (4000, len(right))).mean(axis=1)
    assert one["accuracy_low"] == pytest.approx(np.quantile(drawn, 0.025), abs=0.02)
    assert one["accuracy_high"] == pytest.approx(np.quantile(drawn, 0.975), abs=0.02)
    for name in ("macro_f1", "kappa"):
        assert one[f"{name}_low"] < one[name] < one[f"{name}_high"]


def test_the_gain_of_one_labeller_over_another_is_taken_clip_by_clip():
    given = answers(100, 8)
    gain, interval, count = accuracy_gain(given, "tuned", "plain")
    rows = labeller_comparison(given)
    tuned, plain = (found(rows, "total", "majority", name) for name in ("tuned", "plain"))
    assert count == tuned["clip_count"]
    assert gain == pytest.approx(tuned["accuracy"] - plain["accuracy"])
    assert interval[0] < gain < interval[1]
    assert accuracy_gain(given, "tuned", "nobody") is None


def test_the_papers_validation_set_is_compared_in_a_moment():
    given = answers(228, 9)
    start = time.process_time()
    labeller_comparison(given)
    assert time.process_time() - start < 5
