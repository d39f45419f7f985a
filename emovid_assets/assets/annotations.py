"""Stage 3: what humans are asked, what they answered, what the majority says.

Belongs here: `annotation_tasks`, `human_annotations`, `rejected_annotations`, `human_labels`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pictures import bars
from emovid_assets.assets.table_asset import Rows, markdown_table, result, table_asset
from emovid_assets.core.annotations import accept_answers, read_annotation_file
from emovid_assets.core.sampling import SamplingSettings, plan_tasks
from emovid_assets.core.voting import human_labels as vote
from emovid_assets.layout import Home
from emovid_assets.resources.project import Project
from emovid_assets.tables import TABLES, rows_of

GROUP = "annotations"
ANNOTATION_SUFFIXES = (".csv", ".json")


@table_asset(group=GROUP, code_version="1")
def annotation_tasks(
    context: dg.AssetExecutionContext, project: Project, source_videos: pa.Table, clips: pa.Table
) -> Rows:
    settings = project.settings
    intended = dict(
        zip(source_videos["source_id"].to_pylist(), source_videos["intended_emotion"].to_pylist(), strict=True)
    )
    # Tasks that are out stay out while their clip exists, however the library grows.
    published = rows_of(project.read("annotation_tasks", context.partition_key))
    rows = plan_tasks(
        rows_of(clips, ["clip_id", "source_id", "domain"]),
        intended,
        settings=SamplingSettings(
            human_fraction=settings.annotation.human_fraction,
            validation_fraction=settings.annotation.validation_fraction,
            validation_minimum=settings.annotation.validation_minimum,
            seed=settings.seed,
        ),
        already_planned={(row["clip_id"], row["purpose"]) for row in published},
    )
    return result("annotation_tasks", TABLES["annotation_tasks"].from_rows(rows), metadata=_counts(rows, "purpose"))


def read_answers(home: Home, domain: str, clips: pa.Table) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Accepted and rejected answers of a domain from every file in `library/annotations/`."""
    folder = home.annotations
    answers, refused = [], []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and path.suffix.lower() in ANNOTATION_SUFFIXES and not path.name.startswith("."):
            from_file, refused_in_file = read_annotation_file(path, home.relative(path))
            answers += from_file
            refused += refused_in_file
    return accept_answers(answers, domain=domain, known_clip_ids=set(clips["clip_id"].to_pylist()), rejected=refused)


@table_asset(group=GROUP, code_version="1", kinds=["pandas"], deps=["annotation_tasks"])
def human_annotations(context: dg.AssetExecutionContext, project: Project, clips: pa.Table) -> Rows:
    accepted, rejected = read_answers(project.home, context.partition_key, clips)
    if not accepted:
        context.log.info("No annotations yet: put CSV files or Label Studio exports into library/annotations/.")
    return result(
        "human_annotations",
        TABLES["human_annotations"].from_rows(accepted),
        metadata={
            "rejected": len(rejected),
            "annotators": len({row["annotator_id"] for row in accepted}),
            "is_simulated": any(row["annotator_id"].startswith("simulated-") for row in accepted),
            **_counts(accepted, "purpose"),
        },
    )


@table_asset(group=GROUP, code_version="1", deps=["annotation_tasks"])
def rejected_annotations(context: dg.AssetExecutionContext, project: Project, clips: pa.Table) -> Rows:
    _, rejected = read_answers(project.home, context.partition_key, clips)
    return result(
        "rejected_annotations", TABLES["rejected_annotations"].from_rows(rejected), metadata=_counts(rejected, "reason")
    )


@table_asset(group=GROUP, code_version="1", kinds=["pandas"])
def human_labels(context: dg.AssetExecutionContext, annotation_tasks: pa.Table, human_annotations: pa.Table) -> Rows:
    rows, waiting = vote(rows_of(human_annotations), rows_of(annotation_tasks))
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
