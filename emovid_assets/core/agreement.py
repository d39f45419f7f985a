"""How far raters agree beyond chance: Cohen's kappa of pairs and pooled, Fleiss' kappa, Krippendorff's alpha.

Belongs here: the coefficients of SPEC §5 (requirement R17) over plain rows of `validation_ratings`. Does not belong
here: their formulas (`statistics`), who rates what, how sources are drawn (`source_draws`), the table of all
statistics (`agreement_statistics`).

A coefficient is None, never NaN, where chance alone explains everything (p_e = 1).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.rating_bootstrap import RaterPair, RatingMatrix, resampled_kappa
from emovid_assets.core.source_draws import RESAMPLES, SEED, SourceDraws
from emovid_assets.core.statistics import confusion, rater_counts
from emovid_assets.core.statistics.quotients import number

Row = dict[str, Any]

HUMAN_HUMAN, HUMAN_VLM = "human_human", "human_vlm"
LESS, MORE, EQUAL = "model_agrees_less", "model_agrees_more", "equal"
DIRECTIONS = (LESS, MORE, EQUAL)
"""Of the gap: how the model agrees with people, beside how they agree with each other."""
DIRECTION_WORDS = {
    LESS: "the model agrees with people less than they do with each other",
    MORE: "the model agrees with people more than they do with each other",
    EQUAL: "the model agrees with people just as they do with each other",
}


@dataclass(frozen=True)
class Agreement:
    """Cohen's kappa of two raters over `n` items; `observed` is p_o, `expected` is p_e."""

    n: int
    observed: float
    expected: float
    kappa: float | None


@dataclass(frozen=True)
class KindOfPairs:
    """All pairs of one kind: their pooled kappa, and beside it the plain mean of their kappas where defined.

    `least_clip_count` are the shared clips of the pair that shares the fewest: kappas of a few clips each are biased,
    and so is their mean, however many there are. `clips` are the places of the clips on which a pair is compared.
    """

    kappa: float | None
    mean: float | None
    pair_count: int
    least_clip_count: int | None
    clips: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Gap:
    """Pooled kappa of human pairs and of pairs of a human and the VLM: the absolute difference and its direction."""

    human_human: float
    human_vlm: float

    @property
    def gap(self) -> float:
        return abs(self.human_human - self.human_vlm)

    @property
    def direction(self) -> str:
        return direction_of(self.human_human, self.human_vlm)


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

    `ratings` are rows of `validation_ratings`. The interval is that of `SourceDraws`: each resample draws source
    videos once, for all pairs together. It is null where kappa is undefined, and with too few sources. Two models
    are not compared. Raises ValueError for an unknown label and for a rater id that is human in one row and VLM in
    another.
    """
    matrix = RatingMatrix.of(ratings)
    draws = SourceDraws.of_clips(matrix.clip_ids, resamples=resamples, seed=seed)
    rows: list[Row] = []
    for pair in matrix.pairs():
        agreement = agreement_of(pair, matrix.category_count)
        drawn = resampled_kappa(pair, matrix.category_count, draws)
        known = None if agreement.kappa is None else draws.interval(drawn, pair.clips)
        low, high = known or (None, None)
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


def kinds_of_pairs(matrix: RatingMatrix) -> dict[str, KindOfPairs]:
    """Both kinds, also where there is no pair of one."""
    pooled = {
        HUMAN_HUMAN: rater_counts.pooled_kappa(matrix.human_counts()),
        HUMAN_VLM: rater_counts.pooled_kappa_between(matrix.human_counts(), matrix.model_counts()),
    }
    pairs = matrix.pairs()
    found = {}
    for kind, kappa in pooled.items():
        members = [pair for pair in pairs if pair.kind == kind]
        kappas = [agreement_of(pair, matrix.category_count).kappa for pair in members]
        defined = [value for value in kappas if value is not None]
        found[kind] = KindOfPairs(
            kappa=number(kappa[0]),
            mean=sum(defined) / len(defined) if defined else None,
            pair_count=len(members),
            least_clip_count=min((len(pair.clips) for pair in members), default=None),
            clips=np.unique(np.concatenate([pair.clips for pair in members])) if members else np.zeros(0, np.intp),
        )
    return found


def kappa_gap(ratings: Iterable[Mapping[str, Any]]) -> Gap | None:
    """|pooled human-human kappa - pooled human-VLM kappa| over rows of `validation_ratings`.

    None where either kind of pair is missing, or its kappa is undefined.
    """
    kinds = kinds_of_pairs(RatingMatrix.of(ratings))
    human_human, human_vlm = kinds[HUMAN_HUMAN].kappa, kinds[HUMAN_VLM].kappa
    return None if human_human is None or human_vlm is None else Gap(human_human, human_vlm)


def direction_of(human_human: float, human_vlm: float) -> str:
    """One of DIRECTIONS."""
    if human_vlm == human_human:
        return EQUAL
    return LESS if human_vlm < human_human else MORE


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
