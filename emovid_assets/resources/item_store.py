"""Per-item state in one SQLite file: what is finished, what failed, which bytes a path held.

Belongs here: the three tables below and nothing that knows what an item means. Parquet tables are derived
from this state and may be rebuilt from it at any time without touching a video (ADR 2).

SQLite in WAL mode survives SIGKILL at any moment and lets two runs write at once; every finished item is
committed before the next is counted.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
  step TEXT NOT NULL, item_id TEXT NOT NULL, domain TEXT NOT NULL, item_key TEXT NOT NULL, payload TEXT NOT NULL,
  PRIMARY KEY (step, item_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
  step TEXT NOT NULL, item_id TEXT NOT NULL, domain TEXT NOT NULL, item_key TEXT NOT NULL, path TEXT,
  code TEXT NOT NULL, message TEXT NOT NULL, attempt_count INTEGER NOT NULL, first_seen_at TEXT NOT NULL,
  last_seen_at TEXT NOT NULL, input_sha256 TEXT, code_version TEXT NOT NULL,
  PRIMARY KEY (step, item_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Failure:
    """One quarantined item of one step."""

    step: str
    item_id: str
    domain: str
    path: str | None
    code: str
    message: str
    attempt_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    input_sha256: str | None
    code_version: str


_FAILURE_COLUMNS = tuple(Failure.__dataclass_fields__)


class ItemStore:
    """State of one home. Open one per process; cheap to open."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def finished(self, step: str, domain: str) -> dict[str, tuple[str, dict[str, Any]]]:
        """item_id → (item_key, payload) of every finished item."""
        rows = self._connection.execute(
            "SELECT item_id, item_key, payload FROM items WHERE step = ? AND domain = ?", (step, domain)
        )
        return {item_id: (key, json.loads(payload)) for item_id, key, payload in rows}

    def failed_keys(self, step: str, domain: str) -> dict[str, tuple[str, str]]:
        """item_id → (item_key, code) of every quarantined item."""
        rows = self._connection.execute(
            "SELECT item_id, item_key, code FROM failures WHERE step = ? AND domain = ?", (step, domain)
        )
        return {item_id: (key, code) for item_id, key, code in rows}

    def record(self, step: str, domain: str, item_id: str, item_key: str, payload: dict[str, Any]) -> None:
        """The item is finished; an earlier failure of it is over."""
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?)",
                (step, item_id, domain, item_key, json.dumps(payload, separators=(",", ":"))),
            )
            self._connection.execute("DELETE FROM failures WHERE step = ? AND item_id = ?", (step, item_id))

    def quarantine(
        self,
        step: str,
        domain: str,
        item_id: str,
        item_key: str,
        *,
        path: str | None,
        code: str,
        message: str,
        input_sha256: str | None,
        code_version: str,
    ) -> None:
        """The item failed; the attempts of the same content are counted."""
        now = datetime.now(UTC).isoformat()
        with self._transaction():
            self._connection.execute("DELETE FROM items WHERE step = ? AND item_id = ?", (step, item_id))
            self._connection.execute(
                """INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
                ON CONFLICT (step, item_id) DO UPDATE SET
                  attempt_count = CASE WHEN item_key = excluded.item_key THEN attempt_count + 1 ELSE 1 END,
                  first_seen_at = CASE WHEN item_key = excluded.item_key THEN first_seen_at
                                  ELSE excluded.first_seen_at END,
                  item_key = excluded.item_key, domain = excluded.domain, path = excluded.path,
                  code = excluded.code, message = excluded.message, last_seen_at = excluded.last_seen_at,
                  input_sha256 = excluded.input_sha256, code_version = excluded.code_version""",
                (step, item_id, domain, item_key, path, code, message, now, now, input_sha256, code_version),
            )

    def failures(self, domain: str, step: str | None = None) -> list[Failure]:
        """The quarantine of a domain, of one step or of all."""
        rows = self._connection.execute(
            f"""SELECT {", ".join(_FAILURE_COLUMNS)} FROM failures WHERE domain = ? AND (? IS NULL OR step = ?)
            ORDER BY step, item_id""",
            (domain, step, step),
        )
        return [
            Failure(
                **dict(zip(_FAILURE_COLUMNS, row, strict=True))
                | {"first_seen_at": datetime.fromisoformat(row[7]), "last_seen_at": datetime.fromisoformat(row[8])}
            )
            for row in rows
        ]

    def forget_others(self, step: str, domain: str, item_ids: Iterable[str]) -> None:
        """Drops state of items that are gone."""
        keep = set(item_ids)
        with self._transaction():
            for table in ("items", "failures"):
                known = self._connection.execute(
                    f"SELECT item_id FROM {table} WHERE step = ? AND domain = ?", (step, domain)
                ).fetchall()
                gone = [(step, item_id) for (item_id,) in known if item_id not in keep]
                self._connection.executemany(f"DELETE FROM {table} WHERE step = ? AND item_id = ?", gone)

    def known_hashes(self) -> dict[str, tuple[int, int, str]]:
        """path → (size, mtime_ns, sha256) as last seen."""
        rows = self._connection.execute("SELECT path, size_bytes, mtime_ns, sha256 FROM files")
        return {path: (size, mtime, sha256) for path, size, mtime, sha256 in rows}

    def remember_hash(self, path: str, size_bytes: int, mtime_ns: int, sha256: str) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (path, size_bytes, mtime_ns, sha256)
        )

    def forget_hashes(self, paths: Iterable[str]) -> None:
        """Drops what is known of files that are gone."""
        with self._transaction():
            self._connection.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in paths])
