"""Planted tables of generated videos: what a test does not name is the same for all.

Belongs here: rows. Does not belong here: what they should lead to.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets_tests.sql.planting import row

Row = dict[str, Any]
Score = Callable[[str, int], Row]


def prompts(per_cell: int) -> Iterator[tuple[str, str, str, int]]:
    """(clip id, domain, emotion, number) of a benchmark of three domains by eight emotions."""
    number = 0
    for domain in DOMAINS:
        for emotion in EMOTION_NAMES:
            for place in range(per_cell):
                yield f"{domain}-{emotion}-{place}", domain, emotion, number
                number += 1


def videos_of(
    generator: str,
    score: Score,
    *,
    task: str = "t2v",
    per_cell: int = 10,
    seeds: tuple[int, ...] = (0,),
    **given: Any,
) -> tuple[list[Row], list[Row]]:
    """Rows of `generated_videos` and of `generation_scores`. `score(emotion, number)` gives columns of a score; where
    it recognises an `emotion`, the two that follow from it are added. `given` are columns of both tables or of one."""
    made, scores = [], []
    for seed in seeds:
        for clip_id, domain, emotion, number in prompts(per_cell):
            handed_on = {
                "video_id": f"{generator}-{task}-{seed}-{clip_id}",
                "domain": domain,
                "generator": generator,
                "task": task,
                "clip_id": clip_id,
                "asked_emotion": emotion,
                "seed": seed,
            }
            made.append(_filled("generated_videos", {**handed_on, "prompt_sha256": clip_id, **given}))
            found = score(emotion, number * len(seeds) + seed)
            scores.append(_filled("generation_scores", {**handed_on, **_right(emotion, found), **found, **given}))
    return made, scores


def _filled(table: str, values: Row) -> Row:
    known = row(table)
    return known | {name: value for name, value in values.items() if name in known}


def _right(asked: str, found: Row) -> Row:
    emotion = found.get("emotion")
    if emotion is None:
        return {}
    return {
        "is_emotion_right": emotion == asked,
        "is_polarity_right": EMOTION_BY_NAME[emotion].polarity == EMOTION_BY_NAME[asked].polarity,
        "labeller_id": "some/labeller",
        "labeller_revision": "1",
    }


def recognising(right_numbers: Callable[[int], bool], **more: Any) -> Score:
    """Scores of videos that are recognised as what was asked where the rule says so, else as the next emotion."""

    def score(emotion: str, number: int) -> Row:
        next_one = EMOTION_NAMES[(EMOTION_NAMES.index(emotion) + 1) % len(EMOTION_NAMES)]
        return {"emotion": emotion if right_numbers(number) else next_one, **more}

    return score


def features_of(videos: list[Row], shift: float, *, seed: int, dimensions: int = 12, noise: float = 1.0) -> list[Row]:
    """Rows of `generation_features`: those of the real clip of the same prompt, moved and with noise."""
    random = np.random.default_rng(seed)
    return [
        feature(
            video["video_id"],
            video["domain"],
            "generated",
            _of_clip(video["clip_id"], dimensions) + shift + noise * random.normal(size=dimensions),
        )
        for video in videos
    ]


def real_features(per_cell: int = 10, dimensions: int = 12) -> list[Row]:
    return [
        feature(clip_id, domain, "real", _of_clip(clip_id, dimensions)) for clip_id, domain, *_ in prompts(per_cell)
    ]


def feature(item_id: str, domain: str, kind: str, vector: Any, extractor: str = "some/encoder") -> Row:
    return row(
        "generation_features",
        item_id=item_id,
        domain=domain,
        kind=kind,
        extractor_id=extractor,
        extractor_revision="1",
        features=[float(value) for value in vector],
    )


def _of_clip(clip_id: str, dimensions: int) -> Any:
    return np.random.default_rng(list(clip_id.encode())).normal(size=dimensions)
