"""Materialises a stage of tuning by Dagster, without what it is made from, and without any library of models."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg

from emovid_assets.assets.partitions import domain_partitions
from emovid_assets.orchestration.io_managers import ParquetIOManager
from emovid_assets.orchestration.run_lock import RunLock
from emovid_assets.resources.project import Project


def materialise_adapters(home: Path) -> dict[str, Any]:
    """Metadata of `generator_adapters`."""
    from emovid_assets.assets import generator_adapters

    parents = ("training_sets", "adapter_settings", "seed")
    return materialise(home, generator_adapters, of_domains=("clip_media", "source_videos"), of_all=parents)


def materialise_sets(home: Path) -> dict[str, Any]:
    """Metadata of `training_sets`."""
    from emovid_assets.assets import training_sets

    parents = ("benchmark_split", "clips", "clip_media")
    return materialise(home, training_sets, of_domains=parents, of_all=("training_repeats",))


def materialise(
    home: Path,
    stage: ModuleType,
    *,
    of_domains: Sequence[str] = (),
    of_all: Sequence[str] = (),
    instance: dg.DagsterInstance | None = None,
) -> dict[str, Any]:
    """Metadata of the one asset of a stage, which is called as its module is; the others are its parents."""
    project = Project(home_folder=str(home))
    lock = RunLock(project=project)
    name = stage.__name__.rpartition(".")[2]
    given = [
        *(dg.AssetSpec(parent, partitions_def=domain_partitions) for parent in of_domains),
        *map(dg.AssetSpec, of_all),
    ]
    done = dg.materialize(
        [*dg.load_assets_from_modules([stage]), *given],
        selection=dg.AssetSelection.assets(name),
        resources={
            "project": project,
            "run_lock": lock,
            "io_manager": ParquetIOManager(project=project, run_lock=lock),
        },
        instance=instance or dg.DagsterInstance.ephemeral(),
    )
    assert done.success
    (made,) = done.asset_materializations_for_node(name)
    return {name: value.value for name, value in made.metadata.items()}
