"""Copies of generated videos that people compare: nothing but what they show tells by which generator they are.

Belongs here: one copy, whole or spoiled. Does not belong here: what it is called (`resources.blind_videos`).

All are of one container, codec and size, without metadata and sound, and both of a pair end at the same time. Frames
keep their rate: how smoothly a generator moves is part of what is compared. A player shows each picture as large as it
is, so all are brought to one box, none is cut, and the shape stays.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np

from emovid_assets.core.placing import put_into_place
from emovid_assets.core.video.at_rate import frames_at_rate
from emovid_assets.core.video.encoding import FINEST_RATE, write_film
from emovid_assets.core.video.rgb import RgbConverter, upright

VERSION = "1"
"""Raised where a copy can show something else."""
BOX_WIDTH_PX, BOX_HEIGHT_PX = 640, 380
SPOILED_BLOCKS = 8
"""Of a spoiled picture along its longer side: nothing can be recognised, only that something moves."""


def write_blind_copy(source: Path, target: Path, *, fps: float, length_s: float, is_spoiled: bool = False) -> None:
    """Writes the first `length_s` of a video as an MP4 of constant rate. Raises MediaError.

    `fps`: of the source. At each tick the picture is the one that the source shows in its middle.
    """
    rate = Fraction(fps).limit_denominator(FINEST_RATE)
    pictures = _at_ticks(source, rate, max(1, round(length_s * fps)))
    with put_into_place(target) as temporary:
        write_film(temporary, (_shown(pixels, is_spoiled=is_spoiled) for pixels in pictures), fps)


def _at_ticks(source: Path, rate: Fraction, count: int) -> Iterator[np.ndarray]:
    """RGB pictures at a constant rate; the last one stays where the source ends before."""
    converter = RgbConverter()
    frames = frames_at_rate(source, rate, most=count, later_s=1 / (2 * rate), then="stay")
    for _, same in groupby(frames, key=lambda frame: frame.index):
        several = list(same)
        pixels = upright(converter.rgb(several[0].picture), several[0].rotation)
        yield from [pixels] * len(several)


def _shown(pixels: np.ndarray, *, is_spoiled: bool) -> np.ndarray:
    import cv2

    height, width = pixels.shape[:2]
    scale = min(BOX_WIDTH_PX / width, BOX_HEIGHT_PX / height)
    size = _even(width * scale), _even(height * scale)
    if is_spoiled:
        blocks = SPOILED_BLOCKS / max(size)
        coarse = cv2.resize(
            pixels, (max(1, round(size[0] * blocks)), max(1, round(size[1] * blocks))), interpolation=cv2.INTER_AREA
        )
        return cv2.resize(coarse, size, interpolation=cv2.INTER_NEAREST)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
