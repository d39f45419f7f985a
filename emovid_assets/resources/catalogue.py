"""The catalogue: one DuckDB file of views and functions over the warehouse, safe to read at any time.

A DuckDB file that is written to shuts out every other process. So this one holds no data and is never written again:
each new one lies in a hidden folder of its own, and `catalogue.duckdb` is a link that is turned to it in one step.
DuckDB follows the link once and then opens the file three times, so a plain file that is renamed into place
could be opened half as the old and half as the new one. The data stay in Parquet. A view names the versions that its
table had when the catalogue was written (see `warehouse`): whoever opens it sees one state of all tables, whatever
a build replaces meanwhile. What has written tables refreshes the catalogue (`refreshing`).

Belongs here: making the file, turning the link, opening it, and whether it is current. Does not belong here: what is in
it (`catalogue_statements`), the headers of `sql/` (`sql_files`), what a view computes (`sql/`).
"""

# As text: annotations that keep a type of DuckDB to the end make a process with torch and Dagster print it as leaked
# (findings/duckdb_types_in_annotations_are_reported.sh).
from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from emovid_assets.core.placing import put_into_place
from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import CATALOGUE_NAME as CATALOGUE_NAME
from emovid_assets.home.folders import Home
from emovid_assets.home.reading import reading_place
from emovid_assets.home.settings import Settings
from emovid_assets.home.settings_groups import counting
from emovid_assets.resources.catalogue_statements import (
    SHAPE,
    create_function,
    create_table_view,
    create_view,
    files_statements,
    info_statements,
    literal,
    resolved,
    settings_statements,
    table_comments,
    table_files,
    view_of_files_sql,
)
from emovid_assets.resources.page_files import CATALOGUE_FOLDER, is_whole_catalogue, note_size
from emovid_assets.resources.release.snapshots import Snapshot, SnapshotError, snapshot_at
from emovid_assets.resources.sql_files import (
    FILES_VIEW,
    INFO_VIEW,
    SETTINGS_VIEW,
    CatalogueError,
    SqlFolder,
    read_sql_folder,
)
from emovid_assets.tables.registry import TABLES

_FORMER_FOR_S = 30.0
"""How long a file stays after it was replaced: whoever has followed the link must have opened it by then."""
_LOCK = ".catalogue.lock"
"""Held by the one writer: each reads which files there are, and the later one must not know less."""
_OPENING_S = 10.0
"""How long is tried to open what builds replace: two at once in a new home make a table every moment."""
_Contents = tuple[str, dict[str, tuple[str, ...]]]
"""What the catalogue was built from, and the files that its views name by table."""


@dataclass(frozen=True)
class CatalogueSummary:
    """What was built: the functions and the views in the order of their creation."""

    path: Path
    functions: tuple[str, ...]
    views: tuple[str, ...]


def build_catalogue(home: Path, sql_folder: Path) -> CatalogueSummary:
    """Builds `<home>/catalogue.duckdb`, whatever is there now, and puts it into place in one step.

    The functions of `sql_folder`, one view per table of the registry, the views of `sql_folder`, then
    `catalogue_files`, `catalogue_info` and `library_settings`; a comment on every function, view and column. The files
    of the warehouse need not exist. `home` may be the folder of a snapshot: its views read the tables as they were.

    Raises:
        CatalogueError: a file does not run, or its header lists other columns or arguments than there are.
        SettingsError: the settings file is faulty.
    """
    home = resolved(home)
    files = read_sql_folder(sql_folder)
    home.mkdir(parents=True, exist_ok=True)
    with locked(home / _LOCK):
        _build(home, files)
    return _summary(home, files)


def current_catalogue(home: Path, sql_folder: Path) -> CatalogueSummary:
    """The same where there is none that can be read, or one of other views; else the views of tables with other files
    alone are made anew. Raises as `build_catalogue`."""
    home = resolved(home)
    if (home / CATALOGUE_NAME).exists():
        refresh_catalogue(home, sql_folder)
        return _summary(home, read_sql_folder(sql_folder))
    return build_catalogue(home, sql_folder)


def _summary(home: Path, files: SqlFolder) -> CatalogueSummary:
    return CatalogueSummary(
        path=home / CATALOGUE_NAME,
        functions=tuple(function.name for function in files.functions),
        views=(*TABLES, *(view.name for view in files.views), FILES_VIEW, INFO_VIEW, SETTINGS_VIEW),
    )


