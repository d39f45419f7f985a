"""Scene cuts by PySceneDetect's own detectors, fed from our decoding.

Belongs here: everything that must match PySceneDetect to the letter: its downscale, its colour order,
its time codes. The decision code is upstream's; only the loop around it is ours.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from emovid_assets.core.video.reading import Frame, RgbConverter

if TYPE_CHECKING:
    import av


MAX_RATE_FACTOR = 16
"""Frames never wait longer than if they came at this multiple of the nominal rate: memory stays bounded."""


@dataclass(frozen=True)
class DetectorSettings:
    """`threshold`: adaptive ratio, or content value for `content`. `min_scene_frames` as upstream's `min_scene_len`."""

    name: Literal["adaptive", "content"] = "adaptive"
    threshold: float = 3.0
    min_content_value: float = 15.0
    min_scene_frames: int = 15


class CutDetector:
    """Feeds frames to a detector and gives the indices of the frames that begin a scene."""

    def __init__(self, settings: DetectorSettings, first: "av.VideoFrame", rate: Fraction) -> None:
        from scenedetect.scene_manager import compute_downscale_factor

        self._detector = _upstream_detector(settings)
        self._rate = rate
        factor = compute_downscale_factor(max(first.width, first.height))
        self._size = (max(1, round(first.width / factor)), max(1, round(first.height / factor)))
        self._is_shrunk = factor > 1
        self._time_base = Fraction(first.time_base)
        self._index_of_ticks: dict[int, int] = {}
        self._first_pts: int | None = None
        self._look_back: int = self._detector.event_buffer_length

    def is_certain(self, frame: Frame, latest: Frame) -> bool:
        """Whether a cut at `frame` would have been reported by the time that `latest` was processed.

        Upstream bounds the delay by `event_buffer_length` frames, but `content` counts them by time at the
        nominal rate: where frames follow each other faster, more of them pass.
        """
        return self._is_behind(frame.pts, frame.index, latest.pts, latest.index)

    def _is_behind(self, pts: int, index: int, latest_pts: int, latest_index: int) -> bool:
        frames = latest_index - index
        frames_by_time = (latest_pts - pts) * self._time_base * self._rate
        return frames >= self._look_back and (
            frames_by_time >= self._look_back or frames >= MAX_RATE_FACTOR * self._look_back
        )

    def process(self, frame: Frame, converter: RgbConverter) -> tuple[np.ndarray, list[int]]:
        """The frame as the detector sees it, uint8 BGR (about 256 px wide), and the cuts that it made certain."""
        import cv2
        from scenedetect import FrameTimecode
        from scenedetect.common import Timecode

        rgb = converter.rgb(frame.picture)
        # Channels are scaled independently, so scaling before the swap gives upstream's values at less cost.
        small = cv2.resize(rgb, self._size, interpolation=cv2.INTER_LINEAR) if self._is_shrunk else rgb
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        if self._first_pts is None:
            self._first_pts = frame.pts
        ticks = frame.pts - self._first_pts
        self._index_of_ticks[ticks] = frame.index
        timecode = FrameTimecode(Timecode(pts=ticks, time_base=self._time_base), fps=self._rate)
        cuts = [self._index_of_ticks[cut.pts] for cut in self._detector.process_frame(timecode, bgr)]
        self._forget(ticks, frame.index)
        return bgr, cuts

    def _forget(self, latest_ticks: int, latest_index: int) -> None:
        """Drops the stamps that no later cut can name."""
        while True:
            ticks, index = next(iter(self._index_of_ticks.items()))
            if not self._is_behind(ticks, index, latest_ticks, latest_index):
                return
            del self._index_of_ticks[ticks]


def _upstream_detector(settings: DetectorSettings) -> Any:
    from scenedetect import AdaptiveDetector, ContentDetector

    if settings.name == "adaptive":
        return AdaptiveDetector(
            adaptive_threshold=settings.threshold,
            min_content_val=settings.min_content_value,
            min_scene_len=settings.min_scene_frames,
        )
    return ContentDetector(threshold=settings.threshold, min_scene_len=settings.min_scene_frames)
