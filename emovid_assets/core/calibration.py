"""How far a model's probabilities can be believed, and the one number that mends them.

Belongs here: temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks"), expected calibration
error, negative log-likelihood, Brier score; numpy alone. Does not belong here: where the answers come from.

Everywhere `logarithms` are float64 (clips, classes), natural logarithms of probabilities up to a constant per clip,
and `truth` is (clips,), the right class of each clip.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emovid_assets.core.statistics.softmax import softmax

MIN_CLIPS = 30
"""With fewer held-out clips the temperature stays 1: the interval of a fitted one would hold almost anything."""
BOUNDS = (0.2, 10.0)
"""Of a temperature. Beyond them a fit says that the answers and the labels have little to do with each other."""
MAX_BINS = 15
CLIPS_PER_BIN = 20
_STEPS = 100

Numbers = npt.NDArray[np.float64]
Classes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Bin:
    """Clips of similar confidence: how many, how sure the model was on average, and how often it was right."""

    clip_count: int
    confidence: float
    accuracy: float


def fit_temperature(logarithms: Numbers, truth: Classes) -> float:
    """The temperature that makes the right answers most likely; 1 below `MIN_CLIPS` clips.

    One clip's weight of evenly spread answers is added (Platt 1999): where the model is always right, the likelihood
    alone would ask for endless confidence. The likelihood is convex in 1 / T; its minimum is found by bisection and
    kept within `BOUNDS`. Raises ValueError for numbers that are not finite: zero probabilities have no logarithm.
    """
    logarithms, truth = _checked(logarithms, truth)
    if len(truth) < MIN_CLIPS:
        return 1.0
    wanted = logarithms[np.arange(len(truth)), truth].sum() + logarithms.mean()

    def slope(inverse: float) -> float:
        expected = (softmax(logarithms, 1 / inverse) * logarithms).sum(axis=1)
        return float(expected.sum() + expected.mean() - wanted)

    low, high = 1 / BOUNDS[1], 1 / BOUNDS[0]
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    # Rounded, so that the last bits of a sum do not make another labeller.
    return float(np.clip(round(2 / (low + high), 6), *BOUNDS))


def negative_log_likelihood(shares: Numbers, truth: Classes) -> Numbers:
    """(clips,): -log of the probability of the right class; infinite where it was 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(shares[np.arange(len(truth)), truth]), np.float64)


def brier_score(shares: Numbers, truth: Classes) -> Numbers:
    """(clips,): squared distance from certainty of the right class, 0 to 2 (Brier 1950)."""
    return np.asarray(((shares - np.eye(shares.shape[1])[truth]) ** 2).sum(axis=1), np.float64)


def bins_of(shares: Numbers, truth: Classes, *, bin_count: int | None = None) -> list[Bin]:
    """The clips by confidence of the most probable class, in bins of equally many as far as ties allow.

    By default some `CLIPS_PER_BIN` clips a bin, at most `MAX_BINS` bins: with fewer clips a bin, chance alone makes a
    calibration error.
    """
    if not len(truth):
        return []
    count = bin_count or int(np.clip(len(truth) // CLIPS_PER_BIN, 1, MAX_BINS))
    confidence = shares.max(axis=1)
    is_right = shares.argmax(axis=1) == truth
    # Equal confidence, equal bin: cut between ties, a bin would depend on the order of the clips.
    edges = np.sort(confidence)[len(truth) * np.arange(1, count) // count]
    place = np.searchsorted(edges, confidence, side="right")
    return [
        Bin(int(inside.sum()), float(confidence[inside].mean()), float(is_right[inside].mean()))
        for inside in (place == number for number in range(count))
        if inside.any()
    ]


def expected_calibration_error(bins: list[Bin]) -> float | None:
    """Mean distance between confidence and accuracy of the bins, by their clips; null without any."""
    total = sum(one.clip_count for one in bins)
    if not total:
        return None
    return sum(one.clip_count * abs(one.confidence - one.accuracy) for one in bins) / total


def _checked(logarithms: Numbers, truth: Classes) -> tuple[Numbers, Classes]:
    given, right = np.asarray(logarithms, np.float64), np.asarray(truth, np.intp)
    if given.ndim != 2 or len(given) != len(right):
        raise ValueError(f"{given.shape} logarithms and {right.shape} classes: give a row of logarithms per clip.")
    if not np.isfinite(given).all():
        raise ValueError("A logarithm is not finite: put a floor under probabilities of 0 first.")
    return given, right
