"""Per-item state in one SQLite file: what is finished, what failed, which bytes a path held, how long items took.

Belongs here: the tables below and nothing that knows what an item means. Parquet tables are derived
from this state and may be rebuilt from it at any time without touching a video (ADR 2).

SQLite in WAL mode survives SIGKILL at any moment and lets two runs write at once. Items that come in together
are committed together. Whether an item is finished is answered from an index: payloads, which may be large, are
read only by those who want them, and one after another.
"""

import json
import sqlite3
import time
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emovid_assets.home.folders import may_write
from emovid_assets.home.reading import reading_place
from emovid_assets.resources.made_files import Sizes
from emovid_assets.resources.sqlite import BUSY_S, connect, copy_to

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
CREATE TABLE IF NOT EXISTS sidecars (
  path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rates (
  step TEXT NOT NULL, domain TEXT NOT NULL, item_count INTEGER NOT NULL, weight REAL NOT NULL, seconds REAL NOT NULL,
  measured_at TEXT NOT NULL, PRIMARY KEY (step, domain)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failed_runs (
  run_id TEXT NOT NULL, asset TEXT NOT NULL, domain TEXT, job TEXT NOT NULL, error TEXT NOT NULL,
  failed_at TEXT NOT NULL, PRIMARY KEY (run_id, asset)) WITHOUT ROWID;
"""


_MIGRATIONS = """
ALTER TABLE items ADD COLUMN files TEXT;
UPDATE items SET files = json_extract(payload, '$.files');
CREATE INDEX item_keys ON items (step, domain, item_id, item_key, files);
"""
"""What a store needs that has no column `files`, a new one too: the files that a payload names, as JSON.

A list of paths in stores that were written before sizes were noted, an object of sizes by path since."""


def stamp_of(path: Path) -> list[tuple[int, int]]:
    """Another one after each change of the store: size and time of its file, and of what is not yet in it."""
    files = (path, path.with_name(f"{path.name}-wal"))
    found = [file.stat() for file in files if file.exists()]
    # Whoever only reads leaves an empty log.
    return [(status.st_size, status.st_mtime_ns) for status in found if status.st_size]


class StateError(OSError):
    """The file cannot be opened or written; the message says what to do."""

    def __init__(self, path: Path, error: sqlite3.Error) -> None:
        is_passing = isinstance(error, sqlite3.OperationalError)
        check = "Check free space and permissions of the home folder, then try again"
        super().__init__(f"{path}: {error}. {check if is_passing else 'Move it away and build: all is computed again'}")


@dataclass(frozen=True)
class FinishedItem:
    """A result. `payload["files"]`, where it is there, names files relative to the home folder.

    `sizes`: of these files, as they were made; where it is not given, none is known.
    """

    item_id: str
    item_key: str
    payload: dict[str, Any]
    sizes: Sizes | None = None


@dataclass(frozen=True)
class QuarantinedItem:
    """A failure that has just happened."""

    item_id: str
    item_key: str
    path: str | None
    code: str
    message: str
    input_sha256: str | None
    code_version: str


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


@dataclass(frozen=True)
class FailedRun:
    """A run that ended badly at an asset; `domain` is null for runs over all domains. `failed_at` is in UTC."""

    run_id: str
    asset: str
    domain: str | None
    job: str
    error: str
    failed_at: datetime


@dataclass(frozen=True)
class Rate:
    """How many items of a step, of which weight together, took how long, the last time that there were any."""

    item_count: int
    weight: float
    seconds: float

    def seconds_for(self, item_count: int, weight: float) -> float:
        """About how long other items take."""
        if self.weight and weight:
            return self.seconds * weight / self.weight
        return self.seconds * item_count / self.item_count


_AT_ONCE = 1000
_FAILURE_COLUMNS = tuple(Failure.__dataclass_fields__)


class Payloads(Mapping[str, dict[str, Any]]):
    """item_id → payload of given items, read anew from the file at `path` with each use; iterated by item_id.

    Raises LookupError where another run has meanwhile replaced what is asked for.
    """

    def __init__(self, path: Path, step: str, domain: str, keys: Mapping[str, str]) -> None:
        self._path, self._step, self._domain, self._keys = path, step, domain, keys

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._keys))

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._keys

    def __getitem__(self, item_id: str) -> dict[str, Any]:
        with closing(connect(self._path)) as connection:
            found = connection.execute(
                "SELECT payload FROM items WHERE step = ? AND item_id = ? AND item_key = ?",
                (self._step, item_id, self._keys[item_id]),
            ).fetchone()
        if found is None:
            raise self._replaced()
        payload: dict[str, Any] = json.loads(found[0])
        return payload

    def items(self) -> Any:
        return _Pairs(self)

    def values(self) -> Any:
        return (payload for _, payload in self.items())

    def pairs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(item_id, payload), one in memory."""
        count = 0
        with closing(connect(self._path)) as connection:
            rows = connection.execute(
                "SELECT item_id, item_key, payload FROM items WHERE step = ? AND domain = ? ORDER BY item_id",
                (self._step, self._domain),
            )
            for item_id, key, payload in rows:
                if self._keys.get(item_id) == key:
                    count += 1
                    yield item_id, json.loads(payload)
        if count != len(self._keys):
            raise self._replaced()

    def _replaced(self) -> LookupError:
        return LookupError(f"Another build has changed results of {self._step} [{self._domain}] meanwhile; build again")


class _Pairs(ItemsView[str, dict[str, Any]]):
    """Read in one go, where the view of `Mapping` would look up one after another."""

    def __init__(self, payloads: Payloads) -> None:
        super().__init__(payloads)
        self._payloads = payloads

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return self._payloads.pairs()


class ItemStore:
    """State of one home. Open one per process; cheap to open. Opening and writing raise StateError."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            self._open(path)
        except sqlite3.DatabaseError as error:
            raise StateError(path, error) from error

    @classmethod
    def to_read(cls, path: Path) -> "ItemStore":
        """The store of a home that is only looked at: where there is none, or none that may be written, a copy outside
        of the home, empty in the first case. Raises StateError."""
        if path.exists() and may_write(path.parent):
            # On a full disk it cannot be opened, either.
            with suppress(StateError):
                return cls(path)
        moments = [file.stat().st_mtime_ns for file in (path, path.with_name(f"{path.name}-wal")) if file.exists()]
        copied = reading_place() / "-".join(map(str, ("state", *moments))) / path.name
        if not copied.exists():
            copy_to(path, copied)
        return cls(copied)

    def _open(self, path: Path) -> None:
        self._connection = connect(path)
        self._use_wal()
        self._connection.executescript(_SCHEMA)
        if not self._is_current():
            with self._transaction():
                # Another process may have been first.
                if not self._is_current():
                    for statement in _MIGRATIONS.strip().split("\n"):
                        self._connection.execute(statement)

    def _use_wal(self) -> None:
        """SQLite does not wait for its lock where it changes this mode: another process may be making the store."""
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _is_current(self) -> bool:
        return "files" in [row[1] for row in self._connection.execute("PRAGMA table_info(items)")]

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                # SQLite has rolled back by itself where the disk is full.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise StateError(self.path, error) from error

    def finished(self, step: str, domain: str) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
        """(item_id, (item_key, payload)) of every finished item, one in memory."""
        rows = self._connection.execute(
            "SELECT item_id, item_key, payload FROM items WHERE step = ? AND domain = ?", (step, domain)
        )
        return ((item_id, (key, json.loads(payload))) for item_id, key, payload in rows)

    def finished_parts(self, step: str, domain: str, part: str) -> dict[str, Any]:
        """item_id → what the payload of a finished item has under a name; null where it has nothing there.

        Items whose parts are equal share one object.
        """
        rows = self._connection.execute(
            "SELECT item_id, json_extract(payload, '$.' || json_quote(?)) FROM items WHERE step = ? AND domain = ?",
            (part, step, domain),
        )
        known: dict[str | None, Any] = {None: None}
        return {
            item_id: known[text] if text in known else known.setdefault(text, json.loads(text))
            for item_id, text in rows
        }

    def finished_keys(self, step: str, domain: str) -> dict[str, tuple[str, Sizes]]:
        """item_id → (item_key, sizes of the files that it made) of every finished item; reads no payload."""
        rows = self._connection.execute(
            "SELECT item_id, item_key, files FROM items INDEXED BY item_keys WHERE step = ? AND domain = ?",
            (step, domain),
        )
        return {item_id: (key, _sizes(files)) for item_id, key, files in rows}

    def made_files(self, step: str, domain: str) -> Iterator[Sizes]:
        """Sizes of the files of each finished item of a step that has made any."""
        rows = self._connection.execute(
            "SELECT files FROM items INDEXED BY item_keys WHERE step = ? AND domain = ? AND files IS NOT NULL",
            (step, domain),
        )
        while some := rows.fetchmany(_AT_ONCE):
            # One text of many: a call for each of a million would take twice the time.
            for found in json.loads(f"[{','.join(files for (files,) in some)}]"):
                yield found if isinstance(found, dict) else dict.fromkeys(found)

    def note_sizes(self, step: str, sizes: Mapping[str, Sizes]) -> None:
        """Sizes of the files of finished items (by item_id) that were made before sizes were noted."""
        if sizes:
            with self._transaction():
                self._connection.executemany(
                    "UPDATE items SET files = ? WHERE step = ? AND item_id = ?",
                    ((_json(dict(made)), step, item_id) for item_id, made in sizes.items()),
                )

    def payloads(self, step: str, domain: str, keys: Mapping[str, str]) -> Payloads:
        """Payloads of the items (item_id → item_key); `keys` may grow as items are finished."""
        return Payloads(self.path, step, domain, keys)

    def failed_keys(self, step: str, domain: str) -> dict[str, tuple[str, str]]:
        """item_id → (item_key, code) of every quarantined item."""
        rows = self._connection.execute(
            "SELECT item_id, item_key, code FROM failures WHERE step = ? AND domain = ?", (step, domain)
        )
        return {item_id: (key, code) for item_id, key, code in rows}

    def settle(
        self, step: str, domain: str, finished: Sequence[FinishedItem], failed: Sequence[QuarantinedItem] = ()
    ) -> None:
        """In one transaction: a result ends an earlier failure of its item, a failure ends an earlier result.

        Attempts at the same content are counted.
        """
        now = datetime.now(UTC).isoformat()
        with self._transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO items (step, item_id, domain, item_key, payload, files) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                ((step, item.item_id, domain, item.item_key, _json(item.payload), _files(item)) for item in finished),
            )
            self._connection.executemany(
                "DELETE FROM failures WHERE step = ? AND item_id = ?", ((step, item.item_id) for item in finished)
            )
            self._connection.executemany(
                "DELETE FROM items WHERE step = ? AND item_id = ?", ((step, item.item_id) for item in failed)
            )
            self._connection.executemany(
                """INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
                ON CONFLICT (step, item_id) DO UPDATE SET
                  attempt_count = CASE WHEN item_key = excluded.item_key THEN attempt_count + 1 ELSE 1 END,
                  first_seen_at = CASE WHEN item_key = excluded.item_key THEN first_seen_at
                                  ELSE excluded.first_seen_at END,
                  item_key = excluded.item_key, domain = excluded.domain, path = excluded.path,
                  code = excluded.code, message = excluded.message, last_seen_at = excluded.last_seen_at,
                  input_sha256 = excluded.input_sha256, code_version = excluded.code_version""",
                (
                    (
                        *(step, item.item_id, domain, item.item_key, item.path, item.code, item.message),
                        *(now, now, item.input_sha256, item.code_version),
                    )
                    for item in failed
                ),
            )

    def named_files(self) -> set[str]:
        """Every file that a result names."""
        rows = self._connection.execute("SELECT files FROM items WHERE files IS NOT NULL")
        return {path for (files,) in rows for path in json.loads(files)}

    def forget_results_with(self, paths: Iterable[str]) -> int:
        """Drops results that name one of the files, so that the next run computes them again; how many."""
        wanted = set(paths)
        rows = self._connection.execute("SELECT step, item_id, files FROM items WHERE files IS NOT NULL").fetchall()
        gone = [(step, item_id) for step, item_id, files in rows if wanted & set(json.loads(files))]
        with self._transaction():
            self._connection.executemany("DELETE FROM items WHERE step = ? AND item_id = ?", gone)
        return len(gone)

    def fault(self) -> str | None:
        """What SQLite finds wrong with its own file."""
        found = [row[0] for row in self._connection.execute("PRAGMA quick_check(5)")]
        return None if found == ["ok"] else "; ".join(found)

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

    def forget_failures(self, domain: str, steps: Iterable[str]) -> None:
        """Drops the quarantine of steps; what they have finished stays."""
        with self._transaction():
            self._connection.executemany(
                "DELETE FROM failures WHERE step = ? AND domain = ?", ((step, domain) for step in steps)
            )

    def forget_others(self, step: str, domain: str, item_ids: Iterable[str]) -> None:
        """Drops state of items that are gone."""
        keep = set(item_ids)
        for table in ("items", "failures"):
            known = self._connection.execute(
                f"SELECT item_id FROM {table} WHERE step = ? AND domain = ?", (step, domain)
            ).fetchall()
            gone = [(step, item_id) for (item_id,) in known if item_id not in keep]
            if gone:
                with self._transaction():
                    self._connection.executemany(f"DELETE FROM {table} WHERE step = ? AND item_id = ?", gone)

    def forget(self, step: str, item_ids: Iterable[str]) -> None:
        """Drops results and failures of items."""
        gone = [(step, item_id) for item_id in item_ids]
        if gone:
            with self._transaction():
                for table in ("items", "failures"):
                    self._connection.executemany(f"DELETE FROM {table} WHERE step = ? AND item_id = ?", gone)

    def note_rate(self, step: str, domain: str, rate: Rate) -> None:
        """Remembers how long items took."""
        now = datetime.now(UTC).isoformat()
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO rates VALUES (?, ?, ?, ?, ?, ?)",
                (step, domain, rate.item_count, rate.weight, rate.seconds, now),
            )

    def rates(self) -> dict[tuple[str, str], Rate]:
        """The last known rate by step and domain."""
        rows = self._connection.execute("SELECT step, domain, item_count, weight, seconds FROM rates")
        return {(step, domain): Rate(*facts) for step, domain, *facts in rows}

    def note_failed_run(self, failed: FailedRun) -> None:
        """Remembers a failed run; of earlier ones at the same asset and domain none is kept."""
        with self._transaction():
            self._connection.execute(
                "DELETE FROM failed_runs WHERE asset = ? AND domain IS ?", (failed.asset, failed.domain)
            )
            self._connection.execute(
                "INSERT OR REPLACE INTO failed_runs VALUES (?, ?, ?, ?, ?, ?)",
                (*tuple(vars(failed).values())[:-1], failed.failed_at.isoformat()),
            )

    def failed_runs(self) -> list[FailedRun]:
        """The latest failure of each asset and domain, the newest first."""
        rows = self._connection.execute(
            "SELECT run_id, asset, domain, job, error, failed_at FROM failed_runs ORDER BY failed_at DESC"
        )
        return [
            FailedRun(run_id, asset, domain, job, error, datetime.fromisoformat(failed_at))
            for run_id, asset, domain, job, error, failed_at in rows
        ]

    def known_hashes(self, prefix: str = "") -> dict[str, tuple[int, int, str]]:
        """path → (size, mtime_ns, sha256) as last seen, of the paths that begin with `prefix`."""
        return self._known("files", prefix)

    def known_sidecars(self, prefix: str) -> dict[str, tuple[int, int, str]]:
        """The same of what lies beside media, and of what cannot be read; without a hash where none is needed."""
        return self._known("sidecars", prefix)

    def _known(self, table: str, prefix: str) -> dict[str, tuple[int, int, str]]:
        rows = self._connection.execute(
            f"SELECT path, size_bytes, mtime_ns, sha256 FROM {table} WHERE substr(path, 1, ?) = ?",
            (len(prefix), prefix),
        )
        return {path: (size, mtime, sha256) for path, size, mtime, sha256 in rows}

    def remember_sidecars(self, prefix: str, facts: Iterable[tuple[str, int, int, str]]) -> None:
        """Each (path, size, mtime_ns, sha256) in place of those that were known below the prefix."""
        wanted = {path: (path, *known) for path, *known in facts}
        before = self.known_sidecars(prefix)
        if wanted != {path: (path, *known) for path, known in before.items()}:
            with self._transaction():
                self._connection.executemany("DELETE FROM sidecars WHERE path = ?", ((path,) for path in before))
                self._connection.executemany("INSERT INTO sidecars VALUES (?, ?, ?, ?)", wanted.values())

    def remember_hashes(self, facts: Iterable[tuple[str, int, int, str]]) -> None:
        """Each (path, size, mtime_ns, sha256), in one transaction."""
        with self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", facts)

    def forget_hashes(self, paths: Iterable[str]) -> None:
        """Drops what is known of files that are gone or not to be trusted."""
        gone = [(path,) for path in paths]
        if gone:
            with self._transaction():
                self._connection.executemany("DELETE FROM files WHERE path = ?", gone)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _files(item: FinishedItem) -> str | None:
    named = item.payload.get("files")
    return _json(dict.fromkeys(named) | dict(item.sizes or {})) if named else None


def _sizes(files: str | None) -> Sizes:
    found = json.loads(files) if files else {}
    return found if isinstance(found, dict) else dict.fromkeys(found)
