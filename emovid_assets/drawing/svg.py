"""The frame of a figure: an SVG with a title and a description, and the marks that all charts share.

Belongs here: what every chart needs. What a chart shows is in `charts/`. Sizes are in px of the figure's own
coordinates; figures are at most 440 wide, so that a phone shows them with legible letters.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emovid_assets.drawing import palette
from emovid_assets.drawing.markup import Markup, coordinate, element, join

CHART_STYLE = Path(__file__).with_name("chart.css")
LETTER_PX = 7.2
"""Width of a letter at the charts' 11 px, generously."""


def figure(slug: str, width: float, height: float, title: str, description: str, *marks: Any) -> Markup:
    """An accessible figure. `slug` is unique in a page; `description` says in words what the marks show."""
    return element(
        "svg",
        element("title", title, id=f"{slug}-title"),
        element("desc", description, id=f"{slug}-desc"),
        *marks,
        class_="chart",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        width=float(width),
        height=float(height),
        role="img",
        aria_labelledby=f"{slug}-title {slug}-desc",
    )


def label(x: float, y: float, content: Any, *, anchor: str = "start", kind: str | None = None, **more: Any) -> Markup:
    """Text with its base line at y."""
    return element("text", content, x=float(x), y=float(y), text_anchor=anchor, class_=kind, **more)


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid", **more: Any) -> Markup:
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=kind, **more)


def rectangle(x: float, y: float, width: float, height: float, colour: str | None = None, **more: Any) -> Markup:
    style = f"fill:{colour}" if colour else None
    return element(
        "rect",
        x=float(x),
        y=float(y),
        width=max(0.0, float(width)),
        height=max(0.0, float(height)),
        style=style,
        **more,
    )


def note(content: str) -> Markup:
    """What a mark says when a pointer rests on it, and to a screen reader."""
    return element("title", content)


def points(places: list[tuple[float, float]]) -> str:
    return " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in places)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, a range that holds zero: steps of 1, 2 or 5 times a power of ten."""
    power = 10.0
    while power > (high - low) / wanted:
        power /= 10
    while power * 10 <= (high - low) / wanted:
        power *= 10
    step = next(power * factor for factor in (1, 2, 5, 10) if (high - low) / (power * factor) <= wanted)
    return list(_steps(low, high, step))


def _steps(low: float, high: float, step: float) -> Iterator[float]:
    number = -(-low // step)
    while number * step <= high + step * 1e-9:
        yield number * step
        number += 1


def standalone(drawing: Markup) -> str:
    """The figure as a `data:` address that needs no page around it: light, on white."""
    style = element("style", Markup(f".chart{{{palette.variables(palette.LIGHT)}}}{CHART_STYLE.read_text('utf-8')}"))
    ground = rectangle(0, 0, 10_000, 10_000, "#ffffff")
    opening, rest = drawing.split(">", 1)
    whole = join(Markup(f"{opening}>"), style, ground, Markup(rest))
    return "data:image/svg+xml;base64," + base64.b64encode(whole.encode()).decode()
