"""Cartoon heads, facial expressions and whole figures.

Belongs here: the look of a character and how it expresses an emotion at a moment in time. Does not
belong here: where characters stand, backgrounds, particles.

A face is drawn in its own frame: the head has radius 1 around the origin, y grows downwards.
"""

import math
from dataclasses import dataclass

import numpy as np

from emovid_assets.demo.drawing import Canvas, Local, Point, arc, drop, star
from emovid_assets.demo.moods import Rgb, hsv, mix

HEADS = ("round", "square", "egg", "wide", "cat", "bear", "bunny", "blob", "robot", "alien")
HAIR = ("none", "tuft", "bob", "spiky", "curls", "bun", "mohawk", "fringe")
ACCESSORIES = ("none", "none", "glasses", "bow", "hat", "crown", "headphones", "cap")

_WHITE: Rgb = (255, 255, 255)
_DARK: Rgb = (40, 24, 32)
_TONGUE: Rgb = (236, 96, 110)
_WATER: Rgb = (110, 190, 250)

_TINTS: dict[str, tuple[Rgb, float]] = {
    "anger": ((226, 44, 32), 0.45),
    "disgust": ((132, 186, 60), 0.45),
    "fear": ((176, 196, 232), 0.45),
    "sadness": ((120, 156, 214), 0.28),
    "amusement": ((255, 206, 80), 0.15),
    "excitement": ((255, 140, 60), 0.15),
}


@dataclass(frozen=True)
class Look:
    """What stays the same of a character while its expression moves."""

    head: str
    skin: Rgb
    hair: str
    hair_colour: Rgb
    accessory: str
    accessory_colour: Rgb
    clothes: Rgb
    variant: int


def draw_look(rng: np.random.Generator, accent: Rgb) -> Look:
    """A random character; its clothes and accessories take the scene's accent colour."""
    head = str(rng.choice(HEADS))
    if head in ("alien", "blob", "robot"):
        skin = hsv(float(rng.uniform(0, 360)), float(rng.uniform(0.3, 0.6)), float(rng.uniform(0.75, 0.98)))
    elif head in ("cat", "bear", "bunny"):
        skin = hsv(float(rng.uniform(15, 45)), float(rng.uniform(0.05, 0.6)), float(rng.uniform(0.6, 0.97)))
    else:
        skin = hsv(float(rng.uniform(18, 34)), float(rng.uniform(0.25, 0.6)), float(rng.uniform(0.5, 0.98)))
    has_hair = head in ("round", "square", "egg", "wide")
    return Look(
        head=head,
        skin=skin,
        hair=str(rng.choice(HAIR)) if has_hair else "none",
        hair_colour=hsv(float(rng.uniform(0, 60)), float(rng.uniform(0.2, 0.9)), float(rng.uniform(0.12, 0.85))),
        accessory=str(rng.choice(ACCESSORIES)),
        accessory_colour=mix(accent, hsv(float(rng.uniform(0, 360)), 0.8, 0.9), 0.4),
        clothes=mix(accent, hsv(float(rng.uniform(0, 360)), 0.6, 0.7), 0.5),
        variant=int(rng.integers(2)),
    )


def _outline(head: str) -> list[Point]:
    if head in ("square", "robot"):
        corner = 0.3 if head == "square" else 0.12
        centres = ((1, 1, 0), (-1, 1, 90), (-1, -1, 180), (1, -1, 270))
        edge = 0.92 - corner
        return [p for sx, sy, a in centres for p in arc(sx * edge, sy * edge, corner, corner, a, a + 90, 5)]
    if head == "egg":
        return arc(0, 0.02, 0.84, 1.02, 0, 360, 30)
    if head == "wide":
        return arc(0, 0.05, 1.12, 0.88, 0, 360, 30)
    if head == "alien":
        return [(x * (1.12 if y < 0 else 0.92), y) for x, y in arc(0, 0, 1.0, 1.05, 0, 360, 30)]
    if head == "blob":
        return [
            ((1 + 0.07 * math.sin(5 * a)) * math.cos(a), (1 + 0.07 * math.sin(5 * a)) * math.sin(a))
            for a in np.linspace(0, 2 * math.pi, 36)
        ]
    return arc(0, 0, 1.0, 0.96, 0, 360, 30)


