"""What an answer says about asking again."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.retry_after import LONGEST_S, is_busy, may_pass, retry_after_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Near each other too: of years between them only the limits would be seen.
near = st.datetimes(datetime(2025, 7, 1), datetime(2026, 12, 1))
moments = (near | st.datetimes(datetime(1900, 1, 2), datetime(9999, 1, 1))).map(
    lambda moment: moment.replace(microsecond=0)
)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        *(("12", 12), ("2.5", 2.5), (" 7 ", 7), ("0", 0), ("9" * 400, 365 * 86_400)),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60),
        ("Thu, 01 Jan 2026 02:01:00 +0200", 60),
        # A clock that does not say where it stands.
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60),
        ("Wed, 31 Dec 2025 00:01:00 GMT", 0),
        ("Thu, 01 Jan 9999 00:00:00 GMT", LONGEST_S),
        *((said, None) for said in ("soon", "-3", "", "1e3", "inf", "nan", "٣", "1,5", "1.2.3", ".")),
        *((f"Thu, 01 Jan {year} 00:00:00 GMT", None) for year in ("99999", "9" * 30)),
        ("Thu, 01 Jan 2026 00:00:00 +99999999999999", None),
    ],
)
def test_a_pause_is_read_from_seconds_and_from_dates(said: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": said}, NOW) == seconds


def test_no_header_asks_for_nothing() -> None:
    assert retry_after_s({}) is None


@given(st.integers(0, 10**9) | st.floats(0, 1e9).map(lambda number: round(number, 3)))
def test_a_number_is_what_it_says(number: float) -> None:
    assert retry_after_s({"Retry-After": f"{number:f}"}, NOW) == pytest.approx(min(number, LONGEST_S), abs=1e-6)


@given(asked=moments, said=moments, asked_zone=zones, said_zone=zones, is_told=st.booleans())
def test_a_date_counts_from_the_servers_clock_where_it_tells_it(
    asked: datetime, said: datetime, asked_zone: timezone, said_zone: timezone, is_told: bool
) -> None:
    until, since = asked.replace(tzinfo=asked_zone), said.replace(tzinfo=said_zone)
    headers = {"Retry-After": format_datetime(until)} | ({"Date": format_datetime(since)} if is_told else {})
    expected = (until - (since if is_told else NOW)).total_seconds()
    assert retry_after_s(headers, NOW) == min(max(expected, 0.0), LONGEST_S)


@given(st.text() | st.from_regex(r"\w{3}, \d+ (Jan|Feb) \d+ \d+:\d+:\d+ ([+-]\d+|GMT)", fullmatch=True), st.text())
def test_whatever_is_said_is_a_pause_that_can_be_kept_or_nothing(said: str, date: str) -> None:
    seconds = retry_after_s({"Retry-After": said, "Date": date}, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_S


def test_what_may_pass_is_told_from_what_is_a_no() -> None:
    statuses = (400, 401, 403, 404, 408, 409, 410, 425, 429, 451, 500, 502, 503, 529)
    assert [status for status in statuses if may_pass(status)] == [408, 409, 425, 429, 500, 502, 503, 529]
    assert [status for status in statuses if is_busy(status)] == [429, 503]
