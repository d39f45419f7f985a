"""A report taken apart, and held against what was recounted.

Belongs here: where numbers stand in the page, and that none is left over. Does not belong here: what they should be.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emovid_assets_tests.drawing.reading import Document, Element, read
from emovid_assets_tests.recount.numerals import differs, tokens

FEW = 30
PHRASE = "phrase"
"""Texts of this name are the first words of the items of a list; all others go by their class."""


@dataclass(frozen=True)
class Chart:
    """What a figure says: its title, what it tells who cannot see it, and the notes of its marks, each as a list.

    `labels` are what is written beside the marks and repeats none of their notes, `axis` what is written at its axes.
    """

    title: Sequence[Any] = ()
    said: Sequence[Any] = ()
    marks: Sequence[Sequence[Any]] = ()
    labels: Sequence[Sequence[Any]] = ()
    axis: Sequence[str] = ()


@dataclass(frozen=True)
class Exhibit:
    """What an exhibit shows, by what it was recounted with. `tables` hold rows with their heads, `texts` the others."""

    oracle: str
    reading: Sequence[Any] = ()
    rests_on: int | None = None
    notes: Sequence[Any] = ()
    tables: Sequence[Sequence[Sequence[Any]]] = ()
    charts: Sequence[Chart] = ()
    texts: Sequence[tuple[str, Sequence[Any]]] = ()
    summaries: Sequence[Any] = ()


@dataclass
class Page:
    """`faults` are sentences; `explained` counts numbers by oracle; `seen` are elements that were held against it."""

    document: Document
    faults: list[str] = field(default_factory=list)
    explained: Counter[str] = field(default_factory=Counter)
    seen: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, html: str) -> "Page":
        return cls(read(html))

    def element(self, identifier: str) -> Element:
        (found,) = [one for one in self.document.elements if one.attributes.get("id") == identifier]
        return found

    def figures(self) -> dict[str, Element]:
        """Exhibits by their titles, in the order of the page."""
        return {
            one.named("h3")[0].text.split(". ", 1)[1]: one
            for one in self.document.of_class("exhibit")
            if one.name == "figure"
        }

    def hold(self, where: str, element: Element, expected: Any, oracle: str) -> None:
        """Holds the text of an element against what it should show."""
        if problem := differs(element.text, expected):
            self.faults.append(f"{where}: {problem}")
        self.explained[oracle] += len(tokens(element.text))
        self.seen |= {id(element), *map(id, element.inner)}

    def hold_all(self, where: str, elements: Iterable[Element], expected: Sequence[Any], oracle: str) -> None:
        found = list(elements)
        if len(found) != len(expected):
            said = [one.text for one in found]
            self.faults.append(f"{where}: {len(found)} are there and {len(expected)} were recounted: {said} {expected}")
        for one, wanted in zip(found, expected, strict=False):
            self.hold(where, one, wanted, oracle)

    def hold_exhibit(self, title: str, wanted: Exhibit) -> None:
        figure = self.figures()[title]
        oracle = wanted.oracle
        if wanted.reading is not None:
            self.hold_all(f"{title}, sentence", figure.of_class("reading"), [wanted.reading], oracle)
        is_thin = wanted.rests_on is not None and wanted.rests_on < FEW
        thin = [[wanted.rests_on, FEW]] if is_thin else []
        self.hold_all(f"{title}, what it rests on", figure.of_class("thin-note"), thin, oracle)
        self.hold_all(
            f"{title}, notes", figure.of_class("notes"), [wanted.notes] * len(figure.of_class("notes")), oracle
        )
        self._hold_tables(title, figure.named("table"), wanted)
        charts = figure.named("svg")
        if len(charts) != len(wanted.charts):
            self.faults.append(f"{title}: {len(charts)} charts are there and {len(wanted.charts)} were recounted")
        for drawn, chart in zip(charts, wanted.charts, strict=False):
            self._hold_chart(f"{title}, {drawn.named('title')[0].text}", drawn, chart, oracle)
        by_class: dict[str, list[Any]] = {}
        for name, text in wanted.texts:
            by_class.setdefault(name, []).append(text)
        for name, texts in by_class.items():
            found = [one.inner[0] for one in figure.named("li")] if name == PHRASE else figure.of_class(name)
            self.hold_all(f"{title}, {name}", found, texts, oracle)
        parts = [part.named("summary")[0] for part in figure.of_class("part")]
        self.hold_all(f"{title}, parts", parts, list(wanted.summaries), oracle)
        named = [one for table in figure.named("caption") for one in table.named("span") if tokens(one.text)]
        for one in named:
            if any(part.text.startswith(f"{one.text}:") for part in parts):
                self.hold(f"{title}, caption", one, one.text, oracle)
        for queries in figure.of_class("query"):
            (summary,), shown = queries.named("summary"), len(queries.named("pre"))
            self.hold(f"{title}, queries", summary, [shown] if shown > 1 else [], "order of the page")

    def _hold_tables(self, title: str, tables: Sequence[Element], wanted: Exhibit) -> None:
        if len(tables) != len(wanted.tables):
            self.faults.append(f"{title}: {len(tables)} tables are there and {len(wanted.tables)} were recounted")
        for table, rows in zip(tables, wanted.tables, strict=False):
            found = [line.named("th", "td") for line in table.named("tr")]
            if len(found) != len(rows):
                names = [line[0].text for line in found]
                self.faults.append(f"{title}: {len(found)} rows are there and {len(rows)} were recounted: {names}")
            for line, row in zip(found, rows, strict=False):
                self.hold_all(f"{title}, row {line[0].text} {line[1].text}", line, row, wanted.oracle)
            is_thin = bool(table.of_class("thin"))
            for caption in table.named("caption"):
                told = re.sub(r".*(Grey rows rest on)", r"\1", caption.text)
                if is_thin and tokens(told) != tokens(f"{FEW}"):
                    self.faults.append(f"{title}: the caption says {caption.text!r}")
                self.seen.add(id(caption))
                self.explained["the rule of grey rows"] += is_thin

    def _hold_chart(self, where: str, drawn: Element, chart: Chart, oracle: str) -> None:
        title, *notes = drawn.named("title")
        self.hold(f"{where}, title", title, chart.title, oracle)
        self.hold_all(f"{where}, description", drawn.named("desc"), [chart.said], oracle)
        numbered = [one for one in notes if tokens(one.text)]
        self.hold_all(f"{where}, marks", numbered, list(chart.marks), oracle)
        # What is written in the drawing repeats its title or the note of a mark, or is a label or an axis.
        repeated = Counter([title.text])
        for note in (one.text for one in numbered):
            name, _, value = note.rpartition(": ")
            repeated.update({name, value, value.split(" [")[0]})
        rest, ticks = [], list(chart.axis)
        for one in (one for one in drawn.named("text") if tokens(one.text)):
            if one.text in ticks:
                ticks.remove(one.text)
                self.hold(where, one, one.text, "axes and names")
            elif repeated[one.text]:
                repeated[one.text] -= 1
                self.hold(where, one, one.text, oracle)
            else:
                rest.append(one)
        self.hold_all(f"{where}, labels", rest, list(chart.labels), oracle)

    def left_over(self) -> list[str]:
        """Texts of the body that hold a digit and were held against nothing; queries are no finding."""
        return [one.own.strip() for one in self._told() if re.search(r"\d", one.own) and id(one) not in self.seen]

    def number_count(self) -> int:
        return sum(len(tokens(one.own)) for one in self._told())

    def _told(self) -> list[Element]:
        """The elements of the body but for queries."""
        (body,) = self.document.named("body")
        skipped = {id(inner) for one in body.named("pre") for inner in (one, *one.inner)}
        return [one for one in body.inner if id(one) not in skipped]
