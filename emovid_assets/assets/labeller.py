"""Stage 4a: the labeller, trained or as it is.

Belongs here: `emotion_labeller`. Does not belong here: which clips it may learn from (`training_clips`), training
(`resources.training`), how it compares with others (`comparison`), labels of all clips (`labels`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pictures import confusion_matrix, drawings
from emovid_assets.assets.table_asset import MODEL_POOL, Rows, markdown_table, result, table_asset
from emovid_assets.assets.training_clips import compared_clips, forest_examples, pool_of
from emovid_assets.core import embedded_labeller
from emovid_assets.core.calibration import bins_of
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.labelling import NotEnoughLabelsError
from emovid_assets.core.statistics.confusion import confusion, macro_f1
from emovid_assets.core.statistics.softmax import softmax
from emovid_assets.core.training_pool import TrainingPool
from emovid_assets.core.vlm import fine_tuning
from emovid_assets.core.vlm.evaluation import HeldOutAnswer, as_arrays, majority_share
from emovid_assets.drawing.charts.training import training_curves
from emovid_assets.resources import models, training, vlm
from emovid_assets.resources.compute import Outcome
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.project import Project
from emovid_assets.resources.workplace import ALL_DOMAINS
from emovid_assets.tables.registry import TABLES

GROUP = "labels"
Row = dict[str, Any]


@table_asset(
    group=GROUP,
    code_version=f"4.{embedded_labeller.VERSION}.{fine_tuning.VERSION}.{vlm.LABEL_VERSION}",
    kinds=["sklearn", "pytorch"],
    settings=[
        *("labeller_settings", "labeller_training", "fine_tuning_settings"),
        *("benchmark_settings", "review_annotators", "seed"),
    ],
    pool=MODEL_POOL,
)
def emotion_labeller(
    context: dg.AssetExecutionContext,
    project: Project,
    source_videos: pa.Table,
    clips: pa.Table,
    clip_media: pa.Table,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
    clip_groups: pa.Table,
    annotation_tasks: pa.Table,
    human_annotations: pa.Table,
    human_labels: pa.Table,
) -> Rows:
    tables = ClipTables(source_videos, clips, clip_media, clip_features, colour_attributes)
    pool = pool_of(project, "emotion_labeller", tables, annotation_tasks, human_annotations, human_labels, clip_groups)
    settings, log = project.settings.labeller, context.log
    shown: Row = {
        "kept_for_validation": pool.validation_count,
        "kept_for_the_benchmark": pool.benchmark_count,
    }
    if settings.backend == "embedded":
        project.leave_out(ALL_DOMAINS, training.HELD_OUT_STEP, training.ZERO_SHOT_STEP)
        return _embedded(project, pool, tables, shown, log)
    model = vlm.model_of(project.home, settings, "labeller")
    examples = training.examples_of(project, pool, tables)
    if settings.learns:
        try:
            tuned = training.fine_tune(project, model.place, examples, log)
        except NotEnoughLabelsError as missing:
            log.warning(f"The model is used as it is. {missing} Of all: {pool.sentence}.")
            shown["not_fine_tuned"] = f"{missing} Of all: {pool.sentence}."
        else:
            project.leave_out(ALL_DOMAINS, training.HELD_OUT_STEP)
            # For the comparison, here where its failures come before the quarantine is shown.
            blind = compared_clips(annotation_tasks, human_annotations)
            outcome, _ = training.scored(project, model, blind, tables, log, step=training.ZERO_SHOT_STEP)
            return _fine_tuned(tuned, model, outcome, shown)
    project.leave_out(ALL_DOMAINS, training.ZERO_SHOT_STEP)
    answers, outcome, meter = training.measured(project, model, examples, tables, log)
    row = {
        "model_id": model.place.model_id,
        "base_model": f"{model.place.model_id}@{model.place.revision}",
        "revision": model.place.revision,
        "kind": "zero_shot",
        "training_clip_count": 0,
        **_quality(answers),
        "temperature": training.temperature_of(answers),
        "path": None,
        "training_config": json.dumps({"measured_clips_at_most": training.MEASURED_CLIPS}),
    }
    return result(
        "emotion_labeller",
        TABLES["emotion_labeller"].from_rows([row]),
        failures=outcome.failures,
        computed_count=outcome.computed_count,
        metadata={**shown, **_shown(answers, row), **vlm.cost(meter, outcome)},
    )


def _embedded(project: Project, pool: TrainingPool, tables: models.ClipTables, shown: Row, log: Any) -> Rows:
    """It learns from the benchmark too: it is no judge of generated videos, and small libraries have little else."""
    table = TABLES["emotion_labeller"]
    minimum = project.settings.labeller.min_training_clips
    pool, shown = pool.with_benchmark(), shown | {"kept_for_the_benchmark": 0}
    try:
        trained = models.train_labeller(project, forest_examples(pool, tables), minimum=minimum)
    except NotEnoughLabelsError as missing:
        log.warning(f"No labeller yet. {missing} Of all: {pool.sentence}.")
        return result("emotion_labeller", table.empty(), metadata={"missing": f"{missing} Of all: {pool.sentence}."})
    report = trained.report
    row = {
        "model_id": embedded_labeller.MODEL_ID,
        "base_model": embedded_labeller.BASE_MODEL,
        "revision": trained.revision,
        "kind": "embedded",
        "training_clip_count": report.training_clip_count,
        # Cross-validated: every clip is held out once.
        "held_out_clip_count": report.training_clip_count,
        "validation_accuracy": report.accuracy,
        "baseline_accuracy": report.baseline_accuracy,
        "validation_macro_f1": report.macro_f1,
        # Its shares of trees hold zeros, which no temperature mends.
        "temperature": 1.0,
        "path": project.home.relative(trained.folder),
        "training_config": models.training_config(),
    }
    return result(
        "emotion_labeller",
        table.from_rows([row]),
        metadata={
            **shown,
            "validation_accuracy": report.accuracy,
            "majority_baseline_accuracy": report.baseline_accuracy,
            "validation_macro_f1": report.macro_f1,
            "accuracy_by_domain": dict(report.accuracy_by_domain),
            "training_clips": report.training_clip_count,
            "folds": report.fold_count,
            "confusion": confusion_matrix(report.confusion, "human label", "cross-validated prediction"),
        },
    )


def _fine_tuned(tuned: training.FineTuned, model: vlm.Model, zero_shot: Outcome, shown: Row) -> Rows:
    record = tuned.record
    row = {
        "model_id": f"{model.place.model_id}+lora",
        "base_model": f"{model.place.model_id}@{model.place.revision}",
        "revision": tuned.revision,
        "kind": "fine_tuned",
        "training_clip_count": len(record["training_clips"]),
        **_quality(tuned.held_out),
        "temperature": record["temperature"],
        "path": f"{tuned.folder.parent.name}/{tuned.folder.name}",
        "training_config": json.dumps(record["config"], sort_keys=True),
    }
    evaluations = record["evaluations"]
    best = next(place for place, one in enumerate(evaluations) if one["step"] == record["best_step"])
    curves = training_curves(
        "training",
        "On the clips that choose the adapter, by epochs",
        [one["epoch"] for one in evaluations],
        {
            "accuracy": [one["accuracy"] for one in evaluations],
            "macro F1": [one["macro_f1"] for one in evaluations],
        },
        [one["loss"] for one in evaluations],
        best,
    )
    return result(
        "emotion_labeller",
        TABLES["emotion_labeller"].from_rows([row]),
        failures=zero_shot.failures,
        computed_count=zero_shot.computed_count,
        metadata={
            **shown,
            "training_clips": len(record["training_clips"]),
            "measured_on": record["measured_on"],
            "zero_shot_accuracy": _quality(tuned.zero_shot_held_out)["validation_accuracy"],
            "steps": evaluations[-1]["step"],
            "kept_step": record["best_step"],
            "unreadable_clips": len(record["unreadable_clips"]),
            "curves": drawings("curves of the training", [curves]),
            **_shown(tuned.held_out, row),
        },
    )


def _quality(answers: Sequence[HeldOutAnswer]) -> Row:
    """The columns of `emotion_labeller` that held-out answers fill; null without any."""
    logarithms, truth = as_arrays(answers)
    if not answers:
        quality: Row = dict.fromkeys(("validation_accuracy", "baseline_accuracy", "validation_macro_f1"))
        return {"held_out_clip_count": 0, **quality}
    predicted = logarithms.argmax(axis=1)
    return {
        "held_out_clip_count": len(answers),
        "validation_accuracy": float((predicted == truth).mean()),
        "baseline_accuracy": majority_share(truth),
        "validation_macro_f1": float(macro_f1(confusion(truth, predicted, len(EMOTION_NAMES)))),
    }


def _shown(answers: Sequence[HeldOutAnswer], row: Mapping[str, Any]) -> Row:
    if not answers:
        return {"missing_labels": "no human-labelled clips to measure it on; its probabilities are as the model says"}
    logarithms, truth = as_arrays(answers)
    bins = bins_of(softmax(logarithms, row["temperature"]), truth)
    return {
        "validation_accuracy": row["validation_accuracy"],
        "majority_baseline_accuracy": row["baseline_accuracy"],
        "validation_macro_f1": row["validation_macro_f1"],
        "held_out_clips": len(answers),
        "temperature": row["temperature"],
        "calibration": markdown_table([vars(one) for one in bins]),
        "confusion": confusion_matrix(
            confusion(truth, logarithms.argmax(axis=1), len(EMOTION_NAMES)).tolist(),
            "human label",
            "model, on held-out clips",
        ),
    }
