"""How a SQLite file is opened, be it `state.sqlite` or one of Dagster's.

Belongs here: what holds of every connection. Does not belong here: tables, and for how long a connection is kept.
"""

import sqlite3
from pathlib import Path
from typing import Any

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
