"""How a labeller learnt: quality on held-out clips above, the loss of the steps below."""

from collections.abc import Mapping, Sequence

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import number
from emovid_assets.drawing.svg import figure, label, line, note, points, ticks

WIDTH, HEIGHT = 430, 330
LEFT, RIGHT, TOP, MIDDLE, LOSS_TOP, BOTTOM = 44, 92, 30, 175, 205, 285
COLOURS = {"accuracy": "var(--d-movie)", "macro F1": "var(--d-animation)"}


def training_curves(
    slug: str,
    title: str,
    epochs: Sequence[float],
    quality: Mapping[str, Sequence[float]],
    losses: Sequence[float | None],
    best: int,
) -> Markup:
    """`quality` (accuracy, macro F1; 0 to 1) and `losses` (null before the first step) have a value an epoch listed.

    `best` is the place of the evaluation that was kept.
    """
    last = max(epochs[-1], 1e-9)
    highest = max([value for value in losses if value is not None], default=1.0) or 1.0

    def x_of(epoch: float) -> float:
        return LEFT + epoch / last * (WIDTH - LEFT - RIGHT)

    def quality_y(value: float) -> float:
        return MIDDLE - value * (MIDDLE - TOP)

    def loss_y(value: float) -> float:
        return BOTTOM - value / highest * (BOTTOM - LOSS_TOP)

    marks = [label(0, 14, title, kind="head")]
    for value in (0, 0.25, 0.5, 0.75, 1):
        marks += [
            line(LEFT, quality_y(value), WIDTH - RIGHT, quality_y(value)),
            label(LEFT - 6, quality_y(value) + 4, number(value), anchor="end", kind="small"),
        ]
    for value in (0.0, highest):
        marks += [
            line(LEFT, loss_y(value), WIDTH - RIGHT, loss_y(value)),
            label(LEFT - 6, loss_y(value) + 4, number(value), anchor="end", kind="small"),
        ]
    marks.append(line(x_of(epochs[best]), TOP, x_of(epochs[best]), BOTTOM, "middle"))
    for place, (name, values) in enumerate(quality.items()):
        marks += _line(
            [(x_of(epoch), quality_y(value)) for epoch, value in zip(epochs, values, strict=True)], name, values
        )
        marks.append(label(WIDTH - RIGHT + 8, TOP + 10 + 16 * place, name, style=f"fill:{COLOURS[name]}"))
    known = [(epoch, value) for epoch, value in zip(epochs, losses, strict=True) if value is not None]
    marks += _line([(x_of(epoch), loss_y(value)) for epoch, value in known], "loss", [value for _, value in known])
    marks += [
        label(WIDTH - RIGHT + 8, TOP + 42, "dashed: kept", kind="small"),
        label(WIDTH - RIGHT + 8, LOSS_TOP + 10, "loss"),
        *(label(x_of(at), BOTTOM + 16, number(at, 1), anchor="middle", kind="small") for at in ticks(0, last)),
        label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "epochs", anchor="middle", kind="muted"),
    ]
    said = "; ".join(
        f"{name} {number(values[0])} at first, {number(values[best])} where it was kept"
        for name, values in quality.items()
    )
    return figure(slug, WIDTH, HEIGHT, title, said, *marks)


def _line(places: list[tuple[float, float]], name: str, values: Sequence[float]) -> list[Markup]:
    colour = COLOURS.get(name, "var(--other)")
    marks = [
        element("circle", note(f"{name} {number(value, 3)}"), cx=x, cy=y, r=3.0, style=f"fill:{colour}")
        for (x, y), value in zip(places, values, strict=True)
    ]
    if len(places) > 1:
        marks.insert(0, element("polyline", points=points(places), class_="curve", style=f"stroke:{colour}"))
    return marks
