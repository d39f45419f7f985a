"""Stage 7: what the SQL views would otherwise join or count anew with every query.

Belongs here: `clip_facts`, `disputed_clips`, `caption_phrase_counts`. They hold nothing that the tables before them do
not say. The assets read files, not inputs: ten million clips do not fit into memory.
"""

from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from emovid_assets.assets.table_asset import PREVIEW_ROWS, Rows, preview, row_count, table_asset
from emovid_assets.core import clip_facts as facts
from emovid_assets.core import disputes, phrases
from emovid_assets.resources import deriving
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES

GROUP = "derived"


@table_asset(group=GROUP, code_version=f"1.{deriving.VERSION}", kinds=["duckdb"], deps=facts.TABLES_READ)
def clip_facts(context: dg.AssetExecutionContext, project: Project) -> Rows:
    is_new = deriving.derive_clip_facts(project, context.partition_key)
    return _written(project, "clip_facts", context.partition_key, is_new)


@table_asset(group=GROUP, code_version=f"1.{deriving.VERSION}", kinds=["duckdb"], deps=disputes.TABLES_READ)
def disputed_clips(context: dg.AssetExecutionContext, project: Project) -> Rows:
    is_new = deriving.derive_disputed_clips(project, context.partition_key)
    return _written(project, "disputed_clips", context.partition_key, is_new)


@table_asset(group=GROUP, code_version=f"1.{deriving.VERSION}", kinds=["duckdb"], deps=phrases.TABLES_READ)
def caption_phrase_counts(project: Project) -> Rows:
    return _written(project, "caption_phrase_counts", None, deriving.derive_caption_phrase_counts(project))


def _written(project: Project, table: str, domain: str | None, is_new: bool) -> Rows:
    """The result of a table that is in its file already: the rows themselves are not passed on."""
    path = project.warehouse.path(table, domain)
    with pq.ParquetFile(path) as file:
        first = next(file.iter_batches(PREVIEW_ROWS), None)
        shown: dict[str, Any] = {
            **row_count(table, file.metadata.num_rows),
            "preview": preview(TABLES[table].empty() if first is None else first),
            "computed_items": int(is_new),
            "path": dg.MetadataValue.path(str(path)),
        }
    return dg.Output(None, data_version=dg.DataVersion(project.warehouse.state(table, domain)), metadata=shown)
