"""Blocking checks made from the registry, of the tables that are in their files before Dagster hears of them.

All other tables are judged by the same rules before they are written (`assets.table_asset`): a bad table never takes
the place of a good one. These are too large to be in memory as a whole, so they are read when they are there. Does not
belong here: the rules (`tables.rules`).
"""

from collections.abc import Iterable, Iterator

import dagster as dg

from emovid_assets.assets.table_asset import judged, rule_specs
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import Table
from emovid_assets.tables.derived import DERIVED_TABLES


def table_checks(tables: Iterable[Table] = DERIVED_TABLES) -> list[dg.AssetChecksDefinition]:
    """Three blocking checks per table, in one step that reads it once; a partitioned table is checked partition by
    partition."""
    return [_checks_of(table) for table in tables]


def _checks_of(table: Table) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=f"{table.name}_as_in_the_registry", specs=rule_specs(table), can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext, project: Project) -> Iterator[dg.AssetCheckResult]:
        domain = context.partition_key if table.is_partitioned else None
        wanted = {key.name for key in context.selected_asset_check_keys}
        yield from (one for one in judged(table, project.read(table.name, domain), domain) if one.check_name in wanted)

    return checks
