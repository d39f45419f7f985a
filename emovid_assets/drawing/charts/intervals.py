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
    """A value with its interval, any of them null; `colour` is a CSS colour, `reference` what to compare it with."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    colour: str
    reference: float | None = None


def intervals(
    slug: str,
    title: str,
    description: str,
    estimates: Sequence[Estimate],
    *,
    axis: str,
    legend: tuple[str, str] | None = None,
) -> Markup:
    """Dots with whiskers from the lowest to the highest end, at least from 0 to 1.

    `axis` may have several lines. `legend` names the dots and the strokes of the references.
    """
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
    foot = bottom + 16
    for words in axis.splitlines():
        foot += 14
        marks.append(label(left + room / 2, foot, words, anchor="middle", kind="muted"))
    if legend:
        foot += 20
        measured, other = left, left + len(legend[0]) * LETTER_PX + 32
        marks += [
            element("circle", cx=measured + 4.2, cy=foot - 4, r=4.2, style=f"fill:{estimates[0].colour}"),
            label(measured + 14, foot, legend[0], kind="muted"),
            _stroke(other, foot - 4),
            label(other + 8, foot, legend[1], kind="muted"),
        ]
    for position, one in enumerate(estimates):
        y = TOP_PX + position * LINE_PX + LINE_PX / 2
        marks.append(label(left - 8, y + 4, one.name, anchor="end"))
        if one.value is None:
            marks.append(label(left + 4, y + 4, "not defined", kind="small"))
            continue
        if one.low is not None and one.high is not None:
            style = f"stroke:{one.colour};stroke-width:2.4;stroke-linecap:round"
            marks.append(line(x_of(one.low), y, x_of(one.high), y, "reach", style=style))
        if one.reference is not None:
            marks.append(_stroke(x_of(one.reference), y))
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
    return figure(slug, WIDTH, foot + 6, title, description, *marks)


def _stroke(x: float, y: float) -> Markup:
    return line(x, y - 7, x, y + 7, "reference")
