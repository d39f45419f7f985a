"""The scored videos of generators, as metrics and tests take them.

Belongs here: which videos count for a metric, whose prompt they are of, what is better of two values, and which
features distances are taken of. Does not belong here: numbers that follow from them (`metrics`, `comparisons`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.generation.distances import MEASURED, scaled
from emovid_assets.core.statistics.quotients import Values

Row = Mapping[str, Any]

ALL_EMOTIONS = "all"
SHARES: dict[str, str] = {"ea8": "is_emotion_right", "ea2": "is_polarity_right"}
"""Metric → column of `generation_scores` whose share it is."""
MEANS = ("caption_cosine", "label_cosine", "first_frame_consistency", "flicker_native", "flicker_common")
"""Columns of `generation_scores` whose mean over videos is the metric."""
DISTANCES = ("frechet_distance", "kernel_distance")
LOWER_IS_BETTER = frozenset({"flicker_native", "flicker_common", *DISTANCES})
FEWEST_FOR_DISTANCE = 30
"""Of videos and of real clips. A distance of fewer is made of chance: see `floor` in `docs/generation_metrics.md`."""
_SCORER_OF = {
    **dict.fromkeys(SHARES, "labeller"),
    **dict.fromkeys(("caption_cosine", "label_cosine"), "text_scorer"),
    "first_frame_consistency": "picture_scorer",
}


@dataclass(frozen=True)
class Video:
    """`unit` names its prompt, of which there may be videos of several seeds; `pair` is equal for those of other
    generators with the same prompt and seed. `scores` is its row of `generation_scores`."""

    video_id: str
    generator: str
    task: str
    domain: str
    emotion: str
    unit: str
    pair: tuple[str, str, int]
    is_of_clip: bool
    is_trial: bool
    scores: Row

    @property
    def cell(self) -> tuple[str, str]:
        return self.domain, self.emotion

    def value(self, metric: str) -> float | None:
        found = self.scores[SHARES.get(metric, metric)]
        return None if found is None else float(found)

    def scorer(self, metric: str) -> str | None:
        """Model and revision behind a metric; null where it needs none."""
        kind = _SCORER_OF.get(metric)
        return f"{self.scores[f'{kind}_id']}@{self.scores[f'{kind}_revision']}" if kind else None


def scored_videos(scores: Iterable[Row], videos: Iterable[Row]) -> list[Video]:
    """From rows of `generation_scores` and `generated_videos`, sorted by id; scores of videos that are gone are left
    out."""
    known = {row["video_id"]: row for row in videos}
    found = []
    for row in sorted(scores, key=lambda one: str(one["video_id"])):
        made = known.get(row["video_id"])
        if made is None:
            continue
        unit = row["clip_id"] or f"{made['character']}/{row['asked_emotion']}"
        found.append(
            Video(
                row["video_id"],
                row["generator"],
                row["task"],
                row["domain"],
                row["asked_emotion"],
                unit,
                (unit, made["prompt_sha256"], row["seed"]),
                row["clip_id"] is not None,
                bool(row["is_trial"] or made["is_trial"]),
                row,
            )
        )
    return found


def counting(videos: Sequence[Video], metric: str) -> list[Video]:
    """The videos that have a value by the scorer that has scored most: values of two scorers say nothing together."""
    there = [video for video in videos if video.value(metric) is not None]
    used = Counter(video.scorer(metric) for video in there)
    most = max(used, key=lambda scorer: (used[scorer], str(scorer)), default=None)
    return [video for video in there if video.scorer(metric) == most]


def scopes(videos: Iterable[Video]) -> Iterator[tuple[str, str, list[Video]]]:
    """(scope, asked emotion, videos): all domains and each, all emotions and each, where there are videos."""
    everything = list(videos)
    for scope in (TOTAL, *DOMAINS):
        of_scope = [video for video in everything if scope in (TOTAL, video.domain)]
        for emotion in (ALL_EMOTIONS, *EMOTION_NAMES):
            members = [video for video in of_scope if emotion in (ALL_EMOTIONS, video.emotion)]
            if members:
                yield scope, emotion, members


@dataclass(frozen=True)
class FeatureSet:
    """Features of one extractor, scaled for distances. Real clips by id, with their domains; videos by id."""

    scorer: str
    domain_of: Mapping[str, str]
    real: Mapping[str, Values]
    videos: Mapping[str, Values]

    def real_of(self, domains: Iterable[str]) -> tuple[list[str], Values]:
        """Ids and vectors of the real clips of some domains, by id."""
        chosen = set(domains)
        ids = sorted(clip_id for clip_id in self.real if self.domain_of[clip_id] in chosen)
        return ids, np.array([self.real[clip_id] for clip_id in ids])

    def compared(self, videos: Iterable[Video]) -> list[Video]:
        """Those that have features and were made of the prompt of a real clip."""
        return [video for video in videos if video.is_of_clip and video.video_id in self.videos]

    def vectors(self, videos: Iterable[Video]) -> Values:
        return np.array([self.videos[video.video_id] for video in videos])


def feature_set(rows: Iterable[Row]) -> FeatureSet | None:
    """From rows of `generation_features`: those of a video encoder before measured ones, and of several revisions the
    one with most. Features that are not finite are left out. Null where there are no real clips."""
    by_extractor: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_extractor.setdefault((row["extractor_id"], row["extractor_revision"]), []).append(row)
    order = sorted(by_extractor, key=lambda one: (one[0].startswith(MEASURED), -len(by_extractor[one]), one))
    for extractor_id, revision in order:
        vectors = {
            (row["kind"], row["item_id"]): (row["domain"], np.asarray(row["features"], np.float64))
            for row in by_extractor[extractor_id, revision]
        }
        finite = {key: one for key, one in vectors.items() if np.isfinite(one[1]).all()}
        real = {item: one for (kind, item), one in finite.items() if kind == "real"}
        if not real:
            continue
        spread = np.array([vector for _, (_, vector) in sorted(real.items())])

        def of(found: Mapping[str, tuple[str, Values]], own: Values, extractor: str) -> dict[str, Values]:
            return {item: scaled(vector[None], own, extractor)[0] for item, (_, vector) in found.items()}

        generated = {item: one for (kind, item), one in finite.items() if kind == "generated"}
        return FeatureSet(
            f"{extractor_id}@{revision}",
            {item: domain for item, (domain, _) in real.items()},
            of(real, spread, extractor_id),
            of(generated, spread, extractor_id),
        )
    return None
