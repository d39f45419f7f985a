"""What is missing, stale or quarantined, per asset and domain, and which runs have failed.

Belongs here: putting together what a person at a terminal wants to know. Nothing is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from emovid_assets.assets.partitions import DOMAINS
from emovid_assets.building.runner import open_instance_to_read
from emovid_assets.core import side_files
from emovid_assets.freshness.needs import current_verdicts, quarantined_counts
from emovid_assets.freshness.runs import built_since
from emovid_assets.freshness.staleness import Lineage, Place
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.resources.item_store import FailedRun, ItemStore
from emovid_assets.resources.library_files import listing, strays
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES


@dataclass(frozen=True)
class AssetState:
    """`state` is `missing`, `up to date`, or what makes it stale; `domain` is null for unpartitioned assets."""

    asset: str
    domain: str | None
    rows: int | None
    quarantined: int
    state: str


def asset_states(home: Home, domains: Sequence[str] = DOMAINS) -> list[AssetState]:
    """States in the order in which assets are built. Raises SettingsError."""
    quarantined = quarantined_counts(home, domains)
    lineage = Lineage(build_defs().resolve_asset_graph())
    with open_instance_to_read(home) as instance:
        found = current_verdicts(home, lineage, instance, domains)
    return [
        AssetState(
            place.asset,
            place.domain,
            Warehouse(home.warehouse).row_count(place.asset, place.domain) if place.asset in TABLES else None,
            quarantined.get(place, 0),
            verdict.state,
        )
        for place, verdict in found.items()
    ]


def library_notes(home: Home, domains: Sequence[str] = DOMAINS) -> list[str]:
    """What is passed over in the library, a sentence a domain or folder; nothing where all of it is read."""
    counts = {domain: side_files.told(listing(home, domain).side_files) for domain in domains}
    return [
        *(f"library/{domain}: beside the media {told}" for domain, told in counts.items() if told),
        *(stray.sentence for stray in strays(home)),
    ]


def unresolved_failures(home: Home, domains: Sequence[str] = DOMAINS) -> list[FailedRun]:
    """Failed runs whose asset has not been built in that domain since, the newest first."""
    store = ItemStore.to_read(home.state)
    try:
        failures = [one for one in store.failed_runs() if one.domain in (None, *domains)]
    finally:
        store.close()
    if not failures:
        return []
    with open_instance_to_read(home) as instance:
        return [one for one in failures if not _built_since(instance, one)]


def _built_since(instance: dg.DagsterInstance, failed: FailedRun) -> bool:
    return built_since(instance, Place(failed.asset, failed.domain), failed.failed_at.timestamp())
