"""Where theory puts the agreement of the demo's simulated annotators, from their error model alone (docs/agreement.md).

Written from the words of that page, not from the code that answers: matrices of probabilities, no draws.
"""

import numpy as np

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES, HUMAN_CHOICES, NO_SPECIFIC_EMOTION

ERROR_RATES = {"simulated-1": 0.11, "simulated-2": 0.15, "simulated-3": 0.19}
UNIFORM_TRUTH = np.full(8, 1 / 8)


def confusion(error_rate):
    """Truths x choices: how probable each choice is where an emotion is true; rows sum to 1."""
    matrix = np.zeros((8, 9))
    for row, truth in enumerate(EMOTION_NAMES):
        weights = np.array([_weight(choice, truth) for choice in HUMAN_CHOICES])
        matrix[row] = error_rate * weights / weights.sum()
        matrix[row, row] = 1 - error_rate
    return matrix


def _weight(choice, truth):
    if choice == truth:
        return 0.0
    if choice == NO_SPECIFIC_EMOTION:
        return 1.5
    return 3.0 if EMOTION_BY_NAME[choice].polarity == EMOTION_BY_NAME[truth].polarity else 1.0


def expected_agreement(a, b, truth=UNIFORM_TRUTH):
    """(p_o, p_e, kappa) of two people who err independently with these rates."""
    first, second = confusion(a), confusion(b)
    observed = float(truth @ (first * second).sum(axis=1))
    chance = float((truth @ first) @ (truth @ second))
    return observed, chance, (observed - chance) / (1 - chance)


def expected_agreement_with_majority(own, b, c, truth=UNIFORM_TRUTH):
    """How probable it is that a person says what two others both say, given that they do."""
    both = confusion(b) * confusion(c)
    return float((truth @ (both * confusion(own)).sum(axis=1)) / (truth @ both.sum(axis=1)))


def kappa_standard_error(a, b, count, truth=UNIFORM_TRUTH):
    """Large-sample standard error of kappa over `count` clips (Fleiss, Cohen & Everitt 1969)."""
    joint = np.einsum("t,ti,tj->ij", truth, confusion(a), confusion(b))
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    _, chance, kappa = expected_agreement(a, b, truth)
    # Of cell (i, j): how often the second rater says i, plus how often the first says j.
    weight = columns[:, None] + rows[None, :]
    diagonal = np.eye(9, dtype=bool)
    agreeing = (joint * (1 - weight * (1 - kappa)) ** 2)[diagonal].sum()
    disagreeing = (1 - kappa) ** 2 * (joint * weight**2)[~diagonal].sum()
    variance = agreeing + disagreeing - (kappa - chance * (1 - kappa)) ** 2
    return float(np.sqrt(variance / count) / (1 - chance))
