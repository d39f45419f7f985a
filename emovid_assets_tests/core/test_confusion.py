"""What follows from a table of answers, against scikit-learn, for one table and for many resamples of it."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from emovid_assets.core.source_draws import SourceDraws
from emovid_assets.core.statistics.confusion import (
    accuracy,
    cohen_kappa,
    confusion,
    expected_agreement,
    macro_f1,
    resampled_confusion,
)

CLASSES = 5
answers = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=40)


def kappa_of_scikit_learn(first, second):
    with warnings.catch_warnings():
        # It divides by zero where chance explains everything, and says so.
        warnings.simplefilter("ignore")
        return metrics.cohen_kappa_score(first, second, labels=range(CLASSES))


def f1_of_scikit_learn(truth, given_answers):
    classes = sorted(set(truth.tolist()))
    return metrics.f1_score(truth, given_answers, labels=classes, average="macro", zero_division=0)


@settings(deadline=None)
@given(answers)
def test_every_formula_is_that_of_scikit_learn(pairs):
    first, second = np.array(pairs).T
    table = confusion(first, second, CLASSES)
    assert table.tolist() == metrics.confusion_matrix(first, second, labels=range(CLASSES)).tolist()
    assert accuracy(table) == pytest.approx(metrics.accuracy_score(first, second))
    assert macro_f1(table) == pytest.approx(f1_of_scikit_learn(first, second))
    if len(set(first.tolist()) | set(second.tolist())) == 1:
        assert np.isnan(cohen_kappa(table))
        assert expected_agreement(table) == 1
    else:
        assert cohen_kappa(table) == pytest.approx(kappa_of_scikit_learn(first, second), abs=1e-12)
        share = (accuracy(table) - expected_agreement(table)) / (1 - expected_agreement(table))
        assert cohen_kappa(table) == pytest.approx(share, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(answers, st.data())
def test_a_resample_is_a_table_of_the_items_that_it_drew(pairs, data):
    first, second = np.array(pairs).T
    draws = st.lists(st.integers(0, len(pairs) - 1), min_size=len(pairs), max_size=len(pairs))
    drawn = data.draw(st.lists(draws, min_size=1, max_size=4))
    weights = np.array([np.bincount(one, minlength=len(pairs)) for one in drawn], np.float64)
    places = np.arange(len(pairs))
    tables = resampled_confusion(first, second, CLASSES, SourceDraws(weights, places), places)
    for one, table, kappa, f1 in zip(drawn, tables, cohen_kappa(tables), macro_f1(tables), strict=True):
        assert table.tolist() == confusion(first[one], second[one], CLASSES).tolist()
        assert kappa == pytest.approx(cohen_kappa(table), nan_ok=True)
        # Of the classes in the resample: those that it has lost are left out of the mean.
        assert f1 == pytest.approx(f1_of_scikit_learn(first[one], second[one]))


def test_an_answer_that_is_never_true_costs_its_clip_but_is_no_class_of_its_own():
    truth, given_answers = np.array([0, 0, 1]), np.array([0, 2, 1])
    # F1 of class 0: 2 / (2 + 1); of class 1: 1; class 2 is not in the truth.
    assert macro_f1(confusion(truth, given_answers, 3)) == pytest.approx((2 / 3 + 1) / 2)


def test_without_items_nothing_is_defined():
    none = np.zeros((0,), int)
    table = confusion(none, none, CLASSES)
    assert np.isnan([accuracy(table), expected_agreement(table), cohen_kappa(table), macro_f1(table)]).all()


def test_where_chance_explains_everything_is_decided_exactly_also_for_a_million_items():
    million = np.array([[1_000_000, 0], [0, 0]])
    assert np.isnan(cohen_kappa(million))
    assert cohen_kappa(million + np.array([[0, 1], [0, 0]])) == 0
