"""What there is to query, and what to try after a mistake.

Belongs here: names and meanings out of the registry, the view files and the named queries. Does not belong here:
any fact about a table or a view.
"""

# As text: annotations that keep a type of DuckDB to the end make a process with torch and Dagster print it as leaked
# (findings/duckdb_types_in_annotations_are_reported.sh).
from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb
import pyarrow as pa

from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.queries.named import NamedQuery, NamedQueryError, did_you_mean, read_named_queries
from emovid_assets.resources.catalogue_statements import duckdb_type
from emovid_assets.resources.sql_files import FunctionFile, ViewFile, read_function_files, read_view_files
from emovid_assets.tables.columns import Table, limits
from emovid_assets.tables.registry import TABLES

_COLUMN_FAULTS = (
    re.compile(r'Referenced column "([^"]+)" (?:was )?not found'),
    re.compile(r'Column "([^"]+)" in \w+ list not found'),
    re.compile(r'does not have a column named "([^"]+)"'),
)
_DUCKDB_GUESS = re.compile(r'\nDid you mean "[^"]*"\?')
_TABLE_FAULT = re.compile(r"Table with name (\S+) does not exist")


def listed() -> pa.Table:
    """Everything that can be queried: name, kind (view, table, function or query), what it gives."""
    rows = [
        *(
            {"name": file.name, "kind": "view", "gives": f"{file.meaning} One row per {file.grain}."}
            for file in sorted(_views().values(), key=lambda file: file.name)
        ),
        *(
            {"name": name, "kind": "table", "gives": f"{table.meaning} One row per {table.grain}."}
            for name, table in TABLES.items()
        ),
        *(
            {"name": name, "kind": "function", "gives": f"{function.meaning} {_call(function)}"}
            for name, function in sorted(_functions().items())
        ),
        *(
            {"name": name, "kind": "query", "gives": f"{query.question}{_parameter_names(query)}"}
            for name, query in read_named_queries().items()
        ),
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in ("name", "kind", "gives")]))


def described(name: str) -> tuple[str, pa.Table]:
    """What is known of a table, view, function or named query: lines of text, and its columns or parameters as rows.

    A function comes before a named query that asks it and is called alike.

    Raises NamedQueryError, with the nearest names, where there is no such name.
    """
    views, functions, queries = _views(), _functions(), read_named_queries()
    if name in views:
        return _of_view(views[name])
    if name in TABLES:
        return _of_table(TABLES[name])
    if name in functions:
        return _of_function(functions[name])
    if name in queries:
        return _of_query(queries[name])
    near = did_you_mean(name, [*views, *TABLES, *functions, *queries])
    raise NamedQueryError(f"no table, view or query is named '{name}' (emovid sql --list shows all){near}")


def explained(connection: duckdb.DuckDBPyConnection, message: str) -> str:
    """DuckDB's message and what may help: where a missing column is, or which of our names is near."""
    if match := _TABLE_FAULT.search(message):
        name = match[1].split(".")[-1]
        # DuckDB's own guess may be one of its inner tables, which nobody means.
        told = _DUCKDB_GUESS.sub("", message)
        if name in read_named_queries():
            return f"{told}\n{name} is a named query: emovid sql --name {name}"
        near = did_you_mean(name, [*_views(), *TABLES])
        return f"{told} emovid sql --list shows all{near}"
    if ".version" in message:
        return f"{message}\nTwo builds have replaced this table since the catalogue was opened: open it again."
    return f"{message}{_column_hint(connection, message)}"


def _column_hint(connection: duckdb.DuckDBPyConnection, message: str) -> str:
    name = next((match[1] for fault in _COLUMN_FAULTS if (match := fault.search(message))), "")
    if not name:
        return ""
    rows = connection.execute(
        "select lower(column_name), list(table_name order by table_name) from duckdb_columns() "
        "where not internal group by all"
    ).fetchall()
    places: dict[str, list[str]] = dict(rows)
    if name.lower() in places:
        return f'\n"{name}" is a column of {_some(places[name.lower()])}.'
    near = did_you_mean(name, places)
    return f"\nNo table or view has a column {name}{near}" if near else ""


