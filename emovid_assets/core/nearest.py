"""Which of many things lie nearest, and in which order: the one rule for ties."""

import numpy as np
import numpy.typing as npt


def nearest(distances: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.intp]:
    """Columns of the `count` smallest distances of each row, (rows, count), from near to far; of equal ones the first.

    As a stable sort of whole rows gives them, in a tenth of its time.
    """
    if count >= distances.shape[1]:
        return np.argsort(distances, axis=1, kind="stable")[:, :count]
    found = np.sort(np.argpartition(distances, count - 1, axis=1)[:, :count], axis=1)
    near = np.take_along_axis(distances, found, axis=1)
    # Where more are as near as the last one, a partition takes any of them.
    is_tied = (distances <= near.max(axis=1, keepdims=True)).sum(axis=1) > count
    found = np.take_along_axis(found, np.argsort(near, axis=1, kind="stable"), axis=1)
    found[is_tied] = np.argsort(distances[is_tied], axis=1, kind="stable")[:, :count]
    return found
