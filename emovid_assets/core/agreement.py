"""How far raters agree beyond chance: Cohen's kappa of pairs, Fleiss' kappa, Krippendorff's alpha.

Belongs here: the coefficients of SPEC §5 (requirement R17) over plain rows of `validation_ratings`. Does not belong
here: their formulas (`statistics`), who rates what, how the bootstrap is drawn (`rating_bootstrap`), the table of all
statistics (`agreement_statistics`).

A coefficient is None, never NaN, where chance alone explains everything (p_e = 1).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.rating_bootstrap import (
    RESAMPLES,
    SEED,
    RaterPair,
    RatingMatrix,
    clip_weights,
    interval_of,
    resampled_kappa,
)
from emovid_assets.core.statistics import confusion, rater_counts
from emovid_assets.core.statistics.quotients import number

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
    codes_a, codes_b = (np.array([labels.index(label) for label in given]) for given in (a, b))
    return _agreement(confusion.confusion(codes_a, codes_b, len(labels)))


def agreement_of(pair: RaterPair, category_count: int) -> Agreement:
    """The same for two raters whose labels are numbered."""
    return _agreement(confusion.confusion(pair.codes_a, pair.codes_b, category_count))


def _agreement(table: npt.NDArray[np.intp]) -> Agreement:
    return Agreement(
        n=int(table.sum()),
        observed=float(confusion.accuracy(table)),
        expected=float(confusion.expected_agreement(table)),
        kappa=number(confusion.cohen_kappa(table)),
    )


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
        agreement = agreement_of(pair, matrix.category_count)
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
    counts = RatingMatrix.of(ratings).human_counts()
    return HumanAgreement(
        number(rater_counts.fleiss_kappa(counts)[0]),
        int(rater_counts.usually_rated(counts).sum()),
        number(rater_counts.krippendorff_alpha(counts)[0]),
        int((counts.sum(axis=1) >= 2).sum()),
    )