def _behind(face: Local, look: Look, skin: Rgb) -> None:
    """Ears, long hair, antennae: what the head covers."""
    inner, edge = mix(skin, (250, 150, 160), 0.5), mix(skin, _DARK, 0.45)
    if look.head == "cat":
        for side in (-1, 1):
            face.polygon([(side * 0.98, -0.25), (side * 0.88, -1.25), (side * 0.22, -0.85)], skin)
            face.polygon([(side * 0.86, -0.5), (side * 0.82, -1.05), (side * 0.42, -0.82)], inner)
    elif look.head == "bear":
        for side in (-1, 1):
            face.disc(side * 0.74, -0.76, 0.36, skin)
            face.disc(side * 0.74, -0.76, 0.2, inner)
    elif look.head == "bunny":
        for side in (-1, 1):
            face.ellipse(side * 0.42, -1.3, 0.24, 0.66, skin, side * 10)
            face.ellipse(side * 0.42, -1.3, 0.12, 0.46, inner, side * 10)
    elif look.head == "alien":
        for side in (-1, 1):
            face.line([(side * 0.4, -0.85), (side * 0.62, -1.4)], edge, 0.08)
            face.disc(side * 0.62, -1.42, 0.13, look.accessory_colour)
    elif look.head == "robot":
        face.line([(0, -0.9), (0, -1.3)], edge, 0.09)
        face.disc(0, -1.34, 0.14, look.accessory_colour)
        for side in (-1, 1):
            face.ellipse(side * 0.98, 0, 0.14, 0.28, edge)
    if look.head in ("round", "egg", "square", "wide"):
        for side in (-1, 1):
            face.disc(side * 0.98, 0.08, 0.2, mix(skin, _DARK, 0.12))
    if look.hair == "bob":
        face.ellipse(0, 0.12, 1.2, 1.16, look.hair_colour)
    elif look.hair == "curls":
        for angle in range(150, 391, 24):
            x, y = arc(0, -0.1, 1.0, 1.0, angle, angle, 1)[0]
            face.disc(x, y, 0.32, look.hair_colour)
    elif look.hair == "bun":
        face.disc(0, -1.1, 0.38, look.hair_colour)
        face.ellipse(0, -0.1, 1.06, 1.02, look.hair_colour)


