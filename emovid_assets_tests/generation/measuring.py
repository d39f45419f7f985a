"""`measured_video` as tests call it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.generation.flicker import Common
from emovid_assets.core.generation.measuring import measured_video
from emovid_assets.core.video.scan import ScanSettings
from emovid_assets.core.video.scenes import DetectorSettings
from emovid_assets.resources.generation.measure_step import tracks_of
from emovid_assets_tests.media.making import write_video

SCAN = ScanSettings(DetectorSettings("adaptive", 3.0), 20, 0.0, 1e9, is_whole=True)
COMMON = Common(8.0, 2.0, 256)


def measured(path: Path, common: Common = COMMON, *, is_ours: bool = False) -> dict[str, Any]:
    return measured_video(path, SCAN, common, tracks_of(path, is_ours=is_ours))


def exactly(path: Path, frames: Sequence[np.ndarray], fps: int = 16) -> dict[str, Any]:
    """Of frames that are written without loss."""
    return measured(write_video(path, frames, fps=fps), is_ours=True)
