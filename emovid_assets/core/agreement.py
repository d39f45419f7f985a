"""How far raters agree beyond chance: Cohen's kappa of pairs, its bootstrap, Fleiss' kappa, Krippendorff's alpha.

Belongs here: the coefficients of SPEC §5 (requirement R17) over plain rows of `validation_ratings`. Does not belong
here: who rates what, and the threshold that a check warns at.

A coefficient is None, never NaN, where chance alone explains everything (p_e = 1). All point values are quotients
of integers, so this is decided exactly.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.identity import keyed_rank

Row = dict[str, Any]

INTERVAL = (0.025, 0.975)
"""Quantiles of the 95 % interval."""

_MISSING = -1
_PAIR_KINDS = {("human", "human"): "human_human", ("human", "vlm"): "human_vlm"}


@dataclass(frozen=True)
class Agreement:
    """Cohen's kappa of two raters over `n` items; `observed` is p_o, `expected` is p_e."""

    n: int
    observed: float
    expected: float
    kappa: float | None


@dataclass(frozen=True)
class Gap:
    """Mean kappa of human pairs, of pairs of a human and the VLM, and the absolute difference."""

    human_human_mean: float
    human_vlm_mean: float
    gap: float


@dataclass(frozen=True)
class HumanAgreement:
    """Coefficients over the humans; each with the number of clips that it rests on."""

    fleiss_kappa: float | None
    fleiss_clip_count: int
    krippendorff_alpha: float | None
    krippendorff_clip_count: int


def cohen_kappa(a: Sequence[str], b: Sequence[str], labels: Sequence[str] = HUMAN_CHOICES) -> Agreement:
    """Cohen (1960): (p_o - p_e) / (1 - p_e); `a[i]` and `b[i]` are two raters' labels of item i.

    Raises ValueError for no items, for unequal lengths and for a label that is not in `labels`.
    """
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(f"Kappa needs the same items from both raters, at least one; got {len(a)} and {len(b)}.")
    unknown = sorted((set(a) | set(b)) - set(labels))
    if unknown:
        raise ValueError(f"Labels {unknown} are not among {list(labels)}: reject such answers before measuring.")
    n = len(a)
    agree = sum(x == y for x, y in zip(a, b, strict=True))
    counts_a, counts_b = Counter(a), Counter(b)
    chance = sum(counts_a[label] * counts_b[label] for label in labels)
    kappa = None if chance == n * n else (agree * n - chance) / (n * n - chance)
    return Agreement(n, agree / n, chance / (n * n), kappa)


def pairwise_kappa(
    ratings: Iterable[Mapping[str, Any]], *, domain: str, resamples: int = 1000, seed: str = "emovid"
) -> list[Row]:
    """Rows of `kappa_validation`, one a pair of raters with a clip in common, sorted by rater.

    `ratings` are rows of `validation_ratings`; `domain` is written into each row. The interval is the percentile
    bootstrap over clips: each resample draws clip ids once, for all pairs together. Resamples in which a pair's
    kappa is undefined are left out of its quantiles; the interval is null where none is left. Two models are not
    compared. Raises ValueError for an unknown label and for a rater id that is human in one row and VLM in another.
    """
    rated = _Ratings.of(ratings)
    weights = _clip_weights(rated.clip_count, resamples, seed)
    rows: list[Row] = []
    for pair in rated.pairs():
        a, b = ([HUMAN_CHOICES[code] for code in codes] for codes in (pair.codes_a, pair.codes_b))
        agreement = cohen_kappa(a, b)
        low, high = _interval(_resampled_kappas(pair, weights)) or (None, None)
        rows.append(
            {
                "domain": domain,
                "rater_a": pair.rater_a,
                "rater_b": pair.rater_b,
                "pair_kind": pair.kind,
                "clip_count": agreement.n,
                "observed_agreement": agreement.observed,
                "expected_agreement": agreement.expected,
                "kappa": agreement.kappa,
                "kappa_low": low,
                "kappa_high": high,
            }
        )
    return rows


