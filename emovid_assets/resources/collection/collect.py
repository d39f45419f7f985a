"""Collecting for a domain: the one function that the command line, a job and a schedule call.

Belongs here: the order of things, and what is told of them. Nothing else in this package starts a download: building
assets never does.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.resources.collection.animations import animation_items, animation_row, collect_animations
from emovid_assets.resources.collection.budget import Budget, Report
from emovid_assets.resources.collection.movies import (
    Progress,
    collect_movies,
    due_movies,
    metadata_of,
    movie_items,
    movie_row,
)
from emovid_assets.resources.collection.shelf import collecting
from emovid_assets.resources.collection.stickers import (
    collect_stickers,
    emotions_of,
    planned_searches,
    sticker_items,
    sticker_row,
)
from emovid_assets.resources.collection.store import CollectionStore, ItemState

STATE_COLUMNS = (
    *("origin", "external_id", "status", "attempt_count", "next_try_at", "path", "duplicate_of"),
    *("reason_code", "reason"),
)


def collect(
    home: Home,
    domain: str,
    budget: Budget | None = None,
    log: logging.Logger | None = None,
    *,
    progress: Progress = lambda step, done, total: None,
    retries_all: bool = False,
    is_dry: bool = False,
    sources: Sequence[str] = (),
) -> Report:
    """Fetches what is wanted and due, within the budget (default: the settings'). `is_dry`: only says what is due;
    `sources`: folders and archives of animations, beside those of the settings.

    Raises BusyError where another process collects for this home, BrokenManifestError where the manifest of collected
    files cannot be read, SettingsError, StateError, and OSError where the disk is full. What an origin or a file does
    wrong is in the report and in the state, never an exception.
    """
    if domain not in DOMAINS:
        raise ValueError(f"'{domain}' is not a domain; use one of {', '.join(DOMAINS)}")
    log = log or logging.getLogger("emovid.collection")
    whole = home.settings()
    settings = whole.collection
    budget = budget or Budget.of(settings)
    report = Report(domain)
    with collecting(home), CollectionStore(home) as store:
        if domain == "movie":
            if metadata_of(home).is_empty:
                folder = home.library / "movie" / "metadata"
                report.notes.append(f"put the CSV files of Condensed Movies into {folder}")
            elif is_dry:
                report.due = len(due_movies(home, store, whole.seed, retries_all=retries_all))
            else:
                collect_movies(
                    home, store, settings, whole.seed, budget, report, log, progress, retries_all=retries_all
                )
        elif domain == "animation":
            collect_animations(home, store, settings, budget, report, log, progress, sources=sources, is_dry=is_dry)
        elif not is_dry:
            collect_stickers(home, store, settings, whole.seed, budget, report, log, progress, retries_all=retries_all)
        else:
            report.notes += planned_searches(settings)
        report.statuses = Counter(row["status"] for row in _rows(home, domain, store))
    return report


def wanted_rows(home: Home, domain: str) -> list[dict[str, Any]]:
    """Rows of `wanted_videos` as things are. Reads no network."""
    with CollectionStore(home, is_reading=True) as store:
        return list(_rows(home, domain, store))


def _rows(home: Home, domain: str, store: CollectionStore) -> Iterator[dict[str, Any]]:
    if domain == "movie":
        for video, state in movie_items(home, store, metadata_of(home)):
            yield {"domain": domain, **_state_columns(state), **movie_row(video, state)}
    elif domain == "animation":
        for animation in animation_items(home, store):
            yield {"domain": domain, **_state_columns(animation), **animation_row(animation)}
    else:
        items = sticker_items(home, store)
        emotions = emotions_of(items, store.emotions())
        for key, item in items.items():
            yield {"domain": domain, **_state_columns(item), **sticker_row(item, emotions[key])}


def _state_columns(state: ItemState) -> dict[str, Any]:
    named = {**vars(state), "reason_code": state.code}
    return {name: named[name] for name in STATE_COLUMNS}
