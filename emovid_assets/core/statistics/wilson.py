"""Intervals of shares.

Belongs here: Wilson's interval, as `wilson_low` and `wilson_high` of `sql/functions` give it to queries.
"""

import math

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


def wilson(right: int, count: int) -> tuple[float, float] | None:
    """The 95 % interval (Wilson 1927) of a share of `right` in `count` independent cases; null without any."""
    if not count:
        return None
    share, square = right / count, Z_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z_95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)
