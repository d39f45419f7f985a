"""Which frames of a clip a model sees, and reading them.

Belongs here: stamps spread over a clip, frames at stamps. Does not belong here: what is made of the frames.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.rgb import RgbConverter
from emovid_assets.core.video.sampled import fitted, small_frames
from emovid_assets.core.video.stills import is_still, still_frame


def uniform(duration_s: float, frame_count: int, count: int) -> list[float]:
    """The middles of `count` equal parts of a clip, in seconds from its first frame; no more than it has frames."""
    count = max(1, min(count, frame_count))
    return [duration_s * (index + 0.5) / count for index in range(count)]


def motion(
    duration_s: float, frame_count: int, count: int, stamps_s: Sequence[float], changes: Sequence[float]
) -> list[float]:
    """The middles of `count` parts of a clip in each of which as much changes: more frames where more happens.

    `changes` (any unit, not negative) are how much the frames at `stamps_s` (ascending, from the clip's first frame)
    differ from the ones before them. A clip in which nothing changes, or of which nothing is known, is parted evenly.
    """
    total = float(np.sum(changes)) if len(changes) else 0.0
    if total <= 0:
        return uniform(duration_s, frame_count, count)
    count = max(1, min(count, frame_count))
    # Before the first frame nothing has changed; the change of a frame builds up since the frame before it.
    ends = np.concatenate([[0.0], np.cumsum(changes)])
    places = np.concatenate([[min(0.0, stamps_s[0])], stamps_s])
    wanted = (np.arange(count) + 0.5) * total / count
    # A flat piece has many places for one sum: the last one, where the change begins, is as good as any.
    return [float(place) for place in np.interp(wanted, ends, places)]


def read(path: Path, stamps_s: Sequence[float], side_px: int) -> list[tuple[float, np.ndarray]]:
    """(own stamp in seconds, uint8 (height, width, 3)) of the frames nearest to the stamps, upright and over white.

    No side is longer than `side_px`; all frames have one size. A frame that is nearest to several stamps comes once.
    A still picture is a clip of one frame. Raises MediaError where the file cannot be read.
    """
    try:
        if is_still(path):
            picture = still_frame(path)
            return [(0.0, RgbConverter().rgb(picture, fitted(picture.width, picture.height, side_px)))]
        return list(small_frames(path, stamps_s, side_px))
    except FileNotFoundError as error:
        raise MediaError("vanished", "The clip file is gone") from error
    except OSError as error:
        raise MediaError("unreadable", f"{type(error).__name__}: {error.strerror}") from error
