"""Stage 4: the labels by model, the captions and the final label of each clip.

Belongs here: `vlm_labels`, `captions`, `emotion_labels`. Does not belong here: the labeller (`labeller`).
"""

from collections import Counter
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pictures import bars
from emovid_assets.assets.table_asset import MODEL_POOL, Rows, result, table_asset
from emovid_assets.core import embedded_describer
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets.resources import models, vlm
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import rows_of
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
    rows: list[dict[str, Any]] = [
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
        for clip_id, score in answers.by_clip.items()
    ]
    return result(
        "vlm_labels",
        table.from_rows(rows),
        metadata={
            **answers.metadata,
            "emotions": bars(Counter(row["emotion"] for row in rows), "labels by model"),
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
    rows: list[dict[str, Any]] = [
        {
            "clip_id": clip_id,
            "domain": domain,
            "model_id": answers.model_id,
            "model_revision": answers.revision,
            "prompt_sha256": answers.prompt_sha256,
            **{name: value for name, value in caption.as_payload().items() if name != "model_s"},
        }
        for clip_id, caption in answers.by_clip.items()
    ]
    return result("captions", TABLES["captions"].from_rows(rows), metadata=answers.metadata, **answers.shown)


@table_asset(group=GROUP, code_version="1", kinds=["pandas"])
def emotion_labels(
    context: dg.AssetExecutionContext, clips: pa.Table, human_labels: pa.Table, vlm_labels: pa.Table
) -> Rows:
    domain = context.partition_key
    human = {row["clip_id"]: row for row in rows_of(human_labels)}
    model = {row["clip_id"]: row for row in rows_of(vlm_labels)}
    rows = []
    for identifier in clips["clip_id"].to_pylist():
        choice = _final(domain, human.get(identifier), model.get(identifier))
        if choice is None:
            continue
        emotion = EMOTION_BY_NAME[choice[0]]
        rows.append(
            {
                "clip_id": identifier,
                "domain": domain,
                "emotion": emotion.name,
                "polarity": emotion.polarity,
                "valence": emotion.valence,
                "arousal": emotion.arousal,
                "label_source": choice[1],
                "confidence": choice[2],
            }
        )
    return result(
        "emotion_labels",
        TABLES["emotion_labels"].from_rows(rows),
        metadata={
            "by_humans": sum(row["label_source"] == "human" for row in rows),
            "by_model": sum(row["label_source"] == "vlm" for row in rows),
            "without_label": clips.num_rows - len(rows),
            "emotions": bars(Counter(row["emotion"] for row in rows), "final labels"),
        },
    )


def _final(domain: str, human: dict[str, Any] | None, model: dict[str, Any] | None) -> tuple[str, str, float] | None:
    """(emotion, source, confidence), or None where the clip has no place in the dataset (ADR 4)."""
    if human is not None:
        if human["outcome"] != "agreed":
            return None
        return human["emotion"], "human", human["agree_count"] / human["annotator_count"]
    if model is None or domain == "sticker":
        # A sticker enters by verification only (requirement R9).
        return None
    return model["emotion"], "vlm", model["confidence"]
