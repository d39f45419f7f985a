"""What a person has written into a cell, as the value that is meant.

Belongs here: numbers, yes and no, words of a list, as people and their programs write them. Does not belong here: which
column holds what, and where a cell stands (`filled_tables`).
"""

import math
import re
from collections.abc import Iterable, Mapping

from emovid_assets.core.plain_text import quoted

YES, NO = ("yes", "true", "1", "y"), ("no", "false", "0", "n")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_THOUSANDS_OR_TENTHS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_WORD_PARTS = re.compile(r"[\s_\-\u200b\u2060\ufeff]+")


class CellError(ValueError):
    """The cell means nothing here; the message says what would: `a whole number, such as 3`."""


def told(column: str, value: str, error: CellError) -> str:
    """What is wrong with a cell, for a message that says where it stands."""
    return f"`{column}` is '{quoted(value)}', not {error}"


def number(text: str) -> float:
    """A finite number; a comma may stand for the point of decimals where it cannot mean thousands. Raises CellError."""
    form = "a number, such as 2.5"
    written = text.strip()
    if _THOUSANDS_OR_TENTHS.fullmatch(written):
        raise CellError(f"a number that is clear: is {written.replace(',', '')} or {written.replace(',', '.')} meant")
    if not _NUMBER.fullmatch(written):
        raise CellError(form)
    value = float(written.replace(",", "."))
    if not math.isfinite(value):
        raise CellError(form)
    return value


def whole(text: str) -> int:
    """A whole number: programs for tables write `3.0`. Raises CellError."""
    form = "a whole number, such as 3"
    try:
        value = number(text)
    except CellError as error:
        raise CellError(form) from error
    if not value.is_integer() or abs(value) >= 1e9:
        raise CellError(form)
    return int(value)


def seconds(text: str) -> float:
    """A length of time, 0 or more. Raises CellError."""
    value = number(text)
    if value < 0:
        raise CellError("a number of seconds, 0 or more")
    return value


def yes_or_no(text: str) -> bool:
    """Raises CellError."""
    return word(text, ("yes", "no"), {**dict.fromkeys(YES, "yes"), **dict.fromkeys(NO, "no")}) == "yes"


def word(text: str, allowed: Iterable[str], also: Mapping[str, str] | None = None) -> str:
    """The word of the list that is meant, whatever its case, blanks, hyphens and underscores. Raises CellError.

    `also`: other ways to write a word, in lower case, and the word.
    """
    words = tuple(allowed)
    known = {plain(one): one for one in words} | dict(also or {})
    written = plain(text)
    # Programs for tables make 1.0 of 1.
    found = known.get(written) or known.get(written.removesuffix(".0"))
    if found is None:
        raise CellError(f"one of {', '.join(words)}")
    return found


def plain(text: str) -> str:
    """A word without what makes no difference: case, blanks, also those of no width, hyphens, underscores."""
    return _WORD_PARTS.sub("", text).casefold()
