"""Stage 1: what is wanted, what is there, how it is cut.

Belongs here: the tables of this stage. Does not belong here: how a value is computed.
"""

from typing import get_args

from emovid_assets.core.collection.attempts import STATUSES
from emovid_assets.core.collection.terms import TERMS
from emovid_assets.core.video.clip_file import How
from emovid_assets.core.video.clip_source import REASONS
from emovid_assets.core.video.rgb import MATRICES
from emovid_assets.tables.columns import (
    CLIP_ID,
    DOMAIN,
    DURATION_S,
    FLAG,
    HAS_AUDIO,
    INTEGER,
    INTENDED_EMOTION,
    NUMBER,
    SHA256,
    SOURCE_ID,
    TEXT,
    TEXTS,
    TIMESTAMP,
    Column,
    Table,
    count,
)

ORIGINS = tuple(TERMS)
DROP_REASONS = ("too_short", "too_long")
ORIGIN = Column("origin", TEXT, "where it was collected, such as `condensed_movies` or `klipy`", is_nullable=True)
SCENE_INDEX = Column("scene_index", INTEGER, "position among the segments of the source, from 0", minimum=0)
START_S = Column("start_s", NUMBER, "start, counted from the first video frame", "s", minimum=0)
END_S = Column("end_s", NUMBER, "end (exclusive), counted from the first video frame", "s", minimum=0)
WIDTH = Column("width_px", INTEGER, "width as displayed (rotation applied)", "px", minimum=1)
HEIGHT = Column("height_px", INTEGER, "height as displayed (rotation applied)", "px", minimum=1)
SIZE = Column("size_bytes", INTEGER, "size of the file", "bytes", minimum=1)
VIDEO_CODEC = Column("video_codec", TEXT, "codec of the video stream")
AUDIO_CODEC = Column("audio_codec", TEXT, "codec of the audio stream", is_nullable=True)
COLOUR_MATRIX = Column(
    "colour_matrix", TEXT, "what its colours are read with; `rgb` and `grey` need no matrix", vocabulary=MATRICES
)
IS_COLOUR_TAGGED = Column(
    "is_colour_tagged", FLAG, "whether the file says its matrix or needs none; if not, the size of the picture decides"
)
CLIP_HAS_AUDIO = Column("has_audio", FLAG, "whether the sound track holds something within the clip")
SOUND_MISSING_S = Column(
    "sound_missing_s",
    NUMBER,
    "how much of the clip the sound track is silent for because it holds nothing there, or nothing that can be "
    "decoded; null without sound",
    "s",
    is_nullable=True,
    minimum=0,
)
SEGMENT_COLUMNS = (
    SOURCE_ID,
    CLIP_ID,
    DOMAIN,
    SCENE_INDEX,
    START_S,
    END_S,
    Column("start_frame", INTEGER, "first frame", minimum=0),
    Column("end_frame", INTEGER, "frame after the last", minimum=1),
    DURATION_S,
    Column("is_kept", FLAG, "whether the segment is a clip of the dataset"),
    Column("drop_reason", TEXT, "why not", is_nullable=True, vocabulary=DROP_REASONS),
)

