"""The statements that the catalogue is made of: views of tables, views and functions of `sql/`, their comments.

Belongs here: DuckDB's words. Does not belong here: where the file lies and when it is made (`catalogue`).
"""

# As text: annotations that keep a type of DuckDB to the end make a process with torch and Dagster print it as leaked
# (findings/duckdb_types_in_annotations_are_reported.sh).
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import HomeError, require_usable
from emovid_assets.resources.sql_files import (
    FILES_VIEW,
    HOME_PLACE,
    INFO_VIEW,
    SETTINGS_VIEW,
    CatalogueError,
    FunctionFile,
    ViewFile,
)
from emovid_assets.resources.warehouse import Warehouse, is_version
from emovid_assets.tables.columns import Table

_DUCKDB_TYPES: dict[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.float32(): "FLOAT",
    pa.bool_(): "BOOLEAN",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
}

SHAPE = "2"
"""To be raised where the views of given files become others: catalogues that are there are then built anew."""

_SOME_VALUE = {"VARCHAR": "''", "BIGINT": "0", "DOUBLE": "0"}


def duckdb_type(arrow_type: pa.DataType) -> str:
    """DuckDB's name of a column type of the registry. Raises KeyError for a type that the registry does not use."""
    if pa.types.is_list(arrow_type):
        return f"{duckdb_type(arrow_type.value_type)}[]"
    if pa.types.is_struct(arrow_type):
        fields = (f'"{field.name}" {duckdb_type(field.type)}' for field in arrow_type)
        return f"STRUCT({', '.join(fields)})"
    return _DUCKDB_TYPES[arrow_type]


def table_view_sql(table: Table, home: Path) -> str:
    """`create view` over the present versions of a table's Parquet files, with the registry's columns and types.

    Files that `Warehouse` has not written are read by the names that they have now.
    """
    home = resolved(home)
    return view_of_files_sql(table, home, table_files(table, home))


def view_of_files_sql(table: Table, home: Path, paths: tuple[str, ...]) -> str:
    """Where every file is a version that has all columns in the registry's types, nothing stands between the view and
    the files: DuckDB then counts by their footers, skips row groups and reads late what few rows need.

    Otherwise the first branch is a typed anchor without rows: with it the view works before any file exists, and
    an older file that lacks a column reads as null there. Without paths, whatever is there when it is asked.
    """
    if paths and all(_has_columns(table, home / path) for path in paths):
        return _plain_view_sql(table, home, paths)
    if paths:
        # A version that is gone must be an error: with allow_empty it would be a table without rows.
        files = _list_of(home, paths)
    else:
        pattern = "domain=*/part-0.parquet" if table.is_partitioned else "part-0.parquet"
        files = literal(f"{_escape_glob(str(home / 'warehouse' / table.name))}/{pattern}") + ", allow_empty = true"
    hive = "true" if table.is_partitioned else "false"
    columns = ",\n    ".join(_identifier(column.name) for column in table.columns)
    anchors = ",\n        ".join(
        f"null::{duckdb_type(column.type)} as {_identifier(column.name)}" for column in table.columns
    )
    return (
        f"create or replace view {_identifier(table.name)} as\nselect\n    {columns}\nfrom (\n"
        f"    select\n        {anchors}\n    where false\n"
        f"    union all by name\n"
        f"    select * from read_parquet({files}, "
        f"hive_partitioning = {hive}, union_by_name = true)\n)"
    )


def _plain_view_sql(table: Table, home: Path, paths: tuple[str, ...]) -> str:
    columns = ",\n    ".join(_identifier(column.name) for column in table.columns)
    hive = "true" if table.is_partitioned else "false"
    return (
        f"create or replace view {_identifier(table.name)} as\nselect\n    {columns}\n"
        f"from read_parquet({_list_of(home, paths)}, hive_partitioning = {hive})"
    )


def _list_of(home: Path, paths: tuple[str, ...]) -> str:
    return "[" + ", ".join(literal(_escape_glob(str(home / path))) for path in paths) + "]"


def _has_columns(table: Table, path: Path) -> bool:
    """Whether a file that never changes has every column of the registry in its type."""
    return is_version(path) and _columns_of(path) >= {(column.name, column.type) for column in table.columns}


@lru_cache(maxsize=4096)
def _columns_of(version: Path) -> frozenset[tuple[str, pa.DataType]]:
    """(name, type) of the columns of a version; none where it cannot be read."""
    try:
        return frozenset((field.name, field.type) for field in pq.read_schema(version))
    except (OSError, pa.ArrowInvalid):
        return frozenset()


def table_files(table: Table, home: Path) -> tuple[str, ...]:
    """What the view of a table names, below the home folder; nothing where no file has a version."""
    warehouse = Warehouse(home / "warehouse")
    domains = DOMAINS if table.is_partitioned else (None,)
    versions = {domain: warehouse.version(table.name, domain) for domain in domains}
    if not any(versions.values()):
        return ()
    paths = [
        version or warehouse.path(table.name, domain)
        for domain, version in versions.items()
        if version or warehouse.exists(table.name, domain)
    ]
    return tuple(path.relative_to(home).as_posix() for path in paths)


