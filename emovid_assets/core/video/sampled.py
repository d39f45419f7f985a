"""Single frames of a clip file, by their stamps.

Belongs here: finding the frames that were sampled from the source in the clip that was cut from it, as large as they
are or made smaller. Does not belong here: which frames are sampled (`scan`), which a model sees (`vlm.frames`).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.rgb import RgbConverter, upright


def sampled_frames(path: Path, stamps_s: Sequence[float]) -> Iterator[np.ndarray]:
    """The frame nearest to each stamp, uint8 (height, width, 3), upright, over white; one in memory.

    `stamps_s` ascend and count from the clip's first frame. Containers round stamps to their own ticks, so equality
    would miss frames. Reads no further than it must. Raises MediaError where there is no frame, or decoding fails.
    """
    converter = RgbConverter()
    for _, frame in nearest_frames(path, stamps_s):
        yield upright(converter.rgb(frame.picture), frame.rotation)


def small_frames(path: Path, stamps_s: Sequence[float], side_px: int) -> Iterator[tuple[float, np.ndarray]]:
    """As `sampled_frames`, each with its own stamp, and no side longer than `side_px`: made smaller in the conversion.

    All have the size of the first. A frame that is nearest to several stamps comes once.
    """
    converter = RgbConverter()
    size: tuple[int, int] | None = None
    shown_before: float | None = None
    for shown_s, frame in nearest_frames(path, stamps_s):
        if shown_s == shown_before:
            continue
        size = size or fitted(frame.picture.width, frame.picture.height, side_px)
        yield shown_s, upright(converter.rgb(frame.picture, size), frame.rotation)
        shown_before = shown_s


def fitted(width: int, height: int, side_px: int) -> tuple[int, int]:
    """Width and height in proportion, the longer one at most `side_px`; nothing is made larger."""
    longest = max(width, height)
    if longest <= side_px:
        return width, height
    return max(1, round(width * side_px / longest)), max(1, round(height * side_px / longest))


def nearest_frames(path: Path, stamps_s: Sequence[float]) -> Iterator[tuple[float, Frame]]:
    """(seconds from the clip's first frame, frame) nearest to each stamp; the picture is valid until the next."""
    waiting = deque(stamps_s)
    first_pts: int | None = None
    before: tuple[float, Frame] | None = None
    for frame in Video(path).frames():
        first_pts = frame.pts if first_pts is None else first_pts
        shown_s = float((frame.pts - first_pts) * _tick(frame.picture))
        while waiting and shown_s >= waiting[0]:
            wanted_s = waiting.popleft()
            is_before_nearer = before is not None and wanted_s - before[0] < shown_s - wanted_s
            yield before if before is not None and is_before_nearer else (shown_s, frame)
        if not waiting:
            return
        before = shown_s, frame
    if before is None:
        raise MediaError("corrupt_frames", "The clip file holds no frame")
    for _ in waiting:
        yield before


def _tick(picture: Any) -> Any:
    if picture.time_base is None:
        raise MediaError("corrupt_container", "The clip file does not say what its time stamps count")
    return picture.time_base
