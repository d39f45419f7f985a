"""The media steps as items: what is computed for which source or clip, and under which key.

Belongs here: turning rows of tables into items and configuration into keys. The work is `media_steps`'.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from emovid_assets.core.clip_content import frames_content
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SceneSettings
from emovid_assets.home.settings_groups import digest
from emovid_assets.resources import media_steps
from emovid_assets.resources.compute import Item, Outcome, Step
from emovid_assets.resources.library import LibraryFile
from emovid_assets.resources.workplace import Workplace

Row = Mapping[str, Any]

FOR_CLIP_FILES = ("source_id", "sha256", "path", "width_px", "height_px")
FOR_SCAN = (*FOR_CLIP_FILES, "domain", "frame_count", "duration_s", "trim_s", "is_interlaced")
"""Columns of `source_videos` that the steps need."""

PROBE_LIMITS = ("max_pixels", "max_frames", "max_duration_s", "max_animation_pixels")

FOR_FINGERPRINTS = ("clip_id", "media_path", "sha256", "size_bytes")
"""Columns of `clip_media` that the step needs."""

PLACE = (
    *("start_s", "end_s", "start_frame", "end_frame", "start_pts", "end_pts", "video_start_s"),
    *("has_audio", "sound_missing_s", "has_mended_stamps"),
)
"""What says where a clip is in its source, and what of it can be copied."""

NOT_CHOSEN = {"video_index": None, "audio_index": None}
"""Of a source that will be probed anew: in a plan nobody knows yet, and nothing is finished under it."""

DEFAULT_THRESHOLD = {"adaptive": 3.0, "content": 27.0}


def probe(project: Workplace, domain: str, files: Mapping[str, LibraryFile], log: logging.Logger) -> Outcome:
    """Facts of each source id."""
    media = project.settings.media
    limits = {name: getattr(media, name) for name in PROBE_LIMITS}
    # Strings, made once: `Path` for each of thousands of files would take longer than finding that nothing is new.
    root = str(project.home.root)
    stamps = _stamps(project, domain)
    language = media.audio_language
    step = Step("probe", media_steps.PROBE_VERSION, json.dumps([limits, language]), media_steps.probe)
    items = (
        Item(
            source_id,
            content=file.sha256,
            arguments={
                "path": f"{root}/{file.path}",
                "stamp": stamps.get(file.path),
                "limits": limits,
                "audio_language": language,
            },
            path=file.path,
            input_sha256=file.sha256,
            weight=file.size_bytes,
        )
        for source_id, file in files.items()
    )
    return project.compute(step, domain, items, log)


def _stamps(project: Workplace, domain: str) -> dict[str, dict[str, Any]]:
    """Per path, what a step is told of the file that was hashed, so that it notices another one in its place."""
    known = project.with_store(lambda store: store.known_hashes(f"library/{domain}/"))
    return {path: {"size_bytes": size, "mtime_ns": mtime_ns} for path, (size, mtime_ns, _) in known.items()}


def _tracks(project: Workplace, domain: str) -> dict[str, dict[str, Any]]:
    """The streams that were chosen of each probed source, as plain values; `NOT_CHOSEN` of all others."""
    found: dict[str, dict[str, Any] | None] = project.with_store(
        lambda store: store.finished_parts("probe", domain, "tracks")
    )
    return defaultdict(lambda: NOT_CHOSEN, {source_id: tracks or NOT_CHOSEN for source_id, tracks in found.items()})


def is_whole(source: Row, scenes: SceneSettings) -> bool:
    """Movies are always cut; other files only where they are longer than the longest clip."""
    shown_s = source["duration_s"] if source["trim_s"] is None else min(source["duration_s"], source["trim_s"])
    return source["domain"] != "movie" and shown_s <= scenes.max_s


def scan(project: Workplace, domain: str, sources: Iterable[Row], log: logging.Logger) -> Outcome:
    """The media pass over each source: segments and measurements. Finished sources cost nothing."""
    scenes, home = project.settings.scenes, project.home
    root, thumbnail_folder = str(home.root), home.relative(home.thumbnails / domain)
    tracks = _tracks(project, domain)
    stamps = _stamps(project, domain)
    settings = {whole: scan_settings(whole, scenes) for whole in (True, False)}
    # What counts for a source, and nothing else: the shortest clip of a cut file says nothing of a whole one.
    digests = {whole: digest(found) for whole, found in settings.items()}
    step = Step("scan", media_steps.SCAN_VERSION, "per item", media_steps.scan)
    items = (
        Item(
            source["source_id"],
            content=_scanned_content(source, tracks[source["source_id"]], digests[is_whole(source, scenes)]),
            arguments={
                "path": f"{root}/{source['path']}",
                "stamp": stamps.get(source["path"]),
                "home": root,
                "source_id": source["source_id"],
                "trim_s": source["trim_s"],
                "tracks": tracks[source["source_id"]],
                "thumbnail_folder": thumbnail_folder,
                # Two fields in packets of their own make one frame.
                "frame_count": None if source["is_interlaced"] else source["frame_count"],
                # Settings decide about the cuts only where files are cut.
                "changes_path": None
                if is_whole(source, scenes)
                else changes_path(home, domain, source["source_id"], source["trim_s"]),
                "settings": settings[is_whole(source, scenes)],
            },
            path=source["path"],
            input_sha256=source["sha256"],
            weight=source["frame_count"] * source["width_px"] * source["height_px"],
        )
        for source in sources
    )
    return project.compute(step, domain, items, log)


def _scanned_content(source: Row, tracks: Row, settings_digest: str) -> str:
    end = "" if source["trim_s"] is None else f"|to {source['trim_s']:g} s"
    return f"{source['sha256']}{_chosen(tracks)}{end}|{settings_digest}"


def _chosen(tracks: Row) -> str:
    """The streams that are read: which ones is a matter of settings, too."""
    return f"|{tracks['video_index']}+{tracks['audio_index']}"


def changes_path(home: Home, domain: str, source_id: str, trim_s: float | None) -> str:
    """Where the changes of a source are kept, below the home folder."""
    # Those behind the end of a trimmed source are not part of it: an advert in colour makes no old film coloured.
    part = f"{source_id}.v{media_steps.CHANGES_VERSION}" + (f".{trim_s:g}s" if trim_s is not None else "")
    return home.relative(home.frame_changes / domain / f"{part}.npy")


def scan_settings(whole: bool, scenes: SceneSettings) -> dict[str, Any]:
    """`ScanSettings` as plain values. `whole`: of a file that is one clip."""
    return {
        "detector": {
            "name": scenes.detector,
            "threshold": scenes.threshold or DEFAULT_THRESHOLD[scenes.detector],
            "min_content_value": scenes.min_content_value,
            "min_scene_frames": scenes.min_scene_frames,
            "luma_only": scenes.luma_only == "always",
        },
        "frame_stride": scenes.frame_stride,
        "min_duration_s": scenes.min_whole_s if whole else scenes.min_cut_s,
        "max_duration_s": scenes.max_s,
        "is_whole": whole,
        # One segment whatever its cuts are: not worth a second reading.
        "detects_grey_films": scenes.luma_only == "auto" and not whole,
    }


def clip_files(
    project: Workplace, domain: str, sources: Iterable[Row], segments: Iterable[tuple[str, Row]], log: logging.Logger
) -> Outcome:
    """Writes the file of each kept segment: (clip_id, its `source_id` and `PLACE`)."""
    home = project.home
    by_id = {source["source_id"]: source for source in sources}
    root, clip_folder = str(home.root), home.relative(home.clips / domain)
    tracks = _tracks(project, domain)
    stamps = _stamps(project, domain)
    how = project.settings.media.clip_files
    step = Step("clip_file", media_steps.CLIP_VERSION, how, media_steps.clip_file)

    def item(clip_id: str, segment: Row) -> Item:
        source = by_id[segment["source_id"]]
        return Item(
            clip_id,
            content=f"{source['sha256']}{_chosen(tracks[source['source_id']])}"
            f"|{segment['start_pts']}|{segment['end_pts']}",
            arguments={
                "path": f"{root}/{source['path']}",
                "stamp": stamps.get(source["path"]),
                "home": root,
                "source_sha256": source["sha256"],
                "tracks": tracks[source["source_id"]],
                "segment": {name: segment[name] for name in PLACE},
                "stem": f"{clip_folder}/{clip_id}",
                "clip_files": how,
            },
            path=source["path"],
            input_sha256=source["sha256"],
            group=source["source_id"],
            weight=(segment["end_frame"] - segment["start_frame"]) * source["width_px"] * source["height_px"],
        )

    items = (item(clip_id, segment) for clip_id, segment in segments)
    return project.compute(step, domain, items, log)


def fingerprints(project: Workplace, domain: str, media: Iterable[Row], log: logging.Logger) -> Outcome:
    """What proves the pictures of each row of `clip_media`."""
    root = str(project.home.root)
    step = Step("fingerprint", media_steps.FINGERPRINT_VERSION, "", media_steps.fingerprint)
    items = (
        Item(
            row["clip_id"],
            # Nothing is converted to colours: only the bytes count.
            content=row["sha256"],
            arguments={"path": f"{root}/{row['media_path']}"},
            path=row["media_path"],
            input_sha256=row["sha256"],
            weight=row["size_bytes"],
        )
        for row in media
    )
    return project.compute(step, domain, items, log)


FIRST_FRAME_COLUMNS = ("first_frame_path", "first_frame_index")
"""What the step `first_frame` says of a clip."""


def first_frames(project: Workplace, domain: str, media: Iterable[Row], log: logging.Logger) -> Outcome:
    """Writes the first frame with a picture of each given row of `clip_media` as PNG."""
    home: Home = project.home
    step = Step("first_frame", media_steps.FIRST_FRAME_VERSION, "png", media_steps.first_frame)
    items = (
        Item(
            row["clip_id"],
            content=frames_content(row),
            arguments={
                "path": str(home.root / row["media_path"]),
                "home": str(home.root),
                "png_path": home.relative(home.first_frames / domain / f"{row['clip_id']}.png"),
            },
            path=row["media_path"],
            input_sha256=row["sha256"],
        )
        for row in media
    )
    return project.compute(step, domain, items, log)
