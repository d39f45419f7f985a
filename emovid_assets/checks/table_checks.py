"""Blocking checks made from the registry: schema, keys, values. One factory, three checks per table."""

from collections.abc import Callable, Iterable
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.partitions import domain_partitions
from emovid_assets.checks.rules import Fault, key_fault, schema_fault, value_fault
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import Table
from emovid_assets.tables.registry import TABLES

_CHECKS: dict[str, tuple[str, Callable[[Table, pa.Table, str | None], Fault]]] = {
    "schema_matches": ("Columns, types and nulls as in the registry.", lambda t, rows, _: schema_fault(t, rows)),
    "keys_are_unique": ("No two rows have the same key.", lambda t, rows, _: key_fault(t, rows)),
    "values_are_valid": ("Vocabularies, limits, finite numbers, one domain.", value_fault),
}


def table_checks(tables: Iterable[Table] = TABLES.values()) -> list[dg.AssetChecksDefinition]:
    """Three blocking checks per table; a partitioned table is checked partition by partition."""
    return [_check(table, name) for table in tables for name in _CHECKS]


def _check(table: Table, name: str) -> dg.AssetChecksDefinition:
    description, find_fault = _CHECKS[name]

    # Without `partitions_def` a check would read all partitions, and fail while one is missing.
    @dg.asset_check(
        asset=table.name,
        name=name,
        description=description,
        blocking=True,
        partitions_def=domain_partitions if table.is_partitioned else None,
    )
    def check(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
        domain = context.partition_key if table.is_partitioned else None
        rows = project.read(table.name, domain)
        fault = find_fault(table, rows, domain)
        shown: dict[str, Any] = {"rows": rows.num_rows} | ({"fault": fault} if fault else {})
        return dg.AssetCheckResult(passed=fault is None, metadata=shown)

    return check
