"""How far a long step is: to whoever listens, and to the log of the run otherwise.

Belongs here: passing progress on, and times in words. The command line listens through `listener`; runs launched from
the UI log.
"""

import logging
import time
from contextvars import ContextVar

from emovid_assets.resources.compute import Progress

LOG_EVERY_S = 15.0

listener: ContextVar[Progress | None] = ContextVar("emovid_progress_listener", default=None)


def progress_for(log: logging.Logger) -> Progress:
    """The listener of this context, or lines in the log: at the end, and at most every 15 s before."""
    listening = listener.get()
    if listening is not None:
        return listening
    last = time.monotonic()

    def report(step: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= LOG_EVERY_S:
            last = now
            log.info(f"{step}: {done} of {total}")

    return report


def span(seconds: float) -> str:
    """A time in seconds, minutes or hours, for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
