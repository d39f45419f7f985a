"""Intervals of shares.

Belongs here: Wilson's interval, as `wilson_low` and `wilson_high` of `sql/functions` give it to queries, and the same
where cases come in groups.
"""

import math
from collections.abc import Sequence

import numpy as np

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


def wilson(right: float, count: float) -> tuple[float, float] | None:
    """The 95 % interval (Wilson 1927) of a share of `right` in `count` independent cases; null without any."""
    if not count:
        return None
    share, square = right / count, Z_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z_95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def grouped_wilson(right: Sequence[int], counts: Sequence[int]) -> tuple[float, float] | None:
    """The same where cases of one group may be alike, as videos of one prompt; both arguments are per group.

    The count is divided by Kish's design effect, how much more the share spreads over groups than single cases would
    (Kott and Carr 1997). It is worth no more than all cases and no less than groups of equal cases; where nothing
    spreads, it is worth the latter.
    """
    found, sizes = np.asarray(right, np.float64), np.asarray(counts, np.float64)
    total = sizes.sum()
    if not total:
        return None
    share = found.sum() / total
    least = total**2 / (sizes**2).sum()
    spread = ((found - share * sizes) ** 2).sum() * len(sizes) / max(1, len(sizes) - 1) / total**2
    worth = share * (1 - share) / spread if spread > 0 else least
    worth = min(total, max(least, worth))
    return wilson(float(share * worth), float(worth))
