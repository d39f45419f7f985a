"""One build of a domain at a time, whoever starts it at a terminal.

Belongs here: the lock. Does not belong here: runs that the daemon starts; the pools of `dagster.yaml` see to those.

Two runs of one domain that write the same tables in turn would leave a table of the one beside the record of the other,
and what is stale would be judged by the wrong one. So a run waits for the one that is at work.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emovid_assets.layout import Home


@contextmanager
def building(home: Home, domain: str | None, told: Callable[[str], None]) -> Iterator[None]:
    """Held while a run of a domain, or of what pools the domains (null), is at work. It ends with its process, however
    that ends. `told`: is given a sentence where it has to wait."""
    with home.build_lock(domain).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told(f"another process builds {domain or 'what pools the domains'}: waiting until it is done")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
