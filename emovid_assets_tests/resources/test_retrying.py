"""When is asked again, and after which pauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.resources.retrying import AttemptError, Patience, patiently

STEADY = Patience(attempts=5, jitter=0)


class Attempts:
    """Fails as told, then gives "fine"."""

    def __init__(self, *failures: BaseException) -> None:
        self.left = list(failures)
        self.pauses: list[float] = []

    def __call__(self) -> str:
        if self.left:
            raise self.left.pop(0)
        return "fine"

    def made(self, patience: Patience) -> str:
        return patiently(self, patience, self.pauses.append)


def passing(retry_after_s: float | None = None) -> AttemptError:
    return AttemptError("busy", passes=True, retry_after_s=retry_after_s)


def test_what_passes_is_tried_again_after_pauses_that_double() -> None:
    attempts = Attempts(*(passing() for _ in range(4)))
    assert attempts.made(STEADY) == "fine"
    assert attempts.pauses == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("failure", [AttemptError("no"), KeyError("bug"), KeyboardInterrupt()])
def test_what_does_not_pass_is_raised_at_once(failure: BaseException) -> None:
    attempts = Attempts(failure)
    with pytest.raises(type(failure)) as caught:
        attempts.made(STEADY)
    assert (caught.value, attempts.pauses) == (failure, [])


def test_the_last_failure_is_raised_when_all_attempts_are_made() -> None:
    failures = [passing() for _ in range(5)]
    attempts = Attempts(*failures)
    with pytest.raises(AttemptError) as caught:
        attempts.made(STEADY)
    assert caught.value is failures[-1]
    assert (caught.value.__context__, caught.value.__cause__, len(attempts.pauses)) == (None, None, 4)


def test_a_server_that_asks_for_more_than_we_bear_is_left_alone() -> None:
    attempts = Attempts(passing(120.0), passing(120.5))
    with pytest.raises(AttemptError):
        attempts.made(STEADY)
    assert attempts.pauses == [120.0]


@given(st.lists(st.none() | st.floats(0, 120), min_size=3, max_size=3), st.floats(0, 0.9))
def test_no_pause_is_shorter_than_asked_or_than_ours(asked: list[float | None], jitter: float) -> None:
    attempts = Attempts(*map(passing, asked))
    assert attempts.made(Patience(jitter=jitter)) == "fine"
    for pause, said, own in zip(attempts.pauses, asked, (1.0, 2.0, 4.0), strict=True):
        shortest, longest = (max(said or 0.0, own * share) for share in (1 - jitter, 1 + jitter))
        assert shortest - 1e-9 <= pause <= longest + 1e-9


def test_no_attempt_begins_after_the_time_for_all_of_them() -> None:
    attempts = Attempts(*(passing() for _ in range(4)))
    with pytest.raises(AttemptError):
        attempts.made(Patience(attempts=5, jitter=0, total_s=3.5))
    assert attempts.pauses == [1.0, 2.0]


def test_what_a_pause_raises_ends_the_waiting() -> None:
    def over(pause_s: float) -> None:
        raise RuntimeError("the run is over")

    with pytest.raises(RuntimeError, match="over"):
        patiently(Attempts(passing()), STEADY, over)
