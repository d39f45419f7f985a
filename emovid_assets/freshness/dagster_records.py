"""What Dagster remembers of every place, asked of its own API: that works for every kind of storage.

Belongs here: asking. Does not belong here: the short way to the same facts in SQLite (`sqlite_records`), and what
follows from them (`needs`).
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter

from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.runs import built_since, unbuilt_places
from emovid_assets.freshness.staleness import Lineage, Place, Records, Tags, place_of
from emovid_assets.resources.item_store import FailedRun

_remembered: dict[tuple[str, str], tuple[tuple[str, int], dict[Place, Tags | None]]] = {}
"""By folder of Dagster and asset the tags of its places, as of its latest materialisation (run, number in the log).

Materialisations carry pictures, and automation asks twice a minute: most of the time nothing has to be read again.
"""


def records_of(instance: dg.DagsterInstance, lineage: Lineage, noted: Sequence[FailedRun] = ()) -> Records:
    """Everything that is remembered of the places. `noted`: failures that were noted when they happened."""
    return Records(
        made_by(instance, lineage),
        unbuilt_places(instance, noted),
        _stopping_checks(instance, lineage),
        tuple(one for one in noted if not built_since(instance, place_of(one), one.failed_at.timestamp())),
    )


def made_by(instance: dg.DagsterInstance, lineage: Lineage) -> dict[Place, Tags | None]:
    """The tags of the latest materialisation of every place."""
    latest = {
        record.asset_entry.asset_key.to_user_string(): record.asset_entry.last_materialization_record
        for record in instance.get_asset_records([dg.AssetKey(name) for name in lineage.names])
    }
    made: dict[Place, Tags | None] = {}
    for name in lineage.names:
        record, places = latest.get(name), lineage.places_of(name)
        if record is None:
            made |= dict.fromkeys(places)
            continue
        moment = (record.run_id, record.storage_id)
        asset = (instance.root_directory, name)
        known = _remembered.get(asset)
        if known is None or known[0] != moment:
            known = _remembered[asset] = moment, {place: _latest_tags(instance, place) for place in places}
        made |= known[1]
    return made


def _latest_tags(instance: dg.DagsterInstance, place: Place) -> Tags | None:
    filters = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(place.asset), asset_partitions=[place.domain] if place.domain else None
    )
    records = instance.fetch_materializations(filters, limit=1).records
    if not records or records[0].asset_materialization is None:
        return None
    return dict(records[0].asset_materialization.tags or {})


def _stopping_checks(instance: dg.DagsterInstance, lineage: Lineage) -> dict[Place, tuple[str, ...]]:
    keys = [
        dg.AssetCheckKey(dg.AssetKey(name), check) for name in lineage.names for check in lineage.blocking_checks[name]
    ]
    found: dict[Place, tuple[str, ...]] = {}
    for domain in (*DOMAINS, None):
        # Its public API knows no partitions.
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            keys, PartitionKeyFilter(key=domain)
        )
        for key in keys:
            place = Place(key.asset_key.to_user_string(), domain)
            if key in latest and latest[key].status.value != "SUCCEEDED" and lineage.has(place):
                found[place] = (*found.get(place, ()), key.name)
    return found