def kappa_gap(rows: Iterable[Mapping[str, Any]]) -> Gap | None:
    """|mean human-human kappa - mean human-VLM kappa| over rows of `kappa_validation` whose kappa is not null.

    None where either kind of pair is missing.
    """
    kappas: dict[str, list[float]] = {"human_human": [], "human_vlm": []}
    for row in rows:
        if row["kappa"] is not None:
            kappas[row["pair_kind"]].append(row["kappa"])
    if not all(kappas.values()):
        return None
    human_human, human_vlm = (sum(values) / len(values) for values in kappas.values())
    return Gap(human_human, human_vlm, abs(human_human - human_vlm))


def gap_interval(
    ratings: Iterable[Mapping[str, Any]], *, resamples: int = 1000, seed: str = "emovid"
) -> tuple[float, float] | None:
    """95 % bootstrap interval of the gap over clips, from the same draws as `pairwise_kappa` with this seed.

    The difference is resampled with its sign and the absolute value is taken of the interval, so that the interval
    reaches down to 0 where the sign is open: absolute values alone would never do so. None where no resample has
    both kinds of pair.
    """
    rated = _Ratings.of(ratings)
    weights = _clip_weights(rated.clip_count, resamples, seed)
    kappas: dict[str, list[npt.NDArray[np.float64]]] = {"human_human": [], "human_vlm": []}
    for pair in rated.pairs():
        kappas[pair.kind].append(_resampled_kappas(pair, weights))
    if not all(kappas.values()):
        return None
    human_human, human_vlm = (_mean_of_defined(np.stack(values)) for values in kappas.values())
    interval = _interval(human_human - human_vlm)
    if interval is None:
        return None
    low, high = interval
    nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return nearest, max(abs(low), abs(high))


def human_agreement(ratings: Iterable[Mapping[str, Any]]) -> HumanAgreement:
    """Fleiss' kappa and Krippendorff's alpha over the human rows of `validation_ratings`.

    Fleiss needs equally many ratings a clip: it is taken over the clips with the most usual number of them (two or
    more; the larger on a tie). Alpha takes every clip with at least two.
    """
    by_clip: dict[str, dict[str, str]] = {}
    for row in ratings:
        if row["rater_kind"] == "human":
            by_clip.setdefault(row["clip_id"], {})[row["rater_id"]] = row["label"]
    units = [list(answers.values()) for _, answers in sorted(by_clip.items()) if len(answers) >= 2]
    sizes = Counter(len(unit) for unit in units)
    usual = max(sizes, key=lambda size: (sizes[size], size), default=0)
    table = [[unit.count(label) for label in HUMAN_CHOICES] for unit in units if len(unit) == usual]
    return HumanAgreement(fleiss_kappa(table), len(table), krippendorff_alpha(units), len(units))


def fleiss_kappa(counts: Sequence[Sequence[int]]) -> float | None:
    """Fleiss (1971) over a table of items x categories: how many raters put the item into the category.

    None for no items and where p_e = 1. Raises ValueError unless each item has the same number of ratings, at
    least two.
    """
    table = [[int(count) for count in row] for row in counts]
    if not table:
        return None
    raters = sum(table[0])
    if raters < 2 or any(sum(row) != raters for row in table):
        raise ValueError(
            "Fleiss' kappa needs the same number of ratings for each item, at least two: leave others out."
        )
    total = len(table) * raters
    agreeing = sum(count * count for row in table for count in row) - total
    chance = sum(sum(column) ** 2 for column in zip(*table, strict=True))
    if chance == total * total:
        return None
    return (agreeing * total - chance * (raters - 1)) / ((raters - 1) * (total * total - chance))


