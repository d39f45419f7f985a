"""Scene cuts by PySceneDetect's own detectors, fed with the changes that we measured.

Belongs here: everything that must match PySceneDetect to the letter: its score, its time codes, its
delay. The decision code is upstream's; it is called only for frames at which it could answer or remember
something (the tests compare with calls for every frame).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from emovid_assets.core.video.changes import Change

if TYPE_CHECKING:
    from scenedetect import FrameTimecode


BELOW_RATIO = 1 - 1e-6
"""Further below the adaptive threshold than this, no order of adding lifts a frame to it."""
ALMOST_NO_CHANGE = 1e-3
"""Upstream takes an average score of less than a hundredth of this for zero, and the ratio to it for the greatest."""
MAX_RATE_FACTOR = 16
"""Frames never wait longer than if they came at this multiple of the nominal rate: memory stays bounded."""


GREY_SHARE = 0.5
"""A film is without colour where hue and saturation together change less than this share of what value changes.

In grey films they do not change at all, in a tinted one by its rounding (0.2); in the colour films that were looked
at, by 1.4 to 8 times as much as value.
"""


@dataclass(frozen=True)
class DetectorSettings:
    """`threshold`: adaptive ratio, or content value for `content`. `min_scene_frames` as upstream's `min_scene_len`,
    `luma_only` as upstream's."""

    name: Literal["adaptive", "content"] = "adaptive"
    threshold: float = 3.0
    min_content_value: float = 15.0
    min_scene_frames: int = 15
    luma_only: bool = False


def is_without_colour(changes: Sequence[Change]) -> bool:
    """Whether a film is black and white, or of one tint throughout.

    Two of the three parts of upstream's score are nothing there, so that its thresholds are three times too high; its
    own remedy is `luma_only`.
    """
    value = sum(change.value for change in changes)
    return value > 0 and sum(change.hue + change.saturation for change in changes) < GREY_SHARE * value


class CutDetector:
    """Takes the changes of one frame after the other and gives the indices of the frames that begin a scene.

    `pixel_count`: of the picture that the changes were measured on. `rate`: nominal frames per second, asked for where
    it matters: of many short files it never does, and to find it out they have to be opened once more.
    """

    def __init__(
        self, settings: DetectorSettings, pixel_count: int, rate: Callable[[], Fraction], time_base: Fraction
    ) -> None:
        self._pixel_count = float(pixel_count)
        self._find_rate, self._time_base = rate, time_base
        self._is_luma_only = settings.luma_only
        self._decide = _Adaptive(settings) if settings.name == "adaptive" else _Content(settings)
        self._look_back: int = self._decide.detector.event_buffer_length
        self._index_of_ticks: dict[int, int] = {}
        self._first_pts: int | None = None

    @cached_property
    def _rate(self) -> Fraction:
        return self._find_rate()

    @cached_property
    def _frames_and_ticks(self) -> tuple[int, int]:
        """Frames at the nominal rate per tick, as a fraction: asked for every frame, so in whole numbers."""
        return (self._time_base * self._rate).as_integer_ratio()

    def is_certain(self, index: int, pts: int, latest_index: int, latest_pts: int) -> bool:
        """Whether a cut at frame `index` would have been reported by the time that the latest was processed.

        Upstream bounds the delay by `event_buffer_length` frames, but `content` counts them by time at the
        nominal rate: where frames follow each other faster, more of them pass.
        """
        waiting = latest_index - index
        if waiting < self._look_back:
            return False
        frames, ticks = self._frames_and_ticks
        is_past = (latest_pts - pts) * frames >= self._look_back * ticks
        return is_past or self._is_long_past(waiting)

    def _is_long_past(self, frames: int) -> bool:
        return frames >= MAX_RATE_FACTOR * self._look_back

    def could_cut(self, change: Change) -> bool:
        """Whether a frame with this change may be named as a cut, now or later."""
        return self._score(change) >= self._decide.least_score

    def _score(self, change: Change) -> float:
        # Term by term as upstream adds: the sums of floating-point numbers depend on the order.
        count = self._pixel_count
        if self._is_luma_only:
            return change.value / count
        return (change.hue / count + change.saturation / count + change.value / count + 0.0) / 3.0

    def process(self, index: int, pts: int, change: Change) -> list[int]:
        """The cuts that this frame made certain."""
        if self._first_pts is None:
            self._first_pts = pts
        ticks = pts - self._first_pts
        self._index_of_ticks[ticks] = index
        score = self._score(change)
        cuts = [self._index_of_ticks[cut.pts] for cut in self._decide(ticks, score, self._time_code)]
        self._forget(index)
        return cuts

    def cuts(self, frames: Iterable[tuple[int, Change]]) -> Iterator[int]:
        """All cuts of a file whose stamps and changes are known."""
        for index, (pts, change) in enumerate(frames):
            yield from self.process(index, pts, change)

    def _time_code(self, ticks: int) -> "FrameTimecode":
        from scenedetect import FrameTimecode
        from scenedetect.common import Timecode

        return FrameTimecode(Timecode(pts=ticks, time_base=self._time_base), fps=self._rate)

    def _forget(self, latest_index: int) -> None:
        """Drops the stamps that no later cut can name."""
        ticks, index = next(iter(self._index_of_ticks.items()))
        if self._is_long_past(latest_index - index):
            del self._index_of_ticks[ticks]


