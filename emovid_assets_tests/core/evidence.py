"""Measurements of clips that were never filmed, for tests of the embedded models."""

from typing import Any

import numpy as np

from emovid_assets.core.labelling import ClipEvidence, LabelledClip


def evidence(clip_id: str = "movie-a-00000000-00004000", *, domain: str = "movie", **changes: Any) -> ClipEvidence:
    """A clip of 4 s: reddish, half bright, moving a little, with a steady tone. Changes name any measurement."""
    features: dict[str, Any] = {
        "colour_histogram": [1.0] + [0.0] * 11 + [0.125] * 16,
        "motion_mean": 0.02,
        "motion_sd": 0.01,
        "motion_peak": 0.04,
        "cut_rate_hz": 0.1,
        "has_audio": True,
        "loudness_db": -25.0,
        "loudness_sd_db": 2.0,
        "spectral_centroid_hz": 800.0,
        "silence_share": 0.0,
        "band_shares": [0.125] * 8,
        "sampled_pts_s": [0.0, 0.8, 1.6],
    }
    colour: dict[str, Any] = {
        "brightness_mean": 0.5,
        "colorfulness_mean": 0.4,
        "hue_chromatic_deg": 10.0,
        "chromatic_share": 0.9,
    }
    duration_s = changes.pop("duration_s", 4.0)
    for name, value in changes.items():
        (colour if name in colour else features)[name] = value
    return ClipEvidence(clip_id, domain, duration_s, features | {"duration_s": duration_s}, colour)


def silent(clip_id: str = "movie-a-00000000-00004000", **changes: Any) -> ClipEvidence:
    nothing = dict.fromkeys(("loudness_db", "loudness_sd_db", "spectral_centroid_hz", "silence_share"))
    return evidence(clip_id, **{**nothing, "has_audio": False, "band_shares": [], **changes})


def random_clip(random: np.random.Generator, clip_id: str, **changes: Any) -> ClipEvidence:
    """A clip whose measurements are drawn at random."""
    parts = [random.dirichlet(np.ones(size)) for size in (12, 8, 8)]
    drawn = {
        "colour_histogram": np.concatenate(parts).tolist(),
        "motion_mean": random.uniform(0, 0.1),
        "motion_sd": random.uniform(0, 0.1),
        "motion_peak": random.uniform(0, 0.2),
        "loudness_db": random.uniform(-60, -10),
        "spectral_centroid_hz": random.uniform(100, 4000),
        "band_shares": random.dirichlet(np.ones(8)).tolist(),
        "brightness_mean": random.uniform(0, 1),
        "colorfulness_mean": random.uniform(0, 1),
        "hue_chromatic_deg": random.uniform(0, 360),
    }
    return evidence(clip_id, **{**drawn, **changes})


def labelled(clip: ClipEvidence, emotion: str, group: str | None = None) -> LabelledClip:
    return LabelledClip(clip, emotion, group or clip.clip_id)
