"""Tables that people write as CSV: one reader for manifests, answers and metadata.

Belongs here: rows with their lines, and saying where one cannot be read. Does not belong here: what columns mean, and
how many cells a row needs.

No row is lost in silence. A quotation mark that is never closed would take in the rows below, to the end or to the next
quotation mark. Its line is a fault and a row by itself, in which the open cell is empty. Text behind a closing mark
(`"Tea" for two`) is taken as it stands where the row is one line.
"""

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

Row = tuple[int, list[str]]
"""The line where it begins, and its cells as written, however many."""

MOST_FAULTS = 100
"""An open row may go on to the end before it is known as one: a file of many would take for ever."""


class Fault(NamedTuple):
    """What cannot be read, in words. Line 0 is the whole file; the column is the one whose quotation mark is open, null
    where that is not known."""

    line: int
    column: str | None
    message: str


class Table:
    """The header as written, and the rows below it in order, blank ones too. They are read as they are asked for, once.

    `faults` are in order, and complete when the rows have been read. There are no rows where the header is a fault.
    """

    def __init__(self, text: str) -> None:
        self.faults: list[Fault] = []
        self._rows = _rows(text, self.faults)
        _, self.header = next(self._rows, (1, []))

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def by_column(self) -> Iterator[tuple[int, dict[str, str]]]:
        """(line, cells by column) of all rows but blank lines. A short row lacks columns; of two columns of one name
        the last counts."""
        return ((line, dict(zip(self.header, cells, strict=False))) for line, cells in self._rows if cells)


def read_bytes(data: bytes) -> Table:
    """The table in a file of UTF-8, with or without a byte order mark."""
    try:
        return Table(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        table = Table("")
        table.faults.append(Fault(0, None, f"line {line} is not UTF-8 text: save the file again as UTF-8"))
        return table


def _rows(text: str, faults: list[Fault]) -> Iterator[Row]:
    """The header and the rows below it."""
    # Not `splitlines`, which also ends lines at characters that stand within cells.
    lines = list(io.StringIO(text, newline=""))
    header: list[str] | None = None
    first, begins = 0, 0
    # Only a strict reader says that a quotation mark is open. After an error it goes on behind what it has read.
    reader = csv.reader(lines, strict=True)
    while True:
        try:
            for cells in reader:
                yield begins + 1, cells
                header = cells if header is None else header
                begins = first + reader.line_num
            return
        except csv.Error as error:
            is_one_line = first + reader.line_num == begins + 1
            whole = _cells(lines[begins]) if is_one_line else None
            if whole is None and len(faults) == MOST_FAULTS:
                message = f"line {begins + 1} and all below it are not read: mend the others"
                faults.append(Fault(begins + 1, None, message))
                return
            if whole is None:
                good = _cells_before_the_open_one(lines[begins])
                faults.append(_open_row(begins + 1, good, header or [], error))
                whole = None if good is None else [*good, ""]
                if header is None:
                    return
            if whole is not None:
                yield begins + 1, whole
                header = whole if header is None else header
            begins += 1
            if not is_one_line:
                first, reader = begins, csv.reader(lines[begins:], strict=True)


def _cells(line: str) -> list[str] | None:
    """Cells of a line that a strict reader refuses; null where it cannot be a row by itself."""
    try:
        # The line of nothing behind it belongs to the row where a quotation mark is still open.
        cells, *behind = csv.reader([line, ""])
    except csv.Error:
        return None
    return cells if behind else None


def _cells_before_the_open_one(line: str) -> list[str] | None:
    try:
        return next(csv.reader([line]))[:-1]
    except csv.Error:
        return None


def _open_row(line: int, good_cells: list[str] | None, header: list[str], error: csv.Error) -> Fault:
    reason = "it never ends" if "unexpected end of data" in str(error) else str(error)
    if "field larger" in reason:
        reason = f"a cell is longer than {csv.field_size_limit():,} characters"
    column = header[len(good_cells)] if good_cells is not None and len(good_cells) < len(header) else None
    return Fault(line, column, f"line {line} is no CSV ({reason}): a quotation mark is missing, or one too many")
