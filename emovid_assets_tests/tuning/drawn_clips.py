"""Homes of the tests of training: drawn clips whose colour is that of their emotion, and rows as the tables have them.

Belongs here: making them. Does not belong here: any test.
"""

import colorsys
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.identity import clip_id, file_sha256
from emovid_assets.core.splits import prompt_of
from emovid_assets.core.video.encoding import write_film
from emovid_assets_tests.generation.homes import toml
from emovid_assets_tests.sql.planting import plant

SIDE, FRAMES = 32, 5
SMALL = {"width_px": SIDE, "height_px": SIDE, "frames": FRAMES, "rank": 4, "is_trial": True, "prompt_tokens": 24}
QUICK = {"learning_rate": 2e-2, "epochs": 4, "min_clips": 4, "held_out_share": 0.2, "patience": 20}


def colour_of(emotion: str, among: int = 8) -> np.ndarray:
    """RGB, 0 to 255: as far apart as `among` colours can be."""
    return np.array(colorsys.hsv_to_rgb(EMOTION_NAMES.index(emotion) / among, 1, 1)) * 255


def drawn(emotion: str, number: int, *, side: int = SIDE, frames: int = FRAMES, among: int = 8) -> np.ndarray:
    """A white square that walks over a ground of the emotion's colour; uint8 (frames, side, side, 3)."""
    top, left = np.random.default_rng(number).integers(0, side // 2, 2)
    made = np.empty((frames, side, side, 3), np.uint8)
    made[:] = colour_of(emotion, among)
    for place in range(frames):
        at = (left + 2 * place) % (side - side // 4)
        made[place, top : top + side // 4, at : at + side // 4] = 255
    return made


def adapter(name: str, folder: Path, task: str = "t2v", **more: Any) -> dict[str, Any]:
    """A table of `[[tuning.adapters]]` that is quick."""
    return {"name": name, "task": task, "model": str(folder), **SMALL, **QUICK, **more}


def write_settings(home: Path, *adapters: Mapping[str, Any], more: str = "", generators: Any = ()) -> None:
    home.mkdir(parents=True, exist_ok=True)
    tables = "\n".join(f"[[tuning.adapters]]\n{toml(one)}" for one in adapters)
    models = "\n".join(f"[[generation.models]]\n{toml(one)}" for one in generators)
    (home / "emovid.toml").write_text(f"[tuning]\n{more}\n{tables}\n{models}", encoding="utf-8")


def plant_clips(
    home: Path,
    films: Sequence[tuple[str, np.ndarray]] | None = None,
    licence: str | None = "CC BY 4.0",
    caption: str | None = "A square walks.",
) -> list[dict[str, Any]]:
    """Films with their emotions as clips, two a group, and rows of the tables that speak of them; gives those of
    `training_sets`. Without any: six drawn ones."""
    films = films or [(EMOTION_NAMES[n], drawn(EMOTION_NAMES[n], n, frames=6)) for n in range(6)]
    sets, media, sources = [], [], []
    for number, (emotion, film) in enumerate(films):
        source = f"movie-{number:016x}"
        path = home / "media" / "clips" / f"{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_film(path, film, 16)
        one = {"clip_id": clip_id(source, 0, 1), "domain": "movie"}
        facts = {"media_path": home_path(home, path), "sha256": file_sha256(path), "is_colour_tagged": True}
        media.append({**one, **facts, "duration_s": len(film) / 16})
        sources.append({"source_id": source, "domain": "movie", "license": licence if number else None})
        sets.append(
            {
                **one,
                "set_id": "wan",
                "family": "wan",
                "group_id": f"group {number // 2}",
                "caption": prompt_of(caption, emotion),
                "frame_count": FRAMES,
                "fps": 16.0,
                "width_px": 832,
                "height_px": 480,
                "repeats": 1,
                "weight": 1 / len(films),
            }
        )
    plant(home, "training_sets", sets)
    plant(home, "clip_media", media)
    plant(home, "source_videos", sources)
    return sets


def home_path(home: Path, path: Path) -> str:
    return path.relative_to(home).as_posix()


def record_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "training.json").read_text("utf-8"))
    return found
