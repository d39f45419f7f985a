"""Horizontal bars with their numbers beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.svg import figure, label, note, rectangle

WIDTH, LINE_PX, TOP_PX = 400, 23, 30
LEFT_PX, RIGHT_PX = 88, 92


@dataclass(frozen=True)
class Bar:
    """`shown` is written at the end of the bar; `colour` is a CSS colour."""

    name: str
    value: float
    shown: str
    colour: str


def bars(slug: str, title: str, description: str, entries: Sequence[Bar], *, highest: float | None = None) -> Markup:
    """One bar an entry, in the order given. `highest` is the value of a full bar, by default the greatest."""
    full = highest or max((bar.value for bar in entries), default=0) or 1
    room = WIDTH - LEFT_PX - RIGHT_PX
    marks = [label(0, 14, title, kind="head")]
    for position, bar in enumerate(entries):
        y = TOP_PX + position * LINE_PX
        marks += [
            label(LEFT_PX - 8, y + 12, bar.name, anchor="end"),
            element("rect", x=float(LEFT_PX), y=float(y), width=float(room), height=16.0, rx=2, class_="track"),
            element(
                "g",
                note(f"{bar.name}: {bar.shown}"),
                rectangle(LEFT_PX, y, room * bar.value / full, 16, bar.colour, rx=2),
            ),
            label(LEFT_PX + room + 8, y + 12, bar.shown, kind="muted"),
        ]
    return figure(slug, WIDTH, TOP_PX + len(entries) * LINE_PX, title, description, *marks)
