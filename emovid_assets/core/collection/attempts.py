"""The life of a wanted item: its status, and when a failed one is tried again.

Belongs here: states, what an error means for them, waiting times. Does not belong here: who tries.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

STATUSES = ("wanted", "present", "duplicate", "unavailable", "blocked", "failed")
"""wanted: not fetched yet; present: in the library; duplicate: shows what another item shows; unavailable: it is gone
where it was; blocked: it is there and not given to us; failed: an attempt ended badly."""

FIRST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(days=7)
BLOCKED_PAUSE = timedelta(days=30)
"""What is blocked by region, age or membership seldom changes, but it does."""


FORBIDDEN = "forbidden"


@dataclass(frozen=True)
class Verdict:
    """What the end of an attempt means: a status, a stable code, a sentence. `stops_run`: so would all others end."""

    status: str
    code: str
    message: str
    stops_run: bool = False


def at_last(verdict: Verdict, attempt_count: int, max_attempts: int) -> Verdict:
    """What a verdict means after so many attempts.

    A refusal (403) says little: addresses of YouTube expire, and its servers refuse for reasons that pass. What is
    refused when `max_attempts` attempts have failed, which waiting spreads over days, is blocked.
    """
    if (verdict.status, verdict.code) == ("failed", FORBIDDEN) and attempt_count >= max_attempts:
        return replace(verdict, status="blocked")
    return verdict


def next_try_at(verdict: Verdict, attempt_count: int, now: datetime, max_attempts: int) -> datetime | None:
    """When to try again after the given number of failed attempts; null: not by itself.

    Failures wait 1 h, 4 h, 16 h, … up to a week, `max_attempts` times; what is blocked waits a month.
    """
    if verdict.status == "blocked":
        return now + BLOCKED_PAUSE
    if verdict.status != "failed" or attempt_count >= max_attempts:
        return None
    return now + min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** min(attempt_count - 1, 6))


def is_due(status: str, next_try: datetime | None, now: datetime, *, retries_all: bool = False) -> bool:
    """Whether an item is to be tried now. `retries_all`: everything that is not there, whatever was said before."""
    if status in ("present", "duplicate"):
        return False
    return retries_all or status == "wanted" or (next_try is not None and next_try <= now)


# Phrases of yt-dlp's errors, lower-case, in the order in which they decide: YouTube says "Video unavailable" in front
# of almost every other reason. Codes are stable, phrases are not.
_PHRASES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "failed",
        "throttled",
        (
            "not a bot",
            "ip is likely being blocked",
            "captcha",
            "http error 429",
            "too many requests",
            "rate-limited",
            "rate limited",
            "try again later",
        ),
    ),
    (
        "blocked",
        "region",
        ("in your country", "available from your location", "geo restrict", "geo-restrict", "http error 451"),
    ),
    ("blocked", "age", ("confirm your age", "age-restricted", "inappropriate for some users")),
    ("blocked", "membership", ("members-only", "join this channel", "requires payment", "premium", "purchase")),
    ("blocked", "copyright", ("on copyright grounds", "who has blocked it", "copyright claim")),
    ("blocked", "protected", ("drm protected", "drm-protected", "this video is drm")),
    ("blocked", "private", ("private video", "video is private", "login required", "sign in", "use --cookies")),
    ("failed", FORBIDDEN, ("http error 403",)),
    ("blocked", FORBIDDEN, ("http error 401",)),
    (
        "unavailable",
        "gone",
        (
            *(
                "video unavailable",
                "this video is unavailable",
                "has been removed",
                "no longer available",
                "has been terminated",
            ),
            *(
                "does not exist",
                "incomplete youtube id",
                "http error 404",
                "http error 410",
                "not available",
            ),
        ),
    ),
    ("failed", "no_format", ("requested format is not available", "no video formats")),
)
_FIRST = ("requested format is not available",)
"""A phrase that holds another one of the list."""


def video_verdict(message: str, *, is_geo_restricted: bool = False) -> Verdict:
    """What an error of yt-dlp means for the video; unknown errors are failures, which are tried again."""
    text = message.lower().replace("’", "'")
    if is_geo_restricted:
        return Verdict("blocked", "region", message)
    if any(phrase in text for phrase in _FIRST):
        return Verdict("failed", "no_format", message)
    for status, code, phrases in _PHRASES:
        if any(phrase in text for phrase in phrases):
            return Verdict(status, code, message, stops_run=code == "throttled")
    return Verdict("failed", "download_failed", message)
