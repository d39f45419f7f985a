"""Which clips labellers may learn from, and are compared on, out of the tables that say so.

Belongs here: reading the tables for `core.training_pool`. The benchmark as it was last published is looked back at
(`look_back`), and drawn anew here.
"""

import pyarrow as pa

from emovid_assets.assets.look_back import last_built
from emovid_assets.core.annotator_quality import majority_of
from emovid_assets.core.clip_groups import ClipGroups, group_rows
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.labelling import LabelledClip
from emovid_assets.core.training_pool import BenchmarkRules, TrainingPool, training_pool
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.workplace import Workplace
from emovid_assets.tables.columns import each_row, rows_of


def pool_of(
    project: Workplace,
    reader: str,
    tables: ClipTables,
    annotation_tasks: pa.Table,
    human_annotations: pa.Table,
    human_labels: pa.Table,
    clip_groups: pa.Table,
) -> TrainingPool:
    """The pool over all domains. `reader`: the asset that asks.

    Where `clip_groups` was not built yet, groups are made here: a home of an earlier version must not seem unlabelled.
    """
    settings = project.settings
    published = (
        row
        for domain in DOMAINS
        for row in each_row(last_built(project, reader, "benchmark_split", domain), ["clip_id", "split"])
    )
    return training_pool(
        ClipGroups.of(each_row(clip_groups) if len(clip_groups) else group_rows(tables.linked_rows())),
        rows_of(human_labels),
        rows_of(human_annotations),
        validation=_blind(annotation_tasks),
        published_benchmark={row["clip_id"] for row in published if row["split"] == "benchmark"},
        rules=BenchmarkRules(settings.benchmark.per_cell, settings.seed, settings.annotation.review_annotators),
    )


def compared_clips(annotation_tasks: pa.Table, human_annotations: pa.Table) -> set[str]:
    """The blind clips that labellers are compared on: those with a majority of the people."""
    answers: dict[str, list[str]] = {clip_id: [] for clip_id in _blind(annotation_tasks)}
    for row in each_row(human_annotations, ["clip_id", "purpose", "label"]):
        if row["purpose"] == "validate" and row["clip_id"] in answers:
            answers[row["clip_id"]].append(row["label"])
    return {clip_id for clip_id, given in answers.items() if majority_of(given)}


def _blind(annotation_tasks: pa.Table) -> set[str]:
    return {row["clip_id"] for row in each_row(annotation_tasks) if row["purpose"] == "validate"}


def forest_examples(pool: TrainingPool, tables: ClipTables) -> list[LabelledClip]:
    """The clips of the pool as the embedded labeller takes them."""
    return [
        LabelledClip(clip, pool.emotions[clip.clip_id], pool.groups[clip.clip_id])
        for clip in tables.evidence
        if clip.clip_id in pool.emotions
    ]
