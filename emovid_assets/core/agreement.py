"""How far raters agree beyond chance: Cohen's kappa of pairs, Fleiss' kappa, Krippendorff's alpha.

Belongs here: the coefficients of SPEC §5 (requirement R17) over plain rows of `validation_ratings`. Does not belong
here: who rates what, how the bootstrap is drawn (`rating_bootstrap`), the table of all statistics
(`agreement_statistics`).

A coefficient is None, never NaN, where chance alone explains everything (p_e = 1). All point values are quotients
of integers, so this is decided exactly.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.rating_bootstrap import (
    RESAMPLES,
    SEED,
    RatingMatrix,
    clip_weights,
    interval_of,
    resampled_kappa,
    usual_size,
)

Row = dict[str, Any]


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


def pairwise_kappa(ratings: Iterable[Mapping[str, Any]], *, resamples: int = RESAMPLES, seed: str = SEED) -> list[Row]:
    """One row a pair of raters with a clip in common, sorted by rater: `kappa_validation` without the domain.

    `ratings` are rows of `validation_ratings`. The interval is the percentile bootstrap over clips: each resample
    draws clip ids once, for all pairs together. Resamples in which a pair's kappa is undefined are left out of its
    quantiles; the interval is null where none is left. Two models are not compared. Raises ValueError for an unknown
    label and for a rater id that is human in one row and VLM in another.
    """
    matrix = RatingMatrix.of(ratings)
    weights = clip_weights(matrix.clip_count, resamples, seed)
    rows: list[Row] = []
    for pair in matrix.pairs():
        a, b = ([HUMAN_CHOICES[code] for code in codes] for codes in (pair.codes_a, pair.codes_b))
        agreement = cohen_kappa(a, b)
        low, high = interval_of(resampled_kappa(pair, matrix.category_count, weights)) or (None, None)
        rows.append(
            {
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
    usual = usual_size(len(unit) for unit in units)
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
