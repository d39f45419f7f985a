"""Stage 6d: what people prefer: which pairs of videos they are asked about, what they answered, what that is worth.

Belongs here: `preference_tasks`, `preferences`, `rejected_preferences`, `preference_results`. Does not belong here: the
formulas (`core.generation`), and how people get to see the videos (`people.study`).
"""

from collections import Counter
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.look_back import last_built
from emovid_assets.assets.table_asset import Rows, markdown_table, result, table_asset
from emovid_assets.core.generation.preference_answers import EXCLUSIONS, REMARKS
from emovid_assets.core.generation.preference_files import NOT_ANSWERED
from emovid_assets.core.generation.preference_results import preference_results as results_of
from emovid_assets.core.generation.study_pairs import plan_study
from emovid_assets.people.answers import read_preferences_of
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "generation"
_SEEN = ("video_id", "generator", "task", "clip_id", "character", "asked_emotion", "seed", "prompt", "sha256")


@table_asset(group=GROUP, code_version="1", settings=["study_settings", "seed"])
def preference_tasks(context: dg.AssetExecutionContext, project: Project, generated_videos: pa.Table) -> Rows:
    domain, settings = context.partition_key, project.settings
    rows = plan_study(
        rows_of(generated_videos, [*_SEEN, "fps", "duration_s", "is_trial"]),
        domain=domain,
        pair_count=settings.generation.study_pairs,
        check_count=settings.generation.study_checks,
        seed=settings.seed,
        published=rows_of(last_built(project, "preference_tasks", "preference_tasks", domain)),
    )
    if not rows:
        context.log.info("No pairs to compare: no two generators have a video of the same prompt and seed here.")
    pairs = [row for row in rows if row["expected"] is None]
    compared = Counter(" and ".join(sorted((row["generator_a"], row["generator_b"]))) for row in pairs)
    return result(
        "preference_tasks",
        TABLES["preference_tasks"].from_rows(rows),
        metadata={
            "pairs": len(pairs),
            "attention_checks": len(rows) - len(pairs),
            "generators": _counts(compared, "generators"),
            "emotions": _counts(Counter(row["asked_emotion"] for row in pairs), "emotion"),
        },
    )


@table_asset(group=GROUP, code_version="2")
def preferences(context: dg.AssetExecutionContext, project: Project, preference_tasks: pa.Table) -> Rows:
    accepted, rejected = read_preferences_of(project.home, context.partition_key, preference_tasks=preference_tasks)
    if not accepted:
        context.log.info("No answers about pairs yet: emovid study pull or import brings them (docs/study.md).")
    return result(
        "preferences",
        TABLES["preferences"].from_rows(accepted),
        metadata={
            "rejected": sum(row["reason"] not in {*REMARKS, NOT_ANSWERED} for row in rejected),
            "people": len({row["annotator_id"] for row in accepted}),
            "is_simulated": any(row["annotator_id"].startswith("simulated-") for row in accepted),
            "exclusions": _counts(Counter(row["exclusion"] or "counts" for row in accepted), "exclusion"),
        },
    )


@table_asset(group=GROUP, code_version="2")
def rejected_preferences(context: dg.AssetExecutionContext, project: Project, preference_tasks: pa.Table) -> Rows:
    _, rejected = read_preferences_of(project.home, context.partition_key, preference_tasks=preference_tasks)
    return result(
        "rejected_preferences",
        TABLES["rejected_preferences"].from_rows(rejected),
        metadata={"reasons": _counts(Counter(row["reason"] for row in rejected), "reason")},
    )


@table_asset(group=GROUP, code_version="1", settings=["seed"])
def preference_results(project: Project, preferences: pa.Table, preference_tasks: pa.Table) -> Rows:
    answers = rows_of(preferences)
    rows = results_of(answers, rows_of(preference_tasks), seed=project.settings.seed)
    metadata: dict[str, Any] = {}
    if answers and not rows:
        metadata["missing"] = _why_none_counts(answers)
    columns = ("question", "task", "scope", "generator_a", "generator_b", "strength", "strength_low", "strength_high")
    return result(
        "preference_results",
        TABLES["preference_results"].from_rows(rows),
        metadata=metadata | {"strengths": markdown_table([{name: row[name] for name in columns} for row in rows])},
    )


def _why_none_counts(answers: list[dict[str, Any]]) -> str:
    people = {
        rule: len({row["annotator_id"] for row in answers if row["exclusion"] == rule})
        for rule in EXCLUSIONS
        if any(row["exclusion"] == rule for row in answers)
    }
    of_each = ", ".join(
        f"{rule} of {number} {'person' if number == 1 else 'people'}" for rule, number in people.items()
    )
    return f"no answer counts: all {len(answers):,} are excluded ({of_each}; docs/study.md says by which rules)"


def _counts(counts: Counter[Any], column: str) -> dg.MetadataValue:
    return markdown_table([{column: name, "count": counts[name]} for name in sorted(counts)])
