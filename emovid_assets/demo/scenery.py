"""Places: still backgrounds in two depths.

Belongs here: landscapes, towns, rooms and patterns in a palette. Does not belong here: anything that moves.
"""

import math
from dataclasses import dataclass

import numpy as np

from emovid_assets.demo.drawing import Canvas, Image, arc, star
from emovid_assets.demo.moods import Palette, Rgb, mix

PLACES = ("hills", "town", "sea", "room", "forest", "mountains", "desert", "stage")
PATTERNS = ("rays", "dots", "stripes", "rings", "checks", "hills", "room", "town")


@dataclass(frozen=True)
class Place:
    """Two layers of equal height. `near` covers `far` where `near_mask` is 255; `horizon` in [0, 1] of the height."""

    far: Image
    near: Image
    near_mask: Image
    horizon: float


def gradient(width: int, height: int, top: Rgb, bottom: Rgb) -> Image:
    """Vertical gradient, H × W × 3."""
    share = np.linspace(0, 1, height)[:, None, None]
    column = np.asarray(top) * (1 - share) + np.asarray(bottom) * share
    return np.ascontiguousarray(np.broadcast_to(np.rint(column), (height, width, 3)).astype(np.uint8))


def _glow(pixels: Image, x: float, y: float, radius: float, colour: Rgb, strength: float) -> None:
    height, width = pixels.shape[:2]
    distance = np.hypot(np.arange(width)[None, :] - x, np.arange(height)[:, None] - y)
    share = (strength * np.exp(-((distance / radius) ** 2)))[..., None]
    pixels[:] = np.rint(pixels * (1 - share) + np.asarray(colour) * share).astype(np.uint8)