def nothing_built(home: Home) -> str | None:
    """What to type where the warehouse holds no table at all; null otherwise."""
    if any(home.warehouse.glob("*/**/part-0.parquet")):
        return None
    return f"nothing is built in {home.root} yet, so every table is empty: type `emovid build`, or `emovid demo`"


def emptiness(home: Home, query: str) -> str | None:
    """Why a query may have no rows; null where everything that it names, and what that reads, is built."""
    files: dict[str, ViewFile | FunctionFile] = {**_views(), **_functions()}
    # DuckDB names no views here, so a word counts that is the name of one: this only decides about a note.
    waiting, read = [word for word in re.findall(r"\w+", query) if word in files or word in TABLES], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in read:
            read.add(name)
            waiting += files[name].depends_on if name in files else ()
    missing = sorted(n for n in read & set(TABLES) if not any((home.warehouse / n).glob("**/part-0.parquet")))
    if not missing:
        return None
    return nothing_built(home) or f"not built yet: {', '.join(missing)}; `emovid status` shows what is missing"


def _views() -> dict[str, ViewFile]:
    return {file.name: file for file in read_view_files(shipped_file("sql"))}


def _functions() -> dict[str, FunctionFile]:
    return {file.name: file for file in read_function_files(shipped_file("sql"))}


def _call(file: FunctionFile) -> str:
    return f"from {file.signature}" if file.is_table else file.signature


def _parameter_names(query: NamedQuery) -> str:
    names = ", ".join(parameter.name for parameter in query.parameters)
    return f" (--set {names})" if names else ""


def _of_view(file: ViewFile) -> tuple[str, pa.Table]:
    text = _lines(
        (f"{file.name} (view)", file.meaning),
        ("one row per", file.grain),
        ("source", file.source),
        ("reads", ", ".join(file.depends_on)),
        ("note", file.note or ""),
    )
    return text, _columns((c.name, c.type, c.unit or "", c.meaning, "") for c in file.columns)


def _of_table(table: Table) -> tuple[str, pa.Table]:
    place = "domain=<domain>/" if table.is_partitioned else ""
    text = _lines(
        (f"{table.name} (table)", table.meaning),
        ("one row per", table.grain),
        ("key", ", ".join(table.key)),
        ("files", f"warehouse/{table.name}/{place}part-0.parquet"),
    )
    return text, _columns((c.name, duckdb_type(c.type), c.unit or "", c.meaning, limits(c)) for c in table.columns)


def _of_function(file: FunctionFile) -> tuple[str, pa.Table]:
    """Of one that gives rows its columns are the rows here, as of a view, and its arguments are lines."""
    arguments = [(f"argument {a.name}", f"{a.type}, {a.meaning}") for a in file.arguments] if file.is_table else []
    text = _lines(
        (f"{_call(file)} (function)", file.meaning),
        *arguments,
        ("returns", f"{file.returns}, {file.result}"),
        ("source", file.source),
        ("note", file.note or ""),
    )
    return text, _columns((c.name, c.type, c.unit or "", c.meaning, "") for c in file.columns or file.arguments)


def _of_query(query: NamedQuery) -> tuple[str, pa.Table]:
    text = _lines((f"{query.name} (query)", query.question), ("answer", query.answer)) + f"\n{query.sql}\n"
    names = ("parameter", "type", "default", "meaning")
    rows = [dict(zip(names, (p.name, p.type, p.default, p.meaning), strict=True)) for p in query.parameters]
    return text, pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))


def _columns(rows: Iterable[tuple[str, ...]]) -> pa.Table:
    names = ("column", "type", "unit", "meaning", "limits")
    return pa.Table.from_pylist(
        [dict(zip(names, row, strict=True)) for row in rows], schema=pa.schema([(name, pa.string()) for name in names])
    )


def _lines(*facts: tuple[str, str]) -> str:
    return "".join(f"{name}: {text}\n" for name, text in facts if text)


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
