"""Asking again: how often, after which pauses, until when.

Belongs here: the rule by which all our clients of HTTP try again. Does not belong here: which failures may pass (each
client says it of its own), what an answer asks for (`core.retry_after`).
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay

T = TypeVar("T")


class AttemptError(Exception):
    """An attempt that failed. `passes`: another one may not. `retry_after_s`: the pause that the server asks for."""

    def __init__(self, message: str, *, passes: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.passes, self.retry_after_s = passes, retry_after_s


@dataclass(frozen=True)
class Patience:
    """Seconds. A pause doubles from `first_pause_s` to `longest_pause_s`, give or take the share `jitter`, so that many
    clients do not come back together. A server that asks for more than `most_patience_s` is not asked again.

    No attempt begins later than `total_s` after the first.
    """

    attempts: int = 4
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    jitter: float = 0.2
    most_patience_s: float = 120.0
    total_s: float = math.inf

    def pause_s(self, attempt: int) -> float:
        """After the attempt of that number, from 1."""
        pause_s = min(self.first_pause_s * 2.0 ** min(attempt - 1, 60), self.longest_pause_s)
        return pause_s * random.uniform(1 - self.jitter, 1 + self.jitter)

    def bears(self, error: BaseException) -> bool:
        """Whether it is worth another attempt."""
        return isinstance(error, AttemptError) and error.passes and (error.retry_after_s or 0) <= self.most_patience_s


def patiently(act: Callable[[], T], patience: Patience, sleep: Callable[[float], None] = time.sleep) -> T:
    """What `act` gives, sooner or later. Raises the last AttemptError, and at once what patience does not bear.

    `sleep` is called for each pause; what it raises ends the waiting.
    """

    def pause_s(state: RetryCallState) -> float:
        error = state.outcome and state.outcome.exception()
        asked_s = error.retry_after_s if isinstance(error, AttemptError) else None
        # "Retry-After: 0" of a server that stays busy would use up all attempts in a moment.
        return max(patience.pause_s(state.attempt_number), asked_s or 0.0)

    return Retrying(
        stop=stop_after_attempt(patience.attempts) | stop_before_delay(patience.total_s),
        wait=pause_s,
        retry=retry_if_exception(patience.bears),
        sleep=sleep,
        reraise=True,
    )(act)


def was_reached(error: requests.RequestException) -> bool:
    """Whether a server may have got the request: whoever was not reached did nothing."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return False
    return "NewConnectionError" not in repr(error) and "NameResolutionError" not in repr(error)
