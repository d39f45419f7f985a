"""Single frames of a clip file, by their stamps.

Belongs here: finding the frames that were sampled from the source in the clip that was cut from it. Does not belong
here: which frames are sampled (`scan`).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import Frame, RgbConverter, Video, upright


def sampled_frames(path: Path, stamps_s: Sequence[float]) -> Iterator[np.ndarray]:
    """The frame nearest to each stamp, uint8 (height, width, 3), upright, over white; one in memory.

    `stamps_s` ascend and count from the clip's first frame. Containers round stamps to their own ticks, so equality
    would miss frames. Reads no further than it must. Raises MediaError where there is no frame, or decoding fails.
    """
    waiting = deque(stamps_s)
    converter = RgbConverter()

    def pixels(frame: Frame) -> np.ndarray:
        return upright(converter.rgb(frame.picture), frame.rotation)

    first_pts: int | None = None
    before: tuple[float, Frame] | None = None
    for frame in Video(path, 0).frames():
        first_pts = frame.pts if first_pts is None else first_pts
        shown_s = float((frame.pts - first_pts) * _tick(frame.picture))
        while waiting and shown_s >= waiting[0]:
            wanted_s = waiting.popleft()
            is_before_nearer = before is not None and wanted_s - before[0] < shown_s - wanted_s
            yield pixels(before[1] if before is not None and is_before_nearer else frame)
        if not waiting:
            return
        before = shown_s, frame
    if before is None:
        raise MediaError("corrupt_frames", "The clip file holds no frame")
    for _ in waiting:
        yield pixels(before[1])


def _tick(picture: Any) -> Any:
    if picture.time_base is None:
        raise MediaError("corrupt_container", "The clip file does not say what its time stamps count")
    return picture.time_base
