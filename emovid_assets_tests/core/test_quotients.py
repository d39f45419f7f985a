"""Quotients that may be undefined."""

import numpy as np
import pytest

from emovid_assets.core.statistics.quotients import number, quotient


def test_a_quotient_is_undefined_where_nothing_positive_divides() -> None:
    found = quotient([6, 1, 0, -1, 3], [4, 0, 0, 0, -2])
    assert found == pytest.approx([1.5, *[np.nan] * 4], nan_ok=True)


def test_one_number_divides_them_all_and_no_number_is_null() -> None:
    assert quotient([1, 2], 4).tolist() == [0.25, 0.5]
    assert (number(quotient(3, 4)), number(quotient(3, 0))) == (0.75, None)
