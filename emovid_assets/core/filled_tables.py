"""Tables that people fill in or write: the one reader of manifests, answers and metadata.

Belongs here: which separator, which column is meant, rows by our names for the columns, and a sentence for whatever is
not read. Does not belong here: bytes and quotation marks (`csv_text`), what a cell means (`cells`).

Programs for tables separate with commas, semicolons (where a comma stands in numbers) or tabs, and people write
`Intended Emotion` for `intended_emotion`. What is read is what is clear; the rest is named.
"""

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from emovid_assets.core import csv_text
from emovid_assets.core.cells import CellError, plain, told
from emovid_assets.core.plain_text import composed, quoted

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_SAYS_SEPARATOR = re.compile(r'"?sep=(.)"?[ ,;\t]*(?:\r\n|\r|\n)')
"""The line that Excel writes and reads above a table."""
_HEAD_LENGTH = 200_000


@dataclass(frozen=True)
class Columns:
    """The columns that a kind of table may have: our name, and other names for it, of which the first that is there
    counts.

    `key` names a thing by a form that no prose has (`key_form`), so that a row is known as one. `paths` are read as
    they are written: names of files may differ in their normal form alone.
    """

    names: Mapping[str, tuple[str, ...]]
    key: str | None = None
    key_form: re.Pattern[str] | None = None
    paths: frozenset[str] = frozenset({"path"})

    @classmethod
    def of(cls, *names: str, key: str | None = None, key_form: re.Pattern[str] | None = None) -> "Columns":
        return cls(dict.fromkeys(names, ()), key, key_form)

    def likely(self, written: str) -> str | None:
        """The column whose name is meant where it is none of ours."""
        known = {plain(name): ours for ours, others in self.names.items() for name in (*others, ours)}
        found = difflib.get_close_matches(plain(written), known, n=1, cutoff=0.75)
        return known[found[0]] if found else None


@dataclass(frozen=True)
class FilledRow:
    """`cells` by our name, without blanks at the ends and in normal form C; empty cells are there, missing ones not.

    `fault`: why not all of the row can be read; cells that are there are right all the same, unless there are more of
    them than the header has (`is_shifted`).
    """

    line: int
    cells: Mapping[str, str]
    is_blank: bool = False
    is_short: bool = False
    is_shifted: bool = False
    fault: str | None = None

    def read(
        self, names: Iterable[str], readers: Mapping[str, Callable[[str], str]]
    ) -> tuple[dict[str, str], list[str]]:
        """The filled cells of these columns, and what is wrong with the row; a wrong cell is left out, the rest counts.

        `readers`: by column what a cell means; each raises CellError. Others are text.
        """
        values: dict[str, str] = {}
        faults = [self.fault] if self.fault else []
        for name in names if not self.is_shifted else ():
            if written := self.cells.get(name):
                try:
                    values[name] = readers[name](written) if name in readers else written
                except CellError as error:
                    faults.append(told(name, written, error))
        return values, faults


@dataclass
class FilledTable:
    """What a file says. `unreadable`: why nothing of it can be used, a sentence without its place.

    `unknown`: columns that nothing reads, as written, with the name that is likely meant. `missing`: of our names.
    """

    columns: Columns
    separator: str = ","
    header: tuple[str, ...] = ()
    unreadable: str | None = None
    rows: list[FilledRow] = field(default_factory=list)
    unknown: list[tuple[str, str | None]] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    there: frozenset[str] = frozenset()

    def lacking(self, required: Iterable[str]) -> str | None:
        """A sentence where columns are not there, or are there twice; null where each is there once."""
        wanted = [name for name in required if name not in self.there]
        twice = [name for name in required if name in self.repeated]
        said = []
        if wanted:
            names = ", ".join(f"`{name}`" for name in wanted)
            said.append(f"the header has no column {names}")
            meant = {likely: written for written, likely in self.unknown if likely in wanted}
            said += [f"is `{quoted(written)}` meant for `{name}`?" for name, written in meant.items()]
        said += [f"the header has the column `{name}` more than once" for name in twice]
        return "; ".join(said) or None

    @property
    def remarks(self) -> list[str]:
        """A sentence for each column that is not read."""
        said = [
            f"the column `{quoted(name)}` is read by nothing" + (f": is `{likely}` meant?" if likely else "")
            for name, likely in self.unknown
        ]
        return said + [f"of the columns `{name}` the last one counts" for name in self.repeated]


