"""What must not leave in a release: addresses of people, paths, keys, machines. Found in text, and taken out of it.

Belongs here: what such a thing looks like. Does not belong here: the files of a release, and which keys and people this
home knows (`resources.release.scanning`).

What people and origins have written passes `clean` before it is released; the scan of the finished release then finds
nothing, or names it. `@handle`s stay: they are public, and credits are made of them.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, NamedTuple

from emovid_assets.core.plain_text import quoted

_MOST_AROUND = 30
"""Characters on each side of a finding that are shown."""
_LOOKED_AT = 3000
"""Characters on each side that are cleaned for that: more than the longest key."""
_AT = r"(?:[@\uff20\ufe6b]|%40|\s?[\[(]at[\])]\s?)"
_UNSEEN: Final = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0000, 0xE0FFF)),
)
"""Characters of no width, first and last: an address with one of these inside is read, and typed, as one without. Some
belong into emoji and scripts, so they go only where something is found without them."""
_WITHOUT = re.compile(f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in _UNSEEN)}]+")
_LETTERS = r"[^\W_]"
_FILE_ENDINGS = r"(?:png|gif|jpe?g|webp|svg|avif|apng|mp4|webm|mov|mkv|js|css|json|html?)"
"""`smile@2x.png` is no address."""


class Finding(NamedTuple):
    """`kind`: a key of `KINDS`. `excerpt`: what stands around it, the finding itself replaced by a sign."""

    kind: str
    excerpt: str


KINDS: Final = {
    "credentials": "[key]",
    "key": "[key]",
    "address": "[address]",
    "path": "[path]",
    "machine": "[machine]",
}
"""Each with the sign that stands for it."""


class _Pattern(NamedTuple):
    kind: str
    pattern: re.Pattern[str]
    is_meant: Callable[[re.Match[str]], bool] = lambda found: True
    """The part to be hidden is the group `it`, or everything."""


def _is_private_or_written_as_host(found: re.Match[str]) -> bool:
    """Numbers of versions, such as 4.13.0.92, look like addresses of machines."""
    try:
        address = ip_address(found["it"])
    except ValueError:
        return False
    is_host = bool(found["before"] or found["port"])
    return is_host or not address.is_global or address.packed[0] > 10


def _is_ipv6(found: re.Match[str]) -> bool:
    text = found["it"]
    try:
        address = ip_address(text)
    except ValueError:
        return False
    # Not a time of day, nor C++.
    return address.is_loopback or len(text.partition(":")[0]) == 4


_ROOTS = (
    r"(?:home|root|Users|tmp|var|mnt|media|work|workspace|data(?!/local-files)|srv|opt|private|Volumes|scratch|nfs|"
    r"storage|proc|etc|usr(?!/bin/env\b)|app|mount|content|kaggle|lustre|gpfs|shared)"
)
_TOKENS = (
    r"hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[\w-]{16,}|"
    r"sk-(?=[\w-]*[0-9])(?=[\w-]*[A-Z])[\w-]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|xox[abeprs]-[\w-]{10,}|"
    r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*|npm_[A-Za-z0-9]{36}|pypi-[\w-]{40,}"
)
_PATTERNS: Final = (
    _Pattern("credentials", re.compile(r"(?i)\b[a-z][a-z0-9+.-]{0,30}://(?!\[key\]@)(?P<it>[^/\s@\"'<>]+)@")),
    _Pattern("key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----)?")),
    _Pattern("key", re.compile(rf"(?<![\w-])(?P<it>{_TOKENS})")),
    _Pattern("key", re.compile(r"(?i)\b(?:bearer|basic)\s+(?P<it>(?=[\w.+/=~-]*[0-9])[\w.+/=~-]{16,})")),
    _Pattern(
        "key",
        re.compile(
            r"(?i)(?:[?&;]|&amp;)(?:api[_-]?key|key|access[_-]?token|auth[_-]?token|token|secret|sig|signature|password|"
            r"x-amz-(?:signature|credential|security-token))=(?P<it>[^\s&#\"'<>]{6,})"
        ),
    ),
    _Pattern(
        "key",
        re.compile(
            r"(?i)\b(?:api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret|password|passwd)[\"']?\s*[=:]\s*"
            r"[\"']?(?P<it>(?=[^\s\"',;]*[0-9])[^\s\"',;&\[]{8,})"
        ),
    ),
    _Pattern(
        "address",
        re.compile(
            rf"(?i)(?<![\w.%+'-])(?P<it>{_LETTERS}[\w.%+'-]*{_AT}(?:{_LETTERS}(?:[\w-]*{_LETTERS})?[.\uff0e\u3002])+"
            rf"(?!{_FILE_ENDINGS}\b)[^\W\d_]{{2,}})"
        ),
    ),
    _Pattern("address", re.compile(r"(?i)\bmailto:(?P<it>[^\s\"'<>?\[]+)")),
    _Pattern("path", re.compile(r"(?i)\bfile:(?=/)(?P<it>/+[^\s\"'<>]+)")),
    _Pattern("path", re.compile(r"(?<![A-Za-z0-9])(?P<it>[A-Za-z]:(?:\\{1,2}|/)\w[^\s\"'<>|]*)")),
    _Pattern("path", re.compile(rf"(?<![\w.%~/)\]}}*-])(?P<it>/{_ROOTS}/[^\s\"'<>|:,;)\]}}]+)")),
    _Pattern("path", re.compile(r"(?<![\\\w])(?P<it>\\{2,4}[\w.-]{2,}\\{1,2}[\w.$-]{2,}[^\s\"'<>|]*)")),
    _Pattern(
        "machine",
        re.compile(
            r"(?i)(?:https?|wss?|grpc|ftp|postgresql|redis)://(?P<it>(?:[\w-]+|(?:[\w-]+\.)+"
            r"(?:local|localhost|internal|intranet|lan|corp|localdomain|home\.arpa))(?::[0-9]{1,5})?)(?=[/?#\s\"')>,;]|$)"
        ),
    ),
    _Pattern("machine", re.compile(r"(?i)(?<![\w.-])(?P<it>localhost:[0-9]{2,5})\b")),
    _Pattern(
        "machine",
        re.compile(
            r"(?P<before>://)?(?<![\w.])(?P<it>[0-9]{1,3}(?:\.[0-9]{1,3}){3})(?P<port>:[0-9]{2,5})?(?![\w]|\.[0-9])"
        ),
        _is_private_or_written_as_host,
    ),
    _Pattern(
        "machine",
        re.compile(r"(?i)(?<![\w:.])(?P<it>(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})(?![\w:])"),
        _is_ipv6,
    ),
)
"""In this order: what an earlier one has found is no longer there for the later ones."""

HINT: Final = (
    f"{_WITHOUT.pattern}|"
    r"[@\x{FF20}\x{FE6B}\\]|%40|[\[(](?i:at)[\])]|://|(?i:mailto|file):|/[A-Za-z]+/|[A-Za-z]:/|(?i:localhost)|"
    r"[0-9]\.[0-9]+\.[0-9]+\.[0-9]|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F]*:|::|PRIVATE KEY|hf_|gh[pousr]_|github_pat_|"
    r"glpat-|sk-|AKIA|ASIA|AIza|xox[abeprs]-|eyJ|npm_|pypi-|(?i:bearer|basic)\s|"
    r"(?i:key|token|secret|sig|signature|credential|password|passwd)[\"']?\s*[=:]"
)
"""In RE2's syntax: stands in whatever holds a finding, and in much else. For columns of text, which are long."""


