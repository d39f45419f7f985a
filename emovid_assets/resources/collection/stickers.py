"""Stickers: found by the words of the eight emotions, fetched, and compared with those that are there.

Belongs here: the order of things. Does not belong here: services (`search`), files (`http`), what looks the same
(`core.collection.duplicates`).

An item that was found is never forgotten because it is not found again: an empty answer changes nothing.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emovid_assets.core.collection.attempts import FORBIDDEN, Verdict, at_last, is_due, next_try_at
from emovid_assets.core.collection.duplicates import KnownLooks, fingerprint_step
from emovid_assets.core.collection.queries import searches
from emovid_assets.core.collection.services import FoundItem
from emovid_assets.core.collection.terms import RESEARCH_ONLY, TERMS
from emovid_assets.core.identity import file_sha256, keyed_rank
from emovid_assets.core.redaction import Redactor
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import CollectionSettings
from emovid_assets.resources.collection.budget import Budget, Report
from emovid_assets.resources.collection.http import Fetcher, FetchError, Limits
from emovid_assets.resources.collection.search import Searcher, ServiceStoppedError, keys_of, services_of
from emovid_assets.resources.collection.shelf import Shelf, file_name
from emovid_assets.resources.collection.store import CollectionStore, ItemState, Key
from emovid_assets.resources.workers import Workers, open_workers

DOMAIN = "sticker"
FINGERPRINT_S = 60.0
FINGERPRINT_MB = 1024

Progress = Callable[[str, int, int], None]


def emotions_of(items: dict[Key, ItemState], findings: dict[Key, list[str]]) -> dict[Key, list[str]]:
    """The emotions of each item: those whose words found it, or found another item that shows the same."""
    groups: dict[Key, set[str]] = defaultdict(set)
    for key, item in items.items():
        groups[_original(item)] |= set(findings.get(key, ()))
    return {key: sorted(groups[_original(item)]) for key, item in items.items()}


def _original(item: ItemState) -> Key:
    if item.duplicate_of is None:
        return item.key
    origin, _, external_id = item.duplicate_of.partition("/")
    return origin, external_id


def sticker_items(home: Home, store: CollectionStore) -> dict[Key, ItemState]:
    """Every sticker that was ever found. One whose file somebody has removed is wanted again."""
    items = store.items(DOMAIN)
    for item in items.values():
        if item.status == "present" and not (item.path and (home.root / item.path).exists()):
            item.status, item.path, item.fingerprint = "wanted", None, None
    return items


def sticker_facts(item: ItemState, emotions: list[str]) -> dict[str, str]:
    """Its row of the manifest: an item of one emotion has it as its intention, an ambiguous one has none."""
    intended = {"intended_emotion": emotions[0]} if len(emotions) == 1 else {}
    return {**item.facts, **intended, "external_id": item.external_id, "origin": item.origin}


def sticker_row(item: ItemState, emotions: list[str]) -> dict[str, Any]:
    """A row of `wanted_videos`."""
    facts = sticker_facts(item, emotions)
    texts = ("title", "intended_emotion", "origin_url", "attribution", "license", "terms_url")
    return {
        **{name: facts.get(name) for name in texts},
        **dict.fromkeys(("film_id", "film_position", "film_video_count", "year", "official_split", "trim_s")),
        "is_position_shared": False,
        "genres": [],
        "found_emotions": emotions,
        "is_ambiguous": len(emotions) > 1,
    }


def planned_searches(settings: CollectionSettings) -> list[str]:
    """What a run would ask, a sentence per service; whether a key is there is said, never the key."""
    services = services_of(settings)
    keys = keys_of(services)
    words = len(list(searches()))
    return [
        f"{service.origin}: {words} words, up to {settings.results_per_query} stickers each, at {service.base_url}"
        if service.origin in keys and service.base_url
        else f"{service.origin} is not asked: "
        + (f"put its key into {service.key_variable}" if service.base_url else "it has no address in the settings")
        for service in services
    ]


def collect_stickers(
    home: Home,
    store: CollectionStore,
    settings: CollectionSettings,
    seed: str,
    budget: Budget,
    report: Report,
    log: logging.Logger,
    progress: Progress,
    *,
    retries_all: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Searches, then fetches what is due, within the budget."""
    services = services_of(settings)
    keys = keys_of(services)
    redact = Redactor(keys.values())
    shelf = Shelf(home, DOMAIN)
    shelf.prepare()
    _adopt(home, store, shelf)
    with Fetcher(allowed_hosts=settings.allowed_hosts, redact=redact, sleep=sleep) as fetcher:
        found: dict[Key, FoundItem] = {}
        for service in services:
            if service.origin not in keys:
                report.notes.append(f"{service.origin} is not asked: put its key into {service.key_variable}")
                continue
            if not service.base_url:
                report.notes.append(
                    f"{service.origin} is not asked: name its address in collection.{service.origin}_url"
                )
                continue
            searcher = Searcher(service, keys[service.origin], settings, store, fetcher, redact, sleep)
            before = len(found)
            try:
                _search(searcher, service.origin, store, found, progress)
            except ServiceStoppedError as error:
                report.notes.append(redact(str(error)))
            else:
                if len(found) == before:
                    report.notes.append(f"{service.origin} found nothing for any word; what was found before stays")
        due = _due(home, store, found, seed, retries_all=retries_all)
        report.due = len(due)
        # Ambiguity may be new: an intention that no longer holds must not be read.
        _rewrite(home, store, shelf)
        with open_workers(1, FINGERPRINT_MB) as workers:
            shop = _Shop(home, store, settings, shelf, fetcher, workers, redact)
            shop.complete_fingerprints()
            _fetch_all(shop, due, found, budget, report, log, progress, sleep)
    _rewrite(home, store, shelf)


