"""What is to be built by the state of a home: stale, missing, failed or quarantined, files of the library included.

Belongs here: `staleness` together with what only the files can say (`news`), and what has failed. Nothing is changed.
Does not belong here: running anything (`building`), and counting items (`amounts`). Needs no Dagster.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness import news
from emovid_assets.freshness.kept import Kept
from emovid_assets.freshness.staleness import (
    VERSION_TAG,
    Lineage,
    Place,
    Records,
    Verdict,
    verdicts,
)
from emovid_assets.home.folders import Home
from emovid_assets.home.settings_groups import digests
from emovid_assets.resources.item_store import FailedRun, ItemStore
from emovid_assets.resources.quarantine import STEP_ASSETS, quarantined
from emovid_assets.tables.registry import TABLES

UNBUILT = "the run that was to build it has not come to it"


def current_verdicts(
    home: Home,
    lineage: Lineage,
    records: Records,
    kept: Kept,
    domains: Sequence[str] = DOMAINS,
    *,
    asks_for_media: bool = True,
) -> dict[Place, Verdict]:
    """Verdicts by the settings file, the files and the runs as they are at this moment, in the order of the graph.

    `asks_for_media`: whether each file that items have made is looked at. Raises SettingsError.
    """
    found = with_quarantine(home, verdicts(lineage, records.made, digests(home), domains), kept)
    look = news.Look(home, kept)
    judged = {
        place: _with_runs(place, look.judged(place, verdict, records.made), records) for place, verdict in found.items()
    }
    return with_made_files(home, judged) if asks_for_media else judged


def with_quarantine(home: Home, found: Mapping[Place, Verdict], kept: Kept) -> dict[Place, Verdict]:
    """The verdicts, where the table of the quarantine is stale too if it is not the quarantine as it is.

    A file that is no video changes no table of videos, so nothing that it is made from says that it is stale.
    """
    result = dict(found)
    with closing(ItemStore.to_read(home.state)) as store:
        for place, verdict in found.items():
            if place.asset == "processing_errors" and verdict.made is not None:
                now = news.quarantine_version(store, str(place.domain), kept)
                if now != verdict.made.get(VERSION_TAG):
                    reasons = (*verdict.reasons, "the quarantine has changed")
                    result[place] = replace(verdict, reasons=reasons, inputs=f"{verdict.inputs}|{now}")
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


def _with_runs(place: Place, verdict: Verdict, records: Records) -> Verdict:
    """What a run has left undone is to be done, whatever it would be made from."""
    if verdict.is_missing or verdict.reasons:
        return verdict
    if place in records.unbuilt:
        return replace(verdict, reasons=(UNBUILT,))
    if stopped_by := records.stopped_by.get(place):
        return replace(verdict, reasons=(f"it has not passed {', '.join(stopped_by)}",))
    return verdict


def with_items(
    home: Home, lineage: Lineage, found: Mapping[Place, Verdict], kept: Kept, domains: Sequence[str] = DOMAINS
) -> dict[Place, Verdict]:
    """The verdicts, where what is fresh but has items to compute is to be built too: their files are gone or damaged,
    they failed for a reason that may pass, or a limit or a model is another now."""
    from emovid_assets.freshness.amounts import amounts_of

    result = dict(found)
    for place, amount in amounts_of(home, lineage, found, domains, kept).items():
        verdict = result.get(place)
        if verdict is not None and verdict.is_fresh and amount.known_items:
            result[place] = replace(verdict, reasons=(news.MISSING_ITEMS,))
    return result


def quarantined_counts(home: Home, domains: Sequence[str] = DOMAINS) -> dict[Place, int]:
    """How many items are in quarantine, by the asset whose step put them there."""
    counts: dict[Place, int] = {}
    with closing(ItemStore.to_read(home.state)) as store:
        for domain in domains:
            for failure in quarantined(store, domain):
                asset = STEP_ASSETS[failure.step]
                place = Place(asset, domain if TABLES[asset].is_partitioned else None)
                counts[place] = counts.get(place, 0) + 1
    return counts


def failed(home: Home, records: Records, domains: Sequence[str] = DOMAINS) -> set[Place]:
    """What runs have left unbuilt and nothing has built since, and what has items in quarantine."""
    unbuilt = {place for place in records.unbuilt if place.domain in (None, *domains)}
    return unbuilt | set(quarantined_counts(home, domains))


def noted_failures(home: Home) -> list[FailedRun]:
    """The latest failure of each asset and domain, as it was noted when it happened."""
    with closing(ItemStore.to_read(home.state)) as store:
        return store.failed_runs()
