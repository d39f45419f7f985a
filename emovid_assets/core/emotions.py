"""The vocabulary: eight emotions, two polarities, valence and arousal.

Belongs here: names, order and the published numbers of the labels, and who wins a tie. Nothing is computed from videos
here.

Sources: Mikels' eight categories in EmoSet's order (requirement R1); valence and arousal are the
means that Warriner, Kuperman & Brysbaert (2013) give for the eight English words, on their scale
of 1 to 9; arousal is "high" above the median of the eight.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Emotion(NamedTuple):
    """One label. `valence` and `arousal` are on Warriner's scale, 1 (low) to 9 (high)."""

    name: str
    polarity: str
    valence: float
    arousal: float
    is_high_arousal: bool
    definition: str


EMOTIONS: tuple[Emotion, ...] = (
    Emotion("amusement", "positive", 7.00, 4.82, False, "something is funny or playful"),
    Emotion("awe", "positive", 6.85, 3.83, False, "something vast or beautiful fills one with wonder"),
    Emotion("contentment", "positive", 6.62, 4.60, False, "calm satisfaction, warmth, ease"),
    Emotion("excitement", "positive", 7.62, 6.21, True, "lively joy, thrill, anticipation"),
    Emotion("anger", "negative", 2.50, 5.93, True, "hostility, rage, indignation"),
    Emotion("disgust", "negative", 3.32, 5.00, True, "revulsion at something foul or offensive"),
    Emotion("fear", "negative", 2.93, 6.14, True, "threat, dread, panic"),
    Emotion("sadness", "negative", 2.40, 2.81, False, "loss, grief, hopelessness"),
)

EMOTION_NAMES: tuple[str, ...] = tuple(emotion.name for emotion in EMOTIONS)
EMOTION_BY_NAME: dict[str, Emotion] = {emotion.name: emotion for emotion in EMOTIONS}

NO_SPECIFIC_EMOTION = "no_specific_emotion"
"""The ninth choice, for human annotators only (requirement R2)."""

HUMAN_CHOICES: tuple[str, ...] = (*EMOTION_NAMES, NO_SPECIFIC_EMOTION)
VERIFY_CHOICES: tuple[str, ...] = ("accept", "reject")
POLARITIES: tuple[str, ...] = ("positive", "negative")


def first_of_most(amounts: Mapping[str, float], order: Sequence[str] = EMOTION_NAMES) -> str:
    """The choice with the largest amount; of equals, the first in EmoSet's order.

    Every choice of one emotion out of several goes by this order: arrays in EmoSet's order by `argmax`, SQL by
    `emotion_wheel.emotion_index`. What `amounts` lack counts as 0.
    """
    return max(order, key=lambda name: amounts.get(name, 0))
