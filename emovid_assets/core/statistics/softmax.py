"""From logarithms to probabilities.

Belongs here: the two formulas, safe for numbers of any size. Does not belong here: the same on tensors with gradients,
which torch has, and how a temperature is found (`core.calibration`).
"""

import numpy as np
import numpy.typing as npt

from emovid_assets.core.statistics.quotients import Values


def log_softmax(logarithms: npt.ArrayLike, temperature: float = 1.0) -> Values:
    """The logarithms (…, classes), known up to a constant a row, over the temperature and less that of their sum."""
    below = _below_the_highest(logarithms, temperature)
    return np.asarray(below - np.log(np.exp(below).sum(axis=-1, keepdims=True)), np.float64)


def softmax(logarithms: npt.ArrayLike, temperature: float = 1.0) -> Values:
    """The probabilities (…, classes) after division of the logarithms by the temperature (Guo et al. 2017)."""
    shares = np.exp(_below_the_highest(logarithms, temperature))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True), np.float64)


def _below_the_highest(logarithms: npt.ArrayLike, temperature: float) -> Values:
    scaled = np.asarray(logarithms, np.float64) / temperature
    return np.asarray(scaled - scaled.max(axis=-1, keepdims=True), np.float64)
