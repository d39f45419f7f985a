"""A clip as a generator is trained on it: frames at the family's rate, in a number and of a size that it is trained on.

Belongs here: how many, and what is cut off. Does not belong here: which picture is shown when (`core.video.at_rate`),
which clips (`rows`).
"""

from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np

from emovid_assets.core.generation.first_frames import cropped, scaled
from emovid_assets.core.tuning.families import Family, Size
from emovid_assets.core.video.at_rate import frames_at_rate
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.rgb import RgbConverter, upright

ON_ITS_SIDE = (90, 270)


def read_frames(path: Path, family: Family, size: Size, *, frames: int, is_again: bool, more: int = 0) -> np.ndarray:
    """The beginning of a clip file, uint8 (count, height, width, 3), RGB, upright, over white.

    `count` is the largest number up to `frames` that the family is trained on, and `more` on top of it. The middle of
    each picture is cut out as large as the shape of `size` allows, then scaled: nothing is squeezed.
    `is_again`: a shorter clip is played again until there are so many, as a sticker is. Of any other there are fewer,
    none where it is too short for a single one.
    Raises MediaError where the clip cannot be read.
    """
    aspect = Video(path).pixel_aspect()
    converter = RgbConverter()

    def fitted(frame: Frame) -> np.ndarray:
        pixels = upright(converter.rgb(frame.picture), frame.rotation)
        shown = 1 / aspect if frame.rotation in ON_ITS_SIDE else aspect
        # In the pixels of the file, which need not be square.
        part = cropped(pixels, size.width_px * shown.denominator, size.height_px * shown.numerator)
        return scaled(part, size.width_px, size.height_px)

    most = family.largest_count(frames) + more
    shown = frames_at_rate(path, Fraction(family.rate), most=most, then="again" if is_again else "end")
    read: list[np.ndarray] = []
    for _, same in groupby(shown, key=lambda frame: frame.index):
        several = list(same)
        read += [fitted(several[0])] * len(several)
    count = family.largest_count(len(read) - more)
    return np.stack(read[: count + more]) if count else np.empty((0, size.height_px, size.width_px, 3), np.uint8)
