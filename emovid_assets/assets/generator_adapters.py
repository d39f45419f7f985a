"""Stage 7b: adapters that teach a generator the emotions of this dataset.

Belongs here: `generator_adapters`. Does not belong here: which clips they learn from (`training_sets`), training
(`resources.tuning.trainings`), what an adapter has changed in videos (`generation_results`).
"""

import json
from collections.abc import Sequence
from typing import Any

import dagster as dg

from emovid_assets.assets.pictures import drawings
from emovid_assets.assets.table_asset import MODEL_POOL, Rows, markdown_list, markdown_table, result, table_asset
from emovid_assets.core.tuning import loop
from emovid_assets.drawing.charts.held_out import held_out_curves
from emovid_assets.drawing.markup import Markup
from emovid_assets.resources.project import Project
from emovid_assets.resources.tuning.adapters import Adapter, adapters_of
from emovid_assets.tables.registry import TABLES

GROUP = "tuning"
SHOWN = ("name", "base_model", "step_count", "kept_step", "loss_before", "loss_after", "data_licence")
NO_GAIN = "no evaluation was better than the model as it was, so there is no adapter: more clips, or another rate"


@table_asset(
    group=GROUP,
    code_version=f"1.{loop.VERSION}",
    kinds=["diffusers", "pytorch"],
    deps=["training_sets", "clip_media", "source_videos"],
    settings=["adapter_settings", "seed"],
    pool=MODEL_POOL,
)
def generator_adapters(context: dg.AssetExecutionContext, project: Project) -> Rows:
    table = TABLES["generator_adapters"]
    if not project.settings.tuning.adapters:
        begin = {"how_to_begin": "docs/training_lora.md: [[tuning.adapters]] in emovid.toml"}
        return result("generator_adapters", table.empty(), metadata=begin)
    found, missing, steps = adapters_of(project, context.log)
    rows = [_row(project, adapter) for adapter in found]
    without = [f"{row['name']}: {NO_GAIN}{_earlier(project, row['name'])}" for row in rows if row["sha256"] is None]
    shown: dict[str, Any] = {"adapters": markdown_table([{name: row[name] for name in SHOWN} for row in rows])}
    if rows:
        shown["curves"] = drawings("loss on held-out clips", _curves(rows))
    if missing or without:
        shown["missing"] = " ".join([*missing, *without])
        shown["what_is_missing"] = markdown_list([*missing, *without])
    return result("generator_adapters", table.from_rows(rows), computed_count=steps, metadata=shown)


def _row(project: Project, adapter: Adapter) -> dict[str, Any]:
    one, record = adapter.settings, adapter.trained.record
    handed_on = ("revision", "data_sha256", "data_licence", "is_non_commercial", "loss_before", "loss_after")
    return {
        "name": one.name,
        "task": one.task,
        "base_model": record["config"]["base_model"],
        "base_revision": record["config"]["base_revision"],
        "rank": one.rank,
        "targets": ",".join(one.targets),
        "training_clip_count": len(record["training_clips"]),
        "held_out_clip_count": len(record["held_out_clips"]),
        "step_count": record["step"],
        "kept_step": record["best_step"],
        "evaluations": record["evaluations"],
        "path": project.home.relative(adapter.trained.folder),
        "sha256": record["sha256"],
        "dtype": record["dtype"],
        "training_config": json.dumps(record["config"], sort_keys=True),
        "is_trial": one.is_trial,
        **{name: record[name] for name in handed_on},
    }


def _earlier(project: Project, name: str) -> str:
    """Generators go on with what an earlier training gave."""
    path = project.home.adapters / f"{name}.safetensors"
    return f"; {project.home.relative(path)} is that of an earlier training" if path.is_file() else ""


def _curves(rows: Sequence[dict[str, Any]]) -> list[Markup]:
    return [
        held_out_curves(
            f"adapter-{number}",
            row["name"],
            [(one["step"], one["loss"], one["training_loss"]) for one in row["evaluations"]],
            row["kept_step"],
        )
        for number, row in enumerate(rows)
    ]
