"""Stage 5: the kappa validation, the benchmark split and the quarantine.

Belongs here: `validation_ratings`, `kappa_validation`, `pooled_kappa`, `agreement_statistics`, `benchmark_split`,
`processing_errors`.
"""

from collections import Counter
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.domain_parts import part_given
from emovid_assets.assets.look_back import last_built
from emovid_assets.assets.pictures import agreement_matrix, benchmark_grid, confusion_matrix
from emovid_assets.assets.table_asset import MEDIA_POOL, Rows, markdown_table, result, table_asset
from emovid_assets.core.agreement import DIRECTION_WORDS, human_agreement, kappa_gap, pairwise_kappa
from emovid_assets.core.agreement_statistics import ALL_CHOICES, gap_conclusion, gap_estimate
from emovid_assets.core.agreement_statistics import agreement_statistics as all_statistics
from emovid_assets.core.annotator_quality import majority_of
from emovid_assets.core.clip_groups import ClipGroups
from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.splits import split_clips, split_told
from emovid_assets.core.voting import failed_reviews
from emovid_assets.resources import media, media_steps
from emovid_assets.resources.project import Project
from emovid_assets.resources.quarantine import STEP_ASSETS, quarantine_table, quarantined
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "evaluation"


@table_asset(group=GROUP, code_version="1", kinds=["pandas"])
def validation_ratings(
    context: dg.AssetExecutionContext,
    annotation_tasks: pa.Table,
    human_annotations: pa.Table,
    vlm_labels: pa.Table,
) -> Rows:
    domain = context.partition_key
    chosen = {row["clip_id"] for row in rows_of(annotation_tasks) if row["purpose"] == "validate"}
    humans = [
        {
            "clip_id": row["clip_id"],
            "domain": domain,
            "rater_id": row["annotator_id"],
            "rater_kind": "human",
            "label": row["label"],
        }
        for row in rows_of(human_annotations)
        if row["purpose"] == "validate" and row["clip_id"] in chosen
    ]
    model = [
        {
            "clip_id": row["clip_id"],
            "domain": domain,
            "rater_id": row["model_id"],
            "rater_kind": "vlm",
            "label": row["emotion"],
        }
        for row in rows_of(vlm_labels)
        if row["clip_id"] in chosen
    ]
    return result(
        "validation_ratings",
        TABLES["validation_ratings"].from_rows(humans + model),
        metadata={
            "validation_clips": len(chosen),
            "clips_rated_by_humans": len({row["clip_id"] for row in humans}),
        },
    )


@table_asset(group=GROUP, code_version="2", kinds=["pandas"], settings=["seed"])
def kappa_validation(context: dg.AssetExecutionContext, project: Project, validation_ratings: pa.Table) -> Rows:
    ratings = rows_of(validation_ratings)
    seed = project.settings.seed
    rows = [{"domain": context.partition_key, **row} for row in pairwise_kappa(ratings, seed=seed)]
    shown: dict[str, Any] = {"pairs": agreement_matrix(rows), **_majority_and_models(ratings)}
    gap, estimate = kappa_gap(ratings), gap_estimate(ratings, seed=seed)
    if estimate is not None:
        shown |= {name: value for name, value in vars(human_agreement(ratings)).items() if value is not None}
        shown["conclusion"] = gap_conclusion(estimate)
    if gap is not None:
        shown |= {"pooled_kappa_human_human": gap.human_human, "pooled_kappa_human_vlm": gap.human_vlm}
        shown["direction"] = DIRECTION_WORDS[gap.direction]
    return result("kappa_validation", TABLES["kappa_validation"].from_rows(rows), metadata=shown)


@table_asset(group=GROUP, code_version="2", kinds=["pandas"], settings=["seed"])
def pooled_kappa(project: Project, validation_ratings: pa.Table) -> Rows:
    ratings = rows_of(validation_ratings)
    rows = pairwise_kappa(ratings, seed=project.settings.seed)
    return result(
        "pooled_kappa",
        TABLES["pooled_kappa"].from_rows(rows),
        metadata={"pairs": agreement_matrix(rows), **_majority_and_models(ratings)},
    )


@table_asset(group=GROUP, code_version="3", kinds=["pandas"], settings=["seed"])
def agreement_statistics(project: Project, validation_ratings: pa.Table) -> Rows:
    ratings = rows_of(validation_ratings)
    seed = project.settings.seed
    by_domain = {domain: [row for row in ratings if row["domain"] == domain] for domain in DOMAINS}
    rows = [
        row
        for name, members in {**by_domain, TOTAL: ratings}.items()
        for row in all_statistics(members, scope=name, seed=seed)
    ]
    pooled = gap_estimate(ratings, seed=seed)
    columns = ("scope", "statistic", "value", "low", "high", "clip_count", "source_count", "required_clip_count")
    overall = [{name: row[name] for name in columns} for row in rows if row["emotion"] == ALL_CHOICES]
    return result(
        "agreement_statistics",
        TABLES["agreement_statistics"].from_rows(rows),
        metadata={
            "statistics": markdown_table(overall),
            **({"conclusion": gap_conclusion(pooled)} if pooled is not None else {}),
        },
    )


