"""Homes of the generation tests: a benchmark of a few planted rows, generators of random weights, no warehouse.

Belongs here: making them, and doing what the asset does with them. Does not belong here: any test.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.splits import prompt_of
from emovid_assets.resources.compute import Outcome
from emovid_assets.resources.generation.stage import Stage, forget_others, run_and_read, stage_of
from emovid_assets.resources.item_store import Failure
from emovid_assets.resources.workplace import PlainWorkplace
from emovid_assets_tests.generation.tiny_generators import FRAMES, SIDE

LOG = logging.getLogger("emovid.tests")
SMALL = {"width_px": SIDE, "height_px": SIDE, "frames": FRAMES, "steps": 1, "is_trial": True}


def generator(name: str, folder: Path, task: str = "t2v", **more: Any) -> dict[str, Any]:
    """A table of `[[generation.models]]` that is quick."""
    return {"name": name, "task": task, "model": str(folder), **SMALL, **more}


def write_settings(home: Path, *models: Mapping[str, Any], more: str = "") -> None:
    home.mkdir(parents=True, exist_ok=True)
    tables = "\n".join(f"[[generation.models]]\n{toml(model)}" for model in models)
    # A failed item is looked at, not a failed run.
    (home / "emovid.toml").write_text(f"[media]\nmax_quarantined_share = 1.0\n{more}\n{tables}", encoding="utf-8")


def toml(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)


def clip_id(domain: str, number: int) -> str:
    return f"{domain}-{number:016x}-00000000-00004000"


def benchmark(
    home: Path, domain: str = "movie", count: int = 2, size: tuple[int, int] = (64, 48)
) -> list[dict[str, Any]]:
    """Rows of `benchmark_split`, each with a first frame of noise of its own, and one row that is not benchmark."""
    rows = []
    for number in range(count):
        name = clip_id(domain, number)
        path = home / "media" / "first_frames" / domain / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        emotion = EMOTION_NAMES[number % 8]
        rows.append(
            {
                "clip_id": name,
                "split": "benchmark",
                "emotion": emotion,
                "prompt": prompt_of(f"Scene {number} of a {domain}.", emotion),
                "first_frame_path": path.relative_to(home).as_posix(),
            }
        )
    return [*rows, {**rows[0], "clip_id": clip_id(domain, 999), "split": "train"}]


@dataclass
class Made:
    """What the asset would have made of a home."""

    stage: Stage
    videos: dict[str, dict[str, Any]]
    imported: dict[str, dict[str, Any]]
    computed: int
    failures: list[Failure]
    outcome: Outcome

    def of(self, generator_name: str) -> dict[str, dict[str, Any]]:
        """Payloads by clip or character and seed."""
        return {
            f"{wanted.clip_id or wanted.character} {wanted.asked_emotion} {wanted.seed}": payload
            for name, payload in self.videos.items()
            for wanted, source in [self.stage.wanted[name]]
            if source.name == generator_name
        }


def made(
    home: Path,
    rows: Sequence[Mapping[str, Any]] = (),
    domain: str = "movie",
    others: Iterable[Sequence[Mapping[str, Any]]] = (),
) -> Made:
    project = PlainWorkplace(str(home))
    stage = stage_of(project, domain, [dict(row) for row in rows], lambda: others)
    forget_others(project, stage)
    outcome, read = run_and_read(project, stage, LOG)
    return Made(
        stage,
        dict(outcome.payloads.items()),
        dict(read.payloads.items()),
        outcome.computed_count,
        [*outcome.failures, *read.failures],
        outcome,
    )


def bytes_of(home: Path, videos: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Of every file that videos name."""
    return {name: (home / name).read_bytes() for payload in videos.values() for name in payload["files"]}


def stamps_of(home: Path, videos: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """When the film of each was written."""
    return {payload["video_path"]: (home / payload["video_path"]).stat().st_mtime_ns for payload in videos.values()}
