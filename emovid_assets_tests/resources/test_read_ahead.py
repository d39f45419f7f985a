"""Work ahead of its user: in order, bounded in number and in bytes, ended with its user."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.resources.read_ahead import read_ahead


def tasks(count: int) -> list[tuple[str, int]]:
    return [(f"item-{number}", number) for number in range(count)]


@settings(max_examples=30)
@given(st.integers(0, 20), st.integers(1, 4), st.integers(1, 8), st.integers(0, 30))
def test_everything_comes_once_and_in_order_whatever_the_bounds(
    count: int, threads: int, most: int, most_bytes: int
) -> None:
    made = read_ahead(
        tasks(count), lambda number: number * 2, threads=threads, most=most, most_bytes=most_bytes, byte_count=int
    )
    assert list(made) == [(f"item-{number}", number * 2) for number in range(count)]


def begun_after_the_first(count: int, **bounds: object) -> list[int]:
    """Which tasks were begun by the time that nothing more happens behind the first result."""
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return 10

    results = read_ahead(tasks(count), work, threads=4, **bounds)  # type: ignore[arg-type]
    next(results)
    time.sleep(0.05)
    results.close()
    return sorted(begun)


def test_no_more_is_begun_than_was_allowed_in_number() -> None:
    assert begun_after_the_first(100, most=7) == list(range(7))


def test_no_more_is_begun_than_fits_in_bytes_once_a_size_is_known() -> None:
    held: list[int] = []
    results = read_ahead(tasks(50), lambda _: 10, threads=2, most=50, most_bytes=35, byte_count=int)
    next(results)
    time.sleep(0.05)
    # The first sizes are unknown when their work begins; from then on three of ten bytes fit into 35.
    for _ in range(46):
        next(results)
    ahead = results.gi_frame.f_locals["ahead"]
    held.append(len(ahead))
    results.close()
    assert held[0] <= 3


def test_a_result_larger_than_all_bounds_still_comes() -> None:
    results = read_ahead(tasks(3), lambda _: 99, threads=2, most=5, most_bytes=1, byte_count=int)
    assert [made for _, made in results] == [99] * 3


def test_what_work_raises_is_raised_at_its_place_and_ends_the_threads() -> None:
    def work(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    results = read_ahead(tasks(9), work, threads=2, most=4)
    assert [next(results)[1], next(results)[1]] == [0, 1]
    before = threading.active_count()
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert threading.active_count() < before


def test_tasks_are_taken_from_their_source_only_as_they_are_needed() -> None:
    taken: list[int] = []

    def source() -> object:
        for number in range(1000):
            taken.append(number)
            yield f"item-{number}", number

    results = read_ahead(source(), lambda number: number, threads=2, most=5)  # type: ignore[arg-type]
    next(results)
    results.close()
    assert len(taken) <= 6
