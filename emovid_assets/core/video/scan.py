"""The media pass: one decoding of a source gives its cuts and everything measured on its clips.

Belongs here: the order of things while frames stream by. Does not belong here: formulas (`colour`,
`sound`, `picture`) and what is kept between runs.

Cut detectors decide about a frame a few frames later. Frames therefore wait in a delay line until the
detector can no longer name them (PySceneDetect's `event_buffer_length`); when a frame leaves the line, the
segment that it belongs to is final, so that exactly the clip's frames 0, 20, 40, … are measured.
"""

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.colour import ColourCounter
from emovid_assets.core.identity import clip_id
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.picture import PictureFeatures, jpeg
from emovid_assets.core.video.reading import Frame, RgbConverter, Video, upright
from emovid_assets.core.video.scenes import CutDetector, DetectorSettings
from emovid_assets.core.video.sound import silent_features, sound_profile

THUMBNAIL_PX = 320
CUT_WINDOW_S = 30.0
"""Cut rhythm is counted within this span around the middle of the clip."""


@dataclass(frozen=True)
class ScanSettings:
    """What the pass depends on. `is_whole`: the file is one segment, whatever cuts it has."""

    detector: DetectorSettings
    frame_stride: int
    min_duration_s: float
    max_duration_s: float
    is_whole: bool


@dataclass
class _OpenSegment:
    """The segment that frames are leaving the delay line into."""

    start_frame: int
    start_pts: int
    start_s: float
    waiting: list[Frame] = field(default_factory=list)
    colour: ColourCounter = field(default_factory=ColourCounter)
    picture: PictureFeatures = field(default_factory=PictureFeatures)
    thumbnails: list[np.ndarray] = field(default_factory=list)
    sampled_pts_s: list[float] = field(default_factory=list)


def scan_source(
    path: Path, stream_index: int, source_id: str, settings: ScanSettings, thumbnail_folder: Path
) -> dict[str, Any]:
    """Segments of a file with the measurements of the kept ones, as plain values; thumbnails are written.

    Raises MediaError where a frame cannot be decoded.
    """
    run = _Scan(path, stream_index, settings)
    segments = run.segments()
    profile = sound_profile(path, run.video_start_s)
    cut_times = [segment["start_s"] for segment in segments[1:]] if not settings.is_whole else run.cut_times_s
    thumbnail_folder.mkdir(parents=True, exist_ok=True)
    for number, segment in enumerate(segments):
        segment["scene_index"] = number
        segment["clip_id"] = clip_id(source_id, segment["start_s"], segment["end_s"])
        if not segment["is_kept"]:
            continue
        sound = profile.features(segment["start_s"], segment["end_s"]) if profile else silent_features()
        segment["features"] |= sound | {"cut_rate_hz": _cut_rate(cut_times, segment, segments[-1]["end_s"])}
        jpeg(segment.pop("thumbnail"), thumbnail_folder / f"{segment['clip_id']}.jpg")
    return {"segments": segments, "frame_count": run.frame_count, "video_start_s": run.video_start_s}


def _cut_rate(cut_times_s: list[float], segment: dict[str, Any], duration_s: float) -> float:
    middle = (segment["start_s"] + segment["end_s"]) / 2
    low, high = max(0.0, middle - CUT_WINDOW_S / 2), min(duration_s, middle + CUT_WINDOW_S / 2)
    count = sum(low < time < high for time in cut_times_s)
    return count / (high - low) if high > low else 0.0