SOURCE_TABLES = (
    Table(
        "wanted_videos",
        "wanted item",
        "Every video, sticker or animation that is known to exist at an origin, whether it is in the library or not.",
        ("origin", "external_id"),
        (
            DOMAIN,
            Column("origin", TEXT, "where it is collected, such as `condensed_movies` or `klipy`", vocabulary=ORIGINS),
            Column("external_id", TEXT, "id at the origin"),
            Column("status", TEXT, "how far it is; see docs/collection.md", vocabulary=STATUSES),
            Column("reason_code", TEXT, "stable code of why it is not there, such as `gone`", is_nullable=True),
            Column("reason", TEXT, "what the origin or the file said", is_nullable=True),
            count("attempt_count", "failed attempts so far"),
            Column("next_try_at", TIMESTAMP, "not before then; null: at once, or not by itself", is_nullable=True),
            Column("path", TEXT, "file below the home folder, where it is present", is_nullable=True),
            Column("duplicate_of", TEXT, "`<origin>/<external_id>` of the item that shows the same", is_nullable=True),
            Column("title", TEXT, "title at the origin", is_nullable=True),
            Column("film_id", TEXT, "film that it is a part of", is_nullable=True),
            Column("film_position", INTEGER, "position within the film", is_nullable=True),
            Column("film_video_count", INTEGER, "videos that the film is cut into", is_nullable=True, minimum=1),
            Column("is_position_shared", FLAG, "whether another video claims the same position"),
            Column("year", INTEGER, "of the film", is_nullable=True),
            Column("genres", TEXTS, "of the film"),
            Column("official_split", TEXT, "where Condensed Movies puts the film", is_nullable=True),
            Column("trim_s", NUMBER, "what begins later does not belong to it", "s", True, minimum=0),
            Column("found_emotions", TEXTS, "emotions whose words found it; more than one make it ambiguous"),
            Column("is_ambiguous", FLAG, "whether it was found under more than one emotion"),
            INTENDED_EMOTION,
            Column("origin_url", TEXT, "its page at the origin", is_nullable=True),
            Column("attribution", TEXT, "whom to name where it is shown", is_nullable=True),
            Column("license", TEXT, "licence", is_nullable=True),
            Column("terms_url", TEXT, "terms of the origin", is_nullable=True),
        ),
    ),
    Table(
        "source_videos",
        "source video",
        "Every readable media file of the library, identified by content.",
        ("source_id",),
        (
            SOURCE_ID,
            DOMAIN,
            Column("path", TEXT, "path below the home folder; of equal files, the first by name"),
            Column("duplicate_paths", TEXTS, "other paths that hold the same bytes"),
            Column("subtitle_sha256", TEXT, "of the subtitle file beside it (.srt or .vtt)", is_nullable=True),
            Column("external_id", TEXT, "id at the place of origin (manifest)", is_nullable=True),
            Column("title", TEXT, "title (manifest)", is_nullable=True),
            Column("film_id", TEXT, "film that the file is a part of (manifest)", is_nullable=True),
            Column("film_position", INTEGER, "position within the film (manifest)", is_nullable=True),
            INTENDED_EMOTION,
            Column("region", TEXT, "region of origin (manifest)", is_nullable=True),
            Column("character", TEXT, "who is shown (manifest)", is_nullable=True),
            Column("is_audio_expected", FLAG, "whether the set says that there is sound (manifest)", is_nullable=True),
            Column("trim_s", NUMBER, "what begins later does not belong to it: an advert", "s", True, minimum=0),
            ORIGIN,
            Column("origin_url", TEXT, "page of the file at its place of origin", is_nullable=True),
            Column("attribution", TEXT, "whom to name where it is shown", is_nullable=True),
            Column("license", TEXT, "licence (manifest)", is_nullable=True),
            Column("terms_url", TEXT, "terms of the place of origin", is_nullable=True),
            SHA256,
            SIZE,
            Column("container", TEXT, "container format"),
            VIDEO_CODEC,
            WIDTH,
            HEIGHT,
            Column("fps", NUMBER, "mean frame rate by presentation stamps", "hz", minimum=0),
            Column("frame_count", INTEGER, "frames in presentation order", minimum=1),
            DURATION_S,
            Column("is_vfr", FLAG, "whether frame durations differ by more than their rounding to ticks explains"),
            Column("is_interlaced", FLAG, "whether the stream or its first frame is coded in fields"),
            Column("is_hdr", FLAG, "whether the transfer characteristic is PQ or HLG"),
            COLOUR_MATRIX,
            IS_COLOUR_TAGGED,
            Column(
                "rotation_deg",
                INTEGER,
                "how far players turn the coded picture clockwise; sizes are as displayed",
                "deg",
                minimum=0,
                maximum=270,
            ),
            Column("pixel_format", TEXT, "FFmpeg's name of the decoded pixel format"),
            HAS_AUDIO,
            AUDIO_CODEC,
            Column("sample_rate_hz", INTEGER, "sample rate of the audio", "hz", is_nullable=True),
            count("audio_track_count", "sound tracks of the file"),
            Column(
                "audio_track_index",
                INTEGER,
                "which of them is taken, counted from 0; null where none can be heard",
                is_nullable=True,
                minimum=0,
            ),
        ),
    ),
    Table(
        "segments",
        "segment",
        "Half-open intervals between scene cuts, or whole short files; kept or dropped by length.",
        ("source_id", "scene_index"),
        (*SEGMENT_COLUMNS,),
    ),
    Table(
        "clips",
        "clip",
        "The kept segments: the units of the dataset.",
        ("clip_id",),
        (
            CLIP_ID,
            SOURCE_ID,
            DOMAIN,
            SCENE_INDEX,
            START_S,
            END_S,
            DURATION_S,
            Column("frame_count", INTEGER, "frames of the clip", minimum=1),
            Column("fps", NUMBER, "frame_count / duration_s", "hz", minimum=0),
            WIDTH,
            HEIGHT,
            CLIP_HAS_AUDIO,
            SOUND_MISSING_S,
            Column("thumbnail_path", TEXT, "JPEG of the clip's middle sampled frame, below the home folder"),
        ),
    ),
    Table(
        "clip_media",
        "clip",
        "Frame-exact, playable files of the clips with their own audio.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("media_path", TEXT, "below the home folder; MP4, or WebM where it holds packets of VP8"),
            SHA256,
            SIZE,
            VIDEO_CODEC,
            AUDIO_CODEC,
            DURATION_S,
            count(
                "hidden_frame_count",
                "pictures in the file that are decoded but never shown (before the clip's first or behind its last "
                "picture), hidden by an edit list",
            ),
            COLOUR_MATRIX,
            IS_COLOUR_TAGGED,
            Column(
                "how",
                TEXT,
                "copied: all pictures are the source's own packets, without loss; joined: all but some at the ends, "
                "which are encoded; encoded: none",
                vocabulary=get_args(How),
            ),
            Column(
                "encoding_reason",
                TEXT,
                "why pictures were encoded, all or those at the ends of a joined clip; null where all were copied",
                is_nullable=True,
                vocabulary=tuple(REASONS),
            ),
        ),
    ),
)
