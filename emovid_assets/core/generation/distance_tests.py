"""Whether one generator is nearer to the real clips than another, by swapping their videos prompt by prompt.

Belongs here: the permutation of a difference between two distances, which is no mean over prompts. Does not belong
here: means (`core.statistics.paired_tests`), the distances themselves (`distances`).

`real` (clips, dimensions); `first` and `second` (videos, dimensions), row by row of the same prompt and seed; `units`
(videos,) says which prompt: all its videos are swapped together. A bootstrap is no way to an interval here: videos that
are drawn twice lower the rank of a covariance, and its interval leaves out its own value.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from emovid_assets.core.generation.distances import kernel, slim
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.statistics.paired_tests import PERMUTATIONS, signs_of
from emovid_assets.core.statistics.quotients import Values

FRECHET_PERMUTATIONS = 499
ENOUGH_REACHED = 20
"""So many permutations that reach the observed difference settle that there is none (Besag and Clifford 1991)."""
_ROUNDING = 1e-9
_AT_ONCE = 500


def kernel_permutation(
    real: Values, first: Values, second: Values, units: Sequence[str], *, seed: str, permutations: int = PERMUTATIONS
) -> float:
    """p of the difference of the two kernel distances, two-sided."""
    count = len(first)
    within_a, within_b, across = kernel(first, first), kernel(second, second), kernel(first, second)
    scale = (np.abs(within_a).sum() + np.abs(within_b).sum()) / (count * (count - 1))
    within = within_a - within_b
    # A video is no pair with itself.
    np.fill_diagonal(within, 0.0)
    of_one = within.sum(axis=1)
    to_real = kernel(first, real).mean(axis=1) - kernel(second, real).mean(axis=1)

    def difference(takes_a: Values) -> Values:
        takes_b = 1 - takes_a
        mixed = ((takes_a @ across) * takes_b).sum(axis=1) - ((takes_b @ across) * takes_a).sum(axis=1)
        swapped = takes_a - takes_b
        own = swapped @ (of_one / (count * (count - 1)) - 2 * to_real / count)
        return np.asarray(own + 2 * mixed / (count * (count - 1)), np.float64)

    observed = abs(difference(np.ones((1, count)))[0])
    reached = 0
    for swaps in _swaps(units, permutations, seed):
        reached += int((np.abs(difference(swaps)) >= observed - _ROUNDING * scale).sum())
    return (reached + 1) / (permutations + 1)


def frechet_permutation(
    real: Values,
    first: Values,
    second: Values,
    units: Sequence[str],
    *,
    seed: str,
    permutations: int = FRECHET_PERMUTATIONS,
) -> float:
    """p of the difference of the two Fréchet distances, two-sided; stops early where there is clearly none."""
    from threadpoolctl import threadpool_limits

    # Distances do not change by a shift, and of numbers near 0 less is lost.
    middle = real.mean(axis=0)
    real, first, second = real - middle, first - middle, second - middle
    few = slim(real)
    cross_a, cross_b = few @ first.T, few @ second.T
    both = np.concatenate([first, second])
    products = both @ both.T
    squares = np.diagonal(products)
    count, scale = len(first), np.sqrt((len(real) - 1) * (len(first) - 1))

    def distance(takes_a: np.ndarray) -> float:
        """Less the variance of the real clips, which both sides have in common."""
        taken = np.concatenate([takes_a, ~takes_a]).astype(np.float64)
        shift = taken @ products @ taken / count**2
        variance = (taken @ squares - count * shift) / (count - 1)
        cross = np.where(takes_a, cross_a, cross_b)
        roots = np.linalg.svd(cross - cross.mean(axis=1, keepdims=True), compute_uv=False).sum()
        return float(shift + variance - 2 * roots / scale)

    def difference(takes_a: np.ndarray) -> float:
        return distance(takes_a) - distance(~takes_a)

    reached, tried = 0, 0
    with threadpool_limits(limits=1):
        everything = np.ones(len(first), np.bool_)
        observed = abs(difference(everything))
        limit = observed - _ROUNDING * (abs(distance(everything)) + abs(distance(~everything)))
        for swaps in _swaps(units, permutations, seed):
            for takes_a in swaps:
                tried += 1
                reached += abs(difference(takes_a > 0)) >= limit
                if reached == ENOUGH_REACHED:
                    return reached / tried
    return (reached + 1) / (permutations + 1)


def _swaps(units: Sequence[str], permutations: int, seed: str) -> Iterator[Values]:
    """(some, videos) of 0 and 1, in all as many as asked for: 1 where a video stays in its set."""
    names, place = np.unique(np.asarray(units, np.str_), return_inverse=True)
    random = np.random.default_rng(keyed_rank("swapped prompts", seed))
    for start in range(0, permutations, _AT_ONCE):
        signs = signs_of(random, min(_AT_ONCE, permutations - start), len(names))
        yield ((signs + 1) / 2)[:, place]
