"""What is known of wanted items, in the home's `state.sqlite`: it survives a kill at any moment.

Belongs here: the tables below. Does not belong here: what an attempt is, or what a row of them means to people.

Nothing here is irreplaceable: files carry their facts in manifests beside them. Without this state, attempts begin
anew and services are asked again.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import ItemStore, StateError
from emovid_assets.resources.sqlite import connect

_SCHEMA = """
CREATE TABLE IF NOT EXISTS collection_items (
  domain TEXT NOT NULL, origin TEXT NOT NULL, external_id TEXT NOT NULL, status TEXT NOT NULL, code TEXT, reason TEXT,
  attempt_count INTEGER NOT NULL, next_try_at TEXT, path TEXT, fingerprint TEXT, duplicate_of TEXT, facts TEXT NOT NULL,
  PRIMARY KEY (domain, origin, external_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collection_findings (
  origin TEXT NOT NULL, external_id TEXT NOT NULL, emotion TEXT NOT NULL, query TEXT NOT NULL,
  PRIMARY KEY (origin, external_id, emotion)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collection_answers (
  origin TEXT NOT NULL, request TEXT NOT NULL, expires_at REAL NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (origin, request)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collection_requests (origin TEXT NOT NULL, asked_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS collection_pauses (origin TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collection_words (
  origin TEXT NOT NULL, word TEXT NOT NULL, asked_at REAL NOT NULL, PRIMARY KEY (origin, word)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collection_sets (
  domain TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (domain, name)) WITHOUT ROWID;
"""
HOUR_S = 3600.0

Key = tuple[str, str]
"""(origin, external_id)"""


@dataclass
class ItemState:
    """One item. `fingerprint`: hashes of its pictures; `facts`: columns of a library manifest."""

    origin: str
    external_id: str
    status: str = "wanted"
    code: str | None = None
    reason: str | None = None
    attempt_count: int = 0
    next_try_at: datetime | None = None
    path: str | None = None
    fingerprint: dict[str, Any] | None = None
    duplicate_of: str | None = None
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.origin, self.external_id


def has_items(home: Home) -> bool:
    """Whether anything was ever found to collect. Makes and changes nothing."""
    if not home.state.exists():
        return False
    with closing(ItemStore.to_read(home.state)) as store:
        path = store.path
    with closing(connect(path)) as connection:
        try:
            return connection.execute("SELECT 1 FROM collection_items LIMIT 1").fetchone() is not None
        except sqlite3.OperationalError:
            # The table is not there yet, or cannot be read: whoever opens the store says what is the matter.
            return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'collection_items'").fetchone())


class CollectionStore:
    """State of one home. Opening and writing raise StateError."""

    def __init__(self, home: Home, *, is_reading: bool = False) -> None:
        """`is_reading`: the home is only looked at (`ItemStore.to_read`)."""
        # Makes the file, and sets the mode in which two processes may write.
        with closing((ItemStore.to_read if is_reading else ItemStore)(home.state)) as store:
            self._path = store.path
        self._connection = connect(self._path)
        with self._named_faults():
            self._connection.executescript(_SCHEMA)

    def __enter__(self) -> "CollectionStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def _named_faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StateError(self._path, error) from error

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written within is written at once, or not at all."""
        with self._named_faults():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def items(self, domain: str) -> dict[Key, ItemState]:
        rows = self._connection.execute(
            "SELECT origin, external_id, status, code, reason, attempt_count, next_try_at, path, fingerprint, "
            "duplicate_of, facts FROM collection_items WHERE domain = ? ORDER BY origin, external_id",
            (domain,),
        )
        found = {}
        for row in rows:
            item = ItemState(*row)
            item.next_try_at = datetime.fromisoformat(row[6]) if row[6] else None
            item.fingerprint = json.loads(row[8]) if row[8] else None
            item.facts = json.loads(row[10])
            found[item.key] = item
        return found

    def put(self, domain: str, item: ItemState) -> None:
        with self._named_faults():
            self._connection.execute(
                "INSERT OR REPLACE INTO collection_items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(domain, item.origin, item.external_id, item.status, item.code, item.reason, item.attempt_count),
                    item.next_try_at.isoformat() if item.next_try_at else None,
                    item.path,
                    json.dumps(item.fingerprint) if item.fingerprint else None,
                    item.duplicate_of,
                    json.dumps(item.facts),
                ),
            )

    def find(self, origin: str, external_id: str, emotion: str, query: str) -> None:
        """Notes that a word of an emotion has found an item; never forgets one."""
        with self._named_faults():
            self._connection.execute(
                "INSERT OR IGNORE INTO collection_findings VALUES (?, ?, ?, ?)", (origin, external_id, emotion, query)
            )

    def emotions(self) -> dict[Key, list[str]]:
        """The emotions under which each item was found."""
        found: dict[Key, list[str]] = {}
        rows = self._connection.execute(
            "SELECT origin, external_id, emotion FROM collection_findings ORDER BY origin, external_id, emotion"
        )
        for origin, external_id, emotion in rows:
            found.setdefault((origin, external_id), []).append(emotion)
        return found

    def name_of_set(self, domain: str, path: Path, *, is_kept: bool = True) -> str:
        """The name of the set that lies at a path: its file's or folder's, with a digest of the path where a set that
        lies elsewhere has that one already. `is_kept`: it is that set's from now on."""
        rows = self._connection.execute("SELECT name, path FROM collection_sets WHERE domain = ?", (domain,))
        known = dict(rows.fetchall())
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
        wanted = [path.name, f"{path.stem}-{digest}{path.suffix}"]
        own = os.fsencode(path).decode(errors="backslashreplace")
        name = next((name for name in wanted if known.get(name, own) == own), wanted[-1])
        if is_kept and name not in known:
            with self._named_faults():
                self._connection.execute("INSERT OR IGNORE INTO collection_sets VALUES (?, ?, ?)", (domain, name, own))
        return name

    def answer(self, origin: str, request: str, now: float | None = None) -> Any:
        """A kept answer that has not expired; null where there is none."""
        row = self._connection.execute(
            "SELECT body FROM collection_answers WHERE origin = ? AND request = ? AND expires_at > ?",
            (origin, request, time.time() if now is None else now),
        ).fetchone()
        return json.loads(row[0]) if row else None

    def keep_answer(self, origin: str, request: str, body: Mapping[str, Any], seconds: float) -> None:
        """Keeps an answer for so long; answers that have expired go."""
        now = time.time()
        with self.together():
            self._connection.execute("DELETE FROM collection_answers WHERE expires_at <= ?", (now,))
            if seconds > 0:
                self._connection.execute(
                    "INSERT OR REPLACE INTO collection_answers VALUES (?, ?, ?, ?)",
                    (origin, request, now + seconds, json.dumps(body)),
                )

    def count_request(self, origin: str, per_hour: int) -> bool:
        """Notes a request; false, and not noted, where the last hour has seen as many as are allowed."""
        now = time.time()
        with self.together():
            self._connection.execute("DELETE FROM collection_requests WHERE asked_at <= ?", (now - HOUR_S,))
            (count,) = self._connection.execute(
                "SELECT count(*) FROM collection_requests WHERE origin = ?", (origin,)
            ).fetchone()
            if count >= per_hour:
                return False
            self._connection.execute("INSERT INTO collection_requests VALUES (?, ?)", (origin, now))
        return True

    def note_asked(self, origin: str, word: str) -> None:
        """Notes that a service is being asked for a word, whatever comes of it."""
        with self._named_faults():
            self._connection.execute(
                "INSERT OR REPLACE INTO collection_words VALUES (?, ?, ?)", (origin, word, time.time())
            )

    def asked_at(self, origin: str) -> dict[str, float]:
        """When a service was last asked for each word, in seconds since 1970."""
        rows = self._connection.execute("SELECT word, asked_at FROM collection_words WHERE origin = ?", (origin,))
        return dict(rows.fetchall())

    def pause(self, origin: str, seconds: float) -> None:
        """Leaves an origin alone for so long, as it has asked."""
        with self._named_faults():
            self._connection.execute(
                "INSERT OR REPLACE INTO collection_pauses VALUES (?, ?)", (origin, time.time() + seconds)
            )

    def paused_s(self, origin: str) -> float:
        """For how much longer an origin is to be left alone."""
        row = self._connection.execute("SELECT until FROM collection_pauses WHERE origin = ?", (origin,)).fetchone()
        return max(0.0, row[0] - time.time()) if row else 0.0
