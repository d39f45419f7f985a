"""The one place that keeps keys out of what people can read: logs, errors, tables, files.

Belongs here: finding secrets in text. Every message made of what a server, a library or an address says passes
`Redactor`. Does not belong here: where secrets come from.
"""

import html
import json
import logging
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
SHORTEST_PART = 6
"""A key of which this many characters in a row are shown is hidden there: services echo "your key ABCDEF… is wrong"."""
SHORTEST_SECRET = 8
"""Characters from which parts of a key are looked for, and a key in texts that are kept: "none" and "EMPTY", which
local servers are given, occur in those by chance."""

_PARAMETER = re.compile(
    r"""(?ix)(\b(?:api[_-]?key|key|access[_-]?token|token|secret|signature|sig|password|authorization)
    (?:["']?\s*[=:]\s*["']?|%3D)(?:(?:bearer|basic)\s+)?|\bbearer\s+)(?:\[hidden\]|[^\s&"'<>,;)\]}])+"""
)
_CREDENTIALS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@]+@")


class Redactor:
    """Hides the given secrets, parts of them, and whatever stands where a key usually does."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = [secret for secret in secrets if secret]
        long = [secret for secret in known if len(secret) >= SHORTEST_SECRET]
        wholes = {form for secret in long for form in forms_of(secret)}
        short = {form for secret in known if secret not in long for form in forms_of(secret)}
        self._wholes = _any_of(wholes)
        self._parts = _any_of(short | {part for form in wholes for part in _parts(form)})

    def __call__(self, text: object) -> str:
        """The text as it may be shown."""
        shown = _CREDENTIALS.sub(rf"\1{HIDDEN}@", _without(self._parts, str(text)))
        return _PARAMETER.sub(rf"\1{HIDDEN}", shown)

    def without_secrets(self, text: str) -> str:
        """The text without the given secrets; all other words stay, for texts that are kept."""
        return _without(self._wholes, text)


class RedactingFilter(logging.Filter):
    """For loggers of libraries that write addresses with their parameters, as urllib3 does at DEBUG."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redact(record.getMessage()), ()
        return True


def forms_of(secret: str) -> set[str]:
    """As it is, in an address, in an address inside an address, in JSON, in HTML, and as Python prints it."""
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    in_address = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return {
        *(secret, html.escape(secret), repr(secret)[1:-1]),
        *(in_address | {quote(form) for form in in_address}),
        *(in_json | {form.replace("/", r"\/") for form in in_json}),
    }


def _parts(form: str) -> set[str]:
    return {form[start : start + SHORTEST_PART] for start in range(len(form) - SHORTEST_PART + 1)}


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Found at every place where one of them begins: they overlap. In any case, as %2f and %2F are the same."""
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile(rf"(?=({'|'.join(map(re.escape, longest_first))}))" if longest_first else "(?!)", re.IGNORECASE)


def _without(hidden: re.Pattern[str], text: str) -> str:
    shown: list[str] = []
    end = 0
    for found in hidden.finditer(text):
        start, stop = found.span(1)
        if start > end or not shown:
            shown += [text[end:start], HIDDEN]
        end = max(end, stop)
    return "".join([*shown, text[end:]])
