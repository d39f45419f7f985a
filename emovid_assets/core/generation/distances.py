"""How far a set of generated videos is from the real clips, in the features of a video encoder.

Belongs here: the Fréchet distance and the kernel distance of two sets, what they are worth at that size, and how
features are made comparable. Does not belong here: whose features (`metrics`), tests (`distance_tests`).

Sets are (videos, dimensions) of finite numbers, at least two videos each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.statistics.quotients import Values

VERSION = "1"
MEASURED = "embedded/"
"""Extractors that begin so name measured features, whose columns have different units."""
HALVINGS = 20
DEGREE = 3
Measure = Callable[[Values, Values], float]


def frechet_distance(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Fréchet distance of two normal distributions with the means and covariances of the sets (Dowson and Landau 1982).

    The trace of the root of the product of two covariances is the sum of the singular values of X Yᵀ, centred, over
    the root of (n - 1)(m - 1): no matrix root, whose result is complex where covariances are singular, as with fewer
    videos than dimensions they are. Biased upwards, by about (1/n + 1/m) of the variance: never without its floor.
    """
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    shift = x.mean(axis=0) - y.mean(axis=0)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    n, m = len(x) - 1, len(y) - 1
    cross = np.linalg.svd(slim(x) @ slim(y).T, compute_uv=False).sum() / np.sqrt(n * m)
    distance = shift @ shift + (x * x).sum() / n + (y * y).sum() / m - 2 * cross
    # Rounding may leave equal sets a little below 0.
    return max(0.0, float(distance))


def slim(rows: Values) -> Values:
    """As few rows as there are dimensions, whose products with anything have the same singular values (QR)."""
    return np.asarray(np.linalg.qr(rows, mode="r")) if len(rows) > rows.shape[1] else rows


def kernel(first: Values, second: Values) -> Values:
    """(x·y / dimensions + 1)³ of each pair (Bińkowski et al. 2018)."""
    return np.asarray((first @ second.T / first.shape[1] + 1) ** DEGREE, np.float64)


def kernel_distance(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Squared maximum mean discrepancy of the cubic kernel, unbiased (Gretton et al. 2012): below 0 half of the time
    where the sets are of one distribution, whatever their size."""
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return float(_mean_of_others(kernel(x, x)) + _mean_of_others(kernel(y, y)) - 2 * kernel(x, y).mean())


def _mean_of_others(pairs: Values) -> float:
    count = len(pairs)
    return float((pairs.sum() - np.trace(pairs)) / (count * (count - 1)))


MEASURES: dict[str, Measure] = {"frechet_distance": frechet_distance, "kernel_distance": kernel_distance}


@dataclass(frozen=True)
class SetDistance:
    """`value` is of all videos and all real clips. The two others are means over halvings and of equal size: `floor`
    between two halves of the real clips, `half_value` between one of them and as many generated videos."""

    value: float
    floor: float
    half_value: float


def set_distance(
    real: Values, generated: Values, real_units: Sequence[str], units: Sequence[str], measure: Measure, *, seed: str
) -> SetDistance:
    """The distance of generated videos from real clips, and what it can be held against.

    Units name the clip that a row is of, or was prompted by. A video is like the clip whose caption and first frame it
    was made from: in a halving it never meets its own. `measure` is called with sets of at least two.
    """
    from threadpoolctl import threadpool_limits

    random = np.random.default_rng(keyed_rank("halves of real clips", seed))
    place = {unit: number for number, unit in enumerate(real_units)}
    own = np.array([place.get(unit, -1) for unit in units], np.intp)
    floors, halves = [], []
    # Small matrices: several threads wait for each other longer than they work.
    with threadpool_limits(limits=1):
        value = measure(real, generated)
        for _ in range(HALVINGS):
            order = random.permutation(len(real))
            first, second = order[: len(real) // 2], order[len(real) // 2 :]
            theirs = random.permutation(np.flatnonzero(~np.isin(own, first)))
            size = min(len(first), len(second), len(theirs))
            if size < 2:
                continue
            floors.append(measure(real[first[:size]], real[second[:size]]))
            halves.append(measure(real[first[:size]], generated[theirs[:size]]))
    if not floors:
        raise ValueError(f"{len(real)} real clips and {len(generated)} videos cannot be halved: four of each are.")
    return SetDistance(value, float(np.mean(floors)), float(np.mean(halves)))


def scaled(vectors: Values, real: Values, extractor_id: str) -> Values:
    """Vectors as distances are taken of them; `real` are the vectors of all real clips.

    Measured features have different units: each column is put on the mean and the standard deviation of the real clips,
    and those that are constant there are only centred, so that a video that differs there is far. Those of an encoder
    stay as they are, as everybody's distances are of them.
    """
    if not extractor_id.startswith(MEASURED):
        return np.asarray(vectors, np.float64)
    middle, spread = real.mean(axis=0), real.std(axis=0)
    # Rounding leaves a constant column a spread that is not quite 0.
    is_constant = spread <= 1e-9 * np.maximum(1.0, np.abs(real).max(axis=0))
    return np.asarray((vectors - middle) / np.where(is_constant, 1.0, spread), np.float64)
