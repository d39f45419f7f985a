"""Values of videos gathered by prompt, and intervals over prompts.

Belongs here: sums a prompt, and draws of prompts that are made once for all metrics of the same videos. Does not belong
here: how is drawn (`core.statistics.cell_draws`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from emovid_assets.core.generation.videos import Video
from emovid_assets.core.statistics.cell_draws import cell_weights, drawn_cells, mean_interval
from emovid_assets.core.statistics.quotients import Values


@dataclass(frozen=True)
class Units:
    """Prompts by name: sum of the values of their videos, and their number, both (prompts,); the cell of each."""

    names: tuple[str, ...]
    sums: Values
    sizes: Values
    cells: tuple[tuple[str, str], ...]

    @property
    def has_one_video_each(self) -> bool:
        return bool((self.sizes == 1).all())


def gathered(videos: Sequence[Video], values: Sequence[float]) -> Units:
    """Values of videos by prompt."""
    sums: dict[str, float] = {}
    sizes: dict[str, int] = {}
    cells: dict[str, tuple[str, str]] = {}
    for video, value in zip(videos, values, strict=True):
        sums[video.unit] = sums.get(video.unit, 0.0) + value
        sizes[video.unit] = sizes.get(video.unit, 0) + 1
        cells[video.unit] = video.cell
    names = tuple(sorted(sums))
    return Units(
        names,
        np.array([sums[name] for name in names]),
        np.array([sizes[name] for name in names], np.float64),
        tuple(cells[name] for name in names),
    )


def by_unit(videos: Sequence[Video], metric: str) -> Units:
    """The same of a metric that each of the videos has."""
    return gathered(videos, [value for video in videos if (value := video.value(metric)) is not None])


class UnitDraws:
    """Draws of prompts within their cells; prompts of the same cells see the same draws."""

    def __init__(self, seed: str) -> None:
        # Mostly all generators have the same prompts: 4 scopes with 9 emotions each.
        self._weights = lru_cache(maxsize=36)(partial(cell_weights, seed=seed))

    def interval(self, units: Units) -> tuple[float, float] | None:
        """The 95 % interval of the mean over the videos of the prompts."""
        return mean_interval(units.sums, units.sizes, self._weights(units.cells), len(set(drawn_cells(units.cells))))
