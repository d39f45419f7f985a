"""What an HTTP answer says about asking again.

Belongs here: which statuses may pass, and the header `Retry-After`. Does not belong here: asking
(`resources.retrying`).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 365 * 24 * 3600.0
"""What is asked for beyond that is read as this."""
_PASSING = (408, 409, 425, 429)
_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")


def may_pass(status: int) -> bool:
    """Whether a refusal may pass by itself."""
    return status in _PASSING or status >= 500


def is_busy(status: int) -> bool:
    """Whether a server says that it has done nothing yet, so that even what adds something may be sent again."""
    return status in (429, 503)


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds, from 0 to LONGEST_S, that `Retry-After` asks for; None where it is absent or says nothing.

    It is a number, or a date by the server's own clock, its `Date`; by ours (`now`) where it does not tell it.
    """
    asked = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(asked):
        return min(float(asked), LONGEST_S)
    until = _moment(asked)
    if until is None:
        return None
    since = _moment(headers.get("Date", "")) or now or datetime.now(UTC)
    return min(max(0.0, (until - since).total_seconds()), LONGEST_S)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