def _on_top(face: Local, look: Look) -> None:
    """Fringe, hats, glasses: what covers the head."""
    colour, dark = look.hair_colour, mix(look.hair_colour, _DARK, 0.3)
    if look.hair in ("bob", "bun", "fringe"):
        face.polygon([*arc(0, -0.05, 1.0, 0.97, 190, 350, 16), (0.5, -0.55), (0.1, -0.42), (-0.45, -0.6)], colour)
    elif look.hair == "tuft":
        for x, lean in ((-0.25, -0.3), (0.0, 0.0), (0.25, 0.3)):
            face.polygon([(x - 0.16, -0.86), (x + lean, -1.35), (x + 0.16, -0.86)], colour)
    elif look.hair == "spiky":
        for index in range(7):
            x = -0.84 + index * 0.28
            y = -0.55 - 0.4 * math.sqrt(max(0.0, 1 - x * x))
            face.polygon([(x - 0.24, y + 0.12), (x * 1.3, y - 0.42), (x + 0.24, y + 0.12)], colour)
    elif look.hair == "mohawk":
        face.polygon(
            [(-0.2, -0.75), (-0.3, -1.4), (0, -1.2), (0.1, -1.5), (0.25, -1.2), (0.4, -1.35), (0.2, -0.75)], colour
        )
    elif look.hair == "curls":
        for x in (-0.6, -0.2, 0.2, 0.6):
            face.disc(x, -0.82 + 0.2 * x * x, 0.26, dark)
    tone = look.accessory_colour
    shade = mix(tone, _DARK, 0.35)
    if look.accessory == "glasses":
        for side in (-1, 1):
            face.line(arc(side * 0.4, -0.1, 0.34, 0.34, 0, 360, 20), shade, 0.07, is_closed=True)
        face.line([(-0.07, -0.12), (0.07, -0.12)], shade, 0.07)
    elif look.accessory == "bow":
        face.polygon([(0.5, -0.85), (0.1, -1.1), (0.1, -0.62)], tone)
        face.polygon([(0.5, -0.85), (0.9, -1.1), (0.9, -0.62)], tone)
        face.disc(0.5, -0.85, 0.12, shade)
    elif look.accessory == "hat":
        face.polygon([(-0.6, -0.75), (-0.5, -1.6), (0.5, -1.6), (0.6, -0.75)], tone)
        face.polygon([(-0.6, -0.78), (-0.57, -1.02), (0.57, -1.02), (0.6, -0.78)], shade)
        face.ellipse(0, -0.74, 1.05, 0.13, tone)
    elif look.accessory == "crown":
        face.polygon(
            [(-0.6, -0.7), (-0.7, -1.4), (-0.3, -1.1), (0, -1.5), (0.3, -1.1), (0.7, -1.4), (0.6, -0.7)], (250, 204, 60)
        )
        face.disc(0, -0.92, 0.1, tone)
    elif look.accessory == "headphones":
        face.line(arc(0, -0.1, 1.08, 1.08, 190, 350, 16), shade, 0.13)
        for side in (-1, 1):
            face.ellipse(side * 1.05, 0.05, 0.2, 0.34, tone)
    elif look.accessory == "cap":
        face.polygon(arc(0, -0.45, 0.95, 0.66, 180, 360, 16), tone)
        face.ellipse(0.62, -0.46, 0.75, 0.13, shade)


def _round_eye(
    face: Local, u: float, v: float, radius: float, pupil: float, look_at: Point, colour: Rgb = _DARK
) -> None:
    face.disc(u, v, radius + 0.035, _DARK)
    face.disc(u, v, radius, _WHITE)
    x, y = u + look_at[0] * (radius - pupil), v + look_at[1] * (radius - pupil)
    face.disc(x, y, pupil, colour)
    face.disc(x - pupil * 0.35, y - pupil * 0.4, pupil * 0.38, _WHITE)


def _lid(face: Local, u: float, v: float, radius: float, slope: float, cover: float, skin: Rgb) -> None:
    """Upper lid of the eye at (u, v): covers the part of the eye above a slanted line."""
    side = 1 if u > 0 else -1
    inner, outer = v - radius * (1 - 2 * cover) + slope * radius, v - radius * (1 - 2 * cover) - slope * radius
    x_inner, x_outer = u - side * radius * 1.25, u + side * radius * 1.25
    top = v - radius * 1.35
    face.polygon([(x_inner, top), (x_outer, top), (x_outer, outer), (x_inner, inner)], skin)
    face.line([(x_inner, inner), (x_outer, outer)], _DARK, 0.08)


def _brows(face: Local, inner: float, outer: float, colour: Rgb, width: float = 0.1) -> None:
    for side in (-1, 1):
        face.line([(side * 0.16, inner), (side * 0.62, outer)], colour, width)


