"""What is wrong with the rows of a table, by the registry: schema, keys, values.

Belongs here: rules that hold for every table, as functions that return a sentence or nothing. Does not belong here:
when they are asked (before a table is written, in a blocking check, by `emovid verify`), and rules about the meaning of
single tables.
"""

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.tables.columns import Column, Table

Fault = str | None


def schema_fault(table: Table, rows: pa.Table) -> Fault:
    """The schema is the registry's, and columns that may not be null hold no null."""
    if rows.schema.remove_metadata() != table.schema:
        return f"columns are {rows.schema.names}, the registry says {list(table.column_names)}"
    nulls = [c.name for c in table.columns if not c.is_nullable and rows[c.name].null_count]
    return f"null in {', '.join(nulls)}" if nulls else None


def key_fault(table: Table, rows: pa.Table) -> Fault:
    """No two rows have the same key."""
    groups = rows.group_by(list(table.key)).aggregate([([], "count_all")])
    repeated = groups.filter(pc.greater(groups["count_all"], 1))
    if not repeated.num_rows:
        return None
    first = {name: repeated[name][0].as_py() for name in table.key}
    return f"{repeated.num_rows} keys occur more than once, such as {first}"


def value_fault(table: Table, rows: pa.Table, domain: str | None) -> Fault:
    """Values lie within vocabulary and limits, numbers are finite, and every row is of the partition's domain."""
    faults = [fault for column in table.columns if (fault := _column_fault(column, rows[column.name]))]
    if domain is not None and set(rows["domain"].unique().to_pylist()) - {domain}:
        faults.append(f"rows of another domain than {domain}")
    return "; ".join(faults) or None


def _column_fault(column: Column, values: pa.ChunkedArray) -> Fault:
    if column.vocabulary is not None:
        strange = set(values.unique().to_pylist()) - {*column.vocabulary, None}
        if strange:
            return f"{column.name}: {sorted(strange)[:3]} not in the vocabulary"
    if pa.types.is_floating(column.type) and pc.any(pc.invert(pc.is_finite(values.drop_null()))).as_py():
        return f"{column.name}: not a finite number"
    limits = pc.min_max(values) if column.minimum is not None or column.maximum is not None else None
    if limits is None or limits["min"].as_py() is None:
        return None
    low, high = limits["min"].as_py(), limits["max"].as_py()
    if column.minimum is not None and low < column.minimum:
        return f"{column.name}: {low} is below {column.minimum:g}"
    if column.maximum is not None and high > column.maximum:
        return f"{column.name}: {high} is above {column.maximum:g}"
    return None


RULES: Mapping[str, tuple[str, Callable[[Table, pa.Table, str | None], Fault]]] = {
    "schema_matches": ("Columns, types and nulls as in the registry.", lambda t, rows, _: schema_fault(t, rows)),
    "keys_are_unique": ("No two rows have the same key.", lambda t, rows, _: key_fault(t, rows)),
    "values_are_valid": ("Vocabularies, limits, finite numbers, one domain.", value_fault),
}
"""Name of a check → (what holds, function of the table, its rows and their domain)."""
