"""What runs were to build, and where they failed.

Belongs here: reading that from the instance. Does not belong here: what is done about it.
"""

import re
from collections.abc import Iterator
from typing import Any

import dagster as dg

from emovid_assets.staleness import Place

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
ENDED_BADLY = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
LOOKED_AT = 200
"""Runs that are looked at, the latest ones."""

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


def unbuilt_since_failure(instance: dg.DagsterInstance) -> list[Place]:
    """What the latest run that was to build it has not built, because it failed or was cancelled."""
    found: list[Place] = []
    settled: set[Place] = set()
    for run in instance.get_runs(limit=LOOKED_AT):
        if run.status in UNFINISHED:
            continue
        left = set(failed_places(instance, run.run_id)) if run.status in ENDED_BADLY else set()
        for place in planned_places(instance, run.run_id):
            if place not in settled and place in left:
                found.append(place)
            settled.add(place)
    return found


def first_error(event: Any) -> str:
    """The sentence that a failed step was ended with on purpose, else its innermost message; no frames in between."""
    error = event.event_specific_data.error
    while error.cause is not None and not _FAILURE_CLASS.match(str(error.message).strip()):
        error = error.cause
    return _FAILURE_CLASS.sub("", str(error.message).strip())
