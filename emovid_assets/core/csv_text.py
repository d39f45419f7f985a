"""Tables that people write as CSV.

Belongs here: reading rows, and saying where one cannot be read. Does not belong here: what columns mean.
"""

import csv
from collections.abc import Iterable

Row = dict[str, str | None]


class CsvError(ValueError):
    """A row that is no CSV. `line`: where it begins; the message holds it."""

    def __init__(self, line: int, reason: object) -> None:
        super().__init__(f"line {line} is no CSV ({reason}): is a quotation mark missing, or one too many?")
        self.line = line


def csv_rows(lines: Iterable[str]) -> tuple[list[str], list[Row]]:
    """The header and the rows below it, by column. Raises CsvError.

    `lines` keep their ends (`newline=""`). Rows that have fewer cells than the header lack columns.
    """
    lines = list(lines)
    reader = csv.DictReader(lines)
    rows: list[Row] = []
    # A quotation mark that is never closed takes in the rest of the file: where that began is what helps.
    begins = last = 1
    try:
        header = list(reader.fieldnames or ())
        begins = reader.line_num + 1
        for row in reader:
            rows.append(row)
            last, begins = begins, reader.line_num + 1
    except csv.Error as error:
        raise CsvError(begins, error) from error
    if _is_open(lines[last - 1 :]):
        raise CsvError(last, "it never ends")
    return header, rows


def _is_open(lines: list[str]) -> bool:
    """Whether the lines of a row end within quotation marks. Only a strict reader says so, and it minds more."""
    try:
        for _ in csv.reader(lines, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False