def krippendorff_alpha(ratings: Iterable[Sequence[str | None]]) -> float | None:
    """Krippendorff's alpha for nominal data; a unit is the labels that one item got, None where a rating is missing.

    1 - D_o / D_e over the units with at least two ratings (Krippendorff 2011, "Computing Krippendorff's
    Alpha-Reliability", nominal case). None where there is no such unit, or only one category in all of them.
    """
    units = [Counter(label for label in unit if label is not None) for unit in ratings]
    units = [unit for unit in units if unit.total() >= 2]
    totals: Counter[str] = Counter()
    observed = Fraction(0)
    for unit in units:
        totals.update(unit)
        observed += Fraction(_unequal_pairs(unit), unit.total() - 1)
    expected = _unequal_pairs(totals)
    if not expected:
        return None
    return float(1 - (totals.total() - 1) * observed / expected)


def _unequal_pairs(counts: Counter[str]) -> int:
    """Ordered pairs of ratings with different labels."""
    return counts.total() ** 2 - sum(count * count for count in counts.values())


@dataclass(frozen=True)
class _Pair:
    """Two raters; `clips` are positions of their common clips, the codes index HUMAN_CHOICES."""

    rater_a: str
    rater_b: str
    kind: str
    clips: npt.NDArray[np.intp]
    codes_a: npt.NDArray[np.int64]
    codes_b: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Ratings:
    """Labels as codes, raters (by name) x clips (by id)."""

    raters: list[str]
    kinds: dict[str, str]
    codes: npt.NDArray[np.int64]

    @property
    def clip_count(self) -> int:
        return self.codes.shape[1]

    @classmethod
    def of(cls, ratings: Iterable[Mapping[str, Any]]) -> "_Ratings":
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
        codes = np.full((len(raters), len(position)), _MISSING, dtype=np.int64)
        for (rater, clip_id), label in labels.items():
            codes[line[rater], position[clip_id]] = HUMAN_CHOICES.index(label)
        return cls(raters, kinds, codes)

    def pairs(self) -> Iterable[_Pair]:
        for (index_a, rater_a), (index_b, rater_b) in combinations(enumerate(self.raters), 2):
            low, high = sorted((self.kinds[rater_a], self.kinds[rater_b]))
            kind = _PAIR_KINDS.get((low, high))
            codes_a, codes_b = self.codes[index_a], self.codes[index_b]
            clips = np.flatnonzero((codes_a != _MISSING) & (codes_b != _MISSING))
            if kind and clips.size:
                yield _Pair(rater_a, rater_b, kind, clips, codes_a[clips], codes_b[clips])


def _clip_weights(clip_count: int, resamples: int, seed: str) -> npt.NDArray[np.float64]:
    """How often each clip is drawn: resamples x clips, each row sums to the number of clips."""
    random = np.random.default_rng(keyed_rank("bootstrap over clips", seed))
    if not clip_count:
        return np.zeros((resamples, 0))
    drawn = random.integers(clip_count, size=(resamples, clip_count))
    cells = drawn + clip_count * np.arange(resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=resamples * clip_count)
    return counts.reshape(resamples, clip_count).astype(np.float64)


def _resampled_kappas(pair: _Pair, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Kappa of each resample, NaN where undefined. All sums are integers below 2**53, hence exact."""
    drawn = weights[:, pair.clips]
    one_hot = np.eye(len(HUMAN_CHOICES))
    n = drawn.sum(axis=1)
    agree = drawn @ (pair.codes_a == pair.codes_b)
    chance = ((drawn @ one_hot[pair.codes_a]) * (drawn @ one_hot[pair.codes_b])).sum(axis=1)
    room = n * n - chance
    return np.divide(agree * n - chance, room, out=np.full(len(n), np.nan), where=room > 0)


def _mean_of_defined(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean down the columns without NaN; NaN where a column has nothing else."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0)


def _interval(values: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    defined = values[~np.isnan(values)]
    if not defined.size:
        return None
    low, high = np.quantile(defined, INTERVAL)
    return float(low), float(high)
