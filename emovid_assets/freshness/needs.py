"""What is to be built by the state of a home: stale, missing, failed or quarantined, files of the library included.

Belongs here: `staleness` together with what only the files can say (`news`), and what has failed. Nothing is changed.
Does not belong here: running anything (`building`), and counting items (`amounts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import dagster as dg

from emovid_assets.assets.partitions import DOMAINS
from emovid_assets.freshness import news
from emovid_assets.freshness.runs import unbuilt_since_failure
from emovid_assets.freshness.staleness import VERSION_TAG, Lineage, Place, Verdict, verdicts
from emovid_assets.home.folders import Home
from emovid_assets.home.settings_groups import digests
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.quarantine import STEP_ASSETS, quarantined
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES


def current_verdicts(
    home: Home, lineage: Lineage, instance: dg.DagsterInstance, domains: Sequence[str] = DOMAINS
) -> dict[Place, Verdict]:
    """Verdicts by the settings file and the library as they are at this moment, in the order of the graph.

    Raises SettingsError.
    """
    found = with_quarantine(home, verdicts(lineage, instance, digests(home), domains))
    return with_made_files(home, {place: _with_files(home, place, verdict) for place, verdict in found.items()})


def with_quarantine(home: Home, found: Mapping[Place, Verdict]) -> dict[Place, Verdict]:
    """The verdicts, where the table of the quarantine is stale too if it is not the quarantine as it is.

    A file that is no video changes no table of videos, so nothing that it is made from says that it is stale.
    """
    result = dict(found)
    store = ItemStore.to_read(home.state)
    try:
        for place, verdict in found.items():
            if place.asset == "processing_errors" and verdict.made is not None:
                now = news.quarantine_version(store, str(place.domain))
                if now != verdict.made.get(VERSION_TAG):
                    reasons = (*verdict.reasons, "the quarantine has changed")
                    result[place] = replace(verdict, reasons=reasons, inputs=f"{verdict.inputs}|{now}")
    finally:
        store.close()
    return result


def with_made_files(home: Home, found: Mapping[Place, Verdict]) -> dict[Place, Verdict]:
    """The verdicts, where what would be fresh is stale if media that its items have made are not as they were made.

    One question to the file system a file: a tenth of a second for 10,000 clips.
    """

    def verdict(place: Place, known: Verdict) -> Verdict:
        if known.made is None or known.reasons:
            return known
        reason = news.made_files_reason(home, place.asset, str(place.domain))
        return replace(known, reasons=(reason,)) if reason else known

    return {place: verdict(place, known) for place, known in found.items()}


def _with_files(home: Home, place: Place, verdict: Verdict) -> Verdict:
    if verdict.made is None or verdict.reasons:
        return verdict
    if place.asset in TABLES and not Warehouse(home.warehouse).has_all_columns(place.asset, place.domain):
        return replace(verdict, reasons=("its columns have changed",))
    domain = str(place.domain)
    if place.asset == "source_videos" and (reason := news.library(home, domain).reason):
        return replace(verdict, reasons=(reason,))
    if found := news.version_from_files(home, place.asset, domain):
        version, reason = found
        if version != verdict.made.get(VERSION_TAG):
            return replace(verdict, reasons=(reason,))
    return verdict


def quarantined_counts(home: Home, domains: Sequence[str] = DOMAINS) -> dict[Place, int]:
    """How many items are in quarantine, by the asset whose step put them there."""
    counts: dict[Place, int] = {}
    store = ItemStore.to_read(home.state)
    try:
        for domain in domains:
            for failure in quarantined(store, domain):
                asset = STEP_ASSETS[failure.step]
                place = Place(asset, domain if TABLES[asset].is_partitioned else None)
                counts[place] = counts.get(place, 0) + 1
    finally:
        store.close()
    return counts


def failed(home: Home, instance: dg.DagsterInstance, domains: Sequence[str] = DOMAINS) -> set[Place]:
    """What failed runs have left unbuilt and nothing has built since, and what has items in quarantine."""
    store = ItemStore.to_read(home.state)
    try:
        noted = store.failed_runs()
    finally:
        store.close()
    unbuilt = {place for place in unbuilt_since_failure(instance, noted) if place.domain in (None, *domains)}
    return unbuilt | set(quarantined_counts(home, domains))
