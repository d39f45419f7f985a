"""The catalogue: one DuckDB file of views and functions over the warehouse, safe to read at any time.

A DuckDB file that is written to shuts out every other process. So this one holds no data and is never written again:
each new one lies in a hidden folder of its own, and `catalogue.duckdb` is a link that is turned to it in one step.
DuckDB follows the link once and then opens the file three times, so a plain file that is renamed into place
could be opened half as the old and half as the new one. The data stay in Parquet. A view names the versions that its
table had when the catalogue was written (see `warehouse`): whoever opens it sees one state of all tables, whatever
a build replaces meanwhile. Each write of a table refreshes the catalogue.

Belongs here: views of the tables, functions and views of `sql/`, their comments, and whether a catalogue is current.
Does not belong here: what a view computes (that is in `sql/`), what a column means (that is in `tables`).
"""

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.placing import put_into_place
from emovid_assets.home.file_lock import locked
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import Table
from emovid_assets.tables.registry import TABLES

CATALOGUE_NAME = "catalogue.duckdb"
INFO_VIEW = "catalogue_info"
FILES_VIEW = "catalogue_files"

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
FUNCTION_FOLDER = "functions"
_VIEW_KEYS = ("view", "gives", "grain", "source", "depends on", "columns")
_FUNCTION_KEYS = ("function", "gives", "source", "depends on", "arguments", "returns")
_LIST_KEYS = ("columns", "arguments")
_KEY_LINE = re.compile(r"^-- ([a-z][a-z ]*): ?(.*)$")
_COLUMN_LINE = re.compile(r"^--   (\w+) \(([^,()]+)(?:, ([^()]+))?\): (.+)$")
_CONTINUATION = re.compile(r"^--   +(\S.*)$")
_FORMER_FOR_S = 30.0
"""How long a file stays after it was replaced: whoever has followed the link must have opened it by then."""
_FOLDER_PREFIX = ".catalogue-"
_LOCK = ".catalogue.lock"
"""Held by the one writer: each reads which files there are, and the later one must not know less."""
_OPENING_ATTEMPTS = 4
_Contents = tuple[str, dict[str, tuple[str, ...]]]
"""What the catalogue was built from, and the files that its views name by table."""


class CatalogueError(ValueError):
    """The catalogue cannot be built or opened; the message says what to do."""


@dataclass(frozen=True)
class ViewColumn:
    """One column of a view or argument of a function, as a header declares it. `type` is DuckDB's name of the type."""

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
class FunctionFile:
    """One file of `sql/functions/`: a scalar macro; `returns` is DuckDB's name of the type of its value."""

    name: str
    meaning: str
    source: str
    depends_on: tuple[str, ...]
    arguments: tuple[ViewColumn, ...]
    returns: str
    result: str
    note: str | None
    sql: str

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(argument.name for argument in self.arguments)})"


@dataclass(frozen=True)
class CatalogueSummary:
    """What was built: the functions and the views in the order of their creation."""

    path: Path
    functions: tuple[str, ...]
    views: tuple[str, ...]


_File = TypeVar("_File", ViewFile, FunctionFile)


@dataclass(frozen=True)
class _SqlFolder:
    functions: tuple[FunctionFile, ...]
    views: tuple[ViewFile, ...]


def split_sql_header(text: str) -> ViewFile:
    """Reads the header of a view file.

    The header is the comment at the top: `-- view: name`, then `gives`, `grain`, `source`, `depends on`
    (names, comma-separated, or `nothing`), optionally `note`, and at last `columns:` with a line
    `--   name (TYPE, unit): meaning` per column. Deeper indented lines continue the one above.

    Raises:
        CatalogueError: a key is missing, unknown or given twice, or a line has another shape.
    """
    values, columns = _read_header(text, "view", _VIEW_KEYS)
    return ViewFile(
        name=values["view"],
        meaning=values["gives"],
        grain=values["grain"],
        source=values["source"],
        depends_on=_names(values["depends on"]),
        columns=columns,
        note=values.get("note"),
        sql=text,
    )