def read_bytes(data: bytes, columns: Columns) -> FilledTable:
    """The table in a file."""
    try:
        text = csv_text.decoded(data)
    except ValueError as error:
        return FilledTable(columns, unreadable=str(error))
    return read_text(text, columns)


def read_text(text: str, columns: Columns) -> FilledTable:
    """The table in a text."""
    said = _SAYS_SEPARATOR.match(text)
    above = 1 if said else 0
    separator = said[1] if said and said[1] in SEPARATORS else _separator(text, columns, above)
    table = FilledTable(columns, separator)
    places: dict[str, int] = {}

    def is_row(cells: list[str]) -> bool:
        place = places.get(columns.key or "")
        return (
            columns.key_form is not None
            and place is not None
            and len(cells) == len(table.header)
            and columns.key_form.fullmatch(cells[place].strip()) is not None
        )

    read = csv_text.Table(text, separator, above=above, is_row=is_row)
    table.header = tuple(read.header)
    places |= _places(table)
    written = dict(read)
    faults = {fault.line: fault.message for fault in read.faults}
    if faults and not written:
        table.unreadable = next(iter(faults.values()))
    table.rows = [
        _row(table, places, line, written.get(line), faults.get(line)) for line in sorted({*written, *faults})
    ]
    return table


def _separator(text: str, columns: Columns, above: int) -> str:
    """The one that finds most of our columns, or at least most columns."""
    known = {plain(name) for ours, others in columns.names.items() for name in (ours, *others)}

    # Also of a header with a quotation mark too many, which then is named with its line.
    header_lines = list(io.StringIO(text[:_HEAD_LENGTH], newline=""))[above : above + 1]

    def found(separator: str) -> tuple[int, int]:
        try:
            header = next(csv.reader(header_lines, delimiter=separator), [])
        except csv.Error:
            return 0, 0
        return len(known.intersection(map(plain, header))), len(header)

    return max(SEPARATORS, key=found)


def _places(table: FilledTable) -> dict[str, int]:
    """Where our columns stand; notes what else stands in the header."""
    written: dict[str, list[int]] = {}
    for place, name in enumerate(table.header):
        written.setdefault(plain(composed(name)), []).append(place)
    places, known = {}, set()
    for ours, others in table.columns.names.items():
        names = [plain(name) for name in (ours, *others)]
        known.update(names)
        chosen = next((name for name in names if name in written), None)
        if chosen is not None:
            places[ours] = written[chosen][-1]
            if len(written[chosen]) > 1:
                table.repeated.append(ours)
    table.there = frozenset(places)
    table.unknown = [
        (composed(table.header[at[0]]).strip(), table.columns.likely(name))
        for name, at in written.items()
        if name and name not in known
    ]
    # A column that is there already is not what another one means.
    table.unknown = [(name, None if likely in places else likely) for name, likely in table.unknown]
    return places


def _row(
    table: FilledTable, places: Mapping[str, int], line: int, cells: list[str] | None, fault: str | None
) -> FilledRow:
    cells, width = cells or [], len(table.header)
    while len(cells) > width and not cells[-1].strip():
        # Programs for tables write empty cells behind the last one.
        cells = cells[:-1]
    is_shifted = len(cells) > width
    if fault is None and is_shifted:
        fault = (
            f"line {line} has {len(cells)} cells where the header has {width}: put text that holds "
            f"{SEPARATORS[table.separator]} into quotation marks"
        )
    values = {
        name: (cells[place] if name in table.columns.paths else composed(cells[place])).strip()
        for name, place in places.items()
        if place < len(cells)
    }
    is_blank = fault is None and not any(cell.strip() for cell in cells)
    return FilledRow(line, values, is_blank, len(cells) < width, is_shifted, fault)
