"""All agreement statistics of one group of clips with their intervals, and what the kappa gap allows to conclude.

Belongs here: the rows of `agreement_statistics`, the number of clips that a narrow interval needs, the conclusion in
words. Does not belong here: the coefficients (`statistics`) and the draws (`rating_bootstrap`).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from emovid_assets.core.agreement import agreement_of
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.rating_bootstrap import (
    RESAMPLES,
    SEED,
    RaterPair,
    RatingMatrix,
    clip_weights,
    interval_of,
    mean_of_defined,
    resampled_kappa,
)
from emovid_assets.core.statistics.quotients import Values, number
from emovid_assets.core.statistics.rater_counts import fleiss_kappa, krippendorff_alpha, usually_rated

Row = dict[str, Any]

MAX_GAP = 0.04
"""Gap from which on the check warns (requirement R17), and the half width that `required_clip_count` asks for."""

HALF_WIDTH_IN_STANDARD_ERRORS = 1.96

ALL_CHOICES = "all"
"""In place of an emotion: the nine choices together."""


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % bootstrap interval over clips; null where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    clip_count: int

    @property
    def required_clip_count(self) -> int | None:
        """Clips for an interval of ± MAX_GAP, since its width falls with the square root of their number.

        None where the resamples do not differ: a bootstrap without spread (few clips, all of them agreed on) says
        nothing of the spread that more clips would show.
        """
        if not self.standard_error or not self.clip_count:
            return None
        # Rounding would ask for one clip more where the number comes out even.
        return max(1, math.ceil(self.clip_count * (self._half_width / MAX_GAP) ** 2 - 1e-9))

    @property
    def _half_width(self) -> float:
        return HALF_WIDTH_IN_STANDARD_ERRORS * (self.standard_error or 0.0)


def agreement_statistics(
    ratings: Iterable[Mapping[str, Any]], *, scope: str, resamples: int = RESAMPLES, seed: str = SEED
) -> list[Row]:
    """Rows of `agreement_statistics` for one group of clips; `scope` (a domain or TOTAL) is written into each.

    `ratings` are rows of `validation_ratings`. Each statistic comes once over the nine choices together and once
    per choice against all others. All resamples draw clip ids once for all statistics, as in `pairwise_kappa` with
    the same seed. No ratings give no rows. Raises ValueError as `RatingMatrix.of`.
    """
    matrix = RatingMatrix.of(ratings)
    if not matrix.clip_count:
        return []
    weights = clip_weights(matrix.clip_count, resamples, seed)
    views = [(ALL_CHOICES, matrix)]
    views += [(name, matrix.one_against_the_rest(code)) for code, name in enumerate(HUMAN_CHOICES)]
    return [
        {
            "scope": scope,
            "statistic": statistic,
            "emotion": emotion,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "standard_error": estimate.standard_error,
            "clip_count": estimate.clip_count,
            "required_clip_count": estimate.required_clip_count,
        }
        for emotion, seen in views
        for statistic, estimate in _estimates(seen, weights).items()
    ]


def gap_estimate(
    ratings: Iterable[Mapping[str, Any]], *, resamples: int = RESAMPLES, seed: str = SEED
) -> Estimate | None:
    """The kappa gap over all nine choices, the same as in `agreement_statistics`; None without ratings."""
    matrix = RatingMatrix.of(ratings)
    if not matrix.clip_count:
        return None
    return _pair_estimates(matrix, clip_weights(matrix.clip_count, resamples, seed))["kappa_gap"]


def gap_conclusion(gap: Estimate) -> str:
    """What the gap and its interval allow to say about the limit of MAX_GAP, in words."""
    if gap.value is None:
        return "There is no gap to judge: kappas of human pairs and of pairs of a human and the labeller are needed."
    clips = f"{gap.clip_count} clip{'' if gap.clip_count == 1 else 's'}"
    below = gap.value < MAX_GAP
    if gap.low is None or gap.high is None:
        side = "below" if below else "not below"
        return f"The gap is {gap.value:.3f} on {clips}: {side} {MAX_GAP:g} as measured, but it has no interval."
    measured = f"The gap is {gap.value:.3f} with a 95 % interval of {gap.low:.3f} to {gap.high:.3f} on {clips}"
    if gap.required_clip_count is None:
        return f"{measured}: nothing can be concluded, because the resamples do not differ. More clips are needed."
    if gap.high < MAX_GAP:
        return f"{measured}: clearly below {MAX_GAP:g}."
    if gap.low >= MAX_GAP:
        return f"{measured}: clearly not below {MAX_GAP:g}."
    if below:
        finding = f"below {MAX_GAP:g} as measured, but the interval also allows larger gaps"
    else:
        finding = f"not below {MAX_GAP:g} as measured, but the interval also allows smaller gaps"
    needed = f"about {gap.required_clip_count:,} clips would be needed for an interval of ± {MAX_GAP:g}"
    return f"{measured}: {finding}; {needed}."


def _estimates(matrix: RatingMatrix, weights: Values) -> dict[str, Estimate]:
    counts = matrix.human_counts()
    takes = {fleiss_kappa: usually_rated(counts), krippendorff_alpha: counts.sum(axis=1) >= 2}
    return {
        formula.__name__: _estimate(number(formula(counts)[0]), formula(counts, weights), int(taken.sum()))
        for formula, taken in takes.items()
    } | _pair_estimates(matrix, weights)


def _pair_estimates(matrix: RatingMatrix, weights: Values) -> dict[str, Estimate]:
    """The two mean kappas over defined kappas, and their gap.

    The difference is resampled with its sign and the absolute value is taken of the interval, so that the interval
    reaches down to 0 where the sign is open: absolute values alone would never do so.
    """
    pairs = matrix.pairs()
    means: dict[str, tuple[float | None, Values, int]] = {}
    for kind in ("human_human", "human_vlm"):
        members = [pair for pair in pairs if pair.kind == kind]
        measured = (agreement_of(pair, matrix.category_count).kappa for pair in members)
        defined = [kappa for kappa in measured if kappa is not None]
        resampled = [resampled_kappa(pair, matrix.category_count, weights) for pair in members]
        means[kind] = (
            sum(defined) / len(defined) if defined else None,
            mean_of_defined(np.stack(resampled)) if resampled else np.full(len(weights), np.nan),
            _clip_count(members),
        )
    (human, human_drawn, human_clips), (vlm, vlm_drawn, vlm_clips) = means["human_human"], means["human_vlm"]
    difference = None if human is None or vlm is None else human - vlm
    return {
        "mean_kappa_human_human": _estimate(human, human_drawn, human_clips),
        "mean_kappa_human_vlm": _estimate(vlm, vlm_drawn, vlm_clips),
        "kappa_gap": _absolute(_estimate(difference, human_drawn - vlm_drawn, _clip_count(pairs))),
    }


def _clip_count(pairs: list[RaterPair]) -> int:
    """Clips on which at least one of the pairs is compared."""
    return len(np.unique(np.concatenate([pair.clips for pair in pairs]))) if pairs else 0


def _estimate(value: float | None, resampled: Values, clip_count: int) -> Estimate:
    """A statistic that is undefined as measured has no interval either."""
    interval = interval_of(resampled) if value is not None else None
    if interval is None:
        return Estimate(value, None, None, None, clip_count)
    defined = resampled[~np.isnan(resampled)]
    standard_error = float(np.std(defined, ddof=1)) if len(defined) > 1 else None
    return Estimate(value, *interval, standard_error, clip_count)


def _absolute(signed: Estimate) -> Estimate:
    if signed.value is None or signed.low is None or signed.high is None:
        return signed if signed.value is None else Estimate(abs(signed.value), None, None, None, signed.clip_count)
    ends = (abs(signed.low), abs(signed.high))
    nearest = 0.0 if signed.low <= 0 <= signed.high else min(ends)
    return Estimate(abs(signed.value), nearest, max(ends), signed.standard_error, signed.clip_count)
