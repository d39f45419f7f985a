"""Blocking checks made from the registry: schema, keys, values. One factory, three checks and one step per table."""

from collections.abc import Callable, Iterable, Iterator
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
    """Three blocking checks per table, in one step that reads it once; a partitioned table is checked partition by
    partition."""
    return [_checks_of(table) for table in tables]


def _checks_of(table: Table) -> dg.AssetChecksDefinition:
    # Without `partitions_def` a check would read all partitions, and fail while one is missing.
    partitions = domain_partitions if table.is_partitioned else None
    specs = [
        dg.AssetCheckSpec(name, asset=table.name, description=description, blocking=True, partitions_def=partitions)
        for name, (description, _) in _CHECKS.items()
    ]

    @dg.multi_asset_check(name=f"{table.name}_as_in_the_registry", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext, project: Project) -> Iterator[dg.AssetCheckResult]:
        domain = context.partition_key if table.is_partitioned else None
        rows = project.read(table.name, domain)
        for key in sorted(context.selected_asset_check_keys):
            _, find_fault = _CHECKS[key.name]
            fault = find_fault(table, rows, domain)
            shown: dict[str, Any] = {"rows": rows.num_rows} | ({"fault": fault} if fault else {})
            yield dg.AssetCheckResult(
                passed=fault is None, check_name=key.name, asset_key=key.asset_key, metadata=shown
            )

    return checks