class _Content:
    """`ContentDetector`: a frame below the threshold matters only while short scenes are being merged."""

    def __init__(self, settings: DetectorSettings) -> None:
        from scenedetect import ContentDetector

        self.detector = _scored(ContentDetector)(threshold=settings.threshold, min_scene_len=settings.min_scene_frames)
        self.least_score = settings.threshold
        self._is_first = True

    def __call__(self, ticks: int, score: float, time_code: Any) -> "list[FrameTimecode]":
        if score < self.least_score and not self._is_first and not self.detector._flash_filter._merge_triggered:
            return []
        self._is_first = False
        self.detector.score = score
        return self.detector.process_frame(time_code(ticks), None)


class _Adaptive:
    """`AdaptiveDetector`: a frame can be a cut only from `min_content_value` on, far above its neighbours."""

    def __init__(self, settings: DetectorSettings) -> None:
        from scenedetect import AdaptiveDetector

        self.detector = _scored(AdaptiveDetector)(
            adaptive_threshold=settings.threshold,
            min_content_val=settings.min_content_value,
            min_scene_len=settings.min_scene_frames,
        )
        self.least_score = settings.min_content_value
        self._least_ratio = settings.threshold * BELOW_RATIO
        self._middle = self.detector.window_width
        self._window: deque[tuple[int, float]] = deque(maxlen=2 * self._middle + 1)
        self._first_ticks: int | None = None

    def __call__(self, ticks: int, score: float, time_code: Any) -> "list[FrameTimecode]":
        window = self._window
        window.append((ticks, score))
        if self._first_ticks is None:
            self._first_ticks = ticks
        if len(window) < 2 * self._middle + 1 or window[self._middle][1] < self.least_score:
            return []
        if self._is_like_its_neighbours():
            return []
        if self.detector._last_cut is None:
            self.detector._last_cut = time_code(self._first_ticks)
        self.detector._buffer = [(time_code(at), value) for at, value in list(window)[:-1]]
        self.detector.score = score
        return self.detector.process_frame(time_code(ticks), None)

    def _is_like_its_neighbours(self) -> bool:
        """Grain makes every frame of a film differ, by as much each: time codes for all of them would be dear."""
        score = self._window[self._middle][1]
        mean = (sum(other for _, other in self._window) - score) / (2 * self._middle)
        return mean > ALMOST_NO_CHANGE and score < self._least_ratio * mean


def _scored(detector_class: Any) -> Any:
    """The detector with the score of each frame given (as `score`) instead of computed from a picture."""

    class Scored(detector_class):
        score = 0.0

        def _calculate_frame_score(self, timecode: Any, frame_img: Any) -> float:
            return float(self.score)

    return Scored
