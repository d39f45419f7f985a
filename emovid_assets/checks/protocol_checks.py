"""Checks of the protocols: clip lengths, probabilities, the kappa gap, the benchmark, the labeller's worth."""

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow.compute as pc

from emovid_assets.assets.partitions import by_domain, domain_partitions
from emovid_assets.core.agreement import direction_of, kappa_gap
from emovid_assets.core.agreement_statistics import (
    ALL_CHOICES,
    Estimate,
    gap_conclusion,
    gap_estimate,
    is_within_limit,
)
from emovid_assets.core.clip_groups import GroupSize, largest_groups, suspicious_groups
from emovid_assets.core.domains import TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.splits import leaks
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets.resources.media import is_whole
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.evaluation import PAIR_KINDS

PROBABILITY_SLACK = 1e-6
WARN = dg.AssetCheckSeverity.WARN


def _partitioned(asset: str, description: str, *, blocking: bool = False) -> Any:
    """A check of each domain by itself, whose numbers the UI plots apart."""

    def declare(judge: Callable[..., dg.AssetCheckResult]) -> dg.AssetChecksDefinition:
        @functools.wraps(judge)
        def judging(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
            found = judge(context, project)
            return found._replace(metadata=by_domain(found.metadata or {}, context.partition_key))

        return dg.asset_check(
            asset=asset, description=description, blocking=blocking, partitions_def=domain_partitions
        )(judging)

    return declare


@_partitioned(
    "clips", "Every clip is as long as its kind of source allows (4–30 s cut, 0.2–30 s whole).", blocking=True
)
def durations_in_range(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    scenes = project.settings.scenes
    columns = ["source_id", "domain", "duration_s", "trim_s"]
    sources = each_row(project.read("source_videos", context.partition_key, columns))
    cut = {source["source_id"] for source in sources if not is_whole(source, scenes)}
    outside = []
    for clip in each_row(project.read("clips", context.partition_key, ["clip_id", "source_id", "duration_s"])):
        # A clip without its source comes from a library that has changed since: nothing says how it was cut.
        low = scenes.min_cut_s if clip["source_id"] in cut else scenes.min_whole_s
        if not low <= clip["duration_s"] <= scenes.max_s:
            outside.append(clip["clip_id"])
    return dg.AssetCheckResult(passed=not outside, metadata={"outside": len(outside), "first": ", ".join(outside[:5])})


@_partitioned("vlm_labels", "The eight probabilities of each clip sum to 1.", blocking=True)
def probabilities_sum_to_one(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    rows = project.read("vlm_labels", context.partition_key, [f"p_{name}" for name in EMOTION_NAMES])
    # From the left, as a loop over the eight would.
    total = functools.reduce(pc.add, rows.columns)
    worst = pc.max(pc.abs(pc.subtract(total, 1.0))).as_py() or 0.0
    return dg.AssetCheckResult(passed=worst <= PROBABILITY_SLACK, metadata={"largest_error": worst})


@_partitioned(
    "kappa_validation",
    "The model’s pooled kappa with people is less than 0.04 below that of people with each other (requirement R17).",
)
def kappa_gap_below_4_percent(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    ratings = rows_of(project.read("validation_ratings", context.partition_key))
    kappas, gap = kappa_gap(ratings), gap_estimate(ratings, seed=project.settings.seed)
    if kappas is None or gap is None:
        return _judged_gap(None)
    return _judged_gap(gap, human_human=kappas.human_human, human_vlm=kappas.human_vlm)


@dg.asset_check(
    asset="agreement_statistics", description="The same over the clips of all domains together (requirement R17)."
)
def pooled_kappa_gap_below_4_percent(project: Project) -> dg.AssetCheckResult:
    overall = {
        row["statistic"]: row
        for row in rows_of(project.read("agreement_statistics"))
        if row["scope"] == TOTAL and row["emotion"] == ALL_CHOICES
    }
    gap = overall.get("kappa_gap")
    if gap is None or gap["value"] is None:
        return _judged_gap(None)
    human_human, human_vlm = (overall[f"pooled_kappa_{kind}"]["value"] for kind in PAIR_KINDS)
    facts = ("value", "low", "high", "standard_error", "clip_count", "source_count", "least_pair_clip_count")
    estimate = Estimate(**{name: gap[name] for name in facts}, direction=direction_of(human_human, human_vlm))
    return _judged_gap(estimate, human_human=human_human, human_vlm=human_vlm)


def _judged_gap(gap: Estimate | None, **kappas: float) -> dg.AssetCheckResult:
    """Passes where the gap as measured is below the limit, and where the model agrees with people more than they do
    with each other; the conclusion says how much that is worth."""
    if gap is None or gap.value is None:
        missing = "No pair of both kinds yet: three people and the labeller must have rated the validation clips."
        return dg.AssetCheckResult(passed=True, severity=WARN, metadata={"missing": missing})
    facts = {
        "gap_low": gap.low,
        "gap_high": gap.high,
        "required_clips": gap.required_clip_count,
        "direction": gap.direction,
        **kappas,
    }
    return dg.AssetCheckResult(
        passed=is_within_limit(gap),
        severity=WARN,
        metadata={
            "conclusion": gap_conclusion(gap),
            "gap": gap.value,
            "validation_clips": gap.clip_count,
            **{name: value for name, value in facts.items() if value is not None},
        },
    )


@_partitioned("benchmark_split", "No group stands in both benchmark and training.", blocking=True)
def no_leaks(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    leaking = leaks(each_row(project.read("benchmark_split", context.partition_key, ["split", "group_id"])))
    return dg.AssetCheckResult(passed=not leaking, metadata={"leaks": len(leaking), "first": ", ".join(leaking[:10])})


@dg.asset_check(
    asset="catalogue",
    description="No group, source, film, file or near-duplicate stands in both benchmark and training, in any domain.",
    additional_deps=["benchmark_split"],
)
def nothing_leaks_between_domains(project: Project) -> dg.AssetCheckResult:
    """By the view that asks the tables before the groups, so that a fault of the groups is seen too."""
    with open_catalogue(project.home.root, shipped_file("sql")) as connection:
        found = connection.execute("SELECT kind, value, domains FROM split_leaks ORDER BY ALL LIMIT 100").fetchall()
    told = [f"{kind} {value} ({', '.join(domains)})" for kind, value, domains in found]
    return dg.AssetCheckResult(passed=not found, metadata={"leaks": len(found), "first": "; ".join(told[:5])})


@dg.asset_check(
    asset="clip_groups",
    description="What looks or bytes have joined is at most 1 % of a domain: more may be different clips.",
)
def no_group_is_suspiciously_large(project: Project) -> dg.AssetCheckResult:
    rows = rows_of(project.read("clip_groups", columns=["domain", "group_id", "reason"]))
    large, largest = suspicious_groups(rows), largest_groups(rows)
    return dg.AssetCheckResult(
        passed=not large,
        severity=WARN,
        metadata={
            "groups_above_1_percent": "; ".join(_size_told(one) for one in large[:5]),
            "largest": "; ".join(_size_told(one) for one in largest),
        },
    )


def _size_told(size: GroupSize) -> str:
    return f"{size.domain}: {size.group_id} holds {size.clip_count} of {size.domain_clip_count} clips"


@_partitioned("benchmark_split", "Each emotion has as many benchmark clips as wanted (10 by default).")
def cells_are_full(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    wanted = project.settings.benchmark.per_cell
    rows = each_row(project.read("benchmark_split", context.partition_key, ["emotion", "split"]))
    counts = Counter(row["emotion"] for row in rows if row["split"] == "benchmark")
    short = [f"{context.partition_key}/{name} {counts[name]}" for name in EMOTION_NAMES if counts[name] < wanted]
    facts: dict[str, Any] = {
        "wanted_per_cell": wanted,
        "full_cells": len(EMOTION_NAMES) - len(short),
        "cells_below": ", ".join(short),
    }
    return dg.AssetCheckResult(passed=not short, severity=WARN, metadata=facts)


@dg.asset_check(asset="emotion_labeller", description="The labeller is better than always answering the same label.")
def beats_the_baseline(project: Project) -> dg.AssetCheckResult:
    rows = rows_of(project.read("emotion_labeller"))
    if not rows:
        return dg.AssetCheckResult(passed=True, severity=WARN, metadata={"missing": "no labeller yet"})
    accuracy, baseline = rows[0]["validation_accuracy"], rows[0]["baseline_accuracy"]
    if accuracy is None:
        missing = "no human-labelled clips to measure the labeller on that have not made it"
        return dg.AssetCheckResult(passed=True, severity=WARN, metadata={"missing": missing})
    return dg.AssetCheckResult(
        passed=accuracy > baseline, severity=WARN, metadata={"accuracy": accuracy, "baseline": baseline}
    )


PROTOCOL_CHECKS = [
    durations_in_range,
    probabilities_sum_to_one,
    kappa_gap_below_4_percent,
    pooled_kappa_gap_below_4_percent,
    no_leaks,
    nothing_leaks_between_domains,
    no_group_is_suspiciously_large,
    cells_are_full,
    beats_the_baseline,
]
