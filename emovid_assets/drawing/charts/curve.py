"""A share over bins: a line with its intervals, and below it how many clips each bin has."""

from collections.abc import Sequence
from dataclasses import dataclass

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import clips, count, percent
from emovid_assets.drawing.svg import figure, label, line, note, points, rectangle

WIDTH, HEIGHT = 410, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 30, 205
COUNT_TOP, COUNT_BOTTOM = 222, 262


@dataclass(frozen=True)
class Bin:
    """`share`, `low` and `high` are null where the bin is empty."""

    at: float
    n: int
    share: float | None
    low: float | None
    high: float | None


def curve(
    slug: str, title: str, description: str, bins: Sequence[Bin], *, across: str, up: str, reference: float | None
) -> Markup:
    """Shares from 0 to 1 over bins from 0 to 1. `reference` is a dashed line: the share of all bins together."""
    step = (WIDTH - LEFT - RIGHT) / 11

    def x_of(at: float) -> float:
        return LEFT + (at * 10 + 0.5) * step

    def y_of(share: float) -> float:
        return BOTTOM - share * (BOTTOM - TOP)

    marks = [label(0, 14, title, kind="head")]
    for share in (0, 0.25, 0.5, 0.75, 1):
        marks += [
            line(LEFT, y_of(share), WIDTH - RIGHT, y_of(share)),
            label(LEFT - 6, y_of(share) + 4, percent(share, 0), anchor="end", kind="small"),
        ]
    if reference is not None:
        marks.append(line(LEFT, y_of(reference), WIDTH - RIGHT, y_of(reference), "middle"))
    for run in _runs(bins):
        upper = [(x_of(one.at), y_of(one.high or 0)) for one in run]
        lower = [(x_of(one.at), y_of(one.low or 0)) for one in reversed(run)]
        if len(run) > 1:
            marks.append(element("polygon", points=points(upper + lower), class_="band"))
            middle = [(x_of(one.at), y_of(one.share or 0)) for one in run]
            marks.append(element("polyline", points=points(middle), class_="curve"))
    for one in bins:
        if one.share is None:
            continue
        said = f"{across} {one.at:.1f}: {percent(one.share)} of {clips(one.n)}"
        x = x_of(one.at)
        marks += [
            line(x, y_of(one.low or 0), x, y_of(one.high or 0), "whisker"),
            element("circle", note(said), cx=float(x), cy=float(y_of(one.share)), r=3.6, class_="dot"),
        ]
    most = max((one.n for one in bins), default=0) or 1
    for one in bins:
        height = (COUNT_BOTTOM - COUNT_TOP - 11) * one.n / most
        x = x_of(one.at)
        marks += [
            rectangle(x - step * 0.36, COUNT_BOTTOM - height, step * 0.72, height, class_="count", rx=1),
            label(x, COUNT_BOTTOM - height - 3, count(one.n) if one.n else "", anchor="middle", kind="small"),
            label(x, COUNT_BOTTOM + 14, f"{one.at:.1f}", anchor="middle", kind="small"),
        ]
    marks += [
        line(LEFT, COUNT_BOTTOM, WIDTH - RIGHT, COUNT_BOTTOM, "axis"),
        label(LEFT - 6, COUNT_BOTTOM, "n", anchor="end", kind="small"),
        label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, across, anchor="middle", kind="muted"),
        label(WIDTH - RIGHT, 14, up, anchor="end", kind="small"),
    ]
    return figure(slug, WIDTH, HEIGHT, title, description, *marks)


def _runs(bins: Sequence[Bin]) -> list[list[Bin]]:
    """Neighbouring bins that are not empty: a line across a gap would claim what nobody measured."""
    found: list[list[Bin]] = [[]]
    for one in bins:
        if one.share is None:
            found.append([])
        else:
            found[-1].append(one)
    return [run for run in found if run]
