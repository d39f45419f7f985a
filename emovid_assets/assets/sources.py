"""Stage 1: the library becomes sources, sources become segments and clips.

Belongs here: `source_videos`, `segments`, `clips`, `clip_media`.
"""

from pathlib import Path

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pictures import contact_sheet, histogram
from emovid_assets.assets.table_asset import MEDIA_POOL, Rows, result, table_asset
from emovid_assets.core.identity import source_id
from emovid_assets.resources import media
from emovid_assets.resources.library import read_library
from emovid_assets.resources.project import Project
from emovid_assets.tables import TABLES, rows_of

GROUP = "sources"


@table_asset(group=GROUP, code_version="2", kinds=["pyav"], pool=MEDIA_POOL)
def source_videos(context: dg.AssetExecutionContext, project: Project) -> Rows:
    domain = context.partition_key
    files = {
        source_id(domain, file.sha256): file
        for file in project.with_store(lambda store: read_library(project.home, domain, store))
    }
    if not files:
        context.log.info(f"No media below {project.home.library / domain}: put files there and build again.")
    probed = media.probe(project, domain, files, context.log)
    rows = []
    for identifier, facts in probed.payloads.items():
        file = files[identifier]
        known = {name: file.manifest.get(name) for name in ("external_id", "title", "film_id", "region", "license")}
        position = file.manifest.get("film_position")
        rows.append(
            {
                "source_id": identifier,
                "domain": domain,
                "path": file.path,
                "duplicate_paths": file.duplicate_paths,
                "film_position": int(position) if position else None,
                "intended_emotion": file.manifest.get("intended_emotion"),
                "sha256": file.sha256,
                "size_bytes": file.size_bytes,
                **known,
                **{name: value for name, value in facts.items() if name != "stream_index"},
            }
        )
    failures = project.with_store(lambda store: store.failures(domain, "library")) + probed.failures
    table = TABLES["source_videos"].from_rows(rows)
    return result(
        "source_videos",
        table,
        failures=failures,
        computed_count=probed.computed_count,
        metadata={
            "hours": round(sum(row["duration_s"] for row in rows) / 3600, 3),
            "duplicates": sum(len(row["duplicate_paths"]) for row in rows),
        },
    )


@table_asset(group=GROUP, code_version="1", kinds=["pyav", "scenedetect"], pool=MEDIA_POOL)
def segments(context: dg.AssetExecutionContext, project: Project, source_videos: pa.Table) -> Rows:
    domain = context.partition_key
    scanned = media.scan(project, domain, rows_of(source_videos), context.log)
    columns = [name for name in TABLES["segments"].column_names if name not in ("source_id", "domain")]
    rows = [
        {"source_id": identifier, "domain": domain, **{name: segment[name] for name in columns}}
        for identifier, payload in scanned.payloads.items()
        for segment in payload["segments"]
    ]
    return result(
        "segments",
        TABLES["segments"].from_rows(rows),
        failures=scanned.failures,
        computed_count=scanned.computed_count,
        metadata={
            "kept": sum(row["is_kept"] for row in rows),
            "too_short": sum(row["drop_reason"] == "too_short" for row in rows),
            "too_long": sum(row["drop_reason"] == "too_long" for row in rows),
            "lengths": histogram([row["duration_s"] for row in rows], "segment length (s)"),
        },
    )


@table_asset(group=GROUP, code_version="1", pool=MEDIA_POOL)
def clips(context: dg.AssetExecutionContext, project: Project, source_videos: pa.Table, segments: pa.Table) -> Rows:
    domain = context.partition_key
    sources = {row["source_id"]: row for row in rows_of(source_videos)}
    measured = media.measured(project, domain, list(sources.values()), context.log)
    thumbnail_paths = {identifier: segment["thumbnail_path"] for identifier, segment in measured}
    rows = []
    for segment in rows_of(segments):
        if not segment["is_kept"]:
            continue
        source = sources[segment["source_id"]]
        frame_count = segment["end_frame"] - segment["start_frame"]
        rows.append(
            {
                **{name: segment[name] for name in ("clip_id", "source_id", "scene_index", "start_s", "end_s")},
                "domain": domain,
                "duration_s": segment["duration_s"],
                "frame_count": frame_count,
                "fps": frame_count / segment["duration_s"],
                "width_px": source["width_px"],
                "height_px": source["height_px"],
                "has_audio": source["has_audio"],
                "thumbnail_path": thumbnail_paths[segment["clip_id"]],
            }
        )
    thumbnails = [project.home.root / row["thumbnail_path"] for row in rows]
    return result(
        "clips",
        TABLES["clips"].from_rows(rows),
        metadata={
            "minutes": round(sum(row["duration_s"] for row in rows) / 60, 2),
            "thumbnails": contact_sheet(thumbnails),
        },
    )


@table_asset(group=GROUP, code_version="2", kinds=["pyav"], pool=MEDIA_POOL)
def clip_media(context: dg.AssetExecutionContext, project: Project, source_videos: pa.Table, clips: pa.Table) -> Rows:
    domain = context.partition_key
    sources = rows_of(source_videos)
    kept = set(clips["clip_id"].to_pylist())
    names = ("source_id", *media.PLACE)
    wanted = {
        identifier: {name: segment[name] for name in names}
        for identifier, segment in media.measured(project, domain, sources, context.log)
        if identifier in kept
    }
    written = media.clip_files(project, domain, sources, wanted, context.log)
    rows = [
        {"clip_id": identifier, "domain": domain, **{k: v for k, v in payload.items() if k != "files"}}
        for identifier, payload in written.payloads.items()
    ]
    return result(
        "clip_media",
        TABLES["clip_media"].from_rows(rows),
        failures=written.failures,
        computed_count=written.computed_count,
        metadata={
            "megabytes": round(sum(row["size_bytes"] for row in rows) / 1e6, 2),
            "copied": sum(row["is_copied"] for row in rows),
            "folder": dg.MetadataValue.path(str(Path(project.home.clips, domain))),
        },
    )
