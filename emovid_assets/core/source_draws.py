"""Source videos drawn with replacement, and the 95 % interval of what is measured on their clips.

Belongs here: the one bootstrap of all intervals (ADR 30). Does not belong here: what is measured.

Clips of one source video are alike: a dark film is hard to judge in all of its clips. Drawn clip by clip, ten clips of
a film would count as ten findings. Where each source has a single clip, this is a bootstrap over clips.

Plain percentiles of few sources lie too close together: 90 % of them hold the truth at eleven sources. So the
percentiles are moved outwards as Student's t is wider than the normal distribution, and by the root of n / (n - 1)
(Hesterberg 2015, "What Teachers Should Know About the Bootstrap", expanded percentiles); n is the number of sources, or
that of equally large ones that are worth as much (Kish 1965) where a few of them hold most clips.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.identity import keyed_rank, source_of
from emovid_assets.core.statistics.quotients import Values

LEVEL = 0.95
RESAMPLES = 2000
SEED = "emovid"
DRAWS_AT_ONCE = 2**20
MIN_SOURCES = 8
"""With fewer there is no interval: below it may hold the truth less often than it says (`benchmarks.agreement`)."""
MIN_WORTH = 4.0
"""Equally large sources that they have to be worth, so that one film with nearly all clips gives no interval."""

Places = npt.NDArray[np.intp]


def source_or_itself(clip_id: str) -> str:
    """The source of a clip. What names none is a source of its own, as a clip of a file that is one clip."""
    try:
        return source_of(clip_id)
    except ValueError:
        return clip_id


@dataclass(frozen=True)
class SourceDraws:
    """`counts` (resamples, sources): how often each source is drawn; `place` (items,): the source of each item."""

    counts: Values
    place: Places

    @classmethod
    def of(cls, sources: Sequence[str], *, resamples: int = RESAMPLES, seed: str = SEED) -> "SourceDraws":
        """Draws for items by the names of their sources. Each row of counts sums to the number of sources."""
        names, place = np.unique(np.asarray(sources, dtype=np.str_), return_inverse=True)
        count = len(names)
        if not count:
            return cls(np.zeros((resamples, 0)), np.zeros(0, np.intp))
        random = np.random.default_rng(keyed_rank("bootstrap over sources", seed))
        counts = np.empty((resamples, count))
        # Some resamples at a time, which are the same draws: what is drawn takes twice the space of what is kept.
        for some in np.array_split(counts, min(resamples, -(-resamples * count // DRAWS_AT_ONCE))):
            drawn = random.integers(count, size=some.shape) + count * np.arange(len(some))[:, None]
            some[:] = np.bincount(drawn.ravel(), minlength=some.size).reshape(some.shape)
        return cls(counts, np.asarray(place, np.intp))

    @classmethod
    def of_clips(cls, clip_ids: Iterable[str], *, resamples: int = RESAMPLES, seed: str = SEED) -> "SourceDraws":
        return cls.of([source_or_itself(clip_id) for clip_id in clip_ids], resamples=resamples, seed=seed)

    @cached_property
    def weights(self) -> Values:
        """How often each item counts: (resamples, items)."""
        return self.counts[:, self.place]

    def totals(self, values: npt.ArrayLike, items: Any = slice(None)) -> Values:
        """Sums of `values` (items, …) over the items of each resample: (resamples, …)."""
        numbers = np.asarray(values, np.float64)
        of_source = np.zeros((self.counts.shape[1], *numbers.shape[1:]))
        np.add.at(of_source, self.place[items], numbers)
        return np.tensordot(self.counts, of_source, axes=1)

    def source_count(self, items: Any = slice(None)) -> int:
        return len(np.unique(self.place[items]))

    def worth(self, items: Any = slice(None)) -> float:
        """The number of equally large sources that say as much: (sum of sizes)² / sum of squared sizes."""
        sizes = np.bincount(self.place[items]).astype(np.float64)
        return float(sizes.sum() ** 2 / (sizes**2).sum()) if sizes.any() else 0.0

    def interval(self, drawn: Values, items: Any = slice(None)) -> tuple[float, float] | None:
        """The 95 % interval of a statistic of these items, from its value in each resample.

        Resamples in which it is undefined (NaN) are left out. None where none is left, and below MIN_SOURCES.
        """
        defined = drawn[~np.isnan(drawn)]
        worth = self.worth(items)
        if not defined.size or self.source_count(items) < MIN_SOURCES or worth < MIN_WORTH:
            return None
        tail = expanded_tail(worth)
        low, high = np.quantile(defined, (tail, 1 - tail))
        return float(low), float(high)

    def standard_error(self, drawn: Values, items: Any = slice(None)) -> float | None:
        """The spread of the resamples, with the n / (n - 1) that drawing from a sample takes away."""
        defined, worth = drawn[~np.isnan(drawn)], self.worth(items)
        if len(defined) < 2 or worth <= 1:
            return None
        return float(np.std(defined, ddof=1) * np.sqrt(worth / (worth - 1)))


def expanded_tail(source_count: float) -> float:
    """The share of resamples beyond each end of the interval; it nears 0.025 as the sources grow many."""
    from scipy.special import ndtr, stdtrit

    t = stdtrit(source_count - 1, (1 + LEVEL) / 2)
    return float(ndtr(-t * np.sqrt(source_count / (source_count - 1))))