def _eyes(face: Local, emotion: str, look: Look, skin: Rgb, t: float) -> None:
    ink = mix(look.hair_colour, _DARK, 0.6)
    is_blinking = (t * 0.6 + look.variant * 0.37) % 1 > 0.93
    glance = (0.5 * math.sin(t * 1.7), 0.2 * math.cos(t * 1.3))
    for side in (-1, 1):
        u, v = side * 0.4, -0.1
        if emotion == "amusement":
            if look.variant:
                face.line(
                    [(u - side * 0.2, v - 0.16), (u + side * 0.16, v), (u - side * 0.2, v + 0.16)][::-1], _DARK, 0.1
                )
            else:
                face.line(arc(u, v + 0.1, 0.23, 0.26, 190, 350, 9), _DARK, 0.11)
        elif emotion == "contentment":
            if look.variant:
                face.line(arc(u, v - 0.06, 0.22, 0.2, 10, 170, 9), _DARK, 0.1)
            else:
                face.line(arc(u, v + 0.08, 0.19, 0.15, 195, 345, 9), _DARK, 0.1)
        elif emotion == "awe":
            _round_eye(face, u, v, 0.3, 0.22, (0, -0.6), (60, 50, 110))
            face.disc(u + 0.1, v + 0.06, 0.06, _WHITE)
        elif emotion == "excitement":
            if look.variant:
                size = 0.3 + 0.05 * math.sin(t * 9)
                face.polygon(star(u, v, size + 0.07), _DARK)
                face.polygon(star(u, v, size), (255, 222, 60))
            else:
                _round_eye(face, u, v, 0.28, 0.17, glance)
        elif emotion == "anger":
            _round_eye(face, u, v, 0.25, 0.09, (-side * 0.4, 0.3))
            _lid(face, u, v, 0.25, 0.55, 0.38, skin)
        elif emotion == "disgust":
            if look.variant:
                face.line([(u - side * 0.22, v + 0.02), (u + side * 0.22, v - 0.08)], _DARK, 0.1)
                face.line([(u - side * 0.16, v + 0.14), (u + side * 0.2, v + 0.12)], mix(skin, _DARK, 0.4), 0.05)
            else:
                _round_eye(face, u, v, 0.22, 0.1, (0.9, 0.4))
                _lid(face, u, v, 0.22, 0.15, 0.55 if side < 0 else 0.32, skin)
        elif emotion == "fear":
            tremble = 0.02 * math.sin(t * 38 + side)
            _round_eye(face, u + tremble, v - 0.04, 0.31, 0.08, glance)
        else:
            _round_eye(face, u, v, 0.23, 0.15, (0, 0.7), (50, 60, 90))
            _lid(face, u, v, 0.23, -0.5, 0.3 if not is_blinking else 0.8, skin)
    if emotion == "awe":
        _brows(face, -0.58, -0.6, ink)
    elif emotion == "excitement":
        _brows(face, -0.52, -0.56 - 0.05 * math.sin(t * 8), ink)
    elif emotion == "anger":
        _brows(face, -0.24, -0.52, ink, 0.15)
    elif emotion == "disgust":
        face.line([(-0.62, -0.36), (-0.16, -0.28)], ink, 0.1)
        face.line([(0.16, -0.42), (0.62, -0.54)], ink, 0.1)
    elif emotion == "fear":
        _brows(face, -0.66, -0.5, ink, 0.08)
    elif emotion == "sadness":
        _brows(face, -0.54, -0.34, ink)


