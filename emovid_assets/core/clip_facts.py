"""Everything that is known of a clip, joined once: the rows behind `clip_catalogue` and the analyses.

To join two tables of ten million clips by their ids takes seconds, and a view would do it with every query. So it
is done when the tables are built, together with what needs the clip's neighbour: the emotion that follows.

Where two tables have the same clips in the same order, as most have, their columns are laid side by side; only what
knows some of the clips is looked up. A join of whole rows takes twice the time.

Belongs here: which columns of which tables, and the join. Does not belong here: types and meanings (`tables`).
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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


def wanted(table: str) -> str:
    """What `joined` needs of one of `TABLES_READ`, as a query over it."""
    if table == "segments":
        return "select clip_id, source_id, scene_index from segments where is_kept"
    key = "source_id" if table == "source_videos" else "clip_id"
    columns = list(dict.fromkeys((key, *FACTS[table])))
    if table == "captions":
        columns.append("trim(caption) <> '' as has_caption")
    return f"select {', '.join(columns)} from {table}"


def joined(tables: Mapping[str, pa.Table]) -> pa.Table:
    """The rows of `clip_facts`, sorted by clip id. `tables`: what `wanted` gives of each of `TABLES_READ`, in any
    order; ids are unique in each.

    Nothing is joined across sources, so it may be asked of the rows of some sources after the other.

    `next_emotion` is the final label of the next kept segment of the source, null where it has none or there is no
    such segment; `is_next_adjacent` says whether no dropped segment lies between the two, null without a next one.
    """
    whole = {name: table.combine_chunks() for name, table in tables.items()}
    clips = _sorted(whole["clips"], ["clip_id"])
    places = _Places(_array(clips, "clip_id"))
    found: dict[str, pa.Array] = {}
    for table, names in FACTS.items():
        rows = clips if table == "clips" else whole[table]
        if table == "source_videos":
            where = pc.index_in(_array(clips, "source_id"), value_set=_array(rows, "source_id"))
        else:
            where = places.of(_array(rows, "clip_id"))
        found |= {name: _taken(_array(rows, column), where) for column, name in names.items()}
        if table == "captions":
            has_caption = pc.fill_null(_taken(_array(rows, "has_caption"), where), False)
    following = _following(whole["segments"], whole["emotion_labels"])
    where = places.of(_array(following, "clip_id"))
    next_ones = {name: _taken(_array(following, name), where) for name in ("next_emotion", "is_next_adjacent")}
    return pa.table({**found, "has_caption": has_caption, **next_ones})


class _Places:
    """Where the rows of clips are in other tables, by the ids of both."""

    def __init__(self, clip_ids: pa.Array) -> None:
        self._clip_ids = clip_ids
        self._known: list[tuple[pa.Array, pa.Array | None]] = [(clip_ids, None)]

    def of(self, ids: pa.Array) -> pa.Array | None:
        """The row of each clip, null where the table does not know it; none where both have the same rows."""
        for others, where in self._known:
            if others.equals(ids):
                return where
        self._known.append((ids, pc.index_in(self._clip_ids, value_set=ids)))
        return self._known[-1][1]


def _following(kept: pa.Table, labels: pa.Table) -> pa.Table:
    """Of each kept segment: its clip id, and what comes after it."""
    kept = _sorted(kept, ["source_id", "scene_index"])
    clip_ids, sources, scenes = (_array(kept, name) for name in ("clip_id", "source_id", "scene_index"))
    emotions = _taken(_array(labels, "emotion"), _Places(clip_ids).of(_array(labels, "clip_id")))
    has_next = pc.fill_null(pc.equal(sources, _next(sources)), False)
    nothing = pa.scalar(None, pa.bool_())
    return pa.table(
        {
            "clip_id": clip_ids,
            "next_emotion": pc.if_else(has_next, _next(emotions), pa.scalar(None, emotions.type)),
            "is_next_adjacent": pc.if_else(has_next, pc.equal(_next(scenes), pc.add(scenes, 1)), nothing),
        }
    )


def _next(values: pa.Array) -> pa.Array:
    return pa.concat_arrays([values[1:], pa.nulls(min(len(values), 1), values.type)])


def _sorted(rows: pa.Table, keys: list[str]) -> pa.Table:
    """What is in order already, as tables are written, is not copied."""
    order = pc.sort_indices(rows, sort_keys=[(key, "ascending") for key in keys])
    is_so = order.equals(pa.array(np.arange(len(order), dtype=np.uint64)))
    return rows if is_so else rows.take(order)


def _taken(values: pa.Array, where: pa.Array | None) -> pa.Array:
    return values if where is None else values.take(where)


def _array(rows: pa.Table, column: str) -> pa.Array:
    chunks = rows[column].chunks
    return chunks[0] if chunks else pa.array([], rows.schema.field(column).type)
