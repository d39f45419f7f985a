"""Stage 2: what is measured on the clips.

Belongs here: `colour_attributes` and `clip_features`. Both read what the media pass has already measured.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pictures import colour_swatches, histogram
from emovid_assets.assets.table_asset import MEDIA_POOL, Rows, result, table_asset
from emovid_assets.core.colour import ColourSums
from emovid_assets.core.colour import colour_attributes as attributes_of
from emovid_assets.resources import media, media_steps
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "measurements"


def _measured(
    context: dg.AssetExecutionContext, project: Project, sources: pa.Table, clips: pa.Table
) -> Iterator[dict[str, Any]]:
    wanted = set(clips["clip_id"].to_pylist())
    scanned = media.measured(project, context.partition_key, each_row(sources, media.FOR_SCAN), context.log)
    return (segment for identifier, segment in scanned if identifier in wanted)


@table_asset(
    group=GROUP,
    code_version=f"1.{media_steps.SCAN_VERSION}",
    kinds=["opencv"],
    settings=["scene_settings", "frame_sampling"],
    pool=MEDIA_POOL,
)
def colour_attributes(
    context: dg.AssetExecutionContext, project: Project, source_videos: pa.Table, clips: pa.Table
) -> Rows:
    rows = (
        {
            "clip_id": segment["clip_id"],
            "domain": context.partition_key,
            **attributes_of(ColourSums(*segment["colour"])),
        }
        for segment in _measured(context, project, source_videos, clips)
    )
    table = TABLES["colour_attributes"].from_rows(rows)
    return result(
        "colour_attributes",
        table,
        metadata={
            "brightness": histogram(table["brightness_mean"].to_pylist(), "mean V", limits=(0, 1)),
            "hues": colour_swatches(rows_of(table, ["hue_chromatic_deg", "colorfulness_mean", "brightness_mean"])),
        },
    )


@table_asset(
    group=GROUP,
    code_version=f"2.{media_steps.SCAN_VERSION}",
    kinds=["opencv", "numpy"],
    settings=["scene_settings", "frame_sampling"],
    pool=MEDIA_POOL,
)
def clip_features(
    context: dg.AssetExecutionContext, project: Project, source_videos: pa.Table, clips: pa.Table
) -> Rows:
    has_audio = dict(zip(clips["clip_id"].to_pylist(), clips["has_audio"].to_pylist(), strict=True))
    rows = (
        {
            "clip_id": segment["clip_id"],
            "source_id": segment["source_id"],
            "domain": context.partition_key,
            "duration_s": segment["duration_s"],
            "has_audio": has_audio[segment["clip_id"]],
            **segment["features"],
        }
        for segment in _measured(context, project, source_videos, clips)
    )
    table = TABLES["clip_features"].from_rows(rows)
    return result(
        "clip_features",
        table,
        metadata={"motion": histogram(table["motion_mean"].to_pylist(), "mean change between frames")},
    )