def _mouth(face: Local, emotion: str, look: Look, t: float) -> None:
    if emotion == "amusement":
        wide = 0.34 + 0.1 * abs(math.sin(t * 7))
        face.polygon(arc(0, 0.26, 0.56, wide + 0.14, 0, 180, 14), _DARK)
        face.polygon(arc(0, 0.26, 0.5, 0.1, 0, 180, 10), _WHITE)
        face.ellipse(0, 0.26 + wide * 0.95, 0.26, 0.12, _TONGUE)
    elif emotion == "awe":
        size = 0.17 + 0.03 * math.sin(t * 2)
        face.ellipse(0, 0.48, size, size * 1.35, _DARK)
        face.ellipse(0, 0.58, size * 0.6, size * 0.5, _TONGUE)
    elif emotion == "contentment":
        face.line(arc(0, 0.26, 0.36, 0.26 + 0.02 * math.sin(t * 2), 20, 160, 11), _DARK, 0.09)
    elif emotion == "excitement":
        wide = 0.4 + 0.07 * math.sin(t * 10)
        face.polygon(arc(0, 0.2, 0.62, wide + 0.16, 0, 180, 16), _DARK)
        face.polygon(arc(0, 0.22, 0.56, 0.16, 0, 180, 10), _WHITE)
        face.ellipse(0, 0.26 + wide * 0.95, 0.32, 0.14, _TONGUE)
    elif emotion == "anger":
        if look.variant:
            half, top, bottom = 0.46, 0.36, 0.66 + 0.03 * math.sin(t * 30)
            face.polygon([(-half, bottom), (-half * 0.8, top), (half * 0.8, top), (half, bottom)], _DARK)
            face.polygon(
                [(-0.38, bottom - 0.05), (-0.32, top + 0.05), (0.32, top + 0.05), (0.38, bottom - 0.05)], _WHITE
            )
            for x in (-0.2, 0.0, 0.2):
                face.line([(x, top), (x * 1.1, bottom)], _DARK, 0.05)
            face.line([(-0.4, (top + bottom) / 2), (0.4, (top + bottom) / 2)], _DARK, 0.05)
        else:
            face.line(arc(0, 0.74, 0.42, 0.32, 200, 340, 11), _DARK, 0.13)
    elif emotion == "disgust":
        wave = [(x, 0.42 + 0.06 * math.sin(x * 11 + t * 3)) for x in np.linspace(-0.42, 0.42, 14)]
        face.line(wave, _DARK, 0.09)
        length = 0.3 + 0.06 * math.sin(t * 4)
        face.polygon([(-0.02, 0.42), (0.34, 0.42), *arc(0.16, 0.42 + length, 0.17, 0.14, 0, 180, 8)], _TONGUE)
        face.line([(0.16, 0.46), (0.16, 0.4 + length)], mix(_TONGUE, _DARK, 0.35), 0.04)
    elif emotion == "fear":
        xs = np.linspace(-0.38, 0.38, 11)
        shiver = 0.02 * math.sin(t * 33)
        upper = [(x, 0.38 + 0.05 * (-1) ** i + shiver) for i, x in enumerate(xs)]
        lower = [(x, 0.66 + 0.05 * (-1) ** i - shiver) for i, x in enumerate(xs)][::-1]
        face.polygon([*upper, *lower], _DARK)
        if look.variant:
            face.polygon([(x, y + 0.07) for x, y in upper] + [(x, y - 0.07) for x, y in lower], _WHITE)
            face.line([(-0.34, 0.52), (0.34, 0.52)], _DARK, 0.04)
    elif look.variant:
        face.line(arc(0, 0.72, 0.34, 0.26 + 0.03 * math.sin(t * 2), 205, 335, 11), _DARK, 0.1)
    else:
        face.ellipse(0, 0.6, 0.26, 0.14 + 0.04 * abs(math.sin(t * 3)), _DARK)
        face.polygon(arc(0, 0.78, 0.3, 0.16, 180, 360, 10), mix(_TONGUE, _DARK, 0.4))


def _extras(face: Local, emotion: str, look: Look, skin: Rgb, t: float) -> None:
    blush = mix(skin, (250, 90, 100), 0.5)
    if emotion in ("contentment", "amusement", "excitement"):
        for side in (-1, 1):
            face.ellipse(side * 0.66, 0.24, 0.17, 0.11, blush)
    if emotion == "amusement":
        for side in (-1, 1):
            sway = 0.05 * math.sin(t * 7 + side)
            face.polygon(drop(side * 0.78, 0.14 + sway, 0.12), _WATER)
    elif emotion == "anger":
        for index in range(2):
            rise = (t * 1.6 + index * 0.5) % 1
            for side in (-1, 1):
                x, y = side * (0.95 + 0.4 * rise), -0.6 - 0.5 * rise
                face.disc(x, y, 0.2 * (1 - 0.5 * rise), mix((250, 236, 230), skin, 0.15 + 0.4 * rise))
        for dx, dy in ((0.45, -0.78), (0.62, -0.62)):
            face.line([(dx - 0.1, dy), (dx, dy + 0.03), (dx + 0.02, dy - 0.12)], (130, 10, 10), 0.06)
    elif emotion == "disgust":
        for x in (-0.66, 0.62):
            face.ellipse(x, 0.26, 0.16, 0.1, mix(skin, (70, 140, 30), 0.6))
    elif emotion == "fear":
        slide = (t * 0.7) % 1
        face.polygon(drop(0.72, -0.5 + 0.5 * slide, 0.12), _WATER)
        if look.variant:
            for x in (-0.5, -0.25, 0.0, 0.25, 0.5):
                face.line([(x, -0.88 + 0.2 * x * x), (x, -0.64)], mix(skin, (60, 70, 140), 0.55), 0.05)
    elif emotion == "sadness":
        for index, side in enumerate((-1, 1)):
            fall = (t * 0.6 + 0.5 * index) % 1
            face.polygon(drop(side * 0.46, 0.2 + 0.65 * fall, 0.11), _WATER)