def _adopt(home: Home, store: CollectionStore, shelf: Shelf) -> None:
    """Takes up files of which the state does not know: it was lost, or a kill came between the two."""
    known = store.items(DOMAIN)
    with store.together():
        for name, facts in shelf.rows().items():
            key = facts.pop("origin", ""), facts.pop("external_id", "")
            is_known = key in known and known[key].status == "present"
            if is_known or key[0] not in TERMS or not key[1] or not (shelf.folder / name).exists():
                continue
            emotion = facts.pop("intended_emotion", None)
            if emotion:
                store.find(*key, emotion, "manifest")
            store.put(DOMAIN, ItemState(*key, "present", path=home.relative(shelf.folder / name), facts=facts))


def _search(
    searcher: Searcher, origin: str, store: CollectionStore, found: dict[Key, FoundItem], progress: Progress
) -> None:
    """Notes every item that a word finds, the words of all emotions in turn.

    Those that were asked longest ago come first: neither a limit of requests nor a word at which the service always
    refuses may end every run at the same place.
    """
    known = set(store.items(DOMAIN))
    asked_at = store.asked_at(origin)
    todo = sorted(searches(), key=lambda search: asked_at.get(search[1], 0.0))
    for number, (emotion, word) in enumerate(todo, 1):
        items = list(searcher.found(word))
        with store.together():
            for item in items:
                key = origin, item.external_id
                store.find(*key, emotion, word)
                found.setdefault(key, item)
                if key not in known:
                    known.add(key)
                    store.put(DOMAIN, ItemState(*key, facts=_facts(origin, item)))
        progress(f"search {origin}", number, len(todo))


def _facts(origin: str, item: FoundItem) -> dict[str, str]:
    terms = TERMS[origin]
    said = {
        "title": item.title,
        "origin_url": item.page_url,
        "attribution": f"{item.creator}. {terms.attribution}" if item.creator else terms.attribution,
        "license": RESEARCH_ONLY,
        "terms_url": terms.terms_url,
    }
    return {name: value for name, value in said.items() if value}


def _due(
    home: Home, store: CollectionStore, found: dict[Key, FoundItem], seed: str, *, retries_all: bool
) -> list[ItemState]:
    """Items to be fetched now, the emotions in turn, within each by keyed rank; ambiguous ones last."""
    now = datetime.now(UTC)
    items = sticker_items(home, store)
    emotions = emotions_of(items, store.emotions())
    queues: dict[str, list[ItemState]] = defaultdict(list)
    for key, item in items.items():
        if key in found and is_due(item.status, item.next_try_at, now, retries_all=retries_all):
            queues[emotions[key][0] if len(emotions[key]) == 1 else ""].append(item)
    places: list[tuple[bool, int, str, ItemState]] = []
    for emotion, queue in queues.items():
        queue.sort(key=lambda item: (item.attempt_count, keyed_rank("/".join(item.key), seed)))
        places += [(emotion == "", number, emotion, item) for number, item in enumerate(queue)]
    return [item for *_, item in sorted(places, key=lambda place: place[:3])]


def _rewrite(home: Home, store: CollectionStore, shelf: Shelf) -> None:
    items = sticker_items(home, store)
    emotions = emotions_of(items, store.emotions())
    shelf.rewrite(
        {
            Path(item.path).relative_to(home.relative(shelf.folder)).as_posix(): sticker_facts(item, emotions[key])
            for key, item in items.items()
            if item.path and item.path.startswith(home.relative(shelf.folder) + "/")
        }
    )


