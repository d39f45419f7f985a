"""How much each frame differs from the one before, exactly as PySceneDetect measures it.

Belongs here: the downscaled picture that cut detectors look at, and the sums of its differences. Does not
belong here: what counts as a cut (`scenes`).

Sums are whole numbers, so they can be kept and the same cuts found again without decoding (ADR 11).
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emovid_assets.core.placing import put_into_place
from emovid_assets.core.video.rgb import (
    Conversion,
    RgbConverter,
    has_alpha,
    is_faithful,
    plane_pixels,
    shape_of,
    tagged_source,
)

if TYPE_CHECKING:
    import av

_FULL_RANGE = {"yuv420p": "yuv422p", "yuvj420p": "yuvj422p"}


class Change(NamedTuple):
    """Sums over the downscaled picture of |difference| of OpenCV's 8-bit hue, saturation and value."""

    hue: int
    saturation: int
    value: int


class ChangeMeter:
    """Frames in, changes out."""

    def __init__(self, shrink: "Shrinker") -> None:
        self._shrink = shrink
        self._current: np.ndarray | None = None
        self._previous: np.ndarray | None = None
        self._difference: np.ndarray | None = None

    def measure(self, picture: "av.VideoFrame") -> Change:
        """The change since the frame that was measured last; nothing for the first one."""
        import cv2

        hsv = cv2.cvtColor(self._shrink(picture), cv2.COLOR_BGR2HSV, dst=self._current)
        # Two buffers take turns: a new one per frame would cost more than the conversion of small pictures.
        self._current, self._previous, before = self._previous, hsv, self._previous
        if before is None:
            return Change(0, 0, 0)
        self._difference = cv2.absdiff(hsv, before, dst=self._difference)
        hue, saturation, value, _ = cv2.sumElems(self._difference)
        return Change(int(hue), int(saturation), int(value))


_RECORD = np.dtype([("pts", "<i8"), ("hue", "<u4"), ("saturation", "<u4"), ("value", "<u4")])


def write_changes(path: Path, pts: Sequence[int], changes: Sequence[Change]) -> None:
    """Keeps stamps and changes of all frames of a file, in one step: 20 bytes per frame."""
    records = np.array([(at, *change) for at, change in zip(pts, changes, strict=True)], _RECORD)
    with put_into_place(path) as temporary, temporary.open("wb") as file:
        np.save(file, records)


def read_changes(path: Path) -> tuple[list[int], list[Change]] | None:
    """What `write_changes` kept; null where there is nothing that can be read."""
    try:
        records = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if records.dtype != _RECORD or records.ndim != 1:
        return None
    rows = records.tolist()
    return [row[0] for row in rows], [Change(*row[1:]) for row in rows]


def shrunk_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the picture that PySceneDetect's detectors see."""
    from scenedetect.scene_manager import compute_downscale_factor

    factor = compute_downscale_factor(max(width, height))
    return max(1, round(width / factor)), max(1, round(height / factor))


