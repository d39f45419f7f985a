"""What errors mean for a wanted video, and when it is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from emovid_assets.core.collection.attempts import Verdict, at_last, is_due, next_try_at, video_verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


# As yt-dlp words them (yt_dlp/extractor/youtube/_video.py, common.py, downloader/http.py).
@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ("[youtube] abc: Video unavailable", "unavailable", "gone"),
        ("[youtube] abc: Video unavailable. This video has been removed by the uploader", "unavailable", "gone"),
        (
            "[youtube] abc: Video unavailable. This video is no longer available because the YouTube account "
            "associated with this video has been terminated.",
            "unavailable",
            "gone",
        ),
        (
            "[youtube:truncated_id] 7b3D5qPBrI: Incomplete YouTube ID 7b3D5qPBrI. URL looks truncated.",
            "unavailable",
            "gone",
        ),
        ("[generic] Unable to download webpage: HTTP Error 404: Not Found", "unavailable", "gone"),
        (
            "[youtube] abc: Video unavailable. The uploader has not made this video available in your country",
            "blocked",
            "region",
        ),
        (
            "[youtube] abc: Video unavailable. This video contains content from Paramount Pictures, who has blocked it "
            "in your country on copyright grounds",
            "blocked",
            "region",
        ),
        (
            "[youtube] abc: Video unavailable. This video has content of X, who has blocked it on copyright grounds",
            "blocked",
            "copyright",
        ),
        (
            "[youtube] abc: Sign in to confirm your age. This video may be inappropriate for some users.",
            "blocked",
            "age",
        ),
        ("[youtube] abc: Private video. Sign in if you've been granted access to this video", "blocked", "private"),
        ("[youtube] abc: Join this channel to get access to members-only content", "blocked", "membership"),
        ("[youtube] abc: This video is DRM protected", "blocked", "protected"),
        ("unable to download video data: HTTP Error 403: Forbidden", "failed", "forbidden"),
        ("Unable to download webpage: HTTP Error 401: Unauthorized", "blocked", "forbidden"),
        ("unable to download video data: 1000 bytes read, 9000 more expected", "failed", "download_failed"),
        ("The answer was truncated after 1000 of 9000 bytes", "failed", "download_failed"),
        ("The TLS connection was non-properly terminated", "failed", "download_failed"),
        ("[youtube] abc: Requested format is not available. Use --list-formats", "failed", "no_format"),
        ("Unable to download webpage: timed out", "failed", "download_failed"),
        ("something nobody has seen yet", "failed", "download_failed"),
    ],
)
def test_an_error_of_the_downloader_has_a_meaning(message: str, status: str, code: str) -> None:
    verdict = video_verdict(message)
    assert (verdict.status, verdict.code, verdict.stops_run) == (status, code, False)


@pytest.mark.parametrize(
    "message",
    [
        "[youtube] abc: Sign in to confirm you’re not a bot. Use --cookies-from-browser",
        "HTTP Error 429: Too Many Requests",
        "[youtube] abc: This content isn't available, try again later. The current session has been rate-limited",
    ],
)
def test_a_refusal_that_would_hit_every_video_ends_the_run_and_blames_none(message: str) -> None:
    verdict = video_verdict(message)
    assert (verdict.status, verdict.code, verdict.stops_run) == ("failed", "throttled", True)


def test_failures_are_tried_again_later_and_later_and_then_no_more() -> None:
    failed = Verdict("failed", "download_failed", "")
    waits = [next_try_at(failed, count, NOW, 6) for count in range(1, 7)]
    hours = [None if wait is None else (wait - NOW) / timedelta(hours=1) for wait in waits]
    assert hours == [1, 4, 16, 64, 168, None]
    assert next_try_at(failed, 1, NOW, 1) is None


def test_what_is_gone_stays_gone_and_what_is_blocked_is_looked_at_after_a_month() -> None:
    assert next_try_at(Verdict("unavailable", "gone", ""), 1, NOW, 5) is None
    assert next_try_at(Verdict("blocked", "region", ""), 9, NOW, 5) == NOW + timedelta(days=30)


def test_a_refusal_is_tried_again_over_days_before_it_counts_as_blocked() -> None:
    refused = video_verdict("unable to download video data: HTTP Error 403: Forbidden")
    ends = [at_last(refused, count, 5) for count in (1, 2, 3, 4, 5, 6)]
    assert [end.status for end in ends] == ["failed"] * 4 + ["blocked"] * 2
    waits = [next_try_at(end, count, NOW, 5) for count, end in enumerate(ends, 1)]
    days = [(wait - NOW) / timedelta(days=1) for wait in waits if wait]
    assert sum(days[:4]) > 3
    assert days[4:] == [30, 30]
    other = Verdict("failed", "download_failed", "")
    assert at_last(other, 9, 5) == other


def test_only_what_is_due_is_tried() -> None:
    later, earlier = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
    assert is_due("wanted", None, NOW)
    assert is_due("failed", earlier, NOW)
    assert is_due("failed", NOW, NOW)
    assert not is_due("failed", later, NOW)
    assert not is_due("unavailable", None, NOW)
    assert is_due("unavailable", None, NOW, retries_all=True)
    assert not any(is_due(status, earlier, NOW, retries_all=True) for status in ("present", "duplicate"))
