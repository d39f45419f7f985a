"""Addresses of people, paths, keys and machines are found in text and taken out of it; nothing else is."""

import re
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.pseudonyms import Pseudonyms, is_pseudonym, released_name
from emovid_assets.core.release.origins import ORIGIN_RULES
from emovid_assets.core.release.scan import HINT, KINDS, clean, found_in

KEY = "hf_" + "aB3" * 12
BAD = {
    "Jane Doe <jane.doe@example.org>": ("address", "Jane Doe <[address]>"),
    "jane＠example.org": ("address", "[address]"),
    "ｊａｎｅ＠例え.jp さん": ("address", "[address] さん"),
    "jane%40example.org": ("address", "[address]"),
    "jane (at) example.org": ("address", "[address]"),
    "jane\u200b.doe@exa\u00admple.org \u2764\ufe0f": ("address", "[address] \u2764"),
    "h\u2060f_" + "aB3" * 12: ("key", "[key]"),
    "mailto:jane@lab": ("address", "mailto:[address]"),
    "see /home/jane/films/x.mp4, please": ("path", "see [path], please"),
    "cwd=/tmp/abc": ("path", "cwd=[path]"),
    "PATH=/usr/bin/env:/root/bin": ("path", "PATH=/usr/bin/env:[path]"),
    "/Users/jane/x": ("path", "[path]"),
    "C:\\Users\\Jane\\x.mp4": ("path", "[path]"),
    "D:/films/x.mp4": ("path", "[path]"),
    "\\\\server\\share\\x": ("path", "[path]"),
    "file:///srv/x": ("path", "file:[path]"),
    "https://jane:secret@example.org/x": ("credentials", "https://[key]@example.org/x"),
    "http://localhost:8080/x": ("machine", "http://[machine]/x"),
    "localhost:3000": ("machine", "[machine]"),
    "http://label-studio:8080/api": ("machine", "http://[machine]/api"),
    "https://nas.local/x": ("machine", "https://[machine]/x"),
    "192.168.0.12": ("machine", "[machine]"),
    "at 10.1.2.3 or so": ("machine", "at [machine] or so"),
    "http://8.8.8.8/x": ("machine", "http://[machine]/x"),
    "88.12.3.4": ("machine", "[machine]"),
    "fe80::1ff:fe23:4567:890a": ("machine", "[machine]"),
    "::1": ("machine", "[machine]"),
    KEY: ("key", "[key]"),
    "https://example.org/x?api_key=abcdef12&v=1": ("key", "https://example.org/x?api_key=[key]&v=1"),
    "Authorization: Bearer abcdefgh12345678": ("key", "Authorization: Bearer [key]"),
    'password="hunter2222"': ("key", 'password="[key]"'),
    "AKIA" + "A1B2" * 4: ("key", "[key]"),
    "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----": ("key", "[key]"),
}
GOOD = (
    *("@handle", "by @jane_doe on https://www.youtube.com/@jane_doe", "smile@2x.png", "pkg@1.2.3", "Live @ Home"),
    *("\u2764\ufe0f a family \U0001f469\u200d\U0001f467", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
    *("movie-0123456789abcdef-00001000-00002000", "0" * 64, "2026-11-30T02:10:11+00:00", "12:34:56", "4.13.0.92"),
    *(
        "and/or /r/aww",
        "train/movie/x.mp4",
        "https://example.org/home/jane/tmp/x",
        "{root}/tmp/x",
        "#!/usr/bin/env python",
    ),
    *(
        "/data/local-files/?d=clips/x.mp4",
        "So sad D:/ really",
        "std::vector a::b",
        "the key: love",
        "the secret: nothing",
    ),
    *(
        "Basic instructions for everybody",
        "HuggingFaceTB/SmolVLM-256M-Instruct",
        "10.1145/3474085.3475587",
        "tasks-of-today-and-x",
    ),
    *(
        "https://mlcommons.org/croissant/1.1",
        "s3://bucket/x",
        "hf://datasets/owner/name",
        "5:30::7",
        "www.bigbuckbunny.org",
    ),
    '"Big Buck Bunny", (c) copyright 2008, Blender Foundation | www.bigbuckbunny.org',
    "https://media.giphy.com/media/x/giphy.gif?cid=790b7611&ep=v1&rid=giphy.gif&ct=g",
)


@pytest.mark.parametrize("text", BAD)
def test_what_must_not_leave_is_found_without_being_shown_and_taken_out(text: str) -> None:
    kind, cleaned = BAD[text]
    found = found_in(text)
    assert [one.kind for one in found] == [kind]
    assert KINDS[kind] in found[0].excerpt
    assert clean(text) == cleaned
    hidden = re.sub(r"\[\w+\]", "", text.replace(cleaned, ""))
    assert hidden not in found[0].excerpt


@pytest.mark.parametrize(
    "text", [*GOOD, *(rule.read_in for rule in ORIGIN_RULES), *(rule.why for rule in ORIGIN_RULES)]
)
def test_what_may_leave_stays_as_it_is(text: str) -> None:
    assert (clean(text), found_in(text)) == (text, [])


pieces = st.sampled_from(
    [*BAD, *GOOD, "\u200b", "\U000e0041", " ", ", ", "\n", "x", "(", ")", '"', "://", "@", "/", "[key]"]
)
texts = st.lists(pieces | st.text(max_size=6), max_size=8).map("".join)


@given(texts)
def test_a_cleaned_text_holds_nothing_more_and_nothing_changes_where_nothing_was(text: str) -> None:
    cleaned = clean(text)
    assert found_in(cleaned) == []
    assert clean(cleaned) == cleaned
    assert bool(found_in(text)) == (cleaned != text)


@given(texts)
def test_whatever_holds_a_finding_holds_a_hint(text: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = text.encode("utf-8", "replace").decode()
    hinted = pc.match_substring_regex(pa.array([text]), HINT)[0].as_py()
    assert hinted or not found_in(text)


def test_everybody_has_a_pseudonym_in_a_release_and_keeps_it() -> None:
    key = bytes(32)
    names = ["Jane", "jane", "Jane Doe", "annotator-1", "人", "simulated-1", "annotator-0123456789ab"]
    released = [released_name(name, key) for name in names]
    assert released[-2:] == names[-2:]
    assert all(map(is_pseudonym, released))
    assert len(set(released)) == len(names)
    assert released == [released_name(name, key) for name in released]
    assert released[0] != released_name("Jane", b"\1" * 32)
    assert released_name("jane@example.org", key) == Pseudonyms(lambda: key).annotator("jane@example.org")
    assert released_name("Jane <jane@example.org>", key) == released_name("jane@example.org", key)


@pytest.mark.parametrize(
    "piece", ["a'", "a.", "a@", "@a", "::", "x://", "sk-", "/home/", "\\\\ab\\", "=key&", "1.", "（@"]
)
def test_a_long_text_of_a_stranger_takes_no_long_time(piece: str) -> None:
    text = piece * 20_000
    started = perf_counter()
    clean(text)
    assert perf_counter() - started < 2.0
