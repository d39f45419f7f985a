"""Which columns of which tables a column comes from, for the lineage of columns in the UI.

Belongs here: what is known for certain; a column that is not here is measured, or made of more than can be named.
Does not belong here: how a value is computed, and which table is made from which (the assets say so).
"""

from collections.abc import Mapping

from emovid_assets.core.clip_facts import FACTS
from emovid_assets.tables.sources import SEGMENT_COLUMNS

Columns = Mapping[str, tuple[tuple[str, str], ...]]
"""Column → (table, column) of each that it comes from."""


def _as_named(table: str, *columns: str) -> Columns:
    return {column: ((table, column),) for column in columns}


_CLIP = ("clip_id", "domain")
_OF_SCAN = ("clip_id", "source_id", "duration_s", "domain")

HANDED_ON: Mapping[str, Columns] = {
    "scanned_segments": _as_named("source_videos", "source_id", "domain"),
    "segments": _as_named("scanned_segments", *(column.name for column in SEGMENT_COLUMNS)),
    "clips": {
        **_as_named("segments", "source_id", *_CLIP, "scene_index", "start_s", "end_s", "duration_s"),
        **_as_named("source_videos", "width_px", "height_px"),
        **_as_named("scanned_segments", "has_audio", "sound_missing_s", "thumbnail_path"),
    },
    "clip_media": _as_named("clips", *_CLIP),
    "colour_attributes": _as_named("clips", *_CLIP),
    "clip_fingerprints": _as_named("clip_media", *_CLIP),
    "clip_features": {**_as_named("scanned_segments", *_OF_SCAN), **_as_named("clips", "has_audio")},
    "clip_groups": _as_named("clip_media", *_CLIP),
    "annotation_tasks": _as_named("clips", *_CLIP),
    "human_annotations": _as_named("annotation_tasks", *_CLIP, "purpose"),
    "human_labels": _as_named("human_annotations", *_CLIP),
    "vlm_labels": {
        **_as_named("clips", *_CLIP),
        "model_id": (("emotion_labeller", "model_id"),),
        "model_revision": (("emotion_labeller", "revision"),),
        "temperature": (("emotion_labeller", "temperature"),),
    },
    "captions": _as_named("clips", *_CLIP),
    "preference_tasks": {
        **_as_named("generated_videos", "domain", "task", "clip_id", "character", "asked_emotion", "prompt"),
        **{f"video_{side}": (("generated_videos", "video_id"),) for side in "ab"},
        **{f"generator_{side}": (("generated_videos", "generator"),) for side in "ab"},
        **{f"fps_{side}": (("generated_videos", "fps"),) for side in "ab"},
    },
    "preferences": _as_named("preference_tasks", "task_id", "domain"),
    "training_sets": _as_named("benchmark_split", *_CLIP, "group_id"),
    "emotion_labels": _as_named("clips", *_CLIP),
    "validation_ratings": {
        **_as_named("annotation_tasks", *_CLIP),
        "rater_id": (("human_annotations", "annotator_id"), ("vlm_labels", "model_id")),
        "label": (("human_annotations", "label"), ("vlm_labels", "emotion")),
    },
    "benchmark_split": {**_as_named("emotion_labels", *_CLIP, "emotion"), **_as_named("clip_groups", "group_id")},
    "clip_embeddings": _as_named("clip_features", *_CLIP),
    "embedding_map": _as_named("clip_embeddings", *_CLIP),
    "clip_facts": {name: ((table, column),) for table, names in FACTS.items() for column, name in names.items()},
    "disputed_clips": {
        **_as_named("human_annotations", *_CLIP, "purpose"),
        "human_outcome": (("human_labels", "outcome"),),
        "human_emotion": (("human_labels", "emotion"),),
        "vlm_emotion": (("vlm_labels", "emotion"),),
    },
}
"""Columns whose every value stands in a column that they come from."""

MADE_FROM: Mapping[str, Columns] = {
    "clips": {
        "frame_count": (("segments", "start_frame"), ("segments", "end_frame")),
        "fps": (("segments", "start_frame"), ("segments", "end_frame"), ("segments", "duration_s")),
    },
    "preference_tasks": {"shown_s": (("generated_videos", "duration_s"),)},
    "preference_results": {
        **dict.fromkeys(("prefers_a_count", "prefers_b_count", "tie_count"), (("preferences", "choice"),)),
        "annotator_count": (("preferences", "annotator_id"),),
        "pair_count": (("preferences", "task_id"),),
    },
    "training_sets": {
        "caption": (("benchmark_split", "prompt"),),
        "frame_count": (("clip_media", "duration_s"),),
        **dict.fromkeys(("width_px", "height_px"), (("clips", "width_px"), ("clips", "height_px"))),
    },
    "human_labels": {"emotion": (("human_annotations", "label"),), "outcome": (("human_annotations", "label"),)},
    "emotion_labels": {
        **dict.fromkeys(
            ("emotion", "polarity", "valence", "arousal"), (("human_labels", "emotion"), ("vlm_labels", "emotion"))
        ),
        "label_source": (("human_labels", "outcome"),),
        "confidence": (
            ("human_labels", "agree_count"),
            ("human_labels", "annotator_count"),
            ("vlm_labels", "confidence"),
        ),
    },
    "benchmark_split": {"prompt": (("captions", "caption"), ("emotion_labels", "emotion"))},
    "clip_facts": {
        "has_caption": (("captions", "caption"),),
        "next_emotion": (("emotion_labels", "emotion"), ("segments", "scene_index")),
        "is_next_adjacent": (("segments", "scene_index"),),
    },
    "disputed_clips": {
        **dict.fromkeys(("votes", "vote_count", "choice_count", "agree_count"), (("human_annotations", "label"),)),
        "annotator_ids": (("human_annotations", "annotator_id"),),
    },
    "caption_phrase_counts": {
        "emotion": (("emotion_labels", "emotion"),),
        **dict.fromkeys(("phrase", "word_count", "caption_count"), (("captions", "caption"),)),
        "has_emotion_word": (("captions", "caption"), ("emotion_labels", "emotion")),
    },
}
"""Columns that are computed out of others and nothing else."""


def lineage_of(table: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Per column of a table where it comes from; without those of which it is not known."""
    return {**HANDED_ON.get(table, {}), **MADE_FROM.get(table, {})}
