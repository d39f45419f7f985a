"""Stage 3: what humans are asked, what they answered, what the majority says.

Belongs here: `annotation_tasks`, `human_annotations`, `rejected_annotations`, `human_labels`, and how each annotator
answers: `annotator_quality`, `annotator_choices`, `annotator_confusion`.

`annotation_tasks` looks back (`look_back`) at `human_labels` (disagreements) and `benchmark_split` (second review),
which come after it. So both queues take effect with the next build.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.look_back import last_built
from emovid_assets.assets.pictures import bars, confusion_matrix
from emovid_assets.assets.table_asset import Rows, markdown_table, result, table_asset
from emovid_assets.core import annotator_quality as quality
from emovid_assets.core.annotations import NOT_ANSWERED, REMARKS, TOO_FEW
from emovid_assets.core.emotions import HUMAN_CHOICES, VERIFY_CHOICES
from emovid_assets.core.sampling import SamplingSettings, disputed_clips, plan_tasks
from emovid_assets.core.voting import human_labels as vote
from emovid_assets.people.answers import read_answers
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "annotations"


@table_asset(
    group=GROUP, code_version="2", settings=["annotation_settings", "label_annotators", "review_annotators", "seed"]
)
def annotation_tasks(
    context: dg.AssetExecutionContext, project: Project, source_videos: pa.Table, clips: pa.Table
) -> Rows:
    domain, settings = context.partition_key, project.settings
    intended = dict(
        zip(source_videos["source_id"].to_pylist(), source_videos["intended_emotion"].to_pylist(), strict=True)
    )
    # Tasks that are out stay out while their clip exists, however the library grows.
    published = rows_of(last_built(project, "annotation_tasks", "annotation_tasks", domain))
    split = rows_of(last_built(project, "annotation_tasks", "benchmark_split", domain), ["clip_id", "split"])
    rows = plan_tasks(
        rows_of(clips, ["clip_id", "source_id", "domain"]),
        intended,
        settings=SamplingSettings(**settings.annotation.model_dump(), seed=settings.seed),
        already_planned={(row["clip_id"], row["purpose"]) for row in published},
        benchmark={row["clip_id"] for row in split if row["split"] == "benchmark"},
        disputed=disputed_clips(
            rows_of(last_built(project, "annotation_tasks", "human_labels", domain)),
            published,
            label_annotators=settings.annotation.label_annotators,
        ),
    )
    return result("annotation_tasks", TABLES["annotation_tasks"].from_rows(rows), metadata=_counts(rows, "purpose"))


@table_asset(group=GROUP, code_version="3", kinds=["pandas"], settings=["label_annotators"])
def human_annotations(
    context: dg.AssetExecutionContext, project: Project, clips: pa.Table, annotation_tasks: pa.Table
) -> Rows:
    accepted, rejected = _answers(context, project, clips, annotation_tasks)
    if not accepted:
        context.log.info("No annotations yet: put CSV files or Label Studio exports into library/annotations/.")
    return result(
        "human_annotations",
        TABLES["human_annotations"].from_rows(accepted),
        metadata={
            "rejected": sum(row["reason"] not in {*REMARKS, NOT_ANSWERED, TOO_FEW} for row in rejected),
            "not_answered": sum(row["reason"] == NOT_ANSWERED for row in rejected),
            "waiting_for_other_annotators": sum(row["reason"] == TOO_FEW for row in rejected),
            "annotators": len({row["annotator_id"] for row in accepted}),
            "is_simulated": any(row["annotator_id"].startswith("simulated-") for row in accepted),
            **_counts(accepted, "purpose"),
        },
    )


@table_asset(group=GROUP, code_version="3", settings=["label_annotators"])
def rejected_annotations(
    context: dg.AssetExecutionContext, project: Project, clips: pa.Table, annotation_tasks: pa.Table
) -> Rows:
    _, rejected = _answers(context, project, clips, annotation_tasks)
    return result(
        "rejected_annotations", TABLES["rejected_annotations"].from_rows(rejected), metadata=_counts(rejected, "reason")
    )


def _answers(
    context: dg.AssetExecutionContext, project: Project, clips: pa.Table, annotation_tasks: pa.Table
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return read_answers(
        project.home,
        context.partition_key,
        clips=clips,
        annotation_tasks=annotation_tasks,
        label_annotators=project.settings.annotation.label_annotators,
    )


@table_asset(group=GROUP, code_version="2", kinds=["pandas"], settings=["label_annotators"])
def human_labels(
    context: dg.AssetExecutionContext, project: Project, annotation_tasks: pa.Table, human_annotations: pa.Table
) -> Rows:
    rows, waiting = vote(
        rows_of(human_annotations),
        rows_of(annotation_tasks),
        label_annotators=project.settings.annotation.label_annotators,
    )
    agreed = Counter(row["emotion"] for row in rows if row["outcome"] == "agreed")
    return result(
        "human_labels",
        TABLES["human_labels"].from_rows(rows),
        metadata={
            "waiting_for_annotators": waiting,
            "emotions": bars(agreed, "agreed human labels"),
            **_counts(rows, "outcome"),
        },
    )


def _counts(rows: list[dict[str, Any]], column: str) -> Mapping[str, Any]:
    counts = Counter(row[column] for row in rows)
    return {f"{column}s": markdown_table([{column: name, "count": counts[name]} for name in sorted(counts)])}


SHOWN_ANNOTATORS = 8


@table_asset(group=GROUP, code_version="2", kinds=["pandas"], settings=["seed"])
def annotator_quality(context: dg.AssetExecutionContext, project: Project, human_annotations: pa.Table) -> Rows:
    rows = quality.annotator_quality(
        rows_of(human_annotations), domain=context.partition_key, seed=project.settings.seed
    )
    columns = ("annotator_id", "purpose", "answer_count", "lead_time_median_s", "compared_count", "agreement", "kappa")
    return result(
        "annotator_quality",
        TABLES["annotator_quality"].from_rows(rows),
        metadata={
            "annotators": len({row["annotator_id"] for row in rows}),
            "quality": markdown_table([{name: row[name] for name in columns} for row in rows]),
        },
    )


@table_asset(group=GROUP, code_version="1", kinds=["pandas"])
def annotator_choices(context: dg.AssetExecutionContext, human_annotations: pa.Table) -> Rows:
    rows = quality.annotator_choices(rows_of(human_annotations), domain=context.partition_key)
    biased = sorted((row for row in rows if row["bias"]), key=lambda row: -abs(row["bias"]))
    columns = ("annotator_id", "purpose", "label", "shared_clip_count", "answer_share", "others_share", "bias")
    return result(
        "annotator_choices",
        TABLES["annotator_choices"].from_rows(rows),
        metadata={"largest_bias": markdown_table([{name: row[name] for name in columns} for row in biased[:10]])},
    )


@table_asset(group=GROUP, code_version="1", kinds=["pandas"])
def annotator_confusion(context: dg.AssetExecutionContext, human_annotations: pa.Table) -> Rows:
    """One picture a person, of those with most compared answers, over all purposes with the same choices."""
    rows = quality.annotator_confusion(rows_of(human_annotations), domain=context.partition_key)
    cells: dict[tuple[str, bool], Counter[tuple[str, str]]] = {}
    for row in rows:
        counts = cells.setdefault((row["annotator_id"], row["purpose"] == "verify"), Counter())
        counts[row["majority_label"], row["label"]] += row["clip_count"]
    pictures: dict[str, Any] = {}
    busiest = sorted(cells, key=lambda key: (-cells[key].total(), key))[:SHOWN_ANNOTATORS]
    for annotator_id, is_verification in busiest:
        labels = VERIFY_CHOICES if is_verification else HUMAN_CHOICES
        counts = cells[annotator_id, is_verification]
        matrix = [[counts[majority, label] for label in labels] for majority in labels]
        name = f"{annotator_id} (verification)" if is_verification else annotator_id
        pictures[name] = confusion_matrix(matrix, "majority of the others", annotator_id, labels)
    return result("annotator_confusion", TABLES["annotator_confusion"].from_rows(rows), metadata=pictures)
