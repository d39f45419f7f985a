"""An answer on a terminal: columns side by side where they can be read, else a line a value.

Belongs here: which of the two, and printing it. Does not belong here: running queries, and how a value is written.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

LEAST_TEXT = 12
"""Characters of a text in a line, where there is not room for all."""
_GAP_WIDTH = 2


def print_rows(
    console: "Console", names: Sequence[str], is_number: Sequence[bool], rows: Sequence[Sequence[str]]
) -> None:
    """Prints cells under the names of their columns; `is_number`: which of these are of numbers."""
    widths = _least_widths(names, is_number, rows)
    if rows and sum(widths) + _GAP_WIDTH * (len(widths) - 1) > console.width:
        _print_records(console, names, rows)
    else:
        _print_columns(console, names, is_number, widths, rows)


def _least_widths(names: Sequence[str], is_number: Sequence[bool], rows: Sequence[Sequence[str]]) -> list[int]:
    """In which columns can be read: names and numbers are not broken, texts are, into pieces that can be read."""
    from rich.cells import cell_len

    return [
        max((cell_len(name), *(cell_len(row[at]) if is_whole else min(cell_len(row[at]), LEAST_TEXT) for row in rows)))
        for at, (name, is_whole) in enumerate(zip(names, is_number, strict=True))
    ]


def _print_columns(
    console: "Console",
    names: Sequence[str],
    is_number: Sequence[bool],
    widths: Sequence[int],
    rows: Sequence[Sequence[str]],
) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, is_right, width in zip(names, is_number, widths, strict=True):
        table.add_column(name, justify="right" if is_right else "left", overflow="fold", min_width=width)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _print_records(console: "Console", names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A blank line between rows. Side by side the letters of a wide answer would stand below each other."""
    from rich.table import Table

    width = min(max(map(len, names)), console.width // 2)
    for number, row in enumerate(rows):
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold", overflow="fold", min_width=width)
        table.add_column(overflow="fold")
        for name, value in zip(names, row, strict=True):
            table.add_row(name, value)
        if number:
            console.print()
        console.print(table)
