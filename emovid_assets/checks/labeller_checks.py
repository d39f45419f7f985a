"""Checks of the labeller: is fine-tuning worth it, and has it seen what it is judged by."""

import json
from typing import Any

import dagster as dg

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.labeller_comparison import accuracy_gain
from emovid_assets.resources.project import Project
from emovid_assets.resources.training import RECORD
from emovid_assets.tables.columns import each_row, rows_of

WARN = dg.AssetCheckSeverity.WARN
CLIP_LISTS = ("training_clips", "choosing_clips", "held_out_clips")


@dg.asset_check(
    asset="labeller_comparison",
    description="The fine-tuned labeller is right more often than the model that it came from (requirement R15).",
)
def fine_tuning_is_worth_it(project: Project) -> dg.AssetCheckResult:
    answers = rows_of(project.read("labeller_answers"))
    of_kind = {row["rater_kind"]: row["rater_id"] for row in answers}
    if not {"fine_tuned", "zero_shot"} <= of_kind.keys():
        return _passed(missing="no fine-tuned labeller beside the model that it came from")
    found = accuracy_gain(answers, of_kind["fine_tuned"], of_kind["zero_shot"], seed=project.settings.seed)
    if found is None:
        return _passed(missing="no blind clip that both have answered and people agree on")
    gain, interval, clip_count = found
    # With clips of too few source videos there is none.
    ends = dict(zip(("gain_low", "gain_high"), interval or (), strict=False))
    return dg.AssetCheckResult(passed=gain > 0, severity=WARN, metadata={"gain": gain, **ends, "clips": clip_count})


@dg.asset_check(
    asset="labeller_comparison",
    description="The fine-tuned labeller has learnt from no validation clip and from no clip of the benchmark.",
    additional_deps=["benchmark_split"],
)
def labeller_saw_no_test_clips(project: Project) -> dg.AssetCheckResult:
    tuned = [row for row in rows_of(project.read("emotion_labeller")) if row["kind"] == "fine_tuned"]
    seen: set[str] = set()
    for row in tuned:
        path = project.home.root / row["path"] / RECORD
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        seen |= {one["clip_id"] for key in CLIP_LISTS for one in record.get(key, ())}
    blind = {
        row["clip_id"]
        for domain in DOMAINS
        for row in each_row(project.read("annotation_tasks", domain), ["clip_id", "purpose"])
        if row["purpose"] == "validate"
    }
    benchmark = {
        row["clip_id"]
        for domain in DOMAINS
        for row in each_row(project.read("benchmark_split", domain), ["clip_id", "split"])
        if row["split"] == "benchmark"
    }
    leaked = sorted(seen & (blind | benchmark))
    facts: dict[str, Any] = {"clips_seen": len(seen), "test_clips_seen": len(leaked)}
    if leaked:
        facts |= {
            "first": ", ".join(leaked[:5]),
            "what_to_do": "build emotion_labeller again: it leaves these clips out",
        }
    return dg.AssetCheckResult(passed=not leaked, severity=WARN, metadata=facts)


def _passed(**metadata: Any) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True, severity=WARN, metadata=metadata)


LABELLER_CHECKS = [fine_tuning_is_worth_it, labeller_saw_no_test_clips]