def refresh_catalogue(home: Path, sql_folder: Path) -> bool:
    """Makes a catalogue that is there name the present files of all tables; returns whether it had to change.

    Only the views of tables with other files are written anew, into a copy that replaces the catalogue: some 40 ms.
    A catalogue of other views or another place is built anew.
    """
    home = resolved(home)
    if not (home / CATALOGUE_NAME).exists():
        return False
    files = read_sql_folder(sql_folder)
    with locked(home / _LOCK):
        known = _contents(home)
        is_ours = known is not None and known[0] == _fingerprint(home, files)
        if known is None or not (is_ours and is_whole_catalogue(home / CATALOGUE_NAME)):
            _build(home, files)
            return True
        present = _present_files(home)
        changed = [table for name, table in TABLES.items() if present[name] != known[1][name]]
        if not changed:
            return False
        with _replacing(home, is_copy=True) as connection:
            for table in changed:
                create_table_view(connection, table, home, present[table.name])
            for statement in files_statements(present):
                connection.execute(statement)
    return True


def _build(home: Path, files: SqlFolder) -> None:
    present = _present_files(home)
    with _replacing(home) as connection:
        _fill(connection, home, files, present)


def _fill(
    connection: duckdb.DuckDBPyConnection, home: Path, files: SqlFolder, present: Mapping[str, tuple[str, ...]]
) -> None:
    asked = _home_of(home)
    for function in files.functions:
        if not function.is_table:
            create_function(connection, function, asked)
    for name, table in TABLES.items():
        create_table_view(connection, table, home, present[name])
    for statement in settings_statements(_settings_of(home)):
        connection.execute(statement)
    for view in files.views:
        create_view(connection, view)
    for function in files.functions:
        if function.is_table:
            create_function(connection, function, asked)
    for statement in (*files_statements(present), *info_statements(_fingerprint(home, files), home)):
        connection.execute(statement)


