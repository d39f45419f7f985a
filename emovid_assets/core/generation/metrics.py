"""What each generator is worth by itself: the rows of `generation_metrics`.

Belongs here: shares with Wilson intervals, means with intervals over prompts, distances with their floor. Does not
belong here: two generators beside each other (`comparisons`), which videos count (`videos`).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from emovid_assets.core.generation.distances import MEASURES, set_distance
from emovid_assets.core.generation.units import UnitDraws, by_unit
from emovid_assets.core.generation.videos import (
    ALL_EMOTIONS,
    DISTANCES,
    FEWEST_FOR_DISTANCE,
    MEANS,
    SHARES,
    FeatureSet,
    Video,
    counting,
    scopes,
)
from emovid_assets.core.statistics.wilson import grouped_wilson

Row = dict[str, Any]
_WITHOUT = dict.fromkeys(("right_count", "real_count", "floor", "half_value", "reason", "low", "high"))


def metric_rows(videos: Sequence[Video], features: FeatureSet | None, *, seed: str) -> list[Row]:
    """Rows of `generation_metrics`. Nothing of a metric that no video has a value of; of distances and of flicker at
    common settings the reason."""
    draws = UnitDraws(seed)
    rows: list[Row] = []
    for metric in (*SHARES, *MEANS):
        for generator, task, own in _each_generator(counting(videos, metric)):
            for scope, emotion, members in scopes(own):
                found = _share(members, metric) if metric in SHARES else _mean(members, metric, draws)
                rows.append({**_place(generator, task, scope, emotion, metric, members), **found})
    rows += _too_short(videos)
    return rows if features is None else rows + list(_distances(videos, features, seed))


def _too_short(videos: Sequence[Video]) -> Iterator[Row]:
    """Of generators whose flicker is known, but of no video long enough to be compared at common settings."""
    for generator, task, own in _each_generator(counting(videos, "flicker_native")):
        for scope, emotion, members in scopes(own):
            if emotion == ALL_EMOTIONS and all(video.value("flicker_common") is None for video in members):
                place = _place(generator, task, scope, emotion, "flicker_common", members)
                reason = f"none of {len(members)} videos is as long as generation.common_s"
                yield {**place, "value": None, "scorer": None, "reason": reason}


def _distances(videos: Sequence[Video], features: FeatureSet, seed: str) -> Iterator[Row]:
    for generator, task, own in _each_generator([video for video in videos if video.is_of_clip]):
        for scope, emotion, members in scopes(own):
            for metric in DISTANCES if emotion == ALL_EMOTIONS else ():
                found = _distance(members, metric, features, seed)
                yield {**_place(generator, task, scope, emotion, metric, members), **found}


def _each_generator(videos: Sequence[Video]) -> Iterable[tuple[str, str, list[Video]]]:
    for generator, task in sorted({(video.generator, video.task) for video in videos}):
        yield generator, task, [video for video in videos if (video.generator, video.task) == (generator, task)]


def _place(generator: str, task: str, scope: str, emotion: str, metric: str, members: Sequence[Video]) -> Row:
    return {
        **_WITHOUT,
        "generator": generator,
        "task": task,
        "scope": scope,
        "asked_emotion": emotion,
        "metric": metric,
        "video_count": len(members),
        "prompt_count": len({video.unit for video in members}),
        "is_trial": any(video.is_trial for video in members),
    }


def _share(members: Sequence[Video], metric: str) -> Row:
    units = by_unit(members, metric)
    right = int(sum(units.sums))
    low, high = grouped_wilson([int(one) for one in units.sums], [int(one) for one in units.sizes]) or (None, None)
    return {
        "value": right / len(members),
        "low": low,
        "high": high,
        "right_count": right,
        "scorer": members[0].scorer(metric),
    }


def _mean(members: Sequence[Video], metric: str, draws: UnitDraws) -> Row:
    units = by_unit(members, metric)
    low, high = draws.interval(units) or (None, None)
    return {
        "value": float(units.sums.sum() / units.sizes.sum()),
        "low": low,
        "high": high,
        "scorer": members[0].scorer(metric),
    }


def _distance(members: Sequence[Video], metric: str, features: FeatureSet, seed: str) -> Row:
    compared = features.compared(members)
    ids, real = features.real_of({video.domain for video in members})
    found: Row = {
        "video_count": len(compared),
        "prompt_count": len({video.unit for video in compared}),
        "real_count": len(ids),
        "scorer": features.scorer,
    }
    if min(len(compared), len(ids)) < FEWEST_FOR_DISTANCE:
        return {**found, "value": None, "reason": too_few(len(compared), len(ids))}
    units = [video.unit for video in compared]
    distance = set_distance(real, features.vectors(compared), ids, units, MEASURES[metric], seed=seed)
    return {**found, "value": distance.value, "floor": distance.floor, "half_value": distance.half_value}


def too_few(videos: int, real: int) -> str:
    """Why there is no distance."""
    return f"{videos} videos and {real} real clips: a distance needs {FEWEST_FOR_DISTANCE} of each"
