"""The paper's colour attributes, exactly.

Belongs here: HSV, the circular mean, rounding. Does not belong here: which frames are sampled.

Hue, saturation and value of 8-bit RGB take few values: hue depends on the sector, the chroma and one
difference, saturation on maximum and chroma. Counting those integers and multiplying by float64
tables afterwards gives the float64 definition itself, whatever the order of pixels or frames. Faster
float32 sums round differently on flat colours (a hue of 7.5°, a saturation of 0.25), which stickers have.

Within a sector the difference d of the other two channels lies in -c … c for the chroma c, so c² + c + d runs
through 0 … 65,535 without a gap: the hue of a pixel is one 16-bit number and its sector.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

HUE_BINS, LEVEL_BINS = 12, 8
"""Bins of a palette: hue over 360°, saturation and value over 0 to 1."""

_HUE_VALUES, _LEVEL_VALUES = 3 << 16, 1 << 16
_SUMMED_AT_ONCE = 128
_BLOCK_PIXELS = 1 << 16
"""Pixels that are worked on at a time: the intermediate pictures then stay in the processor's cache."""
_WAITING_PIXELS = 1 << 19
"""Hue numbers are counted in bulk: a count over 196,608 bins costs as much as a few ten thousand pixels."""
_FLOAT32_WHOLE = 1 << 24
"""OpenCV counts in float32, which is exact up to here."""
_ROUNDING_SLACK = 1e-9
"""Summation noise must not decide a tie: 0.25 rounds half up to 0.3 whatever the order of addition."""

MIN_RESULTANT = 1e-6
"""Below this resultant length hues cancel and there is no mean direction."""


@dataclass(frozen=True)
class ColourSums:
    """Sums over pixels; add the sums of two frames to pool them."""

    frame_count: int
    pixel_count: int
    sin_sum: float
    cos_sum: float
    saturation_sum: float
    value_sum: float
    chromatic_count: int

    def __add__(self, other: "ColourSums") -> "ColourSums":
        return ColourSums(*(a + b for a, b in zip(self.as_tuple(), other.as_tuple(), strict=True)))

    def as_tuple(self) -> tuple[Any, ...]:
        return tuple(vars(self).values())


