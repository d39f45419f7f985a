"""How patient a client is, and how it keeps count of time.

Belongs here: pauses between attempts, and the clock of what is under way. Does not belong here: HTTP.
"""

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

PASSING_STATUS = frozenset({408, 409, 425, 429})
"""Refusals that may pass by themselves, beside all of 500 and above."""


@dataclass(frozen=True)
class Manners:
    """Seconds. A pause doubles from `first_pause_s` to `longest_pause_s`, give or take half, so that many clients do
    not come back together. A server that asks for more than `most_patience_s` ends the run."""

    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    most_patience_s: float = 600.0
    connect_timeout_s: float = 10.0

    def pause_s(self, attempt: int) -> float:
        """After the attempt of that number, from 1."""
        return min(self.first_pause_s * 2.0 ** (attempt - 1), self.longest_pause_s) * random.uniform(0.5, 1.5)


def may_pass(status: int) -> bool:
    return status in PASSING_STATUS or status >= 500


def asked_pause_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or as a date by the server's own clock; None without one."""
    asked = headers.get("Retry-After", "").strip()
    if asked.replace(".", "", 1).isdecimal():
        return float(asked)
    until = _moment(asked)
    if until is None:
        return None
    return max(0.0, (until - (_moment(headers.get("Date", "")) or datetime.now(UTC))).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Clock:
    """Wall time in which something was under way, and in which nothing was. Safe between threads.

    While n clips are under way, each is charged 1/n of the time: the charges sum to `busy_s`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self._since = time.monotonic()
        self._charge_s = 0.0
        self.busy_s = 0.0
        self.idle_s = 0.0

    def enter(self) -> float:
        """A mark for `leave`."""
        with self._lock:
            self._advance()
            self._under_way += 1
            return self._charge_s

    def leave(self, mark: float) -> float:
        """Seconds that are charged to what entered with this mark."""
        with self._lock:
            self._advance()
            self._under_way -= 1
            return self._charge_s - mark

    def times(self) -> tuple[float, float]:
        """Seconds busy and idle until now."""
        with self._lock:
            self._advance()
            return self.busy_s, self.idle_s

    def _advance(self) -> None:
        now = time.monotonic()
        passed, self._since = now - self._since, now
        if self._under_way:
            self.busy_s += passed
            self._charge_s += passed / self._under_way
        else:
            self.idle_s += passed
