"""Puts the definitions together; tests call it with their own resources.

Belongs here: the list of what there is, and whether it acts by itself. Does not belong here: any definition.
"""

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg

from emovid_assets.assets import (
    annotations,
    catalogue,
    collection,
    comparison,
    derived,
    embeddings,
    evaluation,
    generated,
    generation_results,
    generation_scores,
    generator_adapters,
    groups,
    labeller,
    labels,
    measurements,
    preferences,
    releases,
    settings,
    sources,
    training_sets,
)
from emovid_assets.checks.embedding_checks import EMBEDDING_CHECKS
from emovid_assets.checks.labeller_checks import LABELLER_CHECKS
from emovid_assets.checks.protocol_checks import PROTOCOL_CHECKS
from emovid_assets.checks.table_checks import table_checks
from emovid_assets.freshness.age_checks import AGE_CHECKS
from emovid_assets.orchestration.automation import OUTDATED, automation
from emovid_assets.orchestration.code_references import with_code_references
from emovid_assets.orchestration.io_managers import ParquetIOManager
from emovid_assets.orchestration.jobs import jobs
from emovid_assets.orchestration.run_lock import RunLock
from emovid_assets.orchestration.schedules import schedules
from emovid_assets.orchestration.sensors import sensors
from emovid_assets.resources.project import Project

AUTOMATION_VARIABLE = "EMOVID_AUTOMATION"
"""`on`: sensors, schedules and automation run from the start; each can still be switched in the UI."""
TICK_VARIABLE = "EMOVID_TICK_S"
TICK_S = 30
"""Seconds between two looks at files and states."""


def build_defs(*, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Everything there is; overrides replace resources by name (`project`, `io_manager`)."""
    project = (resource_overrides or {}).get("project") or Project()
    run_lock = RunLock(project=project)
    is_live = os.environ.get(AUTOMATION_VARIABLE, "").lower() == "on"
    every_s = int(os.environ.get(TICK_VARIABLE) or TICK_S)
    sensor_status = dg.DefaultSensorStatus.RUNNING if is_live else dg.DefaultSensorStatus.STOPPED
    schedule_status = dg.DefaultScheduleStatus.RUNNING if is_live else dg.DefaultScheduleStatus.STOPPED
    assets: list[Any] = [
        *dg.load_assets_from_modules(
            [
                *(collection, sources, measurements, groups, annotations, labeller, labels, comparison),
                *(
                    embeddings,
                    evaluation,
                    generated,
                    generation_scores,
                    generation_results,
                    preferences,
                    training_sets,
                    generator_adapters,
                    releases,
                    derived,
                ),
                catalogue,
            ]
        )
    ]
    all_jobs = jobs()
    return dg.Definitions(
        assets=[*with_code_references(dg.map_asset_specs(_with_condition, assets)), *settings.OBSERVED],
        asset_checks=[*table_checks(), *PROTOCOL_CHECKS, *LABELLER_CHECKS, *EMBEDDING_CHECKS, *AGE_CHECKS],
        jobs=all_jobs,
        sensors=[*sensors(sensor_status, every_s), automation(sensor_status, every_s)],
        schedules=schedules(schedule_status, all_jobs),
        resources={
            "project": project,
            "run_lock": run_lock,
            "io_manager": ParquetIOManager(project=project, run_lock=run_lock),
            **(resource_overrides or {}),
        },
        # A run computes one domain after another in its own process, which holds its lock for all of its steps; the
        # media pass brings its own workers.
        executor=dg.in_process_executor,
    )


def _with_condition(spec: dg.AssetSpec) -> dg.AssetSpec:
    return spec.replace_attributes(automation_condition=OUTDATED)
