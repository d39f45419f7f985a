"""Stage 2: what is measured on the clips.

Belongs here: `colour_attributes` and `clip_features`, which read what the media pass has already measured, and
`clip_fingerprints`, which reads the clip files.
"""

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.assets.pictures import colour_swatches, histogram
from emovid_assets.assets.scanned import FEATURES, SUMS, rows_of_clips
from emovid_assets.assets.table_asset import MEDIA_POOL, Rows, result, table_asset
from emovid_assets.core.colour import ColourSums
from emovid_assets.core.colour import colour_attributes as attributes_of
from emovid_assets.resources import media, media_steps
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "measurements"


@table_asset(group=GROUP, code_version="2", kinds=["numpy"])
def colour_attributes(context: dg.AssetExecutionContext, scanned_segments: pa.Table, clips: pa.Table) -> Rows:
    # Asked once: Dagster takes longer to say it than a row takes.
    domain = context.partition_key
    rows = (
        {
            "clip_id": segment["clip_id"],
            "domain": domain,
            **attributes_of(ColourSums(*(segment[name] for name in SUMS))),
        }
        for segment in rows_of_clips(scanned_segments, clips, ("clip_id", *SUMS))
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


@table_asset(group=GROUP, code_version="3", kinds=["numpy"])
def clip_features(context: dg.AssetExecutionContext, scanned_segments: pa.Table, clips: pa.Table) -> Rows:
    domain = context.partition_key
    has_audio = dict(zip(clips["clip_id"].to_pylist(), clips["has_audio"].to_pylist(), strict=True))
    rows = (
        {**segment, "domain": domain, "has_audio": has_audio[segment["clip_id"]]}
        for segment in rows_of_clips(scanned_segments, clips, ("clip_id", "source_id", "duration_s", *FEATURES))
    )
    table = TABLES["clip_features"].from_rows(rows)
    return result(
        "clip_features",
        table,
        metadata={"motion": histogram(table["motion_mean"].to_pylist(), "mean change between frames")},
    )


@table_asset(group=GROUP, code_version=f"1.{media_steps.FINGERPRINT_VERSION}", kinds=["pyav"], pool=MEDIA_POOL)
def clip_fingerprints(context: dg.AssetExecutionContext, project: Project, clip_media: pa.Table) -> Rows:
    domain = context.partition_key
    found = media.fingerprints(project, domain, each_row(clip_media, media.FOR_FINGERPRINTS), context.log)
    table = TABLES["clip_fingerprints"].from_rows(
        {"clip_id": identifier, "domain": domain, **payload} for identifier, payload in found.payloads.items()
    )
    return result(
        "clip_fingerprints",
        table,
        failures=found.failures,
        computed_count=found.computed_count,
        metadata={"pictures": pc.sum(table["picture_count"]).as_py() or 0},
    )
