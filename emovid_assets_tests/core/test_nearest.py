"""The nearest, against a stable sort of everything."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.nearest import nearest


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 30), st.sampled_from([2, 5, 1000]))
def test_the_nearest_are_those_of_a_stable_sort_however_many_are_equally_near(
    seed: int, columns: int, count: int, different: int
) -> None:
    distances = np.random.default_rng(seed).integers(0, different, (7, columns)).astype(float)
    distances[distances == different - 1] = np.inf
    expected = np.argsort(distances, axis=1, kind="stable")[:, :count]
    assert nearest(distances, count).tolist() == expected.tolist()


def test_of_nothing_nothing_is_near() -> None:
    assert nearest(np.zeros((0, 5)), 3).shape == (0, 3)
