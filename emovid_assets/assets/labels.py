"""Stage 4: the labeller, its labels, the captions and the final label of each clip.

Belongs here: `emotion_labeller`, `vlm_labels`, `captions`, `emotion_labels`.
"""

from collections import Counter
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.evidence import evidence_of
from emovid_assets.assets.pictures import bars, confusion_matrix
from emovid_assets.assets.table_asset import MODEL_POOL, Rows, result, table_asset
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets.core.labelling import LabelledClip, NotEnoughLabelsError
from emovid_assets.core.splits import group_clips
from emovid_assets.resources import models
from emovid_assets.resources.project import Project
from emovid_assets.tables import TABLES, rows_of

GROUP = "labels"


@table_asset(group=GROUP, code_version="1", kinds=["sklearn"], pool=MODEL_POOL)
def emotion_labeller(
    context: dg.AssetExecutionContext,
    project: Project,
    source_videos: pa.Table,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
    annotation_tasks: pa.Table,
    human_labels: pa.Table,
) -> Rows:
    blind = {row["clip_id"] for row in rows_of(annotation_tasks) if row["purpose"] == "validate"}
    labelled = {row["clip_id"]: row["emotion"] for row in rows_of(human_labels) if row["outcome"] == "agreed"}
    films = dict(zip(source_videos["source_id"].to_pylist(), source_videos["film_id"].to_pylist(), strict=True))
    evidence = [
        clip
        for clip in evidence_of(clip_features, colour_attributes)
        # The validation clips are what the labeller is judged by: never trained on.
        if clip.clip_id in labelled and clip.clip_id not in blind
    ]
    groups = group_clips({**clip.features, "film_id": films.get(clip.features["source_id"])} for clip in evidence)
    examples = [LabelledClip(clip, labelled[clip.clip_id], groups[clip.clip_id]) for clip in evidence]
    table = TABLES["emotion_labeller"]
    try:
        labeller, report, folder = models.train_labeller(
            project.home, examples, minimum=project.settings.labeller.min_training_clips
        )
    except NotEnoughLabelsError as missing:
        context.log.warning(f"No labeller yet. {missing}")
        return result("emotion_labeller", table.empty(), metadata={"missing": str(missing)})
    row = {
        "model_id": labeller.model_id,
        "base_model": labeller.base_model,
        "revision": labeller.revision,
        "training_clip_count": report.training_clip_count,
        "validation_accuracy": report.accuracy,
        "baseline_accuracy": report.baseline_accuracy,
        "validation_macro_f1": report.macro_f1,
        "path": project.home.relative(folder),
        "training_config": models.training_config(),
    }
    return result(
        "emotion_labeller",
        table.from_rows([row]),
        metadata={
            "validation_accuracy": report.accuracy,
            "majority_baseline_accuracy": report.baseline_accuracy,
            "validation_macro_f1": report.macro_f1,
            "accuracy_by_domain": dict(report.accuracy_by_domain),
            "training_clips": report.training_clip_count,
            "folds": report.fold_count,
            "confusion": confusion_matrix(report.confusion, "human label", "cross-validated prediction"),
        },
    )


@table_asset(group=GROUP, code_version="1", kinds=["pandas"], pool=MODEL_POOL)
def vlm_labels(
    context: dg.AssetExecutionContext,
    project: Project,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
    emotion_labeller: pa.Table,
) -> Rows:
    table = TABLES["vlm_labels"]
    if emotion_labeller.num_rows == 0:
        context.log.warning("No labeller yet, so no labels by model: the labeller says what is missing.")
        return result("vlm_labels", table.empty(), metadata={"missing": "no labeller has been trained yet"})
    labeller = models.load_labeller(project.home, rows_of(emotion_labeller)[0]["path"])
    evidence = evidence_of(clip_features, colour_attributes)
    rows: list[dict[str, Any]] = [
        {
            "clip_id": clip.clip_id,
            "domain": clip.domain,
            "emotion": score.emotion,
            "confidence": score.probabilities[score.emotion],
            **{f"p_{name}": score.probabilities[name] for name in EMOTION_NAMES},
            "model_id": labeller.model_id,
            "model_revision": labeller.revision,
            "prompt_sha256": labeller.prompt_sha256,
            "frame_pts_s": list(score.frame_pts_s),
            "parse_status": score.parse_status,
        }
        for clip, score in zip(evidence, labeller.score(evidence), strict=True)
    ]
    return result(
        "vlm_labels",
        table.from_rows(rows),
        metadata={
            "model": f"{labeller.model_id}@{labeller.revision}",
            "emotions": bars(Counter(row["emotion"] for row in rows), "labels by model"),
        },
    )


@table_asset(group=GROUP, code_version="1", pool=MODEL_POOL)
def captions(
    context: dg.AssetExecutionContext, project: Project, clip_features: pa.Table, colour_attributes: pa.Table
) -> Rows:
    captioner = models.captioner()
    evidence = evidence_of(clip_features, colour_attributes)
    rows: list[dict[str, Any]] = [
        {
            "clip_id": clip.clip_id,
            "domain": clip.domain,
            "caption": caption.text,
            "model_id": captioner.model_id,
            "model_revision": captioner.revision,
            "prompt_sha256": captioner.prompt_sha256,
            "frame_pts_s": list(caption.frame_pts_s),
            "prompt_token_count": caption.prompt_token_count,
            "output_token_count": caption.output_token_count,
        }
        for clip, caption in zip(evidence, captioner.caption(evidence), strict=True)
    ]
    return result(
        "captions",
        TABLES["captions"].from_rows(rows),
        metadata={"model": f"{captioner.model_id}@{captioner.revision}"},
    )


@table_asset(group=GROUP, code_version="1", kinds=["pandas"])
def emotion_labels(
    context: dg.AssetExecutionContext, clips: pa.Table, human_labels: pa.Table, vlm_labels: pa.Table
) -> Rows:
    human = {row["clip_id"]: row for row in rows_of(human_labels)}
    model = {row["clip_id"]: row for row in rows_of(vlm_labels)}
    rows = []
    for identifier in clips["clip_id"].to_pylist():
        choice = _final(context.partition_key, human.get(identifier), model.get(identifier))
        if choice is None:
            continue
        emotion = EMOTION_BY_NAME[choice[0]]
        rows.append(
            {
                "clip_id": identifier,
                "domain": context.partition_key,
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
