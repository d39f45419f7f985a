"""The SQL catalogue: `catalogue.duckdb`, views only, rebuilt beside and renamed into place.

Belongs here: the asset. The views are `sql/`'s, the building is `resources.catalogue`'s.
"""

from typing import Any

import dagster as dg

from emovid_assets.assets.table_asset import OWNER, markdown_table
from emovid_assets.project_files import project_file
from emovid_assets.resources.catalogue import build_catalogue, open_catalogue
from emovid_assets.resources.project import Project
from emovid_assets.tables import TABLES

SHOWN_VIEWS = ("dataset_statistics", "emotion_distribution", "rater_agreement", "benchmark_cells")


@dg.asset(
    deps=list(TABLES),
    group_name="catalogue",
    kinds={"duckdb", "sql"},
    owners=[OWNER],
    code_version="1",
    description="DuckDB views over every table, and the analyses of the paper. Safe to open read-only at any time.",
)
def catalogue(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult:
    sql_folder = project_file("sql")
    summary = build_catalogue(project.home.root, sql_folder)
    shown: dict[str, Any] = {}
    with open_catalogue(project.home.root, sql_folder) as connection:
        for view in SHOWN_VIEWS:
            answer = connection.execute(f"SELECT * FROM {view} LIMIT 30")
            names = [column[0] for column in answer.description]
            shown[view] = markdown_table([dict(zip(names, row, strict=True)) for row in answer.fetchall()], names)
    return dg.MaterializeResult(metadata={"views": len(summary.views), **shown})
