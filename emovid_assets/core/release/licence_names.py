"""Which licence people mean by what they write: ids of SPDX and hubs, names, addresses, expressions.

Belongs here: reading a cell `license`. Does not belong here: what the licence allows (`licences`).

Nothing is guessed: a text is a licence only where all of it is the name of one. `CC`, `BSD`, `free`, `see website`,
`CC BY 4.0, but ask first` are unknown.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlsplit

from emovid_assets.core.plain_text import bare
from emovid_assets.core.release.licences import (
    LICENCES,
    UNKNOWN,
    Licence,
    best_of,
    creative_commons,
    strictest_of,
)

_ALSO: dict[str, tuple[str, ...]] = {
    "CC0-1.0": (
        *("cc0", "cc zero", "cc0 1.0 universal", "creative commons zero", "creative commons zero 1.0 universal"),
        *("creative commons cc0", "creative commons cc0 1.0 universal"),
    ),
    "CC-PDM-1.0": ("public domain mark", "cc pdm", "creative commons public domain mark"),
    "CC-PDDC": ("cc public domain dedication", "creative commons public domain dedication and certification"),
    "LicenseRef-public-domain": ("public domain", "in the public domain", "pd", "pd us", "us government work"),
    "MIT": ("mit", "expat", "x11 mit"),
    "MIT-CMU": ("hpnd mit cmu", "mit cmu hpnd", "cmu"),
    "Apache-2.0": ("apache 2", "apache software 2.0", "asl 2.0"),
    "BSD-2-Clause": ("bsd 2", "simplified bsd", "freebsd"),
    "BSD-3-Clause": ("bsd 3", "new bsd", "modified bsd", "revised bsd"),
    "OFL-1.1": ("ofl", "sil ofl", "sil ofl 1.1", "sil open font", "open font", "ofl 1.1 rfn", "ofl 1.1 no rfn"),
    "FAL-1.3": ("fal", "free art", "licenseref fal 1.3"),
    "LAL-1.3": ("lal", "art libre"),
    "MPL-2.0": ("mpl 2", "mozilla public 2.0"),
    "GPL-2.0-only": ("gpl 2.0", "gpl 2", "gplv2", "gpl v2", "gnu gpl 2", "gnu gplv2", "gnu general public 2"),
    "GPL-2.0-or-later": ("gpl 2.0+", "gpl 2+", "gplv2+"),
    "GPL-3.0-only": ("gpl 3.0", "gpl 3", "gplv3", "gpl v3", "gnu gpl 3", "gnu gplv3", "gnu general public 3"),
    "GPL-3.0-or-later": ("gpl 3.0+", "gpl 3+", "gplv3+"),
    "LGPL-2.1-only": ("lgpl 2.1", "lgplv2.1"),
    "LGPL-2.1-or-later": ("lgpl 2.1+", "lgplv2.1+"),
    "LGPL-3.0-only": ("lgpl 3.0", "lgpl 3", "lgplv3"),
    "LGPL-3.0-or-later": ("lgpl 3.0+", "lgplv3+"),
    "AGPL-3.0-only": ("agpl 3.0", "agpl 3", "agplv3"),
    "AGPL-3.0-or-later": ("agpl 3.0+", "agplv3+"),
}
_ADDRESSES: dict[str, tuple[str, ...]] = {
    "MIT": ("opensource.org/licenses/mit", "mit-license.org", "choosealicense.com/licenses/mit"),
    "MIT-0": ("opensource.org/licenses/mit-0",),
    "Apache-2.0": (
        *("apache.org/licenses/license-2.0.html", "apache.org/licenses/license-2.0.txt"),
        *("opensource.org/licenses/apache-2.0", "choosealicense.com/licenses/apache-2.0"),
    ),
    "BSD-2-Clause": ("opensource.org/licenses/bsd-2-clause",),
    "BSD-3-Clause": ("opensource.org/licenses/bsd-3-clause",),
    "ISC": ("opensource.org/licenses/isc",),
    "OFL-1.1": ("scripts.sil.org/ofl", "opensource.org/licenses/ofl-1.1"),
    "MPL-2.0": ("mozilla.org/en-us/mpl/2.0", "opensource.org/licenses/mpl-2.0"),
    "FAL-1.3": ("artlibre.org/licence/lal/en",),
    "GPL-2.0-only": ("gnu.org/licenses/gpl-2.0.html", "gnu.org/licenses/gpl-2.0"),
    "GPL-3.0-only": ("gnu.org/licenses/gpl-3.0", "opensource.org/licenses/gpl-3.0"),
}
_SAYS_NOTHING = re.compile(r"\b(?:the|licen[sc]e|licensed|version|v(?=\s?[0-9]))\b|(?<=[a-z ])v(?=[0-9])")
_CC_WORDS = (
    (r"creative commons|creativecommons", "cc"),
    (r"non commercial|noncommercial", "nc"),
    (r"no derivatives|noderivatives|no derivative works|noderivs|no derivs", "nd"),
    (r"share alike|sharealike", "sa"),
    (r"attribution", "by"),
)
_CC = re.compile(
    r"(?P<cc>cc )?(?P<kind>(?:by|nc|nd|sa)(?: (?:nc|nd|sa))*)(?: (?P<version>[1-4](?:\.[0-9])?))?"
    r"(?P<means> (?:international|unported|generic|intl|int))?(?: (?P<port>[a-z]{2}|igo|scotland))?(?: public)?"
)
_CC_ADDRESS = re.compile(
    r"creativecommons\.org/licenses/(?P<kind>[a-z-]+)/(?P<version>[0-9.]+)(?:/(?P<port>[a-z]{2}|igo|scotland))?"
    r"(?:/(?:deed|legalcode)(?:[.-][a-z_-]+|\.txt)*)?"
)
_PUBLIC_DOMAIN_ADDRESS = re.compile(
    r"creativecommons\.org/(?P<what>publicdomain/zero/1\.0|publicdomain/mark/1\.0|licenses/publicdomain)"
    r"(?:/(?:deed|legalcode)(?:[.-][a-z_-]+|\.txt)*)?"
)
_OF_PUBLIC_DOMAIN = {
    "publicdomain/zero/1.0": "CC0-1.0",
    "publicdomain/mark/1.0": "CC-PDM-1.0",
    "licenses/publicdomain": "CC-PDDC",
}
_OPERATOR = re.compile(r"(\(|\)|(?<![\w-])(?:OR|AND|WITH)(?![\w-]))", re.IGNORECASE)
_EXCEPTION = re.compile(r"[a-z0-9.-]+-exception(?:-[0-9.]+)?", re.IGNORECASE)
_REFERENCE = re.compile(r"(?:DocumentRef-[a-z0-9.-]+:)?LicenseRef-[a-z0-9.-]+", re.IGNORECASE)
_DEEPEST = 20
_Reader = Callable[[list[str], int], tuple[Licence, list[str]]]


@lru_cache(maxsize=10_000)
def recognised(text: str | None) -> Licence:
    """The licence that a text names; `UNKNOWN` where it names none, or says more than a name.

    Of an expression with OR the best, with AND the strictest, under the id of the whole expression.
    """
    written = bare(text or "").strip(" .,;")
    if not written or len(written) > 500:
        return UNKNOWN
    return _one(written) or _expression(written) or _said_twice(written) or UNKNOWN


def _one(written: str) -> Licence | None:
    return _by_address(written) or _BY_NAME.get(_plain(written)) or _creative_commons(_plain(written))


def _plain(written: str) -> str:
    """A name without what makes no difference."""
    text = re.sub(r"[\s_/-]+", " ", written.casefold())
    text = re.sub(r"[\s,]+", " ", _SAYS_NOTHING.sub(" ", text.replace("(reuse allowed)", " ")))
    return text.strip().removesuffix(" clause").strip()


def _creative_commons(plain: str) -> Licence | None:
    for words, short in _CC_WORDS:
        plain = re.sub(rf"\b(?:{words})\b", short, plain)
    found = _CC.fullmatch(plain.removeprefix("licenseref "))
    # `Attribution 4.0 International` is how they call themselves; `Attribution` alone is a wish.
    if found is None or not (found["cc"] or (found["means"] and found["version"])):
        return None
    parts = found["kind"].split()
    if len(set(parts)) != len(parts):
        return None
    version = found["version"] and (found["version"] if "." in found["version"] else f"{found['version']}.0")
    return creative_commons(_kind(parts), version, found["port"])


def _kind(parts: list[str]) -> str:
    return "-".join(part for part in ("by", "nc", "nd", "sa") if part in parts)


def _by_address(written: str) -> Licence | None:
    if not re.match(r"(?i)(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/|$)", written):
        return None
    try:
        parts = urlsplit(written if "://" in written else f"https://{written}")
    except ValueError:
        return None
    address = f"{(parts.hostname or '').removeprefix('www.')}{parts.path}".casefold().rstrip("/")
    if found := _CC_ADDRESS.fullmatch(address):
        return creative_commons(_kind(found["kind"].split("-")), found["version"], found["port"])
    if found := _PUBLIC_DOMAIN_ADDRESS.fullmatch(address):
        return LICENCES[_OF_PUBLIC_DOMAIN[found["what"]]]
    if address.startswith("spdx.org/licenses/"):
        return _BY_NAME.get(_plain(address.removeprefix("spdx.org/licenses/").removesuffix(".html")))
    return _BY_ADDRESS.get(address)


def _said_twice(written: str) -> Licence | None:
    """`Creative Commons Attribution 4.0 International (CC BY 4.0)`, `CC BY 4.0, https://…`: the same one each time."""
    parts = [part for part in map(str.strip, re.split(r"[(),;<>\[\]]|\s[-–—:]\s|\s(?=https?://)", written)) if part]
    found = {licence.id: licence for part in parts if (licence := _one(part) or UNKNOWN)}
    return found.popitem()[1] if len(parts) > 1 and len(found) == 1 else None


def _expression(written: str) -> Licence | None:
    """An expression as SPDX writes it; null where it is none."""
    tokens = [token for token in (part.strip() for part in _OPERATOR.split(written)) if token]
    if len(tokens) < 3:
        return None
    try:
        licence, rest = _either(tokens, 0)
    except _NotAnExpressionError:
        return None
    return None if rest else licence


class _NotAnExpressionError(Exception):
    pass


def _either(tokens: list[str], depth: int) -> tuple[Licence, list[str]]:
    choices, tokens = _joined(tokens, depth, "OR", _both)
    if len(choices) == 1:
        return choices[0], tokens
    best = best_of(choices)
    if not best.is_known:
        return UNKNOWN, tokens
    name = " OR ".join(choice.id if choice.is_known else "LicenseRef-unknown" for choice in choices)
    return replace(best, id=name, parts=best.applies), tokens


def _both(tokens: list[str], depth: int) -> tuple[Licence, list[str]]:
    parts, tokens = _joined(tokens, depth, "AND", _operand)
    bracketed = [
        replace(part, id=f"({part.id})", parts=part.applies) if len(parts) > 1 and " OR " in part.id else part
        for part in parts
    ]
    return strictest_of(bracketed), tokens


def _joined(tokens: list[str], depth: int, operator: str, read: _Reader) -> tuple[list[Licence], list[str]]:
    first, tokens = read(tokens, depth)
    found = [first]
    while tokens and tokens[0].upper() == operator:
        following, tokens = read(tokens[1:], depth)
        found.append(following)
    return found, tokens


def _operand(tokens: list[str], depth: int) -> tuple[Licence, list[str]]:
    if not tokens or depth > _DEEPEST:
        raise _NotAnExpressionError
    if tokens[0] == "(":
        licence, tokens = _either(tokens[1:], depth + 1)
        if not tokens or tokens[0] != ")":
            raise _NotAnExpressionError
        return licence, tokens[1:]
    if _OPERATOR.fullmatch(tokens[0]):
        raise _NotAnExpressionError
    found, name, tokens = _one(tokens[0]), tokens[0], tokens[1:]
    if found is None and not _REFERENCE.fullmatch(name):
        # `MIT or ask`: no expression, but prose.
        raise _NotAnExpressionError
    licence = found or UNKNOWN
    if tokens and tokens[0].upper() == "WITH":
        # An exception allows more. Other words behind WITH may take something away.
        if len(tokens) < 2 or not _EXCEPTION.fullmatch(tokens[1]):
            return UNKNOWN, tokens[2:]
        tokens = tokens[2:]
    return licence, tokens


_BY_NAME = {
    _plain(name): licence
    for licence in LICENCES.values()
    for name in (licence.id, licence.title, *_ALSO.get(licence.id, ()))
}
_BY_ADDRESS = {
    address: LICENCES[name]
    for name, licence in reversed(list(LICENCES.items()))
    for address in (re.sub(r"^https?://(?:www\.)?", "", licence.url).rstrip("/").casefold(), *_ADDRESSES.get(name, ()))
    if address
}
