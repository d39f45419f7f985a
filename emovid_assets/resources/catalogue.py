"""The catalogue: one DuckDB file of views over the warehouse, safe to read at any time.

A DuckDB file that is written to shuts out every other process. So this one holds views only, is built
beside under a hidden temporary name and renamed into place: readers keep the file that they opened, and
never see half of one. The data stay in Parquet, and a view reads them anew with every query.

Belongs here: views of the tables, views of `sql/`, their comments, and whether a catalogue is current.
Does not belong here: what a view computes (that is in `sql/`), what a column means (that is in `tables.py`).
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from emovid_assets.tables import TABLES, Table

CATALOGUE_NAME = "catalogue.duckdb"
INFO_VIEW = "catalogue_info"

_DUCKDB_TYPES: dict[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
    pa.list_(pa.float64()): "DOUBLE[]",
    pa.list_(pa.float32()): "FLOAT[]",
    pa.list_(pa.string()): "VARCHAR[]",
}
_HEADER_KEYS = ("view", "gives", "grain", "source", "depends on", "note", "columns")
_REQUIRED_KEYS = ("view", "gives", "grain", "source", "depends on", "columns")
_KEY_LINE = re.compile(r"^-- ([a-z][a-z ]*): ?(.*)$")
_COLUMN_LINE = re.compile(r"^--   (\w+) \(([^,()]+)(?:, ([^()]+))?\): (.+)$")
_CONTINUATION = re.compile(r"^--   +(\S.*)$")
_ABANDONED_AFTER_S = 3600.0


class CatalogueError(ValueError):
    """The catalogue cannot be built or opened; the message says what to do."""


@dataclass(frozen=True)
class ViewColumn:
    """One column of a view, as its file's header declares it. `type` is DuckDB's name of the type."""

    name: str
    type: str
    unit: str | None
    meaning: str


@dataclass(frozen=True)
class ViewFile:
    """One file of `sql/`: the header, parsed, and the whole text (comments are valid SQL)."""

    name: str
    meaning: str
    grain: str
    source: str
    depends_on: tuple[str, ...]
    columns: tuple[ViewColumn, ...]
    note: str | None
    sql: str


@dataclass(frozen=True)
class CatalogueSummary:
    """What was built: the views in the order of their creation."""

    path: Path
    views: tuple[str, ...]


def split_sql_header(text: str) -> ViewFile:
    """Reads the header of a view file.

    The header is the comment at the top: `-- view: name`, then `gives`, `grain`, `source`, `depends on`
    (names, comma-separated, or `nothing`), optionally `note`, and at last `columns:` with a line
    `--   name (TYPE, unit): meaning` per column. Deeper indented lines continue the one above.

    Raises:
        CatalogueError: a key is missing, unknown or given twice, or a line has another shape.
    """
    values: dict[str, str] = {}
    columns: list[ViewColumn] = []
    key = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("--"):
            break
        if match := _KEY_LINE.match(line):
            key = match[1]
            if key not in _HEADER_KEYS or key in values:
                problem = "is there twice" if key in values else f"is none of {', '.join(_HEADER_KEYS)}"
                raise CatalogueError(f"Line {number} of the header: the key `{key}` {problem}; correct it.")
            values[key] = match[2]
        elif key == "columns" and (match := _COLUMN_LINE.match(line)):
            columns.append(ViewColumn(match[1], match[2], match[3], match[4]))
        elif key is not None and (match := _CONTINUATION.match(line)):
            if key != "columns":
                values[key] = f"{values[key]} {match[1]}".strip()
            elif columns and line.startswith("--     "):
                last = columns.pop()
                columns.append(ViewColumn(last.name, last.type, last.unit, f"{last.meaning} {match[1]}"))
            else:
                raise CatalogueError(
                    f"Line {number} of the header: write a column as `--   name (TYPE, unit): meaning`, got: {line}"
                )
        else:
            raise CatalogueError(f"Line {number} of the header: write `-- key: value`, got: {line}")

    missing = [name for name in _REQUIRED_KEYS if not (columns if name == "columns" else values.get(name))]
    if missing:
        name = values.get("view", "without a name")
        raise CatalogueError(f"The header of view {name} lacks {', '.join(missing)}; add it at the top of the file.")
    depends_on = values["depends on"]
    return ViewFile(
        name=values["view"],
        meaning=values["gives"],
        grain=values["grain"],
        source=values["source"],
        depends_on=() if depends_on == "nothing" else tuple(name.strip() for name in depends_on.split(",")),
        columns=tuple(columns),
        note=values.get("note"),
        sql=text,
    )


def read_view_files(sql_folder: Path) -> tuple[ViewFile, ...]:
    """The views of a folder, each after those that it depends on, otherwise by name.

    Raises:
        CatalogueError: no file, a wrong header, a name that is not the file's or is taken by a table,
            an unknown dependency, or a circle of dependencies.
    """
    paths = sorted(sql_folder.glob("*.sql"))
    if not paths:
        raise CatalogueError(f"No view files (*.sql) in {sql_folder}; give the folder `sql` of the project.")
    files: dict[str, ViewFile] = {}
    for path in paths:
        try:
            file = split_sql_header(path.read_text(encoding="utf-8"))
        except CatalogueError as error:
            raise CatalogueError(f"{path.name}: {error}") from error
        if file.name != path.stem:
            raise CatalogueError(f"{path.name}: the header names the view {file.name}; name both alike.")
        if file.name in TABLES or file.name == INFO_VIEW:
            raise CatalogueError(f"{path.name}: {file.name} is the name of a table; choose another one.")
        files[file.name] = file

    ordered: dict[str, ViewFile] = {}
    waiting = dict(files)
    while waiting:
        ready = [name for name, file in waiting.items() if all(d in TABLES or d in ordered for d in file.depends_on)]
        if not ready:
            unknown = {d for file in waiting.values() for d in file.depends_on} - set(TABLES) - set(files)
            if unknown:
                raise CatalogueError(
                    f"No table and no view is named {', '.join(sorted(unknown))}; correct `depends on` in the headers."
                )
            raise CatalogueError(f"The views {', '.join(sorted(waiting))} depend on each other in a circle; break it.")
        for name in ready:
            ordered[name] = waiting.pop(name)
    return tuple(ordered.values())


def duckdb_type(arrow_type: pa.DataType) -> str:
    """DuckDB's name of a column type of the registry. Raises KeyError for a type that the registry does not use."""
    return _DUCKDB_TYPES[arrow_type]


