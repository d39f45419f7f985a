"""The embedded describer: plain English for what was measured: length, motion, palette, sound.

Belongs here: words for numbers. It does not know what is depicted and never says so; it is a stand-in for a
captioning model on machines without one, behind the same interface.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from emovid_assets.core.colour import HUE_BINS
from emovid_assets.core.labelling import ClipEvidence
from emovid_assets.core.vlm.exchange import CaptionAnswer

MODEL_ID = "embedded/describer"
VERSION = "1"

Steps = tuple[tuple[float, str], ...]
"""(upper limit, word), ascending; the last limit is infinite."""

_END = float("inf")
MOTION: Steps = (
    (0.004, "almost still"),
    (0.015, "slow and gentle"),
    (0.04, "steady"),
    (0.08, "lively"),
    (_END, "very fast"),
)
BRIGHTNESS: Steps = ((0.2, "very dark"), (0.4, "dark"), (0.6, "medium-bright"), (0.8, "bright"), (_END, "very bright"))
SATURATION: Steps = ((0.05, "grey"), (0.2, "muted"), (0.45, "moderately saturated"), (_END, "vivid"))
LOUDNESS: Steps = ((-50.0, "barely audible"), (-32.0, "quiet"), (-20.0, "moderately loud"), (_END, "loud"))
PITCH: Steps = ((400.0, "deep"), (1200.0, "mid-pitched"), (2500.0, "bright"), (_END, "shrill"))
HUES = (
    "red",
    "orange",
    "yellow",
    "lime green",
    "green",
    "turquoise",
    "cyan",
    "azure",
    "blue",
    "violet",
    "magenta",
    "pink",
)
assert len(HUES) == HUE_BINS, "one name per hue bin of the palette"
STEADY_SD_DB, RARE_SILENCE, SECOND_HUE = 4.0, 0.2, 0.25


def word(value: float, steps: Steps) -> str:
    """The word whose range holds the value."""
    return next(name for limit, name in steps if value < limit)


class EmbeddedDescriber:
    """Captions from measurements; the same clip always gets the same words."""

    model_id = MODEL_ID
    prompt_sha256: str | None = None
    revision = hashlib.sha256(
        json.dumps([VERSION, MOTION, BRIGHTNESS, SATURATION, LOUDNESS, PITCH, HUES], default=str).encode()
    ).hexdigest()[:16]

    def caption(self, clips: Sequence[ClipEvidence]) -> list[CaptionAnswer]:
        return [CaptionAnswer(describe(clip), list(clip.features["sampled_pts_s"])) for clip in clips]


def describe(clip: ClipEvidence) -> str:
    """Three sentences: length and motion, palette, sound."""
    length = f"{clip.duration_s:.1f}".removesuffix(".0")
    motion = word(clip.features["motion_mean"], MOTION)
    return f"A clip of {length} seconds with {motion} motion. {_palette(clip)} {_sound(clip.features)}"


def _palette(clip: ClipEvidence) -> str:
    light = word(clip.colour["brightness_mean"], BRIGHTNESS)
    saturation = word(clip.colour["colorfulness_mean"], SATURATION)
    if saturation == "grey":
        return f"The picture is {light} and nearly colourless."
    hues = clip.features["colour_histogram"][:HUE_BINS]
    first, second = sorted(range(HUE_BINS), key=lambda i: (-hues[i], i))[:2]
    tones = f"{HUES[first]} tones" if hues[second] < SECOND_HUE else f"{HUES[first]} and {HUES[second]} tones"
    return f"The picture is {light} with {saturation} colours, mostly {tones}."


def _sound(features: Mapping[str, Any]) -> str:
    if not features["has_audio"]:
        return "It has no sound."
    if features["loudness_db"] is None or features["silence_share"] > 1 - 1e-9:
        return "Its sound track is silent."
    level, pitch = word(features["loudness_db"], LOUDNESS), word(features["spectral_centroid_hz"], PITCH)
    flow = "steady" if features["loudness_sd_db"] < STEADY_SD_DB else "changing"
    pauses = " with pauses" if features["silence_share"] > RARE_SILENCE else ""
    return f"The sound is {level}, {pitch} and {flow}{pauses}."
