"""Which stickers show the same: by their bytes, or by what they look like.

Belongs here: the fingerprint of a file, and the limits within which two are the same. Does not belong here: the rule
itself (`core.near_duplicates`), and what becomes of a duplicate.

A fingerprint has the perceptual hash (64 bits, `imagehash.phash`) and the mean colour of the first, the middle and the
last frame. Two stickers are the same where none of the three hashes differs in more than `near_duplicate_bits` bits, no
mean colour in more than `MAX_COLOUR_STEPS`, and the sides have the same proportion. The default of 6 bits was measured
on 40 animated emoji: copies at half size or with 64 colours differ by at most 4 bits, at quarter size or as JPEG of
quality 40 by at most 6, different stickers by at least 12. A copy that is missed costs an answer of an annotator; two
stickers that are taken for one lose one, and their emotions mix: so the threshold stands where copies end. Colour
counts as well: hashes are of grey pictures, and flat pictures all have the same.
"""

from array import array
from collections import defaultdict
from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from emovid_assets.core.near_duplicates import HASHES, MIDDLE, Limits, Looks, are_near, bands
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter, upright

MAX_COLOUR_STEPS = 24
"""Of 255; copies differ by 3."""
MIN_CONTRAST_FRAMES = 0
"""Flat stickers are told apart by nine mean colours: a copy of one is no less a copy."""
MAX_PROPORTION = 1.1
MAX_FRAMES = 2000
COLOURS = 3 * HASHES

Key = TypeVar("Key", bound=Hashable)
Number = TypeVar("Number", bound=np.generic)

Fingerprint = Mapping[str, Any]
"""`hashes`: three of 16 hex digits; `colours`: red, green, blue of three means, 0 to 255; `proportion`: of sides."""


def fingerprint(path: Path) -> dict[str, Any]:
    """Of a picture file that moves or not. Raises MediaError where it cannot be read."""
    import imagehash
    from PIL import Image

    from emovid_assets.core.video.errors import MediaError
    from emovid_assets.core.video.probe import Limits, probe_file

    probed = probe_file(path, Limits(max_frames=MAX_FRAMES, max_animation_pixels=2_000_000_000))
    wanted = {0, probed.frame_count // 2, probed.frame_count - 1}
    converter, pictures = RgbConverter(), []
    last = None
    for frame in Video(path, probed.tracks).frames():
        last = frame
        if frame.index in wanted:
            pictures.append(upright(converter.rgb(frame.picture), frame.rotation))
    if last is None:
        raise MediaError("corrupt_frames", "Not a single frame can be decoded")
    pictures = [pictures[min(place, len(pictures) - 1)] for place in (0, len(pictures) // 2, len(pictures) - 1)]
    height, width = pictures[0].shape[:2]
    return {
        "hashes": [str(imagehash.phash(Image.fromarray(np.ascontiguousarray(picture)))) for picture in pictures],
        "colours": [round(float(mean)) for picture in pictures for mean in picture.reshape(-1, 3).mean(axis=0)],
        "proportion": round(width / height, 3),
    }


def fingerprint_step(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same for a worker process: files of strangers are decoded where a crash hurts nobody."""
    return fingerprint(Path(arguments["path"]))


class KnownLooks(Generic[Key]):
    """Fingerprints by key in the order in which they were added, and which of them shows the same as another one.

    What shows the same has, in the middle hash, a band of bits in common (`core.near_duplicates`): only those are
    compared. With bands of nine bits that is one in seventy, in one go.
    """

    def __init__(self, max_bits: int) -> None:
        self._limits = Limits(max_bits, MAX_COLOUR_STEPS, MIN_CONTRAST_FRAMES)
        self._keys: list[Key] = []
        self._looks = Looks(np.zeros((64, HASHES), np.uint64), np.zeros((64, COLOURS)))
        self._proportions = np.zeros(64)
        self._bands = bands(max_bits)
        self._places: defaultdict[tuple[int, int], array[int]] = defaultdict(partial(array, "L"))
        """Of those that have these bits in this band."""

    def add(self, key: Key, made: Fingerprint) -> None:
        place, looks = len(self._keys), _looks(made)
        if place == len(self._proportions):
            self._looks = Looks(_doubled(self._looks.hashes), _doubled(self._looks.colours))
            self._proportions = _doubled(self._proportions)
        self._keys.append(key)
        self._looks.hashes[place], self._looks.colours[place] = looks.hashes[0], looks.colours[0]
        self._proportions[place] = made["proportion"]
        for of_band in self._of_bands(looks):
            self._places[of_band].append(place)

    def first_like(self, made: Fingerprint) -> Key | None:
        """The key that was added first of those that show the same; None where none does."""
        looks, proportion = _looks(made), float(made["proportion"])
        first = len(self._keys)
        for of_band in self._of_bands(looks):
            places = np.array(self._places.get(of_band, ()), np.intp)
            ratios = self._proportions[places]
            is_same = np.maximum(ratios, proportion) <= np.minimum(ratios, proportion) * MAX_PROPORTION
            places = places[is_same]
            # Ascending, as they were added.
            first = min([first, *places[are_near(looks, self._looks[places], self._limits)][:1].tolist()])
        return self._keys[first] if first < len(self._keys) else None

    def _of_bands(self, looks: Looks) -> list[tuple[int, int]]:
        middle = looks.hashes[0, MIDDLE]
        return [(number, int(middle & band)) for number, band in enumerate(self._bands)]


def _looks(made: Fingerprint) -> Looks:
    return Looks.of([made["hashes"]], [made["colours"]])


def _doubled(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    return np.concatenate([values, np.zeros_like(values)])
