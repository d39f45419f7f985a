"""Small versions of the simulation: intervals hold the truth, equals have no gap, nobody of a good team is odd.

Seeded, so each number is the same on every run; `python -m benchmarks.agreement` has the large ones.
"""

import pytest

from benchmarks.agreement import accused, coverage, gap_of_equals, graded, true_kappa


@pytest.mark.parametrize("size", [1, 6, 10, 20])
def test_the_interval_holds_the_truth_however_many_clips_a_source_has(size: int) -> None:
    found = coverage([size] * (228 // size), 300, name="")
    # 300 libraries: 95 % ± 2.5 %.
    assert 0.925 <= found.kappa <= 0.98
    assert 0.925 <= found.gap <= 0.98
    assert found.by_clip < 0.9 or size == 1


def test_where_each_source_has_one_clip_both_ways_are_one() -> None:
    found = coverage([1] * 228, 100, name="")
    assert found.kappa == found.by_clip


def test_a_few_films_with_most_clips_do_not_make_it_too_narrow() -> None:
    found = coverage([40, 30, 20, 16, 12, 8, 6, 4, 3, 2, 2, 1], 200, name="")
    assert found.plain < 0.93 < found.kappa


@pytest.mark.parametrize("people", [3, 12, 48, 100])
def test_a_labeller_as_good_as_people_has_no_gap_however_few_clips_two_of_them_share(people: int) -> None:
    found = gap_of_equals(people, 20)
    assert abs(found.pooled) < 0.02
    if people >= 24:
        assert found.means < -0.1
        assert found.least_shared < 2


@pytest.mark.parametrize(("people", "per_source"), [(3, 10), (12, 1)])
def test_nobody_of_a_team_of_equals_is_called_odd_more_than_one_time_in_twenty(people: int, per_source: int) -> None:
    found = accused(people, 228, per_source, 80)
    # 80 teams: 5 % ± 5 %.
    assert found.anybody <= 0.1
    assert found.careless > found.anybody


def test_the_truth_that_is_aimed_at_is_that_of_the_formula() -> None:
    # Two people whose error rate e is one number, uniform on 5 % to 50 %: E[(1 - e)²] and E[e²] / 8 agree.
    low, high = 0.05, 0.5
    mean = (low + high) / 2
    square = (high**3 - low**3) / 3 / (high - low)
    observed = 1 - 2 * mean + square + square / 8
    emotion, none = (1 - mean) / 8 + mean * 7 / 64, mean / 8
    expected = 8 * emotion**2 + none**2
    assert true_kappa(graded) == pytest.approx((observed - expected) / (1 - expected), abs=0.003)
