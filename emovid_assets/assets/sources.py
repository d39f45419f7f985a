"""Stage 1: the library becomes sources, sources become segments and clips.

Belongs here: `source_videos`, `scanned_segments`, `segments`, `clips`, `clip_media`. The media pass is one step;
what it has found goes on as a table.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.assets.pictures import contact_sheet, histogram
from emovid_assets.assets.scanned import rows_of_clips, scanned_rows
from emovid_assets.assets.table_asset import MEDIA_POOL, Rows, result, table_asset
from emovid_assets.core import side_files
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.identity import source_id
from emovid_assets.core.video.clip_file import How
from emovid_assets.resources import media, media_steps
from emovid_assets.resources.library import LibraryFile, read_library
from emovid_assets.resources.library_files import LIBRARY_TAG, Listing, is_sidecar, listing, strays
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import each_row, rows_together
from emovid_assets.tables.registry import TABLES

GROUP = "sources"
FROM_MANIFEST = (
    *("external_id", "title", "film_id", "region", "character", "intended_emotion"),
    *("origin", "origin_url", "attribution", "license", "terms_url"),
)

SEEN_BY_THE_PASS = ("thumbnail_path", "has_audio", "sound_missing_s")
"""Columns of `clips` that the media pass finds."""


@table_asset(
    group=GROUP,
    code_version=f"5.{media_steps.PROBE_VERSION}",
    kinds=["pyav"],
    settings=["reading_limits", "sound_choice"],
    pool=MEDIA_POOL,
)
def source_videos(context: dg.AssetExecutionContext, project: Project) -> Rows:
    domain = context.partition_key
    found = listing(project.home, domain)
    require_mounted(project, domain, found)
    project.note(LIBRARY_TAG, found.digest)
    if found.side_files:
        context.log.info(f"Beside the media lie files that are none: {side_files.told(found.side_files)}.")
    for stray in strays(project.home):
        if domain == (stray.domain or DOMAINS[0]):
            context.log.warning(stray.sentence)
    files = {
        source_id(domain, file.sha256): file
        for file in project.with_store(lambda store: read_library(project.home, domain, store))
    }
    if not files:
        context.log.info(f"No media below {project.home.library / domain}: put files there and build again.")
    probed = media.probe(project, domain, files, context.log)
    failures = project.with_store(lambda store: store.failures(domain, "library")) + probed.failures
    table = TABLES["source_videos"].from_rows(
        {"domain": domain, **_source_row(identifier, files[identifier], facts)}
        for identifier, facts in probed.payloads.items()
    )
    return result(
        "source_videos",
        table,
        failures=failures,
        computed_count=probed.computed_count,
        metadata={
            "hours": round(_sum(table["duration_s"]) / 3600, 3),
            "duplicates": _sum(pc.list_value_length(table["duplicate_paths"])),
            "side_files": dict(found.side_files),
        },
    )


def require_mounted(project: Project, domain: str, found: Listing) -> None:
    """Raises dagster.Failure where every file of a domain is gone and nobody has said that this is meant.

    A disk that is not mounted looks like that, and to forget a library is to forget all answers about it.
    """
    if project.may_forget_domains or found.files:
        return
    prefix = f"library/{domain}/"
    known = sum(not is_sidecar(name) for name in project.with_store(lambda store: store.known_hashes(prefix)))
    if known:
        raise dg.Failure(
            f"{prefix} is empty or gone, and {known} files were in it. Is the disk mounted? If they are meant to be "
            f"gone, run: emovid build -d {domain}"
        )


def _source_row(identifier: str, file: LibraryFile, facts: dict[str, Any]) -> dict[str, Any]:
    position, trim_s, audio = (file.manifest.get(name) for name in ("film_position", "trim_s", "is_audio_expected"))
    return {
        "source_id": identifier,
        "path": file.path,
        "duplicate_paths": file.duplicate_paths,
        "film_position": int(position) if position else None,
        "trim_s": float(trim_s) if trim_s else None,
        "is_audio_expected": audio == "yes" if audio else None,
        "subtitle_sha256": file.subtitle_sha256,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        **{name: file.manifest.get(name) for name in FROM_MANIFEST},
        **{name: value for name, value in facts.items() if name != "tracks"},
    }


def _sum(values: pa.ChunkedArray) -> Any:
    return pc.sum(values).as_py() or 0


@table_asset(
    group=GROUP,
    code_version=f"1.{media_steps.SCAN_VERSION}",
    kinds=["pyav", "scenedetect"],
    settings=["scene_settings", "frame_sampling"],
    pool=MEDIA_POOL,
)
def scanned_segments(context: dg.AssetExecutionContext, project: Project, source_videos: pa.Table) -> Rows:
    domain = context.partition_key
    scanned = media.scan(project, domain, each_row(source_videos, media.FOR_SCAN), context.log)
    damaged: dict[str, int] = {}

    def payloads() -> Iterator[tuple[str, dict[str, Any]]]:
        """Of all sources, decoded once; notes by the way which are damaged."""
        for name, found in scanned.payloads.items():
            if found["sound_fault_count"]:
                damaged[name] = found["sound_fault_count"]
            yield name, found

    table = TABLES["scanned_segments"].from_rows(scanned_rows(domain, payloads()))
    for row in each_row(source_videos, ("source_id", "path")) if damaged else ():
        if row["source_id"] in damaged:
            context.log.warning(
                f"{row['path']}: {damaged[row['source_id']]} packets of the sound of its clips cannot be decoded. "
                "Silence stands there; `clips.sound_missing_s` says how much of each clip."
            )
    return result(
        "scanned_segments",
        table,
        failures=scanned.failures,
        computed_count=scanned.computed_count,
        metadata={"damaged_sound_tracks": len(damaged)},
    )


@table_asset(group=GROUP, code_version="2")
def segments(scanned_segments: pa.Table) -> Rows:
    table = TABLES["segments"].taken_from(scanned_segments)
    dropped = Counter(table["drop_reason"].to_pylist())
    return result(
        "segments",
        table,
        metadata={
            "kept": _sum(table["is_kept"]),
            "too_short": dropped["too_short"],
            "too_long": dropped["too_long"],
            "lengths": histogram(table["duration_s"].to_pylist(), "segment length (s)"),
        },
    )


@table_asset(group=GROUP, code_version="3")
def clips(
    context: dg.AssetExecutionContext,
    project: Project,
    source_videos: pa.Table,
    scanned_segments: pa.Table,
    segments: pa.Table,
) -> Rows:
    domain = context.partition_key
    table = TABLES["clips"].from_rows(
        {**row, "domain": domain} for row in _clip_rows(source_videos, scanned_segments, segments)
    )
    return result(
        "clips",
        table,
        metadata={
            "minutes": round(_sum(table["duration_s"]) / 60, 2),
            "thumbnails": contact_sheet(project.home.root, table["thumbnail_path"].to_pylist()),
        },
    )


def _clip_rows(source_videos: pa.Table, scanned: pa.Table, segments: pa.Table) -> Iterator[dict[str, Any]]:
    """What the kept segments, the media pass and their sources say of the clips."""
    of_source = ("width_px", "height_px")
    of_segment = ("clip_id", "source_id", "scene_index", "start_s", "end_s", "duration_s")
    sources = {row.pop("source_id"): row for row in each_row(source_videos, ("source_id", *of_source))}
    for segment, seen in rows_together(segments, scanned.select(("clip_id", *SEEN_BY_THE_PASS))):
        if segment["is_kept"]:
            frame_count = segment["end_frame"] - segment["start_frame"]
            yield {
                **{name: segment[name] for name in of_segment},
                **sources[segment["source_id"]],
                **seen,
                "frame_count": frame_count,
                "fps": frame_count / segment["duration_s"],
            }


@table_asset(
    group=GROUP,
    code_version=f"3.{media_steps.CLIP_VERSION}",
    kinds=["pyav"],
    settings=["clip_file_settings"],
    pool=MEDIA_POOL,
)
def clip_media(
    context: dg.AssetExecutionContext,
    project: Project,
    source_videos: pa.Table,
    scanned_segments: pa.Table,
    clips: pa.Table,
) -> Rows:
    domain = context.partition_key
    scanned = rows_of_clips(scanned_segments, clips, ("clip_id", "source_id", *media.PLACE))
    wanted = ((segment["clip_id"], segment) for segment in scanned)
    written = media.clip_files(project, domain, each_row(source_videos, media.FOR_CLIP_FILES), wanted, context.log)
    table = TABLES["clip_media"].from_rows(
        {"clip_id": identifier, "domain": domain, **{k: v for k, v in payload.items() if k != "files"}}
        for identifier, payload in written.payloads.items()
    )
    return result(
        "clip_media",
        table,
        failures=written.failures,
        computed_count=written.computed_count,
        metadata={
            "megabytes": round(_sum(table["size_bytes"]) / 1e6, 2),
            **{how: table["how"].to_pylist().count(how) for how in get_args(How)},
            "folder": dg.MetadataValue.path(str(Path(project.home.clips, domain))),
        },
    )
