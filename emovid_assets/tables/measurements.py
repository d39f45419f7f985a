"""Stage 2: what is measured on the pictures and the sound of a clip.

Belongs here: the tables of this stage. Does not belong here: how a value is computed.
"""

from dataclasses import replace

from emovid_assets.tables.columns import (
    CLIP_ID,
    DOMAIN,
    DURATION_S,
    FLAG,
    INTEGER,
    NUMBER,
    NUMBERS,
    SOURCE_ID,
    TEXT,
    TEXTS,
    Column,
    Table,
    share,
)
from emovid_assets.tables.sources import CLIP_HAS_AUDIO, SEGMENT_COLUMNS, SOUND_MISSING_S

COLOUR_SUMS = (
    Column("sampled_frame_count", INTEGER, "frames pooled", is_nullable=True, minimum=1),
    Column("sampled_pixel_count", INTEGER, "pixels pooled", is_nullable=True, minimum=1),
    Column("hue_sin_sum", NUMBER, "sum of the sines of the hues of all pixels", is_nullable=True),
    Column("hue_cos_sum", NUMBER, "sum of their cosines", is_nullable=True),
    Column("saturation_sum", NUMBER, "sum of S", is_nullable=True, minimum=0),
    Column("value_sum", NUMBER, "sum of V", is_nullable=True, minimum=0),
    Column("chromatic_pixel_count", INTEGER, "pixels with S > 0 and V > 0", is_nullable=True, minimum=0),
)
"""What `core.colour.ColourSums` holds, in its order."""
PICTURE_FEATURES = (
    Column("colour_histogram", NUMBERS, "12 hue bins weighted by saturation, 8 of S, 8 of V; each part sums to 1"),
    share("motion_mean", "mean absolute change of grey value between frames, of full scale"),
    share("motion_sd", "its standard deviation"),
    share("motion_peak", "its 95th percentile"),
    Column("cut_rate_hz", NUMBER, "scene cuts per second within 30 s around the clip's middle", "hz", minimum=0),
)
SOUND_AND_FRAME_FEATURES = (
    Column(
        "loudness_db",
        NUMBER,
        "mean level, dB of full scale, floor -80; null without audio",
        "db",
        is_nullable=True,
    ),
    Column("loudness_sd_db", NUMBER, "standard deviation of the level", "db", is_nullable=True, minimum=0),
    Column("spectral_centroid_hz", NUMBER, "energy-weighted mean frequency", "hz", is_nullable=True, minimum=0),
    share("silence_share", "share of 50 ms windows under -60 dB", is_nullable=True),
    Column("band_shares", NUMBERS, "energy in 8 octave-like bands, sums to 1; empty without audio"),
    Column("sampled_pts_s", NUMBERS, "the sampled frames, from the clip's first frame", "s"),
    Column("sampled_changes", NUMBERS, "changes of V from frame to frame, summed since the sampled frame before"),
    Column("frame_hashes", TEXTS, "64-bit difference hash of the first, middle and last sampled frame, hex"),
)

MEASUREMENT_TABLES = (
    Table(
        "scanned_segments",
        "segment",
        "What the media pass has found of each segment, for the tables after it: `segments`, `clips`, `clip_media`, "
        "`colour_attributes`, `clip_features`. Measurements are null where the segment was dropped.",
        ("source_id", "scene_index"),
        (
            *SEGMENT_COLUMNS,
            Column("start_pts", INTEGER, "presentation stamp of the first frame, in ticks of the stream"),
            Column("end_pts", INTEGER, "presentation stamp at which the segment ends, in ticks of the stream"),
            Column("video_start_s", NUMBER, "presentation stamp of the source's first frame", "s"),
            Column("has_mended_stamps", FLAG, "whether the file shows some of its pictures at once, or backwards"),
            replace(CLIP_HAS_AUDIO, is_nullable=True),
            SOUND_MISSING_S,
            Column("thumbnail_path", TEXT, "JPEG below the home folder", is_nullable=True),
            *COLOUR_SUMS,
            *(replace(column, is_nullable=True) for column in (*PICTURE_FEATURES, *SOUND_AND_FRAME_FEATURES)),
        ),
    ),
    Table(
        "colour_attributes",
        "clip",
        "The paper's colour attributes, pooled over all pixels of the frames 0, 20, 40, … (stride configurable).",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("brightness", NUMBER, "brightness_mean rounded half up to 0.1", minimum=0, maximum=1),
            Column("colorfulness", NUMBER, "colorfulness_mean rounded half up to 0.1", minimum=0, maximum=1),
            Column(
                "hue",
                INTEGER,
                "circular mean hue over all pixels, rounded, mod 360; null without a direction",
                "deg",
                is_nullable=True,
                minimum=0,
                maximum=359,
            ),
            share("brightness_mean", "mean V"),
            share("colorfulness_mean", "mean S"),
            Column(
                "hue_mean_deg",
                NUMBER,
                "hue before rounding, 0 ≤ x < 360",
                "deg",
                is_nullable=True,
                minimum=0,
                maximum=360,
            ),
            share("hue_resultant", "length of the mean hue vector; 0 = hues cancel, 1 = a single hue"),
            Column(
                "hue_chromatic_deg",
                NUMBER,
                "circular mean hue over pixels with S > 0 and V > 0; null where there are none",
                "deg",
                is_nullable=True,
                minimum=0,
                maximum=360,
            ),
            share("chromatic_share", "share of pixels with S > 0 and V > 0"),
            Column("sampled_frame_count", INTEGER, "frames pooled", minimum=1),
            Column("sampled_pixel_count", INTEGER, "pixels pooled", minimum=1),
        ),
    ),
    Table(
        "clip_features",
        "clip",
        "What the embedded labeller and describer see: palette, motion, cut rhythm, sound.",
        ("clip_id",),
        (
            CLIP_ID,
            SOURCE_ID,
            DOMAIN,
            DURATION_S,
            *PICTURE_FEATURES,
            CLIP_HAS_AUDIO,
            *SOUND_AND_FRAME_FEATURES,
        ),
    ),
    Table(
        "clip_fingerprints",
        "clip",
        "What proves that a clip shows the same pictures as this one: a hash over all of them as they are decoded, and "
        "hashes to the eye of some, by which a clip of a re-encoded source is found.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("picture_sha256", TEXT, "SHA-256 over the decoded pictures of the clip file (docs/release.md), hex"),
            Column("picture_count", INTEGER, "pictures that were decoded", minimum=1),
            Column(
                "hash_times_s",
                NUMBERS,
                "pictures that were hashed to the eye, about four a second, from the clip's first",
                "s",
            ),
            Column(
                "picture_hashes", TEXTS, "a 64-bit perceptual hash (pHash) of each of them, hex; zeros: shows nothing"
            ),
        ),
    ),
)
