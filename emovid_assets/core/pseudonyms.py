"""Names under which annotators are known where they could be read by others: a pseudonym for an address.

Belongs here: what an address is, and the pseudonym that a key gives it. Does not belong here: where the key lies, and
who may read which address belongs to whom (`people.annotators`).

The same address has the same pseudonym under the same key, and without the key nobody can find it by trying addresses.
A name that is no address stays as it is written, but for what nobody sees (`signed`): whoever collects answers has
chosen it, often as a pseudonym already.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

from emovid_assets.core.plain_text import bare

PREFIX = "annotator-"
DIGITS = 12
"""Hexadecimal ones: two of 10,000 people share a pseudonym once in five million homes."""
KEY_BYTES = 32

_AT = "@\uff20\ufe6b"
"""Japanese and Chinese keyboards also write a wide one."""
_NONE_OF = rf"\s{_AT}<>()\[\]{{}},;:\"'`|/\\"
_ADDRESS = re.compile(rf"(?<![^{_NONE_OF}])(?:mailto:)?([^{_NONE_OF}]+[{_AT}][^{_NONE_OF}]*[^{_NONE_OF}.!?])")
"""Also without a dot: `ann@lab` reaches somebody within a laboratory. It begins where a word does, or a long one would
be tried from each of its letters."""
_PSEUDONYM = re.compile(rf"{PREFIX}[0-9a-f]{{{DIGITS}}}")
SIMULATED = "simulated-"
"""How the names of people begin who are none."""
ENDINGS = (".csv", ".json")
"""Of files of answers, whose names may be addresses."""


class Pseudonyms:
    """The pseudonyms that a key gives, which is asked for when the first address is met.

    `addresses`: by pseudonym, of all that were met.
    """

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = cache(key)
        self.addresses: dict[str, str] = {}

    def annotator(self, written: str) -> str:
        """The id of a person who signs so; of an address with a name around it (`Ann <ann@example.org>`), its own."""
        name = signed(written)
        found = set(map(_plain, _ADDRESS.findall(name)))
        return self._of(found.pop()) if len(found) == 1 else self.hide(name)

    def hide(self, text: str) -> str:
        """A text in which pseudonyms stand for addresses."""
        if not any(at in text for at in _AT):
            return text
        return _ADDRESS.sub(lambda found: self._of(_plain(found[1])), text)

    def hide_in_path(self, path: str) -> str:
        """As `hide`; the ending of a file's name is no part of an address before it."""
        ending = next((one for one in ENDINGS if path.lower().endswith(one)), "")
        stem = path[: len(path) - len(ending)]
        return self.hide(stem) + path[len(stem) :]

    def _of(self, address: str) -> str:
        digest = hmac.new(self._key(), address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        pseudonym = f"{PREFIX}{digest[:DIGITS]}"
        self.addresses.setdefault(pseudonym, address)
        return pseudonym


def released_name(name: str, key: bytes) -> str:
    """Under which a person is known in a release, which more people read than a home: also a name that is no address
    has a pseudonym there. Pseudonyms stay as they are, and so do simulated people."""
    known = Pseudonyms(lambda: key).annotator(name)
    if is_pseudonym(known):
        return known
    # Two people may differ in case alone, unlike two addresses.
    digest = hmac.new(key, b"name\0" + known.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    return f"{PREFIX}{digest[:DIGITS]}"


def addresses_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Where addresses begin and end, and as they are noted (`Pseudonyms.addresses`)."""
    for found in _ADDRESS.finditer(text) if any(at in text for at in _AT) else ():
        yield *found.span(1), _plain(found[1])


def is_pseudonym(name: str) -> bool:
    """Whether a name says nothing of a person."""
    return _PSEUDONYM.fullmatch(name) is not None or name.startswith(SIMULATED)


def signed(written: str) -> str:
    """A name as it is compared: one line, in normal form C, without what is copied along with it and nobody sees."""
    return bare(written)


def _plain(address: str) -> str:
    """Nobody has two addresses that differ in case, in the width of letters or in how an accent is written alone."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare(address)).casefold())
