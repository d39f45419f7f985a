"""Ratings as a matrix, and agreement coefficients of many resamples of its clips at once.

Belongs here: the bootstrap over clips of SPEC §5. All coefficients of one call of `clip_weights` see the same draws,
so that their differences can be taken draw by draw. Does not belong here: the coefficients (`statistics`), and which of
them go into a table (`agreement_statistics`).

Arrays of resampled values have one entry a resample, NaN where the coefficient is undefined in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.statistics.confusion import cohen_kappa, resampled_confusion
from emovid_assets.core.statistics.quotients import Values, quotient

INTERVAL = (0.025, 0.975)
"""Quantiles of the 95 % interval."""

MISSING = -1
RESAMPLES = 1000
SEED = "emovid"
_PAIR_KINDS = {("human", "human"): "human_human", ("human", "vlm"): "human_vlm"}


@dataclass(frozen=True)
class RaterPair:
    """Two raters; `clips` are positions of their common clips, the codes are categories."""

    rater_a: str
    rater_b: str
    kind: str
    clips: npt.NDArray[np.intp]
    codes_a: npt.NDArray[np.int64]
    codes_b: npt.NDArray[np.int64]


@dataclass(frozen=True)
class RatingMatrix:
    """Labels as categories 0 … `category_count` - 1 or MISSING: raters (by name) x clips (by id)."""

    raters: list[str]
    kinds: dict[str, str]
    codes: npt.NDArray[np.int64]
    category_count: int = len(HUMAN_CHOICES)

    @property
    def clip_count(self) -> int:
        return self.codes.shape[1]

    @classmethod
    def of(cls, ratings: Iterable[Mapping[str, Any]]) -> "RatingMatrix":
        """From rows of `validation_ratings`; categories are positions in HUMAN_CHOICES.

        Raises ValueError for an unknown label and for a rater id that is human in one row and VLM in another.
        """
        kinds: dict[str, str] = {}
        labels: dict[tuple[str, str], str] = {}
        for row in ratings:
            rater = row["rater_id"]
            if kinds.setdefault(rater, row["rater_kind"]) != row["rater_kind"]:
                raise ValueError(f"Rater '{rater}' is both human and VLM: give the person another annotator id.")
            if row["label"] not in HUMAN_CHOICES:
                raise ValueError(f"'{row['label']}' is no label: use one of {', '.join(HUMAN_CHOICES)}.")
            labels[rater, row["clip_id"]] = row["label"]
        raters = sorted(kinds)
        position = {clip_id: index for index, clip_id in enumerate(sorted({clip_id for _, clip_id in labels}))}
        line = {rater: index for index, rater in enumerate(raters)}
        codes = np.full((len(raters), len(position)), MISSING, dtype=np.int64)
        for (rater, clip_id), label in labels.items():
            codes[line[rater], position[clip_id]] = HUMAN_CHOICES.index(label)
        return cls(raters, kinds, codes)

    def one_against_the_rest(self, category: int) -> "RatingMatrix":
        """The same ratings with two categories: 1 where the label is `category`, 0 where it is another."""
        codes = np.where(self.codes == MISSING, MISSING, self.codes == category)
        return RatingMatrix(self.raters, self.kinds, codes.astype(np.int64), 2)

    def pairs(self) -> list[RaterPair]:
        """Every pair with a common clip that has a human in it."""
        found = []
        for (index_a, rater_a), (index_b, rater_b) in combinations(enumerate(self.raters), 2):
            low, high = sorted((self.kinds[rater_a], self.kinds[rater_b]))
            kind = _PAIR_KINDS.get((low, high))
            codes_a, codes_b = self.codes[index_a], self.codes[index_b]
            clips = np.flatnonzero((codes_a != MISSING) & (codes_b != MISSING))
            if kind and clips.size:
                found.append(RaterPair(rater_a, rater_b, kind, clips, codes_a[clips], codes_b[clips]))
        return found

    def human_counts(self) -> npt.NDArray[np.int64]:
        """Clips x categories: how many humans put the clip into the category."""
        human = [index for index, rater in enumerate(self.raters) if self.kinds[rater] == "human"]
        categories = np.arange(self.category_count)[:, None, None]
        counts: npt.NDArray[np.int64] = (self.codes[human] == categories).sum(axis=1).T
        return counts


def clip_weights(clip_count: int, resamples: int = RESAMPLES, seed: str = SEED) -> Values:
    """How often each clip is drawn: resamples x clips, each row sums to the number of clips."""
    random = np.random.default_rng(keyed_rank("bootstrap over clips", seed))
    if not clip_count:
        return np.zeros((resamples, 0))
    drawn = random.integers(clip_count, size=(resamples, clip_count))
    cells = drawn + clip_count * np.arange(resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=resamples * clip_count)
    return counts.reshape(resamples, clip_count).astype(np.float64)


def resampled_kappa(pair: RaterPair, category_count: int, weights: Values) -> Values:
    """Cohen's kappa of a pair."""
    drawn = weights[:, pair.clips]
    return cohen_kappa(resampled_confusion(pair.codes_a, pair.codes_b, category_count, drawn))


def mean_of_defined(values: Values) -> Values:
    """Mean down the columns without NaN; NaN where a column has nothing else."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    return quotient(np.where(defined, values, 0).sum(axis=0), count)


def interval_of(values: Values) -> tuple[float, float] | None:
    """The 95 % interval of the defined values; None without any."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        return None
    low, high = np.quantile(defined, INTERVAL)
    return float(low), float(high)
