"""Everything that is known of a clip, joined once: the rows behind `clip_catalogue` and the analyses.

To join two tables of ten million clips by their ids takes seconds, and a view would do it with every query. So it
is done when the tables are built, together with what needs the clip's neighbour: the emotion that follows.

Belongs here: which columns of which tables, and the join. Does not belong here: types and meanings (`tables`).
"""

FACTS: dict[str, dict[str, str]] = {
    "clips": {
        name: name
        for name in (
            *("clip_id", "domain", "source_id", "scene_index", "start_s", "end_s", "duration_s", "frame_count", "fps"),
            *("width_px", "height_px", "has_audio", "sound_missing_s", "thumbnail_path"),
        )
    },
    "source_videos": {
        "path": "source_path",
        "sha256": "source_sha256",
        "external_id": "external_id",
        "title": "title",
        "film_id": "film_id",
        "film_position": "film_position",
        "intended_emotion": "intended_emotion",
        "region": "region",
        "origin": "origin",
        "origin_url": "origin_url",
        "attribution": "attribution",
        "license": "license",
        "terms_url": "terms_url",
        "colour_matrix": "colour_matrix",
        "is_colour_tagged": "is_colour_tagged",
        "audio_track_index": "audio_track_index",
    },
    "clip_media": {"media_path": "media_path", "sha256": "media_sha256", "size_bytes": "media_size_bytes"},
    "colour_attributes": {
        name: name
        for name in (
            *("brightness", "colorfulness", "hue", "brightness_mean", "colorfulness_mean", "hue_mean_deg"),
            *("hue_resultant", "hue_chromatic_deg", "chromatic_share", "sampled_frame_count"),
        )
    },
    "human_labels": {
        "emotion": "human_emotion",
        "outcome": "human_outcome",
        "agree_count": "human_agree_count",
        "annotator_count": "human_annotator_count",
    },
    "vlm_labels": {
        "emotion": "vlm_emotion",
        "confidence": "vlm_confidence",
        "model_id": "vlm_model_id",
        "model_revision": "vlm_model_revision",
    },
    "emotion_labels": {
        "emotion": "emotion",
        "polarity": "polarity",
        "valence": "valence",
        "arousal": "arousal",
        "label_source": "label_source",
        "confidence": "label_confidence",
    },
    "captions": {
        "caption": "caption",
        "model_id": "caption_model_id",
        "model_revision": "caption_model_revision",
    },
    "benchmark_split": {name: name for name in ("split", "group_id", "prompt", "first_frame_path")},
}
"""Table → {its column: name of the column in `clip_facts`}; all but those of `clips` may be null."""

TABLES_READ = (*FACTS, "segments")

SOURCE_TABLES = ("clips", "source_videos", "segments")
"""Of these, the ones that say which source a row is of; the others know only the clip."""


def clip_facts_query() -> str:
    """A query over the tables named in `TABLES_READ`: a row per clip, sorted by clip id.

    Nothing is joined across sources, so it may be asked of the rows of some sources after the other.

    `next_emotion` is the final label of the next kept segment of the source, null where it has none or there is no
    such segment; `is_next_adjacent` says whether no dropped segment lies between the two, null without a next one.
    """
    columns = ",\n    ".join(
        f"{table}.{column} as {name}" for table, names in FACTS.items() for column, name in names.items()
    )
    joins = "\n".join(
        f"left join {table} on clips.{key} = {table}.{key}"
        for table, key in ((table, "source_id" if table == "source_videos" else "clip_id") for table in FACTS)
        if table != "clips"
    )
    return f"""
with following as (
    select
        segments.clip_id,
        lead(emotion_labels.emotion) over in_order as next_emotion,
        lead(segments.scene_index) over in_order = segments.scene_index + 1 as is_next_adjacent
    from segments
    left join emotion_labels on segments.clip_id = emotion_labels.clip_id
    where segments.is_kept
    window in_order as (partition by segments.source_id order by segments.scene_index)
)

select
    {columns},
    coalesce(trim(captions.caption) <> '', false) as has_caption,
    following.next_emotion,
    following.is_next_adjacent
from clips
{joins}
left join following on clips.clip_id = following.clip_id
order by clips.clip_id
"""
