"""One row per generator that people compared."""

from typing import Any

import numpy as np
import pytest

from emovid_assets.core.generation.preference_results import preference_results
from emovid_assets.core.generation.study_pairs import plan_study
from emovid_assets_tests.generation.studies import answer, side_of, videos
from emovid_assets_tests.sql.conftest import Library

GENERATORS = ("amber", "birch", "cobalt")


def answered(better: dict[str, int]) -> list[dict[str, Any]]:
    """Rows of `preference_results` of three people, of whom the first `better` find a generator the better one."""
    tasks = plan_study(videos(GENERATORS, 36), domain="movie", pair_count=36, check_count=0, seed="seed")
    rows = []
    for place, task in enumerate(tasks):
        first, second = sorted((task["generator_a"], task["generator_b"]), key=better.__getitem__)
        for number in range(3):
            choice = "tie" if place % 6 == 0 else side_of(task, first if (place + number) % 4 == 0 else second)
            rows.append(answer(task, f"p{number}", "quality", choice))
    return preference_results(rows, tasks, resamples=20)


def test_strengths_sum_to_zero_and_differ_as_the_pairs_do(library: Library) -> None:
    rows = answered({"amber": 1, "birch": 0, "cobalt": 2})
    library.plant("preference_results", rows)
    found = {row["generator"]: row for row in library.query("from preference_strengths") if row["scope"] == "movie"}
    strengths = {name: row["strength"] for name, row in found.items()}
    assert sum(strengths.values()) == pytest.approx(0, abs=1e-9)
    for row in rows:
        if row["scope"] == "movie":
            difference = strengths[row["generator_b"]] - strengths[row["generator_a"]]
            assert difference == pytest.approx(row["strength"], abs=1e-6)
    assert {name: row["strength_rank"] for name, row in found.items()} == {"cobalt": 1, "amber": 2, "birch": 3}
    of_amber = [row for row in rows if row["scope"] == "movie" and "amber" in (row["generator_a"], row["generator_b"])]
    preferred = sum(
        row["prefers_a_count"] if row["generator_a"] == "amber" else row["prefers_b_count"] for row in of_amber
    )
    assert found["amber"]["preferred_count"] == preferred
    ties = sum(row["tie_count"] for row in of_amber)
    share = (preferred + ties / 2) / (preferred + ties + found["amber"]["other_count"])
    assert found["amber"]["preferred_share"] == pytest.approx(share)
    assert np.isclose(sum(row["preferred_share"] for row in found.values()), 1.5)


def test_without_a_bound_for_one_there_are_no_ranks(library: Library) -> None:
    rows = answered({"amber": 1, "birch": 0, "cobalt": 2})
    unbound = [row | ({"strength": None} if row["generator_b"] == "cobalt" else {}) for row in rows]
    library.plant("preference_results", unbound)
    found = library.query("from preference_strengths")
    assert all(row["strength_rank"] is None for row in found)
    assert all(row["strength"] is None for row in found)


def test_without_answers_there_are_no_rows(library: Library) -> None:
    assert library.query("from preference_strengths") == []
