"""Numbers as a page shows them, held against numbers as they were recounted.

Belongs here: what of a text is a number, and when it shows a value. Does not belong here: which value it should show.

A recount says what a text shows as a list, in the order of the text: numbers, and words that hold digits (names,
versions, colours) as strings. Nothing that holds a digit may be left over on either side.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Names with digits, colours, dates and versions are words; ▲ and ▽ say which side of chance a number lies.
_WORD = r"\#[0-9a-f]{6}|[^\W\d](?:[\w./-]*\w)?|\d+(?:[.:-]\d+){2,}[\w.+]*|\d\d:\d\d|[0-9a-f]{16}|[▲▽]"
_NUMBER = r"(?P<less><\s?)?(?P<sign>[−+])?(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?P<decimals>\.\d+)?"
_TOKEN = re.compile(rf"(?P<word>{_WORD})|{_NUMBER}")


@dataclass(frozen=True)
class Shown:
    """A number on the page; `half` of its last place is how far a value may lie from it."""

    value: float
    half: float
    is_bound: bool

    def shows(self, expected: Any) -> bool:
        if isinstance(expected, Between):
            return expected.low - self.half - 1e-9 <= self.value <= expected.high + self.half + 1e-9
        if isinstance(expected, str) or expected is None:
            return False
        if self.is_bound:
            # The bound of what is too small for its last place, and no larger one.
            return bool(expected < self.value <= 2 * self.half + 1e-9)
        return bool(abs(self.value - expected) <= self.half * (1 + 1e-6) + 1e-9)


@dataclass(frozen=True)
class Between:
    """What chance may make of a value that was drawn: any number from `low` to `high`."""

    low: float
    high: float

    def times(self, factor: float) -> "Between":
        return Between(self.low * factor, self.high * factor)


def tokens(text: str) -> list[Shown | str]:
    """The numbers of a text and its words that hold digits or are marks, in their order."""
    found: list[Shown | str] = []
    for match in _TOKEN.finditer(text):
        if word := match["word"]:
            if re.search(r"\d", word) or word in "▲▽":
                found.append(word)
            continue
        decimals = match["decimals"] or ""
        value = float(match["digits"].replace(",", "") + decimals)
        half = 0.5 * 10.0 ** -max(len(decimals) - 1, 0)
        found.append(Shown(-value if match["sign"] == "−" else value, half, bool(match["less"])))
    return found


def differs(text: str, expected: Any) -> str | None:
    """What is wrong with a text that should show `expected`; null where nothing is.

    A string is the whole text, null is the dash of what is not there, a list is what the text shows, in order.
    """
    if expected is None or isinstance(expected, str):
        wanted = "–" if expected is None else expected
        return None if text.strip() == wanted else f"{text!r} is not {wanted!r}"
    wanted_all = list(expected) if isinstance(expected, Sequence) else [expected]
    shown = tokens(text)
    if len(shown) != len(wanted_all):
        return f"{text!r} shows {len(shown)} numbers, recounted were {len(wanted_all)}: {wanted_all}"
    for one, wanted in zip(shown, wanted_all, strict=True):
        if not (one.shows(wanted) if isinstance(one, Shown) else one == wanted):
            return f"{text!r} shows {one}, recounted was {wanted}"
    return None
