"""Whether two generators differ: the rows of `generation_tests`.

Belongs here: which videos are compared, by which test, and for how many tests is corrected. Does not belong here: the
tests themselves (`core.statistics.paired_tests`, `distance_tests`).

Only videos that both have count, by prompt and seed: another selection of prompts would be another difficulty. Where
prompts have videos of several seeds, those of a prompt are alike and are swapped together, and shares are permuted too:
McNemar's test takes each video for a case of its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from emovid_assets.core.generation.distance_tests import frechet_permutation, kernel_permutation
from emovid_assets.core.generation.distances import MEASURES
from emovid_assets.core.generation.units import UnitDraws, Units, gathered
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
from emovid_assets.core.statistics.paired_tests import holm, mcnemar_exact, paired_permutation

Row = dict[str, Any]
Pairs = list[tuple[Video, Video]]
MCNEMAR, PERMUTATION = "mcnemar_exact", "paired_permutation"
_TESTS = {"frechet_distance": frechet_permutation, "kernel_distance": kernel_permutation}


def comparison_rows(videos: Sequence[Video], features: FeatureSet | None, *, seed: str) -> list[Row]:
    """Rows of `generation_tests`, of each pair of generators of a task with videos of the same prompt and seed."""
    draws = UnitDraws(seed)
    rows: list[Row] = []
    of_metric = {metric: _by_generator(counting(videos, metric)) for metric in (*SHARES, *MEANS)}
    generators = sorted({(video.task, video.generator) for video in videos})
    for (task, name_a), (other_task, name_b) in combinations(generators, 2):
        if task != other_task:
            continue
        names = {"generator_a": name_a, "generator_b": name_b, "task": task}
        found = {metric: _common(by_name, names) for metric, by_name in of_metric.items()}
        rows += _of_values(names, found, draws, seed)
        if features is not None:
            rows += _of_distances(names, _common(_by_generator(features.compared(videos)), names), features, seed)
    return _corrected(rows)


def _by_generator(videos: Sequence[Video]) -> dict[tuple[str, str], dict[tuple[str, str, int], Video]]:
    found: dict[tuple[str, str], dict[tuple[str, str, int], Video]] = defaultdict(dict)
    for video in videos:
        found[video.task, video.generator][video.pair] = video
    return found


def _common(by_name: dict[tuple[str, str], dict[tuple[str, str, int], Video]], names: dict[str, str]) -> Pairs:
    first = by_name.get((names["task"], names["generator_a"]), {})
    second = by_name.get((names["task"], names["generator_b"]), {})
    return [(first[key], second[key]) for key in sorted(first.keys() & second.keys())]


def _scoped(pairs: Pairs) -> Iterator[tuple[str, str, Pairs]]:
    second_of = {first.video_id: second for first, second in pairs}
    for scope, emotion, members in scopes([first for first, _ in pairs]):
        yield scope, emotion, [(first, second_of[first.video_id]) for first in members]


def _of_values(names: dict[str, str], found: dict[str, Pairs], draws: UnitDraws, seed: str) -> list[Row]:
    by_place: dict[tuple[str, str], dict[str, Pairs]] = defaultdict(dict)
    for metric, pairs in found.items():
        for scope, emotion, members in _scoped(pairs):
            by_place[scope, emotion][metric] = members
    rows = []
    for (scope, emotion), metrics in by_place.items():
        units = {metric: _differences(pairs, metric) for metric, pairs in metrics.items()}
        p_of = _permuted(units, seed)
        for metric, pairs in metrics.items():
            place = {**names, "scope": scope, "asked_emotion": emotion, "metric": metric}
            rows.append({**place, **_compared(pairs, metric, units[metric], p_of, draws)})
    return rows


def _differences(pairs: Pairs, metric: str) -> Units:
    values = [(first.value(metric), second.value(metric)) for first, second in pairs]
    return gathered([first for first, _ in pairs], [b - a for a, b in values if a is not None and b is not None])


def _permuted(units: dict[str, Units], seed: str) -> dict[str, float]:
    """p of each metric that is permuted; metrics of the same prompts see the same signs."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for metric, one in units.items():
        if not (metric in SHARES and one.has_one_video_each):
            alike[one.names].append(metric)
    found: dict[str, float] = {}
    for metrics in alike.values():
        p_values = paired_permutation(np.column_stack([units[metric].sums for metric in metrics]), seed=seed)
        found |= dict(zip(metrics, map(float, p_values), strict=True))
    return found


def _compared(pairs: Pairs, metric: str, units: Units, p_of: dict[str, float], draws: UnitDraws) -> Row:
    low, high = draws.interval(units) or (None, None)
    only_a = only_b = None
    if metric in SHARES:
        values = [(first.value(metric), second.value(metric)) for first, second in pairs]
        only_a, only_b = values.count((1.0, 0.0)), values.count((0.0, 1.0))
    is_permuted = metric in p_of
    return {
        "difference": float(units.sums.sum() / units.sizes.sum()),
        "low": low,
        "high": high,
        "p": p_of[metric] if is_permuted else mcnemar_exact(only_a or 0, only_b or 0),
        "method": PERMUTATION if is_permuted else MCNEMAR,
        "only_a_count": only_a,
        "only_b_count": only_b,
        **_counts(pairs),
    }


def _counts(pairs: Pairs) -> Row:
    return {
        "pair_count": len(pairs),
        "prompt_count": len({first.unit for first, _ in pairs}),
        "is_trial": any(video.is_trial for pair in pairs for video in pair),
    }


def _of_distances(names: dict[str, str], pairs: Pairs, features: FeatureSet, seed: str) -> list[Row]:
    rows = []
    for scope, emotion, members in _scoped(pairs):
        _, real = features.real_of({first.domain for first, _ in members})
        if emotion != ALL_EMOTIONS or min(len(members), len(real)) < FEWEST_FOR_DISTANCE:
            continue
        first = features.vectors(one for one, _ in members)
        second = features.vectors(other for _, other in members)
        units = [one.unit for one, _ in members]
        for metric in DISTANCES:
            measure = MEASURES[metric]
            rows.append(
                {
                    **names,
                    "scope": scope,
                    "asked_emotion": emotion,
                    "metric": metric,
                    "difference": measure(real, second) - measure(real, first),
                    "low": None,
                    "high": None,
                    "p": _TESTS[metric](real, first, second, units, seed=seed),
                    "method": PERMUTATION,
                    "only_a_count": None,
                    "only_b_count": None,
                    **_counts(members),
                }
            )
    return rows


def _corrected(rows: list[Row]) -> list[Row]:
    families: dict[tuple[str, str, str, bool], list[Row]] = defaultdict(list)
    for row in rows:
        is_whole = row["asked_emotion"] == ALL_EMOTIONS
        families[row["task"], row["scope"], row["metric"], is_whole].append(row)
    for family in families.values():
        for row, adjusted in zip(family, holm([row["p"] for row in family]), strict=True):
            row |= {"p_adjusted": adjusted, "family_count": len(family)}
    return rows