def _majority_and_models(ratings: list[dict[str, Any]]) -> dict[str, Any]:
    """A confusion matrix a model: the majority of the people by the model's choice, over the clips that have both."""
    human: dict[str, list[str]] = {}
    for row in ratings:
        if row["rater_kind"] == "human":
            human.setdefault(row["clip_id"], []).append(row["label"])
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for row in ratings:
        majority = majority_of(human.get(row["clip_id"], ())) if row["rater_kind"] == "vlm" else None
        if majority is not None:
            counts.setdefault(row["rater_id"], Counter())[majority, row["label"]] += 1
    return {
        f"majority and {model}": confusion_matrix(
            [[cells[majority, label] for label in HUMAN_CHOICES] for majority in HUMAN_CHOICES],
            "majority of the people",
            model,
            HUMAN_CHOICES,
        )
        for model, cells in sorted(counts.items())
    }


@table_asset(
    group=GROUP,
    code_version=f"4.{media_steps.FIRST_FRAME_VERSION}",
    kinds=["pandas"],
    settings=["review_annotators", "benchmark_settings", "seed"],
    pool=MEDIA_POOL,
)
def benchmark_split(
    context: dg.AssetExecutionContext,
    project: Project,
    clip_groups: pa.Table,
    clip_media: pa.Table,
    captions: pa.Table,
    human_annotations: pa.Table,
    emotion_labels: pa.Table,
) -> Rows:
    domain, settings = context.partition_key, project.settings
    caption_of = dict(zip(captions["clip_id"].to_pylist(), captions["caption"].to_pylist(), strict=True))
    groups = ClipGroups.of(each_row(part_given(project, clip_groups, domain)))
    published = {
        name: {row["clip_id"] for row in each_row(table, ["clip_id", "split"]) if row["split"] == "benchmark"}
        for name in DOMAINS
        for table in [last_built(project, "benchmark_split", "benchmark_split", name)]
    }
    labels = rows_of(emotion_labels)
    failed = failed_reviews(rows_of(human_annotations), labels, required=settings.annotation.review_annotators)
    split = split_clips(
        (
            {**row, "group_id": groups.group_of[row["clip_id"]], "caption": caption_of.get(row["clip_id"])}
            for row in labels
            if row["clip_id"] in groups.group_of
        ),
        per_cell=settings.benchmark.per_cell,
        train_limit={"movie": settings.benchmark.movie_train_limit},
        seed=settings.seed,
        already_benchmark=published[domain],
        failed_reviews=failed,
        home_of=groups.home_of,
        held_elsewhere={group for name in DOMAINS if name != domain for group in groups.groups_of(published[name])},
    )
    told = split_told(split, per_cell=settings.benchmark.per_cell, home_of=groups.home_of, failed_reviews=failed)
    context.log.info(told)
    chosen = {row["clip_id"] for row in split if row["split"] == "benchmark"}
    frames = media.first_frames(
        project, domain, (row for row in each_row(clip_media) if row["clip_id"] in chosen), context.log
    )
    rows = [
        {**row, **{name: frames.payloads.get(row["clip_id"], {}).get(name) for name in media.FIRST_FRAME_COLUMNS}}
        for row in split
    ]
    counts = Counter(row["split"] for row in rows)
    return result(
        "benchmark_split",
        TABLES["benchmark_split"].from_rows(rows),
        failures=frames.failures,
        computed_count=frames.computed_count,
        metadata={
            "what_was_done": told,
            **{name: counts[name] for name in ("benchmark", "train", "unused")},
            "failed_reviews": len(failed),
            "benchmark_clips": benchmark_grid(project.home.root, [row for row in rows if row["split"] == "benchmark"]),
        },
    )


@table_asset(
    group=GROUP,
    code_version="2",
    # Everything that can quarantine an item comes before.
    deps=sorted(set(STEP_ASSETS.values())),
)
def processing_errors(context: dg.AssetExecutionContext, project: Project) -> Rows:
    table = quarantine_table(project.with_store(lambda store: quarantined(store, context.partition_key)))
    codes = Counter(table["code"].to_pylist())
    return result(
        "processing_errors",
        table,
        metadata={"codes": markdown_table([{"code": code, "count": codes[code]} for code in sorted(codes)])},
    )
