"""Homes with generated videos that nobody generated: small films, drawn, and the tables that scoring reads."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.identity import file_sha256
from emovid_assets.core.splits import prompt_of
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.planted_tables import plant, valid_row

FPS = 16
CAPTION = "A dog runs over the hill."


def film(scene: int, frames: int = 33, height: int = 48, width: int = 64) -> list[np.ndarray]:
    return [scenery(scene, index, height, width) for index in range(frames)]


def write_generated(
    home: Path,
    frames: Sequence[np.ndarray],
    *,
    generator: str = "wan",
    emotion: str = "fear",
    seed: int = 0,
    caption: str | None = CAPTION,
    domain: str = "movie",
    fps: int = FPS,
    **given: Any,
) -> dict[str, Any]:
    """Writes a film as H.264, tagged as BT.709, and gives its row of `generated_videos`."""
    prompt = prompt_of(caption, emotion)
    video_id = hashlib.sha256(f"{generator}|{prompt}|{seed}".encode()).hexdigest()[:16]
    path = home / f"media/generated/{generator}/{video_id}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_video(path, frames, fps=fps, codec="libx264", pix_fmt="yuv420p", options={"crf": "12"}, colour_tag=1)
    height, width = frames[0].shape[:2]
    return valid_row("generated_videos", 0, domain) | {
        "video_id": video_id,
        "generator": generator,
        "asked_emotion": emotion,
        "seed": seed,
        "prompt": prompt,
        "video_path": str(path.relative_to(home)),
        "sha256": file_sha256(path),
        "frame_count": len(frames),
        "fps": float(fps),
        "width_px": width,
        "height_px": height,
        "duration_s": len(frames) / fps,
        "clip_id": None,
        "adapters": [],
        **given,
    }


def plant_videos(home: Path, rows: Sequence[dict[str, Any]], domain: str = "movie") -> None:
    plant(home, "generated_videos", rows, domain)


OTHER_INPUTS = ("benchmark_split", "clip_media", "clip_features", "colour_attributes", "validation_ratings")


def home_with(home: Path, videos: Sequence[dict[str, Any]], **generation: Any) -> Path:
    """A home whose movies have these generated videos, and nothing else: no clips, no labeller."""
    settings(home, **generation)
    for domain in DOMAINS:
        for table in ("generated_videos", *OTHER_INPUTS):
            plant(home, table, videos if (table, domain) == ("generated_videos", "movie") else [], domain)
    plant(home, "emotion_labeller", [], None)
    return home


def settings(home: Path, **generation: Any) -> None:
    """Writes `emovid.toml` with these keys of [generation], and two workers."""
    lines = [f"{key} = {_toml(value)}" for key, value in generation.items()]
    text = "\n".join(["[media]", "workers = 2", "[generation]", 'device = "cpu"', *lines])
    (home / "emovid.toml").write_text(text + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{value}"'
