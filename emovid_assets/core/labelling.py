"""The interface between the dataset and whatever model labels or captions it.

Belongs here: what a model is given and what it must return. The embedded models work with numbers measured on the
clip and all clips at once; vision-language models with frames, clip by clip (`core.vlm.exchange`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from emovid_assets.core.emotions import first_of_most


class NotEnoughLabelsError(Exception):
    """There is nothing to train on yet; the message says what is missing."""


@dataclass(frozen=True)
class ClipEvidence:
    """What the embedded models look at: rows of `clip_features` and `colour_attributes`."""

    clip_id: str
    domain: str
    duration_s: float
    features: Mapping[str, Any]
    colour: Mapping[str, Any]


@dataclass(frozen=True)
class LabelledClip:
    """A training example. Clips of one `group_id` never stand on both sides of a validation fold."""

    evidence: ClipEvidence
    emotion: str
    group_id: str


@dataclass(frozen=True)
class LabelScore:
    """A distribution over the eight emotions, read off the model and never guessed from text.

    `mass` is what the model gave to all eight together before they were made to sum to 1; null where it knows of
    nothing else. The logarithms were divided by `temperature`.
    """

    probabilities: Mapping[str, float]
    frame_pts_s: Sequence[float]
    mass: float | None = None
    temperature: float = 1.0
    prompt_token_count: int | None = None
    parse_status: str = "scored"

    @property
    def emotion(self) -> str:
        """The most probable emotion; of equals, the first in EmoSet's order."""
        return first_of_most(self.probabilities)


@dataclass(frozen=True)
class TrainingReport:
    """Cross-validated quality of a labeller; `confusion` is rows = truth, columns = prediction, in EmoSet's order."""

    training_clip_count: int
    accuracy: float
    baseline_accuracy: float
    macro_f1: float
    confusion: Sequence[Sequence[int]]
    accuracy_by_domain: Mapping[str, float]
    fold_count: int


class Labeller(Protocol):
    """Scores clips. What names it is in every row that it makes."""

    @property
    def model_id(self) -> str: ...

    @property
    def revision(self) -> str: ...

    @property
    def prompt_sha256(self) -> str | None:
        """Of the prompt; null where the model takes none."""

    @property
    def base_model(self) -> str: ...

    def score(self, clips: Sequence[ClipEvidence]) -> list[LabelScore]: ...

    def save(self, folder: Path) -> None: ...
