"""The frame of a figure: an SVG with a title and a description, and the marks that all charts share.

Belongs here: what every chart needs. What a chart shows is in `charts/`. Sizes are in px of the figure's own
coordinates; figures are at most 440 wide, so that a phone shows them with legible letters.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from emovid_assets.drawing import palette
from emovid_assets.drawing.markup import Markup, coordinate, element

CHART_STYLE = Path(__file__).with_name("chart.css")
LETTER_PX = 7.2
"""Width of a letter at the charts' 11 px, generously."""
MARGIN_PX = 8
GAP_PX = 14
NOTE = re.compile("<title>[^<]*</title>")
RULE = re.compile(r"\.chart \.([\w-]+)")


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
    """Round numbers from `low` to a greater `high`: steps of 1, 2 or 5 times a power of ten, from zero."""
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
        # Without the sign that a zero may have here.
        yield number * step + 0.0
        number += 1


def size_of(drawing: Markup) -> tuple[float, float]:
    """Width and height in px that `figure` wrote."""
    found = re.search(r' width="([\d.]+)" height="([\d.]+)"', drawing)
    assert found, "a figure says how large it is"
    return float(found[1]), float(found[2])


def grid(slug: str, title: str, description: str, drawings: Sequence[Markup], columns: int) -> Markup:
    """Figures as one, row by row, in places that are all as large as the largest of them."""
    sizes = [size_of(drawing) for drawing in drawings]
    across, down = (max(side) + GAP_PX for side in zip(*sizes, strict=True))
    placed = [
        element("g", drawing, transform=f"translate({place % columns * across:g} {24 + place // columns * down:g})")
        for place, drawing in enumerate(drawings)
    ]
    height = 24 + -(-len(drawings) // columns) * down - GAP_PX
    return figure(
        slug, columns * across - GAP_PX, height, title, description, label(0, 14, title, kind="head"), *placed
    )


def standalone(drawing: Markup) -> str:
    """The figure as a `data:` address that needs no page around it: light, with a margin of white.

    An image answers no pointer and knows no theme of its page: the notes of its marks are left out, and it brings the
    ground that its colours were chosen for.
    """
    width, height = (side + 2 * MARGIN_PX for side in size_of(drawing))
    whole = element(
        "svg",
        element("style", Markup(_style_of(drawing))),
        rectangle(0, 0, width, height, "#ffffff"),
        element("g", Markup(NOTE.sub("", drawing)), transform=f"translate({MARGIN_PX} {MARGIN_PX})"),
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
    )
    return "data:image/svg+xml;base64," + base64.b64encode(whole.encode()).decode()


def _style_of(drawing: Markup) -> str:
    """Colours and rules that the drawing uses: each of many images in an event log brings its own."""
    rules = "".join(
        rule
        for rule in CHART_STYLE.read_text("utf-8").splitlines()
        if not (named := RULE.match(rule)) or named[1] in drawing
    )
    colours = palette.variables(palette.LIGHT).split(";")
    used = [colour for colour in colours if f"({colour.split(':')[0]})" in rules + drawing]
    return f".chart{{{';'.join(used)}}}{rules}"
