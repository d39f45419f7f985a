"""Snapshots: named states of the warehouse, without media.

    snapshots/<name>/snapshot.json          when it was made, by which software, under which settings, of which files
    snapshots/<name>/warehouse/<table>/…    the files of the tables as they were, as second names of the same files

A build replaces the files of tables and never writes into one, so that a state is kept in no time and in no space but
that of tables which are others by now. Whoever asks of a snapshot gets a catalogue of it, which lies beside.

Belongs here: making, finding and removing them. Does not belong here: the views (`resources.catalogue`), and the rows
and media of releases.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.identity import file_sha256
from emovid_assets.core.placing import (
    is_leftover,
    make_folder,
    put_folder_into_place,
    put_text,
    remove,
    rename_folder,
    temporary_beside,
)
from emovid_assets.core.release.names import name_fault
from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import SNAPSHOT_NAME, Home
from emovid_assets.home.run_locks import RunLocks
from emovid_assets.home.settings_groups import counting
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES

FORMAT: Final = 1
LOCK: Final = ".lock"
"""Held by whoever makes or removes one."""


class SnapshotError(ValueError):
    """There is no such snapshot, or it cannot be made; the message says why, and what to do."""


class SnapshotExistsError(SnapshotError):
    """There is one of this name, and none is ever changed."""


@dataclass(frozen=True)
class Part:
    """The file of a table and domain. `path`: below the snapshot. `version`: the first 16 digits of its SHA-256."""

    table: str
    domain: str | None
    version: str
    row_count: int
    size_bytes: int
    path: str


@dataclass(frozen=True)
class Snapshot:
    """`settings`: those on which results depend, by key."""

    folder: Path
    name: str
    created_at: datetime
    software: str
    settings: Mapping[str, Any]
    parts: tuple[Part, ...]

    @property
    def home(self) -> Path:
        """The home that it is of: by where it lies, since homes are moved."""
        return self.folder.parent.parent

    @property
    def clip_count(self) -> int:
        return sum(part.row_count for part in self.parts if part.table == "clips")

    @property
    def size_bytes(self) -> int:
        """Of all its files, whether the home has them under another name or not."""
        return sum(part.size_bytes for part in self.parts)

    def files(self) -> dict[str, tuple[str, ...]]:
        """Below its folder, for every table that is known today."""
        return {name: tuple(part.path for part in self.parts if part.table == name) for name in TABLES}


@dataclass(frozen=True)
class Found:
    """Snapshots of a home, the oldest first, and a sentence for each folder that is none, by its name."""

    snapshots: tuple[Snapshot, ...]
    broken: Mapping[str, str]


def make_snapshot(home: Home, name: str, states: Mapping[tuple[str, str | None], str] | None = None) -> Snapshot:
    """Keeps the present state of all tables under a name. It is there whole, or not at all. `states`: of
    `states_of_tables` when they were read, where a later state is not what is meant.

    Raises SnapshotError where that cannot be, SnapshotExistsError where the name is taken, SettingsError, and OSError
    where the disk is full or read-only.
    """
    target = _place(home, name)
    settings = counting(home.settings())
    make_folder(home.snapshots)
    with locked(home.snapshots / LOCK):
        for leftover in [path for path in home.snapshots.iterdir() if is_leftover(path.name)]:
            # Of whoever was killed: nobody else writes here now.
            remove(leftover)
        if os.path.lexists(target):
            raise SnapshotExistsError(
                f"there is a snapshot {name}, and none is ever changed: give another name, or remove it first with: "
                f"emovid snapshot remove {name}"
            )
        refuse_while_runs_are_at_work(home)
        before = states_of_tables(home)
        if states is not None and before != states:
            raise _meanwhile()
        if not before:
            raise SnapshotError(f"nothing is built in {home.root} yet: type `emovid build` first")
        with put_folder_into_place(target) as folder:
            try:
                parts = [_keep(Warehouse(home.warehouse), folder, table, domain) for table, domain in before]
            except FileNotFoundError as error:
                raise _meanwhile() from error
            refuse_where_tables_were_replaced(home, before)
            said = {
                "format": FORMAT,
                "name": name,
                "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "software": version("emovid-assets"),
                "settings": settings,
                "parts": [asdict(part) for part in parts],
            }
            put_text(folder / SNAPSHOT_NAME, json.dumps(said, indent=1, ensure_ascii=False) + "\n")
    return read_snapshot(target)


def remove_snapshot(home: Home, name: str) -> None:
    """Removes a snapshot, or what is left of a damaged one. Raises SnapshotError where there is none of this name."""
    folder = _place(home, name)
    if not folder.is_dir():
        raise _missing(home, name)
    with locked(home.snapshots / LOCK), temporary_beside(folder) as gone:
        # In one step: nobody finds half of it.
        rename_folder(folder, gone)


def read_snapshot(folder: Path) -> Snapshot:
    """What a snapshot says of itself. Raises SnapshotError where it is damaged, or of a later version."""
    path = folder / SNAPSHOT_NAME
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["format"] > FORMAT:
            raise SnapshotError(f"{folder} was made by a later version of this program: update it")
        snapshot = Snapshot(
            folder=folder,
            name=folder.name,
            created_at=datetime.fromisoformat(said["created_at"]),
            software=str(said["software"]),
            settings=dict(said["settings"]),
            parts=tuple(Part(**part) for part in said["parts"]),
        )
    except FileNotFoundError as error:
        raise SnapshotError(f"{folder} is no snapshot: it has no {SNAPSHOT_NAME}; {_remove(folder)}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(f"{path} cannot be read ({error}); {_remove(folder)}") from error
    gone = next((part.path for part in snapshot.parts if not (folder / part.path).is_file()), None)
    if gone is not None:
        raise SnapshotError(f"snapshot {folder.name} is damaged: {gone} is gone; {_remove(folder)}")
    return snapshot


def find_snapshot(home: Home, name: str) -> Snapshot:
    """Raises SnapshotError, which says which there are."""
    folder = _place(home, name)
    if not folder.is_dir():
        raise _missing(home, name)
    return read_snapshot(folder)


def snapshots_of(home: Home) -> Found:
    """All of a home."""
    snapshots: list[Snapshot] = []
    broken: dict[str, str] = {}
    for folder in sorted(home.snapshots.iterdir()) if home.snapshots.is_dir() else ():
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        try:
            snapshots.append(read_snapshot(folder))
        except SnapshotError as error:
            broken[folder.name] = str(error)
    snapshots.sort(key=lambda snapshot: (snapshot.created_at, snapshot.name))
    return Found(tuple(snapshots), broken)


def snapshot_at(folder: Path) -> Snapshot | None:
    """The snapshot that a folder is; null where it is none, such as a home. Raises SnapshotError."""
    return read_snapshot(folder) if (folder / SNAPSHOT_NAME).is_file() else None


def _place(home: Home, name: str) -> Path:
    if fault := name_fault(name):
        raise SnapshotError(fault)
    return home.snapshots / name


def _missing(home: Home, name: str) -> SnapshotError:
    names = [snapshot.name for snapshot in snapshots_of(home).snapshots]
    there = f"there are {', '.join(names)}" if names else "there is none yet; make one with: emovid snapshot make NAME"
    return SnapshotError(f"there is no snapshot {name}: {there}")


def _remove(folder: Path) -> str:
    return f"remove it with: emovid snapshot remove {folder.name}"


def refuse_while_runs_are_at_work(home: Home) -> None:
    for run in RunLocks(home.runs_at_work).at_work():
        raise SnapshotError(
            f"{run.told} is at work, and the tables would not fit each other: wait for its end, then try again"
        )


def refuse_where_tables_were_replaced(home: Home, states: Mapping[tuple[str, str | None], str]) -> None:
    """Since `states_of_tables` said so: what was read in between would not fit each other. Raises SnapshotError."""
    refuse_while_runs_are_at_work(home)
    if states_of_tables(home) != states:
        raise _meanwhile()


def _meanwhile() -> SnapshotError:
    return SnapshotError("a build has replaced tables meanwhile: wait for its end, then try again")


def states_of_tables(home: Home) -> dict[tuple[str, str | None], str]:
    """By table and domain; another one once its file is replaced."""
    warehouse = Warehouse(home.warehouse)
    return {
        (table, domain): warehouse.state(table, domain)
        for table, domain in _all_parts()
        if warehouse.exists(table, domain)
    }


def _all_parts() -> Iterator[tuple[str, str | None]]:
    for table in TABLES.values():
        yield from ((table.name, domain) for domain in (DOMAINS if table.is_partitioned else (None,)))


def _keep(warehouse: Warehouse, folder: Path, table: str, domain: str | None) -> Part:
    present = warehouse.path(table, domain)
    # A file that this program has not written has no name of its own.
    source = warehouse.version(table, domain) or present
    kept = Warehouse(folder / "warehouse").path(table, domain)
    make_folder(kept.parent)
    try:
        os.link(source, kept)
    except FileNotFoundError:
        raise
    except OSError:
        # A file system without hard links, or one that allows no more of this file.
        shutil.copy2(source, kept)
    try:
        row_count = pq.read_metadata(kept).num_rows
    except (pa.ArrowException, OSError) as error:
        raise SnapshotError(f"table {table} cannot be read ({error}): build it again, then try again") from error
    digest = warehouse.state(table, domain) if source != present else file_sha256(kept)[:16]
    return Part(table, domain, digest, row_count, kept.stat().st_size, kept.relative_to(folder).as_posix())
