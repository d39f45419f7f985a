"""How a SQLite file is opened, be it `state.sqlite` or one of Dagster's.

Belongs here: what holds of every connection, and reading where nothing may be written. Does not belong here: tables,
and for how long a connection is kept.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

BUSY_S = 60.0
"""How long a process waits for another one's transaction."""


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
