"""The 95 % interval of a mean, drawn within cells.

Belongs here: the bootstrap of units (prompts, pairs) whose number in each cell is fixed by design, as the benchmark's
is in its domains by emotions. Does not belong here: sources that came as they came (`source_draws`), tests.

A cell of n units drawn n times spreads by (n - 1) / n too little, a tenth with the benchmark's ten. So n - 1 of the n
are drawn and count n / (n - 1) each (Rao and Wu 1988), which is right for any n from 2. Cells of one unit say nothing
of spread and are taken together as one cell. The percentiles are moved outwards as in `source_draws`.
"""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.source_draws import MIN_SOURCES, RESAMPLES, expanded_tail
from emovid_assets.core.statistics.quotients import Values

ALONE = ("units that are alone in their cell",)


def drawn_cells(cells: Sequence[Hashable]) -> list[Hashable]:
    """The cell that each unit is drawn in."""
    sizes = Counter(cells)
    return [cell if sizes[cell] > 1 else ALONE for cell in cells]


def cell_weights(cells: Sequence[Hashable], *, seed: str, resamples: int = RESAMPLES) -> Values:
    """How often each unit counts: (resamples, units). The weights of a cell sum to the number of its units."""
    shared = drawn_cells(cells)
    random = np.random.default_rng(keyed_rank("bootstrap within cells", seed))
    weights = np.ones((resamples, len(shared)))
    for cell in dict.fromkeys(shared):
        members = np.array([place for place, other in enumerate(shared) if other == cell], np.intp)
        count = len(members)
        if count == 1:
            continue
        drawn = random.integers(count, size=(resamples, count - 1)) + count * np.arange(resamples)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=resamples * count).reshape(resamples, count)
        weights[:, members] = counts * (count / (count - 1))
    return weights


def mean_interval(
    sums: npt.ArrayLike, sizes: npt.ArrayLike, weights: Values, cell_count: int
) -> tuple[float, float] | None:
    """Of the mean over all members of units, with the sums of their values and their sizes, both (units,).

    `cell_count` is that of `drawn_cells`. Null with fewer than MIN_SOURCES units, beyond one in each cell.
    """
    numerators, denominators = np.asarray(sums, np.float64), np.asarray(sizes, np.float64)
    # Each cell's mean is estimated, and takes a unit with it.
    free = len(numerators) - cell_count + 1
    if free < MIN_SOURCES:
        return None
    means = (weights @ numerators) / (weights @ denominators)
    tail = expanded_tail(free)
    low, high = np.quantile(means, (tail, 1 - tail))
    return float(low), float(high)
