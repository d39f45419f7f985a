"""Asking services for stickers: pages, pauses, kept answers, keys.

Belongs here: one service with its key and its limits. Does not belong here: what is done with the items.

An answer is kept for a day at most, or for as long as its `Cache-Control` says if that is less: the services want
addresses of files to be fresh, and a run that was killed should not ask again.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from emovid_assets.core.collection.services import FoundItem, GiphyService, Page, Service, TenorService
from emovid_assets.core.redaction import Redactor
from emovid_assets.home.settings import CollectionSettings
from emovid_assets.resources.collection.http import MAX_JSON_BYTES, Fetcher, FetchError, Limits
from emovid_assets.resources.collection.store import CollectionStore

DAY_S = 24 * 3600.0
SEARCH_LIMITS = Limits(MAX_JSON_BYTES, total_s=60.0, silence_s=20.0)
THROTTLED_S = 3600.0
_MAX_AGE = re.compile(r"max-age\s*=\s*(\d+)")


class ServiceStoppedError(Exception):
    """A service gives nothing more in this run; the message says why and holds no key."""


def services_of(settings: CollectionSettings) -> list[Service]:
    """The configured services, in the order of the settings."""
    known: dict[str, Service] = {
        "klipy": TenorService("klipy", settings.klipy_url, "KLIPY_API_KEY"),
        "tenor": TenorService("tenor", settings.tenor_url, "TENOR_API_KEY"),
        "giphy": GiphyService(settings.giphy_url),
    }
    return [known[name] for name in settings.sticker_services]


def keys_of(services: list[Service]) -> dict[str, str]:
    """Key by origin, out of the environment; services without a key are left out."""
    named = ((service.origin, os.environ.get(service.key_variable, "").strip()) for service in services)
    return {origin: key for origin, key in named if key}


class Searcher:
    """One service. Raises ServiceStoppedError where it wants to be left alone, refuses the key or does not answer."""

    def __init__(
        self,
        service: Service,
        key: str,
        settings: CollectionSettings,
        store: CollectionStore,
        fetcher: Fetcher,
        redact: Redactor,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._service, self._key, self._settings = service, key, settings
        self._store, self._fetcher, self._redact, self._sleep = store, fetcher, redact, sleep
        self._asked_at = 0.0

    def found(self, word: str) -> Iterator[FoundItem]:
        """The items for a word, as many as the settings want to look at."""
        cursor: str | None = None
        seen: set[str | None] = set()
        count = 0
        # A cursor that comes back would go round for ever.
        while cursor not in seen:
            seen.add(cursor)
            page = self._page(word, cursor)
            for item in page.items[: self._settings.results_per_query - count]:
                count += 1
                yield item
            cursor = page.next_cursor
            if cursor is None or not page.items or count >= self._settings.results_per_query:
                return

    def _page(self, word: str, cursor: str | None) -> Page:
        origin = self._service.origin
        search = self._service.search(word, cursor, self._settings.content_filter)
        request = json.dumps([search.url, search.parameters], sort_keys=True)
        kept = self._store.answer(origin, request)
        if kept is not None:
            return Page.of_plain(kept)
        self._wait()
        self._store.note_asked(origin, word)
        try:
            answer, headers = self._fetcher.json(
                search.url, {**search.parameters, self._service.key_parameter: self._key}, SEARCH_LIMITS
            )
        except FetchError as error:
            raise ServiceStoppedError(self._why(error)) from error
        try:
            page = self._without_key(self._service.page(answer))
        except ValueError as error:
            raise ServiceStoppedError(f"{origin}: {error}; check `collection.{origin}_url`") from error
        self._store.keep_answer(origin, request, page.as_plain(), keeping_s(headers))
        return page

    def _wait(self) -> None:
        origin = self._service.origin
        paused_s = self._store.paused_s(origin)
        if paused_s:
            raise ServiceStoppedError(f"{origin} asked to be left alone for {paused_s / 60:.0f} more minutes")
        if not self._store.count_request(origin, self._service.requests_per_hour):
            raise ServiceStoppedError(f"{origin}: {self._service.requests_per_hour} requests an hour are used up")
        rest = self._asked_at + self._settings.request_pause_s - time.monotonic()
        if rest > 0:
            self._sleep(rest)
        self._asked_at = time.monotonic()

    def _why(self, error: FetchError) -> str:
        origin = self._service.origin
        if error.code == "busy":
            self._store.pause(origin, error.retry_after_s or THROTTLED_S)
        if error.status in (401, 403):
            return f"{origin} refuses the key in {self._service.key_variable} ({error})"
        return f"{origin} gives no answer ({error})"

    def _without_key(self, page: Page) -> Page:
        """An answer that echoes the key: texts without it, and addresses that hold it not at all."""
        clean = self._redact.without_secrets

        def item(found: FoundItem) -> FoundItem:
            return replace(
                found,
                title=clean(found.title) if found.title else None,
                creator=clean(found.creator) if found.creator else None,
                page_url=found.page_url if found.page_url and clean(found.page_url) == found.page_url else None,
                renditions=tuple(one for one in found.renditions if clean(one.url) == one.url),
            )

        items = tuple(item(one) for one in page.items if clean(one.external_id) == one.external_id)
        cursor = page.next_cursor
        return replace(page, items=items, next_cursor=cursor if cursor is None or clean(cursor) == cursor else None)


def keeping_s(headers: Mapping[str, str]) -> float:
    """How long an answer may be kept."""
    said = next((value for name, value in headers.items() if name.lower() == "cache-control"), "").lower()
    if "no-store" in said or "no-cache" in said:
        return 0.0
    age = _MAX_AGE.search(said)
    return min(DAY_S, float(age[1])) if age else DAY_S
