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

from emovid_assets.core.source_draws import SourceDraws
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


def pooled_kappa(counts: Counts, draws: SourceDraws | None = None) -> Values:
    """Kappa of all pairs within one kind of raters at once: pairs of answers to one item, chance from pooled marginals.

    The observed agreement is that of the pairs of raters, weighted by the items they share. Who of a pair comes first
    means nothing, so there is one distribution of answers, each weighing as much as it has partners. Where all items
    have equally many ratings, this is Fleiss' kappa; with two raters in all, Scott's pi.
    """
    sizes = counts.sum(axis=1)
    agreeing = (counts * (counts - 1)).sum(axis=1)
    marginals = counts * (sizes - 1)[:, None]
    return _pooled(agreeing, sizes * (sizes - 1), marginals, marginals, draws)


def pooled_kappa_between(first: Counts, second: Counts, draws: SourceDraws | None = None) -> Values:
    """The same of all pairs of a rater of the one kind and one of the other; with one of each, Cohen's kappa."""
    firsts, seconds = first.sum(axis=1), second.sum(axis=1)
    agreeing = (first * second).sum(axis=1)
    return _pooled(agreeing, firsts * seconds, first * seconds[:, None], second * firsts[:, None], draws)


def _pooled(agreeing: Counts, pairs: Counts, left: Counts, right: Counts, draws: SourceDraws | None) -> Values:
    """(p_o - p_e) / (1 - p_e) of sums over items: equal pairs, pairs, and how often each category is in them."""
    columns = np.column_stack([agreeing, pairs, left, right])
    sums = columns.sum(axis=0)[None].astype(np.float64) if draws is None else draws.totals(columns)
    split = 2 + left.shape[1]
    chance = (sums[:, 2:split] * sums[:, split:]).sum(axis=1)
    total = sums[:, 1]
    return quotient(sums[:, 0] * total - chance, total * total - chance)


def _drawn(weights: Values | None, chosen: npt.NDArray[np.bool_]) -> Values:
    return np.ones((1, int(chosen.sum()))) if weights is None else weights[:, chosen]
