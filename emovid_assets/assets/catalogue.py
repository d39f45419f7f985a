"""The SQL catalogue and the report that is made from it.

Belongs here: the two assets. The views are `sql/`'s, the building is `resources.catalogue`'s and `report`'s.
"""

from typing import Any

import dagster as dg

from emovid_assets.assets.kept_pictures import keeping_pictures
from emovid_assets.assets.pictures import drawings
from emovid_assets.assets.table_asset import OWNER, markdown_table, seeing_only, settings_tags
from emovid_assets.home.settings_groups import GROUPS, digests
from emovid_assets.home.shipped_files import SOURCES_TAG, shipped_file, sources_digest
from emovid_assets.report.answers import Answers
from emovid_assets.report.build import build_report
from emovid_assets.report.figures import drawn
from emovid_assets.resources.catalogue import current_catalogue, open_catalogue
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES

GROUP = "catalogue"
SHOWN_VIEWS = ("dataset_statistics", "emotion_distribution", "rater_agreement", "benchmark_cells")


@dg.asset(
    deps=list(TABLES),
    group_name=GROUP,
    kinds={"duckdb", "sql"},
    owners=[OWNER],
    code_version="2",
    description="DuckDB views over every table, and the analyses of the paper. Safe to open read-only at any time.",
)
@keeping_pictures
@seeing_only()
def catalogue(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult:
    sql_folder = shipped_file("sql")
    summary = current_catalogue(project.home.root, sql_folder)
    shown: dict[str, Any] = {}
    with open_catalogue(project.home.root, sql_folder) as connection:
        for view in SHOWN_VIEWS:
            answer = connection.execute(f"SELECT * FROM {view} LIMIT 30")
            names = [column[0] for column in answer.description]
            shown[view] = markdown_table([dict(zip(names, row, strict=True)) for row in answer.fetchall()], names)
        shown |= {name: drawings(name, figures) for name, figures in drawn(Answers(connection)).items()}
    return dg.MaterializeResult(
        tags={SOURCES_TAG: sources_digest("catalogue")}, metadata={"views": len(summary.views), **shown}
    )


@dg.asset(
    # It lists the settings on which results depend, so it depends on them too.
    deps=["catalogue", *GROUPS],
    group_name=GROUP,
    kinds={"html", "sql"},
    owners=[OWNER],
    code_version="1",
    description="Every table and figure of the paper for this dataset, with its queries, in one HTML file that needs "
    "nothing but a browser: `reports/report.html`.",
)
@seeing_only(*GROUPS)
def dataset_report(project: Project) -> dg.MaterializeResult:
    now = digests(project.home)
    report = build_report(project.home)
    return dg.MaterializeResult(
        # The time at which it was built is no part of it: equal data, equal version.
        data_version=dg.DataVersion(report.content_sha256),
        tags=settings_tags(now, GROUPS) | {SOURCES_TAG: sources_digest("dataset_report")},
        metadata={
            "path": dg.MetadataValue.path(str(report.path)),
            "size_bytes": report.size_bytes,
            "tables_and_figures": report.exhibit_count,
            "without_data": report.missing_count,
            **({"pictures_left_out": report.left_out_pictures} if report.left_out_pictures else {}),
            **({"missing": "there are no clips yet; the report says what to do first"} if report.is_empty else {}),
        },
    )
