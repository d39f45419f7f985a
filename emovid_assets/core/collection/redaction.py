"""The one place that keeps keys out of what people can read: logs, errors, tables, files.

Belongs here: finding secrets in text. Every message of the collection, whoever wrote it, passes `Redactor`.
"""

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
SHORTEST_PART = 6
"""A key of which this many characters in a row are shown is hidden there: services echo "your key ABCDEF… is wrong"."""
SHORTEST_SECRET = 8

_PARAMETER = re.compile(
    r"""(?ix)\b(api[_-]?key|key|access[_-]?token|token|secret|signature|sig|password|authorization)
    (["']?\s*[=:]\s*["']?|%3D)(?:bearer\s+)?([^\s&"'<>,;)\]}]+)"""
)
_CREDENTIALS = re.compile(r"(?i)\b(https?://)[^/\s@]+@")


class Redactor:
    """Hides the given secrets, parts of them, and whatever stands where a key usually does."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._wholes = [
            form
            for secret in self._secrets
            for form in dict.fromkeys((secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]))
        ]
        self._parts = {
            secret.lower()[start : start + SHORTEST_PART]
            for secret in self._secrets
            if len(secret) >= SHORTEST_SECRET
            for start in range(len(secret) - SHORTEST_PART + 1)
        }

    def __call__(self, text: object) -> str:
        """The text as it may be shown."""
        shown = self._without_parts(self.without_secrets(str(text)))
        shown = _CREDENTIALS.sub(rf"\1{HIDDEN}@", shown)
        return _PARAMETER.sub(lambda found: f"{found[1]}{found[2]}{HIDDEN}", shown)

    def without_secrets(self, text: str) -> str:
        """The text without the given secrets; all other words stay, for texts that are kept."""
        for form in self._wholes:
            text = text.replace(form, HIDDEN)
        return text

    def _without_parts(self, text: str) -> str:
        lower = text.lower()
        # Letters whose lower case is longer would shift what is cut.
        if not self._parts or len(lower) != len(text):
            lower = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
        covered = bytearray(len(text))
        for start in range(len(text) - SHORTEST_PART + 1):
            if lower[start : start + SHORTEST_PART] in self._parts:
                covered[start : start + SHORTEST_PART] = b"\x01" * SHORTEST_PART
        shown, position = [], 0
        while position < len(text):
            if not covered[position]:
                shown.append(text[position])
                position += 1
                continue
            while position < len(text) and covered[position]:
                position += 1
            shown.append(HIDDEN)
        return "".join(shown)


class RedactingFilter(logging.Filter):
    """For loggers of libraries that write addresses with their parameters, as urllib3 does at DEBUG."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redact(record.getMessage()), ()
        return True
