"""The circle of hues with dots in their own colours: the angle is the hue, the radius the saturation."""

from collections.abc import Sequence
from colorsys import hsv_to_rgb
from math import cos, radians, sin

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import short
from emovid_assets.drawing.svg import figure, label, line

WIDTH, HEIGHT = 320, 330
CENTRE_X, CENTRE_Y, RADIUS = 160, 180, 120
RINGS = (0.25, 0.5, 0.75, 1.0)

Colour = tuple[float, float, float]
"""Hue in degrees, saturation and value from 0 to 1."""


def hue_circle(slug: str, title: str, description: str, colours: Sequence[Colour]) -> Markup:
    """Zero degrees (red) to the right, angles counter-clockwise. The description stands below the title."""
    marks = [label(0, 14, title, kind="head"), label(0, 30, description, kind="small")]
    marks += [element("circle", cx=CENTRE_X, cy=CENTRE_Y, r=ring * RADIUS, class_="ring") for ring in RINGS]
    for angle in range(0, 360, 45):
        x, y = _at(angle, 1)
        name_x, name_y = _at(angle, 1.13)
        marks += [
            line(CENTRE_X, CENTRE_Y, x, y),
            label(name_x, name_y + 4, f"{angle}°", anchor="middle", kind="small"),
        ]
    dots = []
    for hue_deg, saturation, value in colours:
        x, y = _at(hue_deg, saturation)
        dots.append(element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, fill=_hexadecimal(hue_deg, saturation, value)))
    marks.append(element("g", *dots, class_="hues"))
    for ring in RINGS:
        x, y = _at(67.5, ring)
        marks.append(label(x, y + 4, short(ring), anchor="middle", kind="small halo"))
    return figure(slug, WIDTH, HEIGHT, title, description, *marks)


def _at(angle_deg: float, radius: float) -> tuple[float, float]:
    turned = radians(angle_deg)
    return CENTRE_X + RADIUS * radius * cos(turned), CENTRE_Y - RADIUS * radius * sin(turned)


def _hexadecimal(hue_deg: float, saturation: float, value: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in hsv_to_rgb(hue_deg / 360, saturation, value))
