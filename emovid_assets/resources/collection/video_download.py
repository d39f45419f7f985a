"""One video through yt-dlp, used as a library.

Belongs here: its options, limits while it downloads, and its errors as verdicts. Does not belong here: which videos
are wanted, and where complete files go.

yt-dlp keeps what it has of a video in the folder that it is given and goes on from there the next time.
"""

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core.collection.attempts import Verdict, video_verdict
from emovid_assets.core.collection.file_kinds import HEAD_BYTES, kind_of
from emovid_assets.core.redaction import Redactor
from emovid_assets.home.settings import CollectionSettings

LONGEST_S = 3600.0
SILENCE_S = 30.0
RETRIES = 3


class BudgetSpentError(Exception):
    """The bytes of this run are used up; what there is of the video stays for the next one."""


@dataclass(frozen=True)
class Downloaded:
    """A complete file, still outside of the library. `creator`, `license`: as the page says."""

    path: Path
    size_bytes: int
    creator: str | None
    license: str | None


def download_video(
    url: str,
    name: str,
    folder: Path,
    settings: CollectionSettings,
    redact: Redactor,
    log: logging.Logger,
    spend: Callable[[int], bool],
) -> Downloaded | Verdict:
    """Fetches a video as `<folder>/<name>.<suffix>`, or says why not.

    `spend` is told of every byte that arrives and answers whether there may be more. Raises BudgetSpentError.
    """
    import yt_dlp

    there = {path.name: path.stat().st_size for path in folder.glob(f"{name}.*")}
    watch = _Watch(settings, spend, there)
    try:
        with yt_dlp.YoutubeDL(_options(name, folder, settings, redact, log, watch)) as downloader:
            info = downloader.extract_info(url, download=True) or {}
    except _Stopped:
        return watch.verdict()
    except yt_dlp.utils.YoutubeDLError as error:
        cause = error.exc_info[1] if getattr(error, "exc_info", None) else error
        is_geo_restricted = isinstance(cause, yt_dlp.utils.GeoRestrictedError)
        said = redact(str(error)).removeprefix("ERROR: ")
        if "No space left" in said or "unable to write data" in said or "unable to open for writing" in said:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from None
        return video_verdict(said[:500], is_geo_restricted=is_geo_restricted)
    return _taken(info, redact)


def _taken(info: dict[str, Any], redact: Redactor) -> Downloaded | Verdict:
    files = [entry.get("filepath") for entry in info.get("requested_downloads") or ()]
    path = Path(files[0]) if files and files[0] else None
    if path is None or not path.is_file():
        return Verdict("failed", "download_failed", "yt-dlp ended without a file")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if kind_of(head) is None:
        path.unlink()
        return Verdict("failed", "wrong_type", "what was downloaded is no video file")
    creator = info.get("channel") or info.get("uploader")
    said_license = info.get("license")
    return Downloaded(
        path,
        path.stat().st_size,
        redact(creator) if creator else None,
        redact(said_license) if said_license else None,
    )


class _Stopped(Exception):  # noqa: N818 - not an error: this side has had enough
    pass


class _Watch:
    """Looks at a download while it runs. Its own exception passes through yt-dlp, which would retry on others."""

    def __init__(self, settings: CollectionSettings, spend: Callable[[int], bool], there: dict[str, int]) -> None:
        self._settings, self._spend = settings, spend
        # A file that is taken up again begins with what was there before.
        self._there = there
        self._deadline = time.monotonic() + LONGEST_S
        self._seen: dict[str, int] = {}
        self._reason = ""

    def __call__(self, state: dict[str, Any]) -> None:
        name = str(state.get("filename"))
        size = int(state.get("downloaded_bytes") or self._seen.get(name) or 0)
        before = self._seen.get(name)
        if before is None:
            before = self._there.get(Path(str(state.get("tmpfilename") or name)).name, 0)
        self._seen[name] = size
        is_left = self._spend(max(0, size - before))
        if state.get("status") != "downloading":
            return
        if sum(self._seen.values()) > self._settings.max_file_mb * 1_000_000:
            self._stop("too_large")
        if time.monotonic() > self._deadline:
            self._stop("timeout")
        if not is_left:
            self._stop("budget")

    def _stop(self, reason: str) -> None:
        self._reason = reason
        raise _Stopped

    def verdict(self) -> Verdict:
        if self._reason == "budget":
            raise BudgetSpentError
        if self._reason == "too_large":
            limit = f"collection.max_file_mb = {self._settings.max_file_mb}"
            return Verdict("failed", "too_large", f"the file is larger than {limit} allows")
        return Verdict("failed", "timeout", f"the file was not complete after {LONGEST_S:g} s")


class _Log:
    """yt-dlp's own words, in our log at DEBUG and without keys; its errors come as exceptions."""

    def __init__(self, redact: Redactor, log: logging.Logger) -> None:
        self._redact, self._log = redact, log

    def debug(self, message: str) -> None:
        self._log.debug(self._redact(message))

    info = warning = error = debug


def _options(
    name: str, folder: Path, settings: CollectionSettings, redact: Redactor, log: logging.Logger, watch: _Watch
) -> dict[str, Any]:
    return {
        "format": settings.movie_format,
        "paths": {"home": str(folder)},
        "outtmpl": {"default": f"{name}.%(ext)s"},
        "merge_output_format": "mp4/mkv",
        "allowed_extractors": list(settings.movie_extractors),
        "ffmpeg_location": shutil.which("ffmpeg"),
        "continuedl": True,
        "overwrites": False,
        "retries": RETRIES,
        "fragment_retries": RETRIES,
        "extractor_retries": 1,
        "file_access_retries": 1,
        "retry_sleep_functions": {kind: lambda n: settings.pause_s * 2.0**n for kind in ("http", "fragment")},
        "sleep_interval_requests": min(1.0, settings.pause_s),
        "ratelimit": settings.max_kb_s * 1000 or None,
        "socket_timeout": SILENCE_S,
        "noplaylist": True,
        "playlist_items": "1",
        "usenetrc": False,
        "cachedir": False,
        "updatetime": False,
        "fixup": "never",
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "color": "no_color",
        "logger": _Log(redact, log),
        "progress_hooks": [watch],
    }
