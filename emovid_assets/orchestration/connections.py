"""Connections of this process to the SQLite files of Dagster, kept from one statement to the next.

Dagster makes an engine and a connection for every statement. Whoever closes the last connection to a file also
empties its write-ahead log: a build spent two thirds of its CPU time, and most of its waiting, on that.

Belongs here: engines, and how long they live. Does not belong here: which instance is opened, and by whom.
"""

import os
from collections import OrderedDict
from threading import Lock
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy.pool import QueuePool

from emovid_assets.resources.sqlite import calm

PREFIX = "sqlite:///"
"""Begins the addresses that Dagster makes; what follows is the path as it stands."""
MOST_FILES = 8
"""Dagster has a file a run and few besides; each that is kept costs an open file."""


def keep_connections() -> None:
    """From now on, in this process."""
    for module in (sqlite_event_log, sqlite_run_storage):
        vars(module)["create_engine"] = _ENGINES.of


class _KeptPool(QueuePool):
    """Outlives `Engine.dispose`, which Dagster calls after every statement."""

    def dispose(self) -> None:
        pass

    def recreate(self) -> QueuePool:
        return self

    def end(self) -> None:
        super().dispose()


class _Engines:
    """An engine a file, for the files that were used last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._engines: OrderedDict[tuple[str, int], sqlalchemy.Engine] = OrderedDict()

    def of(self, address: str, **options: Any) -> sqlalchemy.Engine:
        """In the place of `sqlalchemy.create_engine`."""
        # A file that was deleted and made anew is another one.
        try:
            number = os.stat(address.removeprefix(PREFIX)).st_ino
        except FileNotFoundError:
            # It is not there yet, so nobody could find this connection again: it ends with its statement.
            return sqlalchemy.create_engine(address, **options)
        with self._lock:
            engine = self._engines.pop((address, number), None) or _engine(address, options)
            self._engines[address, number] = engine
            while len(self._engines) > MOST_FILES:
                _, oldest = self._engines.popitem(last=False)
                assert isinstance(oldest.pool, _KeptPool)
                oldest.pool.end()
        return engine


_ENGINES = _Engines()


def _engine(address: str, options: dict[str, Any]) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(address, **{**options, "poolclass": _KeptPool})
    sqlalchemy.event.listen(engine, "connect", lambda connection, _: calm(connection))
    return engine
