"""The one door to whatever computes the items of a step: processes of this machine, or workers of a Ray cluster.

Belongs here: which of them the settings name. Does not belong here: how either works (`workers`, `ray_workers`). Steps
and assets do not know which one it is, and results do not depend on it.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emovid_assets.home.settings import ComputeSettings
from emovid_assets.resources.workers import Pool, open_pool, open_workers

if TYPE_CHECKING:
    from emovid_assets.resources.ray_workers import RayWorkers


@contextmanager
def open_engine(settings: ComputeSettings, step: str, home: Path, workers: int, memory_mb: int) -> Iterator[Pool]:
    """What computes the items of a step. `workers` 0: one per core, of a cluster as many as there is room for;
    `memory_mb` limits each, 0: no limit.

    Raises WorkersCannotStartError where a cluster cannot be reached, or Ray is not installed.
    """
    if settings.engine == "processes":
        with open_workers(workers or os.cpu_count() or 1, memory_mb) as processes:
            yield processes
        return
    with _cluster(settings, step, home, workers, memory_mb) as pool:
        yield pool


def models_elsewhere(
    settings: ComputeSettings, step: str, home: Path, workers: int
) -> AbstractContextManager["RayWorkers"]:
    """Workers of a cluster that each hold the model of a step. Raises WorkersCannotStartError."""
    return _cluster(settings, step, home, workers, 0)


@contextmanager
def _cluster(settings: ComputeSettings, step: str, home: Path, workers: int, memory_mb: int) -> Iterator["RayWorkers"]:
    from emovid_assets.resources.ray_workers import RayWorkers

    with open_pool(("ray", settings, home), lambda: RayWorkers(settings, home)) as pool:
        # Steps of one build share workers where they need the same of a node.
        pool.prepare(settings.of_step(step), workers, memory_mb)
        yield pool
