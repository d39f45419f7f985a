"""How much a video changes from frame to frame: VBench's temporal flickering, as it is and at settings that all share.

Belongs here: the measure, and which frames are compared at the common settings. Does not belong here: decoding.

VBench (Huang et al. 2024, `temporal_flickering`) prints (255 - m) / 255, where m is the mean over pairs of neighbouring
frames of the mean absolute difference of all pixels and three channels; the paper prints m / 255, as here: less is
steadier. It grows with slow rates, with small pictures and with motion, so two generators can be compared by it only at
the same rate, length and size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from emovid_assets.core.video.errors import MediaError

Given = TypeVar("Given")


@dataclass(frozen=True)
class Common:
    """What flicker is compared at: frames per second, length from the start in seconds, shorter side in pixels."""

    fps: float
    length_s: float
    side_px: int

    @property
    def count(self) -> int:
        """Frames that are looked at."""
        return max(1, round(self.fps * self.length_s))

    def stamps(self) -> list[float]:
        """When they are shown, in seconds from the first frame."""
        return [number / self.fps for number in range(self.count)]

    def is_filled_by(self, duration_s: float) -> bool:
        """Whether a video is long enough: half a frame may be lacking, as containers round their stamps."""
        return self.count > 1 and duration_s >= self.length_s - 0.5 / self.fps

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in proportion, the shorter one `side_px`; small pictures are made larger."""
        shorter = min(width, height)
        return max(1, round(width * self.side_px / shorter)), max(1, round(height * self.side_px / shorter))


class FlickerMeter:
    """Pictures of one size in, their flicker out; the last one is held."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._sum = 0.0
        self._pairs = 0

    def add(self, pixels: np.ndarray) -> None:
        """uint8 (height, width, 3), or 4 channels of which the last is the same everywhere; it must stay as it is until
        the next call. Raises MediaError where its size is another one."""
        import cv2

        if self._before is not None:
            if self._before.shape != pixels.shape:
                raise MediaError("corrupt_frames", "The pictures change their size within the video")
            self._sum += cv2.norm(self._before, pixels, cv2.NORM_L1) / (pixels.shape[0] * pixels.shape[1] * 3)
            self._pairs += 1
        self._before = pixels

    @property
    def value(self) -> float | None:
        """Mean absolute change of full scale, 0 to 1; null with fewer than two pictures."""
        return self._sum / self._pairs / 255 if self._pairs else None


class NearestShown(Generic[Given]):
    """Of what comes with its time of showing, the one nearest to each wanted time, in their order.

    Nearest, and not the one on screen: containers round stamps to ticks of their own, so that a frame may stand a
    millisecond behind the time that is meant. Of two equally near ones it is the later one.
    """

    def __init__(self, wanted_s: list[float]) -> None:
        self._wanted = iter(wanted_s)
        self._next = next(self._wanted, None)
        self._before: tuple[float, Given] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing more is wanted."""
        return self._next is None

    def add(self, shown_s: float, given: Given) -> Iterator[Given]:
        """What is certain now. Times must ascend."""
        before = self._before
        while self._next is not None and shown_s >= self._next:
            is_before_nearer = before is not None and self._next - before[0] < shown_s - self._next
            yield before[1] if before is not None and is_before_nearer else given
            self._next = next(self._wanted, None)
        self._before = (shown_s, given) if self._next is not None else None

    def finish(self) -> Iterator[Given]:
        """The last one, for each time behind it."""
        while self._next is not None and self._before is not None:
            yield self._before[1]
            self._next = next(self._wanted, None)