def table_view_sql(table: Table, home: Path) -> str:
    """`create view` over a table's Parquet files, with the registry's columns and types.

    The first branch is a typed anchor without rows: with it the view works before any file exists, and
    an older file that lacks a column reads as null there.
    """
    pattern = "domain=*/part-0.parquet" if table.is_partitioned else "part-0.parquet"
    files = f"{_escape_glob(str(_resolved(home) / 'warehouse' / table.name))}/{pattern}"
    hive = "true" if table.is_partitioned else "false"
    columns = ",\n    ".join(_identifier(column.name) for column in table.columns)
    anchors = ",\n        ".join(
        f"null::{duckdb_type(column.type)} as {_identifier(column.name)}" for column in table.columns
    )
    return (
        f"create view {_identifier(table.name)} as\nselect\n    {columns}\nfrom (\n"
        f"    select\n        {anchors}\n    where false\n"
        f"    union all by name\n"
        f"    select * from read_parquet({_literal(files)}, allow_empty = true, "
        f"hive_partitioning = {hive}, union_by_name = true)\n)"
    )


def build_catalogue(home: Path, sql_folder: Path) -> CatalogueSummary:
    """Builds `<home>/catalogue.duckdb`, whatever is there now, and puts it into place in one step.

    One view per table of the registry, then the views of `sql_folder`, then `catalogue_info`; a comment on
    every view and column. The files of the warehouse need not exist.

    Raises:
        CatalogueError: a view file does not run, or its header lists other columns than the view has.
    """
    home = _resolved(home)
    files = read_view_files(sql_folder)
    home.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(home)
    folder = Path(tempfile.mkdtemp(prefix=".catalogue-", dir=home))
    try:
        built = folder / CATALOGUE_NAME
        with duckdb.connect(str(built)) as connection:
            for table in TABLES.values():
                connection.execute(table_view_sql(table, home))
                for statement in _table_comments(table):
                    connection.execute(statement)
            for file in files:
                _create_view(connection, file)
            for statement in _info_statements(_fingerprint(home, files), home):
                connection.execute(statement)
        os.replace(built, home / CATALOGUE_NAME)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return CatalogueSummary(home / CATALOGUE_NAME, (*TABLES, *(file.name for file in files), INFO_VIEW))


def catalogue_is_current(home: Path, sql_folder: Path) -> bool:
    """Whether the catalogue is there and was built from this registry, these view files, for this place."""
    home = _resolved(home)
    path = home / CATALOGUE_NAME
    if not path.exists():
        return False
    try:
        # Attached to a database of its own: connecting to the path would join an instance that this process
        # already has open, which may be of a file that has been replaced since.
        with duckdb.connect() as connection:
            connection.execute(f"attach {_literal(str(path))} as built (read_only)")
            rows = connection.execute(f"select fingerprint from built.{INFO_VIEW}").fetchall()
    except duckdb.Error:
        # Torn by a crash of the machine, of another DuckDB, or not ours: to be built again.
        return False
    return rows == [(_fingerprint(home, read_view_files(sql_folder)),)]


