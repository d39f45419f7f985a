"""How good a model is on held-out clips, as one evaluation of a training.

Belongs here: accuracy, macro F1 and likelihood of answers whose truth is known. Does not belong here: the clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emovid_assets.core.calibration import negative_log_likelihood
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.statistics.confusion import confusion, macro_f1
from emovid_assets.core.statistics.softmax import softmax


@dataclass(frozen=True)
class HeldOutAnswer:
    """`log_probabilities` in EmoSet's order; they sum to 1 as probabilities."""

    clip_id: str
    emotion: str
    log_probabilities: Sequence[float]

    @property
    def answer(self) -> str:
        """The most probable emotion; of equals, the first in EmoSet's order."""
        return EMOTION_NAMES[int(np.argmax(self.log_probabilities))]


@dataclass(frozen=True)
class Evaluation:
    """After `step` steps, which are `epoch` epochs. `loss` is the mean over the steps since the one before."""

    step: int
    epoch: float
    accuracy: float
    macro_f1: float
    nll: float
    loss: float | None

    @classmethod
    def of(cls, step: int, epoch: float, answers: Sequence[HeldOutAnswer], loss: float | None) -> "Evaluation":
        logarithms, truth = as_arrays(answers)
        predicted = logarithms.argmax(axis=1)
        return cls(
            step=step,
            epoch=epoch,
            accuracy=float((predicted == truth).mean()),
            macro_f1=float(macro_f1(confusion(truth, predicted, len(EMOTION_NAMES)))),
            nll=float(negative_log_likelihood(softmax(logarithms), truth).mean()),
            loss=loss,
        )

    def is_better_than(self, other: "Evaluation") -> bool:
        """By macro F1, so that rare emotions count; of equals, the more likely truth."""
        return (self.macro_f1, -self.nll) > (other.macro_f1, -other.nll)

    @property
    def sentence(self) -> str:
        """For a log."""
        loss = "" if self.loss is None else f"loss {self.loss:.3f}, "
        return (
            f"epoch {self.epoch:.2f}, step {self.step}: {loss}held-out accuracy {self.accuracy:.3f}, macro F1 "
            f"{self.macro_f1:.3f}, negative log-likelihood {self.nll:.3f}"
        )


def as_arrays(answers: Sequence[HeldOutAnswer]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Logarithms (clips, 8) and the right classes (clips,)."""
    logarithms = np.array([one.log_probabilities for one in answers], np.float64).reshape(-1, len(EMOTION_NAMES))
    return logarithms, np.array([EMOTION_NAMES.index(one.emotion) for one in answers], np.intp)


def majority_share(truth: npt.NDArray[np.intp]) -> float:
    """Accuracy of always giving the most frequent answer."""
    return float(np.bincount(truth).max() / len(truth)) if len(truth) else 0.0
