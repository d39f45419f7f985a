"""A call that hangs holds no tick, and not the calls after it for ever."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from emovid_assets.orchestration.beside_ticks import MOST_HUNG, Beside, Waiting


@pytest.fixture
def hang() -> Iterator[Callable[[], str]]:
    """Something that never answers, until the test is over."""
    over = threading.Event()
    yield lambda: str(over.wait())
    over.set()


def test_a_quick_answer_is_there_at_once_and_an_error_is_raised_in_the_tick() -> None:
    beside: Beside[str] = Beside()
    assert beside.tick(lambda: "answer", 60) == "answer"

    def fails() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        beside.tick(fails, 60)
    assert beside.tick(lambda: "again", 60) == "again"


def test_a_slow_answer_is_handed_to_a_later_tick_and_nothing_is_asked_twice_meanwhile() -> None:
    beside: Beside[str] = Beside(wait_s=0.01)
    may_answer, asked = threading.Event(), []

    def slow() -> str:
        asked.append(True)
        may_answer.wait()
        return "slow"

    assert isinstance(beside.tick(slow, 60), Waiting)
    assert isinstance(beside.tick(slow, 60), Waiting)
    may_answer.set()
    answers = [beside.tick(slow, 60) for _ in range(1)]
    while isinstance(answers[-1], Waiting):
        answers.append(beside.tick(slow, 60))
    assert (answers[-1], len(asked)) == ("slow", 1)


def test_what_hangs_is_given_up_after_its_deadline_and_only_so_many_may_hang(hang: Callable[[], str]) -> None:
    beside: Beside[str] = Beside(wait_s=0.01)
    assert isinstance(beside.tick(hang, 0.05), Waiting)
    time.sleep(0.1)
    assert beside.tick(lambda: "the next one", 0.05) == "the next one"
    for _ in range(MOST_HUNG - 1):
        assert isinstance(beside.tick(hang, 0.0), Waiting)
    began = threading.active_count()
    stuck = beside.tick(lambda: "never begun", 0.0)
    assert isinstance(stuck, Waiting)
    assert stuck.is_hung
    assert "calls before it hang" in stuck.sentence
    assert threading.active_count() == began
