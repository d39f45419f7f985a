"""Thousands of points of a few groups, each group one path: a dot is a line of no length with a cap."""

from collections.abc import Mapping, Sequence

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.svg import LETTER_PX, figure, label

WIDTH, PLOT_PX, TOP_PX = 640, 620, 26
SMALL_PX = 200
MANY = 1000
"""Points from which on dots have their smallest size."""
CAPS = ("round", "square", "tick")
Point = tuple[float, float]


class Window:
    """Places of points in a square of `side` px, the same for every drawing of one map; both axes have one scale."""

    def __init__(self, points: Sequence[Point], side: float) -> None:
        self._left, right = min(x for x, _ in points), max(x for x, _ in points)
        low, self._top = min(y for _, y in points), max(y for _, y in points)
        self._scale = (side - 14) / (max(right - self._left, self._top - low) or 1)
        self._indent = (side - (right - self._left) * self._scale) / 2
        self.height = (self._top - low) * self._scale + 14

    def at(self, point: Point) -> Point:
        return self._indent + (point[0] - self._left) * self._scale, 7 + (self._top - point[1]) * self._scale


def _growth(count: int) -> float:
    """How much larger dots are where there are few: eighteen of the smallest would look like dust."""
    return min(2.0, max(1.0, (MANY / max(count, 1)) ** 0.25))


def _dots(places: Sequence[Point], cap: str, growth: float = 1.0) -> str:
    """Path data: lines of no length where there is a cap, otherwise short ones that slope.

    In whole px; what falls on another is not written again, for within a path it would not show.
    """
    if cap == "tick":
        reach = round(2 * growth)
        found = (f"M{x - reach:.0f} {y + reach:.0f}l{2 * reach}-{2 * reach}" for x, y in places)
    else:
        found = (f"M{x:.0f} {y:.0f}h0" for x, y in places)
    return "".join(dict.fromkeys(found))


def _style(colour: str, cap: str, width: float) -> str:
    return f"stroke:{colour};stroke-linecap:{'butt' if cap == 'tick' else cap};stroke-width:{width:g}"


def scatter(
    slug: str, title: str, description: str, groups: Mapping[str, Sequence[Point]], colours: Mapping[str, str]
) -> Markup:
    """Up to three groups: circles, squares and ticks. The axes have no unit and so no numbers."""
    window = Window([point for members in groups.values() for point in members], PLOT_PX)
    growth = _growth(sum(map(len, groups.values())))
    marks = [label(0, 14, title, kind="head")]
    paths = [
        element(
            "path",
            d=_dots([window.at(point) for point in members], cap, growth),
            style=_style(colours[name], cap, growth * (2 if cap == "tick" else 4.6)),
        )
        for (name, members), cap in zip(groups.items(), CAPS, strict=False)
    ]
    marks.append(element("g", *paths, class_="dots", transform=f"translate(0 {TOP_PX})"))
    x, y = 0.0, TOP_PX + window.height + 16
    for (name, members), cap in zip(groups.items(), CAPS, strict=False):
        shown = f"{name} {len(members):,}"
        mark = _dots([(x + 6, y - 4)], cap)
        style = _style(colours[name], cap, 2.6 if cap == "tick" else 8)
        marks += [element("path", d=mark, style=style), label(x + 15, y, shown, kind="muted")]
        x += 30 + len(shown) * LETTER_PX
    return figure(slug, WIDTH, y + 6, title, description, *marks)


def small_maps(
    slug: str, groups: Mapping[str, Sequence[Point]], everything: Sequence[Point], colours: Mapping[str, str]
) -> list[Markup]:
    """A small map per group on the pale map of all points: eight colours on one map nobody can tell apart.

    The pale points are written once, in the first map; the others refer to them and so need it in the same page.
    """
    window = Window(everything, SMALL_PX)
    growth = _growth(len(everything))
    # Written on the path itself: a reference to it from another drawing sees no rules of the page.
    style = f"fill:none;stroke:var(--c-axis);stroke-opacity:.4;stroke-linecap:round;stroke-width:{3 * growth:g}"
    all_dots = _dots([window.at(point) for point in everything], "round")
    pale = element("path", id=f"{slug}-all", d=all_dots, style=style)
    again = element("use", href=f"#{slug}-all")
    drawn = []
    for number, (name, members) in enumerate(groups.items()):
        places = [window.at(point) for point in members]
        own = element("path", d=_dots(places, "round"), style=_style(colours[name], "round", 4 * growth))
        title = f"{name}, n = {len(members):,}"
        marks = element("g", again if number else pale, own, class_="dots", transform="translate(0 20)")
        said = f"{len(members):,} of {len(everything):,} points"
        head = label(0, 12, title, kind="strong")
        drawn.append(figure(f"{slug}-{number}", SMALL_PX, window.height + 22, title, said, head, marks))
    return drawn
