"""A canvas with sub-pixel shapes, and shapes in a turned, scaled and mirrored frame of their own.

Belongs here: shapes. Does not belong here: what they depict (faces, scenery, particles).

Angles are degrees, clockwise as seen, because y grows downwards. Coordinates are pixels and may be
fractions: OpenCV takes them as fixed point numbers.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emovid_assets.demo.moods import Rgb

Image = npt.NDArray[np.uint8]
Point = tuple[float, float]

_SHIFT = 4
_FIXED = 1 << _SHIFT


class Canvas:
    """Draws onto an H × W × 3 (RGB) or H × W × 4 (RGBA, drawn shapes are opaque) array, in place."""

    def __init__(self, pixels: Image) -> None:
        import cv2

        self.pixels = pixels
        self.height, self.width = pixels.shape[:2]
        self._cv2 = cv2
        # A soft edge on a transparent ground would turn into a dark fringe: RGBA canvases are drawn
        # large and hard-edged, and scaled down instead.
        self._has_alpha = pixels.shape[2] == 4
        self._line_type = cv2.LINE_8 if self._has_alpha else cv2.LINE_AA

    def _colour(self, colour: Rgb) -> tuple[int, ...]:
        return (*colour, 255) if self._has_alpha else colour

    def _points(self, points: Sequence[Point]) -> npt.NDArray[np.int32]:
        return np.rint(np.asarray(points, dtype=np.float64) * _FIXED).astype(np.int32).reshape(-1, 1, 2)

    def polygon(self, points: Sequence[Point], colour: Rgb) -> None:
        self._cv2.fillPoly(self.pixels, [self._points(points)], self._colour(colour), self._line_type, _SHIFT)

    def line(self, points: Sequence[Point], colour: Rgb, width: float, *, is_closed: bool = False) -> None:
        thickness = max(1, round(width))
        self._cv2.polylines(
            self.pixels, [self._points(points)], is_closed, self._colour(colour), thickness, self._line_type, _SHIFT
        )

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float, colour: Rgb, angle: float = 0.0) -> None:
        centre = (round(x * _FIXED), round(y * _FIXED))
        axes = (max(1, round(radius_x * _FIXED)), max(1, round(radius_y * _FIXED)))
        self._cv2.ellipse(self.pixels, centre, axes, angle, 0, 360, self._colour(colour), -1, self._line_type, _SHIFT)

    def disc(self, x: float, y: float, radius: float, colour: Rgb) -> None:
        self.ellipse(x, y, radius, radius, colour)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)


class Local:
    """A frame of its own on a canvas: origin, size of the unit in pixels, turn, mirror.

    Lengths are in units of `scale`; widths of lines too.
    """

    def __init__(
        self, canvas: Canvas, x: float, y: float, scale: float, *, angle: float = 0.0, is_mirrored: bool = False
    ) -> None:
        self.canvas, self.x, self.y, self.scale, self.angle = canvas, x, y, scale, angle
        self._sign = -1.0 if is_mirrored else 1.0
        self._cos, self._sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def place(self, u: float, v: float) -> Point:
        """Pixel position of a point of this frame."""
        u *= self._sign * self.scale
        v *= self.scale
        return self.x + u * self._cos - v * self._sin, self.y + u * self._sin + v * self._cos

    def polygon(self, points: Sequence[Point], colour: Rgb) -> None:
        self.canvas.polygon([self.place(*point) for point in points], colour)

    def line(self, points: Sequence[Point], colour: Rgb, width: float = 0.07, *, is_closed: bool = False) -> None:
        placed = [self.place(*point) for point in points]
        self.canvas.line(placed, colour, width * self.scale, is_closed=is_closed)

    def ellipse(self, u: float, v: float, radius_u: float, radius_v: float, colour: Rgb, angle: float = 0.0) -> None:
        x, y = self.place(u, v)
        turn = self.angle + self._sign * angle
        self.canvas.ellipse(x, y, radius_u * self.scale, radius_v * self.scale, colour, turn)

    def disc(self, u: float, v: float, radius: float, colour: Rgb) -> None:
        self.ellipse(u, v, radius, radius, colour)


def arc(u: float, v: float, radius_u: float, radius_v: float, start: float, end: float, count: int = 12) -> list[Point]:
    """Points of an elliptic arc from `start` to `end` degrees; 0 is right, 90 is down."""
    first, step = math.radians(start), math.radians(end - start) / max(1, count - 1)
    angles = [first + step * index for index in range(count)]
    return [(u + radius_u * math.cos(a), v + radius_v * math.sin(a)) for a in angles]


def star(
    u: float, v: float, radius: float, *, points: int = 5, inner: float = 0.45, turn: float = -90.0
) -> list[Point]:
    """Corners of a star."""
    corners = []
    for index in range(points * 2):
        angle = math.radians(turn + index * 180 / points)
        length = radius if index % 2 == 0 else radius * inner
        corners.append((u + length * math.cos(angle), v + length * math.sin(angle)))
    return corners


def heart(u: float, v: float, radius: float) -> list[Point]:
    """Outline of a heart about as wide as 2 × radius."""
    steps = np.linspace(0, 2 * math.pi, 28)
    return [
        (
            u + radius * math.sin(s) ** 3,
            v - radius * (13 * math.cos(s) - 5 * math.cos(2 * s) - 2 * math.cos(3 * s) - math.cos(4 * s)) / 16,
        )
        for s in steps
    ]


def drop(u: float, v: float, radius: float) -> list[Point]:
    """A drop of liquid with its tip upwards, its round part centred at (u, v)."""
    return [(u, v - 2.2 * radius), *arc(u, v, radius, radius, -30, 210, 14)]
