"""How a SQLite file is opened, be it `state.sqlite` or one of Dagster's.

Belongs here: what holds of every connection, and reading where nothing may be written. Does not belong here: tables,
and for how long a connection is kept.
"""

import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

BUSY_S = 60.0
"""How long a process waits for another one's transaction."""
LEAST_FREE_BYTES, LEAST_FREE_SHARE = 1_000_000, 0.25
"""Less that is free in a file is left for what comes next."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose transactions begin where they are told to."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    calm(connection)
    return connection


def calm(connection: Any) -> None:
    """Waits for the disk less often: a power cut may take the last records, which are made again, but harms no file."""
    connection.execute("PRAGMA synchronous=NORMAL")


def copy_to(path: Path, target: Path) -> None:
    """Copies a database that may not be written, as it is at this moment; nothing where there is none.

    To read a file in WAL mode, SQLite makes two more beside it. Where it may not, the copy can be opened all the same.
    """
    if not path.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        address = f"file:{quote(str(path))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(target)) as copied:
            source.backup(copied)
    except sqlite3.OperationalError:
        # Nobody has it open, or the two files would be there: so nothing changes while it is copied.
        for suffix in ("", "-wal"):
            if (file := path.with_name(path.name + suffix)).exists():
                shutil.copyfile(file, target.with_name(target.name + suffix))


def give_back_free_pages(path: Path, log: logging.Logger) -> int:
    """Empties the write-ahead log of a file, and makes the file smaller where much of it is free; the bytes that were.

    A file that stays as it is, because the disk is full or another process is at it for long, does no harm: free pages
    are used before the file grows.
    """
    connection = connect(path)
    try:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        is_worth_it = free * size >= LEAST_FREE_BYTES and free >= pages * LEAST_FREE_SHARE
        if is_worth_it:
            connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(free * size) if is_worth_it else 0
    except sqlite3.OperationalError as error:
        log.warning(f"{path.name} stays as large as it is: {error}")
        return 0
    finally:
        connection.close()