def _ridge(
    rng: np.random.Generator, width: int, base: float, swing: float, roughness: float
) -> list[tuple[float, float]]:
    xs = np.linspace(0, width, max(24, width // 6))
    ys = np.full_like(xs, base)
    for octave in range(1, 5):
        ys -= swing / octave**roughness * np.sin(xs / width * 5.5 * octave + rng.uniform(0, 6.3)) * 0.6
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]


def _fill_below(canvas: Canvas, ridge: list[tuple[float, float]], colour: Rgb) -> None:
    canvas.polygon([*ridge, (canvas.width, canvas.height), (0, canvas.height)], colour)


def _tree(canvas: Canvas, x: float, y: float, size: float, trunk: Rgb, crown: Rgb, *, is_pine: bool) -> None:
    canvas.rectangle(x - size * 0.07, y - size * 0.45, x + size * 0.07, y, trunk)
    if is_pine:
        for level in range(3):
            half, low = size * (0.36 - 0.09 * level), y - size * (0.22 + 0.24 * level)
            canvas.polygon(
                [(x - half, low), (x, low - size * 0.42), (x + half, low)], mix(crown, (255, 255, 255), 0.05 * level)
            )
    else:
        for dx, dy, radius in ((-0.2, -0.55, 0.25), (0.2, -0.55, 0.25), (0, -0.78, 0.3)):
            canvas.disc(x + dx * size, y + dy * size, radius * size, crown)


def _house(canvas: Canvas, x: float, y: float, size: float, wall: Rgb, roof: Rgb, window: Rgb) -> None:
    canvas.rectangle(x - size * 0.4, y - size * 0.6, x + size * 0.4, y, wall)
    canvas.polygon([(x - size * 0.5, y - size * 0.6), (x, y - size), (x + size * 0.5, y - size * 0.6)], roof)
    canvas.rectangle(x - size * 0.3, y - size * 0.45, x - size * 0.08, y - size * 0.22, window)
    canvas.rectangle(x + size * 0.06, y - size * 0.4, x + size * 0.28, y, roof)


def _towers(rng: np.random.Generator, canvas: Canvas, base: float, colour: Rgb, window: Rgb, tall: float) -> None:
    x = -10.0
    while x < canvas.width:
        wide = float(rng.uniform(0.1, 0.22)) * canvas.height
        top = base - float(rng.uniform(0.25, 1.0)) * tall
        tone = mix(colour, (0, 0, 0), float(rng.uniform(0, 0.25)))
        canvas.rectangle(x, top, x + wide, canvas.height, tone)
        for row in range(int((base - top) // 9)):
            for column in range(int(wide // 7)):
                if rng.random() < 0.5:
                    left, upper = x + 2 + column * 7, top + 4 + row * 9
                    canvas.rectangle(left, upper, left + 3, upper + 4, window)
        x += wide + float(rng.uniform(-1, 6))


def _room(rng: np.random.Generator, canvas: Canvas, palette: Palette, floor: float) -> None:
    width, height = canvas.width, canvas.height
    stripes = int(rng.integers(0, 3))
    if stripes:
        pitch = width / float(rng.uniform(8, 18))
        for index in range(int(width / pitch) + 1):
            tone = mix(palette.sky_bottom, palette.far, 0.25)
            canvas.rectangle(index * pitch, 0, index * pitch + pitch * 0.5, height, tone)
    canvas.rectangle(0, floor, width, height, palette.ground)
    canvas.rectangle(0, floor - 3, width, floor, mix(palette.ground, palette.ink, 0.5))
    for _ in range(int(rng.integers(1, 4))):
        x, size = float(rng.uniform(0.05, 0.95)) * width, float(rng.uniform(0.14, 0.26)) * height
        y = float(rng.uniform(0.2, 0.4)) * height
        canvas.rectangle(x - size, y - size, x + size, y + size, mix(palette.near, palette.ink, 0.4))
        canvas.rectangle(x - size * 0.86, y - size * 0.86, x + size * 0.86, y + size * 0.86, palette.light)
        if rng.random() < 0.5:
            canvas.rectangle(x - size * 0.06, y - size, x + size * 0.06, y + size, mix(palette.near, palette.ink, 0.4))
        else:
            canvas.polygon(
                [
                    (x - size * 0.86, y + size * 0.86),
                    (x - size * 0.1, y - size * 0.3),
                    (x + size * 0.8, y + size * 0.86),
                ],
                palette.second,
            )
    x = float(rng.uniform(0.1, 0.9)) * width
    canvas.rectangle(x - 1.5, floor - height * 0.4, x + 1.5, floor + 4, palette.ink)
    canvas.polygon(
        [
            (x - 12, floor - height * 0.36),
            (x - 6, floor - height * 0.5),
            (x + 6, floor - height * 0.5),
            (x + 12, floor - height * 0.36),
        ],
        palette.accent,
    )
    sofa = float(rng.uniform(0.15, 0.85)) * width
    tone = mix(palette.second, palette.ink, 0.2)
    canvas.ellipse(sofa, floor - 8, 34, 20, tone)
    canvas.rectangle(sofa - 40, floor - 12, sofa + 40, floor + 10, mix(tone, palette.ink, 0.15))


def _sky(rng: np.random.Generator, pixels: Image, canvas: Canvas, palette: Palette) -> None:
    width, height = canvas.width, canvas.height
    x, y = float(rng.uniform(0.12, 0.88)) * width, float(rng.uniform(0.1, 0.45)) * height
    radius = float(rng.uniform(0.06, 0.2)) * height
    _glow(pixels, x, y, radius * 3.0, palette.light, 0.6)
    canvas.disc(x, y, radius, palette.light)
    if rng.random() < 0.4:
        canvas.disc(x + radius * 0.45, y - radius * 0.2, radius * 0.85, mix(palette.light, palette.sky_top, 0.8))
    for _ in range(int(rng.integers(0, 5))):
        cx, cy = float(rng.uniform(0, width)), float(rng.uniform(0.05, 0.45)) * height
        size = float(rng.uniform(0.05, 0.12)) * height
        tone = mix(palette.sky_bottom, (255, 255, 255), float(rng.uniform(0.12, 0.4)))
        for dx, dy, scale in ((-1.2, 0.2, 0.7), (0, 0, 1.0), (1.2, 0.25, 0.75)):
            canvas.ellipse(cx + dx * size, cy + dy * size, size * scale * 1.2, size * scale * 0.7, tone)


def make_place(rng: np.random.Generator, kind: str, palette: Palette, width: int, height: int) -> Place:
    """Paint a place `width` × `height` pixels large. `kind` is one of PLACES."""
    far = gradient(width, height, palette.sky_top, palette.sky_bottom)
    near = np.zeros((height, width, 4), np.uint8)
    behind, front = Canvas(far), Canvas(near)
    horizon = float(rng.uniform(0.5, 0.78))
    base = horizon * height
    if kind == "room":
        _room(rng, behind, palette, base)
    elif kind == "stage":
        behind.rectangle(0, base, width, height, palette.ground)
        for index in range(int(rng.integers(3, 7))):
            x = float(rng.uniform(0, width))
            tone = mix(palette.sky_bottom, palette.light if index % 2 else palette.accent, 0.45)
            behind.polygon([(x - 4, 0), (x + 4, 0), (x + 40, height), (x - 40, height)], tone)
        for x in range(0, width + 16, 16):
            front.ellipse(x, 0, 10, float(rng.uniform(10, 24)), palette.second)
    else:
        _sky(rng, far, behind, palette)
    if kind in ("hills", "forest"):
        _fill_below(behind, _ridge(rng, width, base - 8, height * 0.16, 1.0), palette.far)
        _fill_below(behind, _ridge(rng, width, base + 8, height * 0.1, 1.2), palette.ground)
        is_pine = bool(rng.random() < 0.5)
        count = int(rng.integers(7, 14)) if kind == "forest" else int(rng.integers(1, 4))
        for _ in range(count):
            x, size = float(rng.uniform(0, width)), float(rng.uniform(0.3, 0.75)) * height
            crown = mix(palette.near, palette.far, float(rng.uniform(0, 0.6)))
            _tree(behind, x, base + float(rng.uniform(4, 22)), size, palette.ink, crown, is_pine=is_pine)
        if kind == "hills":
            _house(
                behind,
                float(rng.uniform(0, width)),
                base + 14,
                height * 0.3,
                palette.light,
                palette.accent,
                palette.ink,
            )
    elif kind == "town":
        _towers(rng, behind, base, palette.far, palette.light, height * 0.55)
        behind.rectangle(0, base + 10, width, height, palette.ground)
        behind.rectangle(0, base + 10, width, base + 14, mix(palette.ground, palette.light, 0.4))
        for x in range(0, width, 40):
            front.rectangle(x + 18, base - height * 0.25, x + 20, height * 0.95, palette.ink)
            front.disc(x + 19, base - height * 0.26, 4, palette.light)
    elif kind == "sea":
        behind.rectangle(0, base - 10, width, height, palette.ground)
        for _ in range(26):
            x, y = float(rng.uniform(0, width)), float(rng.uniform(base - 8, height))
            behind.line([(x, y), (x + float(rng.uniform(8, 26)), y)], mix(palette.ground, palette.light, 0.4), 1)
        x = float(rng.uniform(0.1, 0.9)) * width
        behind.polygon([(x - 22, base + 4), (x + 22, base + 4), (x + 14, base + 14), (x - 14, base + 14)], palette.ink)
        behind.polygon([(x, base - 34), (x, base + 2), (x + 18, base + 2)], palette.light)
    elif kind == "mountains":
        for depth in range(3):
            tone = mix(palette.far, palette.near, depth / 2)
            x = -30.0
            while x < width:
                wide, tall = (
                    float(rng.uniform(0.4, 0.9)) * height,
                    float(rng.uniform(0.25, 0.7)) * height * (1 - 0.25 * depth),
                )
                foot = base + depth * 8
                behind.polygon([(x, foot), (x + wide / 2, foot - tall), (x + wide, foot)], tone)
                if depth < 2:
                    behind.polygon(
                        [
                            (x + wide * 0.4, foot - tall * 0.8),
                            (x + wide / 2, foot - tall),
                            (x + wide * 0.6, foot - tall * 0.8),
                        ],
                        mix(tone, palette.light, 0.7),
                    )
                x += wide * float(rng.uniform(0.4, 0.9))
        behind.rectangle(0, base + 16, width, height, palette.ground)
    elif kind == "desert":
        _fill_below(behind, _ridge(rng, width, base, height * 0.1, 1.6), palette.far)
        _fill_below(behind, _ridge(rng, width, base + 14, height * 0.08, 1.6), palette.ground)
        for _ in range(int(rng.integers(2, 6))):
            x, y, size = float(rng.uniform(0, width)), base + float(rng.uniform(8, 30)), float(rng.uniform(14, 34))
            tone = mix(palette.near, palette.ink, 0.3)
            behind.line([(x, y), (x, y - size)], tone, 5)
            behind.line([(x, y - size * 0.4), (x - 8, y - size * 0.4), (x - 8, y - size * 0.75)], tone, 4)
            behind.line([(x, y - size * 0.3), (x + 8, y - size * 0.3), (x + 8, y - size * 0.6)], tone, 4)
    if kind not in ("town", "stage"):
        _foreground(rng, front, palette)
    mask = np.ascontiguousarray(near[..., 3])
    return Place(far=far, near=np.ascontiguousarray(near[..., :3]), near_mask=mask, horizon=horizon)


def _foreground(rng: np.random.Generator, front: Canvas, palette: Palette) -> None:
    """Grass, stones or nothing along the lower edge."""
    kind = int(rng.integers(3))
    tone = mix(palette.near, palette.ink, 0.45)
    if kind == 0:
        for _ in range(front.width // 5):
            x, tall = float(rng.uniform(0, front.width)), float(rng.uniform(6, 26))
            front.line([(x, front.height), (x + float(rng.uniform(-6, 6)), front.height - tall)], tone, 2)
    elif kind == 1:
        for _ in range(front.width // 40):
            x, size = float(rng.uniform(0, front.width)), float(rng.uniform(8, 24))
            front.ellipse(x, front.height, size * 1.4, size, tone)


def make_pattern(rng: np.random.Generator, kind: str, palette: Palette, width: int, height: int) -> Image:
    """Paint the backdrop of a cartoon short, H × W × 3. `kind` is one of PATTERNS."""
    if kind in PLACES:
        place = make_place(rng, kind, palette, width, height)
        place.far[place.near_mask > 0] = place.near[place.near_mask > 0]
        return place.far
    pixels = gradient(width, height, palette.sky_top, palette.sky_bottom)
    canvas = Canvas(pixels)
    tone = mix(palette.sky_bottom, palette.second, 0.5)
    x, y = float(rng.uniform(0.1, 0.9)) * width, float(rng.uniform(0.1, 0.9)) * height
    if kind == "rays":
        count = int(rng.integers(7, 15))
        for index in range(count):
            start = index * 360 / count
            canvas.polygon([(x, y), *arc(x, y, width * 1.5, width * 1.5, start, start + 180 / count, 3)], tone)
    elif kind == "rings":
        step = float(rng.uniform(12, 26))
        for index in range(int(width * 1.4 / step), 0, -1):
            canvas.disc(x, y, index * step, tone if index % 2 else palette.sky_bottom)
    elif kind == "stripes":
        pitch, lean = float(rng.uniform(14, 40)), float(rng.uniform(-80, 80))
        for index in range(-6, int(width / pitch) + 7):
            left = index * pitch
            canvas.polygon(
                [(left, 0), (left + pitch / 2, 0), (left + pitch / 2 + lean, height), (left + lean, height)], tone
            )
    elif kind == "checks":
        size = float(rng.uniform(16, 34))
        for row in range(math.ceil(height / size)):
            for column in range(math.ceil(width / size)):
                if (row + column) % 2:
                    canvas.rectangle(column * size, row * size, (column + 1) * size, (row + 1) * size, tone)
    else:
        pitch = float(rng.uniform(18, 34))
        for row in range(math.ceil(height / pitch) + 1):
            for column in range(math.ceil(width / pitch) + 1):
                u, v = (column + 0.5 * (row % 2)) * pitch, row * pitch
                if rng.random() < 0.5:
                    canvas.disc(u, v, pitch * 0.22, tone)
                else:
                    canvas.polygon(star(u, v, pitch * 0.26), tone)
    return pixels
