"""The paper's colour attributes, exactly.

Belongs here: HSV, the circular mean, rounding. Does not belong here: which frames are sampled.

Hue, saturation and value of 8-bit RGB take few values: hue depends on the sector, the chroma and one
difference, saturation on maximum and chroma. Counting those integers and multiplying by float64
tables afterwards gives the float64 definition itself, whatever the order of pixels or frames. Faster
float32 sums round differently on flat colours (a hue of 7.5°, a saturation of 0.25), which stickers have.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

_SECTOR_BITS, _CHROMA_BITS = 17, 9
_HUE_BINS = 3 << _SECTOR_BITS
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
    """Counts the pixels of any number of RGB frames, then gives their sums. Holds 6 MiB."""

    def __init__(self) -> None:
        self._hue = np.zeros(_HUE_BINS, np.int64)
        self._saturation = np.zeros(1 << 16, np.int64)
        self._frame_count = 0

    def add(self, rgb: np.ndarray) -> None:
        """Counts a frame: uint8 (height, width, 3)."""
        import cv2

        red, green, blue = cv2.split(rgb)
        top = cv2.max(cv2.max(red, green), blue)
        chroma = cv2.subtract(top, cv2.min(cv2.min(red, green), blue))
        # The hexcone's sector is decided red first, then green, as in the definition.
        sector = np.where(top == red, 0, np.where(top == green, 1, 2)).astype(np.int32)
        first = np.choose(sector, (green, blue, red)).astype(np.int32)
        second = np.choose(sector, (blue, red, green)).astype(np.int32)
        wide_chroma = chroma.astype(np.int32)
        hue_bin = (sector << _SECTOR_BITS) | (wide_chroma << _CHROMA_BITS) | (first - second + 256)
        self._hue += np.bincount(hue_bin.ravel(), minlength=_HUE_BINS)
        saturation_bin = (top.astype(np.int32) << 8) | wide_chroma
        self._saturation += np.bincount(saturation_bin.ravel(), minlength=1 << 16)
        self._frame_count += 1

    def sums(self) -> ColourSums:
        tables = _tables()
        hue, saturation = self._hue.astype(np.float64), self._saturation.astype(np.float64)
        pixel_count = int(self._saturation.sum())
        grey_count = int(self._saturation.reshape(256, 256)[:, 0].sum())
        return ColourSums(
            frame_count=self._frame_count,
            pixel_count=pixel_count,
            sin_sum=float(hue @ tables["sin"]),
            cos_sum=float(hue @ tables["cos"]),
            saturation_sum=float(saturation @ tables["saturation"]),
            value_sum=float(saturation @ tables["value"]),
            chromatic_count=pixel_count - grey_count,
        )


@cache
def _tables() -> dict[str, np.ndarray]:
    """float64 sine and cosine of the hue per hue bin, S and V per saturation bin."""
    sector, chroma, difference = np.meshgrid(np.arange(3), np.arange(256), np.arange(512) - 256, indexing="ij")
    degrees = np.where(chroma == 0, 0.0, 120.0 * sector + 60.0 * difference / np.maximum(chroma, 1))
    radians = np.deg2rad(degrees)
    top, spread = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    return {
        "sin": np.sin(radians).ravel(),
        "cos": np.cos(radians).ravel(),
        "saturation": (spread / np.maximum(top, 1)).ravel(),
        "value": (top / 255.0).ravel(),
    }


def round_half_up(value: float, decimals: int = 0) -> float:
    """Rounds half up, forgiving the noise of summation (1e-9)."""
    scale = 10**decimals
    return math.floor(value * scale + 0.5 + _ROUNDING_SLACK) / scale


def colour_attributes(sums: ColourSums) -> dict[str, Any]:
    """The columns of `colour_attributes` beyond the ids (the paper's equations 1 and 2, pooled over all pixels)."""
    count = sums.pixel_count
    brightness, colorfulness = sums.value_sum / count, sums.saturation_sum / count
    resultant = min(1.0, math.hypot(sums.sin_sum, sums.cos_sum) / count)
    mean_deg = math.degrees(math.atan2(sums.sin_sum, sums.cos_sum))
    has_hue = resultant >= MIN_RESULTANT
    return {
        "brightness": round_half_up(brightness, 1),
        "colorfulness": round_half_up(colorfulness, 1),
        "hue": int(round_half_up(mean_deg)) % 360 if has_hue else None,
        "brightness_mean": brightness,
        "colorfulness_mean": colorfulness,
        "hue_mean_deg": mean_deg % 360.0 if has_hue else None,
        "hue_resultant": resultant,
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
    if math.hypot(sums.sin_sum, cosine) / sums.chromatic_count < MIN_RESULTANT:
        return None
    return math.degrees(math.atan2(sums.sin_sum, cosine)) % 360.0
