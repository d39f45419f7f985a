"""How patient a client is, and how it keeps count of time.

Belongs here: the patience of this client, and the clock of what is under way. Does not belong here: HTTP.
"""

import threading
import time
from dataclasses import dataclass

from emovid_assets.resources.retrying import Patience


@dataclass(frozen=True)
class Manners(Patience):
    """Many requests wait at once, so their pauses differ by half. A server that asks for more than `most_patience_s`
    ends the run."""

    jitter: float = 0.5
    most_patience_s: float = 600.0
    connect_timeout_s: float = 10.0


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
