"""What a release says of each clip, and the table of the releases themselves.

Belongs here: the columns, taken from those of the warehouse's tables with their types and meanings. Does not belong
here: the join that fills them (`resources.release.rows`), what may be given away (`core.release.gate`).
"""

from collections.abc import Iterable
from dataclasses import replace

from emovid_assets.core.clip_facts import FACTS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.release.changes import OF_GATE as OF_GATE
from emovid_assets.core.release.layout import TIERS
from emovid_assets.tables.annotations import ANNOTATION_TABLES
from emovid_assets.tables.columns import INTEGER, TEXT, TEXTS, TIMESTAMP, Column, Table, count
from emovid_assets.tables.evaluation import EVALUATION_TABLES
from emovid_assets.tables.groups import GROUP_TABLES
from emovid_assets.tables.labels import LABEL_TABLES
from emovid_assets.tables.measurements import MEASUREMENT_TABLES
from emovid_assets.tables.sources import SOURCE_TABLES

PERMISSIONS = ("full", "metadata")
"""What of a clip a release may hold; clips of which it may hold nothing are no rows."""
RELEASE_FACTS: dict[str, dict[str, str]] = {
    "clips": {
        name: name
        for name in (
            *("clip_id", "domain", "source_id", "scene_index", "start_s", "end_s", "duration_s", "frame_count", "fps"),
            *("width_px", "height_px", "has_audio", "sound_missing_s"),
        )
    },
    "segments": {"start_frame": "start_frame", "end_frame": "end_frame"},
    "scanned_segments": {name: name for name in ("start_pts", "end_pts", "video_start_s", "has_mended_stamps")},
    "source_videos": {
        "sha256": "source_sha256",
        "size_bytes": "source_size_bytes",
        **{
            name: name
            for name in (
                *("external_id", "title", "film_id", "film_position", "intended_emotion", "region", "character"),
                *("origin", "origin_url", "attribution", "license", "terms_url", "audio_track_index"),
            )
        },
    },
    "clip_media": {
        "sha256": "media_sha256",
        "size_bytes": "media_size_bytes",
        **{
            name: name
            for name in (
                *("video_codec", "audio_codec", "how", "encoding_reason", "hidden_frame_count"),
                *("colour_matrix", "is_colour_tagged"),
            )
        },
    },
    "clip_fingerprints": {name: name for name in ("picture_sha256", "hash_times_s", "picture_hashes")},
    **{name: FACTS[name] for name in ("colour_attributes", "emotion_labels", "human_labels")},
    "vlm_labels": {
        "emotion": "vlm_emotion",
        "confidence": "vlm_confidence",
        **{f"p_{name}": f"vlm_p_{name}" for name in EMOTION_NAMES},
        "model_id": "vlm_model_id",
        "model_revision": "vlm_model_revision",
        "prompt_sha256": "vlm_prompt_sha256",
        "frame_pts_s": "vlm_frame_pts_s",
    },
    "captions": {
        "caption": "caption",
        "model_id": "caption_model_id",
        "model_revision": "caption_model_revision",
        "prompt_sha256": "caption_prompt_sha256",
        "frame_pts_s": "caption_frame_pts_s",
    },
    "benchmark_split": {"split": "split", "group_id": "group_id", "prompt": "prompt"},
    "clip_groups": {"twins_id": "twins_id"},
}
"""Table → {its column: name of the column in a release}. A row is a clip with a final label and a split."""

_ALWAYS_THERE = ("clips", "segments", "scanned_segments", "source_videos", "emotion_labels", "benchmark_split")
_SOURCES = (
    *(*SOURCE_TABLES, *MEASUREMENT_TABLES, *GROUP_TABLES),
    *(*ANNOTATION_TABLES, *LABEL_TABLES, *EVALUATION_TABLES),
)


def _columns() -> Iterable[Column]:
    tables = {table.name: table for table in _SOURCES}
    for name, names in RELEASE_FACTS.items():
        columns = {column.name: column for column in tables[name].columns}
        for column, given in names.items():
            is_nullable = columns[column].is_nullable or name not in _ALWAYS_THERE
            yield replace(columns[column], name=given, is_nullable=is_nullable)


RELEASE_CLIPS = Table(
    "release_clips",
    "clip",
    "What a release says of its clips, in the files of its splits.",
    ("clip_id",),
    (
        Column(
            "file_name",
            TEXT,
            "file of the clip, below the folder of its split; null where the release does not hold it",
            is_nullable=True,
        ),
        *_columns(),
        Column(
            "first_frame_path",
            TEXT,
            "PNG of the first frame that is not of one colour (benchmark clips), below the release; null where the "
            "release does not hold it",
            is_nullable=True,
        ),
        Column("license_id", TEXT, "what `license` was recognised as: an SPDX id, or `unknown`"),
        Column("permission", TEXT, "what may be given away", vocabulary=PERMISSIONS),
        Column("permission_code", TEXT, "which rule decided; the rules are in `licences.csv`"),
        Column("permission_reason", TEXT, "the same as a sentence"),
    ),
    is_partitioned=False,
)
"""Of `metadata.parquet` in the folder of a split: `split` says the same as the folder."""

BUMPS = ("first", "major", "minor", "patch")

RELEASE_TABLES = (
    Table(
        "releases",
        "release",
        "Releases that lie in this home, each a folder that never changes.",
        ("version", "tier"),
        (
            Column("version", TEXT, "three numbers, by what has changed since the release before (ADR 45)"),
            Column("tier", TEXT, "whether it holds media, as far as they may be given away", vocabulary=TIERS),
            Column("name", TEXT, "what the dataset is called"),
            Column("created_at", TIMESTAMP, "when it was made"),
            Column(
                "previous_version", TEXT, "the release that it was compared with; null of the first", is_nullable=True
            ),
            Column("bump", TEXT, "what of the version has grown since that one", vocabulary=BUMPS),
            Column("reasons", TEXTS, "what has changed since that one, the gravest first"),
            count("clip_count", "clips that it has a row of"),
            count("media_count", "clips that it holds a file of"),
            count("metadata_only_count", "clips of which only what is known may be given away"),
            count("left_out_count", "clips that it says nothing of"),
            Column("digest", TEXT, "SHA-256 over its data, hex"),
            count("format", "how its files are laid out"),
            count("file_count", "files that it consists of"),
            Column("size_bytes", INTEGER, "of these files", "bytes", minimum=0),
            Column("path", TEXT, "folder below the home folder"),
        ),
        is_partitioned=False,
    ),
)