def split_function_header(text: str) -> FunctionFile:
    """Reads the header of a function file.

    Like a view's, with `-- function: name` at the top, no grain, `arguments:` in the place of the columns, and
    `returns: TYPE; meaning` after them.

    Raises:
        CatalogueError: a key is missing, unknown or given twice, or a line has another shape.
    """
    values, arguments = _read_header(text, "function", _FUNCTION_KEYS)
    returns, separator, result = values["returns"].partition("; ")
    if not separator:
        raise CatalogueError(f"The header of function {values['function']}: write `-- returns: TYPE; meaning`.")
    return FunctionFile(
        name=values["function"],
        meaning=values["gives"],
        source=values["source"],
        depends_on=_names(values["depends on"]),
        arguments=arguments,
        returns=returns,
        result=result,
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
        file = _read_file(path, split_sql_header)
        if file.name in TABLES or file.name in (INFO_VIEW, FILES_VIEW):
            raise CatalogueError(f"{path.name}: {file.name} is the name of a table; choose another one.")
        files[file.name] = file
    return _ordered(files, known=set(TABLES))


def read_function_files(sql_folder: Path) -> tuple[FunctionFile, ...]:
    """The functions of `<sql_folder>/functions`, each after those that it depends on; none where there is no folder.

    Raises:
        CatalogueError: a wrong header, a name that is not the file's, an unknown dependency, or a circle.
    """
    paths = sorted((sql_folder / FUNCTION_FOLDER).glob("*.sql"))
    return _ordered({path.stem: _read_file(path, split_function_header) for path in paths}, known=set())


def duckdb_type(arrow_type: pa.DataType) -> str:
    """DuckDB's name of a column type of the registry. Raises KeyError for a type that the registry does not use."""
    return _DUCKDB_TYPES[arrow_type]


def table_view_sql(table: Table, home: Path) -> str:
    """`create view` over the present versions of a table's Parquet files, with the registry's columns and types.

    Files that `Warehouse` has not written are read by the names that they have now.
    """
    home = _resolved(home)
    return _table_view_sql(table, home, _table_files(table, home))


def _table_view_sql(table: Table, home: Path, paths: tuple[str, ...]) -> str:
    """The first branch is a typed anchor without rows: with it the view works before any file exists, and
    an older file that lacks a column reads as null there. Without paths, whatever is there when it is asked.
    """
    if paths:
        # A version that is gone must be an error: with allow_empty it would be a table without rows.
        files = "[" + ", ".join(_literal(_escape_glob(str(home / path))) for path in paths) + "]"
    else:
        pattern = "domain=*/part-0.parquet" if table.is_partitioned else "part-0.parquet"
        files = _literal(f"{_escape_glob(str(home / 'warehouse' / table.name))}/{pattern}") + ", allow_empty = true"
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


def _table_files(table: Table, home: Path) -> tuple[str, ...]:
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


def build_catalogue(home: Path, sql_folder: Path) -> CatalogueSummary:
    """Builds `<home>/catalogue.duckdb`, whatever is there now, and puts it into place in one step.

    The functions of `sql_folder`, one view per table of the registry, the views of `sql_folder`, then
    `catalogue_files` and `catalogue_info`; a comment on every function, view and column. The files of the warehouse
    need not exist.

    Raises:
        CatalogueError: a file does not run, or its header lists other columns or arguments than there are.
    """
    home = _resolved(home)
    files = _read_folder(sql_folder)
    home.mkdir(parents=True, exist_ok=True)
    with locked(home / _LOCK):
        _build(home, files)
    return CatalogueSummary(
        path=home / CATALOGUE_NAME,
        functions=tuple(function.name for function in files.functions),
        views=(*TABLES, *(view.name for view in files.views), FILES_VIEW, INFO_VIEW),
    )


def refresh_catalogue(home: Path, sql_folder: Path) -> bool:
    """Makes a catalogue that is there name the present files of all tables; returns whether it had to change.

    Only the views of tables with other files are written anew, into a copy that replaces the catalogue: some 40 ms.
    A catalogue of other views or another place is built anew.
    """
    home = _resolved(home)
    if not (home / CATALOGUE_NAME).exists():
        return False
    files = _read_folder(sql_folder)
    with locked(home / _LOCK):
        known = _contents(home)
        if known is None or known[0] != _fingerprint(home, files):
            _build(home, files)
            return True
        present = _present_files(home)
        changed = [table for name, table in TABLES.items() if present[name] != known[1][name]]
        if not changed:
            return False
        with _replacing(home, is_copy=True) as connection:
            for table in changed:
                _create_table_view(connection, table, home, present[table.name])
            for statement in _files_statements(present):
                connection.execute(statement)
    return True


def _build(home: Path, files: _SqlFolder) -> None:
    present = _present_files(home)
    with _replacing(home) as connection:
        for function in files.functions:
            _create_function(connection, function)
        for name, table in TABLES.items():
            _create_table_view(connection, table, home, present[name])
        for view in files.views:
            _create_view(connection, view)
        for statement in (*_files_statements(present), *_info_statements(_fingerprint(home, files), home)):
            connection.execute(statement)


@contextmanager
def _replacing(home: Path, *, is_copy: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new catalogue, or to a copy of the present one, which takes its place once the block has ended
    without an error."""
    # `mkdtemp` would shut out other users, who may read the rest of the home.
    folder = home / f"{_FOLDER_PREFIX}{secrets.token_hex(4)}"
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
        former = (home / CATALOGUE_NAME).resolve().parent
        with put_into_place(home / CATALOGUE_NAME) as link:
            link.symlink_to(built.relative_to(home))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if former.name.startswith(_FOLDER_PREFIX):
        # A home that was copied without hidden folders has a link that leads nowhere.
        with suppress(OSError):
            os.utime(former)
    _remove_former(home, folder)


def catalogue_is_current(home: Path, sql_folder: Path) -> bool:
    """Whether the catalogue is there, was built from this registry, these files, for this place, and names the present
    files of all tables."""
    home = _resolved(home)
    return _contents(home) == (_fingerprint(home, _read_folder(sql_folder)), _present_files(home))


def open_catalogue(home: Path, sql_folder: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection; makes the catalogue current first where it is not.

    It shows the tables as they are now as long as it is open. Use `.cursor()` for each further thread. The caller
    closes the connection.

    Raises:
        CatalogueError: see `build_catalogue`; also where builds replace tables faster than they can be opened.
    """
    home = _resolved(home)
    fingerprint = _fingerprint(home, _read_folder(sql_folder))
    # A build may replace a file in just this moment, hence more than one attempt.
    for _ in range(_OPENING_ATTEMPTS):
        connection = _opened(home, fingerprint)
        if connection is not None:
            return connection
        if not refresh_catalogue(home, sql_folder) and not (home / CATALOGUE_NAME).exists():
            build_catalogue(home, sql_folder)
    raise CatalogueError(
        "A build replaces the tables faster than they can be opened; wait for its end, then open the catalogue again."
    )


def _opened(home: Path, fingerprint: str) -> duckdb.DuckDBPyConnection | None:
    """A connection where the catalogue is current; null where it is missing, torn, or not what is wanted."""
    if not (home / CATALOGUE_NAME).exists():
        return None
    try:
        connection = duckdb.connect(str(home / CATALOGUE_NAME), read_only=True)
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
            connection.execute(f"attach {_literal(str(path))} as built (read_only); use built")
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
    return {name: _table_files(table, home) for name, table in TABLES.items()}


def _read_folder(sql_folder: Path) -> _SqlFolder:
    return _SqlFolder(read_function_files(sql_folder), read_view_files(sql_folder))


def _read_file(path: Path, split: Callable[[str], _File]) -> _File:
    try:
        file = split(path.read_text(encoding="utf-8"))
    except CatalogueError as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    if file.name != path.stem:
        kind = "view" if isinstance(file, ViewFile) else "function"
        raise CatalogueError(f"{path.name}: the header names the {kind} {file.name}; name both alike.")
    return file


def _ordered(files: Mapping[str, _File], known: set[str]) -> tuple[_File, ...]:
    """The files, each after those that it depends on, otherwise by name; `known` is there before all of them."""
    ordered: dict[str, _File] = {}
    waiting = dict(files)
    while waiting:
        ready = [name for name, file in waiting.items() if all(d in known or d in ordered for d in file.depends_on)]
        if not ready:
            unknown = {d for file in waiting.values() for d in file.depends_on} - known - set(files)
            if unknown:
                raise CatalogueError(
                    f"Nothing to depend on is named {', '.join(sorted(unknown))}; correct `depends on` in the headers."
                )
            raise CatalogueError(f"The files {', '.join(sorted(waiting))} depend on each other in a circle; break it.")
        for name in ready:
            ordered[name] = waiting.pop(name)
    return tuple(ordered.values())


def _read_header(text: str, first_key: str, required: tuple[str, ...]) -> tuple[dict[str, str], tuple[ViewColumn, ...]]:
    """The texts by key, and the lines of `columns` or `arguments`."""
    allowed = (*required, "note")
    values: dict[str, str] = {}
    columns: list[ViewColumn] = []
    key = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("--"):
            break
        if match := _KEY_LINE.match(line):
            key = match[1]
            if key not in allowed or key in values:
                problem = "is there twice" if key in values else f"is none of {', '.join(allowed)}"
                raise CatalogueError(f"Line {number} of the header: the key `{key}` {problem}; correct it.")
            values[key] = match[2]
        elif key in _LIST_KEYS and (match := _COLUMN_LINE.match(line)):
            columns.append(ViewColumn(match[1], match[2], match[3], match[4]))
        elif key is not None and (match := _CONTINUATION.match(line)):
            if key not in _LIST_KEYS:
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

    missing = [name for name in required if not (columns if name in _LIST_KEYS else values.get(name))]
    if missing:
        name = values.get(first_key, "without a name")
        raise CatalogueError(
            f"The header of {first_key} {name} lacks {', '.join(missing)}; add it at the top of the file."
        )
    return values, tuple(columns)


def _names(listed: str) -> tuple[str, ...]:
    return () if listed == "nothing" else tuple(name.strip() for name in listed.split(","))


def _create_function(connection: duckdb.DuckDBPyConnection, file: FunctionFile) -> None:
    nulls = ", ".join(f"null::{argument.type}" for argument in file.arguments)
    try:
        statements = connection.extract_statements(file.sql)
        if len(statements) != 1:
            raise CatalogueError(f"{file.name}.sql holds {len(statements)} statements; keep one `create macro`.")
        connection.execute(statements[0])
        ((_, returned, *_),) = connection.execute(f"describe select {_identifier(file.name)}({nulls})").fetchall()
        ((arguments,),) = connection.execute(
            "select parameters from duckdb_functions() where function_name = ? and not internal", [file.name]
        ).fetchall()
    except duckdb.Error as error:
        raise CatalogueError(f"{file.name}.sql does not run; correct it. DuckDB says: {error}") from error
    declared = [argument.name for argument in file.arguments]
    if arguments != declared or returned != file.returns:
        raise CatalogueError(
            f"{file.name}.sql: the header says ({', '.join(declared)}) and {file.returns}, the function has "
            f"({', '.join(arguments)}) and {returned}; make them alike."
        )
    comment = f"{file.signature}: {file.meaning} Returns {file.result}."
    connection.execute(f"comment on macro {_identifier(file.name)} is {_literal(comment)}")


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


def _create_table_view(connection: duckdb.DuckDBPyConnection, table: Table, home: Path, paths: tuple[str, ...]) -> None:
    for statement in (_table_view_sql(table, home, paths), *_table_comments(table)):
        connection.execute(statement)


def _table_comments(table: Table) -> list[str]:
    return [
        _comment_on_view(table.name, f"{table.meaning} One row per {table.grain}."),
        *(_comment_on_column(table.name, column.name, column.meaning, column.unit) for column in table.columns),
    ]


def _info_statements(fingerprint: str, home: Path) -> list[str]:
    return [
        f"create view {INFO_VIEW} as select {_literal(fingerprint)} as fingerprint, {_literal(str(home))} as home_path",
        _comment_on_view(INFO_VIEW, "What the catalogue was built from. One row."),
        _comment_on_column(INFO_VIEW, "fingerprint", "SHA-256 of registry, `sql/`, place and DuckDB version", None),
        _comment_on_column(INFO_VIEW, "home_path", "home folder whose warehouse the views read", None),
    ]


def _files_statements(present: Mapping[str, tuple[str, ...]]) -> list[str]:
    rows = [
        f"select {_literal(table)} as table_name, {_literal(path)} as path"
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


def _fingerprint(home: Path, files: _SqlFolder) -> str:
    digest = hashlib.sha256(duckdb.__version__.encode())
    for table in TABLES.values():
        for statement in (_table_view_sql(table, home, ()), *_table_comments(table)):
            digest.update(statement.encode() + b"\0")
    for sql in (*(function.sql for function in files.functions), *(view.sql for view in files.views)):
        digest.update(sql.encode() + b"\0")
    return digest.hexdigest()


def _remove_former(home: Path, present: Path) -> None:
    """Removes catalogues that were replaced some time ago, and what killed builds left. Needs the lock."""
    for folder in home.glob(f"{_FOLDER_PREFIX}*"):
        if folder != present and time.time() - folder.stat().st_mtime > _FORMER_FOR_S:
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
