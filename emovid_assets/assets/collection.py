"""What there is to collect, and how far that is.

Belongs here: `wanted_videos`. It shows state and asks no network: `emovid collect` and the job `collect_sources` do.
"""

from collections import Counter

import dagster as dg

from emovid_assets.assets.table_asset import Rows, result, table_asset
from emovid_assets.core.collection.attempts import STATUSES
from emovid_assets.resources.collection.collect import wanted_rows
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES

GROUP = "collection"


@table_asset(group=GROUP, code_version="1")
def wanted_videos(context: dg.AssetExecutionContext, project: Project) -> Rows:
    rows = wanted_rows(project.home, context.partition_key)
    statuses = Counter(row["status"] for row in rows)
    return result(
        "wanted_videos",
        TABLES["wanted_videos"].from_rows(rows),
        metadata={name: statuses[name] for name in STATUSES},
    )
