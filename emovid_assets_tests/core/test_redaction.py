"""No text that leaves here holds a key, in whatever form somebody wrote it."""

import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.redaction import HIDDEN, SHORTEST_PART, Redactor

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "path": quote,
    "parameter": lambda key: urlencode({"key": key}).removeprefix("key="),
    "small letters": lambda key: quote(key, safe="").lower(),
    "address in an address": lambda key: quote_plus(quote(key, safe="")),
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON of PHP": lambda key: json.dumps(key).replace("/", r"\/")[1:-1],
    "JSON as it is": lambda key: json.dumps(key, ensure_ascii=False)[1:-1],
    "HTML": html.escape,
    "Python": lambda key: repr(key)[1:-1],
    "header": lambda key: repr({"Authorization": f"Bearer {key}"})[len("{'Authorization': 'Bearer ") : -2],
}
sent = st.text([chr(code) for code in range(0x21, 0x7F)], min_size=1, max_size=60)
any_letters = st.text(st.characters(codec="utf-8"), min_size=8, max_size=30)
around = st.text(st.characters(codec="utf-8"), max_size=20)


@given(key=sent | any_letters, before=around, after=around)
def test_a_key_is_hidden_in_every_form_it_can_take(key: str, before: str, after: str) -> None:
    redact = Redactor([key])
    for name, form in FORMS.items():
        shown = redact(before + form(key) + after).replace(HIDDEN, "\0")
        assert form(key).lower() not in shown.lower(), name
        assert key not in shown, name


@given(key=sent.filter(lambda key: len(key) >= 8), before=around, after=around, data=st.data())
def test_a_part_that_tells_much_of_a_key_is_hidden(key: str, before: str, after: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(key) - SHORTEST_PART))
    part = key[start : start + SHORTEST_PART]
    assert part not in Redactor([key])(f"{before}{part}…{after}").replace(HIDDEN, "\0")


@given(key=sent, before=around, after=around)
def test_a_text_that_is_kept_is_without_the_key_unless_it_is_too_short_to_tell(
    key: str, before: str, after: str
) -> None:
    for name, form in FORMS.items():
        text = before + form(key) + after
        kept = Redactor([key]).without_secrets(text)
        if len(key) < 8:
            assert kept == text, name
        else:
            assert form(key).lower() not in kept.replace(HIDDEN, "\0").lower(), name


def test_nothing_of_a_key_is_left_in_a_kept_text_in_any_form() -> None:
    key = "'é\"/<& %+key'"
    for name, form in FORMS.items():
        assert Redactor([key]).without_secrets(f"[{form(key)}]") == f"[{HIDDEN}]", name


def test_keys_are_hidden_each_in_its_place_and_the_longer_one_before_its_beginning() -> None:
    redact = Redactor(["0123456789", "0123456789abcdef", "fedcba9876543210"])
    text = "first 0123456789abcdef, then fedcba9876543210, then 0123456789, then none"
    shown = f"first {HIDDEN}, then {HIDDEN}, then {HIDDEN}, then none"
    assert (redact.without_secrets(text), redact(text)) == (shown, shown)


def test_a_part_too_short_to_tell_anything_stays() -> None:
    key = "0123456789abcdef"
    parts = [key[start : start + SHORTEST_PART - 1] for start in range(len(key))]
    assert Redactor([key])(" ".join(parts)) == " ".join(parts)


def test_other_words_of_a_kept_text_stay() -> None:
    redact = Redactor(["0123456789", "none"])
    assert redact.without_secrets("key=abc, none of 012345") == "key=abc, none of 012345"
    assert redact.without_secrets("A hare holds 0123456789 up.") == f"A hare holds {HIDDEN} up."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /v2/search?key=abc&q=happy", f"GET /v2/search?key={HIDDEN}&q=happy"),
        ('{"api_key": "abc", "keyword": "joy"}', f'{{"api_key": "{HIDDEN}", "keyword": "joy"}}'),
        ("https://me:pass@example.org/a", f"https://{HIDDEN}@example.org/a"),
        ("Authorization: Basic bWU6cGFzcw==", f"Authorization: Basic {HIDDEN}"),
        ("{'Authorization': 'Bearer abc'}", f"{{'Authorization': 'Bearer {HIDDEN}'}}"),
        ("sent was bearer abc, sorry", f"sent was bearer {HIDDEN}, sorry"),
        ("no monkey business: 3 of 4 files", "no monkey business: 3 of 4 files"),
    ],
)
def test_what_stands_where_a_key_does_is_hidden_and_other_words_stay(text: str, shown: str) -> None:
    redact = Redactor()
    assert redact(text) == shown
    assert redact(shown) == shown


def test_a_known_key_where_a_key_stands_is_hidden_once() -> None:
    redact = Redactor(["0123456789abcdef"])
    assert redact("/search?key=0123456789abcdef&q=joy") == f"/search?key={HIDDEN}&q=joy"