def create_function(connection: duckdb.DuckDBPyConnection, file: FunctionFile, home: Path) -> None:
    """`home`: the folder that `$home` in the file stands for, as a pattern of names."""
    try:
        statements = connection.extract_statements(file.sql.replace(HOME_PLACE, literal(_escape_glob(str(home)))))
        if len(statements) != 1:
            raise CatalogueError(f"{file.name}.sql holds {len(statements)} statements; keep one `create macro`.")
        connection.execute(statements[0])
        returned = _returned(connection, file)
        ((arguments,),) = connection.execute(
            "select parameters from duckdb_functions() where function_name = ? and not internal", [file.name]
        ).fetchall()
    except duckdb.Error as error:
        raise CatalogueError(f"{file.name}.sql does not run; correct it. DuckDB says: {error}") from error
    declared = [argument.name for argument in file.arguments]
    if arguments != declared or returned != file.returned:
        raise CatalogueError(
            f"{file.name}.sql: the header says ({', '.join(declared)}) and {file.returned}, the function has "
            f"({', '.join(arguments)}) and {returned}; make them alike."
        )
    comment = f"{file.signature}: {file.meaning} Returns {file.result}."
    kind = "macro table" if file.is_table else "macro"
    connection.execute(f"comment on {kind} {_identifier(file.name)} is {literal(comment)}")


def _returned(connection: duckdb.DuckDBPyConnection, file: FunctionFile) -> str:
    """The type of a function's value, or the columns of its table with theirs."""
    if file.is_table:
        # Files are named by texts, of which none may be null.
        given = ", ".join(f"{_SOME_VALUE[argument.type]}::{argument.type}" for argument in file.arguments)
        described = connection.execute(f"describe from {_identifier(file.name)}({given})").fetchall()
        return ", ".join(f"{name} {kind}" for name, kind, *_ in described)
    nulls = ", ".join(f"null::{argument.type}" for argument in file.arguments)
    ((_, returned, *_),) = connection.execute(f"describe select {_identifier(file.name)}({nulls})").fetchall()
    return str(returned)


def create_view(connection: duckdb.DuckDBPyConnection, file: ViewFile) -> None:
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


def create_table_view(connection: duckdb.DuckDBPyConnection, table: Table, home: Path, paths: tuple[str, ...]) -> None:
    for statement in (view_of_files_sql(table, home, paths), *table_comments(table)):
        connection.execute(statement)


def table_comments(table: Table) -> list[str]:
    return [
        _comment_on_view(table.name, f"{table.meaning} One row per {table.grain}."),
        *(_comment_on_column(table.name, column.name, column.meaning, column.unit) for column in table.columns),
    ]


def info_statements(fingerprint: str, home: Path) -> list[str]:
    return [
        f"create view {INFO_VIEW} as select {literal(fingerprint)} as fingerprint, {literal(str(home))} as home_path",
        _comment_on_view(INFO_VIEW, "What the catalogue was built from. One row."),
        _comment_on_column(
            INFO_VIEW, "fingerprint", "SHA-256 of registry, `sql/`, settings, place, DuckDB version", None
        ),
        _comment_on_column(INFO_VIEW, "home_path", "home folder whose warehouse the views read", None),
    ]


def settings_statements(settings: Mapping[str, Any]) -> list[str]:
    """What views judge by, where a number of theirs is a setting; by key."""
    rows = ", ".join(f"({literal(key)}, {literal(json.dumps(value))})" for key, value in settings.items())
    return [
        f"create view {SETTINGS_VIEW} as select * from (values {rows}) as known (key, value)",
        _comment_on_view(SETTINGS_VIEW, "The settings on which results depend. One row per setting."),
        _comment_on_column(SETTINGS_VIEW, "key", "section and name in `emovid.toml`", None),
        _comment_on_column(SETTINGS_VIEW, "value", "as JSON", None),
    ]


def files_statements(present: Mapping[str, tuple[str, ...]]) -> list[str]:
    rows = [
        f"select {literal(table)} as table_name, {literal(path)} as path"
        for table, paths in present.items()
        for path in paths
    ]
    none = "select null::varchar as table_name, null::varchar as path where false"
    return [
        f"create or replace view {FILES_VIEW} as {' union all '.join([none, *rows])}",
        _comment_on_view(FILES_VIEW, "Files that the views of the tables read. One row per file."),
        _comment_on_column(FILES_VIEW, "table_name", "table", None),
        _comment_on_column(FILES_VIEW, "path", "file below the home folder; its name holds the SHA-256", None),
    ]


def _comment_on_view(view: str, text: str) -> str:
    return f"comment on view {_identifier(view)} is {literal(text)}"


def _comment_on_column(view: str, column: str, meaning: str, unit: str | None) -> str:
    text = f"{meaning} [{unit}]" if unit else meaning
    return f"comment on column {_identifier(view)}.{_identifier(column)} is {literal(text)}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escape_glob(path: str) -> str:
    return re.sub(r"[*\[]", lambda match: f"[{match[0]}]", path)


def resolved(home: Path) -> Path:
    resolved = home.expanduser().resolve()
    try:
        require_usable(resolved)
    except HomeError as error:
        raise CatalogueError(str(error)) from error
    return resolved
