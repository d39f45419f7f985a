"""What runs were to build, and where they failed.

Belongs here: reading that from the instance. Does not belong here: what is done about it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from emovid_assets.freshness.staleness import Place
from emovid_assets.resources.item_store import FailedRun

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
ENDED_BADLY = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
LOOKED_AT = 200
"""Runs that ended badly, the latest ones."""

# A Failure and our own errors are raised with a sentence for people; the names of their classes are none.
_FAILURE_CLASS = re.compile(
    rf"^(?:{re.escape(f'{dg.Failure.__module__}.{dg.Failure.__qualname__}')}|emovid_assets[\w.]*): "
)


def planned_places(instance: dg.DagsterInstance, run_id: str) -> list[Place]:
    """What a run is or was to build, in its order."""
    return list(_places(instance, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED))


def failed_places(instance: dg.DagsterInstance, run_id: str) -> list[Place]:
    """What a run that has ended was to build and has not built."""
    built = set(_places(instance, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION))
    return [place for place in planned_places(instance, run_id) if place not in built]


def _places(instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType) -> Iterator[Place]:
    for record in instance.get_records_for_run(run_id, of_type=kind).records:
        event = record.event_log_entry.dagster_event
        if event is not None and event.asset_key is not None:
            yield Place(event.asset_key.to_user_string(), event.partition)


def busy_places(instance: dg.DagsterInstance) -> set[Place]:
    """What unfinished runs are to build, built already or not."""
    runs = instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED)))
    return {place for run in runs for place in planned_places(instance, run.run_id)}


MOST_NAMES = 3


def names_of(places: Iterable[Place]) -> str:
    """Some of the places in words, in the order of their names; empty where there is none."""
    names = sorted(f"{place.asset} [{place.domain or 'all'}]" for place in places)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def unbuilt_places(instance: dg.DagsterInstance, noted: Iterable[FailedRun] = ()) -> frozenset[Place]:
    """What runs were to build and nothing has built since, whether they failed, were killed or are not there yet."""
    unfinished = instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED)))
    waiting = {
        place
        for record in unfinished
        for place in planned_places(instance, record.dagster_run.run_id)
        if not built_since(instance, place, record.create_timestamp.timestamp())
    }
    return frozenset(waiting | unbuilt_since_failure(instance, noted))


def unbuilt_since_failure(instance: dg.DagsterInstance, noted: Iterable[FailedRun] = ()) -> set[Place]:
    """What runs that failed or were cancelled have left unbuilt, and nothing has built since.

    Of Dagster's runs the latest bad ones are looked at, and all that were `noted` when they failed, however long ago.
    """
    noted = list(noted)
    latest = instance.get_run_records(dg.RunsFilter(statuses=list(ENDED_BADLY)), limit=LOOKED_AT)
    ended_at = {one.run_id: one.failed_at.timestamp() for one in noted} | {
        one.dagster_run.run_id: one.end_time or one.create_timestamp.timestamp() for one in latest
    }
    # Runs that somebody has deleted are known by their notes alone.
    failed_at = {Place(one.asset, one.domain): ended_at[one.run_id] for one in noted}
    for run_id, moment in ended_at.items():
        for place in failed_places(instance, run_id):
            failed_at[place] = max(moment, failed_at.get(place, 0.0))
    return {place for place, moment in failed_at.items() if not built_since(instance, place, moment)}


def built_since(instance: dg.DagsterInstance, place: Place, moment_s: float) -> bool:
    """Whether something was built after a moment (seconds since 1970)."""
    filters = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(place.asset),
        asset_partitions=[place.domain] if place.domain else None,
        after_timestamp=moment_s,
    )
    return bool(instance.fetch_materializations(filters, limit=1).records)


def first_error(event: Any) -> str:
    """The sentence that a failed step was ended with on purpose, else its innermost message; no frames in between."""
    error = event.event_specific_data.error
    while error.cause is not None and not _FAILURE_CLASS.match(str(error.message).strip()):
        error = error.cause
    return _FAILURE_CLASS.sub("", str(error.message).strip())
