"""A home whose generators are planted: three that make videos from prompts, two from prompts and first frames.

Belongs here: tables and filmstrips as files. Does not belong here: what they should lead to.
"""

from pathlib import Path

import numpy as np

from emovid_assets.core.generation.comparisons import comparison_rows
from emovid_assets.core.generation.filmstrip import chosen_videos, side_by_side
from emovid_assets.core.generation.metrics import metric_rows
from emovid_assets.core.generation.videos import feature_set, scored_videos
from emovid_assets.core.placing import put_bytes
from emovid_assets.core.video.picture import jpeg
from emovid_assets_tests.generation.planted import Row, features_of, real_features, videos_of
from emovid_assets_tests.sql.planting import plant

GENERATORS = (
    # name, task, right of ten, shift of its features, whether it is a trial
    ("steady", "t2v", 6, 0.0, False),
    ("steady with an adapter", "t2v", 8, 0.1, False),
    ("wild<b>", "t2v", 3, 0.8, True),
    ("first", "i2v", 5, 0.0, False),
    ("second", "i2v", 5, 0.0, False),
)


ADAPTER = {"name": "emotion", "weight": 1.0, "sha256": "0" * 64}


def plant_generators(home: Path, per_cell: int = 4) -> None:
    """All tables of this stage, as the assets make them of planted scores and features."""
    made: list[Row] = []
    scores: list[Row] = []
    features = real_features(per_cell)
    for place, (name, task, right, shift, is_trial) in enumerate(GENERATORS):
        random = np.random.default_rng(place)
        own, found = videos_of(name, _score(random, right), task=task, per_cell=per_cell, is_trial=is_trial)
        for video in own:
            video |= {"model_id": "some/steady" if name.startswith("steady") else None}
            video |= {"adapters": [ADAPTER] if name.endswith("adapter") else []}
            video |= {"prompt": f"A {video['asked_emotion']} scene <i>of</i> {video['clip_id']}", "character": None}
        made, scores = made + own, scores + found
        features += features_of(own, shift, seed=place + 1, noise=0.4)
    videos, distances = scored_videos(scores, made), feature_set(features)
    plant(home, "generated_videos", made)
    plant(home, "generation_scores", scores)
    plant(home, "generation_features", features)
    plant(home, "generation_metrics", metric_rows(videos, distances, seed="a"))
    plant(home, "generation_tests", comparison_rows(videos, distances, seed="a"))
    strips = []
    for domain in ("movie", "animation", "sticker"):
        for position, video in chosen_videos([one for one in made if one["domain"] == domain], seed="a"):
            path = f"media/filmstrips/{domain}/{video['video_id']}.jpg".replace("<b>", "")
            put_bytes(home / path, jpeg(_drawn_strip(len(strips))))
            names = ("video_id", "domain", "generator", "task", "clip_id", "asked_emotion", "prompt", "is_trial")
            strips.append({**{name: video[name] for name in names}, "position": position, "filmstrip_path": path})
    plant(home, "generation_filmstrips", strips)


def _score(random: np.random.Generator, right: int):  # type: ignore[no-untyped-def]
    def score(emotion: str, number: int) -> Row:
        return {
            "emotion": emotion if number % 10 < right else "anger" if emotion != "anger" else "fear",
            "caption_cosine": float(random.normal(0.3 + right / 1000, 0.02)),
            "label_cosine": float(random.normal(0.2, 0.02)),
            "first_frame_consistency": float(min(1, random.normal(0.9, 0.03))),
            "flicker_native": float(abs(random.normal(0.02, 0.005))),
            "flicker_common": float(abs(random.normal(0.03, 0.005))),
            "text_scorer_id": "some/clip",
        }

    return score


def _drawn_strip(number: int) -> np.ndarray:
    height, width = (72, 128) if number % 3 else (128, 72)
    ramp = np.linspace(0, 200, width)[None, :, None] + np.zeros((height, 1, 3))
    return side_by_side([np.roll(ramp, 15 * place + 10 * number, axis=1).astype(np.uint8) for place in range(6)])
