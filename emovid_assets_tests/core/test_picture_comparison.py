"""Raters on pictures: every number against scikit-learn, SciPy or a count by hand."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES, NO_SPECIFIC_EMOTION
from emovid_assets.core.picture_comparison import Answers, by_scope, confusion_rows, measured
from emovid_assets.core.statistics.wilson import wilson

COUNT = 400


def answer(picture: int, emotion: str, rater: str, label: str, kind: str = "person", **given: Any) -> dict[str, Any]:
    shares = dict.fromkeys(f"p_{name}" for name in EMOTION_NAMES)
    costs = {"seconds": None, "prompt_token_count": None}
    facts = {"picture_id": f"p{picture:04d}", "emotion": emotion, "rater_id": rater, "rater_kind": kind, "label": label}
    return {**facts, **shares, **costs, **given}


def drawn(rater: str = "model", seed: int = 0, count: int = COUNT) -> list[dict[str, Any]]:
    """A model that is somewhat right, with the probabilities that it answers by."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        truth = int(np.random.default_rng(number).integers(8))
        shares = random.dirichlet(np.ones(8) + 3 * (np.arange(8) == truth))
        given = {f"p_{name}": float(share) for name, share in zip(EMOTION_NAMES, shares, strict=True)}
        label = EMOTION_NAMES[int(shares.argmax())]
        cost = {"seconds": 0.5 + number % 2, "prompt_token_count": 100}
        rows.append(answer(number, EMOTION_NAMES[truth], rater, label, "zero_shot", **given, **cost))
    return rows


def test_every_number_is_that_of_scikit_learn() -> None:
    rows = drawn()
    found = measured(Answers.of(rows))
    truth, label = [row["emotion"] for row in rows], [row["label"] for row in rows]
    shares = np.array([[row[f"p_{name}"] for name in EMOTION_NAMES] for row in rows])
    polarity = [[EMOTION_BY_NAME[name].polarity for name in names] for names in (truth, label)]
    one_hot = np.array([[name == one for name in EMOTION_NAMES] for one in truth])
    assert found["picture_count"] == COUNT
    assert found["accuracy_8"] == pytest.approx(metrics.accuracy_score(truth, label))
    assert found["accuracy_2"] == pytest.approx(metrics.accuracy_score(*polarity))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(truth, label, average="macro"))
    columns = [sorted(EMOTION_NAMES).index(name) for name in EMOTION_NAMES]
    in_their_order = shares[:, np.argsort(columns)]
    assert found["nll"] == pytest.approx(metrics.log_loss(truth, in_their_order, labels=sorted(EMOTION_NAMES)))
    assert found["brier"] == pytest.approx(
        sum(metrics.brier_score_loss(one_hot[:, place], shares[:, place]) for place in range(8))
    )
    assert (found["seconds_per_picture"], found["prompt_tokens_per_picture"]) == (1.0, 100.0)
    table = metrics.confusion_matrix(truth, label, labels=EMOTION_NAMES)
    assert {(row["emotion"], row["label"]): row["picture_count"] for row in confusion_rows(Answers.of(rows))} == {
        (EMOTION_NAMES[row], EMOTION_NAMES[column]): table[row, column] for row, column in np.argwhere(table).tolist()
    }


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """Two kinds of pictures: sure and always right, less sure and right half the time."""
    rows = []
    for number in range(80):
        share = 1.0 if number < 40 else 0.8
        given = {f"p_{name}": (1 - share) / 7 for name in EMOTION_NAMES} | {"p_awe": share}
        truth = "awe" if number < 40 or number % 2 else "fear"
        rows.append(answer(number, truth, "model", "awe", "embedded", **given))
    assert measured(Answers.of(rows))["ece"] == pytest.approx(0.5 * abs(0.8 - 0.5))
    assert [(one.clip_count, one.accuracy) for one in Answers.of(rows).bins] == [(40, 0.5), (40, 1.0)]


def test_intervals_of_shares_are_those_of_scipy() -> None:
    found = measured(Answers.of(drawn()))
    for classes in ("8", "2"):
        exact = binomtest(found[f"right_{classes}_count"], COUNT).proportion_ci(method="wilson")
        assert (found[f"accuracy_{classes}_low"], found[f"accuracy_{classes}_high"]) == pytest.approx(tuple(exact))
    assert wilson(0, 0) is None
    for right, count in ((0, 5), (5, 5), (17, 300)):
        assert wilson(right, count) == pytest.approx(tuple(binomtest(right, count).proportion_ci(method="wilson")))


def test_the_interval_of_macro_f1_is_that_of_resampled_pictures() -> None:
    rows = drawn()
    found = measured(Answers.of(rows), resamples=2000)
    random = np.random.default_rng(1)
    truth, label = (np.array([row[name] for row in rows]) for name in ("emotion", "label"))
    scores = [
        metrics.f1_score(truth[place], label[place], average="macro", labels=EMOTION_NAMES)
        for place in random.integers(COUNT, size=(300, COUNT))
    ]
    low, high = np.quantile(scores, [0.025, 0.975])
    assert (found["macro_f1_low"], found["macro_f1_high"]) == pytest.approx((low, high), abs=0.015)
    again = measured(Answers.of(rows), resamples=2000)
    assert again == found, "the same pictures, the same numbers"


def test_models_are_compared_on_what_all_of_them_have_answered() -> None:
    first, second = drawn("first"), drawn("second", seed=1)[10:]
    scopes = by_scope([*first, *second])
    assert {name: len(one.rows) for name, one in scopes["all"].items()} == {"first": COUNT - 10, "second": COUNT - 10}
    assert list(scopes) == ["all"]


def test_people_and_models_are_compared_on_what_people_have_answered() -> None:
    model = drawn(count=4)
    truth = [row["emotion"] for row in model]
    other = "fear" if truth[1] != "fear" else "awe"
    people = [
        answer(0, truth[0], "ann", truth[0]),
        answer(0, truth[0], "bo", truth[0]),
        answer(1, truth[1], "ann", other),
        answer(1, truth[1], "bo", truth[1]),
        answer(2, truth[2], "ann", NO_SPECIFIC_EMOTION),
        answer(9, "awe", "ann", "awe"),
    ]
    scopes = by_scope([*model, *people])
    assert {name: len(one.rows) for name, one in scopes["all"].items()} == {"model": 4}
    on_theirs = scopes["people"]
    assert {name: len(one.rows) for name, one in on_theirs.items()} == {"model": 3, "ann": 3, "bo": 2, "people": 1}
    ann = measured(on_theirs["ann"])
    assert (ann["right_8_count"], ann["picture_count"], ann["ece"], ann["seconds_per_picture"]) == (1, 3, None, None)
    assert ann["right_2_count"] < 3, "no specific emotion has no polarity"
    assert measured(on_theirs["people"])["accuracy_8"] == 1.0, "the one picture on which two agree"


def test_people_alone_are_held_against_the_labels_too() -> None:
    scopes = by_scope([answer(0, "awe", "ann", "awe")])
    assert {scope: list(raters) for scope, raters in scopes.items()} == {"all": [], "people": ["ann"]}
