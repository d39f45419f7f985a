"""Stage 2b: which clips belong together.

Belongs here: `clip_groups`. Does not belong here: what joins clips (`core.clip_groups`), what splits and labellers do
with groups (`evaluation`, `training_clips`).
"""

from collections import Counter
from dataclasses import asdict

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.domain_parts import note_parts
from emovid_assets.assets.table_asset import Rows, markdown_table, result, table_asset
from emovid_assets.core import clip_groups as grouping
from emovid_assets.core.clip_groups import ClipGroups, group_rows, largest_groups
from emovid_assets.core.domains import DOMAINS
from emovid_assets.resources.evidence import linked_rows
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES

GROUP = "groups"


@table_asset(group=GROUP, code_version=f"1.{grouping.VERSION}", kinds=["numpy"])
def clip_groups(
    context: dg.AssetExecutionContext,
    project: Project,
    source_videos: pa.Table,
    clip_media: pa.Table,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
) -> Rows:
    rows = group_rows(linked_rows(source_videos, clip_media, clip_features, colour_attributes))
    largest = largest_groups(rows)
    reasons = Counter(row["reason"] for row in rows)
    for one in largest:
        context.log.info(f"{one.domain}: {one.group_id} holds {one.clip_count} of {one.domain_clip_count} clips")
    table = TABLES["clip_groups"].from_rows(rows)
    note_parts(project, table, DOMAINS)
    return result(
        "clip_groups",
        table,
        metadata={
            "groups": len({row["group_id"] for row in rows}),
            "groups_of_several_domains": len(ClipGroups.of(rows).home_of),
            **{f"by_{name}": reasons[name] for name in grouping.REASONS},
            "largest_groups": markdown_table([{**asdict(one), "share": one.share} for one in largest]),
        },
    )