def clean(text: str) -> str:
    """A text as it may be released: signs of `KINDS` stand for what must not leave; all other words stay."""
    seen = without_unseen(text)
    return cleaned if (cleaned := _signed(seen)) != seen else text


def without_unseen(text: str) -> str:
    """Without characters of no width, which would part an address."""
    return text if text.isascii() else _WITHOUT.sub("", text)


def _signed(text: str) -> str:
    for pattern in _PATTERNS:
        text = pattern.pattern.sub(lambda found, pattern=pattern: _sign(pattern, found), text)  # type: ignore[misc]
    return text


def found_in(text: str) -> list[Finding]:
    """What must not leave, in the order of the text."""
    text = without_unseen(text)
    rest, found = text, []
    for pattern in _PATTERNS:
        for match in pattern.pattern.finditer(rest):
            if pattern.is_meant(match):
                start, end = _span(match)
                found.append((start, end, pattern.kind))
        # Not seen by the patterns behind it, and all places stay what they are.
        rest = pattern.pattern.sub(lambda match, pattern=pattern: _blanked(pattern, match), rest)  # type: ignore[misc]
    return [Finding(kind, excerpt(text, start, end, KINDS[kind])) for start, end, kind in sorted(found)]


def excerpt(text: str, start: int, end: int, sign: str) -> str:
    """What stands around a place, which the sign stands for; other things that must not leave are signs as well."""
    before = clean(text[max(0, start - _LOOKED_AT) : start])[-_MOST_AROUND:]
    after = clean(text[end : end + _LOOKED_AT])[:_MOST_AROUND]
    return quoted(f"{before}{sign}{after}", 2 * _MOST_AROUND + len(sign))


def _span(found: re.Match[str]) -> tuple[int, int]:
    return found.span("it") if "it" in found.re.groupindex else found.span()


def _sign(pattern: _Pattern, found: re.Match[str]) -> str:
    return _replaced(found, KINDS[pattern.kind]) if pattern.is_meant(found) else found[0]


def _blanked(pattern: _Pattern, found: re.Match[str]) -> str:
    start, end = _span(found)
    return _replaced(found, " " * (end - start)) if pattern.is_meant(found) else found[0]


def _replaced(found: re.Match[str], with_what: str) -> str:
    start, end = _span(found)
    return found.string[found.start() : start] + with_what + found.string[end : found.end()]
