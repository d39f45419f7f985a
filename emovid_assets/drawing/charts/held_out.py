"""How a generator learnt: its loss on held-out clips under noises that stay the same, and that of its steps."""

from collections.abc import Sequence

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import number
from emovid_assets.drawing.svg import figure, label, line, note, points, ticks

WIDTH, HEIGHT = 430, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 30, 185


def held_out_curves(
    slug: str, title: str, evaluations: Sequence[tuple[int, float, float | None]], kept_step: int
) -> Markup:
    """`evaluations`: (step, loss on held-out clips, mean loss of the steps before it, null before the first)."""
    last = max(evaluations[-1][0], 1)
    losses = [loss for _, *pair in evaluations for loss in pair if loss is not None]
    lowest, highest = min(losses), max(losses)
    span = highest - lowest or 1.0

    def x_of(step: float) -> float:
        return LEFT + step / last * (WIDTH - LEFT - RIGHT)

    def y_of(loss: float) -> float:
        return BOTTOM - (loss - lowest) / span * (BOTTOM - TOP)

    marks = [label(0, 14, title, kind="head")]
    for value in (lowest, highest):
        marks += [
            line(LEFT, y_of(value), WIDTH - RIGHT, y_of(value)),
            label(LEFT - 6, y_of(value) + 4, number(value, 3), anchor="end", kind="small"),
        ]
    marks.append(line(x_of(kept_step), TOP, x_of(kept_step), BOTTOM, "middle"))
    held_out = [(step, loss) for step, loss, _ in evaluations]
    of_steps = [(step, loss) for step, _, loss in evaluations if loss is not None]
    curves = (("held out", held_out, "var(--d-movie)"), ("of the steps", of_steps, "var(--other)"))
    for place, (name, values, colour) in enumerate(curves):
        at = [(x_of(step), y_of(loss)) for step, loss in values]
        if len(at) > 1:
            marks.append(element("polyline", points=points(at), class_="curve", style=f"stroke:{colour}"))
        marks += [
            element("circle", note(f"{name} {number(loss, 4)}"), cx=x, cy=y, r=3.0, style=f"fill:{colour}")
            for (x, y), (_, loss) in zip(at, values, strict=True)
        ]
        marks.append(label(WIDTH - RIGHT + 8, TOP + 10 + 16 * place, name, style=f"fill:{colour}"))
    marks += [
        label(WIDTH - RIGHT + 8, TOP + 42, "dashed: kept", kind="small"),
        *(label(x_of(at), BOTTOM + 16, number(at), anchor="middle", kind="small") for at in ticks(0, last)),
        label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "steps", anchor="middle", kind="muted"),
    ]
    kept = next(loss for step, loss, _ in evaluations if step == kept_step)
    said = f"loss on held-out clips {number(evaluations[0][1], 4)} at first, {number(kept, 4)} where it was kept"
    return figure(slug, WIDTH, HEIGHT, title, said, *marks)
