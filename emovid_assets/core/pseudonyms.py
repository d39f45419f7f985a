"""Names under which annotators are known where they could be read by others: a pseudonym for an address.

Belongs here: what an address is, and the pseudonym that a key gives it. Does not belong here: where the key lies, and
who may read which address belongs to whom (`people.annotators`).

The same address has the same pseudonym under the same key, and without the key nobody can find it by trying addresses.
A name that is no address stays as it is written: whoever collects answers has chosen it, often as a pseudonym already.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from functools import cache

PREFIX = "annotator-"
DIGITS = 12
"""Hexadecimal ones: two of 10,000 people share a pseudonym once in five million homes."""
KEY_BYTES = 32

_PART = r"[^\s@<>()\[\]{},;:\"'`|/\\]"
_ADDRESS = re.compile(rf"(?:mailto:)?({_PART}+@{_PART}*[^\s@<>()\[\]{{}},;:\"'`|/\\.!?])")
"""Also without a dot: `ann@lab` reaches somebody within a laboratory."""


class Pseudonyms:
    """The pseudonyms that a key gives, which is asked for when the first address is met.

    `addresses`: by pseudonym, of all that were met.
    """

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = cache(key)
        self.addresses: dict[str, str] = {}

    def annotator(self, written: str) -> str:
        """The id of a person who signs so; of an address with a name around it (`Ann <ann@example.org>`), its own."""
        found = set(map(_plain, _ADDRESS.findall(written)))
        return self._of(found.pop()) if len(found) == 1 else self.hide(written)

    def hide(self, text: str) -> str:
        """A text in which pseudonyms stand for addresses."""
        if "@" not in text:
            return text
        return _ADDRESS.sub(lambda found: self._of(_plain(found[1])), text)

    def _of(self, address: str) -> str:
        digest = hmac.new(self._key(), address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        pseudonym = f"{PREFIX}{digest[:DIGITS]}"
        self.addresses.setdefault(pseudonym, address)
        return pseudonym


def _plain(address: str) -> str:
    """Nobody has two addresses that differ in case alone."""
    return address.casefold()
