"""One build of a domain at a time, whoever starts it at a terminal.

Belongs here: the lock. Does not belong here: runs that the daemon starts; the pools of `dagster.yaml` see to those.

Two runs of one domain that write the same tables in turn would leave a table of the one beside the record of the other,
and what is stale would be judged by the wrong one. So a run waits for the one that is at work.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import Home


def building(home: Home, domain: str | None, told: Callable[[str], None]) -> AbstractContextManager[None]:
    """Held while a run of a domain, or of what pools the domains (null), is at work. `told`: is given a sentence
    where it has to wait."""
    what = domain or "what pools the domains"
    return locked(home.build_lock(domain), lambda: told(f"another process builds {what}: waiting until it is done"))
