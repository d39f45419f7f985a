"""Values with their intervals, one below the other on a common scale."""

from collections.abc import Sequence
from dataclasses import dataclass

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import number
from emovid_assets.drawing.svg import LETTER_PX, figure, label, line, note, ticks

WIDTH, LINE_PX, TOP_PX = 410, 22, 30
RIGHT_PX = 40


@dataclass(frozen=True)
class Estimate:
    """A value with its interval, any of them null; `colour` is a CSS colour."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    colour: str


def intervals(slug: str, title: str, description: str, estimates: Sequence[Estimate], *, axis: str) -> Markup:
    """Dots with whiskers from the lowest to the highest end, at least from 0 to 1."""
    known = [value for one in estimates for value in (one.value, one.low, one.high) if value is not None]
    low, high = min([0.0, *known]), max([1.0, *known])
    left = max(len(one.name) for one in estimates) * LETTER_PX + 12
    room = WIDTH - left - RIGHT_PX

    def x_of(value: float) -> float:
        return left + (value - low) / (high - low) * room

    bottom = TOP_PX + len(estimates) * LINE_PX
    marks = [label(0, 14, title, kind="head")]
    for at in ticks(low, high):
        marks += [
            line(x_of(at), TOP_PX - 6, x_of(at), bottom, "axis" if abs(at) < 1e-9 else "grid"),
            label(x_of(at), bottom + 14, number(at, 1), anchor="middle", kind="small"),
        ]
    marks.append(label(left + room / 2, bottom + 30, axis, anchor="middle", kind="muted"))
    for position, one in enumerate(estimates):
        y = TOP_PX + position * LINE_PX + LINE_PX / 2
        marks.append(label(left - 8, y + 4, one.name, anchor="end"))
        if one.value is None:
            marks.append(label(left + 4, y + 4, "not defined", kind="small"))
            continue
        if one.low is not None and one.high is not None:
            style = f"stroke:{one.colour};stroke-width:2.4;stroke-linecap:round"
            marks.append(line(x_of(one.low), y, x_of(one.high), y, "reach", style=style))
        marks += [
            element(
                "circle",
                note(f"{one.name}: {number(one.value)} [{number(one.low)}, {number(one.high)}]"),
                cx=float(x_of(one.value)),
                cy=float(y),
                r=4.2,
                style=f"fill:{one.colour};stroke:var(--c-ground);stroke-width:1.4",
            ),
            label(WIDTH, y + 4, number(one.value), anchor="end"),
        ]
    return figure(slug, WIDTH, bottom + 36, title, description, *marks)
