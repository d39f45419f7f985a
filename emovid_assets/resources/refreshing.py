"""When the catalogue is made to name what has just been written: a run's tables together, not one after the other.

A refresh takes a tenth of a CPU-second, which is more than writing most tables does, and a build writes dozens. So
while somebody holds it back, it is done before the first write of a process, from then on now and then, and at the end.
Until then the views show the versions before, which stay (`warehouse`). What a killed process leaves behind is made up
for before the next one replaces anything, so that no version goes that a view names, and by the asset `catalogue`,
which is stale where a table has changed.

Belongs here: when. Does not belong here: how (`catalogue`). Loads no DuckDB, as most who have a home write nothing.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emovid_assets.home.shipped_files import shipped_file

EVERY_S = 30.0
"""Whoever reads while a long run is at work sees what is older than that."""

_holders: Counter[Path] = Counter()
_behind: set[Path] = set()
_refreshed_at: dict[Path, float] = {}


@contextmanager
def held_back(home: Path) -> Iterator[None]:
    """While the block is at work, in this process, the catalogue of a home may stay behind; at its end it is current,
    however it ends. Blocks may lie in each other."""
    _holders[home] += 1
    try:
        yield
    finally:
        _holders[home] -= 1
        if not _holders[home] and home in _behind:
            _refresh(home)


def before_write(home: Path) -> None:
    """Whoever may replace a table calls this."""
    is_due = home not in _refreshed_at or (home in _behind and time.monotonic() - _refreshed_at[home] >= EVERY_S)
    if _holders[home] and is_due:
        _refresh(home)


def after_write(home: Path) -> None:
    """Whoever has replaced a table calls this."""
    _behind.add(home)
    if not _holders[home]:
        _refresh(home)


def _refresh(home: Path) -> None:
    from emovid_assets.resources.catalogue import refresh_catalogue

    _behind.discard(home)
    refresh_catalogue(home, shipped_file("sql"))
    _refreshed_at[home] = time.monotonic()