def open_catalogue(home: Path, sql_folder: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection; builds the catalogue first where it is missing or not current.

    Use `.cursor()` for each further thread. The caller closes the connection.

    Raises:
        CatalogueError: see `build_catalogue`; also where this process still holds a connection to a
            catalogue of other views, since DuckDB would hand out that one again.
    """
    home = _resolved(home)
    if not catalogue_is_current(home, sql_folder):
        build_catalogue(home, sql_folder)
    connection = duckdb.connect(str(home / CATALOGUE_NAME), read_only=True)
    # All rows are fetched: a result left open would block the caller's first query.
    rows = connection.execute(f"select fingerprint from {INFO_VIEW}").fetchall()
    if rows != [(_fingerprint(home, read_view_files(sql_folder)),)]:
        connection.close()
        raise CatalogueError(
            "This process still has the former catalogue open; close its connections, then open the catalogue again."
        )
    return connection


def _create_view(connection: duckdb.DuckDBPyConnection, file: ViewFile) -> None:
    try:
        statements = connection.extract_statements(file.sql)
        if len(statements) != 1:
            raise CatalogueError(f"{file.name}.sql holds {len(statements)} statements; keep one `create view`.")
        connection.execute(statements[0])
        actual = connection.execute(
            "select column_name, data_type from duckdb_columns() where table_name = ? order by column_index",
            [file.name],
        ).fetchall()
    except duckdb.Error as error:
        raise CatalogueError(f"{file.name}.sql does not run; correct it. DuckDB says: {error}") from error
    declared = [(column.name, column.type) for column in file.columns]
    if actual != declared:
        in_header = [f"{name} ({kind})" for name, kind in declared if (name, kind) not in actual]
        in_view = [f"{name} ({kind})" for name, kind in actual if (name, kind) not in declared]
        raise CatalogueError(
            f"{file.name}.sql: list in the header the columns that the view has, in their order. "
            f"Only in the header: {', '.join(in_header) or 'none'}. Only in the view: {', '.join(in_view) or 'none'}."
        )
    connection.execute(_comment_on_view(file.name, f"{file.meaning} One row per {file.grain}."))
    for column in file.columns:
        connection.execute(_comment_on_column(file.name, column.name, column.meaning, column.unit))


def _table_comments(table: Table) -> list[str]:
    return [
        _comment_on_view(table.name, f"{table.meaning} One row per {table.grain}."),
        *(_comment_on_column(table.name, column.name, column.meaning, column.unit) for column in table.columns),
    ]


def _info_statements(fingerprint: str, home: Path) -> list[str]:
    return [
        f"create view {INFO_VIEW} as select {_literal(fingerprint)} as fingerprint, {_literal(str(home))} as home_path",
        _comment_on_view(INFO_VIEW, "What the catalogue was built from. One row."),
        _comment_on_column(INFO_VIEW, "fingerprint", "SHA-256 of registry, view files, place and DuckDB version", None),
        _comment_on_column(INFO_VIEW, "home_path", "home folder whose warehouse the views read", None),
    ]


def _fingerprint(home: Path, files: tuple[ViewFile, ...]) -> str:
    digest = hashlib.sha256(duckdb.__version__.encode())
    for table in TABLES.values():
        for statement in (table_view_sql(table, home), *_table_comments(table)):
            digest.update(statement.encode() + b"\0")
    for file in files:
        digest.update(file.sql.encode() + b"\0")
    return digest.hexdigest()


def _remove_abandoned(home: Path) -> None:
    """Removes what a killed build left; a younger folder may belong to a build that runs now."""
    for folder in home.glob(".catalogue-*"):
        try:
            age_s = time.time() - folder.stat().st_mtime
        except FileNotFoundError:
            continue
        if age_s > _ABANDONED_AFTER_S:
            shutil.rmtree(folder, ignore_errors=True)


def _resolved(home: Path) -> Path:
    resolved = home.expanduser().resolve()
    if "?" in str(resolved):
        # DuckDB takes what follows a question mark for the options of an address.
        raise CatalogueError(f"DuckDB cannot open files below {resolved}; choose a home folder without `?`.")
    return resolved


def _comment_on_view(view: str, text: str) -> str:
    return f"comment on view {_identifier(view)} is {_literal(text)}"


def _comment_on_column(view: str, column: str, meaning: str, unit: str | None) -> str:
    text = f"{meaning} [{unit}]" if unit else meaning
    return f"comment on column {_identifier(view)}.{_identifier(column)} is {_literal(text)}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escape_glob(path: str) -> str:
    return re.sub(r"[*\[]", lambda match: f"[{match[0]}]", path)
