"""Generated videos as items of the step `measure_video`.

Belongs here: which videos, under which key. The work is `measure_step`'s.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from emovid_assets.core.generation import measuring
from emovid_assets.core.generation.flicker import Common
from emovid_assets.home.settings import GenerationSettings, SceneSettings
from emovid_assets.resources import media
from emovid_assets.resources.compute import Item, Outcome, Step
from emovid_assets.resources.generation.measure_step import measure_video
from emovid_assets.resources.workplace import Workplace

STEP = "measure_video"
MEASURED_ID = "embedded/measured"
"""Stands for a model in the columns that name one."""
Row = Mapping[str, Any]


def common_of(settings: GenerationSettings) -> Common:
    return Common(settings.common_fps, settings.common_s, settings.common_side_px)


def measure(
    project: Workplace, domain: str, videos: Iterable[Row], log: logging.Logger, *, leave_failures: bool = False
) -> Outcome:
    """What is measured of each row of `generated_videos`, by `video_id`."""
    settings, root = project.settings, str(project.home.root)
    scan, common = scan_settings(settings.scenes), vars(common_of(settings.generation))
    step = Step(STEP, measuring.VERSION, json.dumps([scan, common], sort_keys=True), measure_video)
    items = (
        Item(
            video["video_id"],
            content=video["sha256"],
            arguments={
                "path": f"{root}/{video['video_path']}",
                "is_ours": video["origin"] == "run",
                "scan": scan,
                "common": common,
            },
            path=video["video_path"],
            input_sha256=video["sha256"],
            weight=video["frame_count"] * video["width_px"] * video["height_px"],
        )
        for video in videos
    )
    return project.compute(step, domain, items, log, leave_failures=leave_failures)


def scan_settings(scenes: SceneSettings) -> dict[str, Any]:
    """As a file that is one clip is scanned, however short or long it is."""
    return {**media.scan_settings(True, scenes), "min_duration_s": 0.0, "max_duration_s": 1e9}
