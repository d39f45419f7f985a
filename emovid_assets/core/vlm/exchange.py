"""What a vision-language model is given for a clip, and what it gives back, whatever runs it.

Belongs here: the values that pass between assets, stores and models, as plain JSON on both sides. Does not belong
here: any model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.statistics.softmax import softmax


@dataclass(frozen=True)
class ClipRequest:
    """A clip file, the frames of it that a model sees, and the words beside them.

    `stamps_s` ascend and count from the clip's first frame; the nearest frames are taken. `side_px` is the longest
    side that a frame may have; larger ones are made smaller before they leave the decoder.
    `prompt` is complete, except where options are lettered: then it holds {options} and the order is the asker's.
    """

    path: str
    stamps_s: Sequence[float]
    side_px: int
    prompt: str

    def as_arguments(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "ClipRequest":
        return cls(**arguments)


@dataclass(frozen=True)
class LabelAnswer:
    """Natural logarithms of the probabilities of the eight emotions, in EmoSet's order, which sum to 1.

    `frame_pts_s` are the frames' own stamps. `mass` is the probability that the model gave to all eight answers
    together before they were made to sum to 1: a small one says that it wanted to say something else.
    `model_s` is the share of the model's time that the clip took.
    """

    log_probabilities: Sequence[float]
    frame_pts_s: Sequence[float]
    mass: float | None = None
    prompt_token_count: int | None = None
    model_s: float | None = None

    def as_payload(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "LabelAnswer":
        return cls(**payload)

    def probabilities(self, temperature: float = 1.0) -> dict[str, float]:
        """Emotion → probability, after division of the logarithms by `temperature` (Guo et al. 2017)."""
        return dict(zip(EMOTION_NAMES, softmax(self.log_probabilities, temperature).tolist(), strict=True))


@dataclass(frozen=True)
class CaptionAnswer:
    """A caption that passed the rules of `core.vlm.caption_rules`, at the attempt of that number (from 1)."""

    caption: str
    frame_pts_s: Sequence[float]
    attempt_count: int = 1
    prompt_token_count: int | None = None
    output_token_count: int | None = None
    model_s: float | None = None

    def as_payload(self) -> dict[str, Any]:
        return {**vars(self)}

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "CaptionAnswer":
        return cls(**payload)


@dataclass
class Meter:
    """What a run over many clips has cost so far. Seconds are wall time of the one thread that drives the model."""

    clip_count: int = 0
    model_s: float = 0.0
    waiting_s: float = 0.0
    prompt_token_count: int = 0
    output_token_count: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    def add(self, other: "Meter") -> None:
        """What another run has cost, on top."""
        for name in ("clip_count", "model_s", "waiting_s", "prompt_token_count", "output_token_count"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.notes.update(other.notes)

    @property
    def waiting_share(self) -> float:
        """Of the time in which the model could have worked, what it spent waiting for frames."""
        total = self.model_s + self.waiting_s
        return self.waiting_s / total if total else 0.0
