"""Whether two things differ that were measured on the same units: exact McNemar, permutation of pairs, Holm.

Belongs here: the tests, over plain numbers. Does not belong here: what is compared, intervals (`cell_draws`), and the
same for a distance between sets, which is no mean over units (`core.generation.distance_tests`).

All are two-sided.
"""

from collections.abc import Sequence
from math import comb

import numpy as np
import numpy.typing as npt

from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.statistics.quotients import Values

EXACT_UNITS = 13
"""Up to so many units that differ, all 2**n ways to swap them are tried: fewer than `PERMUTATIONS`."""
PERMUTATIONS = 9999
_ROUNDING = 1e-12
"""Of the sum of all differences: a permuted sum that is nearer to the observed one counts as equal to it."""


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """McNemar (1947), exact: of the units that one side alone has right, each side would have half by chance."""
    discordant = only_a + only_b
    tail = sum(comb(discordant, count) for count in range(min(only_a, only_b) + 1))
    # Whole numbers of any size: their quotient is rounded once.
    return min(1.0, 2 * tail / 2**discordant)


def paired_permutation(differences: npt.ArrayLike, *, seed: str, permutations: int = PERMUTATIONS) -> Values:
    """p of the sum of differences: of (units,) one, as an array of no dimension; of (units, measures) one a column.

    By chance each unit's difference would have either sign (Fisher 1935). With few units that differ all signs are
    tried; else so many are drawn, and the observed one counts among them (Phipson and Smyth 2010), so that no p is 0.
    """
    table = np.asarray(differences, np.float64)
    columns = table.reshape(len(table), -1)
    found = np.ones(columns.shape[1])
    is_few = np.count_nonzero(columns, axis=0) <= EXACT_UNITS
    for place in np.flatnonzero(is_few):
        found[place] = _exact(columns[columns[:, place] != 0, place])
    if not is_few.all():
        found[~is_few] = _drawn(columns[:, ~is_few], seed, permutations)
    return found.reshape(table.shape[1:])


def _exact(differences: Values) -> float:
    sums = np.zeros(1)
    for one in differences:
        sums = np.concatenate([sums + one, sums - one])
    limit = abs(differences.sum()) - _ROUNDING * np.abs(differences).sum()
    return float(np.mean(np.abs(sums) >= limit))


def _drawn(columns: Values, seed: str, permutations: int) -> Values:
    random = np.random.default_rng(keyed_rank("signs of pairs", seed))
    limits = np.abs(columns.sum(axis=0)) - _ROUNDING * np.abs(columns).sum(axis=0)
    signs = signs_of(random, permutations, len(columns))
    reached = (np.abs(signs @ columns) >= limits).sum(axis=0)
    return np.asarray((reached + 1) / (permutations + 1), np.float64)


def signs_of(random: np.random.Generator, count: int, units: int) -> Values:
    """(count, units) of -1 and 1, each as likely."""
    return random.integers(2, size=(count, units), dtype=np.int8).astype(np.float64) * 2 - 1


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm (1979): adjusted so that, where nothing differs, at most 5 % of such families have one below 0.05."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
