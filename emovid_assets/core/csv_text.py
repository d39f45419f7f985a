"""Tables that people write as CSV: one reader for manifests, answers and metadata.

Belongs here: rows with their lines, and saying where one cannot be read. Does not belong here: what columns mean, and
how many cells a row needs.

No row is lost in silence. A quotation mark that is never closed would take in the rows below, to the end or to the next
quotation mark. Its line is a fault and a row by itself, in which the open cell is empty. Text behind a closing mark
(`"Tea" for two`) is taken as it stands where the row is one line.
"""

import csv
import io
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_FAULTS = 100
"""An open row may go on to the end before it is known as one: a file of many would take for ever."""


class Row(NamedTuple):
    """The line where it begins, and its cells as written, however many."""

    line: int
    cells: list[str]


class Fault(NamedTuple):
    """What cannot be read, in words. Line 0 is the whole file; the column is the one whose quotation mark is open, null
    where that is not known."""

    line: int
    column: str | None
    message: str


@dataclass
class Table:
    """The header as written, the rows below it in order, blank ones too, and the faults in order."""

    header: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def by_column(self) -> list[tuple[int, dict[str, str]]]:
        """(line, cells by column) of all rows but blank lines. A short row lacks columns; of two columns of one name
        the last counts."""
        return [(line, dict(zip(self.header, cells, strict=False))) for line, cells in self.rows if cells]


def read_bytes(data: bytes) -> Table:
    """The table in a file of UTF-8, with or without a byte order mark."""
    try:
        return read_text(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Table(faults=[Fault(0, None, f"line {line} is not UTF-8 text: save the file again as UTF-8")])


def read_text(text: str) -> Table:
    """The table in a text. There are no rows where the header cannot be read."""
    # Not `splitlines`, which also ends lines at characters that stand within cells.
    lines = list(io.StringIO(text, newline=""))
    records: list[Row] = []
    faults: list[Fault] = []
    first, begins = 0, 0
    # Only a strict reader says that a quotation mark is open. After an error it goes on behind what it has read.
    reader = csv.reader(lines, strict=True)
    while True:
        try:
            for cells in reader:
                records.append(Row(begins + 1, cells))
                begins = first + reader.line_num
            break
        except csv.Error as error:
            is_one_line = first + reader.line_num == begins + 1
            line_cells = _cells(lines[begins]) if is_one_line else None
            if line_cells is not None:
                records.append(Row(begins + 1, line_cells))
            elif len(faults) == MOST_FAULTS:
                faults.append(
                    Fault(begins + 1, None, f"line {begins + 1} and all below it are not read: mend the others")
                )
                break
            else:
                good_cells = _cells_before_the_open_one(lines[begins])
                faults.append(_fault(begins + 1, good_cells, records[0].cells if records else [], error))
                if not records:
                    break
                if good_cells is not None:
                    records.append(Row(begins + 1, [*good_cells, ""]))
            begins += 1
            if not is_one_line:
                first, reader = begins, csv.reader(lines[begins:], strict=True)
    return Table(records[0].cells if records else [], records[1:], faults)


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


def _fault(line: int, good_cells: list[str] | None, header: list[str], error: csv.Error) -> Fault:
    reason = "it never ends" if "unexpected end of data" in str(error) else str(error)
    column = header[len(good_cells)] if good_cells is not None and len(good_cells) < len(header) else None
    return Fault(line, column, f"line {line} is no CSV ({reason}): a quotation mark is missing, or one too many")