class _Shop:
    """Fetches one sticker and decides what becomes of it."""

    def __init__(
        self,
        home: Home,
        store: CollectionStore,
        settings: CollectionSettings,
        shelf: Shelf,
        fetcher: Fetcher,
        workers: Workers,
        redact: Redactor,
    ) -> None:
        self.home, self.store, self.settings, self.redact = home, store, settings, redact
        self._shelf, self._fetcher, self._workers = shelf, fetcher, workers
        self._limits = Limits(settings.max_file_mb * 1_000_000)
        self._items = sticker_items(home, store)
        self._emotions = store.emotions()
        self._of_bytes: dict[str, Key] = {}
        self._looks: KnownLooks[Key] = KnownLooks(settings.near_duplicate_bits)
        self._known: set[Key] = set()
        for key, item in self._items.items():
            if item.fingerprint and item.status == "present":
                self._take_up(key, item.fingerprint)

    def _take_up(self, key: Key, made: Mapping[str, Any]) -> None:
        self._known.add(key)
        self._of_bytes.setdefault(made["sha256"], key)
        self._looks.add(key, made)

    def complete_fingerprints(self) -> None:
        """Those of files that were taken up from the manifest."""
        for key, item in self._items.items():
            if item.status != "present" or item.path is None or key in self._known:
                continue
            path = self.home.root / item.path
            try:
                item.fingerprint = {"sha256": file_sha256(path), **self._fingerprint(path)}
            except _OddFileError:
                # It is in the library; the build says what is wrong with it.
                continue
            self._take_up(key, item.fingerprint)
            self.store.put(DOMAIN, item)

    def fetch(self, item: ItemState, found: FoundItem, budget: Budget) -> ItemState | Verdict:
        """The item's state after a fetch that ended well, or why it did not."""
        rendition = next((one for one in found.renditions if (one.size_bytes or 0) <= self._limits.max_bytes), None)
        if rendition is None:
            return Verdict("failed", "too_large", "no file of it is as small as `collection.max_file_mb` allows")
        name = file_name(item.origin, item.external_id, rendition.kind.suffix)
        if name is None:
            return Verdict("failed", "bad_id", "its id cannot be a file name")
        temporary = self._shelf.partial / name
        try:
            got = self._fetcher.file(rendition.url, temporary, [rendition.kind], self._limits)
            budget.spend(got.size_bytes)
            made = {"sha256": got.sha256, **self._fingerprint(temporary)}
            twin = self._twin(made)
            if twin is not None:
                return ItemState(
                    *item.key, "duplicate", fingerprint=made, duplicate_of="/".join(twin), facts=item.facts
                )
            state = ItemState(*item.key, "present", fingerprint=made, facts=item.facts)
            emotions = self._emotions.get(item.key, [])
            state.path = self._shelf.admit(temporary, name, sticker_facts(state, emotions))
            self._take_up(item.key, made)
            return state
        except FetchError as error:
            return _verdict(error)
        except _OddFileError as error:
            return Verdict("failed", error.code, str(error))
        finally:
            temporary.unlink(missing_ok=True)

    def _fingerprint(self, path: Path) -> dict[str, Any]:
        tasks = [(path.name, {"path": str(path)})]
        for ends in self._workers.run(fingerprint_step, tasks, FINGERPRINT_S):
            for end in ends:
                if end.payload is None:
                    raise _OddFileError(end.code, end.message)
                return end.payload
        raise AssertionError

    def _twin(self, made: dict[str, Any]) -> Key | None:
        """The item that shows the same: with these bytes, or else the first that looks like it."""
        return self._of_bytes.get(made["sha256"]) or self._looks.first_like(made)


class _OddFileError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _verdict(error: FetchError) -> Verdict:
    if error.status in (404, 410):
        return Verdict("unavailable", "gone", str(error))
    if error.status in (401, 403, 451):
        return Verdict("failed" if error.status == 403 else "blocked", FORBIDDEN, str(error))
    is_busy = error.code == "busy"
    return Verdict("failed", "throttled" if is_busy else error.code, str(error), stops_run=is_busy)


def _fetch_all(
    shop: _Shop,
    due: Iterable[ItemState],
    found: dict[Key, FoundItem],
    budget: Budget,
    report: Report,
    log: logging.Logger,
    progress: Progress,
    sleep: Callable[[float], None],
) -> None:
    total = min(report.due, max(budget.items, 0))
    for item in due:
        if budget.is_spent:
            report.stopped = "the budget of this run is spent"
            return
        if report.tried:
            sleep(shop.settings.pause_s)
        before = budget.bytes
        end = shop.fetch(item, found[item.key], budget)
        report.bytes += before - budget.bytes
        report.tried += 1
        budget.take_item()
        if isinstance(end, Verdict):
            count = item.attempt_count + (0 if end.stops_run else 1)
            end = at_last(end, count, shop.settings.max_attempts)
            until = next_try_at(end, max(count, 1), datetime.now(UTC), shop.settings.max_attempts)
            state = ItemState(*item.key, end.status, end.code, shop.redact(end.message), count, until, facts=item.facts)
            log.info(f"{item.origin}/{item.external_id}: {end.status} ({end.code}): {state.reason}")
        else:
            state = end
            report.fetched += state.status == "present"
        shop.store.put(DOMAIN, state)
        report.ends[state.status] += 1
        progress(f"collect [{DOMAIN}]", report.tried, total)
        if isinstance(end, Verdict) and end.stops_run:
            report.stopped = f"the origin refuses everything for now: {state.reason}"
            return
