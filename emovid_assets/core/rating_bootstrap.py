"""Ratings as a matrix, and agreement coefficients of many resamples of its source videos at once.

Belongs here: what of the ratings goes into a coefficient. All coefficients of one matrix see the same draws, so that
their differences can be taken draw by draw. Does not belong here: how sources are drawn (`source_draws`), the
coefficients (`statistics`), and which of them go into a table (`agreement_statistics`).

Arrays of resampled values have one entry a resample, NaN where the coefficient is undefined in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.source_draws import SourceDraws
from emovid_assets.core.statistics.confusion import cohen_kappa, resampled_confusion
from emovid_assets.core.statistics.quotients import Values, quotient

MISSING = -1
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
    clip_ids: list[str]
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
        return cls(raters, kinds, list(position), codes)

    def one_against_the_rest(self, category: int) -> "RatingMatrix":
        """The same ratings with two categories: 1 where the label is `category`, 0 where it is another."""
        codes = np.where(self.codes == MISSING, MISSING, self.codes == category)
        return RatingMatrix(self.raters, self.kinds, self.clip_ids, codes.astype(np.int64), 2)

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
        return self._counts("human")

    def model_counts(self) -> npt.NDArray[np.int64]:
        """The same of models."""
        return self._counts("vlm")

    def _counts(self, kind: str) -> npt.NDArray[np.int64]:
        members = [index for index, rater in enumerate(self.raters) if self.kinds[rater] == kind]
        categories = np.arange(self.category_count)[:, None, None]
        counts: npt.NDArray[np.int64] = (self.codes[members] == categories).sum(axis=1).T
        return counts


def resampled_kappa(pair: RaterPair, category_count: int, draws: SourceDraws) -> Values:
    """Cohen's kappa of a pair."""
    return cohen_kappa(resampled_confusion(pair.codes_a, pair.codes_b, category_count, draws, pair.clips))


def mean_of_defined(values: Values) -> Values:
    """Mean down the columns without NaN; NaN where a column has nothing else."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    return quotient(np.where(defined, values, 0).sum(axis=0), count)
