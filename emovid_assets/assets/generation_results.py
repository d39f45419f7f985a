"""Stage 6c: what generators are worth, whether they differ, and some of their videos to look at.

Belongs here: `generation_metrics`, `generation_tests`, `generation_filmstrips`. Does not belong here: what is measured
of one video (`generation_scores`), any formula (`core.generation`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pictures import confusion_matrix, drawings, filmstrip_sheet
from emovid_assets.assets.table_asset import MEDIA_POOL, Rows, markdown_list, markdown_table, result, table_asset
from emovid_assets.core.domains import TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.generation import distances
from emovid_assets.core.generation import filmstrip as strips
from emovid_assets.core.generation.comparisons import comparison_rows
from emovid_assets.core.generation.metrics import metric_rows
from emovid_assets.core.generation.videos import ALL_EMOTIONS, FeatureSet, Video, feature_set, scored_videos
from emovid_assets.drawing.charts.intervals import Estimate, intervals
from emovid_assets.report.generator_sentences import finding
from emovid_assets.resources.generation import filmstrips
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import each_row
from emovid_assets.tables.registry import TABLES

GROUP = "generation"
SHOWN = ("generator", "task", "metric", "value", "low", "high", "video_count", "floor", "half_value", "reason")
OF_VIDEOS = ("video_id", "character", "prompt_sha256", "is_trial")
NO_VIDEOS = {"missing": "there are no generated videos"}
TRIAL = "Models of random weights had part in it: these numbers say nothing of any model."
INTERVALS_OF = {"ea8": "videos of the emotion asked for", "ea2": "videos of its polarity"}


@table_asset(group=GROUP, code_version=f"2.{distances.VERSION}", kinds=["numpy"], settings=["seed"])
def generation_metrics(
    project: Project, generated_videos: pa.Table, generation_scores: pa.Table, generation_features: pa.Table
) -> Rows:
    videos, features = _inputs(generated_videos, generation_scores, generation_features)
    rows = metric_rows(videos, features, seed=project.settings.seed)
    return result(
        "generation_metrics",
        TABLES["generation_metrics"].from_rows(rows),
        metadata=_shown(videos, rows) if videos else NO_VIDEOS,
    )


@table_asset(group=GROUP, code_version=f"1.{distances.VERSION}", kinds=["numpy"], settings=["seed"])
def generation_tests(
    project: Project, generated_videos: pa.Table, generation_scores: pa.Table, generation_features: pa.Table
) -> Rows:
    videos, features = _inputs(generated_videos, generation_scores, generation_features)
    rows = comparison_rows(videos, features, seed=project.settings.seed)
    overall = [row for row in rows if _is_overall(row)]
    return result(
        "generation_tests",
        TABLES["generation_tests"].from_rows(rows),
        metadata={"what_may_be_concluded": markdown_list(map(finding, overall))} if videos else NO_VIDEOS,
    )


@table_asset(group=GROUP, code_version=f"1.{strips.VERSION}", kinds=["opencv"], settings=["seed"], pool=MEDIA_POOL)
def generation_filmstrips(context: dg.AssetExecutionContext, project: Project, generated_videos: pa.Table) -> Rows:
    chosen = strips.chosen_videos(each_row(generated_videos), seed=project.settings.seed)
    outcome = filmstrips.filmstrips(project, context.partition_key, (video for _, video in chosen), context.log)
    handed_on = ("video_id", "domain", "generator", "task", "clip_id", "asked_emotion", "prompt", "is_trial")
    rows = [
        {
            **{name: video[name] for name in handed_on},
            "position": position,
            "filmstrip_path": outcome.payloads[video["video_id"]]["filmstrip_path"],
        }
        for position, video in chosen
        if video["video_id"] in outcome.payloads
    ]
    return result(
        "generation_filmstrips",
        TABLES["generation_filmstrips"].from_rows(rows),
        failures=outcome.failures,
        computed_count=outcome.computed_count,
        metadata={"filmstrips": filmstrip_sheet(project.home.root, rows)},
    )


def _inputs(
    generated_videos: pa.Table, generation_scores: pa.Table, generation_features: pa.Table
) -> tuple[list[Video], FeatureSet | None]:
    videos = scored_videos(each_row(generation_scores), each_row(generated_videos, OF_VIDEOS))
    return videos, feature_set(each_row(generation_features))


def _shown(videos: Sequence[Video], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    overall = [row for row in rows if _is_overall(row)]
    return {
        **({"trial": TRIAL} if any(video.is_trial for video in videos) else {}),
        "over_all_domains": markdown_table([{name: row[name] for name in SHOWN} for row in overall]),
        "accuracy": drawings(
            "accuracy", [_accuracy(overall, metric) for metric in INTERVALS_OF if _has(overall, metric)]
        ),
        **_matrices(videos),
    }


def _is_overall(row: Mapping[str, Any]) -> bool:
    return (row["scope"], row["asked_emotion"]) == (TOTAL, ALL_EMOTIONS)


def _has(rows: Sequence[Mapping[str, Any]], metric: str) -> bool:
    return any(row["metric"] == metric for row in rows)


def _accuracy(rows: Sequence[Mapping[str, Any]], metric: str) -> Any:
    estimates = [
        Estimate(f"{row['generator']}, {row['task']}", row["value"], row["low"], row["high"], "var(--p-positive)")
        for row in rows
        if row["metric"] == metric
    ]
    said = "; ".join(f"{one.name} {one.value:.2f}" for one in estimates)
    return intervals(metric, metric, said, estimates, axis=f"share of {INTERVALS_OF[metric]}, 95 % interval")


def _matrices(videos: Sequence[Video]) -> dict[str, Any]:
    """A matrix a generator and task: what was asked for by what is recognised."""
    found: dict[str, Any] = {}
    for name in sorted({(video.generator, video.task) for video in videos}):
        matrix = [[0] * len(EMOTION_NAMES) for _ in EMOTION_NAMES]
        for video in videos:
            if (video.generator, video.task) == name and video.scores["emotion"] is not None:
                matrix[EMOTION_NAMES.index(video.emotion)][EMOTION_NAMES.index(video.scores["emotion"])] += 1
        title = f"{name[0]} {name[1]}"
        found[f"asked and recognised: {title}"] = confusion_matrix(matrix, "asked for", f"recognised in {title}")
    return found
