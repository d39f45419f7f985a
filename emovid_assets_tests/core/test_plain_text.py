"""Text of strangers does nothing where it is shown: parsers of Markdown and HTML, and marks of tokenizers judge."""

import html
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from emovid_assets.core.plain_text import (
    LONGEST_QUOTATION,
    cut_at_word,
    for_markdown,
    for_prompt,
    for_terminal,
    quoted,
    quoted_in_prompt,
    straight,
)
from emovid_assets.drawing.markup import element

HOSTILE = [
    "![x](https://evil.example/p.png)",
    "[x](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "a | b | c",
    "a\\|b",
    "`code` ``more``",
    "https://evil.example/a?b=c www.evil.example ann@evil.example",
    "**bold** _it_ ~~gone~~ &amp; &#60;b&#62;",
    "# head",
    "1. list",
    "- list",
    "> quote",
    "---",
    "a\n\n| x |\n|---|\n| ![y](z) |",
    "[^1]: note",
    "trailing \\",
]
hostile = (
    st.sampled_from(HOSTILE) | st.text(st.sampled_from("ab1 _-*`[](){}<>|\\!#&;:/.@~\n=+\"'$"), max_size=30) | st.text()
)
# What GitHub's Markdown makes links of by itself, also in parsed text (mdast-util-gfm-autolink-literal).
LINKS = re.compile(r"(?i)(https?://|www(?=\.))([-.\w]+)|[-.\w+]+@[-\w]+(?:\.[-\w]+)+")


def seen(text: str) -> str:
    shown = "".join(letter for letter in text if letter != "\u2060")
    return " ".join(shown.split())


@given(hostile)
@example("1) a")
def test_a_cell_of_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    tokens = (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .parse(f"| head | other |\n| --- | --- |\n| {for_markdown(text)} | beside |")
    )
    inline = [token for token in tokens if token.type == "inline"]
    assert [token.content for token in inline[:2]] == ["head", "other"]
    assert inline[3].content == "beside"
    assert_only_text(inline[2].children or [], text)


@given(hostile)
@pytest.mark.parametrize("before", ["", "- "])
def test_a_paragraph_and_a_list_of_markdown_show_the_text_and_nothing_else(before: str, text: str) -> None:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(before + for_markdown(text))
    inline = [token for token in tokens if token.type == "inline"]
    kinds = {token.type.rpartition("_")[0] for token in tokens} - {""}
    assert kinds <= ({"bullet_list", "list_item", "paragraph"} if before else {"paragraph"})
    assert_only_text(inline[0].children or [] if inline else [], text)


def assert_only_text(children: list, text: str) -> None:
    assert {child.type for child in children} <= {"text", "text_special"}
    shown = "".join(child.content for child in children)
    assert LINKS.search(shown) is None
    unseen = r"[\x00-\x1f\x7f-\x9f\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f\ud800-\udfff]"
    assert seen(shown) == seen(straight(re.sub(unseen, "", " ".join(text.split()))))


class Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(hostile)
def test_an_element_of_the_report_shows_the_text_and_nothing_else(text: str) -> None:
    parser = Shown()
    parser.feed(element("p", text, title=text))
    parser.close()
    written = straight("".join(letter for letter in text if letter >= " " or letter in "\n\t"))
    assert parser.tags == [("p", [("title", written)])]
    assert parser.text == written


MARKS = [
    *("<|im_start|>", "<|im_end|>", "<image>", "<video>", "<|vision_start|>", "<|image_pad|>", "<s>", "</s>"),
    *("[INST]", "[/INST]", "<<SYS>>", "<start_of_turn>", "<|endoftext|>", "<｜begin▁of▁sentence｜>", "<unk>"),
    *("{options}", "{context}", "[IMG]", "<fake_token_around_image>", "＜image＞", "<extra_id_0>", "[gMASK]"),
]


@given(st.lists(st.sampled_from(MARKS) | st.text(max_size=5), max_size=8).map("".join))
def test_no_mark_of_a_tokenizer_is_left_in_a_prompt(text: str) -> None:
    cleaned = for_prompt(text)
    for form in (cleaned, unicodedata.normalize("NFKC", cleaned)):
        assert not re.search(r"[<>\[\]{}|]", form)
    assert for_prompt(cleaned) == cleaned


def test_what_people_say_is_left_in_a_prompt() -> None:
    assert for_prompt(" [laughs]  No — it's 5 > 3,\nreally! ") == "(laughs) No — it's 5 ) 3, really!"


@given(st.text(max_size=20).map(lambda text: text * 60))
def test_a_quotation_in_a_prompt_has_its_length_and_cannot_be_left(text: str) -> None:
    shown = quoted_in_prompt(text)
    assert len(shown) <= LONGEST_QUOTATION + 2
    assert (shown[0], shown[-1], shown.count('"')) == ('"', '"', 2)


@given(st.text(), st.integers(2, 50))
def test_text_is_cut_to_its_length_whether_it_has_blanks_or_not(text: str, length: int) -> None:
    short = cut_at_word(text, length)
    assert len(short) <= length
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
    assert len(cut_at_word("x" * 5000, length)) == length


@given(st.text() | st.lists(st.sampled_from(["\x1b[31m", "\x1b]0;x\x07", "\x9b1m", "\r", "\u202e", "a"])).map("".join))
def test_a_terminal_is_given_nothing_to_obey(text: str) -> None:
    shown = for_terminal(text)
    assert all(unicodedata.category(letter) not in ("Cc", "Cs") or letter in "\n\t" for letter in shown)
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
    assert "\n" not in quoted(text)


def test_a_browser_shows_a_name_in_the_order_in_which_it_is_written() -> None:
    name = "a \u202e4pm.live\u2066b"
    assert html.unescape(for_markdown(name)) == r"a \u202e4pm.live\u2066b"
    assert element("td", name) == r"<td>a \u202e4pm.live\u2066b</td>"
    assert straight("\u200fשלום, 7\u200e") == "\u200fשלום, 7\u200e"


def test_an_entity_is_text_and_no_markup() -> None:
    assert html.unescape(for_markdown("&lt;image&gt;")) == "&lt;image&gt;"


def test_no_cell_of_markdown_turns_the_direction_of_the_others() -> None:
    assert html.unescape(for_markdown("\u202eevil \u2067title")) == "\\u202eevil \\u2067title"
