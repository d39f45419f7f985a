"""How often a number lies where: a bar a bin."""

from collections.abc import Sequence

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import clips, count, short
from emovid_assets.drawing.svg import figure, label, line, note, rectangle, ticks

WIDTH, HEIGHT = 420, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 42, 182


def histogram(slug: str, title: str, description: str, edges: Sequence[float], counts: Sequence[int]) -> Markup:
    """`counts` of the bins between `edges`, of which there is one more; the bars begin at zero."""
    low, high = edges[0], edges[-1]
    most = max(counts) or 1

    def x_of(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def height_of(value: float) -> float:
        return value / most * (BOTTOM - TOP)

    marks = [label(0, 14, title, kind="head"), label(LEFT - 6, TOP - 10, "count", anchor="end", kind="small")]
    for at in ticks(0, most, 4):
        # Half a clip is nowhere.
        if at.is_integer():
            y = BOTTOM - height_of(at)
            marks += [line(LEFT, y, WIDTH - RIGHT, y), label(LEFT - 6, y + 4, count(at), anchor="end", kind="small")]
    for left, right, n in zip(edges, edges[1:], counts, strict=False):
        x, height = x_of(left) + 0.5, height_of(n)
        bar = rectangle(x, BOTTOM - height, x_of(right) - 0.5 - x, height, class_="bin")
        marks.append(element("g", note(f"{short(left)} to {short(right)}: {clips(n)}"), bar))
    marks.append(line(LEFT, BOTTOM, WIDTH - RIGHT, BOTTOM, "axis"))
    for at in ticks(low, high, 6):
        marks.append(label(x_of(at), BOTTOM + 16, short(at), anchor="middle", kind="small"))
    return figure(slug, WIDTH, HEIGHT, title, description, *marks)
