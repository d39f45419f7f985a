"""What a report is made of: sections of exhibits, each with a sentence, a table or figure, and its queries.

Belongs here: the shape of these parts and how tables look in HTML. Does not belong here: what any of them says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.report.answers import Answer, Row

Kind = Literal["Table", "Figure"]
TABLE: Final = "Table"
FIGURE: Final = "Figure"
FEW = 30
"""A finding from fewer clips than these is grey and says so: it may be chance."""
REBUILD = "emovid build --select key:catalogue+"


@dataclass(frozen=True)
class Exhibit:
    """One table or figure. `reading` says in a sentence what its numbers say; `paper` names its like in the paper.

    `rests_on` is the number of clips (or pairs, or answers) that a finding rests on; null where nothing is concluded.
    """

    kind: Kind
    title: str
    reading: Any
    body: Markup
    answers: tuple[Answer, ...]
    paper: str | None = None
    notes: Any = None
    is_missing: bool = False
    rests_on: int | None = None

    @property
    def is_thin(self) -> bool:
        return self.rests_on is not None and self.rests_on < FEW


@dataclass(frozen=True)
class Section:
    """`anchor` is unique in the page and stays the same from report to report."""

    anchor: str
    title: str
    exhibits: tuple[Exhibit, ...] = ()
    text: Markup | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, what a row's cell shows, and what that is: a number (and so on the right), prose,
    or a path, which may break anywhere."""

    head: str
    cell: Callable[[Row], Any]
    is_number: bool = True
    is_long: bool = False
    is_path: bool = False


def name_column(head: str, key: str) -> Column:
    return Column(head, lambda row: row[key], is_number=False)


def prose_column(head: str, key: str) -> Column:
    return Column(head, lambda row: row[key], is_number=False, is_long=True)


def path_column(head: str, key: str) -> Column:
    return Column(head, lambda row: row[key], is_number=False, is_path=True)


def table(
    title: str,
    rows: Sequence[Row],
    columns: Sequence[Column],
    *,
    last_is_total: bool = False,
    rests_on: str | None = None,
) -> Markup:
    """Rows as an HTML table under a caption for those who do not see it; the first column is the head of its row.

    A null cell is a dash. `rests_on` is the key of the number of clips that a row's values rest on: rows of fewer than
    `FEW` are grey, and the caption says so to everybody.
    """
    head = element(
        "tr", *(element("th", column.head, scope="col", class_="n" if column.is_number else None) for column in columns)
    )
    body = []
    is_any_thin = False
    for position, row in enumerate(rows):
        cells = []
        for number, column in enumerate(columns):
            value = column.cell(row)
            shown = "–" if value is None or value == "" else value
            kind = "n" if column.is_number else "long" if column.is_long else "path" if column.is_path else None
            cells.append(
                element("th", shown, scope="row", class_=kind) if number == 0 else element("td", shown, class_=kind)
            )
        is_total = last_is_total and position == len(rows) - 1
        is_thin = rests_on is not None and row[rests_on] is not None and row[rests_on] < FEW
        is_any_thin = is_any_thin or is_thin
        body.append(element("tr", *cells, class_="total" if is_total else "thin" if is_thin else None))
    caption = element(
        "caption",
        element("span", title, class_="unseen"),
        f"Grey rows rest on fewer than {FEW} and may be chance." if is_any_thin else None,
        class_=None if is_any_thin else "unseen",
    )
    inner = element("table", caption, element("thead", head), element("tbody", *body))
    return element("div", inner, class_="scroll", tabindex=0, role="region", aria_label=f"Table: {title}")


def side_by_side(*figures: Markup) -> Markup:
    """Figures in as many columns as there is room for."""
    return element("div", *(element("div", one, class_="panel") for one in figures), class_="panels")


def missing(kind: Kind, title: str, answer: Answer, advice: Any, paper: str | None = None) -> Exhibit:
    """An exhibit that cannot be shown yet, with what to do about it."""
    if answer.problem is not None:
        said = join("The catalogue cannot answer: ", answer.problem, ". Build it again: ", code(REBUILD), ".")
    else:
        said = join("Nothing to show yet. ", advice)
    return Exhibit(kind, title, None, element("p", said, class_="missing"), (answer,), paper, is_missing=True)


def nothing(kind: Kind, title: str, answer: Answer, said: str) -> Exhibit:
    """An exhibit of which there is nothing, and that is good: no faults, no refused answers."""
    return Exhibit(kind, title, said, Markup(), (answer,))


def code(content: Any) -> Markup:
    return element("code", content)


def strong(content: Any) -> Markup:
    return element("strong", content)
