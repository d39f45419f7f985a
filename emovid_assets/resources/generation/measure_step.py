"""The step `measure_video` as worker processes run it.

Belongs here: turning arguments (plain values) into calls of `core` and results into payloads (JSON). Imports no
Dagster: a worker starts in a fraction of a second.
"""

from pathlib import Path
from typing import Any

from emovid_assets.core.generation.flicker import Common
from emovid_assets.core.generation.measuring import measured_video
from emovid_assets.core.video.probe import probe_file
from emovid_assets.core.video.scan import ScanSettings
from emovid_assets.core.video.scenes import DetectorSettings
from emovid_assets.core.video.streams import ONLY, Tracks


def tracks_of(path: Path, *, is_ours: bool) -> Tracks:
    """Which stream of a video is its film. What was written here has one; of other files a probe finds out."""
    return ONLY if is_ours else probe_file(path).tracks


def measure_video(arguments: dict[str, Any]) -> dict[str, Any]:
    """What `measured_video` gives."""
    path, scan = Path(arguments["path"]), arguments["scan"]
    settings = ScanSettings(**{**scan, "detector": DetectorSettings(**scan["detector"])})
    common = Common(**arguments["common"])
    return measured_video(path, settings, common, tracks_of(path, is_ours=arguments["is_ours"]))