class ColourCounter:
    """Counts the pixels of any number of RGB frames, then gives their sums. Holds up to 6 MiB."""

    def __init__(self) -> None:
        self._hue: np.ndarray | None = None
        self._levels = np.zeros((256, 256), np.int64)
        self._recent_levels = np.zeros((256, 256), np.float32)
        self._recent_level_count = 0
        self._waiting = np.zeros(_WAITING_PIXELS, np.int64)
        self._waiting_count = 0
        self._frame_count = 0
        self._filled: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None

    def add(self, rgb: np.ndarray) -> None:
        """Counts a frame: uint8 (height, width, 3)."""
        import cv2

        self.add_planes(*cv2.split(rgb))

    def add_planes(self, red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> None:
        """Counts a frame: three times uint8 (height, width)."""
        height, width = red.shape
        columns = min(width, _BLOCK_PIXELS)
        rows = _BLOCK_PIXELS // columns
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                block = (slice(top, top + rows), slice(left, left + columns))
                self._add_block(red[block], green[block], blue[block])
        self._frame_count += 1

    def _add_block(self, red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> None:
        import cv2

        top = cv2.max(cv2.max(red, green), blue)
        chroma = cv2.subtract(top, cv2.min(cv2.min(red, green), blue))
        self._count_levels(top, chroma)
        # The hexcone's sector is decided red first, then green, as in the definition.
        is_red, is_green = cv2.compare(top, red, cv2.CMP_EQ), cv2.compare(top, green, cv2.CMP_EQ)
        wide_red, wide_green, wide_blue = red.astype(np.int16), green.astype(np.int16), blue.astype(np.int16)
        difference = wide_red - wide_green
        cv2.copyTo(wide_blue - wide_red, is_green, difference)
        cv2.copyTo(wide_green - wide_blue, is_red, difference)
        number = chroma.astype(np.uint16)
        number *= number + np.uint16(1)
        number += difference.view(np.uint16)
        # Masks are 0 or 255, and 255 is -1: 2 for blue, 1 for green, 0 for red.
        sector = cv2.bitwise_and(is_green + np.uint8(2), cv2.bitwise_not(is_red)).astype(np.uint16)
        if self._waiting_count + number.size > _WAITING_PIXELS:
            self._count_hues()
        # Four half words make one number of 64 bits, the low one first.
        place = self._waiting[self._waiting_count : self._waiting_count + number.size]
        nothing = np.zeros_like(number)
        cv2.merge([number, sector, nothing, nothing], place.view(np.uint16).reshape(*number.shape, 4))
        self._waiting_count += number.size

    def _count_hues(self) -> None:
        if self._waiting_count:
            counted = np.bincount(self._waiting[: self._waiting_count], minlength=_HUE_VALUES)
            # Of a drawn clip there is nothing to be added to.
            self._hue = counted if self._hue is None else np.add(self._hue, counted, out=self._hue)
            self._waiting_count = 0
            self._filled = None

    def _count_levels(self, top: np.ndarray, chroma: np.ndarray) -> None:
        import cv2

        if self._recent_level_count + top.size > _FLOAT32_WHOLE:
            self._settle_levels()
        limits = [0, 256, 0, 256]
        cv2.calcHist([top, chroma], [0, 1], None, [256, 256], limits, self._recent_levels, accumulate=True)
        self._recent_level_count += top.size

    def _settle_levels(self) -> None:
        if self._recent_level_count:
            self._levels += self._recent_levels.astype(np.int64)
            self._recent_levels[:] = 0
            self._recent_level_count = 0
            self._filled = None

    def _settled(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The hue numbers that were counted and how often, and the same of the levels."""
        self._settle_levels()
        self._count_hues()
        if self._filled is None:
            hues = np.zeros(0, np.int64) if self._hue is None else self._hue
            self._filled = (*_filled(hues), *_filled(self._levels.ravel()))
        return self._filled

    def sums(self) -> ColourSums:
        """The sums over everything counted so far."""
        hues, hue_counts, levels, level_counts = self._settled()
        tables = _tables()
        pixel_count = int(level_counts.sum())
        return ColourSums(
            frame_count=self._frame_count,
            pixel_count=pixel_count,
            sin_sum=_sum_in_place(hues, hue_counts * tables["sin"][hues], _HUE_VALUES),
            cos_sum=_sum_in_place(hues, hue_counts * tables["cos"][hues], _HUE_VALUES),
            saturation_sum=_sum_in_place(levels, level_counts * tables["saturation"][levels], _LEVEL_VALUES),
            value_sum=_sum_in_place(levels, level_counts * tables["value"][levels], _LEVEL_VALUES),
            chromatic_count=pixel_count - int(self._levels[:, 0].sum()),
        )

    def palette(self) -> list[float]:
        """Shares (28,): 12 of hue, each pixel weighing its chroma, 8 of saturation, 8 of value; each part sums to 1.

        All zero for the hues where there is no colour.
        """
        hues, hue_counts, levels, level_counts = self._settled()
        tables = _tables()
        # All sums are whole, so that their order changes none.
        parts = [
            np.bincount(tables["hue_bin"][hues], hue_counts * tables["chroma"][hues], HUE_BINS),
            np.bincount(tables["saturation_bin"][levels], level_counts, LEVEL_BINS),
            np.bincount(tables["value_bin"][levels], level_counts, LEVEL_BINS),
        ]
        return [float(share) for part in parts for share in (part / part.sum() if part.sum() > 0 else part)]


def _filled(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bins that hold something, and what they hold: a tenth of them in a clip, a thousandth in a drawn one."""
    # Of truth values numpy finds those that are set in a sixth of the time.
    bins = np.flatnonzero(counts != 0)
    return bins, counts[bins]


def _sum_in_place(places: np.ndarray, values: np.ndarray, length: int) -> float:
    """The sum of an array of `length` numbers that holds `values` at the ascending `places` and else zeros.

    To the last bit what numpy gives for the whole array: it halves down to `_SUMMED_AT_ONCE` numbers, which go into
    eight sums in turn. Colours that were measured before and after stay equal so, and empty bins cost nothing.
    """
    block = length
    while block > _SUMMED_AT_ONCE:
        block //= 2
    sums = np.bincount(places // block * 8 + places % 8, values, length // block * 8)
    while len(sums) > 1:
        sums = sums[::2] + sums[1::2]
    return float(sums[0])


@cache
def _tables() -> dict[str, np.ndarray]:
    """What the counted numbers stand for: per hue number (196,608,), and per maximum and chroma (65,536,)."""
    number = np.arange(1 << 16)
    chroma = np.sqrt(number.astype(np.float64)).astype(np.int64)
    difference = number - chroma * chroma - chroma
    degrees = (120.0 * np.arange(3)[:, None] + 60.0 * difference / np.maximum(chroma, 1)).ravel()
    radians = np.deg2rad(degrees)
    top, spread = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    saturation, value = (spread / np.maximum(top, 1)).ravel(), (top / 255.0).ravel()

    def bins(shares: np.ndarray, count: int) -> np.ndarray:
        return np.clip((shares * count).astype(np.int64), 0, count - 1)

    return {
        "sin": np.sin(radians),
        "cos": np.cos(radians),
        "chroma": np.tile(chroma, 3).astype(np.float64),
        "hue_bin": bins(degrees % 360 / 360, HUE_BINS),
        "saturation": saturation,
        "saturation_bin": bins(saturation, LEVEL_BINS),
        "value": value,
        "value_bin": bins(value, LEVEL_BINS),
    }


def round_half_up(value: float, decimals: int = 0) -> float:
    """Rounds half up, forgiving the noise of summation (1e-9)."""
    scale = 10**decimals
    return math.floor(value * scale + 0.5 + _ROUNDING_SLACK) / scale


def colour_attributes(sums: ColourSums) -> dict[str, Any]:
    """The columns of `colour_attributes` beyond the ids (the paper's equations 1 and 2, pooled over all pixels)."""
    count = sums.pixel_count
    brightness, colorfulness = sums.value_sum / count, sums.saturation_sum / count
    resultant = math.hypot(sums.sin_sum, sums.cos_sum) / count
    mean_deg = _direction(sums.sin_sum, sums.cos_sum, count)
    return {
        "brightness": round_half_up(brightness, 1),
        "colorfulness": round_half_up(colorfulness, 1),
        "hue": None if mean_deg is None else int(round_half_up(mean_deg)) % 360,
        "brightness_mean": brightness,
        "colorfulness_mean": colorfulness,
        "hue_mean_deg": None if mean_deg is None else mean_deg % 360.0,
        "hue_resultant": min(1.0, resultant),
        "hue_chromatic_deg": _chromatic_hue(sums),
        "chromatic_share": sums.chromatic_count / count,
        "sampled_frame_count": sums.frame_count,
        "sampled_pixel_count": count,
    }


def _chromatic_hue(sums: ColourSums) -> float | None:
    """Grey pixels have h = 0 and add (0, 1) to the vector sum; without them only colours speak."""
    if sums.chromatic_count == 0:
        return None
    cosine = sums.cos_sum - (sums.pixel_count - sums.chromatic_count)
    mean_deg = _direction(sums.sin_sum, cosine, sums.chromatic_count)
    return None if mean_deg is None else mean_deg % 360.0


def _direction(sin_sum: float, cos_sum: float, count: int) -> float | None:
    """Circular mean of `count` hues, -180° to 180°; null where they cancel."""
    if math.hypot(sin_sum, cos_sum) / count < MIN_RESULTANT:
        return None
    return math.degrees(math.atan2(sin_sum, cos_sum))


def mean_colour(attributes: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """A clip's colour as a point whose components copies share, from a row of `colour_attributes`.

    Mean value v; then, times the product of mean saturation and mean value, 1 and the sum of the unit vectors of the
    hues of what is not grey. The product, because the saturation and the hue of dark and of grey pixels are noise.
    All components are in -1 to 1.
    """
    value = attributes["brightness_mean"]
    weight = attributes["colorfulness_mean"] * value
    radians, length = math.radians(attributes["hue_mean_deg"] or 0.0), attributes["hue_resultant"]
    cosine = length * math.cos(radians) - (1 - attributes["chromatic_share"])
    return value, weight, weight * cosine, weight * length * math.sin(radians)
