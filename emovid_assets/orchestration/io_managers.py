"""Between assets and the warehouse: an asset's rows go to its Parquet file, and come back as Arrow.

Belongs here: finding the table and the domain of an input or output. The writing is `resources.warehouse`'s.
"""

from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pandas_types import as_arrow
from emovid_assets.orchestration.run_lock import RunLock
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES


class NeverBuiltError(ValueError):
    """What a domain's asset is made from was never built there; the message says what to type."""


class ParquetIOManager(dg.ConfigurableIOManager):
    """One Parquet file per table and domain. Unpartitioned consumers get all domains in one table.

    For what pools the domains, one that has not been built yet has no rows: a normal state. Within a domain it is an
    error: an asset that took what was never built for empty would replace its own rows by none.
    """

    project: Project
    run_lock: RunLock

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        if obj is None:
            return
        table = context.asset_key.path[-1]
        domain = context.asset_partition_key if context.has_asset_partitions else None
        # `table_asset` has said which version the rows are; they are judged by now.
        path = self.project.write(table, domain, as_arrow(table, obj))
        context.add_output_metadata({"path": dg.MetadataValue.path(str(path))})

    def load_input(self, context: dg.InputContext) -> pa.Table:
        table = context.asset_key.path[-1]
        if not context.has_asset_partitions:
            return self.project.read(table)
        domains = list(context.asset_partition_keys)
        if len(domains) == 1 and not self.project.warehouse.exists(table, domains[0]):
            raise NeverBuiltError(
                f"{table} was never built in {domains[0]}: select what comes before too, such as "
                f"emovid build -d {domains[0]} --select '+key:{table}+'"
            )
        parts = [self.project.read(table, domain) for domain in domains]
        return pa.concat_tables(parts) if parts else TABLES[table].empty()
