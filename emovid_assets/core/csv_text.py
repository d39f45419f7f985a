"""Tables that people write as CSV: their text and their rows.

Belongs here: what the bytes say, rows with their lines, and saying where one cannot be read. Does not belong here: what
columns mean, and how many cells a row needs (`filled_tables`).

No row is lost in silence. A quotation mark that is never closed would take in the rows below, to the end or to the next
quotation mark. Its line is a fault and a row by itself, in which the open cell is empty. Text behind a closing mark
(`"Tea" for two`) is taken as it stands where the row is one line.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

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
    `above`: lines before the header. `is_row`: whether cells are those of a row of this table. Such a row within a
    cell of another one shows that a quotation mark there was not closed, even where a later one could close it.
    """

    def __init__(
        self, text: str, delimiter: str = ",", *, above: int = 0, is_row: Callable[[list[str]], bool] | None = None
    ) -> None:
        self.faults: list[Fault] = []
        self._rows = _Reading(text, delimiter, above, is_row, self.faults).rows()
        _, self.header = next(self._rows, (1, []))

    def __iter__(self) -> Iterator[Row]:
        return self._rows


def decoded(data: bytes) -> str:
    """The text in bytes of UTF-8 or UTF-16, with or without a byte order mark. Raises ValueError with a sentence."""
    wide = _utf_16(data)
    try:
        return data.decode(wide or "utf-8-sig").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if wide:
            raise ValueError("the text begins as UTF-16 and is none: save the file again as UTF-8") from error
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8 text: save the file again as UTF-8") from error


def _utf_16(data: bytes) -> str | None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Names of columns are in Latin letters, of which every second byte is 0 then. No text in UTF-8 has any.
    head = data[:200]
    high, low = head[::2], head[1::2]
    if high and high.count(0) > len(high) / 2 and not low.count(0):
        return "utf-16-be"
    if low and low.count(0) > len(low) / 2 and not high.count(0):
        return "utf-16-le"
    return None


class _Reading:
    """One pass over the lines."""

    def __init__(
        self,
        text: str,
        delimiter: str,
        above: int,
        is_row: Callable[[list[str]], bool] | None,
        faults: list[Fault],
    ) -> None:
        # Not `splitlines`, which also ends lines at characters that stand within cells.
        self._lines = list(io.StringIO(text, newline=""))
        self._delimiter, self._is_row, self._faults, self._above = delimiter, is_row, faults, above

    def _reader(self, lines: list[str], *, is_strict: bool = False) -> Any:
        return csv.reader(lines, delimiter=self._delimiter, strict=is_strict)

    def rows(self) -> Iterator[Row]:
        """The header and the rows below it."""
        lines, header = self._lines, None
        first = begins = self._above
        # Only a strict reader says that a quotation mark is open. After an error it goes on behind what it has read.
        reader = self._reader(lines[first:], is_strict=True)
        while True:
            try:
                for cells in reader:
                    if header is not None:
                        self._refuse_swallowed(begins + 1, first + reader.line_num)
                    yield begins + 1, cells
                    header = cells if header is None else header
                    begins = first + reader.line_num
                return
            except csv.Error as error:
                is_one_line = first + reader.line_num == begins + 1
                whole = self._cells(lines[begins]) if is_one_line else None
                if whole is None and len(self._faults) == MOST_FAULTS:
                    message = f"line {begins + 1} and all below it are not read: mend the others"
                    self._faults.append(Fault(begins + 1, None, message))
                    return
                if whole is None:
                    good = self._cells_before_the_open_one(lines[begins])
                    self._faults.append(_open_row(begins + 1, good, header or [], error))
                    whole = None if good is None else [*good, ""]
                    if header is None:
                        return
                if whole is not None:
                    yield begins + 1, whole
                    header = whole if header is None else header
                begins += 1
                if not is_one_line:
                    first, reader = begins, self._reader(lines[begins:], is_strict=True)

    def _refuse_swallowed(self, start: int, end: int) -> None:
        """Raises csv.Error where the lines in [start, end), which stand within a cell, hold a row."""
        for number in range(start, end) if self._is_row else ():
            cells = self._cells(self._lines[number])
            if cells is not None and self._is_row and self._is_row(cells):
                raise csv.Error(f"line {number + 1} stands within its cell")

    def _cells(self, line: str) -> list[str] | None:
        """Cells of a line that a strict reader refuses; null where it cannot be a row by itself."""
        try:
            # The line of nothing behind it belongs to the row where a quotation mark is still open.
            cells, *behind = self._reader([line, ""])
        except csv.Error:
            return None
        return cells if behind else None

    def _cells_before_the_open_one(self, line: str) -> list[str] | None:
        try:
            return next(self._reader([line]))[:-1]
        except csv.Error:
            return None


def _open_row(line: int, good_cells: list[str] | None, header: list[str], error: csv.Error) -> Fault:
    reason = "it never ends" if "unexpected end of data" in str(error) else str(error)
    if "field larger" in reason:
        reason = f"a cell is longer than {csv.field_size_limit():,} characters"
    column = header[len(good_cells)] if good_cells is not None and len(good_cells) < len(header) else None
    return Fault(line, column, f"line {line} is no CSV ({reason}): a quotation mark is missing, or one too many")