def draw_face(
    canvas: Canvas,
    x: float,
    y: float,
    radius: float,
    look: Look,
    emotion: str,
    t: float,
    *,
    angle: float = 0.0,
    is_mirrored: bool = False,
) -> None:
    """Draw a head that shows `emotion` at the time `t` (seconds, already scaled by the mood's speed)."""
    face = Local(canvas, x, y, radius, angle=angle, is_mirrored=is_mirrored)
    tint, share = _TINTS.get(emotion, (look.skin, 0.0))
    skin = mix(look.skin, tint, share)
    edge = mix(skin, _DARK, 0.55)
    outline = _outline(look.head)
    _behind(face, look, skin)
    face.polygon(outline, skin)
    face.line(outline, edge, 0.07, is_closed=True)
    if look.head in ("cat", "bear", "bunny"):
        face.ellipse(0, 0.42, 0.52, 0.4, mix(skin, _WHITE, 0.4))
        face.ellipse(0, 0.16, 0.12, 0.08, _DARK)
    elif look.head in ("round", "egg", "square", "wide"):
        face.line(arc(0, 0.12, 0.08, 0.08, 20, 160, 5), edge, 0.06)
    _eyes(face, emotion, look, skin, t)
    _mouth(face, emotion, look, t)
    _extras(face, emotion, look, skin, t)
    _on_top(face, look)


_ARMS: dict[str, tuple[float, float]] = {
    # How high the hands are (up is negative), how far out.
    "amusement": (0.1, 0.75),
    "awe": (-0.55, 0.9),
    "contentment": (0.45, 0.35),
    "excitement": (-1.0, 0.85),
    "anger": (-0.2, 0.85),
    "disgust": (-0.1, 0.7),
    "fear": (-0.7, 0.55),
    "sadness": (0.95, 0.4),
}


def draw_figure(
    canvas: Canvas,
    x: float,
    ground_y: float,
    height: float,
    look: Look,
    emotion: str,
    t: float,
    *,
    bounce: float,
    is_mirrored: bool = False,
) -> None:
    """Draw a whole character of `height` pixels standing at (x, ground_y)."""
    unit = height / 4.6
    hop = abs(math.sin(t * 5)) * bounce * 0.35 * unit
    lean = {"sadness": 6.0, "fear": -6.0, "anger": 5.0}.get(emotion, 3 * math.sin(t * 3) * bounce)
    body = Local(canvas, x, ground_y - hop, unit, angle=lean if not is_mirrored else -lean, is_mirrored=is_mirrored)
    dark = mix(look.clothes, _DARK, 0.5)
    swing = 0.22 * math.sin(t * 4) * (0.3 + bounce)
    for side in (-1, 1):
        body.line([(side * 0.28, -1.0), (side * 0.3 + side * swing, 0)], dark, 0.26)
    body.polygon([(-0.5, -2.3), (0.5, -2.3), (0.62, -0.85), (-0.62, -0.85)], look.clothes)
    body.ellipse(0, -2.25, 0.5, 0.3, look.clothes)
    rise, reach = _ARMS[emotion]
    wave = 0.18 * math.sin(t * 6) * (0.3 + bounce)
    for side in (-1, 1):
        hand = (side * (0.5 + reach), -2.1 + rise + side * wave)
        body.line([(side * 0.45, -2.15), hand], mix(look.clothes, _DARK, 0.2), 0.22)
        body.disc(*hand, 0.17, look.skin)
    head_x, head_y = body.place(0, -3.35 if emotion != "sadness" else -3.2)
    draw_face(canvas, head_x, head_y, unit * 1.05, look, emotion, t, angle=body.angle * 1.5, is_mirrored=is_mirrored)
