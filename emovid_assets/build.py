"""Puts the definitions together; tests call it with their own resources.

Belongs here: the list of what there is. Does not belong here: any definition.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from emovid_assets.assets import (
    annotations,
    catalogue,
    comparison,
    derived,
    embeddings,
    evaluation,
    labeller,
    labels,
    measurements,
    sources,
)
from emovid_assets.checks.embedding_checks import EMBEDDING_CHECKS
from emovid_assets.checks.labeller_checks import LABELLER_CHECKS
from emovid_assets.checks.protocol_checks import PROTOCOL_CHECKS
from emovid_assets.checks.table_checks import table_checks
from emovid_assets.io_managers import ParquetIOManager
from emovid_assets.jobs import jobs
from emovid_assets.resources.project import Project
from emovid_assets.sensors import label_studio_answers, take_up_answers


def build_defs(*, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Everything there is; overrides replace resources by name (`project`, `io_manager`)."""
    project = (resource_overrides or {}).get("project") or Project()
    return dg.Definitions(
        assets=dg.load_assets_from_modules(
            [
                *(sources, measurements, annotations, labeller, labels, comparison),
                *(embeddings, evaluation, derived, catalogue),
            ]
        ),
        asset_checks=[*table_checks(), *PROTOCOL_CHECKS, *LABELLER_CHECKS, *EMBEDDING_CHECKS],
        jobs=[*jobs(), take_up_answers],
        sensors=[label_studio_answers],
        resources={"project": project, "io_manager": ParquetIOManager(project=project), **(resource_overrides or {})},
        # A run computes one domain after another in its own process; the media pass brings its own workers.
        executor=dg.in_process_executor,
    )
