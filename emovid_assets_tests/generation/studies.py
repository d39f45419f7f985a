"""Homes with generated videos that people compare: small real files, rows of `generated_videos`, and the assets of the
study alone.

Belongs here: that, and answers as people give them. Does not belong here: any test.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import dagster as dg
import numpy as np

from emovid_assets.assets import preferences
from emovid_assets.assets.partitions import domain_partitions
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.io_managers import ParquetIOManager
from emovid_assets.orchestration.run_lock import RunLock
from emovid_assets.resources.project import Project
from emovid_assets_tests.planted_tables import plant, valid_row

TASKS, ANSWERS = ("preference_tasks",), ("preferences", "rejected_preferences")


def video(generator: str, prompt: int, domain: str = "movie", **given: Any) -> dict[str, Any]:
    """A row of `generated_videos`; prompts go round the emotions."""
    row: dict[str, Any] = {
        "video_id": f"{generator}-{domain}-{prompt}",
        "generator": generator,
        "task": "t2v",
        "clip_id": f"{domain}-{prompt:016x}-00000000-00005000",
        "character": None,
        "asked_emotion": EMOTION_NAMES[prompt % len(EMOTION_NAMES)],
        "seed": 0,
        "adapters": [],
        "prompt": f"Prompt {prompt}, as both were given it.",
        "fps": 16.0,
        "duration_s": 2.0,
        "sha256": f"{generator}/{prompt}",
        "is_trial": False,
    }
    return valid_row("generated_videos", prompt, domain) | row | given


def videos(generators: Iterable[str], prompts: int, domain: str = "movie") -> list[dict[str, Any]]:
    return [video(generator, prompt, domain) for generator in generators for prompt in range(prompts)]


def draw_video(
    path: Path,
    *,
    fps: int = 16,
    seconds: float = 1.0,
    size: tuple[int, int] = (96, 64),
    ground: int = 60,
    codec: str = "libx264",
) -> Path:
    """A clock hand as a bright column that walks from left to right in the time of the video."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        count = round(fps * seconds)
        for index in range(count):
            pixels = np.full((height, width, 3), ground, np.uint8)
            left = index * (width - 8) // max(1, count - 1)
            pixels[:, left : left + 8] = 230
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(stream.encode(None))
    return path


def home_with_videos(
    root: Path, generators: Mapping[str, Mapping[str, Any]], prompts: int, domain: str = "movie"
) -> Home:
    """A home whose generators have a real file for each prompt; by name what of `draw_video` is theirs."""
    home, rows = Home(root), []
    for generator, drawn in generators.items():
        for prompt in range(prompts):
            path = draw_video(home.generated / generator / domain / f"{prompt}.mp4", ground=40 + prompt, **drawn)
            row = video(generator, prompt, domain, video_path=home.relative(path), sha256=file_sha256(path))
            rows.append(row | {"fps": float(drawn.get("fps", 16)), "duration_s": float(drawn.get("seconds", 1.0))})
    plant(root, "generated_videos", rows, domain)
    return home


def materialise(
    home: Home, names: Sequence[str], domain: str | None = "movie", instance: dg.DagsterInstance | None = None
) -> None:
    """Builds some of the study's tables, as a run of their job would."""
    project = Project(home_folder=str(home.root))
    lock = RunLock(project=project)
    resources = {"project": project, "run_lock": lock, "io_manager": ParquetIOManager(project=project, run_lock=lock)}
    assets = [
        *dg.load_assets_from_modules([preferences]),
        dg.AssetSpec("generated_videos", partitions_def=domain_partitions),
        *(dg.AssetSpec(name) for name in ("study_settings", "seed")),
    ]
    done = dg.materialize(
        assets,
        selection=dg.AssetSelection.assets(*names),
        partition_key=domain,
        resources=resources,
        instance=instance or dg.DagsterInstance.ephemeral(),
    )
    assert done.success


def answer(task: Mapping[str, Any], person: str, question: str, choice: str, **given: Any) -> dict[str, Any]:
    """A row of `preferences` that no rule has seen yet."""
    return {
        "task_id": task["task_id"],
        "domain": task["domain"],
        "annotator_id": person,
        "question": question,
        "choice": choice,
        "answered_at": None,
        "tool": "simulated",
        "lead_time_s": None,
        "exclusion": None,
        **given,
    }


def side_of(task: Mapping[str, Any], generator: str) -> str:
    return "a" if task["generator_a"] == generator else "b"
