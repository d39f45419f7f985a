"""Agreement of any number of raters: Fleiss' kappa and Krippendorff's alpha.

Belongs here: the formulas over counts, and which items they take. Does not belong here: two raters (`confusion`).

`counts` are (items, categories): how many raters put the item into the category. `weights` are (resamples, items): how
often each item counts; without them every item counts once, in a single resample. Values are (resamples,), NaN where
undefined. What is divided by is a whole number below 2**53: so it is decided exactly where they are defined.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from emovid_assets.core.statistics.quotients import Values, quotient

Counts = npt.NDArray[np.int64]


def usual_size(sizes: Iterable[int]) -> int:
    """The most frequent number of ratings of an item, two or more; the larger on a tie, 0 without any."""
    found = Counter(int(size) for size in sizes if size >= 2)
    return max(found, key=lambda size: (found[size], size), default=0)


def usually_rated(counts: Counts) -> npt.NDArray[np.bool_]:
    """The items that Fleiss' kappa takes, which needs equally many ratings of each: those with the usual number."""
    sizes = counts.sum(axis=1)
    return np.asarray((sizes >= 2) & (sizes == usual_size(sizes)), np.bool_)


def fleiss_kappa(counts: Counts, weights: Values | None = None) -> Values:
    """Fleiss (1971) over the items with the usual number of ratings; undefined without any, and where p_e = 1."""
    chosen = usually_rated(counts)
    table = counts[chosen]
    drawn = _drawn(weights, chosen)
    raters = int(table[0].sum()) if len(table) else 0
    total = drawn.sum(axis=1) * raters
    agreeing = drawn @ (table * table).sum(axis=1) - total
    chance = ((drawn @ table) ** 2).sum(axis=1)
    return quotient(agreeing * total - chance * (raters - 1), (raters - 1) * (total * total - chance))


def krippendorff_alpha(counts: Counts, weights: Values | None = None) -> Values:
    """Krippendorff's alpha for nominal data, 1 - D_o / D_e, over the items with two ratings or more.

    Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", nominal case. Undefined without such an item, and
    where all of them are in one category.
    """
    chosen = counts.sum(axis=1) >= 2
    table = counts[chosen]
    sizes = table.sum(axis=1)
    drawn = _drawn(weights, chosen)
    total = drawn @ sizes
    observed = drawn @ ((sizes * sizes - (table * table).sum(axis=1)) / (sizes - 1))
    expected = total * total - ((drawn @ table) ** 2).sum(axis=1)
    return 1 - quotient((total - 1) * observed, expected)


def _drawn(weights: Values | None, chosen: npt.NDArray[np.bool_]) -> Values:
    return np.ones((1, int(chosen.sum()))) if weights is None else weights[:, chosen]
