"""Cartoon shorts: one character close up, one emotion, a few seconds.

Belongs here: the staging of a short and its frames. Does not belong here: how faces and backdrops look.
"""

import math
from pathlib import Path

import numpy as np

from emovid_assets.demo.chance import generator_for
from emovid_assets.demo.drawing import Canvas, Image, arc
from emovid_assets.demo.encoding import write_mp4
from emovid_assets.demo.faces import draw_face, draw_figure, draw_look
from emovid_assets.demo.moods import draw_mood, mix
from emovid_assets.demo.particles import Particles
from emovid_assets.demo.scenery import PATTERNS, make_pattern
from emovid_assets.demo.sound import SAMPLE_RATE_HZ, synthesise
from emovid_assets.demo.truth import Span

FPS = 12
WIDTH, HEIGHT = 192, 144
DURATION_S = (3.0, 5.0)

_MARGIN = 16


class Short:
    """One short, staged by chance; `frame(i)` paints its i-th frame."""

    def __init__(self, rng: np.random.Generator, emotion: str) -> None:
        self.emotion = emotion
        self.frame_count = round(float(rng.uniform(*DURATION_S)) * FPS)
        self.draw = draw_mood(rng, emotion)
        palette = self.draw.palette
        pattern = str(rng.choice(PATTERNS))
        self._backdrop = make_pattern(rng, pattern, palette, WIDTH + 2 * _MARGIN, HEIGHT)
        if rng.random() < 0.5:
            self._backdrop = np.ascontiguousarray(self._backdrop[:, ::-1])
        self._particles = Particles(
            rng, self.draw.motion.particles, max(4, self.draw.motion.particle_count // 2), palette
        )
        self._look = draw_look(rng, palette.accent)
        self._is_mirrored = bool(rng.random() < 0.5)
        self._x = float(rng.uniform(0.24, 0.76)) * WIDTH
        self._is_whole_figure = bool(rng.random() < 0.3)
        self._radius = float(rng.uniform(0.22, 0.36)) * HEIGHT
        self._y = float(rng.uniform(0.42, 0.56)) * HEIGHT
        self._drift = float(rng.uniform(-1, 1))
        self._floor = float(rng.uniform(0.72, 0.9)) * HEIGHT
        self._has_bubble = bool(rng.random() < 0.35)

    def frame(self, index: int) -> Image:
        motion, palette = self.draw.motion, self.draw.palette
        time_s = index / FPS
        time = time_s * motion.speed
        slide = round(_MARGIN + self._drift * _MARGIN * math.sin(time * 0.6))
        pixels = np.ascontiguousarray(self._backdrop[:, slide : slide + WIDTH])
        canvas = Canvas(pixels)
        bounce = motion.bounce
        shake = motion.shake_px * 0.8 * math.sin(time_s * 40)
        x = self._x + self._drift * 7 * math.sin(time * 1.1) + shake
        y = self._y - abs(math.sin(time * 4)) * bounce * 5
        if self._particles.is_behind:
            self._particles.draw(canvas, time)
        if self._is_whole_figure:
            canvas.ellipse(x, self._floor + 12, 32, 6, mix(palette.ground, (0, 0, 0), 0.4))
            draw_figure(
                canvas, x, self._floor + 12, HEIGHT * 0.72, self._look, self.emotion, time,
                bounce=bounce, is_mirrored=self._is_mirrored,
            )  # fmt: skip
        else:
            canvas.ellipse(
                x, HEIGHT * 1.04, self._radius * 1.5, HEIGHT * 1.04 - y - self._radius * 0.55, self._look.clothes
            )
            angle = 6 * math.sin(time * 2.6) * (0.25 + bounce)
            draw_face(
                canvas, x, y, self._radius, self._look, self.emotion, time, angle=angle, is_mirrored=self._is_mirrored
            )
        if self._has_bubble:
            self._speech(canvas, time)
        if not self._particles.is_behind:
            self._particles.draw(canvas, time)
        return pixels

    def _speech(self, canvas: Canvas, time: float) -> None:
        """A speech bubble on the free side, with three dots that take turns."""
        x, y = (WIDTH * 0.82 if self._x < WIDTH / 2 else WIDTH * 0.18), HEIGHT * 0.2
        lean = -14 if self._x < WIDTH / 2 else 14
        canvas.polygon([(x + lean, y + 22), (x - 5, y + 8), (x + 5, y + 8)], (255, 255, 255))
        canvas.polygon(arc(x, y, 24, 14, 0, 360, 20), (255, 255, 255))
        for index in range(3):
            grown = 2.2 + 1.2 * max(0.0, math.sin(time * 4 - index))
            canvas.disc(x - 10 + index * 10, y, grown, self.draw.palette.ink)


def write_short(path: Path, seed: int, name: str, emotion: str) -> list[Span]:
    """Make one short; return its single scene."""
    short = Short(generator_for(seed, "short", name), emotion)
    sample_count = short.frame_count * SAMPLE_RATE_HZ // FPS
    samples = synthesise(generator_for(seed, "sound", name), short.draw.sound, sample_count)
    write_mp4(path, (short.frame(index) for index in range(short.frame_count)), FPS, samples)
    return [Span(0.0, round(short.frame_count / FPS, 6), emotion)]
