"""Quotients that may be undefined.

Belongs here: NaN in arrays, None for a single number, and nothing in between. Does not belong here: what is divided.
"""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def quotient(above: npt.ArrayLike, below: npt.ArrayLike) -> Values:
    """`above` / `below`, NaN where `below` is not positive."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)


def number(value: Values | float) -> float | None:
    """A single value for a table: null instead of NaN."""
    return None if np.isnan(value) else float(value)
