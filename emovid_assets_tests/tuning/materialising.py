"""Materialises `generator_adapters` by Dagster, without what it is made from, and without any library of models."""

from pathlib import Path
from typing import Any

import dagster as dg

from emovid_assets.assets import generator_adapters as stage
from emovid_assets.assets.partitions import domain_partitions
from emovid_assets.orchestration.io_managers import ParquetIOManager
from emovid_assets.orchestration.run_lock import RunLock
from emovid_assets.resources.project import Project


def materialise(home: Path) -> dict[str, Any]:
    """Metadata of the asset."""
    project = Project(home_folder=str(home))
    lock = RunLock(project=project)
    given = [
        dg.AssetSpec("training_sets"),
        *(dg.AssetSpec(name, partitions_def=domain_partitions) for name in ("clip_media", "source_videos")),
        *(dg.AssetSpec(name) for name in ("adapter_settings", "seed")),
    ]
    done = dg.materialize(
        [*dg.load_assets_from_modules([stage]), *given],
        selection=dg.AssetSelection.assets("generator_adapters"),
        resources={
            "project": project,
            "run_lock": lock,
            "io_manager": ParquetIOManager(project=project, run_lock=lock),
        },
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert done.success
    (made,) = done.asset_materializations_for_node("generator_adapters")
    return {name: value.value for name, value in made.metadata.items()}