@contextmanager
def _replacing(home: Path, *, is_copy: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new catalogue, or to a copy of the present one, which takes its place once the block has ended
    without an error."""
    # `mkdtemp` would shut out other users, who may read the rest of the home.
    folder = home / f"{CATALOGUE_FOLDER}{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        built = folder / CATALOGUE_NAME
        if is_copy:
            shutil.copyfile(home / CATALOGUE_NAME, built)
        with duckdb.connect(str(built)) as connection:
            # Each of the hundreds of statements would wait for the disk otherwise.
            connection.begin()
            yield connection
            connection.commit()
        note_size(built)
        former = (home / CATALOGUE_NAME).resolve().parent
        with put_into_place(home / CATALOGUE_NAME) as link:
            link.symlink_to(built.relative_to(home))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if former.name.startswith(CATALOGUE_FOLDER):
        # A home that was copied without hidden folders has a link that leads nowhere.
        with suppress(OSError):
            os.utime(former)
    _remove_former(home, folder)


def catalogue_is_current(home: Path, sql_folder: Path) -> bool:
    """Whether the catalogue is there, was built from this registry, these files, for this place, and names the present
    files of all tables."""
    home = resolved(home)
    return _contents(home) == (_fingerprint(home, read_sql_folder(sql_folder)), _present_files(home))


def open_catalogue(home: Path, sql_folder: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection; makes the catalogue current first where it is not, outside of a home that may not be
    written.

    It shows the tables as they are now as long as it is open. Use `.cursor()` for each further thread. The caller
    closes the connection.

    Raises:
        CatalogueError: see `build_catalogue`; also where builds replace tables faster than they can be opened.
    """
    home = resolved(home)
    files = read_sql_folder(sql_folder)
    fingerprint = _fingerprint(home, files)
    if not Home(home).is_writable:
        return _opened(home, fingerprint) or _opened_elsewhere(home, files)
    # A build may replace a file in just this moment, hence more than one attempt.
    until = time.monotonic() + _OPENING_S
    while True:
        connection = _opened(home, fingerprint)
        if connection is not None:
            return connection
        is_late = time.monotonic() > until
        if not refresh_catalogue(home, sql_folder) and not (home / CATALOGUE_NAME).exists():
            build_catalogue(home, sql_folder)
        if is_late:
            raise CatalogueError(
                "A build replaces the tables faster than they can be opened; wait for its end, then try again."
            )


def _opened_elsewhere(home: Path, files: SqlFolder) -> duckdb.DuckDBPyConnection:
    """A connection to a catalogue of this moment that is nobody else's."""
    built = reading_place() / f"{secrets.token_hex(4)}.duckdb"
    with duckdb.connect(str(built)) as connection:
        connection.begin()
        _fill(connection, home, files, _present_files(home))
        connection.commit()
    return duckdb.connect(str(built), read_only=True)


def _opened(home: Path, fingerprint: str) -> duckdb.DuckDBPyConnection | None:
    """A connection where the catalogue is current; null where it is missing, torn, or not what is wanted."""
    if not (home / CATALOGUE_NAME).exists():
        return None
    # Beside the file, unless nothing may be written there.
    spilling = {} if Home(home).is_writable else {"temp_directory": str(reading_place())}
    try:
        connection = duckdb.connect(str(home / CATALOGUE_NAME), read_only=True, config=spilling)
        if _contents_of(connection) == (fingerprint, _present_files(home)):
            return connection
    except duckdb.Error:
        return None
    connection.close()
    return None


def _contents(home: Path) -> _Contents | None:
    """Of the catalogue that is there; null where there is none."""
    path = home / CATALOGUE_NAME
    if not path.exists():
        return None
    try:
        # Attached to a database of its own: connecting to the path would join an instance that this process already
        # has open, with its settings.
        with duckdb.connect() as connection:
            connection.execute(f"attach {literal(str(path))} as built (read_only); use built")
            return _contents_of(connection)
    except duckdb.Error:
        # Torn by a crash of the machine, of another DuckDB, or not ours: to be built again.
        return None


def _contents_of(connection: duckdb.DuckDBPyConnection) -> _Contents:
    # All rows are fetched: a result left open would block the caller's first query.
    ((fingerprint,),) = connection.execute(f"select fingerprint from {INFO_VIEW}").fetchall()
    files: dict[str, list[str]] = {name: [] for name in TABLES}
    for table, path in connection.execute(f"select table_name, path from {FILES_VIEW}").fetchall():
        files.setdefault(table, []).append(path)
    return fingerprint, {table: tuple(paths) for table, paths in files.items()}


def _present_files(home: Path) -> dict[str, tuple[str, ...]]:
    snapshot = _snapshot(home)
    return snapshot.files() if snapshot else {name: table_files(table, home) for name, table in TABLES.items()}


def _settings_of(home: Path) -> Mapping[str, Any]:
    """Under which the tables were built. What a snapshot is too old to know is as it is where nobody has set it."""
    snapshot = _snapshot(home)
    return {**counting(Settings()), **snapshot.settings} if snapshot else counting(Home(home).settings())


def _home_of(home: Path) -> Path:
    """Where snapshots and releases lie."""
    snapshot = _snapshot(home)
    return snapshot.home if snapshot else home


def _snapshot(home: Path) -> Snapshot | None:
    try:
        return snapshot_at(home)
    except SnapshotError as error:
        raise CatalogueError(str(error)) from error


def _fingerprint(home: Path, files: SqlFolder) -> str:
    digest = hashlib.sha256(f"{duckdb.__version__} {SHAPE}".encode())
    for table in TABLES.values():
        for statement in (view_of_files_sql(table, home, ()), *table_comments(table)):
            digest.update(statement.encode() + b"\0")
    for statement in settings_statements(_settings_of(home)):
        digest.update(statement.encode() + b"\0")
    for sql in (*(function.sql for function in files.functions), *(view.sql for view in files.views)):
        digest.update(sql.encode() + b"\0")
    return digest.hexdigest()


def _remove_former(home: Path, present: Path) -> None:
    """Removes catalogues that were replaced some time ago, and what killed builds left. Needs the lock. The present one
    has just been made, by the clock that has stamped the others."""
    now_s = present.stat().st_mtime
    for folder in home.glob(f"{CATALOGUE_FOLDER}*"):
        if folder != present and now_s - folder.stat().st_mtime > _FORMER_FOR_S:
            shutil.rmtree(folder, ignore_errors=True)
