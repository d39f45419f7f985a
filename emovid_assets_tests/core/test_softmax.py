"""From logarithms to probabilities, against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from emovid_assets.core.statistics.softmax import log_softmax, softmax
from emovid_assets.core.vlm.exchange import LabelAnswer

rows = st.lists(st.lists(st.floats(-1e5, 1e5), min_size=8, max_size=8), min_size=1, max_size=5)


@given(rows, st.floats(0.2, 10))
def test_both_are_those_of_scipy_for_numbers_of_any_size(logarithms, temperature):
    scaled = np.array(logarithms) / temperature
    assert softmax(logarithms, temperature) == pytest.approx(special.softmax(scaled, axis=1), abs=1e-12)
    assert log_softmax(logarithms, temperature) == pytest.approx(special.log_softmax(scaled, axis=1), abs=1e-9)
    assert softmax(logarithms, temperature).sum(axis=1) == pytest.approx(1, abs=1e-12)


def test_a_row_alone_gives_what_it_gives_among_others():
    many = np.random.default_rng(1).normal(0, 9, (50, 8))
    for row, shares, lower in zip(many, softmax(many), log_softmax(many), strict=True):
        assert softmax(row).tolist() == shares.tolist()
        assert log_softmax(row).tolist() == lower.tolist()


def test_an_answer_gives_the_probability_of_each_emotion_by_name():
    answer = LabelAnswer(log_softmax([0, 1, 2, 3, 4, 5, 6, 7]).tolist(), [0.0])
    shares = answer.probabilities(2.0)
    assert list(shares)[:2] == ["amusement", "awe"]
    assert shares["sadness"] / shares["fear"] == pytest.approx(np.exp(0.5))
