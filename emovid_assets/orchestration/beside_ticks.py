"""What takes its time, such as a server that hangs, beside the ticks of a sensor: they begin it and never wait long.

Belongs here: that. Does not belong here: what is done.

A tick in which a server is asked holds the daemon for as long as the server likes, and with it every other sensor.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
WAIT_S = 2.0
"""That a tick waits: most answers are there by then, and are told by the tick that has asked."""
MOST_HUNG = 3
"""Calls that may hang at once; nothing can end them but themselves."""


class Beside(Generic[T]):
    """One call at a time of those that a sensor asks for; their answers are handed to its ticks, in their order."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._current: _Call[T] | None = None
        self._hung: list[_Call[T]] = []

    def tick(self, work: Callable[[], T], deadline_s: float) -> "T | Waiting":
        """The answer of the call under way, or of a new one, where it is there in a moment; else for how long it has
        been waited for. Raises what the call has raised.

        A call that takes longer than its deadline (seconds) is given up, and its answer is not taken.
        """
        with self._lock:
            self._hung = [call for call in self._hung if call.is_alive()]
            if self._current is not None and self._current.is_alive() and self._current.age_s > deadline_s:
                self._hung.append(self._current)
                self._current = None
            if self._current is None:
                if len(self._hung) >= MOST_HUNG:
                    return Waiting(max(call.age_s for call in self._hung), is_hung=True)
                self._current = _Call(work)
                self._current.start()
            call = self._current
        call.join(self._wait_s)
        with self._lock:
            if call.is_alive():
                return Waiting(call.age_s, is_hung=bool(self._hung))
            if self._current is call:
                self._current = None
        return call.answer()


class Waiting:
    """No answer yet. `is_hung`: earlier calls were given up and have not ended."""

    def __init__(self, age_s: float, *, is_hung: bool) -> None:
        self.age_s, self.is_hung = age_s, is_hung

    @property
    def sentence(self) -> str:
        return f"no answer for {self.age_s:.0f} s{', and calls before it hang' if self.is_hung else ''}"


class _Call(threading.Thread, Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True, name="beside-ticks")
        self._work = work
        self._began_s = time.monotonic()
        self._answer: list[T] = []
        self._error: Exception | None = None

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._began_s

    def run(self) -> None:
        try:
            self._answer.append(self._work())
        except Exception as error:  # noqa: BLE001 - it is raised in the tick that asks
            self._error = error

    def answer(self) -> T:
        if self._error is not None:
            raise self._error
        return self._answer[0]
