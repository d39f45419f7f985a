"""Jobs: the whole dataset, one per stage, and the proof of it.

Belongs here: selections, and the one job that has no assets. Partitioned and unpartitioned assets never share a job: in
a run of one domain the labeller would be trained three times on what happens to be there.
"""

from typing import Any

import dagster as dg

from emovid_assets.assets import (
    annotations,
    collection,
    derived,
    embeddings,
    evaluation,
    generated,
    labels,
    measurements,
    settings,
    sources,
)
from emovid_assets.assets.partitions import domain_partitions
from emovid_assets.assets.table_asset import markdown_list
from emovid_assets.checks import proofs as verify
from emovid_assets.orchestration.tidying import tidy_history
from emovid_assets.resources.collection.budget import Budget
from emovid_assets.resources.collection.collect import collect
from emovid_assets.resources.progress import progress_for
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES

COLLECTION_POOL = "collection"

_STAGES = {
    "show_wanted": ([collection.GROUP], "What there is to collect, and how far that is."),
    "collect_clips": ([sources.GROUP, measurements.GROUP], "Library to clips, clip files and measurements."),
    "collect_annotations": ([annotations.GROUP], "Tasks, annotations and human labels."),
    "label_clips": ([labels.GROUP], "Labels by model, captions and final labels."),
    "embed_clips": ([embeddings.GROUP], "Embeddings of the clips."),
    "evaluate": ([evaluation.GROUP], "Validation, benchmark and quarantine."),
    "generate_videos": ([generated.GROUP], "Videos of generators on the benchmark, and of characters."),
    "derive": ([derived.GROUP], "What the views read instead of joining: a row per clip with all that is known of it."),
}
CATALOGUE = ("catalogue", "dataset_report")
UNPARTITIONED = tuple(name for name, table in TABLES.items() if not table.is_partitioned)


def _stage(name: str, groups: list[str], description: str) -> Any:
    selection = dg.AssetSelection.groups(*groups) - dg.AssetSelection.assets(*UNPARTITIONED)
    return dg.define_asset_job(name, selection, description=description)


class CollectionConfig(dg.Config):
    """`max_items`: files of this run; null: `collection.max_items` of the settings."""

    max_items: int | None = None
    retries_all: bool = False


@dg.op(pool=COLLECTION_POOL, out=dg.Out(dg.Nothing))
def collect_domain(context: dg.OpExecutionContext, config: CollectionConfig, project: Project) -> None:
    """Fetches what is wanted and due of the run's domain, within the budget."""
    home = project.home
    budget = Budget.of(home.settings().collection, config.max_items)
    report = collect(
        home,
        context.partition_key,
        budget,
        context.log,
        progress=progress_for(context.log),
        retries_all=config.retries_all,
    )
    context.add_output_metadata(
        {
            "fetched": report.fetched,
            "tried": report.tried,
            "due": report.due,
            "megabytes": round(report.bytes / 1e6, 2),
            "stopped": report.stopped or "nothing stopped it",
            "notes": markdown_list(report.notes),
            **{f"now_{status}": count for status, count in sorted(report.statuses.items())},
        }
    )


@dg.job(partitions_def=domain_partitions, description="Fetches films, stickers or animations of a domain.")
def collect_sources() -> None:
    collect_domain()


def jobs() -> list[Any]:
    """`build_dataset` runs every partitioned asset of a domain; the unpartitioned assets have jobs of their own."""
    return [
        collect_sources,
        dg.define_asset_job(
            "build_dataset",
            dg.AssetSelection.all()
            - dg.AssetSelection.groups(settings.GROUP)
            - dg.AssetSelection.assets(*UNPARTITIONED, *CATALOGUE),
            description="Begin here: everything of one domain, from its files to its labels and splits, with the "
            "labeller as it is. What pools the domains follows by automation, or by the jobs beside this one.",
        ),
        *(_stage(name, groups, description) for name, (groups, description) in _STAGES.items()),
        dg.define_asset_job(
            "group_clips",
            dg.AssetSelection.assets("clip_groups"),
            description="Which clips of all domains belong together.",
        ),
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
            "compare_generators",
            dg.AssetSelection.assets("generation_metrics", "generation_tests", "preference_results"),
            description="What each generator is worth over all domains, which of them differ, and which people prefer.",
        ),
        dg.define_asset_job(
            "make_training_sets",
            dg.AssetSelection.assets("training_sets"),
            description="What each family of generators is trained on, of all domains.",
        ),
        dg.define_asset_job(
            "train_adapters",
            dg.AssetSelection.assets("generator_adapters"),
            description="The adapters of the settings, for the generators that they name.",
        ),
        dg.define_asset_job(
            "list_releases",
            dg.AssetSelection.assets("releases"),
            description="Which releases lie in the home.",
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
        verify_dataset,
        tidy_history,
    ]


@dg.op
def prove(context: dg.OpExecutionContext, project: Project) -> None:
    """Proves the warehouse as it is. Fails with what does not hold."""
    faults = []
    try:
        for proof in verify.proofs(project.home):
            context.log.info(f"{proof.name}: {proof.checked} {proof.unit}, {'holds' if proof.holds else 'fails'}")
            faults += [f"{proof.name}: {fault}" for fault in proof.faults]
    except verify.NothingBuiltError as error:
        context.log.info(str(error))
    if faults:
        shown = "\n".join(faults[: verify.SHOWN_FAULTS])
        raise dg.Failure(
            f"{len(faults)} faults; run: emovid verify --repair, then emovid build\n{shown}", allow_retries=False
        )


@dg.job(
    description="Proves files, tables, ids, splits and quarantine (`emovid verify`); fails with what does not hold."
)
def verify_dataset() -> None:
    prove()
