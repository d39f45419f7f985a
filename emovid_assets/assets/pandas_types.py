"""dagster-pandas types of the label, agreement and split tables, made from the registry.

Belongs here: the translation of columns into dagster-pandas constraints, and of frames into what is written; nothing
about single tables. Bulk
tables stay Arrow: dagster-pandas would copy them and rejects Arrow-backed types.
"""

from functools import cache
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

from emovid_assets.resources.warehouse import VERSION_KEY, stamped
from emovid_assets.tables.columns import Column, Table
from emovid_assets.tables.registry import TABLES


def pandas_type(table: Table) -> dg.DagsterType:
    """The type that checks a data frame of this table: columns, vocabulary, limits, uniqueness of the key."""
    return _pandas_type(table.name)


@cache
def _pandas_type(name: str) -> dg.DagsterType:
    from dagster_pandas import create_dagster_pandas_dataframe_type

    table = TABLES[name]
    return create_dagster_pandas_dataframe_type(
        name="".join(part.capitalize() for part in name.split("_")),
        description=table.meaning,
        columns=[_column(table, column) for column in table.columns],
        metadata_fn=lambda frame: {"rows": len(frame)},
    )


def _column(table: Table, column: Column) -> Any:
    from dagster_pandas import PandasColumn
    from dagster_pandas.constraints import (
        CategoricalColumnConstraint,
        InRangeColumnConstraint,
        NonNullableColumnConstraint,
        UniqueColumnConstraint,
    )

    constraints: list[Any] = []
    if column.vocabulary is not None:
        constraints.append(CategoricalColumnConstraint(set(column.vocabulary), ignore_missing_vals=True))
    if column.minimum is not None or column.maximum is not None:
        low = column.minimum if column.minimum is not None else float("-inf")
        high = column.maximum if column.maximum is not None else float("inf")
        constraints.append(InRangeColumnConstraint(low, high, ignore_missing_vals=True))
    if not column.is_nullable:
        constraints.append(NonNullableColumnConstraint())
    if table.key == (column.name,):
        constraints.append(UniqueColumnConstraint(ignore_missing_vals=False))
    return PandasColumn(column.name, constraints=constraints)


def stamped_frame(rows: pd.DataFrame, data_version: str) -> pd.DataFrame:
    """As `stamped`, of a data frame: `as_arrow` hands it on."""
    rows.attrs[VERSION_KEY] = data_version
    return rows


def as_arrow(table: str, rows: pa.Table | pd.DataFrame) -> pa.Table:
    """Rows in the registry's schema, sorted by key."""
    if isinstance(rows, pa.Table):
        return rows
    arrow = pa.Table.from_pandas(rows, schema=TABLES[table].schema, preserve_index=False).replace_schema_metadata(None)
    return stamped(arrow, rows.attrs[VERSION_KEY]) if VERSION_KEY in rows.attrs else arrow
