"""What Dagster builds by itself: one condition that every asset has.

Belongs here: the condition, and what of a tick it needs. Does not belong here: what staleness is and what waits for
what (`staleness`), what happens outside (`sensors`).

The condition looks at states, not at events: whatever was missed, by a daemon that was down or a tick that failed, is
seen the next time. What was asked for and has failed is not asked for again until something that it is made from has
changed (`emovid build --only failed`). A domain in which nothing was ever built stays empty: its first build is asked
for by the sensor that finds its first file.
"""

import json
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import dagster as dg

from emovid_assets.freshness.dagster_records import made_by
from emovid_assets.freshness.kept import Kept
from emovid_assets.freshness.needs import with_made_files, with_quarantine
from emovid_assets.freshness.runs import busy_places
from emovid_assets.freshness.staleness import Lineage, Place, Walk, verdicts
from emovid_assets.home.folders import Home
from emovid_assets.home.settings_groups import digests

LOOK_EVERY_S = 3600.0


class Outdated(dg.AutomationCondition[dg.AssetKey]):
    """True for the domains in which the asset is outdated and may be built now (`staleness.Walk`).

    Dagster evaluates assets after those that they are made from, which is the order that the walk needs. The cursor
    holds, per domain that was asked for and is still outdated, what it was to be made from.
    """

    @property
    def name(self) -> str:
        return "outdated"

    @property
    def description(self) -> str:
        return "Stale or missing with settled inputs, or built together with such an input"

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        name, tick = context.key.to_user_string(), _tick_of(context)
        places = tick.lineage.places_of(name)
        tried: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        tried = {
            place.domain or "": tick.verdicts[place].inputs
            for place in places
            if tick.is_outdated(place) and tried.get(place.domain or "") == tick.verdicts[place].inputs
        }
        needs = {place for place in places if tick.is_outdated(place) and (place.domain or "") not in tried}
        asked = tick.walk.started(name, needs)
        if tick.lineage.is_partitioned[name]:
            subset = context.candidate_subset.compute_intersection_with_partition_keys(
                {place.domain for place in asked}
            )
        else:
            subset = context.candidate_subset if asked else context.get_empty_subset()
        for place in asked:
            why = tick.verdicts[place].state if place in needs else "follows in the same run"
            context.log.info(f"{name} [{place.domain or 'all'}]: {why}")
        tried |= {place.domain or "": tick.verdicts[place].inputs for place in asked}
        return dg.AutomationResult(context, subset, cursor=json.dumps(tried, sort_keys=True))


OUTDATED = Outdated()


class _Tick:
    """What is the same for all assets of a tick."""

    def __init__(self, graph: Any, instance: dg.DagsterInstance) -> None:
        self.lineage = Lineage.of(graph)
        # Before the verdicts: a run that ends in between is then seen as at work, and what it made the next time.
        busy = busy_places(instance) | set(_backfilled(self.lineage, instance))
        home = Home.from_environment()
        found = verdicts(self.lineage, made_by(instance, self.lineage), digests(home))
        self.verdicts = with_quarantine(home, found, Kept(home))
        if _is_look_due(home):
            before, self.verdicts = self.verdicts, with_made_files(home, self.verdicts)
            if self.verdicts == before:
                _looked_at[home.root] = time.monotonic()
        there = {place for place, verdict in self.verdicts.items() if not verdict.is_missing}
        self.walk = Walk(self.lineage, there, busy)

    def is_outdated(self, place: Place) -> bool:
        """Stale, or missing where there is something to make it from."""
        verdict = self.verdicts[place]
        return bool(verdict.reasons) or (verdict.is_missing and bool(self.lineage.parents[place.asset]))


_looked_at: dict[Path, float] = {}
"""When all media of a home were found whole, in seconds of a clock that nobody sets."""


def _is_look_due(home: Home) -> bool:
    """Whether the media that were made are to be looked at: in the first tick, which is what follows a power cut, and
    then not in every one, for there may be millions."""
    return time.monotonic() - _looked_at.get(home.root, -math.inf) >= LOOK_EVERY_S


_ticks: WeakKeyDictionary[Any, _Tick] = WeakKeyDictionary()


def _tick_of(context: Any) -> _Tick:
    """Dagster makes one view of the graph per tick."""
    view = context.asset_graph_view
    if view not in _ticks:
        # Dagster says of every asset that nothing was asked for: 60 kB a tick, twice a minute, which it keeps. A level
        # would come too late: whether a logger takes a line is remembered with the first of its kind.
        context._root_log.addFilter(_is_worth_keeping)
        _ticks[view] = _Tick(view.asset_graph, view.instance)
    return _ticks[view]


def _is_worth_keeping(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.INFO


def _backfilled(lineage: Lineage, instance: dg.DagsterInstance) -> Iterator[Place]:
    """What backfills under way are to build: some of their runs may not have been asked for yet."""
    for backfill in instance.get_backfills(limit=50):
        if backfill.status.value in ("REQUESTED", "CANCELING"):
            for key in backfill.asset_selection or ():
                yield from lineage.places_of(key.to_user_string())


def automation(status: dg.DefaultSensorStatus, every_s: int) -> dg.AutomationConditionSensorDefinition:
    """The sensor that evaluates the condition of every asset."""
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        description="Builds what is missing or stale, domain by domain, once its inputs have settled.",
        # A condition of our own is evaluated where our code is.
        use_user_code_server=True,
        # A run per domain, as everywhere (ADR 3).
        emit_backfills=False,
        minimum_interval_seconds=every_s,
        default_status=status,
    )
