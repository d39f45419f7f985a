"""Stickers: expressive faces and props on a transparent ground.

Belongs here: the staging of a sticker and its frames. Does not belong here: how faces look, GIF writing.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from emovid_assets.demo.chance import generator_for
from emovid_assets.demo.drawing import Canvas, Image, Local, Point, arc, drop, heart, star
from emovid_assets.demo.encoding import write_gif
from emovid_assets.demo.faces import draw_face, draw_figure, draw_look
from emovid_assets.demo.moods import Rgb, draw_mood, hsv, mix
from emovid_assets.demo.truth import Span

SIZE = 96

_ENLARGED = 3
_BORDER_PX = 2

_PROPS: dict[str, tuple[tuple[str, Rgb], ...]] = {
    "amusement": (("star", (255, 214, 70)), ("balloon", (240, 80, 140)), ("note", (90, 110, 230))),
    "awe": (("spark", (255, 226, 120)), ("star", (150, 130, 250)), ("planet", (110, 90, 220))),
    "contentment": (("flower", (250, 150, 180)), ("leaf", (110, 190, 90)), ("cup", (230, 150, 90))),
    "excitement": (("burst", (255, 120, 50)), ("balloon", (250, 60, 90)), ("star", (255, 220, 40))),
    "anger": (("bolt", (250, 200, 40)), ("burst", (220, 30, 20)), ("bomb", (50, 46, 60))),
    "disgust": (("drop", (140, 190, 50)), ("bone", (236, 232, 206)), ("cloud", (150, 160, 80))),
    "fear": (("ghost", (236, 238, 252)), ("moon", (240, 226, 150)), ("cloud", (110, 110, 150))),
    "sadness": (("broken heart", (200, 70, 100)), ("drop", (100, 170, 240)), ("cloud", (150, 160, 180))),
}


def _simple_outline(kind: str) -> list[Point] | None:
    """Outline of the props that are a single shape of about radius 1; None for the others."""
    if kind == "bolt":
        return [(0.2, -1.0), (-0.6, 0.15), (-0.1, 0.15), (-0.3, 1.0), (0.6, -0.2), (0.1, -0.2), (0.5, -1.0)]
    if kind == "leaf":
        return [*arc(0, 0.35, 1.1, 0.95, 205, 335, 10), *arc(0, -0.35, 1.1, 0.95, 25, 155, 10)]
    outlines = {
        "star": star(0, 0, 1),
        "spark": star(0, 0, 1, points=4, inner=0.25),
        "burst": star(0, 0, 1, points=9, inner=0.62),
        "drop": drop(0, 0.3, 0.6),
    }
    return outlines.get(kind)


def _draw_prop(frame: Local, kind: str, colour: Rgb) -> None:
    dark, pale = mix(colour, (20, 10, 30), 0.4), mix(colour, (255, 255, 255), 0.5)
    outline = _simple_outline(kind)
    if outline is not None:
        frame.polygon(outline, colour)
        frame.line(outline, dark, 0.1, is_closed=True)
    elif kind == "balloon":
        frame.line([(0, 0.6), (0.15, 1.2), (-0.1, 1.8)], dark, 0.09)
        frame.ellipse(0, -0.2, 0.75, 0.9, colour)
        frame.ellipse(-0.25, -0.5, 0.16, 0.28, pale, 20)
    elif kind == "note":
        frame.line([(-0.3, 0.6), (-0.3, -0.9), (0.7, -1.1), (0.7, 0.4)], colour, 0.2)
        frame.ellipse(-0.55, 0.65, 0.34, 0.26, colour)
        frame.ellipse(0.45, 0.45, 0.34, 0.26, colour)
    elif kind == "planet":
        frame.disc(0, 0, 0.72, colour)
        frame.line(arc(0, 0, 1.2, 0.36, -10, 190, 14), pale, 0.16)
    elif kind == "flower":
        for angle in range(0, 360, 60):
            frame.disc(0.55 * math.cos(math.radians(angle)), 0.55 * math.sin(math.radians(angle)), 0.38, colour)
        frame.disc(0, 0, 0.36, (255, 214, 80))
    elif kind == "cup":
        frame.line(arc(0.6, 0.1, 0.4, 0.35, -90, 90, 8), dark, 0.16)
        frame.polygon([(-0.7, -0.5), (0.7, -0.5), (0.5, 0.8), (-0.5, 0.8)], colour)
        frame.ellipse(0, -0.5, 0.7, 0.2, dark)
    elif kind == "bomb":
        frame.line([(0.3, -0.5), (0.7, -1.1)], (160, 110, 60), 0.14)
        frame.disc(-0.05, 0.15, 0.8, colour)
        frame.polygon(star(0.75, -1.15, 0.4, points=6), (255, 190, 40))
        frame.disc(-0.3, -0.15, 0.18, pale)
    elif kind == "bone":
        frame.line([(-0.6, 0.5), (0.6, -0.5)], colour, 0.34)
        for x, y in ((-0.85, 0.45), (-0.55, 0.8), (0.85, -0.45), (0.55, -0.8)):
            frame.disc(x, y, 0.3, colour)
    elif kind == "cloud":
        for x, y, radius in ((-0.6, 0.15, 0.45), (0.6, 0.15, 0.45), (0, -0.15, 0.65), (0, 0.25, 0.5)):
            frame.disc(x, y, radius, colour)
    elif kind == "ghost":
        frame.polygon(
            [*arc(0, -0.2, 0.8, 0.9, 180, 360, 14), *((0.8 - 0.4 * i, 0.9 - 0.3 * (i % 2)) for i in range(5))], colour
        )
        for side in (-1, 1):
            frame.ellipse(side * 0.28, -0.25, 0.14, 0.2, (40, 30, 60))
        frame.ellipse(0, 0.2, 0.16, 0.22, (40, 30, 60))
    elif kind == "moon":
        frame.polygon([*arc(0, 0, 0.9, 0.9, 60, 300, 18), *arc(0.5, 0, 0.72, 0.8, 260, 100, 14)], colour)
    else:
        frame.polygon(heart(0, 0, 1), colour)
        frame.line([(0, -0.55), (0.22, -0.2), (-0.2, 0.1), (0.12, 0.45), (0, 0.85)], (255, 240, 240), 0.14)


class Sticker:
    """One sticker, staged by chance; `frame(i)` paints its i-th frame, RGBA with alpha 0 or 255."""

    def __init__(self, rng: np.random.Generator, emotion: str) -> None:
        self.emotion = emotion
        count = int(rng.integers(9, 16))
        if rng.random() < 0.4:
            self.delays_ms = [int(delay) for delay in rng.choice((60, 80, 120, 200, 300), count)]
        else:
            self.delays_ms = [int(rng.choice((70, 80, 100, 120)))] * count
        self.draw = draw_mood(rng, emotion)
        look = draw_look(rng, self.draw.palette.accent)
        if rng.random() < 0.35:
            yellow = hsv(float(rng.uniform(42, 52)), 0.75, 1.0)
            look = replace(look, head=str(rng.choice(("round", "square", "blob", "wide"))), skin=yellow, hair="none")
        self._look = look
        self._is_mirrored = bool(rng.random() < 0.5)
        self._is_whole_figure = bool(rng.random() < 0.22)
        self._radius = float(rng.uniform(0.19, 0.29)) * SIZE
        room = (self._radius * 1.5 / SIZE, 1 - self._radius * 1.5 / SIZE)
        self._x = float(np.clip(rng.uniform(0.3, 0.7), *room)) * SIZE
        self._y = float(rng.uniform(0.5, 0.63)) * SIZE
        self._tilt = float(rng.normal(0, 9))
        self._backing = str(rng.choice(("none", "none", "disc", "banner", "burst")))
        kinds = _PROPS[emotion]
        self._props = []
        for _ in range(int(rng.integers(0, 4))):
            kind, colour = kinds[int(rng.integers(len(kinds)))]
            angle, distance = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.33, 0.42)) * SIZE
            x, y = SIZE / 2 + distance * math.cos(angle), SIZE / 2 + distance * math.sin(angle)
            self._props.append((kind, colour, x, y, float(rng.uniform(0.06, 0.12)) * SIZE, float(rng.uniform(-25, 25))))

    def frame(self, index: int) -> Image:
        import cv2

        side = SIZE * _ENLARGED
        large = np.zeros((side, side, 4), np.uint8)
        canvas = Canvas(large)
        motion = self.draw.motion
        # The loop closes: everything swings once or twice in a round.
        turn = 2 * math.pi * index / len(self.delays_ms)
        time = sum(self.delays_ms[:index]) / 1000 * max(0.8, motion.speed)
        lively = 0.35 + motion.bounce
        hop = abs(math.sin(turn)) * lively * 5
        shake = motion.shake_px * 1.4 * math.sin(turn * 5)
        self._draw_backing(canvas, turn)
        x, y = (self._x + shake) * _ENLARGED, (self._y - hop + 2) * _ENLARGED
        angle = self._tilt + 7 * lively * math.sin(turn)
        if self._is_whole_figure:
            foot = (SIZE * 0.95) * _ENLARGED
            draw_figure(
                canvas, x, foot, SIZE * 0.8 * _ENLARGED, self._look, self.emotion, time,
                bounce=motion.bounce, is_mirrored=self._is_mirrored,
            )  # fmt: skip
        else:
            draw_face(
                canvas, x, y, self._radius * _ENLARGED, self._look, self.emotion, time,
                angle=angle, is_mirrored=self._is_mirrored,
            )  # fmt: skip
        for number, (kind, colour, prop_x, prop_y, size, lean) in enumerate(self._props):
            swing = math.sin(turn + number * 2)
            frame = Local(
                canvas, prop_x * _ENLARGED, (prop_y + 3 * swing) * _ENLARGED, size * (1 + 0.12 * swing) * _ENLARGED,
                angle=lean + 12 * swing,
            )  # fmt: skip
            _draw_prop(frame, kind, colour)
        small = cv2.resize(large, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        return _with_border(small)

    def _draw_backing(self, canvas: Canvas, turn: float) -> None:
        palette, centre = self.draw.palette, SIZE * _ENLARGED / 2
        colour = mix(palette.second, palette.light, 0.4)
        if self._backing == "disc":
            canvas.disc(self._x * _ENLARGED, self._y * _ENLARGED, self._radius * 1.5 * _ENLARGED, colour)
        elif self._backing == "banner":
            low = (self._y + self._radius * 0.8) * _ENLARGED
            canvas.rectangle(centre * 0.1, low, centre * 1.9, low + centre * 0.3, palette.accent)
        elif self._backing == "burst":
            reach = self._radius * (1.6 + 0.08 * math.sin(turn)) * _ENLARGED
            canvas.polygon(star(self._x * _ENLARGED, self._y * _ENLARGED, reach, points=12, inner=0.75), colour)


def _with_border(premultiplied: Image) -> Image:
    """Hard alpha and a white rim around the drawing, as die-cut stickers have."""
    import cv2

    alpha = premultiplied[..., 3]
    rim = cv2.dilate((alpha > 100).astype(np.uint8), np.ones((2 * _BORDER_PX + 1,) * 2, np.uint8))
    share = alpha[..., None].astype(np.float32) / 255
    pixels = np.zeros_like(premultiplied)
    pixels[..., :3] = np.rint(premultiplied[..., :3] + 255 * (1 - share)).clip(0, 255).astype(np.uint8)
    pixels[..., 3] = rim * 255
    pixels[rim == 0] = 0
    return pixels


def write_sticker(path: Path, seed: int, name: str, emotion: str) -> list[Span]:
    """Make one sticker; return its single scene."""
    sticker = Sticker(generator_for(seed, "sticker", name), emotion)
    write_gif(path, [sticker.frame(index) for index in range(len(sticker.delays_ms))], sticker.delays_ms)
    return [Span(0.0, sum(sticker.delays_ms) / 1000, emotion)]
