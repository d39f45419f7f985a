"""Things that fall, rise and drift in front of a picture.

Belongs here: particle systems as pure functions of time. Does not belong here: why a scene has them.
"""

import math

import numpy as np

from emovid_assets.demo.drawing import Canvas, star
from emovid_assets.demo.moods import Palette, hsv, mix


class Particles:
    """`count` particles of one kind. `draw` may be called for any time, in any order.

    `kind` is one of `moods.PARTICLES`; another raises KeyError. `is_behind` says whether the particles
    belong behind the characters.
    """

    def __init__(self, rng: np.random.Generator, kind: str, count: int, palette: Palette) -> None:
        self._paint = {
            "bubbles": self._bubble,
            "stars": self._star,
            "petals": self._petal,
            "confetti": self._confetto,
            "embers": self._ember,
            "flies": self._fly,
            "fog": self._wisp,
            "rain": self._raindrop,
        }[kind]
        self.is_behind = kind in ("stars", "fog")
        self._palette = palette
        # x, y, size, speed, phase in [0, 1), one row per particle.
        self._seeds = rng.random((count, 5))
        self._wind = float(rng.uniform(-0.25, 0.25))
        self._hue = float(rng.uniform(0, 360))

    def draw(self, canvas: Canvas, t: float) -> None:
        for x, y, size, speed, phase in self._seeds.tolist():
            self._paint(canvas, t, x, y, size, speed, phase)

    def _bubble(self, canvas: Canvas, t: float, x: float, y: float, size: float, speed: float, phase: float) -> None:
        px = (x + 0.03 * math.sin(t * 2 + phase * 6)) % 1 * canvas.width
        py = (1.1 - (y + t * (0.1 + 0.12 * speed)) % 1.2) * canvas.height
        radius = canvas.height * (0.015 + 0.04 * size)
        colour = hsv(self._hue + phase * 360, 0.35, 1.0)
        canvas.disc(px, py, radius, colour)
        canvas.disc(px - radius * 0.3, py - radius * 0.3, radius * 0.3, (255, 255, 255))

    def _star(self, canvas: Canvas, t: float, x: float, y: float, size: float, speed: float, phase: float) -> None:
        px, py = (x + t * 0.01 * speed) % 1 * canvas.width, y * 0.75 * canvas.height
        glow = 0.55 + 0.45 * math.sin(t * (2 + 3 * speed) + phase * 6.3)
        radius = canvas.height * (0.008 + 0.018 * size) * (0.5 + glow)
        canvas.polygon(star(px, py, radius, points=4, inner=0.35), mix(self._palette.light, (255, 255, 255), glow))

    def _petal(self, canvas: Canvas, t: float, x: float, y: float, size: float, speed: float, phase: float) -> None:
        px = (x + 0.05 * math.sin(t * 1.5 + phase * 6) + t * 0.04) % 1.1 * canvas.width
        py = ((y + t * (0.05 + 0.08 * speed)) % 1.1) * canvas.height
        radius = canvas.height * (0.014 + 0.016 * size)
        turn = (t * 60 * (speed + 0.3) + phase * 360) % 360
        canvas.ellipse(px, py, radius, radius * 0.5, mix(self._palette.accent, (255, 255, 255), 0.35 * phase), turn)

    def _confetto(self, canvas: Canvas, t: float, x: float, y: float, size: float, speed: float, phase: float) -> None:
        px = (x + 0.04 * math.sin(t * 3 + phase * 6)) % 1 * canvas.width
        py = ((y + t * (0.15 + 0.2 * speed)) % 1.1) * canvas.height
        radius = canvas.height * (0.012 + 0.014 * size)
        turn = math.radians(t * 200 * (speed + 0.2) + phase * 360)
        dx, dy = radius * math.cos(turn), radius * math.sin(turn)
        flat = 0.3 + 0.5 * abs(math.sin(t * 4 + phase * 6))
        corners = [
            (px + a * dx - b * dy * flat, py + a * dy + b * dx * flat) for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))
        ]
        canvas.polygon(corners, hsv(phase * 360, 0.8, 1.0))

    def _ember(self, canvas: Canvas, t: float, x: float, y: float, size: float, speed: float, phase: float) -> None:
        height = (y + t * (0.18 + 0.25 * speed)) % 1.1
        px = (x + 0.04 * math.sin(t * 5 + phase * 6) + self._wind * height) % 1 * canvas.width
        radius = canvas.height * (0.006 + 0.012 * size) * (1.2 - height * 0.6)
        colour = mix((255, 214, 90), (220, 40, 20), min(1.0, height))
        canvas.disc(px, (1.05 - height) * canvas.height, radius, colour)

    def _fly(self, canvas: Canvas, t: float, x: float, y: float, size: float, speed: float, phase: float) -> None:
        angle = t * (3 + 4 * speed) + phase * 6.3
        px = (x + 0.07 * math.sin(angle) + 0.02 * math.sin(angle * 2.7)) * canvas.width
        py = (0.15 + 0.7 * y + 0.08 * math.cos(angle * 1.3)) * canvas.height
        radius = canvas.height * (0.008 + 0.008 * size)
        wing = mix(self._palette.light, (255, 255, 255), 0.4)
        spread = radius * (0.9 + 0.6 * math.sin(t * 40 + phase * 6))
        canvas.ellipse(px - radius, py - radius, spread, radius * 0.6, wing, -35)
        canvas.ellipse(px + radius, py - radius, spread, radius * 0.6, wing, 35)
        canvas.disc(px, py, radius, (30, 30, 24))

    def _wisp(self, canvas: Canvas, t: float, x: float, y: float, size: float, speed: float, phase: float) -> None:
        """Pairs of eyes that open and close in the dark."""
        is_open = (t * 0.25 * (0.5 + speed) + phase) % 1
        if is_open > 0.7:
            return
        lid = min(1.0, 6 * is_open, 6 * (0.7 - is_open))
        px, py = (0.04 + 0.92 * x) * canvas.width, (0.1 + 0.6 * y) * canvas.height
        radius = canvas.height * (0.016 + 0.014 * size)
        colour = mix(self._palette.accent, (255, 255, 190), 0.4)
        for side in (-1, 1):
            canvas.ellipse(px + side * radius * 1.5, py, radius, radius * 0.75 * lid, colour, side * 18)
            canvas.ellipse(px + side * radius * 1.5, py, radius * 0.3, radius * 0.6 * lid, (16, 12, 20))

    def _raindrop(self, canvas: Canvas, t: float, x: float, y: float, size: float, speed: float, phase: float) -> None:
        fall = (y + t * (1.1 + 0.8 * speed)) % 1.15
        px, py = (x + self._wind * fall * 0.5) % 1 * canvas.width, fall * canvas.height - 4
        length = canvas.height * (0.03 + 0.04 * size)
        colour = mix(self._palette.sky_bottom, (214, 226, 240), 0.55)
        canvas.line([(px, py), (px + self._wind * length * 0.5, py + length)], colour, 1)
