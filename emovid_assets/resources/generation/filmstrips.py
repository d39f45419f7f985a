"""Filmstrips of generated videos as items of the step `filmstrip`.

Belongs here: which videos, under which key, and what a worker process does with one. Imports no Dagster.
"""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emovid_assets.core.generation.filmstrip import VERSION, filmstrip
from emovid_assets.core.placing import put_bytes
from emovid_assets.core.video.picture import jpeg
from emovid_assets.resources.compute import Item, Outcome, Step
from emovid_assets.resources.workplace import Workplace

STEP = "filmstrip"


def write_filmstrip(arguments: dict[str, Any]) -> dict[str, Any]:
    """Writes one; its path under `files`."""
    strip = filmstrip(Path(arguments["path"]), arguments["duration_s"])
    put_bytes(Path(arguments["home"], arguments["strip_path"]), jpeg(strip))
    return {"filmstrip_path": arguments["strip_path"], "files": [arguments["strip_path"]]}


def filmstrips(project: Workplace, domain: str, videos: Iterable[Mapping[str, Any]], log: logging.Logger) -> Outcome:
    """Strips of rows of `generated_videos`, by `video_id`."""
    home = project.home
    items = (
        Item(
            video["video_id"],
            content=video["sha256"],
            arguments={
                "path": str(home.root / video["video_path"]),
                "home": str(home.root),
                "duration_s": video["duration_s"],
                "strip_path": home.relative(home.filmstrips / domain / f"{video['video_id']}.jpg"),
            },
            path=video["video_path"],
            input_sha256=video["sha256"],
        )
        for video in videos
    )
    return project.compute(Step(STEP, VERSION, "jpeg", write_filmstrip), domain, items, log)
