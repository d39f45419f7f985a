"""Which settings results depend on: groups of keys that the same assets read.

Belongs here: which keys of `settings.Settings` stand in which group, and the digest of a group. Does not belong here:
which asset reads which group (the assets say so), and what is done where a digest has changed (`staleness`).

Every key is in exactly one group, in `WITHOUT_INFLUENCE` or `OF_THE_LIBRARY`; a test keeps it so.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emovid_assets.home.folders import Home
from emovid_assets.home.settings import Settings

_READING = ("model", "revision", "prompt", "context", "frames", "frame_choice", "frame_side_px", "precision")


def _of(section: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{section}.{name}" for name in names)


GROUPS: Mapping[str, tuple[str, ...]] = {
    "reading_limits": _of("media", "max_pixels", "max_frames", "max_duration_s", "max_animation_pixels"),
    "sound_choice": _of("media", "audio_language"),
    "scene_settings": _of(
        "scenes",
        *("detector", "threshold", "min_content_value", "luma_only"),
        *("min_scene_frames", "min_cut_s", "min_whole_s", "max_s"),
    ),
    "frame_sampling": _of("scenes", "frame_stride"),
    "clip_file_settings": _of("media", "clip_files"),
    "annotation_settings": _of(
        "annotation",
        *("human_fraction", "human_minimum", "adjudicate", "verify_annotators"),
        *("validation_fraction", "validation_minimum", "validation_annotators"),
    ),
    "label_annotators": _of("annotation", "label_annotators"),
    "review_annotators": _of("annotation", "review_annotators"),
    "benchmark_settings": _of("benchmark", "per_cell", "movie_train_limit"),
    "labeller_settings": _of("labeller", "backend", *_READING, "answer", "rotations"),
    "labeller_training": _of("labeller", "min_training_clips", "fine_tune"),
    "fine_tuning_settings": _of(
        "fine_tuning",
        *("min_clips", "held_out_share", "rank", "alpha", "dropout", "learning_rate", "train_projector"),
        *("batch_clips", "max_epochs", "patience", "evaluations_per_epoch"),
    ),
    "captioner_settings": _of("captioner", "backend", *_READING, "min_words", "max_words", "max_tokens", "tries"),
    "embedding_settings": _of("embeddings", "model", "revision"),
    "map_settings": _of("embeddings", "map_clips", "map_change"),
    "neighbour_settings": _of("embeddings", "separability_clips", "neighbours"),
    "generation_models": _of("generation", "models", "trial_imports"),
    "scoring_models": _of(
        "generation", "text_model", "text_revision", "video_model", "video_revision", "scorers_are_trial"
    ),
    "common_settings": _of("generation", "common_fps", "common_side_px", "common_s"),
    "study_settings": _of("generation", "study_pairs", "study_checks", "study_annotators"),
    "training_repeats": _of("tuning", "animation_repeats", "movie_repeats", "sticker_repeats"),
    "adapter_settings": _of("tuning", "adapters"),
    "seed": ("seed",),
}
"""Keys per group, each with its section."""

SETTINGS_TAG = "emovid.settings/"
"""Begins the tags of a materialisation that say under which digest of a group it was made."""

_EFFORT = ("device", "batch_clips", "base_url", "key_variable", "concurrency", "timeout_s", "attempts")
_COST = ("prompt_price", "output_price")

WITHOUT_INFLUENCE = frozenset(
    {
        # How much is used of a machine, how long is waited, when a run is called a failure.
        *_of("media", "workers", "timeout_s", "memory_mb", "max_quarantined_share"),
        *_of("compute", "engine", "ray_address", "home_on_workers", "cpus", "memory_mb", "steps"),
        *_of("embeddings", "device", "batch_frames"),
        *_of("generation", "device", "batch_frames"),
        *_of("fine_tuning", "micro_batch_clips"),
        *_of("tuning", "cache_gb", "save_every", "device"),
        # What is remembered of runs, and who is told of them.
        *_of("history", "keep_days", "keep_runs"),
        *_of("alerts", "alert_url", "alert_command", "key_variable", "timeout_s", "attempts"),
        # Where a model runs and what it costs; what it is stands in the groups. Its own code either runs or does not.
        *(key for section in ("labeller", "captioner") for key in _of(section, *_EFFORT, *_COST, "trust_remote_code")),
    }
)
"""Keys on which no result depends."""

OF_THE_LIBRARY = ("collection.",)
"""Begins keys that decide what comes into the library; from there on content counts, wherever it is from."""


def keys_of(settings: Settings) -> set[str]:
    """Every key of the settings that an asset could read, each with its section."""
    return {key for key in _flat(settings.model_dump()) if not key.startswith(OF_THE_LIBRARY)}


def counting(settings: Settings) -> dict[str, Any]:
    """Every setting on which results depend, by key, whether the chosen backends read it or not."""
    flat = _flat(settings.model_dump(mode="json"))
    return {key: flat[key] for keys in GROUPS.values() for key in keys}


def values(home: Home, settings: Settings, group: str) -> dict[str, Any]:
    """What of a group counts under these settings, by key.

    A key that the chosen backend does not read is left out, and a prompt counts by what its file holds.
    """
    flat = _flat(settings.model_dump())
    found = {key: flat[key] for key in GROUPS[group]}
    section = group.partition("_")[0]
    if group in ("labeller_settings", "captioner_settings"):
        if flat[f"{section}.backend"] == "embedded":
            return {f"{section}.backend": "embedded"}
        if flat[f"{section}.prompt"] is not None:
            found[f"{section}.prompt"] = _content(home.root / flat[f"{section}.prompt"])
    if group == "fine_tuning_settings" and settings.labeller.backend != "transformers":
        return {}
    return found


def digests(home: Home) -> dict[str, str]:
    """16 hex digits per group: they change with any value that counts. Raises SettingsError."""
    settings = home.settings()
    return {group: digest(values(home, settings, group)) for group in GROUPS}


def digest(found: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": inner for key, inner in _flat(value).items()}
        else:
            flat[name] = value
    return flat


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        # The step that reads it says what is wrong.
        return f"unreadable: {path.name}"
