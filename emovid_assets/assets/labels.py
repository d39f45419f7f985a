"""Stage 4: the labels by model, the captions and the final label of each clip.

Belongs here: `vlm_labels`, `captions`, `emotion_labels`. Does not belong here: the labeller (`labeller`).
"""

from collections import Counter
from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pictures import bars
from emovid_assets.assets.table_asset import MODEL_POOL, Rows, result, table_asset
from emovid_assets.core import embedded_describer
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES, Emotion
from emovid_assets.resources import models, vlm
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "labels"


@table_asset(
    group=GROUP,
    code_version=f"2.{vlm.LABEL_VERSION}",
    kinds=["pandas"],
    settings=["labeller_settings"],
    pool=MODEL_POOL,
)
def vlm_labels(
    context: dg.AssetExecutionContext,
    project: Project,
    source_videos: pa.Table,
    clips: pa.Table,
    clip_media: pa.Table,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
    emotion_labeller: pa.Table,
) -> Rows:
    table = TABLES["vlm_labels"]
    if emotion_labeller.num_rows == 0:
        context.log.warning("No labeller yet, so no labels by model: the labeller says what is missing.")
        project.leave_out(context.partition_key, "label")
        return result("vlm_labels", table.empty(), metadata={"missing": "no labeller has been trained yet"})
    given = ClipTables(source_videos, clips, clip_media, clip_features, colour_attributes)
    labeller, domain = rows_of(emotion_labeller)[0], context.partition_key
    answers = models.label(project, domain, labeller, given, context.log)
    rows = (
        {
            "clip_id": clip_id,
            "domain": domain,
            "emotion": score.emotion,
            "confidence": score.probabilities[score.emotion],
            **{f"p_{name}": score.probabilities[name] for name in EMOTION_NAMES},
            "model_id": answers.model_id,
            "model_revision": answers.revision,
            "prompt_sha256": answers.prompt_sha256,
            "frame_pts_s": list(score.frame_pts_s),
            "parse_status": score.parse_status,
            "mass": score.mass,
            "temperature": score.temperature,
            "prompt_token_count": score.prompt_token_count,
        }
        for clip_id, score in answers.by_clip
    )
    labels = table.from_rows(rows)
    return result(
        "vlm_labels",
        labels,
        metadata={
            **answers.metadata,
            "emotions": bars(Counter(labels["emotion"].to_pylist()), "labels by model"),
        },
        **answers.shown,
    )


@table_asset(
    group=GROUP,
    code_version=f"2.{embedded_describer.VERSION}.{vlm.CAPTION_VERSION}",
    settings=["captioner_settings"],
    pool=MODEL_POOL,
)
def captions(
    context: dg.AssetExecutionContext,
    project: Project,
    source_videos: pa.Table,
    clips: pa.Table,
    clip_media: pa.Table,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
) -> Rows:
    given = ClipTables(source_videos, clips, clip_media, clip_features, colour_attributes)
    domain = context.partition_key
    answers = models.caption(project, domain, given, context.log)
    rows = (
        {
            "clip_id": clip_id,
            "domain": domain,
            "model_id": answers.model_id,
            "model_revision": answers.revision,
            "prompt_sha256": answers.prompt_sha256,
            **{name: value for name, value in caption.as_payload().items() if name != "model_s"},
        }
        for clip_id, caption in answers.by_clip
    )
    return result("captions", TABLES["captions"].from_rows(rows), metadata=answers.metadata, **answers.shown)


@table_asset(group=GROUP, code_version="1", kinds=["pandas"])
def emotion_labels(
    context: dg.AssetExecutionContext, clips: pa.Table, human_labels: pa.Table, vlm_labels: pa.Table
) -> Rows:
    domain = context.partition_key
    chosen = dict(_choices(domain, human_labels, vlm_labels))
    table = TABLES["emotion_labels"].from_rows(
        {
            "clip_id": identifier,
            "domain": domain,
            "emotion": choice[0].name,
            "polarity": choice[0].polarity,
            "valence": choice[0].valence,
            "arousal": choice[0].arousal,
            "label_source": choice[1],
            "confidence": choice[2],
        }
        for identifier in clips["clip_id"].to_pylist()
        if (choice := chosen.get(identifier)) is not None
    )
    sources = Counter(table["label_source"].to_pylist())
    return result(
        "emotion_labels",
        table,
        metadata={
            "by_humans": sources["human"],
            "by_model": sources["vlm"],
            "without_label": clips.num_rows - table.num_rows,
            "emotions": bars(Counter(table["emotion"].to_pylist()), "final labels"),
        },
    )


Choice = tuple[Emotion, str, float]
"""Emotion, source, confidence."""


def _choices(domain: str, human_labels: pa.Table, vlm_labels: pa.Table) -> Iterator[tuple[str, Choice | None]]:
    """(clip, choice), where that of people, which comes last, counts; None where the clip has no place in the dataset
    (ADR 4)."""
    # A sticker enters by verification only (requirement R9).
    for row in each_row(vlm_labels, ("clip_id", "emotion", "confidence")) if domain != "sticker" else ():
        yield row["clip_id"], (EMOTION_BY_NAME[row["emotion"]], "vlm", row["confidence"])
    for row in each_row(human_labels, ("clip_id", "outcome", "emotion", "agree_count", "annotator_count")):
        is_agreed = row["outcome"] == "agreed"
        share = row["agree_count"] / row["annotator_count"]
        yield row["clip_id"], (EMOTION_BY_NAME[row["emotion"]], "human", share) if is_agreed else None
