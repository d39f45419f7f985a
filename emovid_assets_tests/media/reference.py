"""The colour attributes written straight from their definition, in float64: the judge of the fast path.

Belongs here: also what a viewer sees of a decoded frame, by libswscale with its matrix named. Does not belong here:
files.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

MATRICES = {1: "ITU709", 4: "FCC", 5: "ITU601", 6: "ITU601", 7: "SMPTE240M", 9: "BT2020"}
"""PyAV's names of the matrices that a stream may be tagged with."""


def as_seen(frame: Any) -> np.ndarray:
    """uint8 RGB of a decoded PyAV frame, over white: by its tags, else BT.709 from 1280 × 578 on, else BT.601."""
    name = frame.format.name
    options = {}
    if name.startswith(("yuv", "nv12", "p010")):
        is_large = frame.width >= 1280 or frame.height > 576
        matrix = MATRICES.get(frame.colorspace, "ITU709" if is_large else "ITU601")
        is_full = name.startswith("yuvj") or frame.color_range == 2
        options = {"src_colorspace": matrix, "src_color_range": "JPEG" if is_full else "MPEG"}
    if name == "yuva420p" and frame.height % 2 == 0:
        # libswscale leaves columns of RGBA unwritten for some widths, of RGB never.
        alpha = frame.planes[3]
        shares = np.frombuffer(alpha, np.uint8).reshape(-1, alpha.line_size)[: frame.height, : frame.width]
        return over_white(np.dstack([frame.to_ndarray(format="rgb24", **options), shares]))
    is_opaque = name.startswith(("yuv4", "yuvj", "nv12", "p010", "gray"))
    return (
        frame.to_ndarray(format="rgb24", **options)
        if is_opaque
        else over_white(frame.to_ndarray(format="rgba", **options))
    )


def over_white(rgba: np.ndarray) -> np.ndarray:
    """uint8 RGBA to uint8 RGB over white, to the nearest level."""
    share = rgba[..., 3:].astype(np.float64) / 255
    return np.floor(rgba[..., :3] * share + 255 * (1 - share) + 0.5 - 1e-9).astype(np.uint8)


def hsv(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """h in degrees, S and V of uint8 pixels (…, 3), as float64: the usual hexcone, h = 0 where S = 0."""
    red, green, blue = (rgb[..., channel].astype(np.float64).ravel() for channel in range(3))
    high, low = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    spread = high - low
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = np.where(high == 0, 0.0, spread / high)
        hue = np.select(
            [spread == 0, high == red, high == green],
            [0.0, (60 * (green - blue) / spread) % 360, 60 * (blue - red) / spread + 120],
            60 * (red - green) / spread + 240,
        )
    return hue, saturation, high / 255


@dataclass
class Reference:
    """Sums over all pixels of all frames that were added."""

    frame_count: int = 0
    pixel_count: int = 0
    saturation: float = 0.0
    value: float = 0.0
    sine: float = 0.0
    cosine: float = 0.0
    chromatic_count: int = 0
    chromatic_sine: float = 0.0
    chromatic_cosine: float = 0.0

    def add(self, rgb: np.ndarray) -> None:
        hue, saturation, value = hsv(rgb)
        radians = np.deg2rad(hue)
        sine, cosine = np.sin(radians), np.cos(radians)
        chromatic = (saturation > 0) & (value > 0)
        self.frame_count += 1
        self.pixel_count += hue.size
        self.saturation += float(saturation.sum())
        self.value += float(value.sum())
        self.sine += float(sine.sum())
        self.cosine += float(cosine.sum())
        self.chromatic_count += int(chromatic.sum())
        self.chromatic_sine += float(sine[chromatic].sum())
        self.chromatic_cosine += float(cosine[chromatic].sum())

    def attributes(self) -> dict[str, float | int | None]:
        count = self.pixel_count
        resultant = math.hypot(self.sine, self.cosine) / count
        degrees = math.degrees(math.atan2(self.sine, self.cosine))
        chromatic = math.hypot(self.chromatic_sine, self.chromatic_cosine) / max(self.chromatic_count, 1)
        return {
            "brightness": half_up(self.value / count, 10),
            "colorfulness": half_up(self.saturation / count, 10),
            "hue": int(half_up(degrees, 1)) % 360 if resultant >= 1e-6 else None,
            "brightness_mean": self.value / count,
            "colorfulness_mean": self.saturation / count,
            "hue_mean_deg": degrees % 360 if resultant >= 1e-6 else None,
            "hue_resultant": resultant,
            "hue_chromatic_deg": math.degrees(math.atan2(self.chromatic_sine, self.chromatic_cosine)) % 360
            if chromatic >= 1e-6
            else None,
            "chromatic_share": self.chromatic_count / count,
            "sampled_frame_count": self.frame_count,
            "sampled_pixel_count": count,
        }


def half_up(value: float, steps: int) -> float:
    """Rounds half up to 1/steps; what lies within the noise of summation of a tie is a tie."""
    return math.floor(value * steps + 0.5 + 1e-9) / steps


def reference_of(frames: Iterable[np.ndarray]) -> dict[str, float | int | None]:
    sums = Reference()
    for rgb in frames:
        sums.add(rgb)
    return sums.attributes()


EXACT = ("brightness", "colorfulness", "hue", "sampled_frame_count", "sampled_pixel_count")
MEANS = ("brightness_mean", "colorfulness_mean", "hue_resultant", "chromatic_share")
ANGLES = ("hue_mean_deg", "hue_chromatic_deg")


def differences(ours: dict, reference: dict, tolerance: float = 1e-9) -> dict[str, tuple]:
    """What does not agree: exact columns, means within the tolerance, angles on the circle.

    An angle is only as certain as its resultant is long.
    """
    wrong = {name: (ours[name], reference[name]) for name in EXACT if ours[name] != reference[name]}
    wrong |= {name: (ours[name], reference[name]) for name in MEANS if abs(ours[name] - reference[name]) > tolerance}
    for name in ANGLES:
        a, b = ours[name], reference[name]
        if (a is None) != (b is None):
            wrong[name] = (a, b)
        elif a is not None:
            apart = abs((a - b + 180) % 360 - 180)
            if apart > math.degrees(tolerance) / max(reference["hue_resultant"], 1e-6):
                wrong[name] = (a, b)
    return wrong
