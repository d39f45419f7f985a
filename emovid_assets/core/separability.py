"""How separate groups of points are: silhouettes and nearest neighbours, with intervals.

Belongs here: measures in the space of the embeddings. They are not taken on a map: t-SNE keeps neighbours and gives
up distances, draws clusters where there are none and evens out their sizes, so that a silhouette of the map
measures the drawing.

Clips of one source video are alike whatever the group. So neighbours are looked for among the clips of other
sources only, intervals come from drawing sources and not clips, and p from moving the labels of whole sources. The
intervals hold each clip's neighbours fixed; whether there is any separation at all is the question of p.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.nearest import nearest as nearest_of
from emovid_assets.core.source_draws import SourceDraws
from emovid_assets.core.statistics.quotients import Values, quotient

VERSION = "2"
ALL = "all"
SHUFFLES = 999
_BLOCK_BYTES = 64 * 2**20

Codes = npt.NDArray[np.int64]


def separability(
    vectors: Values, groups: Sequence[str], sources: Sequence[str], *, neighbours: int, seed: str
) -> list[dict[str, Any]]:
    """A row per group and one for all: columns of `embedding_separability` but for `grouping`.

    `vectors` (clips, dimensions) are compared by Euclidean distance.
    """
    if not len(groups):
        return []
    names, codes = np.unique(np.asarray(groups), return_inverse=True)
    _, source_codes = np.unique(np.asarray(sources), return_inverse=True)
    measures = clip_measures(vectors, codes, source_codes, neighbours)
    draws = SourceDraws.of(sources, seed=seed)
    random = np.random.default_rng(keyed_rank("shuffled sources", seed))
    p_values = _shuffled(measures, codes, source_codes, random)
    rows = []
    everybody = np.ones(len(codes), bool)
    members = [(ALL, everybody, -1), *((str(name), codes == code, code) for code, name in enumerate(names))]
    for name, is_member, code in members:
        own = np.unique(source_codes[is_member])
        row: dict[str, Any] = {
            "group_name": name,
            "clip_count": int(is_member.sum()),
            "source_count": len(own),
            "neighbour_count": neighbours,
        }
        silhouette, silhouette_interval, _ = _means(measures.silhouette, is_member, draws)
        share, share_interval, shares_drawn = _means(measures.purity, is_member, draws)
        by_chance, _, chances_drawn = _means(measures.chance, is_member, draws)
        row |= _with_interval("silhouette", silhouette, silhouette_interval, "silhouette")
        row |= _with_interval("purity", share, share_interval, "purity")
        row["chance_purity"] = by_chance
        row["purity_p"] = float(p_values[code]) if share is not None else None
        corrected = None if share is None or by_chance is None else _corrected(share, by_chance)
        beyond_chance = draws.interval(_corrected_all(shares_drawn, chances_drawn), is_member)
        row |= _with_interval("corrected_purity", corrected, beyond_chance, "corrected")
        rows.append(row)
    return rows


@dataclass(frozen=True)
class ClipMeasures:
    """Of each clip; NaN where it is undefined. `nearest` (clips, neighbours): positions, -1 where there are fewer."""

    silhouette: Values
    purity: Values
    chance: Values
    nearest: Codes


def clip_measures(vectors: Values, codes: Codes, sources: Codes, neighbours: int) -> ClipMeasures:
    """The measures of each clip.

    Silhouette: (b - a) / max(a, b) with `a` the mean distance to the others of its group and `b` the least mean
    distance to another group; 0 for the only clip of a group; NaN with a single group, or as many as clips.
    Purity: share of its group among the `neighbours` nearest clips of other sources (of equally near ones the first).
    By chance: share of its group among all clips of other sources.
    """
    count, group_count = len(codes), int(codes.max()) + 1
    member = np.eye(group_count)[codes]
    sizes = member.sum(axis=0)
    silhouettes = np.full(count, np.nan)
    nearest = np.full((count, min(neighbours, count)), -1)
    squares = (vectors**2).sum(axis=1)
    for start in range(0, count, step := max(1, _BLOCK_BYTES // (8 * count))):
        rows = slice(start, min(start + step, count))
        here = np.arange(rows.start, rows.stop)
        distance = np.sqrt(np.maximum(squares[rows, None] + squares[None] - 2 * vectors[rows] @ vectors.T, 0))
        distance[np.arange(len(here)), here] = 0
        if 1 < group_count < count:
            silhouettes[rows] = _silhouettes(distance @ member, codes[rows], sizes)
        is_other = sources[rows, None] != sources[None]
        distance[~is_other] = np.inf
        found = nearest_of(distance, nearest.shape[1])
        nearest[rows] = np.where(np.take_along_axis(is_other, found, axis=1), found, -1)
    return ClipMeasures(silhouettes, _purity(nearest, codes), _chance(codes, sources, group_count), nearest)


def _purity(nearest: Codes, codes: Codes) -> Values:
    is_there = nearest >= 0
    is_same = is_there & (codes[nearest] == codes[:, None])
    with np.errstate(invalid="ignore"):
        return np.asarray(is_same.sum(axis=1) / is_there.sum(axis=1), np.float64)


def _chance(codes: Codes, sources: Codes, group_count: int) -> Values:
    source_count = int(sources.max()) + 1
    of_both = np.bincount(sources * group_count + codes, minlength=source_count * group_count)
    within = of_both.reshape(source_count, group_count)
    candidates = len(codes) - within.sum(axis=1)[sources]
    with np.errstate(invalid="ignore"):
        return np.asarray((within.sum(axis=0)[codes] - within[sources, codes]) / candidates, np.float64)


def _shuffled(measures: ClipMeasures, codes: Codes, sources: Codes, random: np.random.Generator) -> Values:
    """p of each group, by its code, and last of all: how often shuffled labels are as pure beyond chance.

    A source gets the labels of another one, in their order, over and over where it has more clips. So what clips of
    a source have in common stays in common.
    """
    group_count = int(codes.max()) + 1
    order = np.argsort(sources, kind="stable")
    sizes = np.bincount(sources)
    starts = np.cumsum(sizes) - sizes
    position = np.empty(len(codes), np.int64)
    position[order] = np.arange(len(codes)) - starts[sources[order]]
    has_neighbours = measures.nearest[:, 0] >= 0

    def excess(labels: Codes) -> Values:
        """Mean of purity beyond chance of each group and, last, of all; -inf for a group without clips."""
        beyond = (_purity(measures.nearest, labels) - _chance(labels, sources, group_count))[has_neighbours]
        sums = np.bincount(labels[has_neighbours], beyond, group_count)
        counts = np.bincount(labels[has_neighbours], minlength=group_count)
        means = np.divide(sums, counts, out=np.full(group_count, -np.inf), where=counts > 0)
        return np.append(means, beyond.mean() if len(beyond) else -np.inf)

    real = excess(codes)
    as_pure = np.ones(group_count + 1)
    for _ in range(SHUFFLES):
        giver = random.permutation(len(sizes))[sources]
        as_pure += excess(codes[order[starts[giver] + position % sizes[giver]]]) >= real - 1e-12
    return as_pure / (SHUFFLES + 1)


def _silhouettes(sums: Values, codes: Codes, sizes: Values) -> Values:
    """From the sums of distances to each group, (clips, groups)."""
    here = np.arange(len(codes))
    others = sizes[codes] - 1
    within = sums[here, codes] / np.maximum(others, 1)
    means = sums / sizes
    means[here, codes] = np.inf
    between = means.min(axis=1)
    larger = np.maximum(within, between)
    score = np.divide(between - within, larger, out=np.zeros(len(codes)), where=larger > 0)
    return np.where(others > 0, score, 0.0)


def _means(
    values: Values, is_member: npt.NDArray[np.bool_], draws: SourceDraws
) -> tuple[float | None, tuple[float, float] | None, Values]:
    """The mean over the members, its interval, and the means of each draw of sources (NaN where a draw has none)."""
    used = is_member & ~np.isnan(values)
    if not used.any():
        return None, None, np.full(len(draws.counts), np.nan)
    drawn = quotient(draws.totals(values[used], used), draws.totals(np.ones(used.sum()), used))
    return float(values[used].mean()), draws.interval(drawn, used), drawn


def _with_interval(
    name: str, value: float | None, interval: tuple[float, float] | None, prefix: str
) -> dict[str, float | None]:
    low, high = interval if value is not None and interval else (None, None)
    return {name: value, f"{prefix}_low": low, f"{prefix}_high": high}


def _corrected(share: float, chance: float) -> float | None:
    return (share - chance) / (1 - chance) if chance < 1 else None


def _corrected_all(shares: Values, chances: Values) -> Values:
    return np.divide(shares - chances, 1 - chances, out=np.full(len(shares), np.nan), where=chances < 1)
