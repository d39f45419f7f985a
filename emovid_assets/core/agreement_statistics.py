"""All agreement statistics of one group of clips with their intervals, and what the kappa gap allows to conclude.

Belongs here: the rows of `agreement_statistics`, the number of clips that a narrow interval needs, the conclusion in
words. Does not belong here: the coefficients (`statistics`) and the draws (`source_draws`).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.agreement import DIRECTION_WORDS, HUMAN_HUMAN, HUMAN_VLM, MORE, direction_of, kinds_of_pairs
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.rating_bootstrap import RatingMatrix, mean_of_defined, resampled_kappa
from emovid_assets.core.source_draws import MIN_SOURCES, RESAMPLES, SEED, SourceDraws
from emovid_assets.core.statistics.quotients import Values, number
from emovid_assets.core.statistics.rater_counts import (
    fleiss_kappa,
    krippendorff_alpha,
    pooled_kappa,
    pooled_kappa_between,
    usually_rated,
)

Row = dict[str, Any]

MAX_GAP = 0.04
"""Gap from which on the check warns (requirement R17), and the half width that `required_clip_count` asks for."""

HALF_WIDTH_IN_STANDARD_ERRORS = 1.96
NO_FAULT = "which is no fault of it, however large"

ALL_CHOICES = "all"
"""In place of an emotion: the nine choices together."""


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % bootstrap interval over source videos; null where it is undefined.

    `least_pair_clip_count` are the shared clips of the pair with the fewest, where it is one of pairs; `direction` is
    that of a gap.
    """

    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    clip_count: int
    source_count: int = 0
    least_pair_clip_count: int | None = None
    direction: str | None = None

    @property
    def required_clip_count(self) -> int | None:
        """Clips for an interval of ± MAX_GAP, since its width falls with the square root of the number of sources.

        Of as many clips a source as here: more clips of the same sources help less.
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
    per choice against all others. All resamples draw sources once for all statistics, as in `pairwise_kappa` with
    the same seed. No ratings give no rows. Raises ValueError as `RatingMatrix.of`.
    """
    matrix = RatingMatrix.of(ratings)
    if not matrix.clip_count:
        return []
    draws = SourceDraws.of_clips(matrix.clip_ids, resamples=resamples, seed=seed)
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
            "source_count": estimate.source_count,
            "least_pair_clip_count": estimate.least_pair_clip_count,
            "required_clip_count": estimate.required_clip_count,
        }
        for emotion, seen in views
        for statistic, estimate in _estimates(seen, draws).items()
    ]


def gap_estimate(
    ratings: Iterable[Mapping[str, Any]], *, resamples: int = RESAMPLES, seed: str = SEED
) -> Estimate | None:
    """The kappa gap over all nine choices, the same as in `agreement_statistics`; None without ratings."""
    matrix = RatingMatrix.of(ratings)
    if not matrix.clip_count:
        return None
    draws = SourceDraws.of_clips(matrix.clip_ids, resamples=resamples, seed=seed)
    return _pooled_estimates(matrix, draws)["kappa_gap"]


def is_within_limit(gap: Estimate) -> bool:
    """Whether the gap as measured speaks for the model: it is below MAX_GAP, or the model agrees with people *more*.

    A model nearer to people than they are to each other is no failure of the model: each of them errs by chance, and it
    may err less.
    """
    return gap.value is not None and (gap.value < MAX_GAP or gap.direction == MORE)


def gap_conclusion(gap: Estimate) -> str:
    """What the gap and its interval allow to say about the limit of MAX_GAP, in words."""
    if gap.value is None:
        return "There is no gap to judge: kappas of human pairs and of pairs of a human and the labeller are needed."
    clips = f"{gap.clip_count} clip{'' if gap.clip_count == 1 else 's'}"
    where = f"; {DIRECTION_WORDS[gap.direction]}" if gap.direction else ""
    below = gap.value < MAX_GAP
    side = "below" if below else "not below"
    if gap.low is None or gap.high is None:
        side = f"{side} {MAX_GAP:g} as measured" if below or gap.direction != MORE else NO_FAULT
        return (
            f"The gap is {gap.value:.3f} on {clips}{where}: {side}, but it has no interval, which needs clips of "
            f"{MIN_SOURCES} source videos or more."
        )
    measured = f"The gap is {gap.value:.3f} with a 95 % interval of {gap.low:.3f} to {gap.high:.3f} on {clips}{where}"
    if gap.required_clip_count is None:
        return f"{measured}: nothing can be concluded, because the resamples do not differ. More clips are needed."
    if gap.high < MAX_GAP:
        return f"{measured}: clearly below {MAX_GAP:g}."
    if gap.direction == MORE and not below:
        return f"{measured}: {NO_FAULT}{'' if gap.low > 0 else ', but the interval leaves the direction open'}."
    if gap.low >= MAX_GAP:
        return f"{measured}: clearly not below {MAX_GAP:g}."
    allowed = "larger" if below else "smaller"
    finding = f"{side} {MAX_GAP:g} as measured, but the interval also allows {allowed} gaps"
    needed = f"about {gap.required_clip_count:,} clips would be needed for an interval of ± {MAX_GAP:g}"
    return f"{measured}: {finding}; {needed}."


