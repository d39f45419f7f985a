"""A matrix of shares, kappas or counts: the stronger the colour, the higher the value."""

from collections.abc import Mapping, Sequence

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import number
from emovid_assets.drawing.svg import LETTER_PX, figure, label, note, rectangle

CELL_HEIGHT_PX = 30
MOST_PX = 440
LEAST_PX = 16
SMALL_LETTER_PX = 6.5


def symmetric(
    names: Sequence[str], values: Mapping[frozenset[str], float | None]
) -> tuple[list[list[float | None]], list[list[str]]]:
    """Values of pairs as a matrix with an empty diagonal, and what is written in its cells."""
    matrix = [[values.get(frozenset((one, other))) for other in names] for one in names]
    return matrix, [["" if value is None else number(value) for value in row] for row in matrix]


def heat_map(
    slug: str,
    title: str,
    description: str,
    row_names: Sequence[str],
    column_names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    shown: Sequence[Sequence[str]],
    *,
    highest: float = 1.0,
    row_title: str = "",
    column_title: str = "",
    row_notes: Sequence[str] = (),
) -> Markup:
    """Cells of `values` (nulls are empty frames), each with its text from `shown`, never narrower than that.

    `highest` has the full colour. `row_notes` stand at the right end of the rows (their n).
    """
    left = max(max(map(len, row_names)) * LETTER_PX + 10, (len(row_title) + 2) * SMALL_LETTER_PX + 6)
    right = max((len(text) for text in row_notes), default=0) * LETTER_PX + (8 if row_notes else 0)
    longest = max(len(text) for row in shown for text in row)
    cell = max(LEAST_PX, longest * LETTER_PX + 6, min(46.0, (MOST_PX - left - right) / len(column_names)))
    head = 22 + max(len(name) for name in column_names) * LETTER_PX * 0.72 + (14 if column_title else 0)
    marks = [label(0, 14, title, kind="head")]
    if column_title:
        marks.append(label(left, 31, f"{column_title} →", kind="small"))
    if row_title:
        marks.append(label(left - 6, head - 4, f"{row_title} ↓", anchor="end", kind="small"))
    overhang = left + (len(column_title) + 2) * SMALL_LETTER_PX
    for place, name in enumerate(column_names):
        x = left + (place + 0.4) * cell
        marks.append(label(x, head - 5, name, transform=f"rotate(-42 {x:.1f} {head - 5:.1f})"))
        overhang = max(overhang, x + len(name) * LETTER_PX * 0.76)
    for index, row_name in enumerate(row_names):
        y = head + index * CELL_HEIGHT_PX
        marks.append(label(left - 6, y + 19, row_name, anchor="end"))
        for place, column_name in enumerate(column_names):
            value, x = values[index][place], left + place * cell
            box = (x + 1, y + 1, cell - 2, CELL_HEIGHT_PX - 2)
            if value is None:
                marks.append(rectangle(*box, rx=2, class_="empty"))
                continue
            written = shown[index][place]
            strength = max(0.0, min(1.0, value / highest))
            marks.append(
                element(
                    "g",
                    note(f"{row_name} → {column_name}: {written or 0}"),
                    rectangle(*box, rx=2, class_="track"),
                    rectangle(*box, rx=2, class_="heat", fill_opacity=strength) if strength else None,
                    label(x + cell / 2, y + 19, written, anchor="middle", kind="on-heat" if strength > 0.55 else None)
                    if written
                    else None,
                )
            )
        if row_notes:
            marks.append(label(left + len(column_names) * cell + 6, y + 19, row_notes[index], kind="muted"))
    width = max(left + len(column_names) * cell + right, overhang, len(title) * LETTER_PX * 1.15)
    return figure(slug, width, head + len(row_names) * CELL_HEIGHT_PX + 2, title, description, *marks)
