"""Films of Condensed Movies: which are wanted, which are there, and fetching those that are due.

Belongs here: metadata, library and state put together. Does not belong here: how a video comes (`video_download`).
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from emovid_assets.core.collection import condensed_movies
from emovid_assets.core.collection.attempts import Verdict, at_last, is_due, next_try_at
from emovid_assets.core.collection.condensed_movies import FILE_PREFIX, ORIGIN, Metadata, Video, read_metadata
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.redaction import Redactor
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import CollectionSettings
from emovid_assets.resources.collection.budget import Budget, Report
from emovid_assets.resources.collection.shelf import Shelf, file_name
from emovid_assets.resources.collection.store import CollectionStore, ItemState
from emovid_assets.resources.collection.video_download import BudgetSpentError, Downloaded, download_video
from emovid_assets.resources.library_files import METADATA_FOLDER, listing

DOMAIN = "movie"
KEPT_FACTS = ("external_id", "origin", "origin_url", "attribution", "license", "terms_url")
"""What the manifest says of a file; film, position and trim stay in the metadata, so that a correction reaches all."""

Progress = Callable[[str, int, int], None]


def metadata_of(home: Home) -> Metadata:
    return read_metadata(home.library / DOMAIN / METADATA_FOLDER)


def movie_items(home: Home, store: CollectionStore, metadata: Metadata) -> Iterator[tuple[Video, ItemState]]:
    """Every video of the metadata with its state; what lies in the library is present, wherever it came from."""
    states = store.items(DOMAIN)
    paths = _present(home, metadata)
    for video in metadata.videos.values():
        state = states.get((ORIGIN, video.video_id)) or ItemState(ORIGIN, video.video_id)
        path = paths.get(video.video_id)
        if path is not None:
            state = ItemState(ORIGIN, video.video_id, "present", path=path, facts=state.facts)
        elif state.status == "present":
            # Somebody has removed the file.
            state = ItemState(ORIGIN, video.video_id)
        yield video, state


def _present(home: Home, metadata: Metadata) -> dict[str, str]:
    """Path by id of the videos that are in the library."""
    found: dict[str, str] = {}
    for entry in listing(home, DOMAIN).files:
        video_id = condensed_movies.video_id_of(os.path.splitext(os.path.basename(entry.name))[0], metadata.videos)
        if video_id:
            found.setdefault(video_id, entry.name)
    return found


def movie_row(video: Video, state: ItemState) -> dict[str, Any]:
    """A row of `wanted_videos`."""
    facts = condensed_movies.facts(video) | state.facts
    return {
        "title": video.title,
        "film_id": video.film_id,
        "film_position": video.film_position,
        "film_video_count": video.film_video_count,
        "is_position_shared": video.is_position_shared,
        "year": video.year,
        "genres": list(video.genres),
        "official_split": video.split,
        "trim_s": video.trim_s,
        "found_emotions": [],
        "is_ambiguous": False,
        "intended_emotion": None,
        **{name: facts.get(name) for name in ("origin_url", "attribution", "license", "terms_url")},
    }


def due_movies(home: Home, store: CollectionStore, seed: str, *, retries_all: bool) -> list[tuple[Video, ItemState]]:
    """Videos to be tried now, those never tried first, by keyed rank: any number of them is a fair sample."""
    now = datetime.now(UTC)
    found = [
        (video, state)
        for video, state in movie_items(home, store, metadata_of(home))
        if is_due(state.status, state.next_try_at, now, retries_all=retries_all)
    ]
    # What was never tried goes first: a video that makes the origin refuse everything must not end every run.
    return sorted(
        found,
        key=lambda pair: (pair[1].next_try_at is not None, pair[1].attempt_count, keyed_rank(pair[0].video_id, seed)),
    )


def collect_movies(
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
) -> None:
    """Fetches what is due, within the budget; every end of an attempt is kept at once."""
    due = due_movies(home, store, seed, retries_all=retries_all)
    report.due = len(due)
    shelf, redact = Shelf(home, DOMAIN), Redactor()
    shelf.prepare(is_resuming=True)
    shelf.rewrite({})
    total = min(len(due), max(budget.items, 0))
    for video, state in due:
        if budget.is_spent:
            report.stopped = "the budget of this run is spent"
            break
        if report.tried:
            time.sleep(settings.pause_s)
        before = budget.bytes
        try:
            end = _fetch(video, settings, shelf, redact, log, budget)
        except BudgetSpentError:
            report.bytes += before - budget.bytes
            report.stopped = "the bytes of this run are spent; the video goes on from there next time"
            break
        budget.take_item()
        report.tried += 1
        report.bytes += before - budget.bytes
        if isinstance(end, Downloaded):
            facts = condensed_movies.facts(video) | _said(end)
            path = shelf.admit(end.path, end.path.name, {name: facts[name] for name in KEPT_FACTS if name in facts})
            state = ItemState(ORIGIN, video.video_id, "present", path=path, facts=_said(end))
            report.fetched += 1
        else:
            state = _failed(state, end, settings)
            log.info(f"{video.video_id}: {state.status} ({state.code}): {state.reason}")
            if end.stops_run:
                store.put(DOMAIN, state)
                report.ends[end.status] += 1
                report.stopped = f"the origin refuses everything for now: {end.message}"
                break
        report.ends[state.status] += 1
        store.put(DOMAIN, state)
        progress(f"collect [{DOMAIN}]", report.tried, total)


def _fetch(
    video: Video, settings: CollectionSettings, shelf: Shelf, redact: Redactor, log: logging.Logger, budget: Budget
) -> Downloaded | Verdict:
    name = file_name(FILE_PREFIX.rstrip("-"), video.video_id, "")
    if name is None:
        return Verdict("failed", "bad_id", f"'{video.video_id}' cannot be a file name")
    url = settings.movie_url.replace("{id}", video.video_id)
    end = download_video(url, name, shelf.partial, settings, redact, log, budget.spend)
    if isinstance(end, Verdict) and (end.status != "failed" or end.code == "too_large"):
        shelf.discard(name)
    return end


def _said(end: Downloaded) -> dict[str, str]:
    """What the page of a video said of its creator and licence, in front of what holds for all."""
    said = {}
    if end.creator:
        said["attribution"] = f"{end.creator}, {condensed_movies.TERMS[ORIGIN].attribution}"
    if end.license:
        said["license"] = end.license
    return said


def _failed(state: ItemState, end: Verdict, settings: CollectionSettings) -> ItemState:
    # A refusal of everything says nothing about this video.
    count = state.attempt_count + (0 if end.stops_run else 1)
    end = at_last(end, count, settings.max_attempts)
    return ItemState(
        *(state.origin, state.external_id, end.status, end.code, end.message, count),
        next_try_at(end, max(count, 1), datetime.now(UTC), settings.max_attempts),
        facts=state.facts,
    )