def _estimates(matrix: RatingMatrix, draws: SourceDraws) -> dict[str, Estimate]:
    counts = matrix.human_counts()
    takes = {fleiss_kappa: usually_rated(counts), krippendorff_alpha: counts.sum(axis=1) >= 2}
    return (
        {
            formula.__name__: _estimate(
                number(formula(counts)[0]), formula(counts, draws.weights), draws, np.flatnonzero(taken)
            )
            for formula, taken in takes.items()
        }
        | _mean_estimates(matrix, draws)
        | _pooled_estimates(matrix, draws)
    )


def _mean_estimates(matrix: RatingMatrix, draws: SourceDraws) -> dict[str, Estimate]:
    """The plain means over defined kappas of pairs."""
    found = {}
    pairs = matrix.pairs()
    for kind, known in kinds_of_pairs(matrix).items():
        drawn = [resampled_kappa(pair, matrix.category_count, draws) for pair in pairs if pair.kind == kind]
        means = mean_of_defined(np.stack(drawn)) if drawn else np.full(len(draws.counts), np.nan)
        found[f"mean_kappa_{kind}"] = _estimate(known.mean, means, draws, known.clips, known.least_clip_count)
    return found


def _pooled_estimates(matrix: RatingMatrix, draws: SourceDraws) -> dict[str, Estimate]:
    """The two pooled kappas, and their gap.

    The difference is resampled with its sign and the absolute value is taken of the interval, so that the interval
    reaches down to 0 where the sign is open: absolute values alone would never do so.
    """
    human, model = matrix.human_counts(), matrix.model_counts()
    drawn = {HUMAN_HUMAN: pooled_kappa(human, draws), HUMAN_VLM: pooled_kappa_between(human, model, draws)}
    kinds = kinds_of_pairs(matrix)
    found = {
        f"pooled_kappa_{kind}": _estimate(known.kappa, drawn[kind], draws, known.clips, known.least_clip_count)
        for kind, known in kinds.items()
    }
    people, both = (kinds[kind].kappa for kind in (HUMAN_HUMAN, HUMAN_VLM))
    difference = None if people is None or both is None else people - both
    clips = np.union1d(kinds[HUMAN_HUMAN].clips, kinds[HUMAN_VLM].clips)
    least = min((known.least_clip_count for known in kinds.values() if known.least_clip_count), default=None)
    signed = _estimate(difference, drawn[HUMAN_HUMAN] - drawn[HUMAN_VLM], draws, clips, least)
    direction = None if people is None or both is None else direction_of(people, both)
    return found | {"kappa_gap": replace(_absolute(signed), direction=direction)}


def _estimate(
    value: float | None, drawn: Values, draws: SourceDraws, clips: npt.NDArray[np.intp], least: int | None = None
) -> Estimate:
    """A statistic that is undefined as measured has no interval either."""
    bare = Estimate(value, None, None, None, len(clips), draws.source_count(clips), least)
    interval = draws.interval(drawn, clips) if value is not None else None
    if interval is None:
        return bare
    low, high = interval
    return replace(bare, low=low, high=high, standard_error=draws.standard_error(drawn, clips))


def _absolute(signed: Estimate) -> Estimate:
    if signed.value is None or signed.low is None or signed.high is None:
        return replace(signed, value=None if signed.value is None else abs(signed.value))
    ends = (abs(signed.low), abs(signed.high))
    nearest = 0.0 if signed.low <= 0 <= signed.high else min(ends)
    return replace(signed, value=abs(signed.value), low=nearest, high=max(ends))