class _Scan:
    """One walk over the frames of one file."""

    def __init__(self, path: Path, stream_index: int, settings: ScanSettings) -> None:
        self._video = Video(path, stream_index)
        self._settings = settings
        self._converter = RgbConverter()
        self._motion: list[float] = []
        self._segment: _OpenSegment | None = None
        self._done: list[dict[str, Any]] = []
        self._time_base = Fraction(1)
        self._first_pts = 0
        self.cut_times_s: list[float] = []
        self.frame_count = 0
        self.video_start_s = 0.0

    def segments(self) -> list[dict[str, Any]]:
        import cv2

        detector: CutDetector | None = None
        line: deque[Frame] = deque()
        cuts: deque[int] = deque()
        previous_grey: np.ndarray | None = None
        last: Frame | None = None
        for frame in self._video.frames():
            if detector is None:
                detector = CutDetector(self._settings.detector, frame.picture, self._video.nominal_rate())
                self._time_base = Fraction(frame.picture.time_base)
                self._first_pts = frame.pts
                self.video_start_s = float(frame.pts * self._time_base)
            if last is not None and frame.pts < last.pts:
                raise MediaError("corrupt_frames", f"The time stamps run backwards at frame {frame.index}")
            small, new_cuts = detector.process(frame, self._converter)
            grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
            change = 0.0 if previous_grey is None else cv2.norm(grey, previous_grey, cv2.NORM_L1) / grey.size / 255
            self._motion.append(change)
            previous_grey = grey
            cuts.extend(new_cuts)
            line.append(frame)
            last = frame
            self.frame_count = frame.index + 1
            while line and detector.is_certain(line[0], frame):
                self._leave(line.popleft(), cuts)
        if last is None or detector is None:
            raise MediaError("corrupt_frames", "Not a single frame can be decoded")
        while line:
            self._leave(line.popleft(), cuts)
        self._close(self.frame_count, last.pts + last.duration)
        return self._done

    def _seconds(self, pts: int) -> float:
        return float((pts - self._first_pts) * self._time_base)

    def _leave(self, frame: Frame, cuts: deque[int]) -> None:
        """A frame leaves the delay line: from here on its segment is known."""
        if cuts and cuts[0] == frame.index:
            cuts.popleft()
            self.cut_times_s.append(self._seconds(frame.pts))
            if not self._settings.is_whole:
                self._close(frame.index, frame.pts)
        if self._segment is None:
            self._segment = _OpenSegment(frame.index, frame.pts, self._seconds(frame.pts))
        segment = self._segment
        elapsed_s = self._seconds(frame.pts) - segment.start_s
        if (frame.index - segment.start_frame) % self._settings.frame_stride == 0:
            if elapsed_s <= self._settings.max_duration_s:
                segment.waiting.append(frame)
            else:
                # Too long to be kept: nothing more is measured, nothing piles up.
                segment.waiting.clear()
        if elapsed_s >= self._settings.min_duration_s:
            self._measure(segment)

    def _measure(self, segment: _OpenSegment) -> None:
        for frame in segment.waiting:
            rgb = self._converter.rgb(frame.picture)
            segment.colour.add(rgb)
            segment.picture.add(rgb)
            segment.thumbnails.append(_thumbnail(rgb, frame.rotation))
            segment.sampled_pts_s.append(self._seconds(frame.pts) - segment.start_s)
        segment.waiting.clear()

    def _close(self, end_frame: int, end_pts: int) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        duration = (end_pts - segment.start_pts) * self._time_base
        reason = None
        # Exact fractions: a clip of exactly 4 s is kept, whatever its time base.
        if duration < Fraction(str(self._settings.min_duration_s)):
            reason = "too_short"
        elif duration > Fraction(str(self._settings.max_duration_s)):
            reason = "too_long"
        row: dict[str, Any] = {
            "start_s": segment.start_s,
            "end_s": self._seconds(end_pts),
            "start_frame": segment.start_frame,
            "end_frame": end_frame,
            "start_pts": segment.start_pts,
            "end_pts": end_pts,
            "duration_s": float(duration),
            "is_kept": reason is None,
            "drop_reason": reason,
        }
        if reason is None:
            self._measure(segment)
            motion = np.asarray(self._motion[segment.start_frame + 1 : end_frame] or [0.0])
            row["colour"] = segment.colour.sums().as_tuple()
            row["features"] = segment.picture.features() | {
                "motion_mean": float(motion.mean()),
                "motion_sd": float(motion.std()),
                "motion_peak": float(np.quantile(motion, 0.95)),
                "sampled_pts_s": segment.sampled_pts_s,
            }
            row["thumbnail"] = segment.thumbnails[len(segment.thumbnails) // 2]
        self._done.append(row)


def _thumbnail(rgb: np.ndarray, rotation: int) -> np.ndarray:
    import cv2

    pixels = upright(rgb, rotation)
    height, width = pixels.shape[:2]
    scale = min(1.0, THUMBNAIL_PX / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels.copy()
