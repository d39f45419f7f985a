"""The bootstrap of docs/agreement.md, written again: whole sources are drawn, percentiles are expanded.

Belongs here: how sources are drawn, and within which numbers another 2,000 draws may end.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from emovid_assets_tests.recount.numerals import Between

DRAWS = 3000
REPORTED = 2000
LEAST_SOURCES, LEAST_WORTH = 8, 4
SIGMAS = 4.5

Numbers = npt.NDArray[np.float64]


class Sources:
    """Items by source. `weights` (draws, items) are how often each item counts, in order of the items."""

    def __init__(self, sources: Sequence[str], seed: int = 20) -> None:
        self.names, self.place = np.unique(np.asarray(sources, str), return_inverse=True)
        random = np.random.default_rng(seed)
        counts = random.multinomial(len(self.names), np.full(len(self.names), 1 / len(self.names)), DRAWS)
        self.weights = counts[:, self.place].astype(float)

    def worth(self, items: Sequence[int] | npt.NDArray[np.int64]) -> float:
        sizes = np.unique(self.place[np.asarray(items, int)], return_counts=True)[1].astype(float)
        return float(sizes.sum() ** 2 / (sizes**2).sum())

    def ends(self, drawn: Numbers, items: Sequence[int] | npt.NDArray[np.int64]) -> tuple[Between, Between] | None:
        """Where the two ends of the interval may lie; null where there are too few sources for one."""
        drawn = drawn[~np.isnan(drawn)]
        count, worth = len(np.unique(self.place[np.asarray(items, int)])), self.worth(items)
        if count < LEAST_SOURCES or worth < LEAST_WORTH or not len(drawn):
            return None
        beyond = stats.t.ppf(0.975, worth - 1) * np.sqrt(worth / (worth - 1))
        tail = float(stats.norm.sf(beyond))
        # Two estimates of one quantile differ as two shares of that many draws do.
        slack = SIGMAS * np.sqrt(tail * (1 - tail) * (1 / REPORTED + 1 / DRAWS))
        near, far = max(tail - slack, 0), tail + slack
        low = Between(*map(float, np.quantile(drawn, (near, far))))
        high = Between(*map(float, np.quantile(drawn, (1 - far, 1 - near))))
        return low, high

    def standard_error(self, drawn: Numbers, items: Sequence[int] | npt.NDArray[np.int64]) -> Between:
        drawn, worth = drawn[~np.isnan(drawn)], self.worth(items)
        error = float(np.std(drawn, ddof=1) * np.sqrt(worth / (worth - 1)))
        tails = float(stats.kurtosis(drawn, fisher=False))
        slack = SIGMAS * np.sqrt(max(tails - 1, 0) / 4 * (1 / REPORTED + 1 / DRAWS))
        return Between(error * (1 - slack), error * (1 + slack))

    def means(self, values: Numbers, items: npt.NDArray[np.int64]) -> Numbers:
        """The mean of values of these items in each draw."""
        weights = self.weights[:, items]
        with np.errstate(invalid="ignore"):
            return np.asarray(weights @ values / weights.sum(axis=1))

    def each(self, measure: Callable[[Numbers], float]) -> Numbers:
        """A measure of the weights of the items, draw by draw."""
        return np.array([measure(weights) for weights in self.weights])
