"""Runs asset checks on a home, without building anything."""

from pathlib import Path

import dagster as dg

from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.resources.project import Project


def evaluate(home: Path, asset: str, check: str, domain: str | None = "movie") -> dg.AssetCheckEvaluation:
    """The evaluation of one check of one partition, as Dagster records it."""
    defs = build_defs(resource_overrides={"project": Project(home_folder=str(home))})
    key = dg.AssetCheckKey(dg.AssetKey(asset), check)
    job = defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection=set(), asset_check_selection={key})
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance,
            partition_key=domain,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def shown(evaluation: dg.AssetCheckEvaluation, name: str) -> object:
    """A fact of it by its name, which bears the domain where the UI plots it."""
    of_domain = f"{name} ({evaluation.partition})"
    return evaluation.metadata[of_domain if of_domain in evaluation.metadata else name].value
