"""Strengths of things that were compared in pairs, by Bradley and Terry (1952).

Belongs here: the fit of one table of comparisons or of many resamples of it at once, and when there is none. Does not
belong here: who compared what, and what goes into a table (`preference_results`).

The odds that j is preferred to i are exp(strength of j - strength of i). A tie counts half for each, as is usual where
generators are compared (Chiang et al. 2024, "Chatbot Arena"): Davidson's (1970) parameter for ties gives the same order
where everybody met everybody equally often, and has no maximum in more cases.

The likelihood has a maximum where each can be reached from each through answers for it (Ford 1957; Hunter 2004, "MM
algorithms for generalized Bradley–Terry models"). Elsewhere a difference of strengths is infinite or unknown, and is
said to be so: between groups that are connected within, what lies in one of them is fitted as the limit has it.
"""

import numpy as np
import numpy.typing as npt

from emovid_assets.core.statistics.quotients import Values

_STEPS = 200
_LONGEST_STEP = 2.0
_RIDGE = 1e-9
_EXACT = 1e-10


def differences(wins: npt.ArrayLike, ties: npt.ArrayLike) -> Values:
    """(…, n, n): strength of the column less that of the row, in log odds.

    `wins` (…, n, n): how often the row was preferred to the column; `ties` (…, n, n), symmetric: how often neither was.
    Numbers need not be whole. +inf where no answer bounds the column from above, -inf where none bounds it from below,
    NaN where no chain of answers connects the two.
    """
    points = np.asarray(wins, np.float64) + np.asarray(ties, np.float64) / 2
    above = _reachable(points > 0)
    below = np.swapaxes(above, -1, -2)
    is_bound = above & below
    strengths = fitted(np.where(is_bound, points, 0.0))
    found = strengths[..., None, :] - strengths[..., :, None]
    found = np.where(is_bound, found, np.nan)
    found = np.where(below & ~above, np.inf, found)
    return np.asarray(np.where(above & ~below, -np.inf, found), np.float64)


def fitted(points: Values) -> Values:
    """(…, n): the strengths of most likelihood; in each connected group they sum to zero.

    `points` (…, n, n): how often the row was preferred to the column, a tie as a half, within groups that have a
    maximum. Newton's method, whose steps are limited so that none leaps too far.
    """
    n = points.shape[-1]
    met = points + np.swapaxes(points, -1, -2)
    won = points.sum(axis=-1)
    strengths = np.zeros(points.shape[:-1])
    for _ in range(_STEPS):
        gaps = strengths[..., :, None] - strengths[..., None, :]
        chance = 1 / (1 + np.exp(-gaps))
        slope = won - (met * chance).sum(axis=-1)
        bend = met * chance * (1 - chance)
        # Without the ridge it has no inverse: a constant may be added to each group.
        curvature = -bend + np.eye(n) * (bend.sum(axis=-1) + _RIDGE)[..., None]
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        longest = np.abs(step).max(axis=-1, keepdims=True, initial=0.0)
        strengths = strengths + step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, _EXACT))
        if longest.max(initial=0.0) < _EXACT:
            break
    return strengths


def _reachable(edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(…, n, n): whether a path leads from the row to the column; from each to itself one does."""
    n = edges.shape[-1]
    paths = edges | np.eye(n, dtype=np.bool_)
    for _ in range(max(1, (n - 1).bit_length())):
        paths = np.matmul(paths.astype(np.float64), paths.astype(np.float64)) > 0
    return np.asarray(paths, np.bool_)
