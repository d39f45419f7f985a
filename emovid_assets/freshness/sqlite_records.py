"""What Dagster remembers of every place, read straight from its SQLite files: a hundredth of the time that loading
Dagster takes.

Belongs here: a few queries, and whether the files are such that they can be asked. Does not belong here: any other
storage (`dagster_records`). A test holds that both say the same.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from emovid_assets.freshness.staleness import Lineage, Place, Records, Tags, place_of
from emovid_assets.resources.item_store import FailedRun

SCHEMA = "29b539ebc72a"
"""The version of Dagster's tables that the queries were written for, in both files."""
WAIT_S = 1.0
"""For a process that writes; whoever waits longer takes the long way."""

_KNOWN = """
SELECT asset_key FROM asset_keys WHERE wipe_timestamp IS NULL OR last_materialization_timestamp > wipe_timestamp
"""
"""What Dagster's API gives records of: an asset that was wiped, or is not in this table, was never built."""
_MADE = """
SELECT asset_key, partition, id, timestamp,
  json_extract(event, '$.dagster_event.event_specific_data.materialization.tags')
FROM event_logs JOIN (
  SELECT max(id) AS id FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' GROUP BY asset_key, partition
) USING (id)
"""
_PLANNED = """
SELECT planned.asset_key, planned.partition, planned.id, runs.status
FROM event_logs AS planned JOIN (
  SELECT max(id) AS id FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
  GROUP BY asset_key, partition
) USING (id) JOIN runs.runs USING (run_id)
"""
_CHECKS = """
SELECT asset_key, partition, check_name, max(id), execution_status
FROM asset_check_executions GROUP BY asset_key, partition, check_name
"""


def records_in(folder: Path, lineage: Lineage, noted: Sequence[FailedRun] = ()) -> Records | None:
    """As `dagster_records.records_of`, of the SQLite files below a `DAGSTER_HOME`; null where they cannot be asked:
    they are not there, of another version, or somebody holds them."""
    history = folder / "history"
    try:
        with closing(_opened(history / "runs" / "index.db")) as connection:
            connection.execute("ATTACH ? AS runs", (_address(history / "runs.db"),))
            for schema in ("main", "runs"):
                if connection.execute(f"SELECT version_num FROM {schema}.alembic_version").fetchall() != [(SCHEMA,)]:
                    return None
            known = {key for (key,) in connection.execute(_KNOWN)}
            made = connection.execute(_MADE).fetchall()
            planned = connection.execute(_PLANNED).fetchall()
            checks = connection.execute(_CHECKS).fetchall()
    except sqlite3.Error:
        return None
    tags: dict[Place, Tags | None] = dict.fromkeys(lineage.places())
    latest: dict[Place, tuple[int, str]] = {}
    for key, domain, number, moment, found in made:
        if (place := _place(lineage, key, domain)) is not None:
            latest[place] = number, moment
            tags[place] = json.loads(found or "{}") if key in known else None
    unbuilt = {
        place
        for key, domain, number, status in planned
        if (place := _place(lineage, key, domain)) is not None
        and status != "SUCCESS"
        and number > latest.get(place, (0, ""))[0]
    }
    unresolved = tuple(one for one in noted if latest.get(place_of(one), (0, ""))[1] <= _as_in_log(one.failed_at))
    unbuilt |= {place for place in map(place_of, unresolved) if lineage.has(place)}
    stopped_by: dict[Place, tuple[str, ...]] = {}
    for key, domain, check, _, status in sorted(checks, key=lambda row: row[2]):
        place = _place(lineage, key, domain)
        if place is not None and status != "SUCCEEDED" and check in lineage.blocking_checks[place.asset]:
            stopped_by[place] = (*stopped_by.get(place, ()), check)
    return Records(tags, frozenset(unbuilt), stopped_by, unresolved)


def _as_in_log(moment: datetime) -> str:
    """In the form of the column: UTC, without its name."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(_address(path), uri=True, timeout=WAIT_S)


def _address(path: Path) -> str:
    """Of a file that is there. Not opened for reading only: the last one to leave would leave two files behind."""
    return f"file:{quote(str(path))}?mode=rw"


def _place(lineage: Lineage, key: str, domain: str | None) -> Place | None:
    """Null for what is no asset of the lineage any more, or was partitioned otherwise."""
    place = Place("/".join(json.loads(key)), domain)
    return place if lineage.has(place) else None