class Shrinker:
    """Frames as PySceneDetect's detectors see them: 8-bit BGR, wide pictures scaled to 256 pixels.

    Calling it gives uint8 (height, width, 3 or 4), valid until the next call; a fourth channel means nothing.
    Conversions that are faster than the plain one are used only where they are faithful (`rgb.is_faithful`).

    `is_whole`: pictures are converted as a whole, and `whole` is what the last one was before it was made smaller,
    alike; it stays as it is for as long as the frame does.
    """

    whole: np.ndarray

    def __init__(self, first: "av.VideoFrame", converter: RgbConverter, *, is_whole: bool = False) -> None:
        from av.video.reformatter import VideoReformatter
        from scenedetect.scene_manager import compute_downscale_factor

        factor = compute_downscale_factor(max(first.width, first.height))
        self.size = shrunk_size(first.width, first.height)
        self._is_shrunk = factor > 1
        self._converter = converter
        self._reformatter = VideoReformatter()
        self._small: np.ndarray | None = None
        self._shape = shape_of(first)
        self._fast = self._faithful_way(first, factor, is_whole=is_whole)

    def __call__(self, picture: "av.VideoFrame") -> np.ndarray:
        if has_alpha(picture.format.name):
            return self._resize(self._converter.as_tagged(picture))
        if self._fast and shape_of(picture) == self._shape:
            return self._fast(picture)
        return self._by_bgr(picture)

    def _faithful_way(self, first: "av.VideoFrame", factor: float, *, is_whole: bool) -> Conversion | None:
        if first.format.name not in _FULL_RANGE or first.width % 2 or first.height % 2:
            return None
        if not is_whole and _CentreRows.fits(first, factor, self.size):
            rows = _CentreRows(first, int(factor), self._reformatter)
            # A copy: both ways may write to the same memory.
            if is_faithful("rows", lambda some: rows(some)[..., :3].copy(), self._by_bgr, self._shape):
                return rows
        bgra, bgr = (partial(_packed, self._reformatter, pixel_format=name) for name in ("bgra", "bgr24"))
        is_safe = is_faithful("bgra", lambda some: bgra(some)[..., :3], bgr, self._shape.strip())
        return self._by_bgra if is_safe else None

    def _by_bgra(self, picture: "av.VideoFrame") -> np.ndarray:
        return self._resize(_packed(self._reformatter, picture, "bgra"))

    def _by_bgr(self, picture: "av.VideoFrame") -> np.ndarray:
        return self._resize(_packed(self._reformatter, picture, "bgr24"))

    def _resize(self, pixels: np.ndarray) -> np.ndarray:
        import cv2

        self.whole = pixels
        if not self._is_shrunk and pixels.shape[1::-1] == self.size:
            return pixels
        if self._small is not None and self._small.shape[2] != pixels.shape[2]:
            self._small = None
        self._small = cv2.resize(pixels, self.size, dst=self._small, interpolation=cv2.INTER_LINEAR)
        return self._small


def _packed(
    reformatter: "av.video.reformatter.VideoReformatter", picture: "av.VideoFrame", pixel_format: str
) -> np.ndarray:
    source = tagged_source(picture)
    return reformatter.reformat(picture, format=pixel_format, threads=1, **source).to_ndarray()


class _CentreRows:
    """Where the scale is an odd whole number, linear interpolation takes the middle pixel of each block as it is.

    Only the rows with these pixels are converted, a third or a fifth of the picture.
    """

    @staticmethod
    def fits(first: "av.VideoFrame", factor: float, size: tuple[int, int]) -> bool:
        step = int(factor)
        exact = size[0] * step == first.width and size[1] * step == first.height
        return factor == step and step > 1 and step % 2 == 1 and exact

    def __init__(self, first: "av.VideoFrame", step: int, reformatter: "av.video.reformatter.VideoReformatter") -> None:
        import av

        self._step = step
        self._reformatter = reformatter
        # One chroma row per picture row: 4:2:2 instead of 4:2:0.
        self._picture = av.VideoFrame(first.width, first.height // step, _FULL_RANGE[first.format.name])
        luma, *chroma = (plane_pixels(plane) for plane in self._picture.planes)
        top = step // 2
        # (plane, its rows here, its rows there). By strides: rows that are listed are copied twice.
        self._parts = [(0, luma, slice(top, None, step))]
        for number, plane in enumerate(chroma, 1):
            for turn in (0, 1):
                self._parts.append((number, plane[turn::2], slice((top + turn * step) // 2, None, step)))

    def __call__(self, picture: "av.VideoFrame") -> np.ndarray:
        self._picture.colorspace, self._picture.color_range = picture.colorspace, picture.color_range
        planes = [plane_pixels(plane) for plane in picture.planes]
        for number, target, rows in self._parts:
            target[:] = planes[number][rows]
        bgra = _packed(self._reformatter, self._picture, "bgra")
        # As whole numbers of 32 bits: numpy copies pixels of four bytes one byte at a time.
        columns = bgra.view(np.uint32)[:, self._step // 2 :: self._step, 0]
        return np.ascontiguousarray(columns)[..., None].view(np.uint8)
