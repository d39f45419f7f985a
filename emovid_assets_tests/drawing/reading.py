"""Reads a report as a browser does: elements with their attributes, and the text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(eq=False)
class Element:
    """`text` with that of the elements in it, `own` without; `inner` are all elements in it, in their order."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    own: str = ""
    inner: list["Element"] = field(default_factory=list)

    def named(self, *names: str) -> list["Element"]:
        return [one for one in self.inner if one.name in names]

    def of_class(self, name: str) -> list["Element"]:
        return [one for one in self.inner if name in one.attributes.get("class", "").split()]


@dataclass
class Document(HTMLParser):
    """`elements` in their order; `text` is what a reader sees, without styles."""

    elements: list[Element] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(one)
        for outer in self._open:
            outer.inner.append(one)
        if tag not in {"meta", "link", "img", "br", "hr"}:
            self._open.append(one)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text += data
        if self._open:
            self._open[-1].own += data
        if not self._open or self._open[-1].name != "style":
            self.text += data

    def named(self, *names: str) -> list[Element]:
        return [one for one in self.elements if one.name in names]

    def of_class(self, name: str) -> list[Element]:
        return [one for one in self.elements if name in one.attributes.get("class", "").split()]


def read(html: str) -> Document:
    document = Document()
    document.feed(html)
    document.close()
    assert document._open == [], "every element is closed"
    return document
