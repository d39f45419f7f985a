"""Stage 7a: what each family of generators is trained on.

Belongs here: `training_sets`. Does not belong here: which clips it takes (`core.tuning.rows`), folders that trainers
read (`resources.tuning`).
"""

from collections import Counter
from typing import Any

import pyarrow as pa

from emovid_assets.assets.table_asset import Rows, markdown_table, result, table_asset
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.tuning.families import FAMILIES
from emovid_assets.core.tuning.rows import set_rows, training_clips
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import each_row
from emovid_assets.tables.registry import TABLES

GROUP = "tuning"


@table_asset(group=GROUP, code_version="1", settings=["training_repeats"])
def training_sets(project: Project, benchmark_split: pa.Table, clips: pa.Table, clip_media: pa.Table) -> Rows:
    chosen = training_clips(
        each_row(benchmark_split, ["clip_id", "domain", "split", "group_id", "prompt"]),
        each_row(clips, ["clip_id", "width_px", "height_px"]),
        each_row(clip_media, ["clip_id", "duration_s"]),
    )
    repeats = project.settings.tuning.repeats()
    rows: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for family in FAMILIES.values():
        of_family, missing = set_rows(chosen, family, repeats)
        rows += of_family
        counts = Counter(row["domain"] for row in of_family)
        shown.append({"set": family.name, **{domain: counts[domain] for domain in DOMAINS}})
        left_out += [
            {"set": family.name, "domain": domain, "why": why, "clips": count}
            for (domain, why), count in sorted(missing.items())
        ]
    return result(
        "training_sets",
        TABLES["training_sets"].from_rows(rows),
        metadata={
            "training_clips": len(chosen),
            "clips": markdown_table(shown),
            "left_out": markdown_table(left_out),
        },
    )
