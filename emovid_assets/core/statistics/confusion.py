"""What follows from a table of one rater's answers by another's, or by the truth: accuracy, Cohen's kappa, macro F1.

Belongs here: the table and its formulas. Does not belong here: more than two raters (`rater_counts`).

A table is (classes, classes), the first rater or the truth by row; the formulas take any number of tables,
(…, classes, classes), and give a value for each, NaN where it is undefined. Counts below 2**26 give products below
2**53, which float64 holds exactly: so it is decided exactly whether a value is defined.
"""

import numpy as np
import numpy.typing as npt

from emovid_assets.core.source_draws import SourceDraws
from emovid_assets.core.statistics.quotients import Values, quotient

Classes = npt.NDArray[np.integer]


def confusion(first: Classes, second: Classes, class_count: int) -> npt.NDArray[np.intp]:
    """(classes, classes): how often `second` gave the class of the column where `first` gave that of the row."""
    counts = np.bincount(_cells(first, second, class_count), minlength=class_count**2)
    return np.asarray(counts.reshape(class_count, class_count), np.intp)


def resampled_confusion(
    first: Classes, second: Classes, class_count: int, draws: SourceDraws, items: npt.NDArray[np.intp]
) -> Values:
    """(resamples, classes, classes): the same in each draw of sources; `items` are the places of the answers in it."""
    found, place = np.unique(_cells(first, second, class_count), return_inverse=True)
    tables = np.zeros((len(draws.counts), class_count**2))
    # Most of the 81 cells of nine choices are empty: only the others are multiplied.
    tables[:, found] = draws.totals(np.eye(len(found))[place], items)
    return tables.reshape(-1, class_count, class_count)


def _cells(first: Classes, second: Classes, class_count: int) -> npt.NDArray[np.intp]:
    return np.asarray(first, np.intp) * class_count + np.asarray(second, np.intp)


def accuracy(tables: npt.ArrayLike) -> Values:
    """Share of equal answers."""
    counts = np.asarray(tables, np.float64)
    return quotient(_agreeing(counts), counts.sum(axis=(-2, -1)))


def expected_agreement(tables: npt.ArrayLike) -> Values:
    """Share of equal answers that chance alone would give: p_e."""
    counts = np.asarray(tables, np.float64)
    return quotient(_chance(counts), counts.sum(axis=(-2, -1)) ** 2)


def cohen_kappa(tables: npt.ArrayLike) -> Values:
    """Cohen (1960): (p_o - p_e) / (1 - p_e), as a quotient of integers; undefined where p_e = 1."""
    counts = np.asarray(tables, np.float64)
    n, chance = counts.sum(axis=(-2, -1)), _chance(counts)
    return quotient(_agreeing(counts) * n - chance, n * n - chance)


def macro_f1(tables: npt.ArrayLike) -> Values:
    """Mean F1 of the classes that occur in the truth, 0 for one that is never found; undefined without any truth.

    Answers of a class that is not in the truth count against the classes that they were taken from, and not once more
    as a class with an F1 of 0, as scikit-learn's default does: which classes are averaged is a matter of the clips and
    not of the labeller. A resample that has lost a class averages the others.
    """
    counts = np.asarray(tables, np.float64)
    truth = counts.sum(axis=-1)
    there = truth > 0
    each = np.where(there, quotient(2 * np.diagonal(counts, axis1=-2, axis2=-1), truth + counts.sum(axis=-2)), 0.0)
    return quotient(each.sum(axis=-1), there.sum(axis=-1))


def _agreeing(counts: Values) -> Values:
    return np.asarray(np.trace(counts, axis1=-2, axis2=-1), np.float64)


def _chance(counts: Values) -> Values:
    return np.asarray((counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1), np.float64)
