"""Jobs: the whole dataset, and one per stage.

Belongs here: selections. Partitioned and unpartitioned assets never share a job: in a run of one domain the
labeller would be trained three times on what happens to be there.
"""

from typing import Any

import dagster as dg

from emovid_assets.assets import annotations, derived, embeddings, evaluation, labels, measurements, sources
from emovid_assets.tables import TABLES

_STAGES = {
    "collect_clips": ([sources.GROUP, measurements.GROUP], "Library to clips, clip files and measurements."),
    "collect_annotations": ([annotations.GROUP], "Tasks, annotations and human labels."),
    "label_clips": ([labels.GROUP], "Labels by model, captions and final labels."),
    "embed_clips": ([embeddings.GROUP], "Embeddings of the clips."),
    "evaluate": ([evaluation.GROUP], "Validation, benchmark and quarantine."),
    "derive": ([derived.GROUP], "What the views read instead of joining: a row per clip with all that is known of it."),
}
CATALOGUE = ("catalogue", "dataset_report")
UNPARTITIONED = tuple(name for name, table in TABLES.items() if not table.is_partitioned)


def _stage(name: str, groups: list[str], description: str) -> Any:
    selection = dg.AssetSelection.groups(*groups) - dg.AssetSelection.assets(*UNPARTITIONED)
    return dg.define_asset_job(name, selection, description=description)


def jobs() -> list[Any]:
    """`build_dataset` runs every partitioned asset of a domain; the unpartitioned assets have jobs of their own."""
    return [
        dg.define_asset_job(
            "build_dataset",
            dg.AssetSelection.all() - dg.AssetSelection.assets(*UNPARTITIONED, *CATALOGUE),
            description="Every partitioned asset of a domain, with the labeller as it is.",
        ),
        *(_stage(name, groups, description) for name, (groups, description) in _STAGES.items()),
        dg.define_asset_job(
            "train_labeller",
            dg.AssetSelection.assets("emotion_labeller"),
            description="The labeller, from the human labels of all domains.",
        ),
        dg.define_asset_job(
            "compare_labellers",
            dg.AssetSelection.assets("labeller_answers", "labeller_comparison"),
            description="The labeller, others and people on the same blind clips.",
        ),
        dg.define_asset_job(
            "pool_agreement",
            dg.AssetSelection.assets("pooled_kappa", "agreement_statistics"),
            description="The agreement of raters over all domains together.",
        ),
        dg.define_asset_job(
            "map_embeddings",
            dg.AssetSelection.assets("embedding_map", "embedding_separability"),
            description="The map of all domains together, and how separate they are.",
        ),
        dg.define_asset_job(
            "count_phrases",
            dg.AssetSelection.assets("caption_phrase_counts"),
            description="Phrases of the captions of all domains.",
        ),
        dg.define_asset_job(
            "build_catalogue",
            dg.AssetSelection.assets(*CATALOGUE),
            description="The SQL catalogue, and the report made from it.",
        ),
    ]
