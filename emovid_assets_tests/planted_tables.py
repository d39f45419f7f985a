"""Rows for any table of the registry, made from its columns, so that a test states only what it is about."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import Column
from emovid_assets.tables.registry import TABLES

LISTS: dict[pa.DataType, list[Any]] = {
    pa.list_(pa.float64()): [0.0, 0.5],
    pa.list_(pa.string()): ["a"],
    pa.list_(pa.float32()): [0.5],
}


def valid_row(table: str, number: int, domain: str = "movie", **given: Any) -> dict[str, Any]:
    """A row within all limits; texts without a vocabulary carry the number and so tell the keys apart.

    Where every part of the key has a vocabulary, the last one walks through its words instead.
    """
    row = {column.name: _value(column, number) for column in TABLES[table].columns}
    words = {column.name: column.vocabulary for column in TABLES[table].columns if column.vocabulary is not None}
    if words.keys() >= set(TABLES[table].key):
        last = TABLES[table].key[-1]
        row[last] = words[last][number % len(words[last])]
    return row | ({"domain": domain} if "domain" in row else {}) | given


def valid_rows(table: str, count: int, domain: str = "movie") -> list[dict[str, Any]]:
    return [valid_row(table, number, domain) for number in range(count)]


def _value(column: Column, number: int) -> Any:
    if column.vocabulary is not None:
        return column.vocabulary[0]
    if column.type == pa.string():
        return f"{column.name}-{number}"
    if column.type == pa.bool_():
        return False
    if pa.types.is_timestamp(column.type):
        return datetime(2026, 1, 1, tzinfo=UTC)
    if column.type in LISTS:
        return LISTS[column.type]
    if pa.types.is_list(column.type):
        return []
    low = 0 if column.minimum is None else column.minimum
    return int(low) if column.type == pa.int64() else float(low)


def as_written(table: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The rows in the registry's types, without the registry's own refusals."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=TABLES[table].schema)


def plant(home: Path, table: str, rows: Iterable[Mapping[str, Any]], domain: str | None = "movie") -> None:
    """Writes rows as the file of a table, however wrong they are."""
    Warehouse(Home(home).warehouse).write(table, domain, as_written(table, rows))
