"""Nothing that comes from a file becomes markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.drawing.markup import Markup, coordinate, element, join, text

# What HTML can write at all: no surrogates, and the control characters go.
WRITABLE = st.text(st.characters(exclude_categories=("Cs", "Cc"))).filter(
    lambda text: not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def seen(markup: str) -> Seen:
    parser = Seen()
    parser.feed(markup)
    parser.close()
    return parser


@given(WRITABLE, WRITABLE)
def test_any_text_and_any_attribute_comes_back_as_it_was_and_makes_no_element(content: str, title: str) -> None:
    parsed = seen(element("td", content, title=title))
    assert parsed.tags == [("td", {"title": title})]
    assert parsed.words == content


def test_markup_is_not_escaped_twice_and_nulls_are_left_out() -> None:
    assert element("p", element("b", "a & b"), None) == "<p><b>a &amp; b</b></p>"
    assert join("<", None, Markup("<br>")) == "&lt;<br>"


def test_attributes_are_named_as_in_html_and_false_leaves_one_out_but_zero_does_not() -> None:
    assert (
        element("rect", class_="a", fill_opacity=0.0, x=1.005, viewBox="0 0 1 1", hidden=False, open=True)
        == '<rect class="a" fill-opacity="0" x="1" viewBox="0 0 1 1" open></rect>'
    )


def test_void_elements_have_no_end() -> None:
    assert element("img", src="data:,", alt="") == '<img src="data:," alt="">'


def test_what_turns_the_direction_goes_and_text_from_the_right_stays() -> None:
    assert text("\u202eevil\u2066 \u05e9\u05dc\u05d5\u05dd\u200f!") == "evil \u05e9\u05dc\u05d5\u05dd\u200f!"


def test_control_characters_go_and_line_ends_stay() -> None:
    assert text("a\x00\x1b[1m\nb\tc") == "a[1m\nb\tc"


@pytest.mark.parametrize(
    ("value", "written"), [(1.0, "1"), (-0.001, "0"), (2.346, "2.35"), (100.0, "100"), (0.1, "0.1")]
)
def test_coordinates_have_two_decimals_at_most(value: float, written: str) -> None:
    assert coordinate(value) == written
